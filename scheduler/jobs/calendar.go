package jobs

import (
	"context"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// reasonCalendar is the reason of lines about the end of the calendar.
const reasonCalendar = "calendar.check"

// CalendarCheck tells the administrators when the last year with an official
// notice of days off runs out: beyond it, weekends and fixed dates are a guess.
func CalendarCheck(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: reasonCalendar, Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		end, warn := d.Orders.Work.Calendar().Coverage(t.Now.In(d.Orders.Work.Location()), d.WarnDays)
		if !warn {
			return cursor, true, nil
		}
		to, err := onDuty(ctx, t, people.RoleAdmin, workorder.CityCode)
		if err != nil {
			return cursor, false, err
		}
		for _, id := range to {
			subject := postgres.Subject("staff", id)
			due := gateway.Due{Kind: reasonCalendar, Subject: subject, Key: scheduler.DateOf(slot.Nominal).String()}
			l := line{Reason: reasonCalendar, Subject: subject, Key: "calendar.ends", Params: map[string]string{"end": end.String()}, Class: scheduler.Normal}
			if err := tell(ctx, t, due, l, []int64{id}); err != nil {
				return cursor, false, err
			}
		}
		return cursor, true, nil
	}}
}
