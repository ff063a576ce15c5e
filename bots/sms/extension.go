package sms

import (
	"fmt"
	"strconv"
	"strings"

	"shaoying/bots/wire"
)

// Extensions are the codes that may be set behind our own number: Digits digits
// behind Base, whose own number is the code 0. Digits 0 means none.
type Extensions struct {
	Base   string
	Digits int
}

// maxDigits keeps the whole number within the 20 digits that carriers take.
const maxDigits = 4

// Validate returns an error that says what to write instead.
func (x Extensions) Validate() error {
	if x.Digits < 0 || x.Digits > maxDigits {
		return fmt.Errorf("extension_digits: write 0 to %d: how many digits the carrier lets you set behind your number", maxDigits)
	}
	return nil
}

// Count is bots.Caps.Extensions.
func (x Extensions) Count() int {
	n := 1
	for range x.Digits {
		n *= 10
	}
	return n - 1
}

// Number is the number from which a message with a code goes out. The error is
// a *bots.Error of class rejected.
func (x Extensions) Number(code string) (string, error) {
	if code == "" {
		return x.Base, nil
	}
	n, err := strconv.Atoi(code)
	if err != nil || n < 1 || n > x.Count() {
		return "", wire.Refuse("extension %q, the carrier allows 1 to %d", code, x.Count())
	}
	return fmt.Sprintf("%s%0*d", x.Base, x.Digits, n), nil
}

// Code reads the code from the number to which somebody wrote; empty for our
// number itself, and for whatever cannot have been one of ours.
func (x Extensions) Code(number string) string {
	digits, ours := strings.CutPrefix(strings.TrimPrefix(number, "+"), strings.TrimPrefix(x.Base, "+"))
	if !ours || x.Digits == 0 || len(digits) != x.Digits {
		return ""
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 {
		return ""
	}
	return strconv.Itoa(n)
}
