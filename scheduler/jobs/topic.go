package jobs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

const (
	// mattersAtOnce is how many matters one transaction of the scan looks at.
	mattersAtOnce = 8
	// mergedAtOnce is how many tickets one suggestion names: as many as one
	// transaction merges in a moment. The others come with the next.
	mergedAtOnce = 20
)

// Topics looks through every matter (configs/policies/topics.yaml): what looks
// like one case is suggested to be merged, what comes often or unusually often
// is proposed as a special topic, and running topics get their new tickets. The
// cursor is the last matter that was looked at.
func Topics(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "topics", Run: func(ctx context.Context, t *gateway.Turn, _ gateway.Slot, cursor string) (string, bool, error) {
		matters := d.Orders.Matters.All()
		from := slices.IndexFunc(matters, func(m ticket.Matter) bool { return m.Code == cursor }) + 1
		to := min(from+mattersAtOnce, len(matters))
		past, err := d.windowsBehind(ctx, t)
		if err != nil {
			return cursor, false, err
		}
		for _, m := range matters[from:to] {
			if m.Sensitive || m.Code == ticket.OtherMatter { // what fits nowhere has nothing in common
				continue
			}
			if err := d.scan(ctx, t, m, past); err != nil {
				return cursor, false, fmt.Errorf("look through matter %s: %w", m.Code, err)
			}
		}
		return matters[to-1].Code, to == len(matters), nil
	}}
}

// windowsBehind is how many whole windows of the rise the city has behind it.
func (d Deps) windowsBehind(ctx context.Context, t *gateway.Turn) (int, error) {
	first, err := t.FirstTicket(ctx)
	if err != nil {
		return 0, fmt.Errorf("look how far the past goes: %w", err)
	}
	return int(t.Now.Sub(first) / ticket.Days(d.Orders.Topics.Rise.Days)), nil
}

func (d Deps) scan(ctx context.Context, t *gateway.Turn, m ticket.Matter, past int) error {
	p := d.Orders.Topics
	rows, err := t.Spots(ctx, m.Code, t.Now.Add(-ticket.Days(p.Cluster.Days)))
	if err != nil {
		return fmt.Errorf("read its tickets: %w", err)
	}
	for _, c := range p.Clusters(spots(rows), t.Now) {
		if err := d.suggestMerge(ctx, t, m, c); err != nil {
			return err
		}
	}
	known, err := t.TopicsOf(ctx, m.Code, t.Now.Add(-ticket.Days(p.Topic.Again)))
	if err != nil {
		return fmt.Errorf("read its topics: %w", err)
	}
	var live, resting []string
	for _, k := range known {
		switch k.State {
		case "open":
			if err := d.Orders.LinkTopic(ctx, t, k.ID); err != nil {
				return err
			}
			live = append(live, k.Area)
		case "proposed":
			live = append(live, k.Area)
		default:
			resting = append(resting, k.Area)
		}
	}
	counts, err := d.counts(ctx, t, m, past)
	if err != nil {
		return err
	}
	for _, idea := range p.Ideas(counts, live, resting) {
		if err := d.proposeTopic(ctx, t, m, idea); err != nil {
			return err
		}
	}
	return nil
}

func spots(rows []db.SpotsRow) []ticket.Spot {
	list := make([]ticket.Spot, len(rows))
	for i, r := range rows {
		list[i] = ticket.Spot{
			ID: r.ID, Reporter: r.ReporterID, Received: r.ReceivedAt, State: ticket.State(r.State),
			Place: ticket.PlaceRef{Division: r.Division, Grid: r.Grid, PlaceID: r.PlaceID},
		}
		if r.Lat != nil && r.Lon != nil {
			list[i].At = &people.LatLon{Lat: *r.Lat, Lon: *r.Lon}
		}
	}
	return list
}

// counts are the tickets of a matter by division, lately and by window. Without
// as many windows behind it as the rise needs the city has no past to compare.
func (d Deps) counts(ctx context.Context, t *gateway.Turn, m ticket.Matter, past int) ([]ticket.AreaCount, error) {
	p := d.Orders.Topics
	windows := 1
	if past > p.Rise.Windows {
		windows += p.Rise.Windows
	}
	lately := t.Now.Add(-ticket.Days(p.Topic.Days))
	since := t.Now.Add(-ticket.Days(windows * p.Rise.Days))
	if lately.Before(since) {
		since = lately
	}
	rows, err := t.WindowCounts(ctx, db.WindowCountsParams{Days: int32(p.Rise.Days), Lately: lately, Matter: m.Code, Since: since})
	if err != nil {
		return nil, fmt.Errorf("count its tickets: %w", err)
	}
	var counts []ticket.AreaCount
	for _, r := range rows {
		if n := len(counts); n == 0 || counts[n-1].Division != r.Division {
			counts = append(counts, ticket.AreaCount{Division: r.Division, Windows: make([]int, windows)})
		}
		c := &counts[len(counts)-1]
		c.Lately += int(r.Lately)
		if int(r.Back) < windows {
			c.Windows[r.Back] = int(r.N)
		}
	}
	return counts, nil
}

// suggestMerge lays a case before the dispatchers of its county, once.
func (d Deps) suggestMerge(ctx context.Context, t *gateway.Turn, m ticket.Matter, c ticket.Cluster) error {
	key := m.Code + "/" + strconv.FormatInt(c.Others[0].ID, 10)
	if n, err := t.Suggest(ctx, "merge", key); err != nil {
		return fmt.Errorf("note a suggestion: %w", err)
	} else if n == 0 {
		return nil
	}
	ids := []string{strconv.FormatInt(c.Master.ID, 10)}
	for _, o := range c.Others[:min(len(c.Others), mergedAtOnce)] {
		ids = append(ids, strconv.FormatInt(o.ID, 10))
	}
	village := c.Master.Place.Division
	return d.areaTask(ctx, t, workorder.TaskMerge, "merge/"+key, village, map[string]string{
		"matter": m.Name, "count": strconv.Itoa(c.Reporters), workorder.DataTickets: strings.Join(ids, ","),
	})
}

// proposeTopic lays a topic before the dispatchers of its county, once.
func (d Deps) proposeTopic(ctx context.Context, t *gateway.Turn, m ticket.Matter, idea ticket.TopicIdea) error {
	n, err := t.ProposeTopic(ctx, db.ProposeTopicParams{
		Matter: m.Code, Area: idea.Area, Why: idea.Why, Found: int32(idea.Count), Usual: idea.Usual,
	})
	if err != nil {
		return fmt.Errorf("propose a topic: %w", err)
	}
	if n == 0 {
		return nil
	}
	id, err := t.ProposedTopic(ctx, m.Code, idea.Area)
	if err != nil {
		return fmt.Errorf("load a proposal: %w", err)
	}
	return d.areaTask(ctx, t, workorder.TaskTopic, workorder.TopicSubject(id), idea.Area, map[string]string{
		"matter": m.Name, "count": strconv.Itoa(idea.Count), workorder.DataTopic: strconv.FormatInt(id, 10),
	})
}

// areaTask adds a task for the dispatchers of the county of a division.
func (d Deps) areaTask(ctx context.Context, t *gateway.Turn, kind, subject, division string, data map[string]string) error {
	var err error
	if data["area"], err = d.Orders.AreaName(ctx, t.Queries, workorder.DivisionArea(division)); err != nil {
		return err
	}
	return d.Orders.AddAreaTask(ctx, t, kind, subject, people.RoleDispatcher, workorder.CountyOf(division), time.Time{}, data)
}
