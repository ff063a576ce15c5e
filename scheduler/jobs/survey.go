package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// The kinds of survey: names of due kinds, of rows of table survey and, for
// still_fine, of the dialogue.
const (
	// DueRating asks whose ticket was closed without a rating.
	DueRating = "rating"
	// DueStillFine asks some weeks after closing whether it is still fine.
	DueStillFine = "still_fine"

	flowRating = "survey"
)

// surveyChunk is how many tickets one transaction of the slot job looks at.
const surveyChunk = 500

// Rating asks for the rating of a closed ticket.
func Rating(d Deps) gateway.Kind { return d.survey(DueRating, flowRating) }

// StillFine asks 还好吗.
func StillFine(d Deps) gateway.Kind { return d.survey(DueStillFine, DueStillFine) }

func (d Deps) survey(kind, flow string) gateway.Kind {
	return gateway.Kind{
		Name: kind, Workers: 4, Class: scheduler.Survey, Opens: true, Target: d.reporterOf,
		Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			return d.askSurvey(ctx, t, due, flow)
		},
	}
}

func (d Deps) askSurvey(ctx context.Context, t *gateway.Turn, due gateway.Due, flow string) (gateway.Outcome, error) {
	o, err := d.order(ctx, t, due, true)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if o.State != ticket.Closed || int32(o.Version) != due.Version {
		return gateway.Dropped("the ticket has moved on"), nil
	}
	why, err := d.spare(ctx, t, o, due.Kind)
	if err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	if _, err := t.AddSurvey(ctx, due.Kind, o.ReporterID, o.ID); errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("asked before"), nil
	} else if err != nil {
		return gateway.Outcome{}, fmt.Errorf("note a survey: %w", err)
	}
	policy := d.Orders.Rules.Callbacks()
	within := policy.Survey.AnswerWithin
	if due.Kind == DueStillFine {
		within = policy.StillFine.AnswerWithin
	}
	return gateway.Done, d.open(ctx, t, due, o, flow, within.Deadline(t.Now, d.Orders.Work))
}

// spare says why somebody is not asked, "" when they may be.
func (d Deps) spare(ctx context.Context, t *gateway.Turn, o *workorder.Order, kind string) (string, error) {
	person, err := t.RootPerson(ctx, o.ReporterID)
	if err != nil {
		return "", fmt.Errorf("load the reporter: %w", err)
	}
	stopped, err := t.OptedOut(ctx, o.ReporterID, []string{topicAll, flowRating, kind})
	if err != nil {
		return "", fmt.Errorf("look whether the person wants to be asked: %w", err)
	}
	if stopped {
		return "the person wants no surveys", nil
	}
	last, err := t.LastSurvey(ctx, person)
	if err != nil {
		return "", fmt.Errorf("look when the person was asked last: %w", err)
	}
	if d.Orders.Rules.Callbacks().Survey.PerPerson.Deadline(last, d.Orders.Work).After(t.Now) {
		return "the person was asked not long ago", nil
	}
	return "", nil
}

// Surveys finds who is to be asked: first the ratings, then 还好吗. The cursor
// is "kind/last ticket".
func Surveys(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: "survey", Run: d.surveys}
}

func (d Deps) surveys(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (next string, done bool, err error) {
	kind, id, _ := strings.Cut(cursor, "/")
	var after int64
	if cursor == "" {
		kind = DueRating
	} else if after, err = strconv.ParseInt(id, 10, 64); err != nil {
		return cursor, false, fmt.Errorf("read the cursor %q: %w", cursor, err)
	}
	find := d.unrated
	if kind == DueStillFine {
		find = d.weeksAgo
	}
	asked, n, last, err := find(ctx, t, after)
	if err != nil {
		return cursor, false, err
	}
	for _, plan := range asked {
		plan.Kind, plan.Key, plan.At = kind, "v"+strconv.Itoa(int(plan.Version)), t.Now
		plan.NotAfter = d.Orders.Rules.Callbacks().Survey.AnswerWithin.Deadline(t.Now, d.Orders.Work)
		if err := t.PlanDue(ctx, plan); err != nil {
			return cursor, false, err
		}
	}
	switch {
	case n == surveyChunk:
		return kind + "/" + strconv.FormatInt(last, 10), false, nil
	case kind == DueRating:
		return DueStillFine + "/0", false, nil
	}
	return cursor, true, nil
}

// unrated finds tickets closed without a rating. Who was closed longer ago than
// one person may be asked twice is not asked any more.
func (d Deps) unrated(ctx context.Context, t *gateway.Turn, after int64) (plans []gateway.Plan, n int, last int64, err error) {
	since := t.Now.Add(-days(d.Orders.Rules.Callbacks().Survey.PerPerson))
	rows, err := t.UnratedTickets(ctx, db.UnratedTicketsParams{Since: &since, Until: &t.Now, After: after, MaxRows: surveyChunk})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("find tickets without a rating: %w", err)
	}
	for _, r := range rows {
		plans = append(plans, gateway.Plan{Subject: workorder.Subject(r.ID), Person: r.ReporterID, Version: r.Version})
		last = r.ID
	}
	return plans, len(rows), last, nil
}

// weeksAgo finds tickets that were closed so long ago that it is asked whether
// they are still fine, and not so long that they could not be reopened.
func (d Deps) weeksAgo(ctx context.Context, t *gateway.Turn, after int64) (plans []gateway.Plan, n int, last int64, err error) {
	p := d.Orders.Rules.Callbacks().StillFine
	since := t.Now.Add(-days(p.Until))
	rows, err := t.StillFineTickets(ctx, db.StillFineTicketsParams{Since: &since, Until: &t.Now, After: after, MaxRows: surveyChunk})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("find tickets of some weeks ago: %w", err)
	}
	for _, r := range rows {
		last = r.ID
		if t.Now.Before(r.ClosedAt.Add(days(p.After))) {
			continue
		}
		plans = append(plans, gateway.Plan{Subject: workorder.Subject(r.ID), Person: r.ReporterID, Version: r.Version})
	}
	return plans, len(rows), last, nil
}

// days reads a limit of days as a span, for looking back.
func days(l scheduler.Limit) time.Duration {
	if l.Unit == scheduler.Hours {
		return time.Duration(l.N) * time.Hour
	}
	return time.Duration(l.N) * 24 * time.Hour
}
