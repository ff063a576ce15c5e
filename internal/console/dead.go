package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// maxDead bounds the messages that one page lists.
const maxDead = 200

// dead is a message that could not be done. Its words stay sealed: who replays
// it does not need them.
type dead struct {
	ID            int64
	Channel, Kind string
	At            time.Time
	Tries         int32
	Error         string
}

// mayReplay asks the right that the command line's replay stands for. Messages
// lie in the city as a whole.
func (c *Console) mayReplay(v *visit) bool {
	return c.Orders.Rights.May(v.staff, people.MayReplay, people.Subject{Division: workorder.CityCode}, v.Now)
}

// deadLetters lists the messages that were given up.
func (c *Console) deadLetters(ctx context.Context, v *visit) (answer, error) {
	if !c.mayReplay(v) {
		return answer{}, errNotHere
	}
	rows, err := v.DeadLetters(ctx, maxDead)
	if err != nil {
		return answer{}, fmt.Errorf("list dead letters: %w", err)
	}
	list := make([]dead, len(rows))
	for i, r := range rows {
		list[i] = dead{r.ID, r.Channel, r.Kind, r.ReceivedAt, r.Tries, r.Error}
	}
	return answer{page: "dead", data: list}, nil
}

// replay puts a message back to be done, and ends the task about it.
func (c *Console) replay(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	if !c.mayReplay(v) || id == 0 {
		return answer{}, errNotHere
	}
	n, err := v.ReplayDead(ctx, id)
	if err != nil {
		return answer{}, fmt.Errorf("replay a message: %w", err)
	}
	if n == 0 {
		return answer{}, errNotHere
	}
	subject := postgres.Subject("inbox", id)
	if err := v.Record(ctx, "message.replayed", subject, nil, ""); err != nil {
		return answer{}, err
	}
	row, err := v.TaskBy(ctx, workorder.TaskDead, subject)
	if errors.Is(err, postgres.ErrNoRows) {
		return answer{to: "/desk/dead"}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("find the task of a message: %w", err)
	}
	return answer{to: "/desk/dead"}, c.ended(ctx, v, row, "replayed")
}
