package wire

import (
	"strings"
	"unicode/utf8"
)

// Tidy makes a name or label of a network's one that fits a row and a screen: of
// one line, and of at most limit bytes.
func Tidy(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return Cut(s, limit)
}

// Cut ends a text at a rune, after at most limit bytes.
func Cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}
