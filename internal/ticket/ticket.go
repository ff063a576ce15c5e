// Package ticket is the life of a work order 工单: what it is, what may happen
// to it, by whom, and by when.
//
// # States
//
//	draft ──complete──> received ──dispatch──> dispatched ──take──> signed ──finish──> handled ──callback──> callback
//	                     │    ^                 │       ^ (auto-sign)  │                                        │
//	                     │    └──── recall ─────┴───────┼──────────────┘            satisfied, or explained, or │
//	                  reject                         transfer                       nobody could be reached     │
//	                     │                              │                                                       │
//	                     v                            redo <────── judged reasonable (at most twice) ───────────┤
//	                  rejected                                                                                  v
//	                               closed ──relapse──> received                                              closed
//
//	dispatched, signed ──object──> disputed ──granted──> received, refused ──> back
//	signed ──ask, granted──> suspended ──resume──> signed
//	received, dispatched, signed ──merge──> merged ──unmerge──> back, follow ──> handled
//	draft, received ──answer──> answered, refer ──> referred
//
// Supervision 督办 and escalation 提级 lie over the states: they change no state
// but Level, except where a third refusal or a third redo takes the ticket off
// its desk and lays it before the dispatcher of the next level.
//
// A reporter may withdraw until the unit has reported back. One table (rules.go)
// holds every step: from which states, by whom, to which state. What is not in
// the table is refused, and the refusal names what is allowed.
//
// # Three facts
//
// Closed is not resolved is not satisfied. UnitResult is the unit's word,
// Facts is the resident's word, State and Outcome are the system's. Only the
// callback side closes a ticket, never the desk that handled it, and never a
// person who signed for it.
//
// # Clocks
//
// The caller owns the clock: every function that needs the time takes it as an
// argument. The deadline is a promise to the resident: it is set by the first
// dispatch, by a redo and by the first dispatch after a relapse or a third
// redo. Passing the ticket on or sending it back does not move it; a new dispatch
// under a more urgent class brings it forward; a granted extension and the time
// of a suspension put it off.
//
// # Failure
//
// Apply changes nothing when it refuses: it works on a copy. A refusal is a
// *Refused with a text key for staff; any other error is a broken policy or
// calendar. The package does no I/O and holds no words of residents: those lie
// sealed in the database.
//
// Sources for the limits and rules are kept beside the values in
// configs/policies/tickets.yaml and callbacks.yaml.
package ticket

import (
	"slices"
	"time"
)

// State is where a ticket stands.
type State string

// The states of a ticket. The zero value is a ticket that does not exist yet.
const (
	// Draft 待补充: something is missing; a clerk completes it. It already has
	// a number.
	Draft State = "draft"
	// Received 已受理: complete, waits for dispatch.
	Received State = "received"
	// Dispatched 已派单: on a desk, waits for a signature; the clock runs.
	Dispatched State = "dispatched"
	// Signed 已签收: somebody at the desk answers for it.
	Signed State = "signed"
	// Handled 已办结: the desk reported back; the resident has not been asked.
	Handled State = "handled"
	// Callback 待回访: the resident is being asked, or what was answered waits
	// for the callback clerk.
	Callback State = "callback"
	// Redo 重办: back on the desk with less time.
	Redo State = "redo"
	// Closed 已结案: over; the reporter may still say that it came back.
	Closed State = "closed"
	// Rejected 不予受理: outside what the city may do; the lawful way was told.
	Rejected State = "rejected"
	// Withdrawn 已撤回: the reporter took it back.
	Withdrawn State = "withdrawn"
	// Disputed 退单审核中: the desk objects and a dispatcher decides; the clock
	// runs on.
	Disputed State = "disputed"
	// Suspended 挂起: waits for something outside; the clock stands still.
	Suspended State = "suspended"
	// Merged 已并案: goes with a master ticket that is about the same thing.
	Merged State = "merged"
	// Answered 直接答复: a consultation answered at once.
	Answered State = "answered"
	// Referred 已转介: handed to who must lawfully deal with it.
	Referred State = "referred"
)

// States lists every state in the order of a ticket's life.
func States() []State {
	return []State{
		Draft, Received, Dispatched, Disputed, Signed, Suspended, Merged, Handled, Callback, Redo, Closed, Answered, Referred,
		Rejected, Withdrawn,
	}
}

