package jobs

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// seasonChunk is how many rows of grid and matter one transaction plans for.
const seasonChunk = 500

// Season makes patrol tasks for the month to come of what came in the same month
// of last year, one for each grid: 未诉先办. The cursor is the last grid.
func Season(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "season", Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		now := slot.Nominal.In(d.Orders.Work.Location())
		month := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, now.Location())
		rows, err := t.SeasonCounts(ctx, db.SeasonCountsParams{
			Since: month.AddDate(-1, 0, 0), Until: month.AddDate(-1, 1, 0), After: cursor,
			Least: int32(d.Orders.Topics.Season.Tickets), MaxRows: seasonChunk,
		})
		if err != nil {
			return cursor, false, fmt.Errorf("count what came a year ago: %w", err)
		}
		done := len(rows) < seasonChunk
		for i := 0; i < len(rows); {
			n := i + 1
			for n < len(rows) && rows[n].Grid == rows[i].Grid {
				n++
			}
			if n == len(rows) && !done && i > 0 { // may go on in the next chunk
				break
			}
			if err := d.patrol(ctx, t, month, rows[i:n]); err != nil {
				return cursor, false, err
			}
			cursor, i = rows[i].Grid, n
		}
		return cursor, done, nil
	}}
}

// patrol lays before the people of a grid what to look for, once a month.
func (d Deps) patrol(ctx context.Context, t *gateway.Turn, month time.Time, rows []db.SeasonCountsRow) error {
	grid := rows[0].Grid
	key := grid + "/" + month.Format("2006-01")
	if n, err := t.Suggest(ctx, "patrol", key); err != nil {
		return fmt.Errorf("note a patrol: %w", err)
	} else if n == 0 {
		return nil
	}
	var names, lines []string
	for _, r := range rows[:min(len(rows), d.Orders.Topics.Season.Matters)] {
		m, ok := d.Orders.Matters.Get(r.Matter)
		if !ok {
			continue // a matter that is no more
		}
		said, err := d.Library.Text("patrol.line", t.Lang, map[string]string{"matter": m.Name, "count": strconv.FormatInt(r.N, 10)})
		if err != nil {
			return err
		}
		names, lines = append(names, m.Name), append(lines, said)
	}
	if len(names) == 0 {
		return nil
	}
	area := people.Area{Kind: people.AreaGrid, Code: grid}
	name, err := d.Orders.AreaName(ctx, t.Queries, area)
	if err != nil {
		return err
	}
	return d.Orders.AddAreaTask(ctx, t, workorder.TaskPatrol, "patrol/"+key, people.RoleGridWorker, area, month.AddDate(0, 1, 0), map[string]string{
		"area": name, "matter": strings.Join(names, "、"), workorder.DataMonth: strconv.Itoa(int(month.Month())), workorder.DataLines: strings.Join(lines, "\n"),
	})
}
