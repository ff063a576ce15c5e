package jobs

import (
	"context"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Code says a one-time code. It was asked for a moment ago, so neither quiet
// hours nor a dialogue hold it up.
func Code(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueCode, Workers: 4,
		Target: func(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
			id, err := due.SubjectID("address")
			if err != nil {
				return 0, err
			}
			return db.ConversationOfAddress(ctx, id)
		},
		Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			c, err := data[workorder.CodeDue](due)
			if err != nil {
				return gateway.Outcome{}, err
			}
			digits, err := t.Open(workorder.SealCode, c.Digits)
			if err != nil {
				return gateway.Outcome{}, err
			}
			t.Class = scheduler.Urgent // somebody waits for it
			return gateway.Done, t.Tell(workorder.DueCode, due.Subject, 0, "code.send", map[string]string{
				"digits": digits, "minutes": strconv.Itoa(int(d.Orders.Rights.Code.Valid / time.Minute)),
			})
		},
	}
}
