// Package webhook posts what happens to tickets to programs that asked for it:
// signed, at least once, in no promised order.
//
// # From event to delivery
//
// Which hooks there are is held in memory and read again when the table changes
// (Topic), so that a turn pays nothing while nobody listens. Announce writes one
// due row for each hook that an event is for, in the transaction of the event's
// trail row: what is rolled back is never told. A hook made a moment ago may miss
// events of the same moment in another process.
//
// # What a hook is told
//
// Codes and numbers of tickets of its area. Private tickets are never posted
// anywhere, and a complaint about a unit or grid is not posted to a hook of that
// unit or grid: this is asked when the row is written and again before it is
// sent. Who may read more asks the API for it.
//
// # Failure
//
// Whatever is no 2xx is tried again after the pauses of
// configs/policies/webhook.yaml. While a receiver was silent a moment ago, its
// other deliveries wait their pause too, so that one dead receiver holds up
// nobody. After the last try the row is a dead letter (state failed) and stays
// until it is replayed or forgotten. An address inside our network is refused at
// once (package outbound).
package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

const (
	// Due is the kind of a due row that is one delivery: subject
	// "webhook:ID", key the id of the event, data Posting.
	Due = "webhook"
	// Topic is woken on the bus when hooks were made or ended
	// (queries/webhook.sql, WakeWebhooks).
	Topic = "webhooks"
	// SealURL and SealSecret seal columns of table webhook.
	SealURL    = "webhook.url"
	SealSecret = "webhook.secret"
)

// Posting is what is posted.
type Posting struct {
	// ID is the same each time the event is posted, to whichever hook.
	ID string `json:"id"`
	// Kind is that of the trail: "ticket.closed".
	Kind   string    `json:"kind"`
	Ticket string    `json:"ticket"`
	At     time.Time `json:"at"`
	// Data holds codes, never words of people.
	Data map[string]string `json:"data"`
}

// hook is a webhook as the events see it.
type hook struct {
	id     int64
	events []string
	area   people.Area
}

// Hooks is the list of hooks as it is now. It is safe for use by many goroutines.
type Hooks struct {
	db   *postgres.DB
	bus  *postgres.Bus
	log  *slog.Logger
	list atomic.Pointer[[]hook]
}

// Load reads the hooks.
func Load(ctx context.Context, d *postgres.DB, bus *postgres.Bus, log *slog.Logger) (*Hooks, error) {
	h := &Hooks{db: d, bus: bus, log: log}
	return h, h.Reload(ctx)
}

// Reload reads the hooks again.
func (h *Hooks) Reload(ctx context.Context) error {
	rows, err := h.db.Webhooks(ctx)
	if err != nil {
		return fmt.Errorf("read the webhooks: %w", err)
	}
	list := make([]hook, len(rows))
	for i, r := range rows {
		list[i] = hook{id: r.ID, events: r.Events, area: people.Area{Kind: people.AreaKind(r.AreaKind), Code: r.Area}}
	}
	h.list.Store(&list)
	return nil
}

// Run reads the list again after every change, by whichever process, until ctx
// ends.
func (h *Hooks) Run(ctx context.Context) error {
	changed, stop := h.bus.Subscribe(Topic)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if err := h.Reload(ctx); err != nil && ctx.Err() == nil {
			h.log.Warn("the webhooks stay as they were", "error", err)
		}
	}
}

// Announce plans the deliveries of one event. n counts the events of the same
// command. It is a workorder.Service.Announce.
func (h *Hooks) Announce(ctx context.Context, t *gateway.Turn, o *workorder.Order, e ticket.Event, n int) error {
	list := *h.list.Load()
	if len(list) == 0 || o.Private() {
		return nil
	}
	event := Posting{
		ID: string(o.Number) + "-" + strconv.Itoa(e.Version) + "-" + strconv.Itoa(n), Kind: "ticket." + string(e.Kind),
		Ticket: string(o.Number), At: e.At.UTC(), Data: codes(e),
	}
	on := workorder.About(o)
	if last, had := o.LastLead(); had && !o.State.Open() && last.Desk.Kind == ticket.DeskUnit {
		on.Unit = last.Desk.Code // it hears how its ticket ended
	}
	var plans []gateway.Plan
	for _, to := range list {
		if to.wants(event.Kind) && to.area.Covers(on) && !about(o, to.area) {
			plans = append(plans, gateway.Plan{
				Kind: Due, Subject: postgres.Subject("webhook", to.id), Key: event.ID, Version: int32(e.Version), At: t.Now, Data: event,
			})
		}
	}
	return t.PlanDue(ctx, plans...)
}

func (h hook) wants(kind string) bool { return len(h.events) == 0 || slices.Contains(h.events, kind) }

// about reports whether the claim is about who reads along in the area. Who of the
// staff is meant may read along at any desk below the county.
func about(o *workorder.Order, area people.Area) bool {
	wide := area.Kind == people.AreaCity || area.Kind == people.AreaCounty
	return slices.Contains(o.Against, area.Code) || len(o.AgainstStaff) > 0 && !wide
}

// codes is what an event says beside its kind. Who of the staff is meant is not
// said to the outside.
func codes(e ticket.Event) map[string]string {
	data := map[string]string{"from": string(e.From), "to": string(e.To), "version": strconv.Itoa(e.Version)}
	for k, v := range e.Data {
		if k != "desk_staff" {
			data[k] = v
		}
	}
	return data
}

// read reads the event of a delivery.
func read(due gateway.Due) (e Posting, err error) {
	if err = json.Unmarshal(due.Data, &e); err != nil {
		err = fmt.Errorf("read the event of %s %s: %w", due.Subject, due.Key, err)
	}
	return e, err
}
