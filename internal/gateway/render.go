package gateway

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/rivo/uniseg"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres/db"
)

// render turns an outbox row into the messages that its channel can show:
// text in the language of the reader, buttons or a numbered list, split at
// grapheme ends where it is too long.
func (g *Gateway) render(row db.ClaimOutboxRow, caps bots.Caps) ([]bots.Message, saidParams, error) {
	p, err := g.openSaid(row)
	if err != nil {
		return nil, p, err
	}
	tmpl, err := g.Library.Template(row.Source, row.TextKey, int(row.TextVersion), row.Lang)
	if err != nil {
		return nil, p, err
	}
	text, err := flows.Render(tmpl, p.Params)
	if err != nil {
		return nil, p, fmt.Errorf("render %s: %w", row.TextKey, err)
	}
	if p.To != "" {
		if text, err = g.Library.Text("group.to", row.Lang, map[string]string{"name": p.To, "text": text}); err != nil {
			return nil, p, err
		}
	}
	var choices []bots.Choice
	switch {
	case caps.SendOnly: // there is nobody to answer
	case caps.Choices < len(p.Options):
		text = numbered(text, p.Options)
	default:
		bind := bindOf(row)
		for i, o := range p.Options {
			data := g.button(bind, row.QuestionTurn, row.PromptID, i, o.Value, row.At)
			choices = append(choices, bots.Choice{Label: o.Label, Data: data})
		}
	}
	parts := split(text, caps.MaxText, caps.TextUnit)
	messages := make([]bots.Message, len(parts))
	for i, part := range parts {
		messages[i] = bots.Message{Key: messageKey(row.ID, strconv.Itoa(i)), Text: part}
		if caps.Extensions > 0 {
			messages[i].Extension = row.Extension
		}
	}
	if len(messages) == 1 { // no template says half a text
		messages[0].Template = templateOf(row, p)
	}
	last := &messages[len(messages)-1]
	last.Choices = choices
	return messages, p, nil
}

// templateOf names the text of a row, with its values.
func templateOf(row db.ClaimOutboxRow, p saidParams) bots.Template {
	return bots.Template{Source: row.Source, Key: row.TextKey, Params: p.Params}
}

// bindOf is what the buttons of a row are bound to.
func bindOf(row db.ClaimOutboxRow) string {
	switch channel := bots.ChannelID(row.Channel); {
	case row.IsGroup:
		return groupBind(channel, "", row.ConversationID)
	case row.InGroup:
		return groupBind(channel, bots.UserID(row.UserID), row.ConversationID)
	default:
		return buttonBind(channel, bots.UserID(row.UserID))
	}
}

// short renders what is said where a message cannot be changed, nil for
// nothing.
func (g *Gateway) short(row db.ClaimOutboxRow, caps bots.Caps) ([]bots.Message, error) {
	p, err := g.openSaid(row)
	if err != nil {
		return nil, err
	}
	if p.Short == "" {
		return nil, nil
	}
	text, err := g.Library.Text(p.Short, row.Lang, p.Params)
	if err != nil {
		return nil, err
	}
	var messages []bots.Message
	for i, part := range split(text, caps.MaxText, caps.TextUnit) {
		messages = append(messages, bots.Message{Key: messageKey(row.ID, "s"+strconv.Itoa(i)), Text: part})
	}
	return messages, nil
}

// numbered writes choices as a list to be answered by number.
func numbered(text string, choices []flows.Option) string {
	var b strings.Builder
	b.WriteString(text)
	for i, c := range choices {
		fmt.Fprintf(&b, "\n%d %s", i+1, c.Label)
	}
	return b.String()
}

// split cuts text into parts of at most limit units, never inside a grapheme
// and, where it can, after a line end or a full stop. At least one part comes
// back, also for an empty text. limit 0 means no limit.
func split(text string, limit int, unit bots.TextUnit) []string {
	if limit <= 0 || size(text, unit) <= limit {
		return []string{text}
	}
	var parts []string
	var part strings.Builder
	used, breakAt := 0, 0
	flush := func(at int) {
		s := part.String()
		parts = append(parts, s[:at])
		part.Reset()
		part.WriteString(s[at:])
		used, breakAt = size(s[at:], unit), 0
	}
	for graphemes := uniseg.NewGraphemes(text); graphemes.Next(); {
		c := graphemes.Str()
		n := size(c, unit)
		for used+n > limit && part.Len() > 0 {
			if breakAt == 0 {
				breakAt = part.Len()
			}
			flush(breakAt)
		}
		part.WriteString(c)
		used += n
		if strings.ContainsAny(c, "\n。！？；") {
			breakAt = part.Len()
		}
	}
	if part.Len() > 0 {
		parts = append(parts, part.String())
	}
	return parts
}

// size measures s in units.
func size(s string, unit bots.TextUnit) int {
	switch unit {
	case bots.Bytes:
		return len(s)
	case bots.UTF16:
		return len(utf16.Encode([]rune(s)))
	default:
		return len([]rune(s))
	}
}

// backoff is how long a temporary failure waits: 2, 4, 8 … at most 300 s.
func backoff(tries int32) time.Duration {
	return time.Duration(min(1<<min(tries, 9), 300)) * time.Second
}
