package care

import (
	"slices"
	"time"
)

// Asked is one visit that a prompt is about.
type Asked struct {
	VisitID int64
	Version int
	Start   time.Time
}

// Prompt is a question about visits that waits at one address. There is at most
// one for an address and extension code, so that a "1" has one meaning.
type Prompt struct {
	Address int64
	Code    string // extension code of the sender's number, "" without
	Visits  []Asked
	Until   time.Time
}

// Ask puts a question about a visit among the open prompts: an open one at the
// same address and code is replaced by one that asks about its visits too
// ("明天两次上门：…"), soonest first; what is over falls out.
func Ask(open []Prompt, p Prompt, now time.Time) []Prompt {
	out := make([]Prompt, 0, len(open)+1)
	for _, o := range open {
		if !o.Until.After(now) {
			continue
		}
		if o.Address != p.Address || o.Code != p.Code {
			out = append(out, o)
			continue
		}
		for _, v := range o.Visits {
			if !slices.ContainsFunc(p.Visits, func(a Asked) bool { return a.VisitID == v.VisitID }) && v.Start.After(now) {
				p.Visits = append(p.Visits, v)
			}
		}
		if o.Until.After(p.Until) {
			p.Until = o.Until
		}
	}
	slices.SortStableFunc(p.Visits, func(a, b Asked) int { return a.Start.Compare(b.Start) })
	return append(out, p)
}

// Standing is what an answer to a question meets.
type Standing string

// The standings. Each but Live has a text of its own (care.reply.…): an answer to
// a dead visit is answered with the truth, never with "confirmed".
const (
	Live      Standing = "live"
	OldTime   Standing = "old_time"  // moved since; the new time is told and asked
	Going     Standing = "going"     // somebody is on the way or there
	Past      Standing = "past"      // it is over
	Cancelled Standing = "cancelled" // it was taken out
	Held      Standing = "held"      // the bed is held or closed
	ToMakeUp  Standing = "to_make_up"
)

// Standings lists them.
func Standings() []Standing {
	return []Standing{Live, OldTime, Going, Past, Cancelled, Held, ToMakeUp}
}

// Reply says what an answer to the question about a version of a visit meets
// now. Only Live lets the answer become a command.
func (r *Rules) Reply(b Bed, v Visit, version int, now time.Time) Standing {
	switch {
	case b.State != BedOpen && (v.State == VisitReleased || v.State.Open() && !v.State.UnderWay()):
		return Held
	case v.State == VisitCancelled || v.State == VisitReleased: // the bed goes on, this visit does not
		return Cancelled
	case v.State == VisitDone || v.State == VisitMissed:
		return Past
	case v.State == VisitToMakeUp:
		return ToMakeUp
	case v.State.UnderWay():
		return Going
	case v.Version != version:
		return OldTime
	case !now.Before(v.End(r.loc())):
		return Past
	}
	return Live
}
