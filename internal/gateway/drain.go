package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

const (
	// maxEventTries is after how many tries a waiting event becomes a dead
	// letter (design 4).
	maxEventTries = 5
	// drainPoll is how often the drainer looks without being woken.
	drainPoll = time.Second
)

// Drainer runs the events that could not be run when they came, in the order
// of each conversation.
type Drainer struct{ g *Gateway }

// NewDrainer makes the drainer of a gateway. Any number may run.
func NewDrainer(g *Gateway) *Drainer { return &Drainer{g} }

// Run works until ctx ends.
func (d *Drainer) Run(ctx context.Context) error {
	wake, stop := d.g.Bus.Subscribe(topicWaiting)
	defer stop()
	tick := time.NewTicker(drainPoll)
	defer tick.Stop()
	for {
		n, err := d.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			d.g.Log.Warn("drain waiting events", "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
	}
}

// Once tries the oldest waiting event of each conversation once and returns
// how many came through or were given up.
func (d *Drainer) Once(ctx context.Context) (int, error) {
	heads, err := d.g.DB.WaitingHeads(ctx, 64)
	if err != nil {
		return 0, fmt.Errorf("look for waiting events: %w", err)
	}
	ended := 0
	for _, h := range heads {
		if ctx.Err() != nil {
			return ended, nil
		}
		if d.one(ctx, h) {
			ended++
		}
	}
	return ended, nil
}

func (d *Drainer) one(ctx context.Context, h db.WaitingHeadsRow) bool {
	ev, err := d.g.openEvent(h.Event)
	if err == nil {
		err = d.run(ctx, ev, h.ID)
	}
	if err == nil {
		return true
	}
	if ctx.Err() != nil || postgres.IsAway(err) {
		return false // no try is used up while the database is away
	}
	dead, err := d.fail(ctx, ev, h, err)
	if err != nil {
		d.g.Log.Error("note a failed event", "inbox", h.ID, "error", err)
	}
	return dead
}

// run does a waiting event in its lane and its own transaction.
func (d *Drainer) run(ctx context.Context, ev bots.Event, inbox int64) (err error) {
	ctx, cancel := context.WithTimeout(ctx, d.g.cfg.TurnTimeout*2)
	defer cancel()
	leave, err := d.g.lanes.enter(ctx, keyOf(ev))
	if err != nil {
		return err
	}
	defer leave()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return postgres.Retry(func() error { return d.turn(ctx, ev, inbox) })
}

func (d *Drainer) turn(ctx context.Context, ev bots.Event, inbox int64) error {
	in := incoming(ev)
	in.Key, in.Repeat = "", "" // it is in the inbox already
	tx, rows, err := d.g.DB.BeginTurn(ctx, []postgres.Incoming{in})
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	if open, err := tx.WaitingIsOpen(ctx, inbox); err != nil || !open {
		return err
	}
	if ev.Repeat != "" {
		if again, err := tx.RepeatOfAnother(ctx, ev.Repeat, bots.RepeatWithin.Seconds(), inbox); err != nil {
			return fmt.Errorf("look whether a waiting event is a copy: %w", err)
		} else if again {
			return d.drop(ctx, tx, inbox)
		}
	}
	rows[0].Behind, rows[0].InboxID = false, inbox
	t := d.g.newTurn(&tx.Tx, rows[0], ev)
	if err := t.take(ctx, ev); err != nil {
		return err
	}
	if err := tx.FinishWaiting(ctx, inbox); err != nil {
		return fmt.Errorf("finish a waiting event: %w", err)
	}
	return d.g.commit(ctx, tx, []*Turn{t})
}

// drop ends a waiting event that is a copy of another one.
func (d *Drainer) drop(ctx context.Context, tx *postgres.Turn, inbox int64) error {
	if err := tx.RefuseInbox(ctx, inbox, "repeat"); err != nil {
		return fmt.Errorf("drop a copy: %w", err)
	}
	return tx.Commit(ctx, nil, nil, nil)
}

// fail counts a try. At the last one the event becomes a dead letter: it is
// kept for replay and holds nobody up, the resident hears an apology with a
// way to a person, and the staff get a task.
func (d *Drainer) fail(ctx context.Context, ev bots.Event, h db.WaitingHeadsRow, why error) (dead bool, err error) {
	if ev.Channel == "" { // it could not be opened: its row still knows whose it is
		if ev, err = d.owner(ctx, h.ConversationID); err != nil {
			return false, err
		}
	}
	d.g.Log.Error("a waiting event failed", "inbox", h.ID, "try", h.Tries+1, "error", errorCode(why))
	in := incoming(ev)
	in.Key = ""
	tx, rows, err := d.g.DB.BeginTurn(ctx, []postgres.Incoming{in})
	if err != nil {
		return false, err
	}
	defer tx.Rollback(ctx)
	state, err := tx.FailWaiting(ctx, errorCode(why), maxEventTries, h.ID)
	if err != nil {
		return false, fmt.Errorf("count a try: %w", err)
	}
	t := d.g.newTurn(&tx.Tx, rows[0], ev)
	if state == "dead" {
		d.g.Metrics.dead(ev.Channel)
		if !t.Group || t.BoundAs != "" && !ev.Overheard { // who was not heard is not answered
			if err := t.Say("dialogue.apology", nil); err != nil {
				return false, err
			}
		}
		if d.g.Dead != nil {
			if err := d.g.Dead(ctx, t, postgres.Subject("inbox", h.ID)); err != nil {
				return false, fmt.Errorf("tell the staff of a dead letter: %w", err)
			}
		}
	}
	return state == "dead", d.g.commit(ctx, tx, []*Turn{t})
}

// owner makes an empty event of a conversation.
func (d *Drainer) owner(ctx context.Context, conversation int64) (bots.Event, error) {
	c, err := d.g.DB.Conversation(ctx, conversation)
	if err != nil {
		return bots.Event{}, fmt.Errorf("look whose event it is: %w", err)
	}
	return bots.Event{
		Channel: bots.ChannelID(c.Channel), Chat: bots.ChatID(c.Chat), Group: c.InGroup,
		From: bots.Identity{User: bots.UserID(c.UserID)},
	}, nil
}

func (g *Gateway) openEvent(sealed []byte) (bots.Event, error) {
	plain, err := g.Keys.Open(sealed, aadEvent)
	if err != nil {
		return bots.Event{}, fmt.Errorf("open a waiting event: %w", err)
	}
	var ev bots.Event
	if err := json.Unmarshal(plain, &ev); err != nil {
		return bots.Event{}, fmt.Errorf("read a waiting event: %w", err)
	}
	return ev, nil
}
