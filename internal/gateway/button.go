package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/privacy"
)

// A button carries a signed token, bound to its channel and user, that says
// either "answer n of the question asked in turn t" or a command of a card.
// Nothing else of a tap is believed (S12).
const (
	buttonAnswer  = 'a'
	buttonCommand = 'c'
)

// How long a button may be tapped. An answer dies earlier with its question.
const (
	answerLife  = 7 * 24 * time.Hour
	commandLife = 30 * 24 * time.Hour
)

// CommandPrefix marks the value of an option that is a command of the staff,
// not an answer to the open question: "!take 123".
const CommandPrefix = "!"

func buttonBind(channel bots.ChannelID, user bots.UserID) string {
	return string(channel) + "\x00" + string(user)
}

// groupBind binds the buttons of a group: those of a card to the group, where
// anybody may tap them (user is empty), those of a question to who was asked,
// there. It holds the group's conversation and not its chat, which may move.
func groupBind(channel bots.ChannelID, user bots.UserID, conversation int64) string {
	return buttonBind(channel, user) + "\x00" + strconv.FormatInt(conversation, 10)
}

// button makes the token of option n.
func (g *Gateway) button(bind string, turn, prompt int64, n int, value string, now time.Time) string {
	if cmd, ok := strings.CutPrefix(value, CommandPrefix); ok {
		return g.Keys.Sign(buttonCommand, []byte(cmd), now.Add(commandLife), bind)
	}
	b := binary.AppendUvarint(nil, uint64(turn))
	b = binary.AppendUvarint(b, uint64(prompt))
	b = binary.AppendUvarint(b, uint64(n))
	return g.Keys.Sign(buttonAnswer, b, now.Add(answerLife), bind)
}

// tapped does a tap. A stale, forged or foreign button changes nothing and
// gets a clear answer.
func (t *Turn) tapped(ctx context.Context, ev bots.Event) error {
	kind, payload, err := t.verify(ev.Choice)
	switch {
	case errors.Is(err, privacy.ErrExpired):
		return t.Say("choice.stale", nil)
	case err != nil && t.Group: // most likely somebody else's
		t.g.Metrics.forged(t.Channel)
		return t.Say("choice.not_yours", nil)
	case err != nil:
		t.g.Metrics.forged(t.Channel)
		return t.Say("choice.stale", nil)
	case kind == buttonCommand:
		return t.commanded(ctx, string(payload))
	case kind != buttonAnswer:
		return t.Say("choice.stale", nil)
	}
	turn, n1 := binary.Uvarint(payload)
	prompt, n2 := binary.Uvarint(payload[max(n1, 0):])
	n, n3 := binary.Uvarint(payload[max(n1, 0)+max(n2, 0):])
	if n1 <= 0 || n2 <= 0 || n3 <= 0 {
		return t.Say("choice.stale", nil)
	}
	return t.answered(ctx, int64(turn), int64(prompt), n)
}

// verify opens a button of this chat. In a group it is one of a card, which is
// the group's, or of a question that this member was asked.
func (t *Turn) verify(token string) (kind byte, payload []byte, err error) {
	if !t.Group {
		return t.g.Keys.Verify(token, buttonBind(t.Channel, t.User), t.Now)
	}
	if kind, payload, err = t.g.Keys.Verify(token, groupBind(t.Channel, "", t.GroupID), t.Now); err == nil && kind == buttonCommand {
		return kind, payload, nil
	}
	if errors.Is(err, privacy.ErrExpired) {
		return kind, payload, err
	}
	return t.g.Keys.Verify(token, groupBind(t.Channel, t.User, t.Conversation), t.Now)
}

// answered gives option n to the question asked in turn, if it is still open.
func (t *Turn) answered(ctx context.Context, turn, prompt int64, n uint64) error {
	d, err := t.current()
	if prompt != 0 {
		d, err = t.prompt(ctx, prompt)
	}
	if err != nil {
		return err
	}
	if d == nil {
		if done, err := t.tappedLate(ctx, turn, prompt, n); done || err != nil {
			return err
		}
	}
	if d == nil || d.Asked != turn {
		return t.Say("choice.stale", nil)
	}
	q := d.State.Open()
	if q == nil || n >= uint64(len(q.Options)) {
		return t.Say("choice.stale", nil)
	}
	return t.step(ctx, d, flows.Input{Kind: flows.InputChoice, Choice: q.Options[n].Value})
}

// commanded does the command of a card: "take 123" starts the dialogue
// staff_take with ticket 123 as its card.
func (t *Turn) commanded(ctx context.Context, command string) error {
	name, arg, _ := strings.Cut(command, " ")
	flow := staffFlowPrefix + name
	switch {
	case t.Staff == 0 && t.Group:
		return t.Say("staff.only", nil)
	case !t.AtWork() || !t.g.Library.Has(flow):
		return t.Say("choice.stale", nil)
	}
	return t.start(ctx, flow, map[string]any{"card_id": arg})
}
