package care

import (
	"fmt"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// forever ends the period of who takes part as long as they like.
var forever = scheduler.Date{Year: 9999, Month: time.December, Day: 31}

// Each returns the programme with a rhythm of its own for one person: every so many
// days. Its intervals shrink where they would touch.
func (p Programme) Each(every int) (Programme, error) {
	if p.Cadence == nil || every < 1 || every > maxEvery {
		return p, refuse(KeyItem)
	}
	c := *p.Cadence
	c.Every = every
	c.Late = min(c.Late, (every-1)/2)
	c.Early = min(c.Early, every-1-c.Late)
	p.Cadence = &c
	return p, nil
}

// Enrol makes what Plan plans for one person in a programme with a cadence: a bed
// with one order, of which staff are the whole team. It is open from the start; a
// zero to is as long as they like.
func (p Programme) Enrol(id int64, who Patient, staff int64, from, to scheduler.Date) (Bed, error) {
	c := p.Cadence
	if c == nil {
		return Bed{}, fmt.Errorf("care: programme %s has no cadence", p.Code)
	}
	if to == noDate {
		to = forever
	}
	it := Item{
		ID: id, Kind: p.Code, Every: c.Every, Early: c.Early, Late: c.Late, OnHoliday: c.OnHoliday, Minutes: c.Minutes,
		Staff: staff, From: from, Until: to,
	}
	it.start(from)
	return Bed{ID: id, Patient: who, State: BedOpen, Doctor: staff, Nurse: staff, Periods: []Period{{From: from, To: to}}, Items: []Item{it}}, nil
}

// OfEnrolled is the occasion of a visit that a cadence planned. joined says
// whether the person's consent for the programme stands.
func (r *Rules) OfEnrolled(code string, b Bed, v Visit, joined bool) Occasion {
	loc := r.loc()
	o := Occasion{
		Programme: code, Of: OfOccasion, Subject: "visit:" + strconv.FormatInt(v.ID, 10), Version: v.Version,
		State: occasionState(v.State), StateAt: v.StateAt, Since: v.MadeAt,
		Consent: (joined || r.programmes[code].Consent == NeedsNone) && b.State == BedOpen && b.Patient.Where == AtHome,
		At: map[Anchor]time.Time{
			AnchorMade: v.MadeAt, AnchorStart: v.Start(loc), AnchorEnd: v.End(loc), AnchorInterval: v.Latest.AddDays(1).At(0, loc),
		},
		Who: map[Role]Recipient{
			ToStaff: {Staff: v.Staff}, ToDesk: {}, ToLead: {}, ToDoctor: {Staff: b.Doctor},
		},
	}
	if !b.Patient.Stopped {
		o.Who[ToMember] = Recipient{Person: b.Patient.Person, Address: b.Patient.Address}
	}
	return o
}

// occasionState is what the ladders of other programmes call the states of a
// visit.
func occasionState(s VisitState) string {
	switch s {
	case VisitNotified, VisitMoveAsked:
		return "asked"
	case VisitConfirmed, VisitEnRoute, VisitArrived:
		return "confirmed"
	case VisitDeclined, VisitDone, VisitMissed:
		return string(s)
	case VisitCancelled, VisitReleased:
		return "cancelled"
	case VisitPlanned, VisitToMakeUp:
	}
	return "planned"
}
