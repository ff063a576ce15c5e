package privacy

import (
	"regexp"
	"strings"
	"unicode"
)

// A scrubRule replaces one shape of personal data or secret. The first group,
// where a pattern has one, is kept: it is the boundary or the name before it.
type scrubRule struct {
	pattern *regexp.Regexp
	with    string
}

// scrubRules run in this order: what contains another shape stands before it.
var scrubRules = []scrubRule{
	{regexp.MustCompile(`(://)[^/\s@]+@`), "${1}[secret]@"}, // user:password in a URL
	{regexp.MustCompile(`(?i)((?:token|secret|password|passwd|pwd|sign|signature|apikey|api_key|access_key|authorization|code|nonce)["']?\s*[=:]\s*["']?)[^\s"'&,;}]+`), "${1}[secret]"}, // key=value
	{regexp.MustCompile(`(?i)(bearer\s+)\S+`), "${1}[secret]"},
	{regexp.MustCompile(`\d{6,12}:[A-Za-z0-9_-]{30,}`), "[secret]"},                              // Telegram bot token
	{regexp.MustCompile(`[A-Za-z0-9_+/-]{40,}={0,2}`), "[secret]"},                               // long base64 or hex
	{regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+`), "[email]"},                                  //
	{regexp.MustCompile(`(^|[^0-9])[1-9]\d{16}[\dXx]`), "${1}[id]"},                              // GB 11643-1999: 17 digits and a check character
	{regexp.MustCompile(`(^|[^0-9])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}`), "${1}[phone]"}, // mobile: 11 digits, 13x to 19x
	{regexp.MustCompile(`(^|[^0-9])0\d{2,3}[ -]\d{7,8}`), "${1}[phone]"},                         // fixed line with its area code
	{regexp.MustCompile(`\p{Han}(?:[\p{Han}\p{P}\d]*\p{Han})+`), "[text]"},                       // logs are English: Chinese is a name or somebody's words
}

// Scrub takes out of a text what a log must not hold: phone and identity
// numbers, e-mail addresses, secrets, and every run of Chinese, which in an
// English log is a name, an address or somebody's words. Control and direction
// characters become spaces. Full-width digits are read as digits. It errs on
// the side of taking too much.
func Scrub(s string) string {
	s = strings.Map(plainRune, s)
	for _, rule := range scrubRules {
		s = rule.pattern.ReplaceAllString(s, rule.with)
	}
	return s
}

// plainRune folds full-width ASCII and takes out what steers a terminal.
func plainRune(r rune) rune {
	switch {
	case r >= '！' && r <= '～':
		return r - '！' + '!'
	case r == '\n' || r == '\t':
		return r // JSON escapes them, and a stack trace needs them
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
		return ' '
	}
	return r
}
