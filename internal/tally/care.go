package tally

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/figures"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Figures of family beds, read from beds and visits as they are: a month of five
// thousand beds is some seventy thousand visits, which need no roll-up.
//
// A slot counts in the month of its nominal day, whenever it was made good. What is
// still to come counts nowhere.
//
//	plan          done + missed + cancelled + skipped because it was too late:
//	              what was owed and is over. Slots that a holiday or a suspension
//	              took out were not owed
//	done rate     done / plan
//	missed rate   missed / (done + missed); target 1 in 60 (reference family-bed 1.3)
//	a week        done * 7 / days on which beds were open (reference 1.3)
//	confirmed     visits to which somebody was to be at home / visits asked about
//	silent        visits asked about that nobody answered / visits asked about
//	satisfied     3, 4 and 5 of 5 / answers; top: 4 and 5 / answers; reply rate:
//	              answers / surveys (reference 1.7)
//	lost minutes  from departure to giving up before a closed door

// CareScope is a month of some clinics.
type CareScope struct {
	// Month is its first day.
	Month time.Time
	// Clinics are ids; none are all.
	Clinics []int64
}

// CareFigures are those of a clinic, or of several together, in a month.
type CareFigures struct {
	Clinic         int64 // 0 for several
	Code, Name     string
	Beds           int // at the end of the month, or now
	Opened, Closed int
	// Days are those on which beds were there, Held those of them on which care
	// was suspended.
	Days, Held                       int
	Done, Missed, Cancelled, Open    int
	MadeUp, MadeGood                 int
	Asked, Confirmed, Answered       int
	Nobody, LostMinutes              int
	Surveys, Replies, Satisfied, Top int
	// Reasons are counts by "missed", "cancelled" and "skipped", then by reason.
	Reasons map[string]map[string]int
}

// The ends of a slot that have reasons.
const (
	CareMissed    = string(care.VisitMissed)
	CareCancelled = string(care.VisitCancelled)
	CareSkipped   = "skipped"
)

// Owed is how many slots were owed and are over.
func (f CareFigures) Owed() int {
	return f.Done + f.Missed + f.Cancelled + f.Reasons[CareSkipped][care.ReasonTooLate]
}

// Skipped is how many slots had no visit and owed none.
func (f CareFigures) Skipped() int {
	n := 0
	for reason, k := range f.Reasons[CareSkipped] {
		if reason != care.ReasonTooLate {
			n += k
		}
	}
	return n
}

// DoneRate is visits done against plan.
func (f CareFigures) DoneRate() figures.Rate { return share(f.Done, f.Owed()) }

// MissedRate is what could not be made good.
func (f CareFigures) MissedRate() figures.Rate { return share(f.Missed, f.Done+f.Missed) }

// ConfirmedRate is to how many visits somebody was to be at home.
func (f CareFigures) ConfirmedRate() figures.Rate { return share(f.Confirmed, f.Asked) }

// SilentRate is how many questions nobody answered.
func (f CareFigures) SilentRate() figures.Rate { return share(f.Asked-f.Answered, f.Asked) }

// ReplyRate is how many surveys were answered.
func (f CareFigures) ReplyRate() figures.Rate { return share(f.Replies, f.Surveys) }

// SatisfiedRate counts 基本满意 in, TopRate does not.
func (f CareFigures) SatisfiedRate() figures.Rate { return share(f.Satisfied, f.Replies) }

// TopRate is the share of 很满意 and 满意.
func (f CareFigures) TopRate() figures.Rate { return share(f.Top, f.Replies) }

// PerWeek is visits done for each open bed and week; ok is false without beds.
func (f CareFigures) PerWeek() (n float64, ok bool) {
	if f.Days <= f.Held {
		return 0, false
	}
	return 7 * float64(f.Done) / float64(f.Days-f.Held), true
}

func share(n, of int) figures.Rate { return figures.Rate{Num: n, Den: of, N: of} }

