package console

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// The ledger: what was sent around a bed on a day, what was not and why, who
// answered; what will be sent in the days to come; and what a changed rule would
// change. It holds codes and times, no words.

// previewDays is how far a preview looks. Source: issue 7, item 8.
const previewDays = 7

// ledgerPage is one reading of it.
type ledgerPage struct {
	Title, Back string
	// Day is the day of a bed's ledger, Before and After lead to its neighbours.
	Day, Before, After string
	Entries            []ledgerLine
	Events             []careMoment
	More               bool
}

// ledgerLine is one thing that was or will be due.
type ledgerLine struct {
	At                time.Time
	About, What, Whom string
	State, Why        string
	Sent              []sentLine
	Answer            string
	AnsweredAt        time.Time
}

type sentLine struct {
	State, Report string
	At            time.Time
}

// bedLedger shows a day of a bed; ?day= chooses another than today.
func (c *Console) bedLedger(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	on, err := c.bedAt(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	day := c.today(v)
	if s := v.r.FormValue("day"); s != "" {
		if day, err = scheduler.ParseDate(s); err != nil {
			return answer{}, errNotHere
		}
	}
	l, err := c.Care.Ledger(ctx, v.Tx, homecare.LedgerOf{Bed: id, From: day, To: day})
	if err != nil {
		return answer{}, err
	}
	p := &ledgerPage{
		Title: c.text("care.desk.bed_number", "number", on.bed.Number), Back: bedPath(id), Day: day.String(), More: l.More,
		Before: day.AddDays(-1).String(), After: day.AddDays(1).String(), Entries: c.ledgerLines(l, nil),
	}
	actors := make([]string, len(l.Events))
	for i, e := range l.Events {
		actors[i] = e.Actor
	}
	names, err := c.actorNames(ctx, v, actors)
	if err != nil {
		return answer{}, err
	}
	for _, e := range l.Events {
		_, what, _ := strings.Cut(e.Kind, ".")
		p.Events = append(p.Events, careMoment{At: e.At, What: what, Who: names(e.Actor)})
	}
	return answer{page: "care_ledger", data: p}, nil
}

// bedAhead shows what will be sent around a bed.
func (c *Console) bedAhead(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	on, err := c.bedAt(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	from, to := c.Care.Days(v.Now, previewDays)
	l, err := c.Care.Preview(ctx, v.Tx, homecare.LedgerOf{Bed: id, From: from, To: to})
	if err != nil {
		return answer{}, err
	}
	return answer{page: "care_ledger", data: &ledgerPage{
		Title: c.text("care.desk.bed_number", "number", on.bed.Number), Back: bedPath(id), More: l.More, Entries: c.ledgerLines(l, nil),
	}}, nil
}

// ahead shows what will be sent at the clinics at which who asks may look.
func (c *Console) ahead(ctx context.Context, v *visit) (answer, error) {
	looks, err := c.clinics(ctx, v, people.MayViewBeds)
	if err != nil {
		return answer{}, err
	}
	if len(looks) == 0 {
		return answer{}, errNotHere
	}
	from, to := c.Care.Days(v.Now, previewDays)
	l, err := c.Care.Preview(ctx, v.Tx, homecare.LedgerOf{Orgs: idsOf(looks), From: from, To: to})
	if err != nil {
		return answer{}, err
	}
	subjects := make([]string, len(l.Entries))
	for i, e := range l.Entries {
		subjects[i] = e.Subject
	}
	seen, err := c.subjectsAt(ctx, v, looks, subjects)
	if err != nil {
		return answer{}, err
	}
	return answer{page: "care_ledger", data: &ledgerPage{
		Title: c.text("care.desk.ahead"), Back: "/desk/care", More: l.More, Entries: c.ledgerLines(l, seen),
	}}, nil
}

// subjectsAt names those of some subjects that lie at clinics.
func (c *Console) subjectsAt(ctx context.Context, v *visit, looks []db.Clinic, subjects []string) (map[string]string, error) {
	arg := db.SubjectsAtParams{Clinics: idsOf(looks), Visits: []int64{}, Beds: []int64{}, Applications: []int64{}}
	into := map[string]*[]int64{"visit": &arg.Visits, "bed": &arg.Beds, "application": &arg.Applications}
	for _, s := range subjects {
		kind, rest, _ := strings.Cut(s, ":")
		if list := into[kind]; list != nil {
			id, err := strconv.ParseInt(rest, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("read what is due about: %w", err)
			}
			*list = append(*list, id)
		}
	}
	rows, err := v.SubjectsAt(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("look where what is due lies: %w", err)
	}
	seen := map[string]string{}
	for _, r := range rows {
		seen[r.Subject] = c.text("care.desk.bed_number", "number", r.Number)
		if id, ok := strings.CutPrefix(r.Subject, "application:"); ok {
			seen[r.Subject] = c.text("care.desk.wish_number", "n", id)
		}
	}
	return seen, nil
}

// ledgerLines are the entries in words; with seen only those about its subjects.
func (c *Console) ledgerLines(l homecare.Ledger, seen map[string]string) []ledgerLine {
	var list []ledgerLine
	for _, e := range l.Entries {
		about, ok := seen[e.Subject]
		if seen != nil && !ok {
			continue
		}
		one := ledgerLine{
			At: e.At, About: about, What: c.rungText(e.Rung), Whom: c.textOr("care.desk.whom."+string(e.Role), c.text("care.desk.applicant")), State: e.State,
			Why: c.textOr("care.desk.why."+e.Reason, ""),
		}
		for _, s := range e.Sent {
			one.Sent = append(one.Sent, sentLine{State: s.State, Report: s.Report, At: s.At})
		}
		if e.Asked != nil && !e.Asked.ClosedAt.IsZero() {
			kind, _, _ := strings.Cut(e.Asked.Outcome, ":")
			one.Answer, one.AnsweredAt = c.textOr("care.desk.asked."+kind, ""), e.Asked.ClosedAt
		}
		list = append(list, one)
	}
	return list
}

// rungText is what a rung says in a few words.
func (c *Console) rungText(rung string) string {
	return c.textOr("care.desk.rung."+rung, c.textOr("console.task.care."+rung, rung))
}

// dryPage is what a changed rule would change.
type dryPage struct {
	Looked     bool
	Clear, Add []dryLine
	Wrong      string
}

type dryLine struct {
	At          time.Time
	About, What string
}

// mostDry is how many changes of one kind are shown.
const mostDry = 200

func (c *Console) dryRun(_ context.Context, v *visit) (answer, error) {
	if !c.mayPause(v) {
		return answer{}, errNotHere
	}
	return answer{page: "care_dry", data: &dryPage{}}, nil
}

// tryRules says what the rules of a file would change and changes nothing. Whose it
// is shows only where who asks may look.
func (c *Console) tryRules(ctx context.Context, v *visit) (answer, error) {
	if !c.mayPause(v) {
		return answer{}, errNotHere
	}
	body, err := v.upload("rules", "body")
	if err != nil {
		return answer{}, err
	}
	rules, err := c.Care.RulesWith("rules.yaml", body)
	if err != nil {
		return answer{page: "care_dry", data: &dryPage{Wrong: err.Error()}}, nil
	}
	d, err := c.Care.DryRun(ctx, v.Tx, rules)
	if err != nil {
		return answer{}, err
	}
	p := &dryPage{Looked: true}
	looks, err := c.clinics(ctx, v, people.MayViewBeds)
	if err != nil {
		return answer{}, err
	}
	for _, half := range []struct {
		from []homecare.Change
		to   *[]dryLine
	}{{d.Clear, &p.Clear}, {d.Add, &p.Add}} {
		var subjects []string
		for _, x := range half.from {
			subjects = append(subjects, x.Subject)
		}
		seen, err := c.subjectsAt(ctx, v, looks, subjects)
		if err != nil {
			return answer{}, err
		}
		for _, x := range half.from {
			if about, ok := seen[x.Subject]; ok && len(*half.to) < mostDry {
				*half.to = append(*half.to, dryLine{At: x.At, About: about, What: c.rungText(x.Rung)})
			}
		}
	}
	return answer{page: "care_dry", data: p}, nil
}
