package telegramfake

import (
	"errors"
	"fmt"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxButtons = 100
	maxData    = 64
)

// shown is a text of the bot as users see it, or why Telegram refuses it.
func shown(p params, field string, limit int, empty, long string) (string, error) {
	text := p.values[field]
	if !utf8.ValidString(text) {
		return "", errors.New("strings must be encoded in UTF-8")
	}
	text, err := parsed(clean(text), p.values["parse_mode"])
	if err != nil {
		return "", fmt.Errorf("can't parse entities: %w", err)
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "" && empty != "":
		return "", errors.New(empty)
	case units(text) > limit:
		return "", errors.New(long)
	}
	return text, nil
}

// clean takes out what Telegram takes out of every text: carriage returns,
// control characters, and the marks that turn or break lines.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r' || r >= 0x2028 && r <= 0x202e:
			return -1
		case r < ' ' && r != '\n' || r == 0x7f:
			return ' '
		}
		return r
	}, text)
}

// keyboard reads an inline keyboard and refuses what Telegram refuses.
func keyboard(p params) ([][]Button, error) {
	var markup struct {
		Rows [][]Button `json:"inline_keyboard"`
	}
	if err := p.into("reply_markup", &markup); err != nil {
		return nil, err
	}
	total := 0
	for _, row := range markup.Rows {
		for _, b := range row {
			total++
			switch {
			case strings.TrimSpace(b.Label) == "":
				return nil, errors.New("can't parse inline keyboard button: text must be non-empty")
			case b.Data == "" || len(b.Data) > maxData:
				return nil, errors.New("BUTTON_DATA_INVALID")
			}
		}
	}
	if total > maxButtons {
		return nil, errors.New("reply markup is too long")
	}
	return markup.Rows, nil
}

var (
	tag      = regexp.MustCompile(`</?([a-zA-Z0-9-]*)[^<>]*>`)
	known    = map[string]bool{"b": true, "strong": true, "i": true, "em": true, "u": true, "s": true, "a": true, "code": true, "pre": true, "blockquote": true, "tg-spoiler": true}
	reserved = "_*[]()~`>#+-=|{}.!"
)

// parsed reads markup when the bot asked for it. A bot that sends the words of
// users with a parse mode is found out here: the rules are those that plain
// words break most easily.
func parsed(text, mode string) (string, error) {
	switch strings.ToLower(mode) {
	case "":
		return text, nil
	case "html":
		return parsedHTML(text)
	case "markdownv2":
		return parsedMarkdown(text)
	case "markdown":
		for _, mark := range []string{"_", "*", "`"} {
			if strings.Count(text, mark)%2 != 0 {
				return "", fmt.Errorf("can't find end of the entity starting at byte offset %d", strings.LastIndex(text, mark))
			}
		}
		return text, nil
	}
	return "", errors.New("unsupported parse_mode")
}

func parsedHTML(text string) (string, error) {
	var open []string
	for _, at := range tag.FindAllStringSubmatchIndex(text, -1) {
		name := strings.ToLower(text[at[2]:at[3]])
		closing := strings.HasPrefix(text[at[0]:], "</")
		switch {
		case !closing && !known[name]:
			return "", fmt.Errorf("unsupported start tag %q at byte offset %d", name, at[0])
		case !closing:
			open = append(open, name)
		case len(open) == 0 || open[len(open)-1] != name:
			return "", fmt.Errorf("unexpected end tag at byte offset %d", at[0])
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		return "", fmt.Errorf("can't find end tag corresponding to start tag %s", open[len(open)-1])
	}
	text = tag.ReplaceAllString(text, "")
	if at := strings.Index(text, "<"); at >= 0 {
		return "", fmt.Errorf("unclosed start tag at byte offset %d", at)
	}
	return html.UnescapeString(text), nil
}

func parsedMarkdown(text string) (string, error) {
	var out strings.Builder
	escaped := false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
			out.WriteRune(r)
		case r == '\\':
			escaped = true
		case strings.ContainsRune(reserved, r):
			return "", fmt.Errorf("character '%c' is reserved and must be escaped with the preceding '\\' (byte offset %d)", r, i)
		default:
			out.WriteRune(r)
		}
	}
	return out.String(), nil
}
