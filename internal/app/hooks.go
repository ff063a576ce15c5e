package app

import (
	"context"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// taskDead tells the administrators of an event that was given up.
func (h *House) taskDead(ctx context.Context, t *gateway.Turn, subject string) error {
	return h.Orders.AddCityTask(ctx, t, workorder.TaskDead, subject, people.RoleAdmin, time.Time{}, conversationOf(t))
}

// taskLost tells the callback clerks of a message that no address took (R16).
func (h *House) taskLost(ctx context.Context, t *gateway.Turn, class string) error {
	data := conversationOf(t)
	data["class"] = class
	return h.Orders.AddCityTask(ctx, t, workorder.TaskLost, postgres.Subject("conversation", t.Conversation), people.RoleCallbackClerk, time.Time{}, data)
}

func conversationOf(t *gateway.Turn) map[string]string {
	return map[string]string{"conversation": strconv.FormatInt(t.Conversation, 10)}
}
