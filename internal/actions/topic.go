package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Special topics 专项. Who decides and who looks follows from the rights; its
// owner sees and closes its own.

// listedTopics bounds what a list of topics is made from.
const listedTopics = 60

// topicActions are what dispatchers, owners and grid workers do with many
// tickets at once.
func (s *Set) topicActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"task.merge":     s.mergeCase,
		"task.patrolled": s.patrolled,
		"topic.owner":    s.findOwner,
		"topic.decide":   s.decideTopic,
		"topic.show":     s.showTopic,
		"topic.hold":     s.holdTopic,
		"topic.close":    s.closeTopic,
	}
}

func topicDocs(gist []string) map[string]flows.ActionDoc {
	return map[string]flows.ActionDoc{
		"task.merge":     {Results: []string{"merged", "number"}},
		"task.patrolled": {Results: []string{"area"}},
		"topic.owner":    {Results: gist},
		"topic.decide":   {Results: []string{"topic", "tickets", "reporters"}},
		"topic.show":     {Results: []string{"count", "lines"}},
		"topic.hold":     {Results: []string{"topic", "reporters", "matter", "area", "rest"}},
		"topic.close":    {Results: []string{"told", "days"}},
	}
}

// ownerValue is an owner as the value of an option: "urban_management|0", "|17".
func ownerValue(o workorder.Owner) string {
	return o.Unit + "|" + strconv.FormatInt(o.Staff, 10)
}

func parseOwner(v string) (o workorder.Owner, ok bool) {
	unit, staff, ok := strings.Cut(v, "|")
	if !ok {
		return o, false
	}
	id, err := strconv.ParseInt(staff, 10, 64)
	return workorder.Owner{Unit: unit, Staff: id}, err == nil && (unit == "") != (id == 0)
}

// findOwner makes an owner of what the dispatcher wrote or chose.
func (s *Set) findOwner(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, map[string]any{"task": object(args, "vars")["task"]}, "topic")
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "desk.unknown"}, err
	}
	if o, ok := parseOwner(text(args, "value")); ok {
		label, err := s.ownerName(ctx, t, o)
		return result{"status": flows.StatusOK, "value": map[string]any{"owner": ownerValue(o), "label": label}}, err
	}
	options, err := s.ownersNamed(ctx, t, e, text(args, "text"))
	if err != nil {
		return nil, err
	}
	return resolved("owner", options, "topic.no_owner"), nil
}

// ownersNamed finds units and people by their name.
func (s *Set) ownersNamed(ctx context.Context, t *gateway.Turn, e *errand, said string) ([]any, error) {
	name := strings.TrimSpace(said)
	if len([]rune(name)) < 2 {
		return nil, nil
	}
	var options []any
	n := words.Normalize(name)
	for _, u := range s.Units.All() {
		if full := words.Normalize(u.Name); strings.Contains(full, n) || abbreviates(n, full) {
			options = append(options, option(ownerValue(workorder.Owner{Unit: u.Code}), u.Name))
		}
	}
	staff, err := t.StaffNamed(ctx, name, e.task.Area, maxTargets)
	if err != nil {
		return nil, fmt.Errorf("find staff by name: %w", err)
	}
	for _, p := range staff {
		options = append(options, option(ownerValue(workorder.Owner{Staff: p.ID}), p.Name))
	}
	return options, nil
}

func (s *Set) ownerName(ctx context.Context, t *gateway.Turn, o workorder.Owner) (string, error) {
	if o.Staff == 0 {
		return s.deskName(ctx, t, ticket.Desk{Kind: ticket.DeskUnit, Code: o.Unit})
	}
	p, err := t.GetStaff(ctx, o.Staff)
	if err != nil {
		return "", fmt.Errorf("load who leads a topic: %w", err)
	}
	return p.Name, nil
}

