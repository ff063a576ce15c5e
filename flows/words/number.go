package words

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Number reads the one number of an answer: 3, 三个, 大概12天, 一百零五. ok is
// false when there is none, several, a fraction, or one above 999,999,999.
func (l *Lexicon) Number(answer string) (int, bool) {
	n := Normalize(answer)
	value, count := 0, 0
	for rest := n; rest != ""; {
		v, size := numeral(rest)
		if size == 0 {
			_, size = utf8.DecodeRuneInString(rest)
			rest = rest[size:]
			continue
		}
		if v < 0 || strings.HasPrefix(rest[size:], ".") && startsWithNumeral(rest[size+1:]) {
			return 0, false
		}
		value, rest = v, rest[size:]
		count++
	}
	if count != 1 {
		return 0, false
	}
	return value, true
}

// byNumber reads an answer that picks an option by its number: 1, 选2, 第一个,
// 1 满意, "1，就是慢了点".
func (l *Lexicon) byNumber(b string, terms []term, options int) (int, Found) {
	n, rest, ok := l.pick(b)
	if !ok || n < 1 || n > options {
		return -1, None
	}
	n--
	if rest == "" {
		return n, Exact
	}
	said := l.bare(strings.TrimFunc(rest, outer))
	if said == "" {
		return n, Exact
	}
	if i, f := exact(said, terms); f == Exact {
		if i == n {
			return n, Exact
		}
		return -1, Ambiguous
	}
	first, _ := utf8.DecodeRuneInString(rest)
	if !outer(first) || startsWithAny(said, l.file.Measures) {
		return -1, None
	}
	if startsWithNumeral(said) {
		return -1, Ambiguous
	}
	switch i, f := l.inside(said, terms); {
	case f == Ambiguous, f == Inside && i != n:
		return -1, Ambiguous
	}
	return n, Inside
}

// pick cuts a leading number off, with the words that go round one (选, 第,
// 个). rest begins with what follows it.
func (l *Lexicon) pick(b string) (n int, rest string, ok bool) {
	rest = b
	for cut := true; cut; {
		cut = false
		for _, w := range l.file.Picks {
			if r, found := strings.CutPrefix(rest, w); found {
				rest, cut = strings.TrimLeft(r, " :"), true
			}
		}
	}
	n, size := numeral(rest)
	if size == 0 || n < 0 {
		return 0, "", false
	}
	rest = rest[size:]
	if strings.HasPrefix(rest, ".") && startsWithNumeral(rest[1:]) {
		return 0, "", false
	}
	if slices.Contains(l.file.Ordinals, rest) {
		rest = ""
	}
	return n, rest, true
}

func startsWithAny(s string, list []string) bool {
	for _, w := range list {
		if strings.HasPrefix(s, w) {
			return true
		}
	}
	return false
}

func startsWithNumeral(s string) bool {
	_, size := numeral(s)
	return size > 0
}

// digits and units of Chinese numerals; 两 and 俩 count things.
var (
	chineseDigits = map[rune]int{
		'零': 0, '〇': 0, '一': 1, '二': 2, '两': 2, '俩': 2, '三': 3, '四': 4, '五': 5, '六': 6, '七': 7, '八': 8, '九': 9,
		'壹': 1, '贰': 2, '叁': 3, '肆': 4, '伍': 5, '陆': 6, '柒': 7, '捌': 8, '玖': 9,
	}
	chineseUnits = map[rune]int{'十': 10, '拾': 10, '百': 100, '佰': 100, '千': 1000, '仟': 1000}
)

// tenThousand 万 multiplies all before it; maxNumber keeps sums far from
// overflow.
const (
	tenThousand = 10_000
	maxNumber   = 999_999_999
)

// numeral reads the number at the start of s, in digits or Chinese, and how
// many bytes it takes; value is -1 when it is too large, size 0 when there is
// none.
func numeral(s string) (value, size int) {
	for size < len(s) && s[size] >= '0' && s[size] <= '9' {
		value = min(value*10+int(s[size]-'0'), math.MaxInt32)
		size++
	}
	if size == 0 {
		value, size = chineseNumeral(s)
	} else if strings.HasPrefix(s[size:], "万") {
		value, size = value*tenThousand, size+len("万")
	}
	if value > maxNumber {
		return -1, size
	}
	return value, size
}

func chineseNumeral(s string) (value, size int) {
	const top = maxNumber + 1
	total, section, digit := 0, 0, -1
	for i, r := range s {
		d, isDigit := chineseDigits[r]
		unit, isUnit := chineseUnits[r]
		switch {
		case isDigit && digit > 0: // spoken digit by digit: 一二三
			digit = min(digit*10+d, top)
		case isDigit:
			digit = d
		case isUnit:
			if digit < 0 {
				digit = 1 // 十二
			}
			section, digit = min(section+digit*unit, top), -1
		case r == '万' && i > 0:
			total, section, digit = min((total+section+max(digit, 0))*tenThousand, top), 0, -1
		default:
			return min(total+section+max(digit, 0), top), size
		}
		size = i + utf8.RuneLen(r)
	}
	return min(total+section+max(digit, 0), top), size
}
