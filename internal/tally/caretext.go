package tally

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/figures"
	"shaoying/internal/postgres"
)

// CarePage says the figures of family beds of a month: all clinics together, and a
// line for each where there are several.
func (t Teller) CarePage(ctx context.Context, tx *postgres.Tx, s CareScope, now time.Time) (string, error) {
	of, all, err := t.Care(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	p := &page{texts: t.Texts}
	name := p.text("care.several", map[string]string{"n": count(len(of))})
	if len(of) == 1 {
		name = of[0].Name
	}
	p.say("care.head", map[string]string{"name": name, "year": count(s.Month.Year()), "month": count(int(s.Month.Month()))})
	if len(of) == 0 {
		p.say("care.none", nil)
		return p.done()
	}
	p.care(all, t.Policy)
	if len(of) > 1 {
		for _, f := range of {
			p.say("care.clinic", map[string]string{
				"name": f.Name, "beds": count(f.Beds), "done": count(f.Done), "plan": count(f.Owed()), "missed": percent(f.MissedRate()),
				"satisfied": percent(f.SatisfiedRate()), "n": count(f.Replies),
			})
		}
	}
	p.say("care.note", nil)
	return p.done()
}

func (p *page) care(f CareFigures, policy figures.Policy) {
	p.say("care.beds", map[string]string{
		"beds": count(f.Beds), "opened": count(f.Opened), "closed": count(f.Closed), "days": count(f.Days), "held": count(f.Held),
	})
	p.say("care.done", map[string]string{"value": percent(f.DoneRate()), "done": count(f.Done), "plan": count(f.Owed()), "open": count(f.Open), "skipped": count(f.Skipped())})
	p.say("care.missed", map[string]string{
		"value": percent(f.MissedRate()), "missed": count(f.Missed), "of": count(f.Done + f.Missed), "target": percent(share(1, policy.Care.Target)),
		"made_up": count(f.MadeUp), "made_good": count(f.MadeGood),
	})
	p.say("care.week", map[string]string{"value": perWeek(f)})
	p.say("care.confirmed", map[string]string{
		"value": percent(f.ConfirmedRate()), "n": count(f.Confirmed), "of": count(f.Asked), "silent": percent(f.SilentRate()), "quiet": count(f.Asked - f.Answered),
	})
	p.say("care.satisfied", map[string]string{
		"value": percent(f.SatisfiedRate()), "top": percent(f.TopRate()), "n": count(f.Replies), "surveys": count(f.Surveys), "rate": percent(f.ReplyRate()),
	})
	p.say("care.nobody", map[string]string{"n": count(f.Nobody), "minutes": count(f.LostMinutes)})
	for _, end := range []string{CareMissed, CareCancelled, CareSkipped} {
		if len(f.Reasons[end]) == 0 {
			continue
		}
		p.say("care."+end+"_why", map[string]string{"reasons": p.reasons(f.Reasons[end])})
	}
}

// reasons are why, the most frequent first.
func (p *page) reasons(of map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(of), func(a, b string) int { return cmp.Or(of[b]-of[a], cmp.Compare(a, b)) })
	text := ""
	for _, k := range keys {
		if text != "" {
			text += p.text("care.and", nil)
		}
		text += p.text("care.reason."+k, nil) + count(of[k])
	}
	return text
}

func perWeek(f CareFigures) string {
	v, ok := f.PerWeek()
	if !ok {
		return "—"
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// Table is figures as a page shows them: words and numbers, row by row.
type Table struct {
	Head []string
	Rows [][]string
}

// CareTable are the figures of each clinic of a month.
func (t Teller) CareTable(ctx context.Context, tx *postgres.Tx, s CareScope, now time.Time) (Table, error) {
	of, _, err := t.Care(ctx, tx, s, now)
	if err != nil {
		return Table{}, err
	}
	p := &page{texts: t.Texts}
	table := Table{Head: p.columns("clinic", "beds", "done", "missed", "week", "confirmed", "silent", "satisfied", "top", "replies", "lost")}
	for _, f := range of {
		table.Rows = append(table.Rows, []string{
			f.Name, count(f.Beds), fraction(f.DoneRate()), fraction(f.MissedRate()), perWeek(f), fraction(f.ConfirmedRate()), percent(f.SilentRate()),
			percent(f.SatisfiedRate()), percent(f.TopRate()), count(f.Replies) + "/" + count(f.Surveys), count(f.LostMinutes),
		})
	}
	_, err = p.done()
	return table, err
}

// CareVisitorTable are the figures of each visitor; satisfaction stays empty below
// the least number of answers.
func (t Teller) CareVisitorTable(ctx context.Context, tx *postgres.Tx, s CareScope, now time.Time) (Table, error) {
	list, err := t.CareVisitors(ctx, tx, s, now)
	if err != nil {
		return Table{}, err
	}
	p := &page{texts: t.Texts}
	table := Table{Head: p.columns("visitor", "visits", "not_made", "satisfied", "top", "replies", "lost")}
	for _, v := range list {
		replies := "—"
		if v.Replies > 0 {
			replies = count(v.Replies)
		}
		table.Rows = append(table.Rows, []string{
			v.Name, count(v.Done), count(v.Missed), percent(share(v.Satisfied, v.Replies)), percent(share(v.Top, v.Replies)), replies, count(v.LostMinutes),
		})
	}
	_, err = p.done()
	return table, err
}

func (p *page) columns(names ...string) (head []string) {
	for _, n := range names {
		head = append(head, p.text("care.column."+n, nil))
	}
	return head
}

// fraction is a share with what it is made of.
func fraction(r figures.Rate) string { return percent(r) + " " + count(r.Num) + "/" + count(r.Den) }
