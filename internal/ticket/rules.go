package ticket

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Calendar is the working time that deadlines are counted in;
// *scheduler.WorkTime is one.
type Calendar interface {
	// Deadline adds a limit, as scheduler.Limit writes it, to from.
	Deadline(from time.Time, limit string) (time.Time, error)
	// Fraction returns the instant at which the share f (0..1) of the working
	// time between from and deadline is over; of clock time when no working
	// time lies between them.
	Fraction(from, deadline time.Time, f float64) time.Time
}

// Transition is one row of the state machine.
type Transition struct {
	Command CommandName
	From    []State
	By      []Capacity
	To      []State
}

// Transitions is the whole state machine. Guards that look at more than state
// and capacity stand with the command in apply.go and close.go.
// Source: reference civic-tickets 1.2 and 1.3; closing only by the callback
// side is design rule 8.
func Transitions() []Transition {
	none := []State{""}
	filed := States()
	working := []State{Dispatched, Disputed, Signed, Suspended, Redo}
	raisable := []State{Received, Dispatched, Disputed, Signed, Suspended, Handled, Callback, Redo}
	return []Transition{
		{CmdFile, none, []Capacity{AsReporter, AsSystem, AsCompleter, AsDispatcher}, []State{Draft, Received}},
		{CmdComplete, []State{Draft, Received}, []Capacity{AsReporter, AsCompleter, AsDispatcher}, []State{Received}},
		{CmdDispatch, []State{Received}, []Capacity{AsDispatcher, AsSystem}, []State{Dispatched}},
		{CmdTake, []State{Dispatched, Redo}, []Capacity{AsHandler}, []State{Signed}},
		{CmdAutoSign, []State{Dispatched, Redo}, []Capacity{AsSystem}, []State{Signed}},
		{CmdInvolve, []State{Dispatched, Signed, Redo}, []Capacity{AsDispatcher}, []State{Dispatched, Signed, Redo}},
		{CmdCoSign, working, []Capacity{AsCoHandler}, working},
		{CmdCoReply, working, []Capacity{AsCoHandler}, working},
		{CmdObject, []State{Dispatched, Signed}, []Capacity{AsHandler}, []State{Disputed, Received}},
		{CmdAskExtension, []State{Signed}, []Capacity{AsHandler}, []State{Signed}},
		{CmdAskSuspension, []State{Signed}, []Capacity{AsHandler}, []State{Signed}},
		{CmdDecide, []State{Disputed, Signed}, []Capacity{AsDispatcher, AsSupervisor}, []State{Received, Dispatched, Signed, Suspended}},
		{CmdResume, []State{Suspended}, []Capacity{AsHandler, AsDispatcher, AsSystem}, []State{Signed}},
		{CmdTransfer, []State{Dispatched, Signed, Redo}, []Capacity{AsHandler, AsDispatcher}, []State{Dispatched}},
		{CmdReturn, []State{Dispatched, Signed, Redo}, []Capacity{AsDispatcher}, []State{Received}},
		{CmdContact, []State{Signed}, []Capacity{AsHandler}, []State{Signed}},
		{CmdFinish, []State{Signed}, []Capacity{AsHandler}, []State{Handled}},
		{CmdAsk, []State{Handled, Callback}, []Capacity{AsSystem, AsCallback}, []State{Callback}},
		{CmdCallback, []State{Handled, Callback}, []Capacity{AsReporter, AsCallback}, []State{Callback, Closed}},
		{CmdJudge, []State{Callback}, []Capacity{AsCallback}, []State{Redo, Received, Closed}},
		{CmdRelapse, []State{Closed}, []Capacity{AsReporter, AsCallback}, []State{Received}},
		{CmdWithdraw, []State{Draft, Received, Dispatched, Disputed, Signed, Suspended, Merged, Redo}, []Capacity{AsReporter, AsDispatcher}, []State{Withdrawn}},
		{CmdReject, []State{Draft, Received}, []Capacity{AsDispatcher, AsCompleter}, []State{Rejected}},
		{CmdAnswer, []State{Draft, Received}, []Capacity{AsDispatcher, AsCompleter}, []State{Answered}},
		{CmdRefer, []State{Draft, Received}, []Capacity{AsDispatcher, AsCompleter, AsSystem}, []State{Referred}},
		{CmdMerge, []State{Received, Dispatched, Signed}, []Capacity{AsDispatcher, AsSystem}, []State{Merged}},
		{CmdUnmerge, []State{Merged}, []Capacity{AsDispatcher, AsSystem}, []State{Received, Dispatched, Signed}},
		{CmdFollow, []State{Merged}, []Capacity{AsSystem}, []State{Handled}},
		{CmdSupervise, working, []Capacity{AsSupervisor, AsSystem}, working},
		{CmdAnswerSupervision, filed, []Capacity{AsSupervised}, filed},
		{CmdLapseSupervision, filed, []Capacity{AsSystem}, filed},
		{CmdEscalate, raisable, []Capacity{AsSupervisor, AsSystem}, raisable},
		{CmdAskExclusion, []State{Closed}, []Capacity{AsHandler}, []State{Closed}},
		{CmdDecideExclusion, []State{Closed}, []Capacity{AsReviewer}, []State{Closed}},
	}
}

