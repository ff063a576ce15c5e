package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Tasks about no single ticket: what looks like one case, a special topic that
// is proposed, a grid to be walked ahead of a season.

// taskSubject is where a task about no ticket is, as the rights see it.
func taskSubject(row db.Task) people.Subject {
	if people.AreaKind(row.AreaKind) == people.AreaGrid {
		return people.Subject{Division: string(people.GridCode(row.Area).Village()), Grid: row.Area}
	}
	return people.Subject{Division: row.Area}
}

// manySheet is what one must know to do such a task, empty for others.
func (s *Set) manySheet(ctx context.Context, t *gateway.Turn, e *errand) (string, error) {
	p := maps.Clone(e.data)
	switch e.task.Kind {
	case workorder.TaskPatrol:
	case workorder.TaskMerge:
		lines, err := s.caseLines(ctx, t, e)
		if err != nil {
			return "", err
		}
		p["lines"] = lines
	case workorder.TaskTopic:
		k, err := t.GetTopic(ctx, e.topic())
		if err != nil {
			return "", fmt.Errorf("load a topic: %w", err)
		}
		p["usual"], p["days"] = strconv.FormatFloat(k.Usual, 'f', 1, 64), strconv.Itoa(s.Orders.Topics.Topic.Days)
		if k.Why == ticket.TopicRise {
			p["days"] = strconv.Itoa(s.Orders.Topics.Rise.Days)
		}
		if p["why"], err = t.Text("topic.why."+k.Why, p); err != nil {
			return "", err
		}
	default:
		return "", nil
	}
	return t.Text("task.sheet."+e.task.Kind, p)
}

func (e *errand) topic() int64 {
	id, err := strconv.ParseInt(e.data[workorder.DataTopic], 10, 64)
	if err != nil { // no topic has it
		return 0
	}
	return id
}

// tickets are the ids that a task names, the oldest first.
func (e *errand) tickets() []int64 {
	var ids []int64
	for _, part := range strings.Split(e.data[workorder.DataTickets], ",") {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// caseLines is one line for each ticket that looks like the case, as the
// dispatcher may see it.
func (s *Set) caseLines(ctx context.Context, t *gateway.Turn, e *errand) (string, error) {
	var lines []string
	for _, id := range e.tickets() {
		o, err := s.Orders.Load(ctx, t, id, false)
		if err != nil {
			return "", err
		}
		if !o.Shared() || !s.Orders.May(e.staff, people.MayDispatchTicket, o, t.Now) {
			continue // made private, or passed on, since
		}
		words, err := s.Orders.Words(o)
		if err != nil {
			return "", err
		}
		gist, err := s.Orders.Gist(t, o)
		if err != nil {
			return "", err
		}
		gist["place"], gist["words"] = o.Place.Label, words
		line, err := t.Text("gather.line", gist)
		if err != nil {
			return "", err
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), nil
}

// mergeCase decides on what looks like one case: everything goes behind the
// oldest ticket, or stays as it is. What has moved on since is left out.
func (s *Set) mergeCase(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "merge")
	if err != nil || failed != nil {
		return failed, err
	}
	if text(args, "verdict") != "merge" {
		return result{"merged": 0, "number": ""}, e.done(ctx, t, "not_one_case")
	}
	ids := e.tickets()
	if len(ids) < 2 {
		return nil, errors.New("a task to merge names fewer than two tickets")
	}
	var children []int64
	for _, id := range ids[1:] {
		o, err := s.Orders.Load(ctx, t, id, false)
		if err != nil {
			return nil, err
		}
		if o.Shared() && s.Orders.May(e.staff, people.MayDispatchTicket, o, t.Now) {
			children = append(children, id)
		}
	}
	merged, _, err := s.Orders.MergeAll(ctx, t, e.as(ticket.AsDispatcher), children, ids[0])
	if err != nil {
		return nil, err
	}
	master, err := s.Orders.Load(ctx, t, ids[0], false)
	if err != nil {
		return nil, err
	}
	return result{"merged": len(merged), "number": master.Number.Spoken()}, e.done(ctx, t, "merged")
}

// patrolled ends a walk ahead of a season. What was seen and needs work is
// reported as a finding 巡查; here is only said that somebody looked.
func (s *Set) patrolled(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "patrol")
	if err != nil || failed != nil {
		return failed, err
	}
	words, photos := text(args, "words"), slices.Concat(list(args, "photo"), list(args, "photos"))
	if words == "" {
		return nil, errors.New("task.patrolled needs words: what was seen")
	}
	if err := s.keepWalk(ctx, t, e, words, photos); err != nil {
		return nil, err
	}
	data := map[string]any{"task": e.task.ID, "photos": len(photos)}
	if err := t.Record(ctx, "patrol.done", e.task.Subject, data, words); err != nil {
		return nil, err
	}
	return result{"area": e.data["area"]}, e.done(ctx, t, "patrolled")
}

// keepWalk keeps what was seen on a walk, sealed, with its task.
func (s *Set) keepWalk(ctx context.Context, t *gateway.Turn, e *errand, said string, photos []string) error {
	e.data["words"], e.data["photos"] = said, strings.Join(photos, ",")
	body, err := json.Marshal(e.data)
	if err != nil {
		return fmt.Errorf("pack a task: %w", err)
	}
	if err := t.SetTaskData(ctx, e.task.ID, t.Seal(workorder.SealTask, string(body))); err != nil {
		return fmt.Errorf("keep what was seen: %w", err)
	}
	return nil
}
