package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// outcome is what one send came to, as it will be marked. Before that it is what
// is to be sent: state is empty then.
type outcome struct {
	row     db.ClaimOutboxRow
	state   string
	class   string
	err     string
	receipt string
	chat    string
	wait    time.Duration
	text    string

	messages []bots.Message
	photo    string
	edit     bool
	// notice is what goes instead where the push window is shut; shut: it is known
	// to be.
	notice bots.Message
	shut   bool
	// act ends the last message where nobody can answer.
	act string
	// joined are rows of the same chat that go out in the message of this one.
	joined []outcome
	// went: one of the messages was taken, or the notice; taken is what that cost of
	// the quota of a push window (bots.Receipt.Took).
	went  bool
	taken int32
	// patient: where no other address has it, it waits on.
	patient bool
	// paid is what was counted for it, on a paid channel.
	paid charge
	// morning is when a push is queued anew that came into quiet hours.
	morning time.Time
	// capped is the day whose limit stands against it, empty for none.
	capped string
}

// rejected ends a row that no address can show.
func (o outcome) rejected(err error) outcome {
	o.state, o.class, o.err = "failed", bots.ClassRejected.String(), errorCode(err)
	return o
}

// billed reports whether the network may want money for it: it is surely not
// sent only where it failed, or comes again, at once.
func (o outcome) billed() bool { return o.state == "sent" || o.state == "unknown" || o.went }

// failed is the one switch over the classes of a failed send.
func (c *Channel) failed(o outcome, err error) outcome {
	var e *bots.Error
	if !errors.As(err, &e) {
		e = &bots.Error{Class: bots.ClassUnknown, Err: err}
	}
	last := o.row.Tries >= maxSendTries
	switch e.Class {
	case bots.ClassThrottled:
		c.pace.pause(e.After)
		o.row.Tries--
		return o.retry(e.Class, err, e.After)
	case bots.ClassMoved:
		if !last { // else it moves in circles
			o.chat = string(e.NewChat)
			return o.retry(e.Class, err, 0)
		}
	case bots.ClassLoggedOut:
		o.row.Tries--
		return c.loggedOut(o, err)
	case bots.ClassTemporary:
		if !last {
			return o.retry(e.Class, err, backoff(o.row.Tries))
		}
	case bots.ClassUnknown:
		if !c.adapter.Caps().Paid && again(o.row) && o.row.Tries < maxUnknownTries {
			return o.retry(e.Class, err, backoff(o.row.Tries))
		}
		o.state, o.class, o.err = "unknown", e.Class.String(), errorCode(err)
		return o
	}
	o.state, o.class, o.err = "failed", e.Class.String(), errorCode(err)
	return o
}

func (o outcome) retry(class bots.Class, err error, wait time.Duration) outcome {
	o.state, o.class, o.err, o.wait = "queued", class.String(), errorCode(err), wait
	return o
}

// mark writes outcomes under the epoch that claimed the rows, starts the
// clocks of questions that were really sent, keeps what was said, and hands
// what could not be delivered to the next address or to people.
func (c *Channel) mark(ctx context.Context, epoch int64, batch []outcome) error {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	if err := c.moveChats(ctx, batch); err != nil {
		return err
	}
	var after aftermath
	var ours []outcome
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		after, ours = aftermath{}, nil
		marked, err := tx.MarkOutbox(ctx, c.marks(epoch, batch))
		if err != nil {
			return fmt.Errorf("write the outcomes: %w", err)
		}
		for _, o := range batch {
			if slices.Contains(marked, o.row.ID) {
				ours = append(ours, o)
			}
		}
		return c.follow(ctx, tx, epoch, ours, &after)
	})
	if err != nil {
		return err
	}
	for _, o := range batch {
		c.g.Metrics.sent(c.id, o.state, o.class)
	}
	c.bill(ours)
	c.noteLogin(ctx, epoch, ours)
	after.wake(c.g, c.id)
	return nil
}

