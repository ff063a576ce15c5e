package officialaccount

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
)

// HasNotice reports whether the account has an approved template for a text.
func (c *Channel) HasNotice(t bots.Template) bool {
	_, ok := bots.FindTemplate(c.cfg.Notices, t)
	return ok && t.Name() != ""
}

// value is what stands in a field of a notice.
type value struct {
	Value string `json:"value"`
}

// notice is the call of both kinds. Sources: the pages sendNewSubscribeMsg and
// sendTemplateMessage.
type notice struct {
	To   bots.ChatID      `json:"touser"`
	ID   string           `json:"template_id"`
	Page string           `json:"page,omitempty"` // subscribe
	URL  string           `json:"url,omitempty"`  // template
	Data map[string]value `json:"data"`
	// Once makes WeChat send a template once in 10 minutes, however often it is
	// asked; notices that were subscribed to have no such key.
	Once string `json:"client_msg_id,omitempty"`
}

// Notice sends the approved template of m's text.
func (c *Channel) Notice(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if to.Channel != c.cfg.ID || !openID.MatchString(string(to.Chat)) {
		return bots.Receipt{}, wire.Refuse("the address has no openid of this channel")
	}
	n, ok := bots.FindTemplate(c.cfg.Notices, m.Template)
	if !ok || m.Template.Name() == "" {
		return bots.Receipt{}, wire.Refuse("the text %q has no approved notice", m.Template.Name())
	}
	body := notice{To: to.Chat, ID: n.ID, Data: map[string]value{}}
	for field, ours := range n.Fields {
		v, err := c.fill(m.Template, field, ours)
		if err != nil {
			return bots.Receipt{}, err
		}
		body.Data[field] = value{v}
	}
	path := "/cgi-bin/message/subscribe/bizsend"
	if body.Page = n.URL; n.Kind == NoticeTemplate {
		path, body.Page, body.URL, body.Once = "/cgi-bin/message/template/send", "", n.URL, m.Key
	}
	var got struct {
		ID json.RawMessage `json:"msgid"`
	}
	if err := c.client.Post(weixin.Owning(ctx), path, body, &got); err != nil {
		return bots.Receipt{}, withoutRight(err)
	}
	id := strings.Trim(string(got.ID), `"`) // whatever it is: the notice was sent
	if id == "" || id == "null" {
		return bots.Receipt{ID: receiptMark + m.Key}, nil
	}
	return bots.Receipt{ID: noticeID(id)}, nil
}

// noticeID is the receipt of a notice. Its number is apart from those of messages.
func noticeID(id string) string { return "n:" + id }

// withoutRight: an account that may send no notices can still talk to who writes
// to it, so it is this message alone that has to go another way.
func withoutRight(err error) error {
	var e *bots.Error
	if weixin.CodeOf(err) == codeNoRight && errors.As(err, &e) {
		return &bots.Error{Class: bots.ClassClosed, Err: e.Err}
	}
	return err
}

// fill is what stands in a field: words of the configuration, or a value of the
// text, cut where words may be cut.
func (c *Channel) fill(t bots.Template, field, ours string) (string, error) {
	v, fixed := strings.CutPrefix(ours, "=")
	if !fixed {
		v = strings.Join(strings.Fields(t.Params[ours]), " ") // a field is one line
	}
	if v == "" {
		return "", wire.Refuse("the notice of %q: the text has no value %q", t.Name(), ours)
	}
	limit, ok := c.cfg.Limits.NoticeFields[strings.TrimRight(field, "0123456789")]
	switch {
	case !ok || utf8.RuneCountInString(v) <= limit.Most:
		return v, nil
	case !limit.Cut:
		return "", wire.Refuse("the notice of %q: %s takes %d characters", t.Name(), field, limit.Most)
	}
	return string([]rune(v)[:limit.Most-1]) + "…", nil
}