// owners offers the unit that leads the matter.
func (s *Set) owners(ctx context.Context, t *gateway.Turn, e *errand) ([]any, error) {
	k, err := t.GetTopic(ctx, e.topic())
	if err != nil {
		return nil, fmt.Errorf("load a topic: %w", err)
	}
	m, _ := s.Orders.Matters.Get(k.Matter)
	u, ok := s.Units.Get(m.Unit)
	if !ok {
		return nil, nil
	}
	return []any{option(ownerValue(workorder.Owner{Unit: u.Code}), u.Name)}, nil
}

// decideTopic opens the topic that was proposed, with an owner and a plan, or
// declines it.
func (s *Set) decideTopic(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, args, "topic")
	if err != nil || failed != nil {
		return failed, err
	}
	k, err := t.LockTopic(ctx, e.topic())
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return nil, fmt.Errorf("lock a topic: %w", err)
	}
	if err != nil || k.State != "proposed" {
		return fail("task.over"), nil
	}
	if text(args, "verdict") != "open" {
		if err := s.Orders.DeclineTopic(ctx, t, k.ID, e.staff.ID); err != nil {
			return nil, err
		}
		return result{"topic": k.ID}, e.done(ctx, t, "declined")
	}
	owner, ok := parseOwner(text(object(args, "owner"), "owner"))
	if !ok {
		return fail("topic.no_owner"), nil
	}
	if err := s.Orders.OpenTopic(ctx, t, k.ID, e.staff.ID, owner, text(args, "plan")); err != nil {
		return nil, err
	}
	counts, err := t.TopicCounts(ctx, k.ID)
	if err != nil {
		return nil, fmt.Errorf("count the tickets of a topic: %w", err)
	}
	return result{"topic": k.ID, "tickets": counts.Tickets, "reporters": counts.Reporters}, e.done(ctx, t, "opened")
}

// showTopic lists the topics that the speaker may see, or shows the one that is
// named: 专项, 专项 3.
func (s *Set) showTopic(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if id, _, named := leadingHandle(text(args, "text")); named {
		_, k, failed, err := s.heldTopic(ctx, t, int64(id), people.MayViewTopic)
		if err != nil || failed != nil {
			return failed, err
		}
		lines, err := s.topicSheet(ctx, t, k)
		return result{"count": 1, "lines": lines}, err
	}
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	rows, err := t.RecentTopics(ctx, t.Now.Add(-ticket.Days(s.Orders.Topics.Topic.Again)), listedTopics)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	var lines []string
	for _, k := range rows {
		if !s.mayTopic(who, k, people.MayViewTopic, t) {
			continue
		}
		p, err := s.topicParams(ctx, t, k)
		if err != nil {
			return nil, err
		}
		line, err := t.Text("topic.line."+k.State, p)
		if err != nil {
			return nil, err
		}
		lines = append(lines, line)
	}
	return result{"count": len(lines), "lines": strings.Join(lines, "\n")}, nil
}

// heldTopic locks a topic that the speaker has the right to; one of somebody
// else's area does not exist for them.
func (s *Set) heldTopic(ctx context.Context, t *gateway.Turn, id int64, c people.StaffCommand) (people.Staff, db.Topic, result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return who, db.Topic{}, failed, err
	}
	k, err := t.LockTopic(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return who, k, fail("topic.none"), nil
	}
	if err != nil {
		return who, k, nil, fmt.Errorf("lock a topic: %w", err)
	}
	if !s.mayTopic(who, k, c, t) {
		return who, k, fail("topic.none"), nil
	}
	return who, k, nil, nil
}

func (s *Set) mayTopic(who people.Staff, k db.Topic, c people.StaffCommand, t *gateway.Turn) bool {
	owns := k.OwnerStaff != nil && *k.OwnerStaff == who.ID || k.OwnerUnit != "" && slices.ContainsFunc(who.Grants, func(g people.Grant) bool {
		return g.Role == people.RoleHandler && g.Area.Code == k.OwnerUnit
	})
	return owns || s.Orders.Rights.May(who, c, people.Subject{Division: k.Area}, t.Now)
}

