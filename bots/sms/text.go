package sms

import (
	"strings"
	"unicode/utf16"

	"github.com/rivo/uniseg"
)

// Encoding is in which of the two alphabets of SMS a text goes out.
type Encoding int

const (
	// GSM7 is the default alphabet of 3GPP TS 23.038 with its extension table.
	GSM7 Encoding = iota
	// UCS2 counts UTF-16 units; phones read what stands outside the basic
	// plane as surrogate pairs.
	UCS2
)

// String returns the name used in metrics and errors.
func (e Encoding) String() string {
	if e == GSM7 {
		return "gsm7"
	}
	return "ucs2"
}

// What one part holds, in septets or UTF-16 units: alone, and as one of several,
// after the 6 octets of a concatenation header (3GPP TS 23.040, 9.2.3.24.1).
const (
	gsmAlone, gsmJoined = 160, 153
	ucsAlone, ucsJoined = 70, 67
)

// size is how much of a part a character takes.
func (e Encoding) size(r rune) int {
	if e == UCS2 {
		return max(1, utf16.RuneLen(r))
	}
	return gsm7[r]
}

// Of returns the encoding that a text needs.
func Of(text string) Encoding {
	for _, r := range text {
		if gsm7[r] == 0 {
			return UCS2
		}
	}
	return GSM7
}

// Split returns a text as the parts in which it goes out, which joined are the
// text again. A grapheme is cut only where it is longer than a part.
func Split(text string) (Encoding, []string) {
	enc := Of(text)
	return enc, enc.Split(text)
}

// Parts is in how many parts a text goes out, which is how often it is paid for.
func Parts(text string) int {
	_, parts := Split(text)
	return len(parts)
}

// length is the size of a text in the unit of the encoding.
func (e Encoding) length(text string) (n int) {
	for _, r := range text {
		n += e.size(r)
	}
	return n
}

// cut fills parts of at most limit with whole graphemes.
func (e Encoding) cut(text string, limit int) (parts []string) {
	start, end, held := 0, 0, 0
	flush := func() {
		if end > start {
			parts = append(parts, text[start:end])
		}
		start, held = end, 0
	}
	for rest, state := text, -1; rest != ""; {
		var cluster string
		cluster, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		n := e.length(cluster)
		if held+n > limit {
			flush()
		}
		if n <= limit {
			end, held = end+len(cluster), held+n
			continue
		}
		for i, r := range cluster { // longer than a part
			if held+e.size(r) > limit {
				flush()
			}
			held += e.size(r)
			end += width(cluster[i:])
		}
	}
	flush()
	return parts
}

// width is how many bytes the first character of s has, also where it is no
// UTF-8.
func width(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// Longest is the longest text, in UTF-16 units, that most parts hold behind a
// signature: bots.Caps.MaxText. Graphemes that would be cut may make it one part
// more; never are there more than twice as many.
func Longest(most int, signature string) int {
	room := most * ucsJoined
	if most == 1 {
		room = ucsAlone
	}
	return room - UCS2.length(Signed(signature, ""))
}

// Signed puts a signature before a text, as the mainland asks of texts from
// services (source: Ministry of Industry and Information Technology, provisions
// on short message services of 2015, and the rules of the carriers); without one
// the text stays as it is.
func Signed(signature, text string) string {
	if signature == "" {
		return text
	}
	return "【" + signature + "】" + text
}

// filler is what phones do not show: a space of no width.
const filler = "\u200b"

// Fill is the text for carriers that cut UCS-2 texts themselves, every 67 units
// and through whatever stands there: where a grapheme would be cut, fillers move
// it to the next part, so that their parts are those of Split.
func Fill(text string) string {
	enc, parts := Split(text)
	if enc == GSM7 || len(parts) < 2 {
		return text
	}
	var out strings.Builder
	for _, part := range parts[:len(parts)-1] {
		out.WriteString(part)
		out.WriteString(strings.Repeat(filler, ucsJoined-enc.length(part)))
	}
	out.WriteString(parts[len(parts)-1])
	return out.String()
}

// Charged is how many parts a carrier charges that counts a signed text by its
// UTF-16 units alone, whatever alphabet it goes out in: the Chinese clouds
// (source: Aliyun and Tencent Cloud, how the length of a text is counted).
func Charged(text string) int {
	n := UCS2.length(text)
	if n <= ucsAlone {
		return min(n, 1)
	}
	return (n + ucsJoined - 1) / ucsJoined
}
