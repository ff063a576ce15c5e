package care

import (
	"slices"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// Plan is what has to be written so that the visits of a bed are what its
// orders say. Planned again at the same time it is empty.
type Plan struct {
	// Bed is the bed with its items settled.
	Bed     Bed
	Changes []Change
	Skipped []Skip
	Events  []Event // of the bed: EventMissedInRow
}

// Empty reports whether nothing has to be written.
func (p Plan) Empty() bool { return len(p.Changes) == 0 && len(p.Skipped) == 0 }

// Change is one visit that is new (Before.ID 0 and no state) or not what it was.
type Change struct {
	Before, After Visit
	Events        []Event
}

// New reports whether the visit is to be inserted.
func (c Change) New() bool { return c.Before.State == "" }

// Skip is a slot for which there was no visit, and why. (ItemID, Slot) is its
// key.
type Skip struct {
	ItemID  int64
	Slot    int
	Nominal scheduler.Date
	Reason  string
}

// Pause is a suspension; To is zero while it lasts.
type Pause struct {
	Reason   string
	From, To scheduler.Date
}

// planning is one item at work.
type planning struct {
	*Rules
	bed   *Bed
	it    *Item
	load  *Load
	now   time.Time
	today scheduler.Date
	end   scheduler.Date
	slot  map[int]*planned // what is open or settled
	lost  map[int]bool     // slots that the order no longer has
	plan  *Plan
}

type planned struct {
	before, after Visit
	events        []Event
}

// Plan settles what time has passed over and plans the horizon. visits are those
// of the bed that are open or whose slot lies after Item.Seq, at least; l counts
// those of all beds and is brought up to date. It is run daily, and after every
// command on the bed or one of its visits, in the same transaction.
//
// What the family was told is moved only when its slot no longer allows it; what
// nobody was told yet follows its slot.
func (r *Rules) Plan(b Bed, visits []Visit, l *Load, now time.Time) Plan {
	plan := Plan{Bed: b.clone()}
	for i := range plan.Bed.Items {
		p := &planning{
			Rules: r, bed: &plan.Bed, it: &plan.Bed.Items[i], load: l, now: now, today: r.day(now),
			slot: map[int]*planned{}, plan: &plan,
		}
		p.end = p.it.end(b, r.day)
		for _, v := range visits {
			if v.ItemID == p.it.ID && (v.State.Open() || v.State.settled() && v.Slot > p.it.Seq) {
				p.slot[v.Slot] = &planned{before: v, after: v}
			}
		}
		p.do()
	}
	return plan
}

func (p *planning) do() {
	// What ends here can shift what follows, so it is looked at until nothing
	// ends any more.
	for again := true; again; {
		again = false
		p.rebind()
		for _, slot := range p.slots() {
			again = p.overtaken(p.slot[slot]) || again
		}
		again = p.settlePassed() || again
	}
	if p.goesOn() {
		p.ahead()
	}
	for _, slot := range p.slots() {
		if w := p.slot[slot]; w.before != w.after {
			p.plan.Changes = append(p.plan.Changes, Change{Before: w.before, After: w.after, Events: w.events})
		}
	}
}

func (p *planning) slots() []int {
	slots := make([]int, 0, len(p.slot))
	for s := range p.slot {
		slots = append(slots, s)
	}
	slices.Sort(slots)
	return slots
}

func (p *planning) goesOn() bool { return p.bed.State == BedOpen && p.it.EndedAt.IsZero() }

// rebind gives the waiting visits the nominal days and intervals that the order
// has for their slots now.
func (p *planning) rebind() {
	slots := p.slots()
	nominal := p.it.Next
	p.lost = map[int]bool{}
	for i, n := 0, p.it.Seq+1; i < len(slots); {
		w := p.slot[slots[i]]
		switch {
		case slots[i] < n:
			i++
			continue
		case nominal == noDate:
			p.lost[slots[i]] = true
			i++
			continue
		case slots[i] == n:
			if w.after.State.Waiting() || w.after.State == VisitToMakeUp {
				w.after.Nominal = nominal
				w.after.Earliest, w.after.Latest = p.it.bounds(nominal)
			}
			i++
		}
		n, nominal = n+1, p.it.after(nominal)
	}
}

// as runs a command of the system on a visit. What the tables refuse stays as it
// is.
func (p *planning) as(w *planned, c VisitCommand) {
	next, events, err := p.Visit(*p.bed, w.after, Actor{As: AsSystem}, c, p.now)
	if err != nil {
		return
	}
	p.count(w.after, -1)
	p.count(next, 1)
	w.after, w.events = next, append(w.events, events...)
}

// count keeps the load: what is done by message takes no room.
func (p *planning) count(v Visit, n int) {
	if !v.byMessage() {
		p.load.count(v, n)
	}
}

// overtaken ends what the bed, the order or the calendar has overtaken, and
// reports whether something has ended.
func (p *planning) overtaken(w *planned) bool {
	v := w.after
	if !v.State.Open() {
		return false
	}
	if why := p.releases(v); why != "" {
		p.as(w, Release{Reason: why})
		return w.after.State != v.State
	}
	if (v.State.Waiting() || v.State == VisitEnRoute) && v.Date.Compare(p.today) < 0 && !v.byMessage() {
		// Its day is over and nobody said anything.
		p.count(v, -1)
		w.after.State, w.after.Reason, w.after.StateAt = VisitToMakeUp, ReasonNotRecorded, p.now
		w.events = append(w.events, p.systemEvent(EventFailed, v.State, VisitToMakeUp, "reason", ReasonNotRecorded))
	}
	if w.after.State != VisitArrived && p.today.Compare(v.Latest) > 0 {
		p.as(w, Miss{})
		p.plan.Events = append(p.plan.Events, p.settle(p.it, w.after)...)
	}
	return !w.after.State.Open()
}

func (p *planning) systemEvent(kind EventKind, from, to VisitState, pairs ...string) Event {
	return Event{Kind: kind, Actor: Actor{As: AsSystem}, At: p.now, From: string(from), To: string(to), Data: dataOf(pairs)}
}

// releases says why a visit must not stay, or nothing.
func (p *planning) releases(v Visit) string {
	switch {
	case v.State == VisitArrived:
		return "" // somebody is inside and writes down what was done
	case p.bed.State == BedClosed:
		return ReasonClosed
	case p.bed.State == BedSuspended:
		return p.bed.Reason
	case v.State == VisitEnRoute:
		return ""
	case !p.it.EndedAt.IsZero():
		return ReasonOrderEnded
	case v.Slot > p.it.Seq && p.lost[v.Slot]:
		return ReasonReplanned
	case v.Nominal.Compare(p.end) > 0:
		return ReasonPeriodEnd
	}
	return ""
}

// settlePassed walks over the slots at the head whose interval is over, or which
// a rule leaves out, writes down each of them, and reports whether there were
// any.
func (p *planning) settlePassed() bool {
	seq := p.it.Seq
	for p.it.Next != noDate && p.it.Next.Compare(p.end) <= 0 {
		slot, nominal := p.it.Seq+1, p.it.Next
		_, latest := p.it.bounds(nominal)
		passed := latest.Compare(p.today) < 0
		w, ok := p.slot[slot]
		if ok && w.after.State.settled() {
			p.advance(p.it, w.after)
			continue
		}
		if ok && w.after.State.Open() {
			if !w.after.State.UnderWay() || !passed {
				break
			}
			// Somebody never said that the visit was over: it is settled when
			// that is written down, and holds nothing up.
		} else if reason := p.leftOut(nominal, passed); reason != "" {
			p.plan.Skipped = append(p.plan.Skipped, Skip{ItemID: p.it.ID, Slot: slot, Nominal: nominal, Reason: reason})
		} else {
			break
		}
		p.it.Seq, p.it.Next = slot, p.it.after(nominal)
	}
	return p.it.Seq != seq
}

// leftOut says why there is no visit on a slot, or nothing while there can be.
func (p *planning) leftOut(nominal scheduler.Date, passed bool) string {
	if p.holiday(nominal) && nominal.Compare(p.far()) <= 0 { // until then the calendar may change
		return ReasonHoliday
	}
	if !passed {
		return ""
	}
	for _, pause := range p.bed.Pauses {
		if pause.From.Compare(nominal) <= 0 && (pause.To == noDate || nominal.Compare(pause.To) <= 0) {
			return pause.Reason
		}
	}
	return ReasonTooLate
}

func (p *planning) holiday(nominal scheduler.Date) bool {
	return p.it.OnHoliday == scheduler.HolidaySkip && !p.work.Calendar().IsWorkday(nominal)
}

// far is the last day of the horizon.
func (p *planning) far() scheduler.Date {
	far := p.today.AddDays(p.policy.Plan.Horizon)
	if p.end.Compare(far) < 0 {
		return p.end
	}
	return far
}

// ahead gives every slot of the horizon its visit.
func (p *planning) ahead() {
	far := p.far()
	last := 0
	if slots := p.slots(); len(slots) > 0 {
		last = slots[len(slots)-1]
	}
	for slot, nominal := p.it.Seq+1, p.it.Next; nominal != noDate; slot, nominal = slot+1, p.it.after(nominal) {
		beyond := nominal.Compare(far) > 0
		if beyond && slot > last {
			return
		}
		w, ok := p.slot[slot]
		if ok && w.after.State.settled() {
			continue
		}
		ok = ok && w.after.State.Open()
		switch {
		case ok && beyond && p.unknown(w.after):
			// The rhythm has changed. Nobody knows of this one; it comes back
			// with its day.
			p.as(w, Release{Reason: ReasonReplanned})
		case ok:
			p.keep(w, nominal)
		case !beyond && !p.holiday(nominal):
			p.add(slot, nominal)
		}
	}
}

// unknown reports whether nobody of the family ever heard of the visit.
func (p *planning) unknown(v Visit) bool {
	return (v.State == VisitPlanned || v.State == VisitToMakeUp) && !v.Told && v.ChangedAt.IsZero()
}

// add plans a new visit. A slot of which no hour is left stays without one and
// is written down as skipped when its interval is over.
func (p *planning) add(slot int, nominal scheduler.Date) {
	earliest, latest := p.it.bounds(nominal)
	at, ok := p.place(*p.it, nominal, earliest, latest, p.now, p.load)
	if !ok {
		return
	}
	v := Visit{
		BedID: p.bed.ID, ItemID: p.it.ID, Slot: slot, Kind: p.it.Kind, State: VisitPlanned, Version: 1,
		Date: at.date, Window: at.window, Minutes: p.it.Minutes, Staff: p.it.Staff, Grid: p.bed.Patient.Grid,
		Nominal: nominal, Earliest: earliest, Latest: latest, Full: at.full, Off: at.off, MadeAt: p.now, StateAt: p.now,
	}
	p.count(v, 1)
	event := p.systemEvent(EventPlanned, "", VisitPlanned, "date", v.Date.String(), "slot", strconv.Itoa(slot))
	if released, ok := p.slot[slot]; ok { // released in this very plan: it stays released
		p.plan.Changes = append(p.plan.Changes, Change{Before: released.before, After: released.after, Events: released.events})
	}
	p.slot[slot] = &planned{after: v, events: []Event{event}}
}

// keep lets a visit follow its slot.
func (p *planning) keep(w *planned, nominal scheduler.Date) {
	v := &w.after
	if v.State.UnderWay() || v.byMessage() && v.Date.Compare(p.today) <= 0 {
		return
	}
	// What failed today is the desk's to arrange; the planner does it tomorrow.
	fresh := v.State == VisitToMakeUp && v.Reason != ReasonNotRecorded && v.Reason != ReasonReplanned && p.day(v.StateAt) == p.today
	shifted := w.before.Nominal != nominal
	inside := v.Earliest.Compare(v.Date) <= 0 && v.Date.Compare(v.Latest) <= 0
	asked := v.Told || v.State != VisitPlanned
	p.count(*v, -1)
	defer func() { p.count(*v, 1) }()
	days, off := p.days(*p.it, nominal, v.Earliest, v.Latest, p.today, p.load)
	fits := slices.Contains(days, v.Date)
	if fresh {
		return
	}
	if inside && asked && v.State != VisitToMakeUp {
		v.Off = off || !fits // it was promised: a person looks at it
		return
	}
	if inside && fits && !shifted && v.State != VisitToMakeUp {
		return
	}
	from := v.State
	at, ok := p.place(*p.it, nominal, v.Earliest, v.Latest, p.now, p.load)
	switch {
	case !ok && !inside && from.Waiting():
		// A changed order left it no hour: somebody has to arrange it today.
		v.State, v.Reason, v.StateAt = VisitToMakeUp, ReasonReplanned, p.now
		w.events = append(w.events, p.systemEvent(EventFailed, from, v.State, "reason", v.Reason))
		return
	case !ok || at.date == v.Date && from != VisitToMakeUp:
		return
	}
	s := &step[Visit]{Rules: p.Rules, t: v, by: Actor{As: AsSystem}, now: p.now}
	s.change(v, at.date, at.window, v.Staff)
	v.Full, v.Off = at.full, at.off
	w.events = append(w.events, p.systemEvent(EventMoved, from, v.State, "date", v.Date.String(), "window", v.Window.String()))
}
