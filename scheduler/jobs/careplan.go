package jobs

import (
	"context"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
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
	if err := d.Care.Replan(ctx, t, beds); err != nil {
		return cursor, false, err
	}
	if len(beds) < careChunk {
		return cursor, true, nil
	}
	return strconv.FormatInt(beds[len(beds)-1], 10), false, nil
}
