package ticket

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Number is a ticket number: ten digits, the first from 2 to 9 so that it
// looks neither like a landline (0), a mobile phone (1…) nor an emergency
// number (110, 119, 120), the last a check digit. The others are random:
// numbers cannot be walked (promise S4).
type Number string

const numberDigits = 10

// damm returns the running check digit of digits: 0 for a number whose last
// digit is its check digit.
//
// Source: H. Michael Damm, Total anti-symmetrische Quasigruppen, Marburg 2004:
// the totally anti-symmetric quasigroup of order 10 that the thesis gives. It
// finds every single wrong digit and every adjacent transposition, with digits
// only.
func damm(digits string) byte {
	const quasigroup = "0317598642" + "7092154863" + "4206871359" + "1750983426" + "6123045978" +
		"3674209581" + "5869720134" + "8945362017" + "9438617205" + "2581436790"
	row := 0
	for i := range len(digits) {
		row = int(quasigroup[row*10+int(digits[i]-'0')] - '0')
	}
	return byte('0' + row)
}

// NewNumber draws a number. random is crypto/rand.Reader outside tests. That
// the number is free is for the unique key to say: on a clash draw again.
func NewNumber(random io.Reader) (Number, error) {
	digits := make([]byte, 0, numberDigits)
	var b [1]byte
	for len(digits) < numberDigits-1 {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", fmt.Errorf("drawing a ticket number: %w", err)
		}
		span := byte(10)
		if len(digits) == 0 {
			span = 8
		}
		if b[0] >= 255/span*span {
			continue // would favour the low digits
		}
		digits = append(digits, '0'+b[0]%span+(10-span))
	}
	return Number(append(digits, damm(string(digits)))), nil
}

// Valid reports whether n is a well-formed number with the right check digit.
func (n Number) Valid() bool {
	if len(n) != numberDigits || n[0] < '2' {
		return false
	}
	for i := range len(n) {
		if n[i] < '0' || n[i] > '9' {
			return false
		}
	}
	return damm(string(n)) == '0'
}

// Spoken returns the number in the groups it is read out in: "4821 093 766".
// Four, three, three: no group is longer than what is kept in mind while
// dialling, and it does not look like a phone number (three, four, four).
func (n Number) Spoken() string {
	if len(n) != numberDigits {
		return string(n)
	}
	return string(n[:4] + " " + n[4:7] + " " + n[7:])
}

// ErrNumber: the text is no ticket number, or a digit is wrong.
var ErrNumber = errors.New("not a ticket number: it has ten digits and the last one must match")

// ParseNumber reads a number as people write it: with spaces or dashes, in
// full-width digits, after 编号 or No.
func ParseNumber(s string) (Number, error) {
	s = norm.NFKC.String(s)
	start := strings.IndexFunc(s, isDigit)
	if start < 0 || !isPrefix(s[:start]) {
		return "", ErrNumber
	}
	n := Number(strings.Map(func(r rune) rune {
		if isSeparator(r) || strings.ContainsRune("。.,，", r) {
			return -1
		}
		return r
	}, s[start:]))
	if !n.Valid() {
		return "", ErrNumber
	}
	return n, nil
}

// isPrefix reports whether s is nothing, or what people and our own texts put
// before a number.
func isPrefix(s string) bool {
	s = strings.ToLower(strings.Trim(s, " \t\n#:.。是"))
	s = strings.TrimPrefix(s, "工单")
	return slices.Contains([]string{"", "编号", "单号", "号码", "号", "no"}, s)
}

// FindNumbers returns the numbers in a text, in order, each once. Longer runs
// of digits (phones, identity cards) hold none.
func FindNumbers(text string) []Number {
	var found []Number
	var group []string // runs of digits with one separator between them
	flush := func() {
		for from := range group {
			joined := ""
			for _, run := range group[from:] {
				joined += run
				if n := Number(joined); len(joined) == numberDigits && n.Valid() {
					found = union(found, []Number{n})
				}
			}
		}
		group = group[:0]
	}
	run, gap := "", 0
	for _, r := range norm.NFKC.String(text) {
		switch {
		case isDigit(r):
			if gap > 1 {
				flush()
			}
			run, gap = run+string(r), 0
			continue
		case run != "":
			group, run = append(group, run), ""
		}
		if gap++; !isSeparator(r) || len(group) >= numberDigits {
			flush()
		}
	}
	if run != "" {
		group = append(group, run)
	}
	flush()
	return found
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

func isSeparator(r rune) bool { return r == ' ' || r == '-' || r == '–' || r == '—' }