// add puts the counts of another clinic to these.
func (f *CareFigures) add(o CareFigures) {
	for _, p := range []struct {
		to *int
		n  int
	}{
		{&f.Beds, o.Beds},
		{&f.Opened, o.Opened},
		{&f.Closed, o.Closed},
		{&f.Days, o.Days},
		{&f.Held, o.Held},
		{&f.Done, o.Done},
		{&f.Missed, o.Missed},
		{&f.Cancelled, o.Cancelled},
		{&f.Open, o.Open},
		{&f.MadeUp, o.MadeUp},
		{&f.MadeGood, o.MadeGood},
		{&f.Asked, o.Asked},
		{&f.Confirmed, o.Confirmed},
		{&f.Answered, o.Answered},
		{&f.Nobody, o.Nobody},
		{&f.LostMinutes, o.LostMinutes},
		{&f.Surveys, o.Surveys},
		{&f.Replies, o.Replies},
		{&f.Satisfied, o.Satisfied},
		{&f.Top, o.Top},
	} {
		*p.to += p.n
	}
	for end, reasons := range o.Reasons {
		for reason, n := range reasons {
			f.reason(end, reason, n)
		}
	}
}

func (f *CareFigures) reason(end, reason string, n int) {
	if f.Reasons == nil {
		f.Reasons = map[string]map[string]int{}
	}
	if f.Reasons[end] == nil {
		f.Reasons[end] = map[string]int{}
	}
	f.Reasons[end][reason] += n
}

// Care reads the figures of each clinic that has beds or visits in the month, by
// code, and of all of them together.
func (t *Tally) Care(ctx context.Context, tx *postgres.Tx, s CareScope, now time.Time) (of []CareFigures, all CareFigures, err error) {
	clinics, err := tx.Clinics(ctx)
	if err != nil {
		return nil, all, fmt.Errorf("read the clinics: %w", err)
	}
	by := map[int64]*CareFigures{}
	at := func(id int64) *CareFigures {
		if by[id] == nil {
			by[id] = &CareFigures{Clinic: id}
		}
		return by[id]
	}
	for _, read := range []func(context.Context, *postgres.Tx, CareScope, span, func(int64) *CareFigures) error{careVisits, careReasons, t.careBeds} {
		if err := read(ctx, tx, s, t.span(s.Month, now), at); err != nil {
			return nil, all, err
		}
	}
	for _, c := range clinics {
		if f := by[c.ID]; f != nil {
			f.Code, f.Name = c.Code, c.Name
			of = append(of, *f)
			all.add(*f)
		}
	}
	return of, all, nil
}

// span is the part of a month that has come: from its first day up to, and without,
// to.
type span struct{ from, to, end, today time.Time }

func (t *Tally) span(month, now time.Time) span {
	today := postgres.DayOf(scheduler.DateOf(now.In(t.Work.Location())))
	from := time.Date(month.Year(), month.Month(), 1, 0, 0, 0, 0, time.UTC)
	end := from.AddDate(0, 1, 0)
	to := today.AddDate(0, 0, 1)
	if end.Before(to) {
		to = end
	}
	return span{from: from, to: to, end: end, today: today}
}

func careVisits(ctx context.Context, tx *postgres.Tx, s CareScope, days span, at func(int64) *CareFigures) error {
	rows, err := tx.CareVisitFigures(ctx, db.CareVisitFiguresParams{Today: days.today, FromDay: days.from, ToDay: days.end, Clinics: s.Clinics})
	if err != nil {
		return fmt.Errorf("count the visits of a month: %w", err)
	}
	for _, r := range rows {
		f := at(r.Clinic)
		f.Done, f.Missed, f.Cancelled, f.Open = int(r.Done), int(r.Missed), int(r.Cancelled), int(r.Open)
		f.MadeUp, f.MadeGood, f.Asked, f.Confirmed, f.Answered = int(r.MadeUp), int(r.MadeGood), int(r.Asked), int(r.Confirmed), int(r.Answered)
		f.Nobody, f.LostMinutes = int(r.Nobody), int(r.LostMinutes)
		f.Surveys, f.Replies, f.Satisfied, f.Top = int(r.Surveys), int(r.Replies), int(r.Satisfied), int(r.Top)
	}
	return nil
}

