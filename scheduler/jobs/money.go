package jobs

import (
	"context"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// reasonMoney is the reason of lines about the money of the day.
const reasonMoney = "money.day"

// Overspent tells the administrators that the money of the day for messages is
// nearly gone, and that it is gone and messages are kept back: each once a day,
// however often it is called. That it is gone cannot wait for the morning.
func Overspent(d Deps) func(context.Context, *gateway.Turn, gateway.Spent) error {
	return func(ctx context.Context, t *gateway.Turn, s gateway.Spent) error {
		to, err := onDuty(ctx, t, people.RoleAdmin, workorder.CityCode)
		if err != nil {
			return err
		}
		l := line{
			Reason: reasonMoney, Key: "money.near", Class: scheduler.Normal,
			Params: map[string]string{"limit": strconv.Itoa(s.Limit)},
		}
		if s.Full {
			l.Key, l.Class = "money.full", scheduler.Urgent
		}
		for _, id := range to {
			l.Subject = postgres.Subject("staff", id)
			due := gateway.Due{Kind: reasonMoney, Subject: l.Subject, Key: s.Day + "/" + l.Key}
			if err := tell(ctx, t, due, l, []int64{id}); err != nil {
				return err
			}
		}
		return nil
	}
}
