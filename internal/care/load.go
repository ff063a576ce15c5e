package care

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"shaoying/scheduler"
)

// Load is what visitors have to do already, and when they are away. It is the
// planner's own: one goroutine, changed while it plans.
type Load struct {
	used map[loadKey]int
	away map[int64][]Absence
}

type loadKey struct {
	staff int64
	date  scheduler.Date
	from  scheduler.TimeOfDay
}

// Absence is a visitor's time away; both days belong to it.
type Absence struct {
	Staff    int64
	From, To scheduler.Date
}

// NewLoad counts the open visits of whoever may be planned for, of all beds.
func NewLoad(visits []Visit, away []Absence) *Load {
	l := &Load{used: map[loadKey]int{}, away: map[int64][]Absence{}}
	for _, v := range visits {
		l.count(v, 1)
	}
	for _, a := range away {
		l.away[a.Staff] = append(l.away[a.Staff], a)
	}
	return l
}

// clone lets a plan be tried without leaving a trace.
func (l *Load) clone() *Load { return &Load{used: maps.Clone(l.used), away: l.away} }

func (l *Load) count(v Visit, n int) {
	if v.State.Waiting() || v.State.UnderWay() {
		l.used[loadKey{v.Staff, v.Date, v.Window.From}] += n
	}
}

func (l *Load) isAway(staff int64, d scheduler.Date) bool {
	return slices.ContainsFunc(l.away[staff], func(a Absence) bool { return a.From.Compare(d) <= 0 && d.Compare(a.To) <= 0 })
}

func (l *Load) room(staff int64, d scheduler.Date, w Window) bool {
	return l.used[loadKey{staff, d, w.Span.From}] < w.Visits
}

// Order numbers the visits of one visitor's day: by window, inside it by the
// rank of the kind and then by grid, so that neighbours follow one another. The
// result is sorted; ended visits are left out.
func (r *Rules) Order(day []Visit) []Visit {
	open := slices.DeleteFunc(slices.Clone(day), func(v Visit) bool { return !v.State.Waiting() && !v.State.UnderWay() })
	slices.SortFunc(open, func(a, b Visit) int {
		return cmp.Or(
			cmp.Compare(a.Window.From, b.Window.From),
			cmp.Compare(r.policy.Kinds[a.Kind].Rank, r.policy.Kinds[b.Kind].Rank),
			cmp.Compare(a.Grid, b.Grid), cmp.Compare(a.BedID, b.BedID), cmp.Compare(a.ID, b.ID),
		)
	})
	for i := range open {
		open[i].Order = i + 1
	}
	return open
}

// choice is one place in the plan.
type choice struct {
	date      scheduler.Date
	window    scheduler.Span
	full, off bool
}

// days lists the days of an interval from today on that the item may use, the
// best first, and whether they are only the least bad: no workday, or nobody at
// work, lies between them.
func (r *Rules) days(it Item, nominal, earliest, latest, today scheduler.Date, l *Load) (days []scheduler.Date, off bool) {
	if earliest.Compare(today) < 0 {
		earliest = today
	}
	target := nominal
	cal := r.work.Calendar()
	moves := it.OnHoliday == scheduler.NextWorkday || it.OnHoliday == scheduler.PrevWorkday
	if moves && !cal.IsWorkday(target) {
		if it.OnHoliday == scheduler.NextWorkday {
			target = cal.NextWorkday(target)
		} else {
			target = cal.AddWorkdays(target, -1)
		}
	}
	var all []scheduler.Date
	for d := earliest; d.Compare(latest) <= 0; d = d.AddDays(1) {
		all = append(all, d)
	}
	nearest(all, target)
	for _, keep := range []func(scheduler.Date) bool{
		func(d scheduler.Date) bool { return (!moves || cal.IsWorkday(d)) && !l.isAway(it.Staff, d) },
		func(d scheduler.Date) bool { return !l.isAway(it.Staff, d) },
		func(scheduler.Date) bool { return true },
	} {
		if days = filter(all, keep); len(days) > 0 {
			return days, off
		}
		off = true
		nearest(all, nominal)
	}
	return nil, off
}

// nearest sorts the nearest to the target first; of two equally near ones the
// later.
func nearest(all []scheduler.Date, target scheduler.Date) {
	slices.SortStableFunc(all, func(a, b scheduler.Date) int {
		return cmp.Or(cmp.Compare(abs(daysBetween(target, a)), abs(daysBetween(target, b))), b.Compare(a))
	})
}

// place finds a place for a slot: the best day with room in a window. Where no
// window has room the best day is taken all the same, marked full: a visit is
// not left out because the plan is full, a person looks at it. ok is false when
// no hour of the interval is left.
func (r *Rules) place(it Item, nominal, earliest, latest scheduler.Date, now time.Time, l *Load) (c choice, ok bool) {
	for {
		days, off := r.days(it, nominal, earliest, latest, r.day(now), l)
		var first *choice
		for _, d := range days {
			for _, w := range r.windows(it) {
				if !d.At(w.Span.From, r.loc()).After(now.Add(r.policy.Plan.Lead)) {
					continue
				}
				at := choice{date: d, window: w.Span, off: off}
				if it.Minutes == 0 || l.room(it.Staff, d, w) {
					return at, true
				}
				if first == nil {
					at.full = true
					first = &at
				}
			}
		}
		if first != nil {
			return *first, true
		}
		// Today's hours are over; are there other days?
		if next := r.day(now).AddDays(1); len(days) > 0 && earliest.Compare(next) < 0 && next.Compare(latest) <= 0 {
			earliest = next
			continue
		}
		return choice{}, false
	}
}

// windows lists the windows of the policy, the wished one first.
func (r *Rules) windows(it Item) []Window {
	of := slices.Clone(r.policy.Windows.Of)
	slices.SortStableFunc(of, func(a, b Window) int {
		return cmp.Compare(rank(a.Span == it.Window), rank(b.Span == it.Window))
	})
	return of
}

func rank(first bool) int {
	if first {
		return 0
	}
	return 1
}

func filter[T any](all []T, keep func(T) bool) []T {
	var out []T
	for _, v := range all {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

func abs(n int) int { return max(n, -n) }
