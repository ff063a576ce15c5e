package wecom

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
)

// parcel is the body of kf/send_msg, and of kf/send_msg_on_event with a code in
// place of the addresses.
type parcel struct {
	To    string `json:"touser,omitempty"`
	KF    string `json:"open_kfid,omitempty"`
	Code  string `json:"code,omitempty"`
	ID    string `json:"msgid"`
	Type  string `json:"msgtype"`
	Text  *words `json:"text,omitempty"`
	Image *media `json:"image,omitempty"`
	Menu  *menu  `json:"msgmenu,omitempty"`
}

// menu is a text with items that can be tapped.
type menu struct {
	Head string `json:"head_content"`
	List []item `json:"list"`
}

type item struct {
	Type  string `json:"type"`
	Click click  `json:"click"`
}

type click struct {
	ID      string `json:"id"`
	Content string `json:"content"`
}

// Send sends a photo, words and a menu, each where there is one.
func (k *KF) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if err := k.refuse(to, m, k.Caps()); err != nil {
		return bots.Receipt{}, err
	}
	for _, c := range m.Choices {
		if len(c.Label) > k.cfg.Limits.KF.MenuLabel || c.Label == "" {
			return bots.Receipt{}, wire.Refuse("a choice says %d bytes, 1 to %d", len(c.Label), k.cfg.Limits.KF.MenuLabel)
		}
	}
	ctx = weixin.Owning(ctx)
	notes, err := k.notes(ctx, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	var receipt bots.Receipt
	var taken []string
	for i, n := range notes {
		if n.ID, err = k.name(ctx, fmt.Sprintf("%s/%d", m.Key, i)); err == nil {
			receipt, err = k.post(ctx, to.Chat, n)
		}
		if err != nil {
			k.doubt(taken...) // a second try begins with them
			return bots.Receipt{}, err
		}
		taken = append(taken, n.ID)
	}
	receipt.Took = len(notes)
	return receipt, nil
}

// notes are the calls that a message takes.
func (k *KF) notes(ctx context.Context, m bots.Message) ([]parcel, error) {
	var out []parcel
	if m.Photo != nil {
		id, err := k.photo(ctx, *m.Photo)
		if err != nil {
			return nil, err
		}
		out = append(out, parcel{Type: "image", Image: &media{id}})
	}
	text := weixin.Unlinked(m.Text)
	if len(m.Choices) == 0 {
		if text != "" {
			out = append(out, parcel{Type: "text", Text: &words{text}})
		}
		return out, nil
	}
	list := menu{Head: text}
	if len(text) > k.cfg.Limits.KF.MenuHead {
		out = append(out, parcel{Type: "text", Text: &words{text}})
		list.Head = k.cfg.Limits.KF.MenuSays
	}
	for _, c := range m.Choices {
		list.List = append(list.List, item{"click", click{c.Data, c.Label}})
	}
	return append(out, parcel{Type: "msgmenu", Menu: &list}), nil
}

// post makes one call; a session that is not ours is asked for once.
func (k *KF) post(ctx context.Context, to bots.ChatID, n parcel) (bots.Receipt, error) {
	n.To, n.KF = string(to), k.cfg.OpenKFID
	err := k.call(ctx, n)
	if refusedBy(err, codeSession) {
		if err := k.reclaim(ctx, to); err != nil {
			return bots.Receipt{}, err
		}
		err = k.call(ctx, n)
	}
	if err != nil {
		return bots.Receipt{}, err
	}
	return bots.Receipt{ID: n.ID}, nil
}

// call sends. A parcel that WeCom has or may have, and whose id it refuses at the
// next try, was taken before.
func (k *KF) call(ctx context.Context, n parcel) error {
	err := k.client.Post(ctx, "/cgi-bin/kf/send_msg", n, nil)
	if err != nil && bots.ClassOf(err) == bots.ClassUnknown {
		k.doubt(n.ID)
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	_, doubtful := k.doubts[n.ID]
	switch {
	case err == nil:
		delete(k.doubts, n.ID)
	case doubtful && bots.ClassOf(err) == bots.ClassRejected:
		delete(k.doubts, n.ID)
		return nil
	}
	return err
}

// mostDoubts are kept; a message is tried a few times, within minutes.
const mostDoubts = 1000

// doubt keeps in mind that WeCom has, or may have, these parcels.
func (k *KF) doubt(ids ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.doubts) >= mostDoubts {
		clear(k.doubts)
	}
	for _, id := range ids {
		k.doubts[id] = struct{}{}
	}
}

// withAssistant is the state of a session in which messages may be sent by
// interface.
const withAssistant = 1

// reclaim asks for a session that is not ours. What WeCom does not give back
// belongs to a person of the organisation, or is over.
func (k *KF) reclaim(ctx context.Context, to bots.ChatID) error {
	err := k.client.Post(ctx, "/cgi-bin/kf/service_state/trans", map[string]any{
		"open_kfid": k.cfg.OpenKFID, "external_userid": string(to), "service_state": withAssistant,
	}, nil)
	if err != nil && bots.ClassOf(err) == bots.ClassUnknown { // nothing was sent
		return &bots.Error{Class: bots.ClassTemporary, Err: errors.Unwrap(err)}
	}
	return err
}

// greeting is somebody who opened the chat and may be greeted: with one message,
// for a while.
type greeting struct {
	chat bots.ChatID
	code string
	at   time.Time
}

// greet says the words of welcome. They are those of WeCom's own greeting, which
// an interface has to send: nothing waits for them, and where they do not arrive
// nobody needs to know, for whoever writes is answered.
func (k *KF) greet(ctx context.Context, list []greeting) {
	for _, g := range list {
		if k.clock.Wall().Sub(g.at) > k.cfg.Limits.KF.Welcome {
			continue
		}
		id, err := k.name(ctx, "welcome "+g.code)
		if err == nil {
			err = k.client.Post(ctx, "/cgi-bin/kf/send_msg_on_event", parcel{
				Code: g.code, ID: id, Type: "text", Text: &words{k.cfg.Limits.KF.Greeting},
			}, nil)
		}
		if err != nil && ctx.Err() == nil {
			k.log.Info("somebody who opened the chat was not greeted", "error", err)
		}
	}
}
