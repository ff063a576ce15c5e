package bench

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/figures"
	"shaoying/internal/postgres"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
)

// city is an invented one with as many tickets as are wanted, each the same
// whenever it is asked for.
type city struct {
	db      *postgres.DB
	tally   *tally.Tally
	n       int
	now     time.Time
	units   []string
	matters []string
	// residents answered callbacks, staff signed.
	residents, staff int
}

const (
	counties  = 5
	townships = 58 // as Pingxiang has
	// span is over how many days the tickets came.
	span = 730
	// openShare of the tickets are not over.
	openShare = 0.03
	// peak is how many tickets of an ordinary day the rolled day has.
	peak = 10
)

func newCity(db *postgres.DB, t *tally.Tally, n int, now time.Time) *city {
	// As Pingxiang has for a million tickets.
	c := &city{db: db, tally: t, n: n, now: now, residents: 1 + n/5, staff: 1 + n/90}
	for _, u := range t.Units.All() {
		c.units = append(c.units, u.Code)
	}
	for _, m := range t.Matters.All() {
		c.matters = append(c.matters, m.Code)
	}
	return c
}

func township(i int) string { return fmt.Sprintf("3603%02d%03d", 2+i%counties, 1+i/counties) }

// thing is one ticket.
type thing struct {
	figures.Ticket
	state, desk string
	kind        ticket.DeskKind
	received    time.Time
	deadline    *time.Time
	closed      *time.Time
}

// at makes the i-th ticket. Those with numbers near n came last.
func (c *city) at(i int) thing {
	r := rand.New(rand.NewPCG(uint64(i), 12))
	k := thing{Ticket: figures.Ticket{ID: int64(i + 1), Area: township(r.IntN(townships)), Matter: c.matters[r.IntN(len(c.matters))], Claim: "help"}}
	age := time.Duration(float64(span*24*time.Hour) * (1 - (float64(i)+r.Float64())/float64(c.n)))
	k.received = c.now.Add(-age).Truncate(time.Microsecond)
	k.desk, k.kind = c.units[r.IntN(len(c.units))], ticket.DeskUnit
	if r.IntN(3) == 0 {
		k.desk, k.kind = k.Area+"001001", ticket.DeskGrid
	}
	at := k.received
	deadline := at.Add(7 * 24 * time.Hour)
	k.deadline = &deadline
	step := func(kind, to string, wait time.Duration, data map[string]string) {
		at = at.Add(time.Duration(r.Int64N(int64(wait)))).Truncate(time.Microsecond)
		k.state = to
		e := figures.Event{Kind: kind, At: at, To: to, Data: data}
		if kind != "filed" {
			e.Deadline, e.SignDue, e.ContactDue = deadline, k.received.Add(24*time.Hour), k.received.Add(24*time.Hour)
		}
		k.Events = append(k.Events, e)
	}
	step("filed", "received", time.Minute, nil)
	step("dispatched", "dispatched", time.Hour, map[string]string{"desk": k.desk})
	step("signed", "signed", 30*time.Hour, nil)
	step("contacted", "signed", 20*time.Hour, nil)
	if r.Float64() < openShare {
		return k
	}
	step("handled", "handled", 180*time.Hour, map[string]string{"result": []string{"resolved", "resolved", "resolved", "partly"}[r.IntN(4)]})
	solved := []string{"yes", "yes", "yes", "partly", "no"}[r.IntN(5)]
	rated := []string{"very_satisfied", "satisfied", "fairly_satisfied", "dissatisfied"}[r.IntN(4)]
	step("answered", "closed", 40*time.Hour, map[string]string{
		"contacted": "yes", "solved": solved, "satisfied": rated, "address": strconv.Itoa(1 + r.IntN(c.residents)),
	})
	k.closed = &at
	return k
}

// load writes the city: tickets, their desks and their figures.
func (c *city) load(ctx context.Context) error {
	one := func(table string, columns []string, values ...any) error {
		return c.db.Load(ctx, table, columns, 1, func(int) ([]any, error) { return values, nil })
	}
	if err := c.people(ctx); err != nil {
		return err
	}
	if err := one("conversation", []string{"id", "channel", "chat", "user_id", "address_id"}, int64(1), "bench", "1", "1", int64(1)); err != nil {
		return err
	}
	if err := c.divisions(ctx); err != nil {
		return err
	}
	columns := strings.Fields("id number state claim matter urgency division grid words reporter_id address_id conversation_id version received_at deadline closed_at")
	err := c.db.Load(ctx, "ticket", columns, c.n, func(i int) ([]any, error) {
		k := c.at(i)
		village := k.Area + "001"
		return []any{
			k.ID, strconv.FormatInt(2_000_000_000+k.ID, 10), k.state, k.Claim, k.Matter, "general", village, village + "001", []byte("sealed words of some sixty bytes, as a resident's sentence has"),
			int64(1), int64(1), int64(1), int32(len(k.Events)), k.received, k.deadline, k.closed,
		}, nil
	})
	if err != nil {
		return err
	}
	err = c.db.Load(ctx, "assignment", strings.Fields("ticket_id role desk_kind desk state dispatched_at signed_by ended_at"), c.n, func(i int) ([]any, error) {
		k := c.at(i)
		return []any{k.ID, "lead", string(k.kind), k.desk, "signed", k.received, int64(1 + i%c.staff), k.closed}, nil
	})
	if err != nil {
		return err
	}
	return c.loadFigures(ctx)
}

