package care

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/scheduler"
)

// PlanRow is one order of a hospital's file. Bed and Staff are what the file
// calls them: a bed number and a slug.
type PlanRow struct {
	Bed   string
	Staff string
	Item  Item
}

// ParsePlans reads orders as a hospital system exports them:
//
//	bed,kind,frequency,staff,from,until,window,minutes,on_holiday,early,late
//
// frequency is "7d", "2/7d" (twice in seven days becomes every third day),
// weekdays ("mon,thu", "周一、周四"), weekdays every n weeks ("tue/2w"), or "once".
// The columns from until on may be missing or empty; what they do not say is the
// policy's of the kind. Either every line is good or an *people.ImportError lists
// all that are not.
func (r *Rules) ParsePlans(f people.File, beds, staff []string) ([]PlanRow, error) {
	t, err := people.ReadTable(f, []string{"bed", "kind", "frequency", "staff", "from"}, []string{"until", "window", "minutes", "on_holiday", "early", "late"})
	if err != nil {
		return nil, err
	}
	var out []PlanRow
	seen := map[string]bool{}
	for line := range t.Rows() {
		p := PlanRow{Bed: line.Get("bed"), Staff: line.Get("staff")}
		var bad []error
		p.Item, bad = r.readItem(line)
		if !slices.Contains(beds, p.Bed) {
			bad = append(bad, fmt.Errorf("bed %q is not open here", p.Bed))
		}
		if !slices.Contains(staff, p.Staff) {
			bad = append(bad, fmt.Errorf("staff %q is unknown", p.Staff))
		}
		once := p.Bed + "\x00" + p.Item.Kind + "\x00" + line.Get("frequency") + "\x00" + p.Item.From.String()
		if seen[once] {
			bad = append(bad, errors.New("this order stands twice in the file"))
		}
		seen[once] = true
		for _, err := range bad {
			t.Fail(line, err.Error())
		}
		out = append(out, p)
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// readItem reads one line and everything that is wrong with it.
func (r *Rules) readItem(line people.Row) (it Item, bad []error) {
	it.Kind = line.Get("kind")
	it.OnHoliday = scheduler.OnHoliday(line.Get("on_holiday"))
	note := func(err error) {
		if err != nil {
			bad = append(bad, err)
		}
	}
	note(it.readFrequency(line.Get("frequency")))
	day := func(column string, to *scheduler.Date) {
		d, err := scheduler.ParseDate(line.Get(column))
		if err == nil && (d.Year < 2000 || d.Year > 2100) {
			err = fmt.Errorf("%s lies in no year of ours", d)
		}
		if err != nil {
			note(fmt.Errorf("%s: %w", column, err))
			return
		}
		*to = d
	}
	day("from", &it.From)
	if line.Get("until") != "" {
		day("until", &it.Until)
	}
	if w := line.Get("window"); w != "" {
		s, err := scheduler.ParseSpan(w)
		if err != nil {
			note(fmt.Errorf("window: %w", err))
		}
		it.Window = s
	}
	for column, to := range map[string]*int{"minutes": &it.Minutes, "early": &it.Early, "late": &it.Late} {
		if v := line.Get(column); v != "" {
			n, err := strconv.Atoi(v)
			if err != nil {
				err = fmt.Errorf("%s: %q is not a number", column, v)
			}
			note(err)
			*to = n
		}
	}
	if len(bad) > 0 {
		slices.SortFunc(bad, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return it, bad
	}
	r.fill(&it)
	var refused *Refused
	if errors.As(r.checkItem(it), &refused) {
		note(fmt.Errorf("this order cannot be carried out: %s", refused.Params["what"]))
	}
	return it, bad
}

// readFrequency reads how often.
func (it *Item) readFrequency(s string) error {
	s = strings.ToLower(s)
	if s == "once" {
		return nil
	}
	words, weeks, ok := strings.Cut(s, "/")
	if n, found := strings.CutSuffix(s, "d"); found {
		times, span := "1", n
		if ok {
			times, span = words, strings.TrimSuffix(weeks, "d")
		}
		every, err := strconv.Atoi(span)
		in, err2 := strconv.Atoi(times)
		if err == nil && err2 == nil && in >= 1 && every >= in && every <= maxEvery {
			it.Every = every / in
			return nil
		}
		return badFrequency(s)
	}
	if ok {
		n, err := strconv.Atoi(strings.TrimSuffix(weeks, "w"))
		if err != nil || !strings.HasSuffix(weeks, "w") || n < 1 || n > maxWeeks {
			return badFrequency(s)
		}
		it.Weeks = n
	}
	for name := range strings.FieldsFuncSeq(words, func(c rune) bool { return strings.ContainsRune(",;|、， ", c) }) {
		d, known := weekdayNames[strings.TrimPrefix(strings.TrimPrefix(name, "\u5468"), "\u661f\u671f")]
		if !known {
			return badFrequency(s)
		}
		it.Weekdays = append(it.Weekdays, d)
	}
	if len(it.Weekdays) == 0 {
		return badFrequency(s)
	}
	return nil
}

func badFrequency(s string) error {
	return fmt.Errorf("frequency %q; write 7d, 2/7d, mon,thu, tue/2w or once", s)
}

// weekdayNames are the days as hospital files write them, without the word for
// week that stands before them.
var weekdayNames = map[string]time.Weekday{
	"mon": time.Monday, "tue": time.Tuesday, "wed": time.Wednesday, "thu": time.Thursday, "fri": time.Friday,
	"sat": time.Saturday, "sun": time.Sunday,
	"\u4e00": time.Monday, "\u4e8c": time.Tuesday, "\u4e09": time.Wednesday, "\u56db": time.Thursday,
	"\u4e94": time.Friday, "\u516d": time.Saturday, "\u65e5": time.Sunday, "\u5929": time.Sunday,
}
