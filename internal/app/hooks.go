package app

import (
	"context"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// taskDead tells the administrators of an event that was given up.
func (h *House) taskDead(ctx context.Context, t *gateway.Turn, subject string) error {
	return h.Orders.AddCityTask(ctx, t, workorder.TaskDead, subject, people.RoleAdmin, time.Time{}, map[string]string{
		"conversation": strconv.FormatInt(t.Conversation, 10),
	})
}
