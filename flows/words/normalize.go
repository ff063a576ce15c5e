package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Normalize brings a text into the one form in which words are compared:
// compatibility characters folded (１ and ① become 1), Latin in lower case,
// common traditional characters simplified, invisible characters removed,
// white space collapsed, punctuation and symbols at both ends cut off. It is
// idempotent. It keeps every word: what is polite filler in an answer may
// matter in a report, so only a Lexicon drops it.
func Normalize(s string) string {
	s = strings.Map(visible, strings.ToValidUTF8(s, ""))
	s = fold(s)
	// Lower case may open a new composition (H + macron below), hence twice.
	s = fold(strings.ToLower(s))
	s = strings.Map(simplify, s)
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimFunc(s, outer)
}

// fold is NFKC, without the cost where nothing changes.
func fold(s string) string {
	if norm.NFKC.IsNormalString(s) {
		return s
	}
	return norm.NFKC.String(s)
}

// visible drops what cannot be seen: controls, zero-width marks, the variation
// selector and the key cap of 1️⃣.
func visible(r rune) rune {
	switch {
	case unicode.Is(unicode.Han, r):
		return r // most of what is written here; no need to look further
	case unicode.IsSpace(r):
		return ' '
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Me, unicode.Variation_Selector):
		return -1
	}
	return r
}

func outer(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r)
}

// compact removes all white space, for long texts in which it says nothing.
func compact(s string) string { return strings.ReplaceAll(s, " ", "") }

// runes counts in the unit in which lengths are configured.
func runes(s string) int { return utf8.RuneCountInString(s) }
