package care

import (
	"slices"
	"time"

	"shaoying/scheduler"
)

// Item is one order of a plan 诊疗计划/护理计划: what is done how often.
//
// Its visits are slots, numbered from 1. A slot has a nominal day and an
// ordered interval around it, Early days before to Late days after; intervals of
// one item never touch. Seq and Next are the only memory: the last slot that is
// settled, and the nominal day of the one after it.
//
//	every n days:   the next nominal day is the day it was done + n;
//	                of a missed or cancelled slot its own nominal day + n
//	fixed weekdays: the next such weekday, whatever was done when
//	neither:        once
type Item struct {
	ID       int64
	Kind     string // one of Policy.Kinds
	Every    int
	Weekdays []time.Weekday
	// Weeks: with Weekdays, every how many weeks; 0 and 1 are each week.
	Weeks int
	Early int
	Late  int
	// OnHoliday: keep and skip as for schedules; next_workday and prev_workday
	// move inside the interval, and keep the day when the interval has no
	// workday at all.
	OnHoliday scheduler.OnHoliday
	Window    scheduler.Span // wished; zero for any
	Minutes   int
	Staff     int64
	From      scheduler.Date
	Until     scheduler.Date // zero: as long as the bed
	EndedAt   time.Time

	Seq    int
	Next   scheduler.Date // zero: no slot is left
	Missed int            // in a row
	// LastMissed is the slot of the last of them: with it the hospital is told of
	// the row once.
	LastMissed int
}

var noDate scheduler.Date

func (it Item) once() bool { return it.Every == 0 && len(it.Weekdays) == 0 }

// after returns the nominal day of the slot that follows one on d.
func (it Item) after(d scheduler.Date) scheduler.Date {
	switch {
	case it.Every > 0:
		return d.AddDays(it.Every)
	case len(it.Weekdays) > 0:
		for n := d.AddDays(1); ; n = n.AddDays(1) {
			if n.Weekday() == time.Monday && it.Weeks > 1 {
				n = n.AddDays(7 * (it.Weeks - 1))
			}
			if slices.Contains(it.Weekdays, n.Weekday()) {
				return n
			}
		}
	}
	return noDate
}

// gap is the least number of days between two nominal days; 0 for once.
func (it Item) gap() int {
	if it.Every > 0 || len(it.Weekdays) == 0 {
		return it.Every
	}
	least, d := 7*max(it.Weeks, 1), it.after(scheduler.Date{Year: 2024, Month: time.January, Day: 7})
	for range 8 {
		n := it.after(d)
		least, d = min(least, daysBetween(d, n)), n
	}
	return least
}

// bounds returns the ordered interval of a slot.
func (it Item) bounds(nominal scheduler.Date) (earliest, latest scheduler.Date) {
	earliest, latest = nominal.AddDays(-it.Early), nominal.AddDays(it.Late)
	if earliest.Compare(it.From) < 0 {
		earliest = it.From
	}
	return earliest, latest
}

// end is the last day on which a slot of the item may be nominal.
func (it Item) end(b Bed, day func(time.Time) scheduler.Date) scheduler.Date {
	end := b.Period().To
	if it.Until != noDate && it.Until.Compare(end) < 0 {
		end = it.Until
	}
	if !it.EndedAt.IsZero() {
		if d := day(it.EndedAt).AddDays(-1); d.Compare(end) < 0 {
			end = d
		}
	}
	return end
}

// start sets the first slot.
func (it *Item) start(today scheduler.Date) {
	if it.From.Compare(today) < 0 {
		it.From = today
	}
	it.Seq, it.Missed, it.LastMissed, it.Next = 0, 0, 0, it.From
	for len(it.Weekdays) > 0 && !slices.Contains(it.Weekdays, it.Next.Weekday()) {
		it.Next = it.Next.AddDays(1)
	}
}

// continues takes over from the order it replaces: slots keep their numbers, and
// an unchanged rhythm keeps its next day.
func (it *Item) continues(old Item, today scheduler.Date) {
	it.start(today)
	it.Seq, it.Missed, it.LastMissed = old.Seq, old.Missed, old.LastMissed
	if it.Every == old.Every && it.Weeks == old.Weeks && slices.Equal(it.Weekdays, old.Weekdays) {
		it.Next, it.From = old.Next, old.From
	}
}

// resume brings the next visit of a rhythm forward: who comes home from
// hospital is seen soon. Fixed weekdays stay what they are.
func (it *Item) resume(today scheduler.Date, within int) {
	soon := today.AddDays(within)
	if it.Every > 0 && it.EndedAt.IsZero() && it.Next.Compare(soon) > 0 {
		it.Next = soon
	}
}

