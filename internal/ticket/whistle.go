package ticket

import (
	"slices"
	"time"
)

// A whistle 吹哨 calls several units to one place for what a township may not
// settle by its own powers (reference civic-tickets 1.4):
//
//	         ┌──────── return ───────┐
//	         v                       │
//	proposed ── blow ──> blown ── assign ──> assigned ── last unit handled ──> handled ── close ──> closed
//	   │                   │                  each unit: called ─ answer ─> answered ─ arrive ─> arrived ─ handle ─> handled ─ appraise ─> appraised
//	   └──── decline ──────┴──> declined
//
// Only a township head blows; a grid worker, a patrol, a deliberation or a
// ticket proposes. To be raised 提级 is a level and not a state: the work goes
// on. One table (whistle_rules.go) holds every step.

// WhistleKind is what a whistle is blown for; it has its own limits.
type WhistleKind string

// The kinds (Beijing 街乡吹哨、部门报到).
const (
	WhistleEnforcement WhistleKind = "enforcement" // 综合执法哨
	WhistleMajor       WhistleKind = "major"       // 重点工作哨
	WhistleEmergency   WhistleKind = "emergency"   // 应急处置哨
)

// WhistleKinds lists the kinds.
func WhistleKinds() []WhistleKind {
	return []WhistleKind{WhistleEnforcement, WhistleMajor, WhistleEmergency}
}

// WhistleSource is where a whistle comes from 哨源.
type WhistleSource string

// The sources.
const (
	SourceTicket       WhistleSource = "ticket"       // a work order that is too big for one
	SourcePatrol       WhistleSource = "patrol"       // 巡查
	SourceGrid         WhistleSource = "grid"         // what residents told a grid worker
	SourceDeliberation WhistleSource = "deliberation" // 议事会
)

// WhistleSources lists the sources.
func WhistleSources() []WhistleSource {
	return []WhistleSource{SourceTicket, SourcePatrol, SourceGrid, SourceDeliberation}
}

// WhistleState is where a whistle stands.
type WhistleState string

// The states. The zero value is a whistle that does not exist yet.
const (
	WhistleProposed WhistleState = "proposed" // waits for the township head
	WhistleDeclined WhistleState = "declined" // not blown; over
	WhistleBlown    WhistleState = "blown"    // waits for the county desk
	WhistleReturned WhistleState = "returned" // the county desk gave it back
	WhistleAssigned WhistleState = "assigned" // units are called
	WhistleHandled  WhistleState = "handled"  // every unit is through; appraisals are missing
	WhistleClosed   WhistleState = "closed"   // 销哨; over
)

// WhistleStates lists the states in the order of a whistle's life.
func WhistleStates() []WhistleState {
	return []WhistleState{
		WhistleProposed, WhistleDeclined, WhistleBlown, WhistleReturned, WhistleAssigned, WhistleHandled, WhistleClosed,
	}
}

// Open reports whether somebody still has to do something about the whistle.
func (s WhistleState) Open() bool { return s != WhistleDeclined && s != WhistleClosed && s != "" }

// PartState is where one unit stands with a whistle.
type PartState string

// The states of a unit's part.
const (
	PartCalled    PartState = "called"    // 待应哨
	PartAnswered  PartState = "answered"  // 已应哨
	PartArrived   PartState = "arrived"   // 已报到
	PartHandled   PartState = "handled"   // 已办结
	PartAppraised PartState = "appraised" // 已评哨
)

// PartStates lists the states of a part in their order.
func PartStates() []PartState {
	return []PartState{PartCalled, PartAnswered, PartArrived, PartHandled, PartAppraised}
}

// Running reports whether the unit still has something to do.
func (s PartState) Running() bool { return s == PartCalled || s == PartAnswered || s == PartArrived }

// Grade is the township's word on a unit, best first.
type Grade string

// The grades.
const (
	GradeExcellent Grade = "excellent"
	GradeGood      Grade = "good"
	GradeFair      Grade = "fair"
	GradePoor      Grade = "poor"
)

// Grades lists the grades, best first.
func Grades() []Grade { return []Grade{GradeExcellent, GradeGood, GradeFair, GradePoor} }

