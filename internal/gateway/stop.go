package gateway

import (
	"context"
	"fmt"
	"slices"

	"shaoying/bots"
	"shaoying/internal/postgres/db"
)

// Topics a number asked to hear no more of (table address_stop). A stop takes back
// what waits in the outbox at once; here it is asked before anything new is put
// there: when the target of a push is found, when its turn begins, and when a
// message that failed elsewhere looks for another address. The sender asks once
// more, for what was on its way when the stop came and is tried again.

// Paid reports whether each text in this conversation costs money.
func (t *Turn) Paid() bool { return t.caps.Paid }

// ReachFor is Reach for what is about a topic ("" for none): addresses that
// stopped it are left out.
func ReachFor(ctx context.Context, q *db.Queries, topic string, persons []int64, cameBy int64, tried ...int64) ([]db.ReachRow, error) {
	list, err := Reach(ctx, q, persons, cameBy, tried...)
	if err != nil || topic == "" || len(list) == 0 {
		return list, err
	}
	addresses := make([]int64, len(list))
	for i, r := range list {
		addresses[i] = r.AddressID
	}
	stopped, err := q.StoppedFor(ctx, topic, addresses)
	if err != nil {
		return nil, fmt.Errorf("look who stopped a topic: %w", err)
	}
	return slices.DeleteFunc(list, func(r db.ReachRow) bool { return slices.Contains(stopped, r.AddressID) }), nil
}

// whyStopped is what the ledger says of a push to a number that wants none.
const whyStopped = "the number stopped this topic"

// stopped tells which of some addresses want no more pushes for a reason. Only
// numbers stop by topic.
func (g *Gateway) stopped(ctx context.Context, q *db.Queries, caps bots.Caps, reason string, addresses ...int64) ([]int64, error) {
	topic := g.Topics[reason]
	if topic == "" || !caps.Phone {
		return nil, nil
	}
	stopped, err := q.StoppedFor(ctx, topic, addresses)
	if err != nil {
		return nil, fmt.Errorf("look whether a topic was stopped: %w", err)
	}
	return stopped, nil
}

// bindStopped is the part of late binding that asks what numbers have stopped,
// once for each reason among the rows.
func (c *Channel) bindStopped(ctx context.Context, rows []db.ClaimOutboxRow, verdicts []verdict) {
	of := map[string][]int64{}
	for _, row := range rows {
		if row.Class == "push" {
			of[row.Reason] = append(of[row.Reason], row.AddressID)
		}
	}
	for reason, addresses := range of {
		stopped, err := c.g.stopped(ctx, c.g.DB.Queries, c.adapter.Caps(), reason, addresses...)
		for i, row := range rows {
			switch {
			case row.Class != "push" || row.Reason != reason:
			case err != nil:
				verdicts[i].err = err
			case slices.Contains(stopped, row.AddressID):
				verdicts[i].why = whyStopped
			}
		}
	}
}
