package jobs

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// listChunk is for how many visitors one transaction of a list's slot job plans.
const listChunk = 200

// CareLists plans that each visitor and each desk hears in the evening what
// tomorrow holds, before the families are asked.
func CareLists(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "care.lists", Run: d.careLists(homecare.ListEvening)}
}

// CareUpdates plans that they hear once more that evening what the families said.
func CareUpdates(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "care.updates", Run: d.careLists(homecare.ListUpdate)}
}

// careLists goes over the visitors of the day after the slot; the cursor is the last
// of them. The desks come with the last chunk.
func (d Deps) careLists(what string) func(context.Context, *gateway.Turn, gateway.Slot, string) (string, bool, error) {
	return func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		var after int64
		if cursor != "" {
			var err error
			if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
				return cursor, false, fmt.Errorf("read the cursor %q: %w", cursor, err)
			}
		}
		day := scheduler.DateOf(slot.Nominal.In(d.Orders.Work.Location())).AddDays(1)
		list := homecare.ListDue{What: what, Day: day.String()}
		visitors, err := t.VisitorsOn(ctx, postgres.DayOf(day), after, listChunk)
		if err != nil {
			return cursor, false, fmt.Errorf("look who has visits on %s: %w", day, err)
		}
		for _, v := range visitors {
			if err := d.Care.PlanList(ctx, t, v.StaffID, list.Day, list); err != nil {
				return cursor, false, err
			}
			cursor = strconv.FormatInt(v.StaffID, 10)
		}
		if len(visitors) == listChunk {
			return cursor, false, nil
		}
		clinics, err := t.ClinicsOn(ctx, postgres.DayOf(day))
		if err != nil {
			return cursor, false, fmt.Errorf("look which clinics have visits on %s: %w", day, err)
		}
		return cursor, true, d.desksList(ctx, t, clinics, list)
	}
}

// desksList plans the list of some clinics for each of their desks.
func (d Deps) desksList(ctx context.Context, t *gateway.Turn, clinics []int64, list homecare.ListDue) error {
	for _, clinic := range clinics {
		desk, err := d.Care.DeskOf(ctx, t, clinic)
		if err != nil {
			return err
		}
		list.Clinic = clinic
		for _, staff := range desk {
			if err := d.Care.PlanList(ctx, t, staff, list.Day+"/"+strconv.FormatInt(clinic, 10), list); err != nil {
				return err
			}
		}
	}
	return nil
}

// CareRounds plans that each doctor, and each desk, hears on Monday which rounds the
// week holds and which are overdue.
func CareRounds(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "care.rounds", Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		day := scheduler.DateOf(slot.Nominal.In(d.Orders.Work.Location()))
		doctors, clinics, err := d.Care.RoundsFor(ctx, t, day)
		if err != nil {
			return cursor, false, err
		}
		list := homecare.ListDue{What: homecare.ListRounds, Day: day.String()}
		for _, staff := range doctors {
			if err := d.Care.PlanList(ctx, t, staff, list.Day, list); err != nil {
				return cursor, false, err
			}
		}
		return cursor, true, d.desksList(ctx, t, clinics, list)
	}}
}

// CareList tells one of the staff of visits.
func CareList(d Deps) gateway.Kind {
	return gateway.Kind{Name: homecare.DueList, Workers: 4, ClassOf: listClass, Target: staffOf, Run: d.careList}
}

// listClass lets what changed hands, and the update of the evening, through after the
// hours of families; the other lists wait for the morning.
func listClass(due gateway.Due) scheduler.Class {
	l, err := data[homecare.ListDue](due)
	if err == nil && slices.Contains([]string{homecare.ListGiven, homecare.ListTaken, homecare.ListUpdate}, l.What) {
		return scheduler.Urgent
	}
	return scheduler.Normal // Run says what is wrong with the row
}

func (d Deps) careList(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	l, err := data[homecare.ListDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	staff, err := due.SubjectID("staff")
	if err != nil {
		return gateway.Outcome{}, err
	}
	values, err := d.Care.ListText(ctx, t, staff, l)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if values == nil {
		return gateway.Dropped("there is nothing to list"), nil
	}
	return gateway.Done, t.Tell(due.Kind, due.Subject, 0, "ward.list."+l.What, values)
}

// careStaffFit is asked before a line of a ladder goes out to staff.
func (d Deps) careStaffFit(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
	return d.Care.FitStaff(ctx, tx, subject, int(version))
}
