package tally

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/flows"
	"shaoying/internal/figures"
	"shaoying/internal/postgres"
)

// Texts are the words of configs/texts/figures.yaml; *gateway.Library is one.
type Texts interface {
	Text(key, lang string, params map[string]string) (string, error)
}

// Teller says figures in plain text that fits a phone.
type Teller struct {
	*Tally
	Texts Texts
}

// page collects lines.
type page struct {
	texts Texts
	lines []string
	err   error
}

func (p *page) text(key string, params map[string]string) string {
	s, err := p.texts.Text("figures."+key, flows.BaseLang, params)
	p.err = errors.Join(p.err, err)
	return s
}

func (p *page) say(key string, params map[string]string) {
	p.lines = append(p.lines, p.text(key, params))
}

func (p *page) done() (string, error) {
	if p.err != nil {
		return "", fmt.Errorf("write figures: %w", p.err)
	}
	return strings.Join(p.lines, "\n"), nil
}

// percent is a share for people.
func percent(r figures.Rate) string {
	v, ok := r.Value()
	if !ok {
		return "—"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + "%"
}

func numerator(r figures.Rate) string {
	if r.Half {
		return strconv.FormatFloat(float64(r.Num)/2, 'f', -1, 64)
	}
	return strconv.Itoa(r.Num)
}

func hours(minutes int32) string { return strconv.FormatFloat(float64(minutes)/60, 'f', 1, 64) }

func count[T ~int | ~int32 | ~int64](n T) string { return strconv.FormatInt(int64(n), 10) }

func (p *page) rate(name string, r figures.Rate) {
	params := map[string]string{"name": p.text("name."+name, nil), "value": percent(r), "num": numerator(r), "den": count(r.Den)}
	if _, ok := r.Value(); !ok {
		p.say("none", params)
		return
	}
	p.say("rate", params)
}

// title is what a page is about.
func (t Teller) title(ctx context.Context, tx *postgres.Tx, s Scope) (map[string]string, error) {
	names, err := t.Names(ctx, tx)
	if err != nil {
		return nil, err
	}
	area := s.Area
	if s.Unit != "" {
		area = s.Unit
	}
	return map[string]string{"area": names(area), "year": count(s.To.Year()), "month": count(int(s.To.Month()))}, nil
}

// Rates says the rates of a scope.
func (t Teller) Rates(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (string, error) {
	title, err := t.title(ctx, tx, s)
	if err != nil {
		return "", err
	}
	cells, err := t.Cells(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	p := &page{texts: t.Texts}
	p.say("head", title)
	sums := Total(cells)
	r := t.Policy.Rates(sums)
	p.say("scope", map[string]string{
		"n": count(r.N), "excluded": count(r.Excluded), "answered": count(sums[figures.OutAnswered]), "rejected": count(sums[figures.OutRejected]),
		"referred": count(sums[figures.OutReferred]), "withdrawn": count(sums[figures.OutWithdrawn]), "merged": count(sums[figures.OutMerged]),
		"granted": count(sums[figures.OutExcluded]),
	})
	if r.N == 0 {
		p.say("nothing", nil)
		return p.done()
	}
	p.rate("response", r.Response)
	p.rate("unit", r.ByUnit)
	p.rate("resident", r.ByResident)
	if gap, ok := r.Gap(); ok {
		p.say("gap", map[string]string{"value": points(gap), "n": count(r.Contradicted)})
	}
	p.rate("satisfaction", r.Satisfaction)
	p.say("score", map[string]string{"value": t.score(r), "n": count(r.Satisfaction.Den)})
	for _, line := range []struct {
		name string
		rate figures.Rate
	}{
		{"called", r.CalledBack},
		{"signed", r.Signed},
		{"ontime", r.OnTime},
		{"early", r.Early},
		{"overdue", r.OverdueRate},
		{"once", r.Once},
		{"redo", r.Redo},
		{"objection", r.Objection},
		{"granted", r.Granted},
		{"supervision", r.Supervision},
		{"extension", r.Extension},
	} {
		p.rate(line.name, line.rate)
	}
	if err := t.times(ctx, tx, p, s, now); err != nil {
		return "", err
	}
	if s.Area != "" && len(s.Area) <= cityDigits {
		if err := t.flags(ctx, tx, p, s); err != nil {
			return "", err
		}
	}
	p.say("note", nil)
	return p.done()
}

func points(gap float64) string { return strconv.FormatFloat(100*gap, 'f', 1, 64) }

// score is the mean of what the levels are worth.
func (t Teller) score(r figures.Rates) string {
	v, ok := r.Score.Value()
	if !ok {
		return "—"
	}
	return strconv.FormatFloat(v*float64(t.Policy.Score[0]), 'f', 1, 64)
}

// times says how long it took, beside the same months last year.
func (t Teller) times(ctx context.Context, tx *postgres.Tx, p *page, s Scope, now time.Time) error {
	k, err := t.Times(ctx, tx, s, now)
	if err != nil {
		return err
	}
	p.say("times", map[string]string{
		"work": hours(k.WorkMedian), "work90": hours(k.WorkP90), "clock": hours(k.ClockMedian), "clock90": hours(k.Clock90),
	})
	then, rates, err := t.yearBefore(ctx, tx, s, now)
	if err != nil {
		return err
	}
	if then.N == 0 {
		p.say("before_none", nil)
		return nil
	}
	p.say("before", map[string]string{"work": hours(then.WorkMedian), "clock": hours(then.ClockMedian), "resolved": percent(rates.ByResident)})
	return nil
}

// yearBefore reads the same months last year.
func (t Teller) yearBefore(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (Times, figures.Rates, error) {
	s.From, s.To = s.From.AddDate(-1, 0, 0), s.To.AddDate(-1, 0, 0)
	k, err := t.Times(ctx, tx, s, now)
	if err != nil {
		return k, figures.Rates{}, err
	}
	cells, err := t.Cells(ctx, tx, s, now)
	return k, t.Policy.Rates(Total(cells)), err
}

// shown is how many numbers of tickets a line holds.
const shown = 5

func (t Teller) flags(ctx context.Context, tx *postgres.Tx, p *page, s Scope) error {
	list, err := t.Flags(ctx, tx, s)
	if err != nil || len(list) == 0 {
		return err
	}
	var numbers []string
	for _, f := range list[:min(len(list), shown)] {
		numbers = append(numbers, f.Number.Spoken())
	}
	p.say("flags", map[string]string{"n": count(len(list)), "numbers": strings.Join(numbers, "、")})
	return nil
}

// StarsPage says the stars of a scope, band by band.
func (t Teller) StarsPage(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (string, error) {
	title, err := t.title(ctx, tx, s)
	if err != nil {
		return "", err
	}
	list, err := t.Stars(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	p := &page{texts: t.Texts}
	p.say("stars.head", title)
	if len(list) == 0 {
		p.say("nothing", nil)
	}
	for i := 0; i < len(list); {
		end := i
		for end < len(list) && list[end].Band == list[i].Band {
			end++
		}
		p.say("stars.band", map[string]string{"band": p.text("band."+list[i].Band, nil)})
		p.band(list[i:end], t.Policy.Stars5.Cap)
		i = end
	}
	p.say("note", nil)
	return p.done()
}

// band says the units of one band; those with too few tickets share a line.
func (p *page) band(list []UnitStars, most int) {
	var thin []string
	for _, u := range list {
		if u.Thin {
			thin = append(thin, p.text("stars.thin_one", map[string]string{"name": u.Name, "n": count(u.N)}))
			continue
		}
		key := "stars.line"
		if u.Capped {
			key = "stars.capped"
		}
		p.say(key, map[string]string{
			"stars": strings.Repeat("★", u.Count) + strings.Repeat("☆", 5-u.Count), "name": u.Name,
			"total": strconv.FormatFloat(u.Total, 'f', 1, 64), "n": count(u.N), "cap": count(most),
		})
	}
	if len(thin) > 0 {
		p.say("stars.thin", map[string]string{"names": strings.Join(thin, "、")})
	}
}

// WorryPage says the worry index of the areas one level below the scope, and
// what the monthly question brought.
func (t Teller) WorryPage(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (string, error) {
	title, err := t.title(ctx, tx, s)
	if err != nil {
		return "", err
	}
	names, err := t.Names(ctx, tx)
	if err != nil {
		return "", err
	}
	const countyDigits, townshipDigits = 6, 9
	digits := townshipDigits
	if len(s.Area) <= cityDigits {
		digits = countyDigits
	}
	table, err := t.Worries(ctx, tx, s, digits, now)
	if err != nil {
		return "", err
	}
	least := count(t.Policy.Worry.MinN)
	title["least"] = least
	p := &page{texts: t.Texts}
	p.say("worry.head", title)
	if len(table.Areas) == 0 {
		p.say("nothing", nil)
	}
	top := 3
	if len(table.Areas) == 1 {
		top = len(table.Worries)
	}
	for i, area := range table.Areas {
		params := map[string]string{"name": names(area), "least": least, "n": count(table.Total[i].N), "index": count(table.Total[i].Index)}
		if table.Total[i].Hidden {
			p.say("worry.area_hidden", params)
			continue
		}
		params["cells"] = p.cells(table.Worries, table.Cells[i], top)
		p.say("worry.area", params)
	}
	if err := t.poll(ctx, tx, p, s); err != nil {
		return "", err
	}
	p.say("note", nil)
	return p.done()
}

// cells says the largest cells of a row that may be seen.
func (p *page) cells(worries []string, row []figures.WorryCell, top int) string {
	var list []string
	for _, k := range largest(row, top) {
		params := map[string]string{"worry": worries[k], "n": count(row[k].N), "index": count(row[k].Index)}
		key := "worry.cell"
		if row[k].Index == 0 {
			key = "worry.cell_none"
		}
		list = append(list, p.text(key, params))
	}
	return strings.Join(list, "，")
}

func largest(row []figures.WorryCell, top int) []int {
	var at []int
	for k, c := range row {
		if !c.Hidden && c.N > 0 {
			at = append(at, k)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return row[b].N - row[a].N })
	return at[:min(len(at), top)]
}

// poll says what people answered to the monthly question.
func (t Teller) poll(ctx context.Context, tx *postgres.Tx, p *page, s Scope) error {
	rows, err := tx.WorryAnswers(ctx, s.From, s.To, s.division())
	if err != nil {
		return fmt.Errorf("read the answers to the monthly question: %w", err)
	}
	all, by := 0, map[string]int{}
	for _, r := range rows {
		all += int(r.N)
		by[r.Worry] += int(r.N)
	}
	var list []string
	keys := slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		if by[a] != by[b] {
			return by[b] - by[a]
		}
		return strings.Compare(a, b)
	})
	for _, worry := range keys {
		if by[worry] >= t.Policy.Worry.MinN {
			list = append(list, p.text("worry.poll_cell", map[string]string{"worry": worry, "n": count(by[worry])}))
		}
	}
	if len(list) == 0 {
		p.say("worry.poll_none", nil)
		return nil
	}
	p.say("worry.poll", map[string]string{"n": count(all), "cells": strings.Join(list, "，")})
	return nil
}

// Monday says the ten lines that leaders get.
func (t Teller) Monday(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (string, error) {
	title, err := t.title(ctx, tx, s)
	if err != nil {
		return "", err
	}
	cells, err := t.Cells(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	matters, err := t.MatterCells(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	k, err := t.Times(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	then, _, err := t.yearBefore(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	owed, err := t.owed(ctx, tx, s, now)
	if err != nil {
		return "", err
	}
	r := t.Policy.Rates(Total(cells))
	gap, before := "—", "—"
	if g, ok := r.Gap(); ok {
		gap = points(g)
	}
	if then.N > 0 {
		before = hours(then.WorkMedian)
	}
	p := &page{texts: t.Texts}
	p.say("monday.head", title)
	p.say("monday.scope", map[string]string{"n": count(r.N), "excluded": count(r.Excluded)})
	p.say("monday.response", map[string]string{"value": percent(r.Response), "num": numerator(r.Response), "den": count(r.Response.Den)})
	p.say("monday.resolved", map[string]string{"resident": percent(r.ByResident), "unit": percent(r.ByUnit), "gap": gap})
	p.say("monday.satisfaction", map[string]string{
		"value": percent(r.Satisfaction), "num": numerator(r.Satisfaction), "den": count(r.Satisfaction.Den), "score": t.score(r),
	})
	p.say("monday.late", map[string]string{"overdue": percent(r.OverdueRate), "redo": percent(r.Redo)})
	p.say("monday.times", map[string]string{"work": hours(k.WorkMedian), "before": before})
	p.say("monday.owed", map[string]string{"n": count(owed)})
	p.say("monday.worry", map[string]string{"cells": t.worst(p, matters)})
	p.say("monday.note", nil)
	return p.done()
}

// owed counts supervisions of a scope's units that are past their deadline
// without an answer.
func (t Teller) owed(ctx context.Context, tx *postgres.Tx, s Scope, now time.Time) (int, error) {
	rows, err := tx.UnansweredSupervisions(ctx, now)
	if err != nil {
		return 0, fmt.Errorf("count unanswered supervisions: %w", err)
	}
	n := 0
	for _, r := range rows {
		unit := figures.UnitOf(r.Desk)
		if s.Unit != "" && unit == s.Unit || s.Unit == "" && (s.division() == "" || strings.HasPrefix(unit, s.division())) {
			n += int(r.N)
		}
	}
	return n, nil
}

// worst names the three worries with the most tickets that came in a scope.
func (t Teller) worst(p *page, cells []Cell) string {
	row := make([]figures.WorryCell, len(t.Policy.Worry.Names))
	for _, c := range cells {
		m, ok := t.Matters.Get(c.Matter)
		if k := slices.Index(t.Policy.Worry.Names, m.Worry); ok && k >= 0 {
			row[k].N += int(c.Sums[figures.Filed])
		}
	}
	for k := range row {
		row[k].Hidden = row[k].N < t.Policy.Worry.MinN
	}
	if s := p.cells(t.Policy.Worry.Names, row, 3); s != "" {
		return s
	}
	return "—"
}
