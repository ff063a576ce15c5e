package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
)

// ErrRefused is wrapped by Sink errors that no redelivery can mend: the event
// itself is malformed.
var ErrRefused = errors.New("event refused")

// Sink takes events of any channel durably. It returns nil when each event is
// either done or stored as waiting; only then may an adapter acknowledge.
func (g *Gateway) Sink(ctx context.Context, events []bots.Event) error {
	for _, ev := range events {
		if err := ev.Validate(); err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
	}
	reports, events := splitReports(events)
	if err := g.takeReports(ctx, reports); err != nil {
		return err
	}
	for i := range events {
		if err := g.take(ctx, events[i]); err != nil {
			return err
		}
	}
	return nil
}

// take runs one event, or stores it as waiting when it cannot be run now, or on
// the disk when the database is away.
func (g *Gateway) take(ctx context.Context, ev bots.Event) error {
	run, cancel := context.WithTimeout(ctx, g.cfg.TurnTimeout)
	defer cancel()
	leave, err := g.lanes.enter(run, keyOf(ev))
	if err != nil && ctx.Err() == nil && g.spools(ev.Channel) {
		// A database that hangs holds whoever is before us for two limits. Only
		// in the lane can we be put on the disk behind them.
		longer, cancel := context.WithTimeout(ctx, 2*g.cfg.TurnTimeout)
		defer cancel()
		run = longer
		leave, err = g.lanes.enter(run, keyOf(ev))
	}
	if err == nil {
		// What becomes of it is settled inside the lane, so that no later event
		// of the conversation can pass the one that is being put aside.
		defer leave()
		if g.queues(ev) {
			return g.spool(ev)
		}
		if ev.Kind == bots.KindMoved { // it touches conversations that are not its own
			err = g.runAlone(run, ev)
		} else {
			err = g.share(run, ev)
		}
	} else if ctx.Err() != nil {
		return err
	}
	if err != nil {
		if err = g.putAside(ctx, ev, err); err != nil {
			return g.spoolAfter(ev, err)
		}
	}
	return nil
}

// putAside stores an event alone as waiting: the second transaction.
func (g *Gateway) putAside(ctx context.Context, ev bots.Event, why error) error {
	store, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.cfg.TurnTimeout)
	defer cancel()
	sealed, err := g.sealEvent(ev)
	if err != nil {
		return err
	}
	err = g.DB.InTx(store, func(ctx context.Context, tx *postgres.Tx) error {
		conv, err := tx.EnsureConversation(ctx, incoming(ev))
		if err != nil {
			return err
		}
		return tx.StoreWaitingEvent(ctx, incoming(ev), conv, sealed, errorCode(why))
	})
	if err != nil {
		g.Metrics.refused(ev.Channel)
		return fmt.Errorf("take an event: %w (and it could not be put aside: %w)", why, err)
	}
	g.waits(ev, why)
	return nil
}

// waits tells of an event that was put aside.
func (g *Gateway) waits(ev bots.Event, why error) {
	g.Log.Warn("an event waits", "channel", string(ev.Channel), "kind", string(ev.Kind), "error", errorCode(why))
	g.Metrics.waited(ev.Channel)
	g.Bus.Wake(topicWaiting)
}

// sealEvent packs a waiting event; openEvent is its reverse.
func (g *Gateway) sealEvent(ev bots.Event) ([]byte, error) {
	body, err := json.Marshal(ev)
	if err != nil {
		return nil, fmt.Errorf("pack a waiting event: %w", err)
	}
	return g.Keys.Seal(body, aadEvent), nil
}

// errorCode is what a row may keep of an error: scrubbed of what looks
// personal, and short.
func errorCode(err error) string {
	return clip(privacy.Scrub(err.Error()), 300)
}

func incoming(ev bots.Event) postgres.Incoming {
	return postgres.Incoming{
		Channel: string(ev.Channel), Chat: string(ev.Chat), User: string(ev.From.User),
		Trust: ev.From.Trust.String(), Kind: string(ev.Kind), Key: ev.Key, Group: ev.Group,
		Repeat: ev.Repeat, RepeatWithin: bots.RepeatWithin,
	}
}
