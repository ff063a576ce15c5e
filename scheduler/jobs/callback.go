package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// flowCallback is the dialogue of a callback.
const flowCallback = "callback"

// topicAll is what somebody opts out of who wants no more pushes at all.
const topicAll = "all"

// Callback asks the reporter of a handled ticket, up to the tries of the
// policy. Each try stays open for its answer time; the next one is planned at
// once, for the first time of asking after that, and is cleared by an answer.
// After the last one, and where nobody can or may be written to, a callback
// clerk rings.
func Callback(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueCallback, Workers: 4, Class: scheduler.Normal, Opens: true,
		Target: d.reporterOf, Run: d.callback, Lost: d.ringLost,
	}
}

func (d Deps) callback(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	c, err := data[workorder.CallbackDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, true)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if !askable(o) {
		return gateway.Dropped("the ticket is " + string(o.State)), nil
	}
	if err := d.endTry(ctx, t, o); err != nil {
		return gateway.Outcome{}, err
	}
	stopped, err := t.OptedOut(ctx, t.Person, []string{topicAll, flowCallback})
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("look whether the person wants to be asked: %w", err)
	}
	policy := d.Orders.Rules.Callbacks().Callback
	if stopped || c.Try > policy.Tries {
		return d.ring(ctx, t, o)
	}
	return d.ask(ctx, t, due, o, c.Try)
}

// askable reports whether the reporter's word is still to be had.
func askable(o *workorder.Order) bool {
	return (o.State == ticket.Handled || o.State == ticket.Callback) && !o.Facts.Unhappy()
}

// ask opens the dialogue for one try.
func (d Deps) ask(ctx context.Context, t *gateway.Turn, due gateway.Due, o *workorder.Order, try int) (gateway.Outcome, error) {
	policy := d.Orders.Rules.Callbacks().Callback
	o, err := d.Orders.Do(ctx, t, o.ID, ticket.Actor{As: ticket.AsSystem}, ticket.Ask{Via: "chat"})
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) && refused.Key == ticket.KeyTriesDone {
		return d.ring(ctx, t, o) // by calls that somebody made meanwhile
	}
	if err != nil {
		return asked(err)
	}
	if _, err := t.AddCallback(ctx, db.AddCallbackParams{TicketID: o.ID, Try: int32(try), Via: "chat"}); err != nil {
		return gateway.Outcome{}, fmt.Errorf("note a callback: %w", err)
	}
	until := policy.AnswerWithin.Deadline(t.Now, d.Orders.Work)
	if err := d.open(ctx, t, due, o, flowCallback, until); err != nil {
		return gateway.Outcome{}, err
	}
	next := until
	if try < policy.Tries {
		if next, err = d.Orders.NextTry(until); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return gateway.Done, d.Orders.PlanCallback(ctx, t, o, try+1, next)
}

// open asks about a ticket by a dialogue that knows number and matter.
func (d Deps) open(ctx context.Context, t *gateway.Turn, due gateway.Due, o *workorder.Order, flow string, until time.Time) error {
	about := d.params(o)
	if about["matter"] == "" {
		var err error
		if about["matter"], err = d.Library.Text("line.your_matter", t.Lang, nil); err != nil {
			return err
		}
	}
	return t.Ask(ctx, due, gateway.Ask{
		Flow: flow, Vars: map[string]any{"ticket": map[string]any{"number": about["number"], "matter": about["matter"]}},
		Reason: due.Kind, Subject: due.Subject, Version: int32(o.Version), Until: until,
	})
}

// endTry closes the row of a try that was not answered.
func (d Deps) endTry(ctx context.Context, t *gateway.Turn, o *workorder.Order) error {
	last, err := t.LastCallback(ctx, o.ID)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && last.Ended != "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the last callback: %w", err)
	}
	err = t.EndCallback(ctx, db.EndCallbackParams{
		ID: last.ID, Contacted: last.Contacted, Solved: last.Solved, Satisfied: last.Satisfied, Words: last.Words, Ended: "unanswered",
	})
	if err != nil {
		return fmt.Errorf("end a callback: %w", err)
	}
	return nil
}

// ring lays the ticket before a callback clerk, who rings the reporter.
func (d Deps) ring(ctx context.Context, t *gateway.Turn, o *workorder.Order) (gateway.Outcome, error) {
	err := d.Orders.AddTask(ctx, t, o, workorder.TaskPhone, people.RoleCallbackClerk, map[string]string{"tries": strconv.Itoa(o.Tries)})
	return gateway.Done, err
}

func (d Deps) ringLost(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	o, err := d.order(ctx, t, due, true)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if !askable(o) {
		return gateway.Dropped("the ticket is " + string(o.State)), nil
	}
	if err := d.endTry(ctx, t, o); err != nil {
		return gateway.Outcome{}, err
	}
	return d.ring(ctx, t, o)
}