// Open reports whether somebody still has to do something about the ticket.
func (s State) Open() bool {
	switch s {
	case Closed, Answered, Referred, Rejected, Withdrawn, "":
		return false
	}
	return true
}

// OnDesk reports whether a handling desk holds the ticket now and its clock
// runs.
func (s State) OnDesk() bool { return s == Dispatched || s == Disputed || s == Signed || s == Redo }

// Held reports whether a handling desk has the ticket, its clock running or
// standing still.
func (s State) Held() bool { return s.OnDesk() || s == Suspended }

// UnitResult is what the handling desk says came of it.
type UnitResult string

// The results that a desk can report (国办函〔2025〕66号 asks for honest ones:
// what lies outside a unit's duty is said, not faked).
const (
	UnitResolved   UnitResult = "resolved"
	UnitPartly     UnitResult = "partly"
	UnitUnresolved UnitResult = "unresolved"
	UnitBeyondDuty UnitResult = "beyond_duty"
)

// Outcome is how the ticket ended, as the system counts it.
type Outcome string

// The outcomes of a ticket that is over.
const (
	OutcomeResolved   Outcome = "resolved"
	OutcomePartly     Outcome = "partly"
	OutcomeExplained  Outcome = "explained"   // not solved, and why was told
	OutcomeBeyondDuty Outcome = "beyond_duty" // nobody may lawfully do it
	// OutcomeUnconfirmed: the unit says done, the resident was not reached. It
	// counts in the unit's figure and not in the resident's.
	OutcomeUnconfirmed Outcome = "unconfirmed"
	OutcomeRejected    Outcome = "rejected"
	OutcomeWithdrawn   Outcome = "withdrawn"
	OutcomeAnswered    Outcome = "answered"
	OutcomeReferred    Outcome = "referred"
)

// Answer is the resident's word on contacted and solved. Empty: not asked, or
// not answered.
type Answer string

// Answers of a callback.
const (
	Yes    Answer = "yes"
	Partly Answer = "partly"
	No     Answer = "no"
)

// Satisfaction is the resident's word on the whole, best first. Empty: not
// answered. Which of them are offered is the dialogue's choice.
type Satisfaction string

// The five levels of satisfaction (浙江省政务服务"好差评", reference 1.6).
const (
	VerySatisfied    Satisfaction = "very_satisfied"
	Satisfied        Satisfaction = "satisfied"
	FairlySatisfied  Satisfaction = "fairly_satisfied"
	Dissatisfied     Satisfaction = "dissatisfied"
	VeryDissatisfied Satisfaction = "very_dissatisfied"
)

// Satisfactions lists the levels, best first.
func Satisfactions() []Satisfaction {
	return []Satisfaction{VerySatisfied, Satisfied, FairlySatisfied, Dissatisfied, VeryDissatisfied}
}

// Facts is what the resident said when called back.
type Facts struct {
	Contacted Answer
	Solved    Answer
	Satisfied Satisfaction
}

// Unhappy reports whether the answers send the ticket to the callback clerk.
func (f Facts) Unhappy() bool {
	return f.Solved == No || f.Satisfied == Dissatisfied || f.Satisfied == VeryDissatisfied
}

// PlaceRef is where the matter is. Empty fields are unknown.
type PlaceRef struct {
	Division string // township (9 digits) or village (12 digits)
	Grid     string // 15 digits
	PlaceID  int64  // row in the gazetteer, 0 when none
	Label    string // words for people, as the reporter or the gazetteer put it
}

// Known reports whether a village, and so somebody to ask, is known.
func (p PlaceRef) Known() bool { return len(p.Division) == villageDigits }

// villageDigits is the length of a village code (GB/T 10114: county 6,
// township 3, village 3).
const villageDigits = 12

