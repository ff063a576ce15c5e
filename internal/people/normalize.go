package people

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalizePlace brings the many ways to write a place to one: half-width,
// lower case, without spaces and punctuation, Chinese numerals before a unit
// word as digits, and every word for a building as 栋 (三号楼, 3幢, 3# and
// 第3座 are 3栋). Both names and queries go through it, so what matters is
// that it is the same for both, and that it is idempotent.
func normalizePlace(s string) string {
	runes := placeRunes(s)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(runes); {
		n, value := number(runes[i:])
		if n == 0 {
			if !ordinal(runes, i) && runes[i] != '#' {
				b.WriteRune(runes[i])
			}
			i++
			continue
		}
		rest := runes[i+n:]
		word := building(rest)
		switch {
		case word > 0:
			b.WriteString(strconv.Itoa(value) + "栋")
			i += n + word
		case unit(rest) || isDigit(runes[i]):
			b.WriteString(strconv.Itoa(value))
			i += n
		default: // 八一街, 三板桥: part of a name
			b.WriteString(string(runes[i : i+n]))
			i += n
		}
	}
	return b.String()
}

// placeRunes keeps letters and digits. What stands between two numbers becomes
// a dash, so that 3-5栋 does not turn into 35栋; # is kept behind a number.
func placeRunes(s string) []rune {
	runes := make([]rune, 0, len(s))
	gap := false
	for _, r := range norm.NFKC.String(s) {
		counts := isDigit(r) || isNumeral(r)
		last := len(runes) > 0 && (isDigit(runes[len(runes)-1]) || isNumeral(runes[len(runes)-1]))
		switch {
		case r == '#' && last && !gap:
			runes = append(runes, r)
		case unicode.IsLetter(r) || counts:
			if gap && counts && last {
				runes = append(runes, '-')
			}
			runes, gap = append(runes, unicode.ToLower(r)), false
		default:
			gap = true
		}
	}
	return runes
}

func isDigit(r rune) bool { return '0' <= r && r <= '9' }

// ordinal reports whether a 第 stands at i that says no more than the number
// behind it. Behind another number it keeps the two apart.
func ordinal(runes []rune, i int) bool {
	if runes[i] != '第' || i > 0 && isDigit(runes[i-1]) {
		return false
	}
	for i < len(runes) && runes[i] == '第' {
		i++
	}
	n, _ := number(runes[i:])
	return n > 0 && unit(runes[i+n:])
}

// building returns how many runes after a number say "building".
func building(rest []rune) int {
	for _, word := range [...]string{"号楼栋", "号楼", "号栋", "栋楼", "幢楼", "#楼", "#栋", "楼栋", "栋", "幢", "座", "#"} {
		if hasPrefix(rest, word) {
			return len([]rune(word))
		}
	}
	return 0
}

// unit reports whether a word follows that a number counts in addresses.
func unit(rest []rune) bool {
	return building(rest) > 0 || len(rest) > 0 && strings.ContainsRune("号组单期弄巷队室", rest[0])
}

func hasPrefix(runes []rune, word string) bool {
	i := 0
	for _, r := range word {
		if i >= len(runes) || runes[i] != r {
			return false
		}
		i++
	}
	return true
}

const numerals = "零一二三四五六七八九"

func isNumeral(r rune) bool { return strings.ContainsRune(numerals+"〇两十百", r) }

// maxNumber bounds what is read as a house or building number; longer runs of
// digits (phones) stay as they are.
const maxNumber = 9999

// number reads the digits or Chinese numerals at the start of runes and
// returns how many runes they take, 0 when there are none or too many.
func number(runes []rune) (n, value int) {
	for n < len(runes) && isDigit(runes[n]) {
		if value <= maxNumber {
			value = value*10 + int(runes[n]-'0')
		}
		n++
	}
	if n > 0 {
		if value > maxNumber || runes[0] == '0' && n > 1 {
			return 0, 0
		}
		return n, value
	}
	total, digit := 0, -1
	for ; n < len(runes) && isNumeral(runes[n]); n++ {
		switch r := runes[n]; r {
		case '百', '十':
			scale := 10
			if r == '百' {
				scale = 100
			}
			if digit < 0 {
				digit = 1
			}
			total = min(total+digit*scale, maxNumber+1)
			digit = -1
		default:
			d := numeral(r)
			if digit >= 0 { // 三〇一: read digit by digit
				d += digit * 10
			}
			digit = min(d, maxNumber+1)
		}
	}
	if digit > 0 {
		total += digit
	}
	if total > maxNumber || n > 0 && total == 0 {
		return 0, 0
	}
	return n, total
}

func numeral(r rune) int {
	switch r {
	case '〇':
		return 0
	case '两':
		return 2
	}
	i := 0
	for _, d := range numerals {
		if d == r {
			return i
		}
		i++
	}
	return 0
}
