package figures

import (
	"slices"
	"time"
)

// Event is one row of a ticket's trail: what happened, when, and what the
// trail keeps of it. Dues are those in force after the event, zero when no
// clock runs.
type Event struct {
	Kind string // without "ticket."
	At   time.Time
	To   string // state after the event
	Data map[string]string

	SignDue, ContactDue, Deadline time.Time
}

// Ticket is what the figures need of a ticket beside its trail.
type Ticket struct {
	ID      int64
	Area    string // township code; "" while the place is unknown
	Matter  string
	Claim   string
	Finding bool
	Events  []Event
	// Rating is the answer to the survey that is sent when the callback brought
	// none; RatedAt is when it came.
	Rating  string
	RatedAt time.Time
	RatedBy int64 // address
}

// Row is what a ticket adds to the figures.
type Row struct {
	Ticket int64
	Part   int16
	// Month is the first day of the month that it is counted in, UTC.
	Month time.Time
	// At is from when on it is counted.
	At     time.Time
	Unit   string
	Area   string
	Matter string
	Sums   Sums
	// Work and Clock are the minutes from the first dispatch to the report,
	// -1 in rows that have none.
	Work, Clock int32
	// RatedAt is when a resident rated, RatedBy the address that did.
	RatedAt time.Time
	RatedBy int64
	// RatedOwn: that address is of somebody who signed for the ticket. A trail
	// does not say so; package tally looks.
	RatedOwn bool
}

// The parts of a ticket.
const (
	partTicket  = 0
	partFiled   = 1
	partOverdue = 2
	partOthers  = 10 // and above: desks that had it before, supervisions
)

// Calendar is working time; *scheduler.WorkTime is one.
type Calendar interface {
	Between(a, b time.Time) time.Duration
	Location() *time.Location
}

// Folder folds under one policy.
type Folder struct {
	Policy   Policy
	Calendar Calendar
}

// Fold gives the rows of a ticket.
func (f Folder) Fold(t Ticket) []Row {
	h := f.read(t)
	var rows []Row
	if row, ok := f.main(h); ok {
		rows = append(rows, row)
	}
	rows = append(rows, f.worry(h)...)
	for i, o := range h.others {
		row := f.row(h, partOthers+int16(i), o.at, o.at)
		row.Unit, row.Sums = o.unit, o.sums
		rows = append(rows, row)
	}
	return rows
}

func (f Folder) row(h *history, part int16, month, at time.Time) Row {
	return Row{
		Ticket: h.ID, Part: part, Month: f.MonthOf(month), At: at,
		Unit: h.unit, Area: h.Area, Matter: h.Matter, Work: -1, Clock: -1,
	}
}

// MonthOf is the month of an instant, as the city reads the calendar: its first
// day, in UTC.
func (f Folder) MonthOf(at time.Time) time.Time {
	local := at.In(f.Calendar.Location())
	return time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// out is why a ticket in this state is taken out.
var out = map[string]Measure{
	"answered": OutAnswered, "rejected": OutRejected, "referred": OutReferred, "withdrawn": OutWithdrawn,
}

// main is the ticket's own row; ok is false while it carries over.
func (f Folder) main(h *history) (Row, bool) {
	if m, ended := out[h.state]; ended {
		row := f.row(h, partTicket, h.closed, h.closed)
		row.Sums[m] = 1
		return row, true
	}
	at := h.handled
	if !h.suspended && !h.merged && !h.deadline.IsZero() && (at.IsZero() || h.deadline.Before(at)) {
		at = h.deadline
	}
	if at.IsZero() {
		return Row{}, false
	}
	row := f.row(h, partTicket, at, at)
	switch {
	case h.excluded:
		row.Sums[OutExcluded] = 1
		return row, true
	case h.merged:
		row.Sums[OutMerged] = 1
	default:
		f.handling(h, &row)
	}
	f.word(h, &row)
	return row, true
}

// handling counts what the desk did.
func (f Folder) handling(h *history, row *Row) {
	s := &row.Sums
	set := func(m Measure, is bool) {
		if is {
			s[m] = 1
		}
	}
	done := !h.handled.IsZero()
	s[N], s[Led] = 1, 1
	set(Objected, h.objected)
	set(SignedInTime, h.signed && !h.auto && within(h.signedAt, h.signDue))
	set(Reachable, !h.Finding)
	set(Responded, !h.Finding && !h.contacted.IsZero() && within(h.contacted, h.contactDue) && h.saidContacted != "no")
	set(Handled, done)
	set(OnTime, done && within(h.handled, h.deadline))
	set(Overdue, !done || !within(h.handled, h.deadline))
	full, used := h.deadline.Sub(h.start), h.handled.Sub(h.start)
	set(Early, done && !h.deadline.IsZero() && used*100 <= full*time.Duration(f.Policy.Early.Percent))
	set(UnitResolved, h.result == "resolved")
	set(Redone, h.redos > 0)
	set(Once, done && h.redos == 0 && h.relapses == 0)
	set(Extended, h.extended)
	if done {
		row.Work = int32(f.Calendar.Between(h.first, h.handled) / time.Minute)
		row.Clock = int32(h.handled.Sub(h.first) / time.Minute)
	}
}

// within: a limit that was never set is kept.
func within(at, due time.Time) bool { return due.IsZero() || !at.After(due) }

// word counts what the resident said.
func (f Folder) word(h *history, row *Row) {
	s := &row.Sums
	if h.Finding || h.handled.IsZero() {
		return
	}
	s[ToCall] = 1
	if h.saidSolved != "" || h.said != "" {
		s[Called] = 1
	}
	switch h.saidSolved {
	case "yes":
		s[Asked], s[SolvedHalves] = 1, 2
	case "partly":
		s[Asked], s[SolvedHalves] = 1, 1
	case "no":
		s[Asked] = 1
		if h.result == "resolved" {
			s[Contradicted] = 1
		}
	}
	level, at, by := h.rating()
	if i := slices.Index(levels, level); i >= 0 {
		s[int(RatedVerySatisfied)+i] = 1
		row.RatedAt, row.RatedBy = at, by
	}
}

// levels are ticket.Satisfactions, best first.
var levels = []string{"very_satisfied", "satisfied", "fairly_satisfied", "dissatisfied", "very_dissatisfied"}

// worry is the ticket in the month in which it came, and what becomes of that
// when its deadline passes.
func (f Folder) worry(h *history) []Row {
	none := h.state == "" || h.state == "draft" || h.state == "rejected" || h.state == "withdrawn" || h.Finding ||
		slices.Contains(f.Policy.Worry.NoClaims, h.Claim)
	if none {
		return nil
	}
	row := f.row(h, partFiled, h.received, h.received)
	row.Sums[Filed] = 1
	level, _, _ := h.rating()
	glad := slices.Index(levels, level)
	late := !h.deadline.IsZero() && (h.handled.IsZero() || h.handled.After(h.deadline)) && !h.suspended && !h.merged
	switch {
	case h.redos+h.relapses > 0:
		row.Sums[FiledRedone] = 1
	case late && !h.handled.IsZero():
		row.Sums[FiledOverdue] = 1
	case h.state == "closed" && (glad >= 0 && glad < 3 || glad < 0 && h.saidSolved == "yes"):
		row.Sums[FiledContent] = 1
	case late:
		// Not yet perhaps: it counts so from the deadline on.
		over := f.row(h, partOverdue, h.received, h.deadline)
		over.Sums[FiledOverdue] = 1
		return []Row{row, over}
	}
	return []Row{row}
}