// unsettled reports whether an outcome waits for the network to say more.
func (c *Channel) unsettled(o outcome) bool { return o.state == "unknown" && c.adapter.Caps().Paid }

// marks are the columns of a batch.
func (c *Channel) marks(epoch int64, batch []outcome) db.MarkOutboxParams {
	p := db.MarkOutboxParams{Epoch: epoch}
	for _, o := range batch {
		p.Ids, p.States, p.Classes = append(p.Ids, o.row.ID), append(p.States, o.state), append(p.Classes, o.class)
		p.Errors, p.Receipts = append(p.Errors, o.err), append(p.Receipts, o.receipt)
		p.Waits, p.Chats = append(p.Waits, o.wait.Seconds()), append(p.Chats, o.chat)
		p.Tries = append(p.Tries, o.row.Tries)
		parts := int32(0)
		if o.billed() {
			parts = int32(o.paid.parts)
		}
		p.Parts = append(p.Parts, parts)
		p.Handed = append(p.Handed, o.state == "failed" || o.state == "unknown" && !c.unsettled(o))
	}
	return p
}

// follow does what follows from outcomes that were written.
func (c *Channel) follow(ctx context.Context, tx *postgres.Tx, epoch int64, batch []outcome, after *aftermath) error {
	var said kept
	if err := c.useWindow(ctx, tx, batch); err != nil {
		return err
	}
	for _, o := range batch {
		if o.class == bots.ClassThrottled.String() {
			if err := tx.PauseChannel(ctx, o.wait.Seconds(), string(c.id), epoch); err != nil {
				return fmt.Errorf("keep a pause: %w", err)
			}
		}
		if o.state == "queued" {
			continue
		}
		if o.state == "stale" && o.morning.IsZero() && prompted(o.row) {
			if err := tx.ClosePrompt(ctx, o.row.PromptID, "unsent"); err != nil {
				return fmt.Errorf("close a prompt that nobody was asked: %w", err)
			}
		}
		if k := c.g.kinds[o.row.Reason]; o.state == "stale" && o.morning.IsZero() && k.Stale != nil && o.row.DueID != 0 {
			if err := k.Stale(ctx, tx, o.row.DueID); err != nil {
				return err
			}
		}
		after.chats, after.rows = append(after.chats, o.row.Chat), append(after.rows, o.row.ID)
		if !o.morning.IsZero() {
			after.plans = append(after.plans, Plan{Kind: KindMorning, Subject: outboxSubject(o.row.ID), At: o.morning})
		}
		if o.state == "sent" {
			said.add(c.g, o.row, o.text)
		}
		if c.unsettled(o) {
			after.plans = append(after.plans, c.g.settling(o)...)
			after.plans = append(after.plans, clocks(o)...)
			continue
		}
		if err := c.g.groupLost(ctx, tx, o); err != nil {
			return err
		}
		if err := c.g.ended(ctx, tx, o, after); err != nil {
			return err
		}
	}
	if c.adapter.Caps().Paid {
		if err := c.giveBack(ctx, tx, batch); err != nil {
			return err
		}
		if err := tx.ReviveReports(ctx, string(c.id), after.chats, after.rows); err != nil {
			return fmt.Errorf("look at reports again: %w", err)
		}
	}
	return after.write(ctx, tx, c.g, said)
}

// kept is what was said, to be kept.
type kept struct {
	conversations, outboxes []int64
	bodies                  [][]byte
}

func (h *kept) add(g *Gateway, row db.ClaimOutboxRow, text string) {
	h.conversations, h.outboxes = append(h.conversations, row.ConversationID), append(h.outboxes, row.ID)
	h.bodies = append(h.bodies, g.Keys.Seal([]byte(text), aadMessage))
}

// aftermath is what is written, and who is woken, once for all rows that ended.
type aftermath struct {
	plans  []Plan
	due    bool
	passed []bots.ChannelID
	chats  []string
	rows   []int64
}

