package workorder

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// LoadAll reads many orders at once, for a list: those that are there, by id.
func (s *Service) LoadAll(ctx context.Context, t *gateway.Turn, ids []int64) (map[int64]*Order, error) {
	rows, err := t.TicketsByIDs(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load tickets: %w", err)
	}
	return s.Opened(ctx, t, rows)
}

// Opened makes orders of rows that were read already.
func (s *Service) Opened(ctx context.Context, t *gateway.Turn, rows []db.Ticket) (map[int64]*Order, error) {
	list, err := postgres.WithAssignments(ctx, t.Queries, rows)
	if err != nil {
		return nil, err
	}
	all := make(map[int64]*Order, len(list))
	for i := range list {
		if err := s.open(&list[i]); err != nil {
			return nil, err
		}
		all[list[i].ID] = &list[i]
	}
	return all, nil
}