// Rules applies commands under one policy. It is immutable and safe for
// concurrent use when its Calendar is.
type Rules struct {
	policy    Policy
	callbacks CallbackPolicy
	calendar  Calendar
	table     map[CommandName]Transition
}

// NewRules checks the policies and returns the rules made of them.
func NewRules(p Policy, cb CallbackPolicy, cal Calendar) (*Rules, error) {
	if cal == nil {
		return nil, errors.New("ticket rules: no calendar")
	}
	if err := errors.Join(p.Validate(), cb.Validate()); err != nil {
		return nil, fmt.Errorf("ticket rules: %w", err)
	}
	table := make(map[CommandName]Transition)
	for _, row := range Transitions() {
		table[row.Command] = row
	}
	return &Rules{policy: p, callbacks: cb, calendar: cal, table: table}, nil
}

// EventKind says what happened to a ticket.
type EventKind string

// The events. They feed the trail and the notices to residents and staff.
const (
	EventFiled       EventKind = "filed"
	EventCompleted   EventKind = "completed"
	EventDispatched  EventKind = "dispatched"
	EventSigned      EventKind = "signed"
	EventAutoSigned  EventKind = "auto_signed"
	EventTransferred EventKind = "transferred"
	EventReturned    EventKind = "returned"
	EventContacted   EventKind = "contacted"
	EventHandled     EventKind = "handled"
	EventAsked       EventKind = "asked"
	EventAnswered    EventKind = "answered"
	EventUnhappy     EventKind = "unhappy" // an answer that the callback clerk must judge
	EventRedone      EventKind = "redone"
	EventClosed      EventKind = "closed"
	EventRelapsed    EventKind = "relapsed"
	EventWithdrawn   EventKind = "withdrawn"
	EventRejected    EventKind = "rejected"

	EventAnsweredNow         EventKind = "answered_now"
	EventReferred            EventKind = "referred"
	EventInvolved            EventKind = "involved"
	EventCoSigned            EventKind = "co_signed"
	EventCoReplied           EventKind = "co_replied"
	EventObjected            EventKind = "objected"
	EventObjectionGranted    EventKind = "objection_granted"
	EventObjectionRefused    EventKind = "objection_refused"
	EventExtensionAsked      EventKind = "extension_asked"
	EventExtensionGranted    EventKind = "extension_granted"
	EventExtensionRefused    EventKind = "extension_refused"
	EventSuspensionAsked     EventKind = "suspension_asked"
	EventSuspended           EventKind = "suspended"
	EventSuspensionRefused   EventKind = "suspension_refused"
	EventResumed             EventKind = "resumed"
	EventSupervised          EventKind = "supervised"
	EventSupervisionAnswered EventKind = "supervision_answered"
	EventSupervisionLapsed   EventKind = "supervision_lapsed"
	EventEscalated           EventKind = "escalated"
	EventMerged              EventKind = "merged"
	EventUnmerged            EventKind = "unmerged"
	EventFollowed            EventKind = "followed"
	EventExclusionAsked      EventKind = "exclusion_asked"
	EventExclusionGranted    EventKind = "exclusion_granted"
	EventExclusionRefused    EventKind = "exclusion_refused"
)