// fill takes what an order does not say from the policy of its kind.
func (r *Rules) fill(it *Item) {
	k, ok := r.policy.Kinds[it.Kind]
	if !ok {
		return
	}
	if it.Minutes == 0 {
		it.Minutes = k.Minutes
	}
	if it.OnHoliday == "" {
		it.OnHoliday = k.OnHoliday
	}
	if it.Early == 0 && it.Late == 0 {
		it.Early, it.Late = k.Early, k.Late
		if gap := it.gap(); gap > 0 && it.Early+it.Late >= gap {
			it.Late = (gap - 1) / 2
			it.Early = gap - 1 - it.Late
			it.Early, it.Late = min(it.Early, k.Early), min(it.Late, k.Late)
		}
	}
}

// checkItem refuses an order that cannot be carried out.
func (r *Rules) checkItem(it Item) error {
	_, known := r.policy.Kinds[it.Kind]
	gap := it.gap()
	switch {
	case !known:
		return refuse(KeyItem, "what", "kind")
	case it.Every < 0 || it.Every > maxEvery || it.Every > 0 && len(it.Weekdays) > 0:
		return refuse(KeyItem, "what", "rhythm")
	case it.Weeks < 0 || it.Weeks > maxWeeks || it.Weeks > 0 && len(it.Weekdays) == 0:
		return refuse(KeyItem, "what", "rhythm")
	case it.Early < 0 || it.Late < 0 || it.Early > maxEvery || it.Late > maxEvery || gap > 0 && it.Early+it.Late >= gap:
		return refuse(KeyItem, "what", "interval")
	case !slices.Contains(holidayRules, it.OnHoliday):
		return refuse(KeyItem, "what", "on_holiday")
	case it.Minutes < 1 || it.Minutes > maxMinutes:
		return refuse(KeyItem, "what", "minutes")
	case it.Until != noDate && it.Until.Compare(it.From) < 0:
		return refuse(KeyItem, "what", "until")
	case it.Window != (scheduler.Span{}) && !slices.ContainsFunc(r.policy.Windows.Of, func(w Window) bool { return w.Span == it.Window }):
		return refuse(KeyItem, "what", "window")
	}
	for i, d := range it.Weekdays {
		if d < time.Sunday || d > time.Saturday || slices.Contains(it.Weekdays[:i], d) {
			return refuse(KeyItem, "what", "rhythm")
		}
	}
	return nil
}

// What an order may say at most; more is a slip of the pen.
const (
	maxEvery   = 366
	maxWeeks   = 12
	maxMinutes = 8 * 60
)

var holidayRules = []scheduler.OnHoliday{scheduler.HolidayKeep, scheduler.HolidaySkip, scheduler.NextWorkday, scheduler.PrevWorkday}

// Settle writes into the item of the bed what the end of a visit means for the
// slots that follow: at once when it is the next one, else when Plan comes to it.
// EventMissedInRow tells the hospital.
func (r *Rules) Settle(b Bed, v Visit) (Bed, []Event) {
	i := b.item(v.ItemID)
	if i < 0 || !v.State.settled() {
		return b, nil
	}
	b = b.clone()
	return b, r.settle(&b.Items[i], v)
}

func (r *Rules) settle(it *Item, v Visit) []Event {
	switch {
	case v.Slot == it.Seq+1:
		r.advance(it, v)
	case v.Slot == it.Seq && v.State == VisitDone && it.Every > 0:
		it.Next = it.after(r.base(*it, v)) // written down late
	}
	switch v.State {
	case VisitDone:
		// Of one that is written down late, what was missed after it still counts.
		it.Missed = min(it.Missed, max(0, it.LastMissed-v.Slot))
	case VisitMissed:
		it.Missed++
		it.LastMissed = max(it.LastMissed, v.Slot)
		if it.Missed >= r.policy.Missed.InRow {
			return []Event{{
				Kind: EventMissedInRow, Actor: Actor{As: AsSystem}, At: v.StateAt, From: string(v.State), To: string(v.State),
				Data: dataOf([]string{"kind", it.Kind}),
			}}
		}
	}
	return nil
}

// advance goes on to the slot after a settled visit.
func (r *Rules) advance(it *Item, v Visit) { it.Seq, it.Next = v.Slot, it.after(r.base(*it, v)) }

// base is the day from which the slot after a settled visit is counted.
func (r *Rules) base(it Item, v Visit) scheduler.Date {
	if v.State == VisitDone && it.Every > 0 {
		return r.day(v.ArrivedAt)
	}
	return v.Nominal
}
