package people

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// E164 writes a number of mainland China, however it was typed, in the form in
// which numbers are kept and compared; empty for what is neither a mobile number
// nor one with an area code. Source: ITU-T E.164, country code 86; the trunk
// prefix 0 is left out.
func E164(written string) string {
	digits := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -–—()", r) {
			return -1
		}
		return r
	}, norm.NFKC.String(written))
	digits = strings.TrimPrefix(strings.TrimPrefix(digits, "+86"), "0086")
	if strings.Trim(digits, "0123456789") != "" {
		return ""
	}
	switch {
	case len(digits) == 11 && digits[0] == '1':
	case len(digits) >= 10 && len(digits) <= 12 && digits[0] == '0': // area code and 7 or 8 digits
	default:
		return ""
	}
	return "+86" + strings.TrimPrefix(digits, "0")
}

// Mobile reports whether a number, as E164 writes it, is a mobile number of
// mainland China: 11 digits that begin with 1.
func Mobile(e164 string) bool {
	digits, ok := strings.CutPrefix(e164, "+86")
	return ok && len(digits) == 11 && digits[0] == '1'
}
