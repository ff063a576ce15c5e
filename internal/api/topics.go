package api

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
)

func (a *API) topics() {
	read(a, get("listTopics", "/topics", "Special topics of the token's area or unit, the newest first"), "", a.listTopics)
	read(a, get("getTopic", "/topics/{id}", "One special topic, with its plan and what came of it"), "", a.getTopic)
}

// Topic 专项 is many tickets about one matter in one area that are dealt with as
// one.
type Topic struct {
	ID     string `json:"id"`
	Matter string `json:"matter" doc:"code of the matter"`
	Name   string `json:"matter_name"`
	Area   string `json:"area" doc:"code of a village or county"`
	State  string `json:"state" enum:"open,closed"`
	Owner  string `json:"owner_unit,omitempty" doc:"the unit that answers for it; missing where one person does"`
	Why    string `json:"why" enum:"village,county,rise" doc:"what it was proposed for"`
	Found  int    `json:"found" doc:"tickets when it was proposed"`

	Tickets   int64 `json:"tickets" doc:"tickets that are linked to it"`
	Open      int64 `json:"open_tickets" doc:"those of them that are not over"`
	Reporters int64 `json:"reporters" doc:"people behind them"`

	Plan    string `json:"plan,omitempty" doc:"not in lists"`
	Outcome string `json:"outcome,omitempty" doc:"what every reporter was told; not in lists"`
	Before  *int32 `json:"before,omitempty" doc:"tickets in the days before it opened"`
	After   *int32 `json:"after,omitempty" doc:"tickets in as many days after it closed"`

	OpenedAt *time.Time `json:"opened_at,omitempty"`
	ClosedAt *time.Time `json:"closed_at,omitempty"`
}

type listTopicsInput struct {
	Paging
	State string `query:"state" enum:"open,closed" doc:"only topics in this state"`
}

func (a *API) listTopics(ctx context.Context, v *visit, in *listTopicsInput) (*Page[Topic], error) {
	before, err := in.at("topics", math.MaxInt64)
	if err != nil {
		return nil, err
	}
	rows, err := v.TopicsBelow(ctx, db.TopicsBelowParams{Before: before, State: in.State, Area: v.area().Code, MaxRows: int32(a.rows(in.Paging))})
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	page := &Page[Topic]{Items: []Topic{}}
	for _, k := range rows {
		if !a.mayTopic(v, k) {
			continue
		}
		t, err := a.topicOf(ctx, v, k)
		if err != nil {
			return nil, err
		}
		page.Items = append(page.Items, *t)
	}
	if n := len(rows); n == a.rows(in.Paging) {
		page.Next = cursorOf("topics", rows[n-1].ID)
	}
	return page, nil
}

// TopicPath names a topic in an address.
type TopicPath struct {
	ID string `path:"id"`
}

func (a *API) getTopic(ctx context.Context, v *visit, in *TopicPath) (*Topic, error) {
	id, err := parseID(in.ID)
	if err != nil {
		return nil, err
	}
	k, err := v.GetTopic(ctx, id)
	if err != nil {
		return nil, missing("load a topic", err)
	}
	if k.State != "open" && k.State != "closed" || !a.mayTopic(v, k) {
		return nil, errNotFound
	}
	if err := a.Orders.LinkTopic(ctx, v.Turn, k.ID); err != nil { // what came since the last look belongs to it
		return nil, err
	}
	t, err := a.topicOf(ctx, v, k)
	if err != nil {
		return nil, err
	}
	t.Plan, t.Outcome, err = a.Orders.TopicTexts(k)
	return t, err
}

// mayTopic asks the rights; its owner sees its own.
func (a *API) mayTopic(v *visit, k db.Topic) bool {
	owns := k.OwnerUnit != "" && v.area().Code == k.OwnerUnit && v.staff.Has(people.RoleHandler)
	return owns || a.Orders.Rights.May(v.staff, people.MayViewTopic, people.Subject{Division: k.Area}, v.Now)
}

// topicOf writes a topic down without its texts.
func (a *API) topicOf(ctx context.Context, v *visit, k db.Topic) (*Topic, error) {
	counts, err := v.TopicCounts(ctx, k.ID)
	if err != nil {
		return nil, fmt.Errorf("count the tickets of a topic: %w", err)
	}
	m, _ := a.Orders.Matters.Get(k.Matter)
	t := &Topic{
		ID: strconv.FormatInt(k.ID, 10), Matter: k.Matter, Name: m.Name, Area: k.Area, State: k.State, Owner: k.OwnerUnit, Why: k.Why, Found: int(k.Found),
		Tickets: counts.Tickets, Open: counts.Open, Reporters: counts.Reporters, Before: k.BeforeCount, After: k.AfterCount,
		OpenedAt: k.DecidedAt, ClosedAt: k.ClosedAt,
	}
	return t, nil
}
