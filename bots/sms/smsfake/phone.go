package smsfake

import (
	"strings"
	"unicode/utf16"
)

// UCS2 is a text as a carrier sends it that cuts every 67 units, and as a phone
// shows it that decodes each part by itself: half a character is a white
// question mark, a space of no width is nothing.
func UCS2(text string) (shown string, parts int) {
	units := utf16.Encode([]rune(text))
	limit := 67
	if len(units) <= 70 {
		limit = 70
	}
	var out strings.Builder
	for len(units) > 0 {
		part := units[:min(limit, len(units))]
		units = units[len(part):]
		out.WriteString(string(utf16.Decode(part)))
		parts++
	}
	return strings.ReplaceAll(out.String(), "\u200b", ""), parts
}

// GSM7 is a text in the default alphabet as a carrier sends it; an escape and
// what it escapes stay together.
func GSM7(text string) (shown string, parts int) {
	septets := func(r rune) int {
		if strings.ContainsRune("\f^{}\\[~]|€", r) {
			return 2
		}
		return 1
	}
	total := 0
	for _, r := range text {
		total += septets(r)
	}
	limit := 153
	if total <= 160 {
		limit = 160
	}
	held := limit
	for _, r := range text {
		if held+septets(r) > limit {
			parts, held = parts+1, 0
		}
		held += septets(r)
	}
	return text, parts
}
