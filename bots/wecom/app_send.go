package wecom

import (
	"context"
	"errors"
	"hash/crc32"
	"strings"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/weixin"
)

// letter is the body of message/send.
type letter struct {
	To     string `json:"touser"`
	Type   string `json:"msgtype"`
	Agent  int    `json:"agentid"`
	Text   *words `json:"text,omitempty"`
	Image  *media `json:"image,omitempty"`
	Card   *card  `json:"template_card,omitempty"`
	Check  int    `json:"enable_duplicate_check"`
	Within int    `json:"duplicate_check_interval"` // seconds
}

type words struct {
	Content string `json:"content"`
}

type media struct {
	ID string `json:"media_id"`
}

// card is a template card of type button_interaction.
type card struct {
	Type    string   `json:"card_type"`
	Title   title    `json:"main_title"`
	Body    string   `json:"sub_title_text,omitempty"`
	Task    string   `json:"task_id"`
	Buttons []button `json:"button_list"`
}

type title struct {
	Title string `json:"title"`
}

type button struct {
	Text  string `json:"text"`
	Style int    `json:"style"`
	Key   string `json:"key"`
}

// cardType has buttons that tell us that they were tapped, plainStyle is their
// look.
const (
	cardType   = "button_interaction"
	plainStyle = 1
)

// Send sends a photo, words and buttons, each where there is one. What is behind
// several calls stands in the package's description.
func (a *App) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if err := a.refuse(to, m, a.Caps()); err != nil {
		return bots.Receipt{}, err
	}
	ctx = weixin.Owning(ctx)
	letters, err := a.letters(ctx, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	var receipt bots.Receipt
	for _, l := range letters {
		l.To, l.Agent, l.Check, l.Within = string(to.Chat), a.cfg.AgentID, 1, within(a.cfg.Limits.App.SameWithin, m.Key)
		if receipt, err = a.post(ctx, l); err != nil {
			return bots.Receipt{}, err
		}
	}
	return receipt, nil
}

// letters are the calls that a message takes.
func (a *App) letters(ctx context.Context, m bots.Message) ([]letter, error) {
	var out []letter
	if m.Photo != nil {
		id, err := a.photo(ctx, *m.Photo)
		if err != nil {
			return nil, err
		}
		out = append(out, letter{Type: "image", Image: &media{id}})
	}
	if len(m.Choices) == 0 {
		if m.Text != "" {
			out = append(out, letter{Type: "text", Text: &words{weixin.Unlinked(m.Text)}})
		}
		return out, nil
	}
	task, err := a.name(ctx, m.Key)
	if err != nil {
		return nil, err
	}
	c := card{Type: cardType, Task: task}
	for i, choice := range m.Choices {
		c.Buttons = append(c.Buttons, button{choice.Label, plainStyle, buttonKey(i, choice.Data)})
	}
	var fits bool
	if c.Title.Title, c.Body, fits = a.cfg.Limits.App.layout(m.Text); !fits {
		out = append(out, letter{Type: "text", Text: &words{weixin.Unlinked(m.Text)}})
	}
	return append(out, letter{Type: "template_card", Card: &c}), nil
}

// layout puts a text on a card: its first line as the title and the rest below,
// or all of it below. Where neither fits, the card only points up.
func (l AppLimits) layout(text string) (title, body string, fits bool) {
	head, rest, _ := strings.Cut(text, "\n")
	switch {
	case strings.TrimSpace(head) != "" && utf8.RuneCountInString(head) <= l.CardTitle && utf8.RuneCountInString(rest) <= l.CardBody:
		return head, rest, true
	case utf8.RuneCountInString(text) <= l.CardBody:
		return l.CardSays, text, true
	}
	return l.CardSays, "", false
}

// within is for how many seconds WeCom swallows a copy of a message: of requests
// that are the same. It is made of the key, so that the same words under another
// key are another request.
func within(least time.Duration, key string) int {
	seconds := int(least / time.Second)
	return seconds + int(crc32.ChecksumIEEE([]byte(key))%uint32(4*seconds))
}

// post makes one call.
func (a *App) post(ctx context.Context, l letter) (bots.Receipt, error) {
	var got struct {
		ID         string `json:"msgid"`
		Invalid    string `json:"invaliduser"`
		Unlicensed string `json:"unlicenseduser"`
	}
	err := a.client.Post(ctx, "/cgi-bin/message/send", l, &got)
	switch {
	case l.Card != nil && refusedBy(err, codeSameTask): // an earlier try, whose answer was lost
		return bots.Receipt{ID: l.Card.Task}, nil
	case err != nil:
		return bots.Receipt{}, err
	case got.Invalid != "":
		return bots.Receipt{}, &bots.Error{Class: bots.ClassGone, Err: errors.New("the member is not in the application's visible range")}
	case got.Unlicensed != "":
		return bots.Receipt{}, &bots.Error{Class: bots.ClassGone, Err: errors.New("the member has no licence for interfaces")}
	case l.Card != nil:
		return bots.Receipt{ID: l.Card.Task}, nil
	case got.ID == "":
		return bots.Receipt{}, &bots.Error{Class: bots.ClassUnknown, Err: errors.New("an answer without an id")}
	}
	return bots.Receipt{ID: got.ID}, nil
}