// write writes what is the same for all rows.
func (a *aftermath) write(ctx context.Context, tx *postgres.Tx, g *Gateway, said kept) error {
	t := &Turn{Tx: tx, g: g}
	if err := t.PlanDue(ctx, a.plans...); err != nil {
		return err
	}
	a.due = a.due || len(a.plans) > 0
	if len(said.outboxes) == 0 {
		return nil
	}
	if err := tx.KeepSaid(ctx, said.conversations, said.outboxes, said.bodies); err != nil {
		return fmt.Errorf("keep what was said: %w", err)
	}
	return nil
}

func (a *aftermath) wake(g *Gateway, from bots.ChannelID) {
	if a.due {
		g.Bus.Wake(topicDue)
	}
	for _, to := range a.passed {
		g.Metrics.passedOn(from, to)
		g.Bus.Wake(topicOutbox(to))
	}
}

// turnOf is a turn about a row that ended: nobody speaks in it.
func (g *Gateway) turnOf(tx *postgres.Tx, row db.ClaimOutboxRow) *Turn {
	return &Turn{
		Tx: tx, Now: row.At, Conversation: row.ConversationID, Channel: bots.ChannelID(row.Channel),
		Chat: bots.ChatID(row.Chat), Address: row.AddressID, Lang: row.Lang, g: g,
	}
}

// ended does what follows from the end of one row.
func (g *Gateway) ended(ctx context.Context, tx *postgres.Tx, o outcome, after *aftermath) error {
	if o.state == "failed" || o.state == "unknown" {
		t := g.turnOf(tx, o.row)
		passed, err := g.givenUp(ctx, t, o)
		if err != nil {
			return err
		}
		after.due = after.due || len(t.wake) > 0
		if passed != "" {
			after.passed = append(after.passed, passed)
		}
		if passed != "" || o.patient {
			return nil // the clocks of a question are those of the row that is sent
		}
	}
	after.plans = append(after.plans, clocks(o)...)
	return nil
}

// givenUp finds another address for a message that this one did not take, or
// people. It returns the channel that has the message now.
func (g *Gateway) givenUp(ctx context.Context, t *Turn, o outcome) (bots.ChannelID, error) {
	// What one member is told in a group says nothing of their own address.
	if o.class == bots.ClassGone.String() && (!o.row.InGroup || o.row.IsGroup) {
		if err := t.AddressGone(ctx, o.row.AddressID, o.row.At); err != nil {
			return "", fmt.Errorf("note a gone address: %w", err)
		}
	}
	to, err := g.passOn(ctx, t.Tx, o)
	if err == nil && to == "" && o.patient {
		return "", t.WaitOn(ctx, o.wait.Seconds(), o.row.ID)
	}
	if err != nil || to != "" || g.Undeliverable == nil || o.row.Edits != 0 { // a change is missed by nobody
		return to, err
	}
	if err := g.Undeliverable(ctx, t, Undelivered{Class: o.class, Subject: o.row.Subject, Capped: o.capped}); err != nil {
		return "", fmt.Errorf("hand an undelivered message to people: %w", err)
	}
	return "", nil
}

// clocks are the nudge and the end of a question, from the moment at which it
// was sent, or was given up.
func clocks(o outcome) (plans []Plan) {
	if o.row.QuestionTurn == 0 || o.state == "stale" {
		return nil
	}
	plan := func(kind string, seconds int32) {
		if seconds == 0 {
			return
		}
		plans = append(plans, Plan{
			Kind: kind, Subject: postgres.Subject("conversation", o.row.ConversationID),
			Key:  strconv.FormatInt(o.row.QuestionTurn, 10) + "/" + strconv.FormatInt(o.row.PromptID, 10),
			Data: questionDue{Turn: o.row.QuestionTurn, Prompt: o.row.PromptID},
			At:   o.row.At.Add(time.Duration(seconds) * time.Second),
		})
	}
	if o.state == "sent" {
		plan(KindNudge, o.row.NudgeSeconds)
	}
	plan(KindExpire, o.row.ExpireSeconds)
	return plans
}