// Event is one thing that happened. Data holds codes and ids, never words.
type Event struct {
	Kind     EventKind
	Actor    Actor
	At       time.Time
	From, To State
	Version  int
	Data     map[string]string
}

// step is one command on its way: the ticket being changed and what it needs.
type step struct {
	*Rules
	t      *Ticket
	by     Actor
	now    time.Time
	from   State
	events []Event
}

// Apply runs one command. On refusal (*Refused) or failure the ticket that
// comes back is the one that went in.
func (r *Rules) Apply(t Ticket, by Actor, c Command, now time.Time) (Ticket, []Event, error) {
	row := r.table[c.Name()]
	if err := r.admit(t, by, row); err != nil {
		return t, nil, err
	}
	next := t.clone()
	s := &step{Rules: r, t: &next, by: by, now: now, from: t.State}
	if err := c.apply(s); err != nil {
		return t, nil, err
	}
	if !slices.Contains(row.To, next.State) {
		return t, nil, fmt.Errorf("ticket: %s led from %q to %q, which the table does not allow", row.Command, t.State, next.State)
	}
	next.Version++
	for i := range s.events {
		s.events[i].To, s.events[i].Version = next.State, next.Version
	}
	return next, s.events, nil
}

// Allowed lists the commands that the actor may give in the ticket's present
// state, in the order of the table: the buttons of a card. A command may still
// be refused for what it carries.
func (r *Rules) Allowed(t Ticket, by Actor) []CommandName {
	var names []CommandName
	for _, row := range Transitions() {
		if r.admit(t, by, row) == nil {
			names = append(names, row.Command)
		}
	}
	return names
}

// admit checks state, capacity and relation.
func (r *Rules) admit(t Ticket, by Actor, row Transition) error {
	if !slices.Contains(row.By, by.As) {
		return refuse(KeyNotYours, "command", string(row.Command), "capacity", string(by.As))
	}
	if err := related(t, by); err != nil {
		return err
	}
	if slices.Contains(row.From, t.State) {
		return nil
	}
	refused := refuse(KeyState, "command", string(row.Command), "state", string(t.State))
	for _, other := range Transitions() {
		if slices.Contains(other.From, t.State) && slices.Contains(other.By, by.As) {
			refused.Allowed = append(refused.Allowed, other.Command)
		}
	}
	return refused
}

// related checks that the actor is to this ticket what they claim to be.
func related(t Ticket, by Actor) error {
	if t.State == "" {
		return nil
	}
	if by.As != AsReporter && t.againstStaff(by.Staff) {
		return refuse(KeyAgainst)
	}
	switch by.As {
	case AsReporter:
		if by.Person == 0 || by.Person != t.ReporterID {
			return refuse(KeyNotYours, "capacity", string(by.As))
		}
	case AsHandler:
		lead, ok := t.Lead()
		if !t.State.Open() {
			lead, ok = t.LastLead() // it may ask for an exclusion
		}
		if by.Staff == 0 || !ok || !lead.Desk.Same(by.Desk) || by.Desk.Kind == DeskNamed && by.Staff != lead.Desk.Staff {
			return refuse(KeyNotYourDesk)
		}
	case AsCoHandler:
		if i := t.co(by.Desk); i < 0 || by.Staff == 0 || by.Desk.Kind == DeskNamed && by.Staff != t.Assignments[i].Desk.Staff {
			return refuse(KeyNotYourDesk)
		}
	case AsReviewer:
		if t.SignedByStaff(by.Staff) {
			return refuse(KeyOwnWork)
		}
	case AsCallback:
		// Who checks is not who handled (CJJ/T 106: 监督 and 指挥 are two
		// separate powers), nor who found it.
		if t.SignedByStaff(by.Staff) || t.Finding && by.Person != 0 && by.Person == t.ReporterID {
			return refuse(KeyOwnWork)
		}
	}
	return nil
}

func (s *step) event(kind EventKind, pairs ...string) {
	data := make(map[string]string, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			data[pairs[i]] = pairs[i+1]
		}
	}
	s.events = append(s.events, Event{Kind: kind, Actor: s.by, At: s.now, From: s.from, Data: data})
}
