package workorder

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// Kinds of task about several tickets.
const (
	TaskMerge  = "merge"  // a dispatcher looks whether tickets are one case 并单建议
	TaskTopic  = "topic"  // a dispatcher decides on a special topic 专项建议
	TaskPatrol = "patrol" // a grid is walked ahead of a season 未诉先办
)

// Data of such tasks, beside matter, area and count for their line.
const (
	DataTickets = "tickets" // ids, separated by commas, the oldest first
	DataTopic   = "topic"   // id
	DataMonth   = "month"   // 1 to 12
	DataLines   = "lines"   // what to look for
)

// Kinds of due row that follow from topics. Package scheduler/jobs runs them.
const (
	// DueTopicTold tells one reporter what came of a topic: subject "person:ID",
	// key "topic/ID", data TopicTold.
	DueTopicTold = "topic.told"
	// DueTopicCompare counts before and after: subject "topic:ID".
	DueTopicCompare = "topic.compare"
)

// The associated data under which the texts of a topic are sealed.
const (
	sealPlan    = "topic.plan"
	sealOutcome = "topic.outcome"
)

// TopicTold is the data of a DueTopicTold row.
type TopicTold struct {
	Topic  int64 `json:"topic"`
	Ticket int64 `json:"ticket"`
}

// Owner is who answers for a topic: a unit, or one of the staff.
type Owner struct {
	Unit  string
	Staff int64
}

// TopicSubject names a topic in due rows and the trail.
func TopicSubject(id int64) string { return postgres.Subject("topic", id) }

// AddAreaTask lays a task that is about no single ticket before the people of a
// role in an area.
func (s *Service) AddAreaTask(ctx context.Context, t *gateway.Turn, kind, subject string, role people.Role, a people.Area, due time.Time, data map[string]string) error {
	p := db.AddTaskParams{Kind: kind, Subject: subject, Role: string(role), Area: a.Code, AreaKind: string(a.Kind)}
	if !due.IsZero() {
		p.DueAt = &due
	}
	return s.addTask(ctx, t, p, 0, data)
}

// OpenTopic makes a topic of a proposal and links what belongs to it.
func (s *Service) OpenTopic(ctx context.Context, t *gateway.Turn, id, by int64, owner Owner, plan string) error {
	p := db.DecideTopicParams{ID: id, State: "open", OwnerUnit: owner.Unit, Plan: t.Seal(sealPlan, plan), DecidedBy: &by}
	if owner.Staff != 0 {
		p.OwnerStaff = &owner.Staff
	}
	if err := t.DecideTopic(ctx, p); err != nil {
		return fmt.Errorf("open a topic: %w", err)
	}
	if err := t.Record(ctx, "topic.opened", TopicSubject(id), map[string]any{"unit": owner.Unit, "staff": owner.Staff}, plan); err != nil {
		return err
	}
	return s.LinkTopic(ctx, t, id)
}

// DeclineTopic ends a proposal.
func (s *Service) DeclineTopic(ctx context.Context, t *gateway.Turn, id, by int64) error {
	if err := t.DecideTopic(ctx, db.DecideTopicParams{ID: id, State: "declined", DecidedBy: &by}); err != nil {
		return fmt.Errorf("decline a topic: %w", err)
	}
	return t.Record(ctx, "topic.declined", TopicSubject(id), nil, "")
}

// LinkTopic links the tickets of an open topic's matter and area that came since
// it was proposed, and in the days before that made it one. What is linked
// stays.
func (s *Service) LinkTopic(ctx context.Context, t *gateway.Turn, id int64) error {
	k, err := t.GetTopic(ctx, id)
	if err != nil {
		return fmt.Errorf("load a topic: %w", err)
	}
	if _, err := t.LinkTickets(ctx, id, k.ProposedAt.Add(-ticket.Days(s.Topics.Topic.Days))); err != nil {
		return fmt.Errorf("link the tickets of a topic: %w", err)
	}
	return nil
}

// CloseTopic ends an open topic and plans that every reporter behind its tickets
// is told, each person once, and that before and after are compared. Tickets
// stay as they are: only the callback side closes them. told is how many people
// hear of it.
func (s *Service) CloseTopic(ctx context.Context, t *gateway.Turn, id, by int64, outcome string) (told int, err error) {
	if err := s.LinkTopic(ctx, t, id); err != nil {
		return 0, err
	}
	if err := t.CloseTopicRow(ctx, t.Seal(sealOutcome, outcome), &by, id); err != nil {
		return 0, fmt.Errorf("close a topic: %w", err)
	}
	if err := t.Record(ctx, "topic.closed", TopicSubject(id), nil, outcome); err != nil {
		return 0, err
	}
	rows, err := t.TopicReporters(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("find the reporters of a topic: %w", err)
	}
	plans := make([]gateway.Plan, 0, len(rows)+1)
	for _, r := range rows {
		plans = append(plans, gateway.Plan{
			Kind: DueTopicTold, Subject: postgres.Subject("person", r.Person), Key: "topic/" + strconv.FormatInt(id, 10), Person: r.Person,
			At: t.Now, Data: TopicTold{Topic: id, Ticket: r.Ticket},
		})
	}
	plans = append(plans, gateway.Plan{
		Kind: DueTopicCompare, Subject: TopicSubject(id), At: t.Now.Add(ticket.Days(s.Topics.Compare.Days)), Data: struct{}{},
	})
	return len(rows), t.PlanDue(ctx, plans...)
}

// TopicTexts opens the plan of a topic and what is told of its outcome.
func (s *Service) TopicTexts(k db.Topic) (plan, outcome string, err error) {
	if plan, err = s.unseal(sealPlan, k.Plan); err != nil {
		return "", "", err
	}
	outcome, err = s.unseal(sealOutcome, k.Outcome)
	return plan, outcome, err
}

// DivisionArea is a division as an area of the rights.
func DivisionArea(code string) people.Area {
	level, _ := people.DivisionCode(code).Level()
	return people.Area{Kind: people.AreaKind(level), Code: code}
}

// CountyOf is the county of a division, whose dispatchers decide on it.
func CountyOf(division string) people.Area {
	return DivisionArea(string(people.DivisionCode(division).At(people.LevelCounty)))
}

// Landmark opens the label of a place as others may read it: no door, no flat.
func (s *Service) Landmark(label []byte) (string, error) {
	place, err := s.unseal(sealLabel, label)
	return privacy.MaskAddress(place), err
}
