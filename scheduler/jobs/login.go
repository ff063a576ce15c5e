package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// Why a task of kind TaskLogin lies there: texts wait.*.
const (
	loginScan    = "login_scan"
	loginRefused = "login_refused"
)

// LoggedOut lays an account that is out before the administrators, one task an
// outage, which says what to do. The task ends by itself when the account is back.
func LoggedOut(d Deps) func(context.Context, *gateway.Turn, gateway.Account) error {
	return func(ctx context.Context, t *gateway.Turn, a gateway.Account) error {
		subject := "channel:" + string(a.Channel)
		if a.Out {
			reason := loginRefused
			if a.Scan {
				reason = loginScan
			}
			return d.Orders.AddCityTask(ctx, t, workorder.TaskLogin, subject, people.RoleAdmin, time.Time{},
				map[string]string{"channel": string(a.Channel), "reason": reason})
		}
		row, err := t.TaskBy(ctx, workorder.TaskLogin, subject)
		if errors.Is(err, postgres.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for the task about an account: %w", err)
		}
		if err := t.EndTask(ctx, row.ID, "back", nil); err != nil {
			return fmt.Errorf("end the task about an account: %w", err)
		}
		return nil
	}
}
