package officialaccount

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
)

// Send says m to a user: plain words as the answer to a push that still waits,
// everything else as customer messages.
//
// Words under a photo are a message of their own, behind it, and what comes of
// them is what comes of the send: a second try shows the photo again, which costs
// less than words that are missing.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	text, err := c.check(to, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	ctx = weixin.Owning(ctx)
	done := bots.Receipt{ID: receiptMark + m.Key}
	if m.Photo == nil && len(m.Choices) == 0 && fitsXML(text) {
		if err := c.answers.give(ctx, to.Chat, text); !errors.Is(err, errNotWritten) {
			return received(done, err)
		}
	} else {
		c.answers.dismiss(to.Chat)
	}
	done.Took = 1
	if m.Photo != nil {
		if err := c.sendPhoto(ctx, to.Chat, *m.Photo); err != nil || text == "" && len(m.Choices) == 0 {
			return received(done, err)
		}
		done.Took = 2
	}
	body := customer{To: to.Chat, Type: "text", Text: &content{text}}
	if len(m.Choices) > 0 {
		body = customer{To: to.Chat, Type: "msgmenu", Menu: newMenu(text, m.Choices)}
	}
	return received(done, c.say(ctx, body))
}

// receiptMark stands before the key of what WeChat gave no id.
const receiptMark = "kf:"

func received(r bots.Receipt, err error) (bots.Receipt, error) {
	if err != nil {
		return bots.Receipt{}, err
	}
	return r, nil
}

// customer is a customer message. Source: the page sendCustomMessage.
type customer struct {
	To    bots.ChatID `json:"touser"`
	Type  string      `json:"msgtype"`
	Text  *content    `json:"text,omitempty"`
	Image *image      `json:"image,omitempty"`
	Menu  *menu       `json:"msgmenu,omitempty"`
}

type content struct {
	Content string `json:"content"`
}

type image struct {
	ID string `json:"media_id"`
}

type menu struct {
	Head string `json:"head_content"`
	List []item `json:"list"`
	Tail string `json:"tail_content"`
}

type item struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

func newMenu(head string, choices []bots.Choice) *menu {
	m := &menu{Head: head}
	for _, c := range choices {
		m.List = append(m.List, item{c.Data, weixin.Unlinked(c.Label)})
	}
	return m
}

// say makes the call that users see something of.
func (c *Channel) say(ctx context.Context, m customer) error {
	return c.client.Post(ctx, "/cgi-bin/message/custom/send", m, nil)
}

func (c *Channel) sendPhoto(ctx context.Context, chat bots.ChatID, p bots.Photo) error {
	id, err := c.client.Upload(ctx, "/cgi-bin/media/upload", p)
	if err != nil {
		return err
	}
	return c.say(ctx, customer{To: chat, Type: "image", Image: &image{id}})
}

// check refuses what Caps denies, and returns the words as they are sent.
func (c *Channel) check(to bots.Address, m bots.Message) (string, error) {
	l := c.cfg.Limits
	text := weixin.Unlinked(m.Text)
	switch {
	case to.Channel != c.cfg.ID:
		return "", wire.Refuse("the address belongs to another channel")
	case !openID.MatchString(string(to.Chat)):
		return "", wire.Refuse("the address has no openid")
	case m.Photo == nil && strings.TrimSpace(m.Text) == "":
		return "", wire.Refuse("a message needs words or a photo")
	case !utf8.ValidString(m.Text) || len(text) > l.MaxText:
		return "", wire.Refuse("text is not UTF-8 or longer than %d bytes", l.MaxText)
	case len(m.Choices) > l.MaxChoices:
		return "", wire.Refuse("%d choices, at most %d", len(m.Choices), l.MaxChoices)
	case m.Photo != nil && (len(m.Photo.Data) == 0 || len(m.Photo.Data) > l.MaxPhotoOut):
		return "", wire.Refuse("photo of %d bytes, at most %d", len(m.Photo.Data), l.MaxPhotoOut)
	}
	for _, ch := range m.Choices {
		if strings.TrimSpace(ch.Label) == "" || !utf8.ValidString(ch.Label) || ch.Data == "" || len(ch.Data) > l.ChoiceBytes {
			return "", wire.Refuse("a choice needs a label and 1 to %d bytes of data", l.ChoiceBytes)
		}
	}
	return text, nil
}
