package sms

import "strings"

// escape leads to the extension table.
const escape = 0x1B

// gsmCodes are the values of the characters in table 6.2.1, and those of table
// 6.2.1.1 plus 0x80.
var gsmCodes = func() map[rune]byte {
	codes := map[rune]byte{}
	for i, r := range []rune(gsmDefault) {
		if i >= escape {
			i++
		}
		codes[r] = byte(i)
	}
	for i, r := range []rune(gsmExtension) {
		codes[r] = 0x80 | [...]byte{0x0A, 0x14, 0x28, 0x29, 0x2F, 0x3C, 0x3D, 0x3E, 0x40, 0x65}[i]
	}
	return codes
}()

var gsmRunes = func() map[byte]rune {
	runes := map[byte]rune{}
	for r, code := range gsmCodes {
		runes[code] = r
	}
	return runes
}()

// Septets writes a text in the default alphabet, one septet in each byte. What
// the alphabet lacks becomes a question mark; Of says whether there is such.
func Septets(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		code, ok := gsmCodes[r]
		switch {
		case !ok:
			out = append(out, '?')
		case code&0x80 != 0:
			out = append(out, escape, code&0x7F)
		default:
			out = append(out, code)
		}
	}
	return out
}

// FromSeptets reads septets that stand one in each byte. As 6.2.1.1 asks, an
// escape before a value that the extension table lacks shows that value of the
// main table; an escape at the end is a space.
func FromSeptets(in []byte) string {
	var out strings.Builder
	for i := 0; i < len(in); i++ {
		code := in[i] & 0x7F
		if code == escape {
			if i++; i == len(in) {
				out.WriteByte(' ')
				break
			}
			if r, ok := gsmRunes[0x80|in[i]&0x7F]; ok {
				out.WriteRune(r)
				continue
			}
			code = in[i] & 0x7F
		}
		if r, ok := gsmRunes[code]; ok {
			out.WriteRune(r)
		} else {
			out.WriteByte(' ') // a second escape is reserved
		}
	}
	return out.String()
}

// Split returns a text as the parts in which it goes out in this encoding. For
// GSM7 all of it must be in that alphabet (Of).
func (e Encoding) Split(text string) []string {
	alone, joined := gsmAlone, gsmJoined
	if e == UCS2 {
		alone, joined = ucsAlone, ucsJoined
	}
	switch {
	case text == "":
		return nil
	case e.length(text) <= alone:
		return []string{text}
	}
	return e.cut(text, joined)
}

// Units is the length of a text in UTF-16 units, as bots.UTF16 counts.
func Units(text string) int { return UCS2.length(text) }
