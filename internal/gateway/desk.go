package gateway

import (
	"context"
	"fmt"

	"shaoying/internal/postgres"
)

// Desk runs f as a turn of a member of the staff who works outside any chat,
// at the desk page: the transaction and product time, but no conversation to
// speak into. What f wakes is woken after the commit. f may be run again when
// PostgreSQL says that others pushed the transaction out, with a new turn each
// time; nothing that a failed run woke is heard.
func (g *Gateway) Desk(ctx context.Context, staffID, personID int64, f func(ctx context.Context, t *Turn) error) error {
	var last *Turn
	err := g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := tx.ProductNow(ctx)
		if err != nil {
			return fmt.Errorf("read the product clock: %w", err)
		}
		last = &Turn{Tx: tx, Now: now, Wall: now, Staff: staffID, Person: personID, g: g}
		return f(ctx, last)
	})
	if err != nil {
		return err
	}
	for topic := range last.wake {
		g.Bus.Wake(topic)
	}
	return nil
}
