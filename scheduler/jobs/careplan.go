package jobs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// careChunk is how many beds one transaction of the planner goes over.
const careChunk = 200

// CarePlan settles what is over and plans the horizon of every bed, in chunks. The
// cursor is the last bed.
func CarePlan(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "care.plan", Run: d.carePlan}
}

func (d Deps) carePlan(ctx context.Context, t *gateway.Turn, _ gateway.Slot, cursor string) (next string, done bool, err error) {
	var after int64
	if cursor != "" {
		if after, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return cursor, false, fmt.Errorf("read the cursor %q: %w", cursor, err)
		}
	}
	beds, err := t.BedsToPlan(ctx, after, careChunk)
	if err != nil {
		return cursor, false, fmt.Errorf("look which beds to plan: %w", err)
	}
	if err := d.planBeds(ctx, t, beds); err != nil {
		return cursor, false, err
	}
	if len(beds) < careChunk {
		return cursor, true, nil
	}
	return strconv.FormatInt(beds[len(beds)-1], 10), false, nil
}

// planBeds plans some beds together. When that fails, it plans each half by itself,
// down to the beds that fail alone: each of these is left to the administrators and
// holds up no other.
func (d Deps) planBeds(ctx context.Context, t *gateway.Turn, beds []int64) error {
	if len(beds) == 0 {
		return nil
	}
	failed, err := t.Apart(ctx, func() error { return d.Care.Replan(ctx, t, beds) })
	if err != nil || failed == nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("plan beds: %w", err)
	}
	if len(beds) == 1 {
		d.Log.Error("the visits of a bed could not be planned", "bed", beds[0], "error", failed)
		return d.Orders.AddCityTask(ctx, t, workorder.TaskUnplanned, homecare.BedSubject(beds[0]), people.RoleAdmin, time.Time{},
			map[string]string{"bed": strconv.FormatInt(beds[0], 10), "reason": workorder.TaskUnplanned})
	}
	for half := range slices.Chunk(beds, (len(beds)+1)/2) {
		if err := d.planBeds(ctx, t, half); err != nil {
			return err
		}
	}
	return nil
}
