package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// DueDigest is one staff member's morning figures: subject "staff:ID", key the
// day.
const DueDigest = "digest"

// digestChunk is how many staff one transaction of the slot job plans for.
const digestChunk = 500

// Digests plans the digest of everybody who has something open, and of every
// board. Who has nothing hears nothing.
func Digests(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: DueDigest, Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		var after int64
		if cursor != "" {
			var err error
			if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
				return cursor, false, fmt.Errorf("read the cursor %q: %w", cursor, err)
			}
		}
		staff, err := t.StaffWithWork(ctx, after, digestChunk)
		if err != nil {
			return cursor, false, fmt.Errorf("find who has something open: %w", err)
		}
		day := scheduler.DateOf(slot.Nominal.In(d.Orders.Work.Location()))
		for _, id := range staff {
			err := t.PlanDue(ctx, gateway.Plan{
				Kind: DueDigest, Subject: postgres.Subject("staff", id), Key: day.String(), At: t.Now, NotAfter: slot.Due.Add(digestUntil),
			})
			if err != nil {
				return cursor, false, err
			}
			cursor = strconv.FormatInt(id, 10)
		}
		if len(staff) == digestChunk {
			return cursor, false, nil
		}
		return cursor, true, d.boardDigests(ctx, t, slot)
	}}
}

// digestUntil is how late a digest still means something; the schedule says the
// same of the slot.
const digestUntil = 6 * time.Hour

// Digest says what lies on one desk this morning.
func Digest(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueDigest, Workers: 4, Class: scheduler.Normal, Target: staffOf, Run: d.digest}
}

func (d Deps) digest(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("staff")
	if err != nil {
		return gateway.Outcome{}, err
	}
	loc := d.Orders.Work.Location()
	load, err := t.StaffLoad(ctx, scheduler.DateOf(t.Now.In(loc)).AddDays(1).At(0, loc), id, workorder.StandIn())
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("count what is open: %w", err)
	}
	if load.Open == 0 {
		return gateway.Dropped("nothing is open"), nil
	}
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return gateway.Done, t.Tell(DueDigest, due.Subject, 0, "digest.morning", map[string]string{
		"open": n(load.Open), "today": n(load.Today), "overdue": n(load.Overdue),
	})
}
