package tally

import (
	"context"
	"slices"
	"strings"
	"time"

	"shaoying/internal/chart"
	"shaoying/internal/figures"
	"shaoying/internal/postgres"
)

// Trend is what the three rates 三率 of an area were, month by month.
type Trend struct {
	texts  Texts
	title  map[string]string
	months []time.Time
	rates  []figures.Rates
}

// Trend reads the rates of a scope in the months up to its last, as many as asked
// for; months before the first that counts anything are left out.
func (t Teller) Trend(ctx context.Context, tx *postgres.Tx, s Scope, months int, now time.Time) (Trend, error) {
	title, err := t.title(ctx, tx, s)
	if err != nil {
		return Trend{}, err
	}
	s.From = s.To.AddDate(0, 1-months, 0)
	cells, err := t.Cells(ctx, tx, s, now)
	if err != nil {
		return Trend{}, err
	}
	by := By(cells, func(c Cell) string { return c.Month.Format(time.DateOnly) })
	trend := Trend{texts: t.Texts, title: title}
	for month := s.From; !month.After(s.To); month = month.AddDate(0, 1, 0) {
		r := t.Policy.Rates(by[month.Format(time.DateOnly)])
		if r.N > 0 || len(trend.months) > 0 {
			trend.months, trend.rates = append(trend.months, month), append(trend.rates, r)
		}
	}
	return trend, nil
}

// Empty reports whether there is nothing to show.
func (t Trend) Empty() bool { return len(t.months) == 0 }

// Bars is the trend as a chart.
func (t Trend) Bars() (chart.Bars, error) {
	p := &page{texts: t.texts}
	b := chart.Bars{Title: p.text("chart.title", t.title), Note: p.text("note", nil)}
	for _, m := range t.months {
		b.Labels = append(b.Labels, p.text("chart.month", map[string]string{"month": count(int(m.Month()))}))
	}
	for _, line := range []struct {
		name string
		of   func(figures.Rates) figures.Rate
	}{
		{"response", func(r figures.Rates) figures.Rate { return r.Response }},
		{"resident", func(r figures.Rates) figures.Rate { return r.ByResident }},
		{"satisfaction", func(r figures.Rates) figures.Rate { return r.Satisfaction }},
	} {
		s := chart.Series{Name: p.text("name."+line.name, nil)}
		for _, r := range t.rates {
			var value *float64
			if v, ok := line.of(r).Value(); ok {
				v *= 100
				value = &v
			}
			s.Values = append(s.Values, value)
		}
		b.Series = append(b.Series, s)
	}
	_, err := p.done()
	return b, err
}

// Table is the trend as text, the newest month first.
func (t Trend) Table() (string, error) {
	p := &page{texts: t.texts}
	p.say("chart.head", nil)
	for i, m := range slices.Backward(t.months) {
		r := t.rates[i]
		p.say("chart.row", map[string]string{
			"month": count(int(m.Month())), "response": percent(r.Response), "resident": percent(r.ByResident), "satisfaction": percent(r.Satisfaction),
		})
	}
	text, err := p.done()
	return strings.TrimSpace(text), err
}

// Line is the last month in one line, for the board of a desk; "" where nothing
// counts in it.
func (t Trend) Line() (string, error) {
	if t.Empty() || t.rates[len(t.rates)-1].N == 0 {
		return "", nil
	}
	r := t.rates[len(t.rates)-1]
	params := map[string]string{
		"n": count(r.N), "response": percent(r.Response), "resident": percent(r.ByResident),
		"satisfaction": percent(r.Satisfaction), "overdue": percent(r.OverdueRate),
	}
	for k, v := range t.title {
		params[k] = v
	}
	p := &page{texts: t.texts}
	p.say("board", params)
	return p.done()
}
