package jobs

import (
	"context"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// TopicTold tells one reporter what came of a special topic: once, however many
// tickets they have in it. The tickets stay as they are. Where nobody can be
// written to, a callback clerk rings.
func TopicTold(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueTopicTold, Workers: 4, Class: scheduler.Normal, Run: d.topicTold,
		Target: func(ctx context.Context, q *postgres.DB, due gateway.Due) (int64, error) {
			told, err := data[workorder.TopicTold](due)
			if err != nil {
				return 0, err
			}
			k, err := q.GetTicket(ctx, told.Ticket)
			if err != nil {
				return 0, fmt.Errorf("load a ticket: %w", err)
			}
			return best(gateway.ReachFor(ctx, q.Queries, d.Topics[due.Kind], []int64{k.ReporterID}, k.AddressID))
		},
		Lost: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			told, err := data[workorder.TopicTold](due)
			if err != nil {
				return gateway.Outcome{}, err
			}
			o, err := d.Orders.Load(ctx, t, told.Ticket, false)
			if err != nil {
				return gateway.Outcome{}, err
			}
			subject := "topic/" + workorder.Subject(o.ID)
			err = d.Orders.AddTaskOn(ctx, t, o, workorder.TaskLost, subject, people.RoleCallbackClerk, map[string]string{"reason": "notice"})
			return gateway.Dropped(gateway.ErrNoAddress.Error()), err
		},
	}
}

func (d Deps) topicTold(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	told, err := data[workorder.TopicTold](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	k, err := t.GetTopic(ctx, told.Topic)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load a topic: %w", err)
	}
	o, err := d.Orders.Load(ctx, t, told.Ticket, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if o.State == ticket.Withdrawn {
		return gateway.Dropped("the ticket was withdrawn"), nil
	}
	_, outcome, err := d.Orders.TopicTexts(k)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Tell(workorder.DueTopicTold, due.Subject, 0, "notice.topic", map[string]string{
		"number": o.Number.Spoken(), "matter": d.matter(o), "words": outcome,
	})
}

// personWants: the person of subject "person:ID" has not asked for silence.
func personWants(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	stopped, err := tx.OptedOut(ctx, id, []string{topicAll})
	if err != nil {
		return false, "", fmt.Errorf("look whether the person wants to hear it: %w", err)
	}
	return !stopped, "the person wants no more messages", nil
}

// TopicCompare counts the tickets before a topic was opened and after it was
// closed, and tells its owner and the leaders.
func TopicCompare(d Deps) gateway.Kind {
	return gateway.Kind{Name: workorder.DueTopicCompare, Workers: 1, Run: d.compareTopic}
}

func (d Deps) compareTopic(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("topic")
	if err != nil {
		return gateway.Outcome{}, err
	}
	k, err := t.GetTopic(ctx, id)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load a topic: %w", err)
	}
	if k.ClosedAt == nil || k.DecidedAt == nil {
		return gateway.Dropped("the topic is " + k.State), nil
	}
	span := ticket.Days(d.Orders.Topics.Compare.Days)
	before, err := t.CountShared(ctx, db.CountSharedParams{Matter: k.Matter, Area: k.Area, Since: k.DecidedAt.Add(-span), Until: *k.DecidedAt})
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("count before a topic: %w", err)
	}
	after, err := t.CountShared(ctx, db.CountSharedParams{Matter: k.Matter, Area: k.Area, Since: *k.ClosedAt, Until: k.ClosedAt.Add(span)})
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("count after a topic: %w", err)
	}
	b, a := int32(before), int32(after)
	if err := t.CompareTopicRow(ctx, id, &b, &a); err != nil {
		return gateway.Outcome{}, fmt.Errorf("keep the counts of a topic: %w", err)
	}
	if err := t.Record(ctx, "topic.compared", due.Subject, map[string]any{"before": before, "after": after}, ""); err != nil {
		return gateway.Outcome{}, err
	}
	return d.tellCompared(ctx, t, due, k, before, after)
}

func (d Deps) tellCompared(ctx context.Context, t *gateway.Turn, due gateway.Due, k db.Topic, before, after int64) (gateway.Outcome, error) {
	county := workorder.CountyOf(k.Area)
	to, err := onDuty(ctx, t, people.RoleLeader, county.Code, workorder.CityCode)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if k.OwnerStaff != nil {
		to = append(to, *k.OwnerStaff)
	} else {
		unit, err := onDuty(ctx, t, people.RoleHandler, k.OwnerUnit)
		if err != nil {
			return gateway.Outcome{}, err
		}
		to = append(to, unit...)
	}
	area, err := d.Orders.AreaName(ctx, t.Queries, workorder.DivisionArea(k.Area))
	if err != nil {
		return gateway.Outcome{}, err
	}
	m, _ := d.Orders.Matters.Get(k.Matter)
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	return gateway.Done, tell(ctx, t, due, line{
		Reason: workorder.DueTopicCompare, Subject: due.Subject, Key: "topic.compared", Class: scheduler.Normal,
		Params: map[string]string{
			"topic": n(k.ID), "matter": m.Name, "area": area, "before": n(before), "after": n(after),
			"days": strconv.Itoa(d.Orders.Topics.Compare.Days),
		},
	}, to)
}

// stillClosed: the topic of subject "topic:ID" was not opened again.
func stillClosed(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	k, err := tx.GetTopic(ctx, id)
	if err != nil {
		return false, "", fmt.Errorf("load %s: %w", subject, err)
	}
	return k.State == "closed", "the topic is " + k.State, nil
}
