package weixin

import "regexp"

// link is how Tencent's clients begin a link inside of a text.
var link = regexp.MustCompile(`(?i)<(/?a[\s>])`)

// Unlinked takes the markup off a text: the clients show <a href="…"> as a link,
// so whoever writes one into a report could send staff anywhere. Nothing else in
// a text is markup. The length stays.
func Unlinked(text string) string { return link.ReplaceAllString(text, "[$1") }