func (s *Set) topicParams(ctx context.Context, t *gateway.Turn, k db.Topic) (map[string]string, error) {
	counts, err := t.TopicCounts(ctx, k.ID)
	if err != nil {
		return nil, fmt.Errorf("count the tickets of a topic: %w", err)
	}
	m, _ := s.Orders.Matters.Get(k.Matter)
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	p := map[string]string{
		"topic": n(k.ID), "matter": m.Name, "tickets": n(counts.Tickets), "open": n(counts.Open), "reporters": n(counts.Reporters),
	}
	if p["area"], err = s.Orders.AreaName(ctx, t.Queries, workorder.DivisionArea(k.Area)); err != nil {
		return nil, err
	}
	owner := workorder.Owner{Unit: k.OwnerUnit}
	if k.OwnerStaff != nil {
		owner.Staff = *k.OwnerStaff
	}
	if k.State == "open" || k.State == "closed" {
		p["owner"], err = s.ownerName(ctx, t, owner)
	}
	return p, err
}

// topicSheet is a topic with its plan, its newest tickets and what came of it.
func (s *Set) topicSheet(ctx context.Context, t *gateway.Turn, k db.Topic) (string, error) {
	if k.State == "proposed" || k.State == "declined" {
		return t.Text("topic.not_open", nil)
	}
	if err := s.Orders.LinkTopic(ctx, t, k.ID); err != nil {
		return "", err
	}
	p, err := s.topicParams(ctx, t, k)
	if err != nil {
		return "", err
	}
	if p["plan"], p["outcome"], err = s.Orders.TopicTexts(k); err != nil {
		return "", err
	}
	rows, err := t.TopicTickets(ctx, k.ID, int32(s.Policy.Listed))
	if err != nil {
		return "", fmt.Errorf("list the tickets of a topic: %w", err)
	}
	var numbers []string
	for _, r := range rows {
		numbers = append(numbers, ticket.Number(r.Number).Spoken())
	}
	p["numbers"] = strings.Join(numbers, "、")
	lines := []string{"topic.sheet"}
	if k.State == "closed" {
		lines = append(lines, "topic.outcome")
	}
	if k.BeforeCount != nil && k.AfterCount != nil {
		p["days"] = strconv.Itoa(s.Orders.Topics.Compare.Days)
		p["before"], p["after"] = strconv.Itoa(int(*k.BeforeCount)), strconv.Itoa(int(*k.AfterCount))
		lines = append(lines, "topic.compare")
	}
	for i, key := range lines {
		if lines[i], err = t.Text(key, p); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// holdTopic begins to close a topic: 专项办结 3.
func (s *Set) holdTopic(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	id, rest, named := leadingHandle(text(args, "text"))
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	if !named {
		return fail("topic.which"), nil
	}
	_, k, failed, err := s.heldTopic(ctx, t, int64(id), people.MayCloseTopic)
	if err != nil || failed != nil {
		return failed, err
	}
	if k.State != "open" {
		return fail("topic.not_running"), nil
	}
	if err := s.Orders.LinkTopic(ctx, t, k.ID); err != nil {
		return nil, err
	}
	p, err := s.topicParams(ctx, t, k)
	if err != nil {
		return nil, err
	}
	r := result{"topic": float64(k.ID), "reporters": p["reporters"], "matter": p["matter"], "area": p["area"]}
	if rest != "" {
		r["rest"] = rest
	}
	return r, nil
}

// closeTopic ends a topic; everybody who reported hears the outcome.
func (s *Set) closeTopic(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, k, failed, err := s.heldTopic(ctx, t, int64(number(args, "topic")), people.MayCloseTopic)
	if err != nil || failed != nil {
		return failed, err
	}
	if k.State != "open" {
		return fail("topic.not_running"), nil
	}
	outcome := text(args, "outcome")
	if outcome == "" {
		return nil, errors.New("topic.close needs an outcome")
	}
	told, err := s.Orders.CloseTopic(ctx, t, k.ID, who.ID, outcome)
	return result{"told": told, "days": s.Orders.Topics.Compare.Days}, err
}
