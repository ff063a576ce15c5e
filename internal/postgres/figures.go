package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/figures"
)

// AddFigures writes rows of figures by COPY.
func (t *Tx) AddFigures(ctx context.Context, rows []figures.Row) error {
	columns := []string{"ticket_id", "part", "month", "at", "unit", "area", "matter", "m", "work", "clock", "rated_at", "rated_by", "rated_own"}
	_, err := t.conn.CopyFrom(ctx, pgx.Identifier{"figure"}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		r := &rows[i]
		return []any{
			r.Ticket, r.Part, r.Month, r.At, r.Unit, r.Area, r.Matter, r.Sums[:], r.Work, r.Clock, at(r.RatedAt), r.RatedBy, r.RatedOwn,
		}, nil
	}))
	if err != nil {
		return fmt.Errorf("copy figures: %w", err)
	}
	return nil
}
