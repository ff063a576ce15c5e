package privacy

import "regexp"

// wordRules take out of a sentence what points at one person or household. The
// first group, where a pattern has one, is kept.
var wordRules = []scrubRule{
	{regexp.MustCompile(`(^|[^0-9])[1-9]\d{16}[\dXx]`), "${1}***"},                                           // identity number, GB 11643-1999
	{regexp.MustCompile(`(^|[^0-9])(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}`), "${1}***"},                 // mobile
	{regexp.MustCompile(`(^|[^0-9])0\d{2,3}[ -]?[2-9]\d{6,7}`), "${1}***"},                                   // fixed line with its area code
	{regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+`), "***"},                                                  // e-mail
	{regexp.MustCompile(`((?:号楼|栋|幢|座)[ ,，、]?)(?:[一二三四五六七八九十0-9A-Za-z]+单元)?[ ,，、]?[0-9]{3,4}室?`), "${1}***"}, // 3栋2单元501
	{regexp.MustCompile(`(单元[ ,，、]?)[0-9]{3,4}室?`), "${1}***"},                                               // 2单元501
	{regexp.MustCompile(`[0-9]{3,4}(室)`), "***${1}"},                                                         // 501室
	{regexp.MustCompile(`(^|[^0-9])[0-9]{1,3}[-－—][0-9]{1,2}[-－—][0-9]{3,4}`), "${1}***"},                    // 3-2-501
	{regexp.MustCompile(`((?:我叫|我名叫|姓名|联系人)[是为:： ]?)\p{Han}{2,4}`), "${1}***"},                               // 我叫张三
}

// MaskWords takes phone and identity numbers, flats and names that the speaker
// gives out of what somebody wrote, for where others read along. The rest of the
// sentence stays, because it says what is wrong. Full-width digits are read as
// digits.
func MaskWords(said string) string {
	said = foldDigits(said)
	for _, rule := range wordRules {
		said = rule.pattern.ReplaceAllString(said, rule.with)
	}
	return said
}

// foldDigits writes full-width digits as plain ones and leaves all else.
func foldDigits(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r >= '０' && r <= '９' {
			out[i] = r - '０' + '0'
		}
	}
	return string(out)
}
