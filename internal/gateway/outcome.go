package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// outcome is what one send came to, as it will be marked.
type outcome struct {
	row     db.ClaimOutboxRow
	state   string
	class   string
	err     string
	receipt string
	chat    string
	wait    time.Duration
	text    string
}

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
		return o.retry(e.Class, err, 30*time.Second)
	case bots.ClassTemporary:
		if !last {
			return o.retry(e.Class, err, backoff(o.row.Tries))
		}
	case bots.ClassUnknown:
		if !c.adapter.Caps().Paid && o.row.Tries < maxUnknownTries {
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
	p := db.MarkOutboxParams{Epoch: epoch}
	for _, o := range batch {
		p.Ids, p.States, p.Classes = append(p.Ids, o.row.ID), append(p.States, o.state), append(p.Classes, o.class)
		p.Errors, p.Receipts = append(p.Errors, o.err), append(p.Receipts, o.receipt)
		p.Waits, p.Chats = append(p.Waits, o.wait.Seconds()), append(p.Chats, o.chat)
		p.Tries = append(p.Tries, o.row.Tries)
	}
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	if err := c.moveChats(ctx, batch); err != nil {
		return err
	}
	var after aftermath
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		after = aftermath{}
		marked, err := tx.MarkOutbox(ctx, p)
		if err != nil {
			return fmt.Errorf("write the outcomes: %w", err)
		}
		ours := make(map[int64]bool, len(marked))
		for _, id := range marked {
			ours[id] = true
		}
		var conversations, outboxes []int64
		var bodies [][]byte
		for _, o := range batch {
			if ours[o.row.ID] && o.class == bots.ClassThrottled.String() {
				if err := tx.PauseChannel(ctx, o.wait.Seconds(), string(c.id), epoch); err != nil {
					return fmt.Errorf("keep a pause: %w", err)
				}
			}
			if !ours[o.row.ID] || o.state == "queued" {
				continue
			}
			if o.state == "sent" {
				conversations, outboxes = append(conversations, o.row.ConversationID), append(outboxes, o.row.ID)
				bodies = append(bodies, c.g.Keys.Seal([]byte(o.text), aadMessage))
			}
			if err := c.g.groupLost(ctx, tx, o); err != nil {
				return err
			}
			if err := c.g.ended(ctx, tx, o, &after); err != nil {
				return err
			}
		}
		if len(outboxes) == 0 {
			return nil
		}
		return tx.KeepSaid(ctx, conversations, outboxes, bodies)
	})
	if err != nil {
		return err
	}
	for _, o := range batch {
		c.g.Metrics.sent(c.id, o.state, o.class)
	}
	after.wake(c)
	return nil
}

// aftermath is who must be woken once outcomes are written.
type aftermath struct {
	due    bool
	passed []bots.ChannelID
}

func (a aftermath) wake(c *Channel) {
	if a.due {
		c.g.Bus.Wake(topicDue)
	}
	for _, to := range a.passed {
		c.g.Metrics.passedOn(c.id, to)
		c.g.Bus.Wake(topicOutbox(to))
	}
}

// ended does what follows from the end of one row.
func (g *Gateway) ended(ctx context.Context, tx *postgres.Tx, o outcome, after *aftermath) error {
	t := &Turn{
		Tx: tx, Now: o.row.At, Conversation: o.row.ConversationID, Channel: bots.ChannelID(o.row.Channel),
		Chat: bots.ChatID(o.row.Chat), Address: o.row.AddressID, Lang: o.row.Lang, g: g,
	}
	if o.state == "failed" || o.state == "unknown" {
		passed, err := g.givenUp(ctx, t, o)
		if err != nil {
			return err
		}
		after.due = after.due || len(t.wake) > 0
		if passed != "" {
			after.passed = append(after.passed, passed)
			return nil // the clocks of a question are those of the row that is sent
		}
	}
	if o.row.QuestionTurn == 0 || o.state == "stale" {
		return nil
	}
	after.due = true
	return g.startClocks(ctx, t, o)
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
	if err != nil || to != "" || g.Undeliverable == nil || o.row.Edits != 0 { // a change is missed by nobody
		return to, err
	}
	if err := g.Undeliverable(ctx, t, Undelivered{Class: o.class, Subject: o.row.Subject}); err != nil {
		return "", fmt.Errorf("hand an undelivered message to people: %w", err)
	}
	return "", nil
}

// startClocks plans the nudge and the end of a question from the moment at
// which it was sent, or was given up.
func (g *Gateway) startClocks(ctx context.Context, t *Turn, o outcome) error {
	data := questionDue{Turn: o.row.QuestionTurn, Prompt: o.row.PromptID}
	for kind, seconds := range map[string]int32{KindNudge: o.row.NudgeSeconds, KindExpire: o.row.ExpireSeconds} {
		if seconds == 0 || (kind == KindNudge && o.state != "sent") {
			continue
		}
		err := t.PlanDue(ctx, Plan{
			Kind: kind, Subject: postgres.Subject("conversation", o.row.ConversationID),
			Key: strconv.FormatInt(o.row.QuestionTurn, 10) + "/" + strconv.FormatInt(o.row.PromptID, 10), Data: data,
			At: t.Now.Add(time.Duration(seconds) * time.Second),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
