package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Index returns the blind index of a value: 32 bytes that are equal for equal
// values of one kind ("phone") and tell nothing else without the key. The
// caller normalises the value first (phones as E.164).
func (k *Keys) Index(kind, value string) []byte {
	return blind(k.live[0].index, kind, value)
}

// Indexes returns the blind index under every live key, the writing one first.
// Look-ups compare with all of them, so that rows not yet rotated are found.
func (k *Keys) Indexes(kind, value string) [][]byte {
	all := make([][]byte, len(k.live))
	for i, key := range k.live {
		all[i] = blind(key.index, kind, value)
	}
	return all
}

// SessionHash returns what the database keeps of a session token, so that a
// dump holds none that works.
func (k *Keys) SessionHash(token string) []byte {
	return blind(k.live[0].session, "session", token)
}

func blind(key []byte, kind, value string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// Grams returns the keyed 2-grams of a text for an int[] column with a GIN
// index: distinct, ascending. A text contains a query only if its grams contain
// all of the query's (Search is such a query); the hit is then opened and
// checked with strings.Contains over SearchText of both, because grams collide
// and lose order. A text of fewer than two letters has none.
func (k *Keys) Grams(text string) []int32 { return grams(k.live[0].index, text) }

// Search returns the grams of a query under every live key, the writing one
// first: a row matches when it contains all grams of any of them.
func (k *Keys) Search(query string) [][]int32 {
	all := make([][]int32, len(k.live))
	for i, key := range k.live {
		all[i] = grams(key.index, query)
	}
	return all
}

func grams(key []byte, text string) []int32 {
	text = SearchText(text)
	mac := hmac.New(sha256.New, key)
	seen := map[string]bool{}
	var out []int32
	_, first := utf8.DecodeRuneInString(text)
	for start, next := 0, first; next < len(text); {
		_, size := utf8.DecodeRuneInString(text[next:])
		pair := text[start : next+size]
		start, next = next, next+size
		if seen[pair] {
			continue
		}
		seen[pair] = true
		mac.Reset()
		mac.Write([]byte("gram\x00"))
		mac.Write([]byte(pair))
		var sum [sha256.Size]byte
		out = append(out, int32(binary.BigEndian.Uint32(mac.Sum(sum[:0]))))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// SearchText folds a text to what search compares: NFKC (full-width forms
// become plain), lower case, letters and digits only.
func SearchText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKC.String(text))
}