// Part is one unit's part in a whistle. It is never deleted. Times are zero
// while the thing has not happened; the staff are who did it, 0 for nobody.
type Part struct {
	ID    int64
	Lead  bool // 主办
	Desk  Desk // a unit, or one named person of it
	State PartState

	CalledAt, AnswerDue, ArriveDue                time.Time
	AnsweredAt, ArrivedAt, HandledAt, AppraisedAt time.Time
	AnsweredBy, ArrivedBy, HandledBy, AppraisedBy int64

	// Speed and Quality are the township's appraisal 评哨.
	Speed, Quality Grade
	// Misuse is why the unit says that the whistle is none 乱吹哨, empty where
	// it does not say so.
	Misuse   string
	MisuseAt time.Time
	MisuseBy int64
}

// Late reports whether the unit missed what it should have done by now: it is
// not there, or not through by the deadline of the whole.
func (p Part) Late(deadline, now time.Time) bool {
	return p.ArrivedAt.IsZero() && !now.Before(p.ArriveDue) || p.State.Running() && !now.Before(deadline)
}

// Whistle is one whistle with the parts of its units.
type Whistle struct {
	ID       int64
	TicketID int64 // 0 for a whistle that no ticket is behind
	Kind     WhistleKind
	Source   WhistleSource
	State    WhistleState
	Place    PlaceRef
	// Private, Against and AgainstStaff are those of the ticket: a private one
	// goes to named people only, and whom the claim is about gets nothing of it.
	Private      bool
	Against      []string
	AgainstStaff []int64

	Version int // grows by one with every step
	Level   int // of escalation; WhistleLevel when nobody raised it
	Returns int
	Reason  string // why it was declined, given back or raised last
	Solved  Answer // the township's word when it closed

	ProposedBy, BlownBy, AssignedBy, ClosedBy int64

	ProposedAt, BlownAt, AssignedAt, HandledAt, ClosedAt, RaisedAt time.Time
	// ChangedAt is the time of the last step: times never run back.
	ChangedAt time.Time

	// What is to be done by when; zero when no clock runs.
	BlowDue, AssignDue, Deadline, AppraiseDue time.Time

	Parts []Part
}

// The levels of escalation that a whistle can have: it begins with the county
// desk, above which are the county's leaders and the city (reference 1.2).
const (
	WhistleLevel    = 3
	WhistleLevelTop = 5
)

// Part finds the part of a desk.
func (w Whistle) Part(d Desk) (Part, bool) {
	i := w.part(d)
	if i < 0 {
		return Part{}, false
	}
	return w.Parts[i], true
}

func (w Whistle) part(d Desk) int {
	return slices.IndexFunc(w.Parts, func(p Part) bool { return p.Desk.Same(d) })
}

// Inherit takes over from the ticket whom the whistle must not reach. What was
// kept from somebody stays so.
func (w *Whistle) Inherit(t Ticket) {
	w.Private = w.Private || t.Private()
	for _, code := range t.Against {
		if !slices.Contains(w.Against, code) {
			w.Against = append(slices.Clone(w.Against), code)
		}
	}
	for _, id := range t.AgainstStaff {
		if !slices.Contains(w.AgainstStaff, id) {
			w.AgainstStaff = append(slices.Clone(w.AgainstStaff), id)
		}
	}
}

// admits refuses a desk that the whistle must not reach, as a ticket does.
func (w Whistle) admits(d Desk) error {
	t := Ticket{Sensitive: w.Private, Against: w.Against, AgainstStaff: w.AgainstStaff}
	if d.Kind == DeskGrid {
		return refuse(KeyWhistleNoUnit)
	}
	return t.admits(d)
}

// clone copies what a step may write to.
func (w Whistle) clone() Whistle {
	w.Parts = slices.Clone(w.Parts)
	return w
}

// Due is by when a command is due, of a unit where it is one of a unit; without
// a command, by when the whistle has to move on. It is zero when no clock runs.
func (w Whistle) Due(c CommandName, unit Desk) time.Time {
	p, _ := w.Part(unit)
	switch c {
	case WhistleAnswer:
		return p.AnswerDue
	case WhistleArrive:
		return p.ArriveDue
	}
	switch w.State {
	case WhistleProposed, WhistleReturned:
		return w.BlowDue
	case WhistleBlown:
		return w.AssignDue
	case WhistleAssigned:
		return w.Deadline
	case WhistleHandled:
		return w.AppraiseDue
	}
	return time.Time{}
}