// people writes residents and staff, each with a telephone and an address.
func (c *city) people(ctx context.Context) error {
	err := c.db.Load(ctx, "person", []string{"id", "kind", "phone_index"}, c.residents+c.staff, func(i int) ([]any, error) {
		index := sha256.Sum256([]byte(strconv.Itoa(i)))
		return []any{int64(i + 1), "resident", index[:]}, nil
	})
	if err != nil {
		return err
	}
	err = c.db.Load(ctx, "address", []string{"id", "channel", "user_id", "chat", "person_id", "trust"}, c.residents+c.staff, func(i int) ([]any, error) {
		user := strconv.Itoa(i + 1)
		return []any{int64(i + 1), "bench", user, user, int64(i + 1), "session"}, nil
	})
	if err != nil {
		return err
	}
	return c.db.Load(ctx, "staff", []string{"id", "person_id", "slug", "name"}, c.staff, func(i int) ([]any, error) {
		name := strconv.Itoa(i + 1)
		return []any{int64(i + 1), int64(c.residents + i + 1), name, name}, nil
	})
}

func (c *city) divisions(ctx context.Context) error {
	columns := []string{"code", "level", "name", "parent"}
	if err := c.db.Load(ctx, "division", columns, 1, func(int) ([]any, error) { return []any{"3603", "city", "3603", nil}, nil }); err != nil {
		return err
	}
	err := c.db.Load(ctx, "division", columns, counties, func(i int) ([]any, error) {
		return []any{township(i)[:6], "county", township(i)[:6], "3603"}, nil
	})
	if err != nil {
		return err
	}
	err = c.db.Load(ctx, "division", columns, townships, func(i int) ([]any, error) {
		return []any{township(i), "township", township(i), township(i)[:6]}, nil
	})
	if err != nil {
		return err
	}
	return c.db.Load(ctx, "division", columns, townships, func(i int) ([]any, error) {
		return []any{township(i) + "001", "village", township(i) + "001", township(i)}, nil
	})
}

// batch is how many tickets' figures are written in one transaction.
const batch = 20_000

func (c *city) loadFigures(ctx context.Context) error {
	folder := figures.Folder{Policy: c.tally.Policy, Calendar: c.tally.Work}
	for from := 0; from < c.n; from += batch {
		var rows []figures.Row
		for i := from; i < min(from+batch, c.n); i++ {
			rows = append(rows, folder.Fold(c.at(i).Ticket)...)
		}
		if err := c.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error { return tx.AddFigures(ctx, rows) }); err != nil {
			return err
		}
	}
	if err := c.db.SettleDirty(ctx); err != nil {
		return fmt.Errorf("settle the figures: %w", err)
	}
	return c.db.Tidy(ctx, "person", "address", "staff", "ticket", "assignment", "figure", "division", "figure_dirty")
}

// busyDay writes the trail of the last tickets, as many as ten ordinary days
// bring, and marks them as changed.
func (c *city) busyDay(ctx context.Context) (int, error) {
	n := min(c.n, peak*c.n/span)
	var ids []int64
	var trail [][]any
	for i := c.n - n; i < c.n; i++ {
		k := c.at(i)
		ids = append(ids, k.ID)
		for _, e := range k.Events {
			if e.At.After(c.now) {
				break
			}
			data := map[string]any{"from": "", "to": e.To, "version": 1, "as": "system"}
			for key, v := range e.Data {
				data[key] = v
			}
			if !e.Deadline.IsZero() {
				data["deadline"], data["sign_due"], data["contact_due"] = e.Deadline.UnixMicro(), e.SignDue.UnixMicro(), e.ContactDue.UnixMicro()
			}
			body, err := json.Marshal(data)
			if err != nil {
				return 0, fmt.Errorf("pack an event: %w", err)
			}
			trail = append(trail, []any{e.At, "system", "ticket." + e.Kind, postgres.Subject("ticket", k.ID), body})
		}
	}
	err := c.db.Load(ctx, "trail", strings.Fields("at actor kind subject data"), len(trail), func(i int) ([]any, error) { return trail[i], nil })
	if err != nil {
		return 0, err
	}
	if err := c.db.MarkDirty(ctx, ids); err != nil {
		return 0, fmt.Errorf("mark changed tickets: %w", err)
	}
	return n, c.db.Tidy(ctx, "trail")
}
