package postgres

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/postgres/db"
)

// ahead is what a transaction has read before it is asked for.
type ahead struct {
	tickets map[int64]db.Ticket
	// stopped are the topics that reporters of the tickets want no more of.
	stopped map[int64][]string
}

// Ahead reads at once what a batch of checks will ask for one by one: tickets,
// and what their reporters want no more of. GetTicket and OptedOut of this
// transaction answer from it from then on, so it must not change either.
func (t *Tx) Ahead(ctx context.Context, tickets []int64) error {
	rows, err := t.TicketsByID(ctx, tickets)
	if err != nil {
		return fmt.Errorf("read tickets ahead: %w", err)
	}
	a := &ahead{map[int64]db.Ticket{}, map[int64][]string{}}
	reporters := make([]int64, len(rows))
	for i, r := range rows {
		a.tickets[r.ID], a.stopped[r.ReporterID], reporters[i] = r, nil, r.ReporterID
	}
	topics, err := t.OptOutsOf(ctx, reporters)
	if err != nil {
		return fmt.Errorf("read ahead who wants to hear what: %w", err)
	}
	for _, o := range topics {
		a.stopped[o.PersonID] = append(a.stopped[o.PersonID], o.Topic)
	}
	t.ahead = a
	return nil
}

// GetTicket is that of Queries, or what Ahead has read.
func (t *Tx) GetTicket(ctx context.Context, id int64) (db.Ticket, error) {
	if t.ahead != nil {
		if k, ok := t.ahead.tickets[id]; ok {
			return k, nil
		}
	}
	return t.Queries.GetTicket(ctx, id)
}

// OptedOut is that of Queries, or what Ahead has read.
func (t *Tx) OptedOut(ctx context.Context, person int64, topics []string) (bool, error) {
	if t.ahead != nil {
		if stopped, ok := t.ahead.stopped[person]; ok {
			return slices.ContainsFunc(topics, func(topic string) bool { return slices.Contains(stopped, topic) }), nil
		}
	}
	return t.Queries.OptedOut(ctx, person, topics)
}