func careReasons(ctx context.Context, tx *postgres.Tx, s CareScope, days span, at func(int64) *CareFigures) error {
	rows, err := tx.CareReasons(ctx, days.from, days.end, s.Clinics)
	if err != nil {
		return fmt.Errorf("count why visits were not made: %w", err)
	}
	for _, r := range rows {
		at(r.Clinic).reason(r.State, r.Reason, int(r.N))
	}
	return nil
}

func (t *Tally) careBeds(ctx context.Context, tx *postgres.Tx, s CareScope, days span, at func(int64) *CareFigures) error {
	if !days.from.Before(days.to) {
		return nil // the month has not begun
	}
	rows, err := tx.CareBedFigures(ctx, db.CareBedFiguresParams{
		FromDay: days.from, ToDay: days.to, Zone: t.Work.Location().String(), Clinics: s.Clinics,
	})
	if err != nil {
		return fmt.Errorf("count the beds of a month: %w", err)
	}
	for _, r := range rows {
		f := at(r.Clinic)
		f.Beds, f.Opened, f.Closed, f.Days, f.Held = int(r.Beds), int(r.Opened), int(r.Closed), int(r.Days), int(r.Held)
	}
	return nil
}

// CareVisitor are the figures of one who visits. Replies are 0 below the least
// number of answers of the policy.
type CareVisitor struct {
	Staff                                              int64
	Name                                               string
	Done, Missed, LostMinutes, Replies, Satisfied, Top int
}

// CareVisitors reads the figures of a clinic's visitors.
func (t *Tally) CareVisitors(ctx context.Context, tx *postgres.Tx, s CareScope, now time.Time) ([]CareVisitor, error) {
	days := t.span(s.Month, now)
	rows, err := tx.CareVisitors(ctx, db.CareVisitorsParams{
		Least: int32(t.Policy.Care.Least), FromDay: days.from, ToDay: days.end, Clinics: s.Clinics,
	})
	if err != nil {
		return nil, fmt.Errorf("count the visits of each visitor: %w", err)
	}
	list := make([]CareVisitor, len(rows))
	for i, r := range rows {
		list[i] = CareVisitor{
			Staff: r.StaffID, Name: r.Name, Done: int(r.Done), Missed: int(r.Missed), LostMinutes: int(r.LostMinutes),
			Replies: int(r.Replies), Satisfied: int(r.Satisfied), Top: int(r.Top),
		}
	}
	return list, nil
}

// CareClinics are the clinics whose figures a member of the staff may see: a desk's
// and a doctor's own, those of a liaison's hospital, those that serve a leader's
// area, all for the leaders of the units that the policy names.
func (t *Tally) CareClinics(rights people.Rights, who people.Staff, now time.Time, clinics []db.Clinic) (ids []int64) {
	units := map[int64]string{}
	for _, c := range clinics {
		units[c.ID] = c.Code
	}
	every := slices.ContainsFunc(t.Policy.Care.Sees, func(unit string) bool {
		return rights.May(who, people.MaySeeFigures, people.Subject{Unit: unit}, now)
	})
	for _, c := range clinics {
		sees := every || rights.May(who, people.MayViewBeds, people.Subject{Unit: c.Code}, now) || rights.May(who, people.MaySeeFigures, people.Subject{Unit: c.Code}, now)
		if c.HospitalID != nil {
			behind := people.Subject{Unit: units[*c.HospitalID]}
			sees = sees || rights.May(who, people.MayViewBeds, behind, now) || rights.May(who, people.MaySeeFigures, behind, now)
		}
		for _, d := range c.Townships {
			sees = sees || rights.May(who, people.MaySeeFigures, people.Subject{Division: d}, now)
		}
		if sees && c.Tier == string(care.TierClinic) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
