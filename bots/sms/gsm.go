package sms

// The default alphabet of 3GPP TS 23.038, table 6.2.1, and its extension
// table, 6.2.1.1, whose characters are sent behind an escape.
const (
	gsmDefault = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtension = "\f^{}\\[~]|€"
)

// gsm7 says how many septets a character takes, 0 where the alphabet lacks it.
var gsm7 = func() map[rune]int {
	size := map[rune]int{}
	for _, r := range gsmDefault {
		size[r] = 1
	}
	for _, r := range gsmExtension {
		size[r] = 2
	}
	return size
}()
