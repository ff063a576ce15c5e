package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/internal/postgres"
)

// run does the turn of one event in a transaction of its own.
func (g *Gateway) run(ctx context.Context, ev bots.Event) error {
	tx, rows, err := g.DB.BeginTurn(ctx, []postgres.Incoming{incoming(ev)})
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if !rows[0].Fresh {
		g.Metrics.duplicate(ev.Channel)
		return nil
	}
	t, err := g.turn(ctx, tx, rows[0], ev)
	if err != nil {
		return err
	}
	return g.commit(ctx, tx, []*Turn{t})
}

// turn does what a fresh event asks for in an open transaction. A panic is an
// error of the turn: one poisoned message stops nobody else.
func (g *Gateway) turn(ctx context.Context, tx *postgres.Turn, row postgres.TurnRow, ev bots.Event) (t *Turn, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.Log.Error("a turn panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	t = g.newTurn(&tx.Tx, row, ev)
	return t, t.take(ctx, ev)
}

func (g *Gateway) newTurn(tx *postgres.Tx, row postgres.TurnRow, ev bots.Event) *Turn {
	row.Turn++
	t := &Turn{
		Tx: tx, Now: row.Now, Wall: row.Wall, Conversation: row.ConversationID, Channel: ev.Channel, Chat: ev.Chat,
		User: ev.From.User, Group: ev.Group, BoundAs: row.BoundAs, GroupID: row.GroupID, called: called(ev), Address: row.AddressID, Person: row.PersonID, Own: row.OwnID,
		Staff: row.StaffID, Trust: trustOf(row.Trust), Lang: row.Lang, g: g, row: row, caps: g.capsOf(ev.Channel),
		extension: ev.Extension,
	}
	if t.caps.Phone {
		t.Staff, t.Trust = 0, bots.TrustNone
	}
	if t.Staff != 0 {
		t.Own = t.Person // what is done at work is of the member of the staff
	}
	return t
}

func (g *Gateway) capsOf(id bots.ChannelID) bots.Caps {
	if a := g.Channels[id]; a != nil {
		return a.Caps()
	}
	return bots.Caps{}
}

func trustOf(s string) bots.Trust {
	for t := bots.TrustNone; t <= bots.TrustVerified; t++ {
		if t.String() == s {
			return t
		}
	}
	return bots.TrustNone
}

// take does one fresh event under the lock of its conversation.
func (t *Turn) take(ctx context.Context, ev bots.Event) error {
	if t.Group {
		if listen, err := t.attend(ctx, ev); err != nil || !listen {
			return err
		}
	}
	if t.row.Behind {
		sealed, err := t.g.sealEvent(ev)
		if err != nil {
			return err
		}
		t.row.Turn--
		t.Wake(topicWaiting)
		return t.JoinWaiting(ctx, t.row.InboxID, sealed)
	}
	if err := t.number(ctx, ev); err != nil {
		return err
	}
	if err := t.recognise(ctx, ev); err != nil {
		return err
	}
	if ev.Kind == bots.KindMoved {
		return t.moved(ctx, ev)
	}
	if ev.Kind == bots.KindLeave {
		return t.route(ctx, ev) // nothing was said, and nobody is there to read
	}
	if err := t.hear(ev); err != nil {
		return err
	}
	if stop, err := t.flooded(ctx, ev); err != nil || stop {
		return err
	}
	return t.route(ctx, ev)
}

// heardBody is how a message of a user is kept.
type heardBody struct {
	Text  string      `json:"t,omitempty"`
	Place *bots.Place `json:"p,omitempty"`
	Files []string    `json:"f,omitempty"`
}

// hear keeps what the user sent, whatever becomes of it.
func (t *Turn) hear(ev bots.Event) error {
	body, err := json.Marshal(heardBody{Text: clip(ev.Text, t.g.cfg.MaxText*5), Place: ev.Place})
	if err != nil {
		return fmt.Errorf("pack a message: %w", err)
	}
	t.heard = append(t.heard, postgres.Heard{
		ConversationID: t.Conversation, InboxID: t.row.InboxID, Kind: string(ev.Kind), Body: t.g.Keys.Seal(body, aadMessage),
	})
	return nil
}

// flooded counts this message in its sender's minute. Messages over the limit
// are kept but not run; the first one is answered, so that the sender knows,
// unless each answer costs money: who writes so fast there is a machine. A danger
// is seen in them all the same.
func (t *Turn) flooded(ctx context.Context, ev bots.Event) (bool, error) {
	if t.Wall.Sub(t.row.FloodAt) >= time.Minute {
		t.row.FloodAt, t.row.FloodCount = t.Wall, 0
	}
	t.row.FloodCount++
	limit := int32(t.g.cfg.FloodPerMinute)
	if t.row.FloodCount <= limit || t.row.InboxID == 0 {
		return false, nil
	}
	if raised, err := t.danger(ctx, t.input(ev, nil)); raised || err != nil {
		return true, err
	}
	t.g.Metrics.flooded(t.Channel)
	if err := t.RefuseInbox(ctx, t.row.InboxID, "flood"); err != nil {
		return true, fmt.Errorf("refuse a flood: %w", err)
	}
	if t.row.FloodCount == limit+1 && !t.caps.Paid {
		return true, t.Say("flood.slow_down", nil)
	}
	return true, nil
}

// commit writes what the turns leave behind and wakes who must know.
func (g *Gateway) commit(ctx context.Context, tx *postgres.Turn, turns []*Turn) error {
	states := make([]postgres.ConversationState, 0, len(turns))
	var heard []postgres.Heard
	var lines []postgres.Line
	for _, t := range turns {
		states, heard, lines = append(states, t.leave()), append(heard, t.heard...), append(lines, t.lines...)
	}
	if err := tx.Commit(ctx, states, heard, lines); err != nil {
		return err
	}
	for _, t := range turns {
		if len(t.lines) > 0 {
			g.Bus.Wake(topicOutbox(t.Channel))
		}
		for topic := range t.wake {
			g.Bus.Wake(topic)
		}
		g.Metrics.turn(t.Channel, len(t.lines))
	}
	return nil
}

// clip cuts s to n runes.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}
