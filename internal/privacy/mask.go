package privacy

import (
	"regexp"
	"strings"
	"unicode"
)

// MaskPhone shows a phone number as GB/T 35273 7.2 asks of screens: of eleven
// or more digits the first three and last four ("138****5678"), of a shorter
// number the last two. What is no number becomes "****". A leading +86 and
// separators are left out.
func MaskPhone(phone string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, phone)
	if len(digits) == 13 && strings.HasPrefix(digits, "86") {
		digits = digits[2:]
	}
	switch {
	case len(digits) >= 11:
		return digits[:3] + "****" + digits[len(digits)-4:]
	case len(digits) >= 7:
		return "****" + digits[len(digits)-2:]
	}
	return "****"
}

// MaskName shows the first character and one star for each other, two at most:
// "张*", "欧**". Longer names do not tell their length.
func MaskName(name string) string {
	runes := []rune(strings.TrimSpace(name))
	if len(runes) == 0 {
		return ""
	}
	if len(runes) == 1 {
		return "*"
	}
	return string(runes[0]) + strings.Repeat("*", min(len(runes)-1, 2))
}

var (
	// A building is a number or letter and its word; what follows is a flat.
	building = regexp.MustCompile(`(?:[0-9０-９一二三四五六七八九十百]+|[A-Za-zＡ-Ｚａ-ｚ])(?:号楼|栋|幢|座)`)
	// Where no building is named, the last of these still names many people.
	neighbourhood = regexp.MustCompile(`.*(?:小区|社区|花园|家园|公寓|村|镇|乡|街道|大道|路|街|巷|弄)`)
)

// MaskAddress shows an address down to the building, "昌盛小区3栋***"; without
// a building down to the estate, village or street; and of anything else only
// the first three characters.
func MaskAddress(address string) string {
	address = strings.TrimSpace(address)
	if address == "" {
		return ""
	}
	shown := ""
	if at := building.FindStringIndex(address); at != nil {
		shown = address[:at[1]]
	} else if at := neighbourhood.FindStringIndex(untilDigit(address)); at != nil {
		shown = address[:at[1]]
	} else if runes := []rune(address); len(runes) > 3 {
		shown = string(runes[:3])
	}
	if shown == address {
		return address
	}
	return shown + "***"
}

// untilDigit returns what stands before the first number, because a house
// number and all behind it is a household.
func untilDigit(s string) string {
	if i := strings.IndexFunc(s, unicode.IsDigit); i >= 0 {
		return s[:i]
	}
	return s
}
