package scheduler

import (
	"fmt"
	"slices"
	"time"
)

// SlotState is what Plan decided about a slot.
type SlotState string

// The states that Plan gives, as in table slot.
const (
	Planned SlotState = "planned"
	Skipped SlotState = "skipped"
)

// The reasons of skipped slots.
const (
	ReasonHoliday    = "holiday"        // on_holiday: skip
	ReasonQuiet      = "quiet_hours"    // on_quiet: drop
	ReasonTooLate    = "too_late"       // more than max_late after due
	ReasonSuperseded = "superseded"     // policy latest, a newer one runs
	ReasonTooMany    = "catch_up_limit" // policy all, more than max
)

// Slot is one time at which a schedule is nominally due. The key is the
// schedule and Nominal; nothing else identifies it.
type Slot struct {
	Nominal time.Time
	// Due is when it runs: Nominal, shifted by holiday and quiet rule.
	Due time.Time
	// NotAfter is when it has lost its meaning: it is not run after that.
	NotAfter time.Time
	State    SlotState
	Reason   string
}

// chunk is how many slots one call of Plan decides at most, so that a
// transaction stays short after a long absence.
const chunk = 500

// Planner decides about the slots of one schedule. It is immutable, safe for
// concurrent use and keeps nothing between calls; a new calendar or schedule
// makes a new one.
type Planner struct {
	Schedule
	spec  spec
	loc   *time.Location
	cal   *Calendar
	quiet Quiet
}

// NewPlanner returns the planner of s. The error is that of
// [Schedule.Validate].
func NewPlanner(s Schedule, cal *Calendar, quiet Quiet) (*Planner, error) {
	if cal == nil {
		return nil, fmt.Errorf("schedule %q: no calendar", s.Name)
	}
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("schedule %q: %w", s.Name, err)
	}
	sp, loc, err := s.compile()
	if err != nil {
		return nil, fmt.Errorf("schedule %q: %w", s.Name, err)
	}
	return &Planner{Schedule: s, spec: sp, loc: loc, cal: cal, quiet: quiet}, nil
}

// Plan decides, in order, the slots after last that are due, and those whose
// nominal time has come and that are due later. newLast is the nominal time of
// the last one decided, or last. It is to be stored together with the slots;
// then any number of planners and restarts neither lose nor double one.
//
// After a long absence one call decides only the oldest part: call again with
// newLast until no slots come back.
func (p *Planner) Plan(last, now time.Time) (slots []Slot, newLast time.Time) {
	slots = p.ready(last, now)
	if len(slots) == 0 {
		return nil, last
	}
	n, newest := len(slots), slots[len(slots)-1]
	slots = append(slots, p.ahead(newest, now)...)
	p.catchUp(slots, now)
	return slots[:n:n], newest.Nominal
}

// NextWake returns when Plan has something to decide after last: before that
// instant it returns no slots.
func (p *Planner) NextWake(last time.Time) time.Time {
	slot := p.place(p.spec.next(last, p.loc))
	return earlier(slot.Nominal, slot.Due)
}

// ready places the slots whose time has come, at most one chunk. Shifts keep
// the order, so the first that is neither nominally nor really due ends it.
func (p *Planner) ready(last, now time.Time) []Slot {
	var slots []Slot
	for len(slots) < chunk {
		slot := p.place(p.spec.next(last, p.loc))
		if slot.Nominal.After(now) && slot.Due.After(now) {
			break
		}
		slots = append(slots, p.delay(slot, now))
		last = slot.Nominal
	}
	return slots
}

// ahead places the slots behind newest that the policy has to know to decide
// about newest: the one that would supersede it, or as many as may run at once.
func (p *Planner) ahead(newest Slot, now time.Time) []Slot {
	want := map[Policy]int{CatchUpLatest: 1, CatchUpAll: p.CatchUp.Max}[p.CatchUp.Policy]
	until := later(now, newest.Due)
	var slots []Slot
	for last := newest.Nominal; want > 0; {
		slot := p.delay(p.place(p.spec.next(last, p.loc)), now)
		if slot.Nominal.After(until) && slot.Due.After(until) {
			break
		}
		if slot.State == Planned {
			want--
		}
		slots = append(slots, slot)
		last = slot.Nominal
	}
	return slots
}

// place shifts a nominal time, which stands for a wall-clock time, by the
// holiday and the quiet rule.
func (p *Planner) place(nominal, wall time.Time) Slot {
	slot := Slot{Nominal: nominal, Due: nominal, State: Planned}
	day, at := DateOf(wall), timeOfDay(wall)
	if m, ok := p.spec.(monthSpec); ok && m.workday > 0 {
		day = p.cal.AddWorkdays(day.AddDays(-1), m.workday)
		slot.Due = day.At(at, p.loc)
	}
	if !p.cal.IsWorkday(day) {
		switch p.OnHoliday {
		case HolidaySkip:
			slot.State, slot.Reason = Skipped, ReasonHoliday
		case NextWorkday:
			slot.Due = p.cal.NextWorkday(day).At(at, p.loc)
		case PrevWorkday:
			slot.Due = p.cal.AddWorkdays(day, -1).At(at, p.loc)
		}
	}
	due, verdict := p.quiet.Shift(slot.Due, time.Time{}, p.Class, p.OnQuiet)
	slot.Due = due
	if verdict == Dropped && slot.State == Planned {
		slot.State, slot.Reason = Skipped, ReasonQuiet
	}
	slot.NotAfter = slot.Due.Add(p.CatchUp.MaxLate)
	return slot
}

// delay looks at a slot whose due time may be over: too late, or to wait once
// more because now is quiet.
func (p *Planner) delay(slot Slot, now time.Time) Slot {
	if slot.State == Skipped || !slot.Due.Before(now) {
		return slot
	}
	// What is caught up waits for the next open span also under drop and
	// earlier: its own time was fine.
	open, _ := p.quiet.Shift(now, time.Time{}, p.Class, QuietLater)
	if open.After(slot.NotAfter) {
		slot.State, slot.Reason = Skipped, ReasonTooLate
	} else if open.After(now) {
		slot.Due = open
	}
	return slot
}

// catchUp applies the policy, from the newest slot to the oldest.
func (p *Planner) catchUp(slots []Slot, now time.Time) {
	running := 0
	var newer time.Time // due time of the next newer slot that runs
	for i := range slices.Backward(slots) {
		slot := &slots[i]
		if slot.State == Skipped {
			continue
		}
		missed := !slot.NotAfter.Add(-p.CatchUp.MaxLate).After(now)
		switch {
		case p.CatchUp.Policy == CatchUpLatest && !newer.IsZero() && !newer.After(later(now, slot.Due)):
			slot.State, slot.Reason = Skipped, ReasonSuperseded
		case p.CatchUp.Policy == CatchUpAll && missed && running >= p.CatchUp.Max:
			slot.State, slot.Reason = Skipped, ReasonTooMany
		default:
			newer = slot.Due
			if missed {
				running++
			}
		}
	}
}