// Ticket is one work order with its assignments. Times are zero when the thing
// has not happened or no clock runs.
type Ticket struct {
	ID      int64
	Number  Number
	State   State
	Claim   string // claim type 诉求类型
	Matter  string // matter code 事项
	Urgency Urgency
	Danger  string // code of the safety rule that raised it, or empty
	Place   PlaceRef

	Confidential bool // 保密: the handler never learns who reported
	Anonymous    bool // no staff member learns who reported
	Sensitive    bool // 举报, dispute, violence, minors: named handlers only
	Finding      bool // a grid worker's own finding: checked, not called back
	// Against names the units, grids (by code) and AgainstStaff the staff that
	// the claim is about: it never reaches them.
	Against      []string
	AgainstStaff []int64

	ReporterID     int64 // person who reported
	AddressID      int64 // address it came by; answers go there
	ConversationID int64
	ReportedFor    string // who it was reported for, in the reporter's words

	Version  int // grows by one with every applied command
	Redos    int
	Relapses int
	Tries    int // callback tries since the desk last reported back
	// Level is the rung of Policy.Ladder that owns the outcome; it never falls.
	Level      int
	Extensions int // granted ones
	// Was is the state that a disputed, suspended or merged ticket goes back to.
	Was State
	// MasterID is the ticket this one was merged into; it stays after the
	// master was handled, and is gone once this one is worked on by itself.
	MasterID int64
	// Request is what waits for a decision; its Kind is empty when nothing does.
	Request    Request
	ReferredTo string // code of Policy.Referrals
	// Exclusion says whether the ticket counts in the figures of its desk.
	Exclusion       Exclusion
	ExclusionReason string

	ReceivedAt   time.Time
	DispatchedAt time.Time
	SignedAt     time.Time
	ContactedAt  time.Time
	HandledAt    time.Time
	ClosedAt     time.Time

	DispatchDue time.Time
	SignDue     time.Time
	ContactDue  time.Time
	Deadline    time.Time
	// SuspendedAt and SuspendedUntil are set while the ticket is suspended.
	SuspendedAt    time.Time
	SuspendedUntil time.Time

	UnitResult UnitResult
	Facts      Facts
	Outcome    Outcome

	Assignments  []Assignment
	Supervisions []Supervision
}

// Private reports whether the ticket may go to named handlers only, and never
// into a group chat (design 4, Groups).
func (t Ticket) Private() bool { return t.Confidential || t.Anonymous || t.Sensitive }

// Lead returns the running assignment that answers for the ticket.
func (t Ticket) Lead() (Assignment, bool) {
	i := t.lead()
	if i < 0 {
		return Assignment{}, false
	}
	return t.Assignments[i], true
}

func (t Ticket) lead() int {
	return slices.IndexFunc(t.Assignments, func(a Assignment) bool { return a.Role == RoleLead && a.EndedAt.IsZero() })
}

// SignedByStaff reports whether the staff member ever signed for the ticket.
// Such a person judges and closes nothing about it.
func (t Ticket) SignedByStaff(staff int64) bool {
	return staff != 0 && slices.ContainsFunc(t.Assignments, func(a Assignment) bool { return a.SignedBy == staff })
}

// LastLead is the desk that has, or had last, the lead.
func (t Ticket) LastLead() (Assignment, bool) {
	for _, a := range slices.Backward(t.Assignments) {
		if a.Role == RoleLead {
			return a, true
		}
	}
	return Assignment{}, false
}

// Owner is who has to do something about an open ticket now.
type Owner struct {
	As     Capacity
	Desk   Desk  // of a handler
	Ticket int64 // the master, whose owner is this one's as well
}

// Owner returns who answers for the ticket; ok is false when it is over. There
// is exactly one at every moment.
func (t Ticket) Owner() (o Owner, ok bool) {
	switch t.State {
	case Draft:
		return Owner{As: AsCompleter}, true
	case Received:
		return Owner{As: AsDispatcher}, true
	case Dispatched, Disputed, Signed, Suspended, Redo:
		lead, ok := t.Lead()
		return Owner{As: AsHandler, Desk: lead.Desk}, ok
	case Merged:
		return Owner{Ticket: t.MasterID}, t.MasterID != 0
	case Handled, Callback:
		return Owner{As: AsCallback}, true
	}
	return Owner{}, false
}

// clone copies what Apply may write to.
func (t Ticket) clone() Ticket {
	t.Assignments, t.Supervisions = slices.Clone(t.Assignments), slices.Clone(t.Supervisions)
	return t
}
