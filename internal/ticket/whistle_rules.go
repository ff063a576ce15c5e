package ticket

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// The commands of a whistle. Their names are those of the dialogues of the
// staff, so that a button leads to one.
const (
	WhistlePropose  CommandName = "whistle_propose"
	WhistleBlow     CommandName = "whistle_blow"
	WhistleDecline  CommandName = "whistle_decline"
	WhistleAssign   CommandName = "whistle_assign"
	WhistleReturn   CommandName = "whistle_return"
	WhistleAnswer   CommandName = "whistle_answer"
	WhistleArrive   CommandName = "whistle_arrive"
	WhistleHandle   CommandName = "whistle_handle"
	WhistleMisuse   CommandName = "whistle_misuse"
	WhistleAppraise CommandName = "whistle_appraise"
	WhistleRaise    CommandName = "whistle_raise"
	WhistleClose    CommandName = "whistle_close"
)

// The capacities in which people act on a whistle, beside AsSystem.
const (
	AsProposer Capacity = "proposer"
	AsHead     Capacity = "head"     // of the township 乡镇街道负责人
	AsCounty   Capacity = "county"   // the county's whistle desk 县区吹哨办
	AsUnit     Capacity = "unit"     // of a unit that was called; Actor.Desk says which
	AsOverseer Capacity = "overseer" // 督办员
)

// Deed is one command to a whistle with what it carries; fields that the
// command does not read are ignored.
type Deed struct {
	Command CommandName
	// Propose
	TicketID int64
	Kind     WhistleKind
	Source   WhistleSource
	Place    PlaceRef
	// Lead and Co are who is called; Lead is empty when units are added.
	Lead Desk
	Co   []Desk
	// Unit is whose part is appraised. What a unit does is about Actor.Desk.
	Unit Desk
	// Reason is a code of the policy. A whistle that rises by itself names
	// ReasonLateArrival or ReasonOverdue.
	Reason         string
	Speed, Quality Grade
	Solved         Answer
}

// Why a whistle rises by itself.
const (
	ReasonLateArrival = "late_arrival"
	ReasonOverdue     = "overdue"
)

// WhistleTransition is one row of the state machine of whistles.
type WhistleTransition struct {
	Command CommandName
	Event   string // what has then happened, for the trail
	From    []WhistleState
	By      []Capacity
	// Part are the states of the unit's part that the command is about; none
	// where it is about the whole.
	Part []PartState
	To   []WhistleState
	// guard looks at what the command carries, do writes it.
	guard func(*WhistleRules, Whistle, *Part, Actor, Deed, time.Time) error
	do    func(*whistleStep) error
}

// WhistleTransitions is the whole state machine of a whistle.
// Source: reference civic-tickets 1.4 (吹哨 → 分哨 → 应哨 → 报到 → 评哨 → 销哨,
// 宜黄; only a township or street blows; units may say it is misuse).
func WhistleTransitions() []WhistleTransition {
	type states = []WhistleState
	open := states{WhistleAssigned, WhistleHandled}
	head, unit := []Capacity{AsHead}, []Capacity{AsUnit}
	return []WhistleTransition{
		{WhistlePropose, "proposed", states{""}, []Capacity{AsProposer, AsHead}, nil, states{WhistleProposed}, guardPropose, doPropose},
		{WhistleBlow, "blown", states{WhistleProposed, WhistleReturned}, head, nil, states{WhistleBlown}, nil, doBlow},
		{WhistleDecline, "declined", states{WhistleProposed, WhistleReturned, WhistleBlown}, head, nil, states{WhistleDeclined}, guardReason, doDecline},
		{WhistleAssign, "assigned", states{WhistleBlown, WhistleAssigned}, []Capacity{AsCounty}, nil, states{WhistleAssigned}, guardAssign, doAssign},
		{WhistleReturn, "returned", states{WhistleBlown}, []Capacity{AsCounty}, nil, states{WhistleReturned}, guardReason, doReturn},
		{WhistleAnswer, "answered", states{WhistleAssigned}, unit, []PartState{PartCalled}, states{WhistleAssigned}, nil, doAnswer},
		{WhistleArrive, "arrived", states{WhistleAssigned}, unit, []PartState{PartCalled, PartAnswered}, states{WhistleAssigned}, nil, doArrive},
		{WhistleHandle, "handled", states{WhistleAssigned}, unit, []PartState{PartArrived}, open, nil, doHandle},
		{WhistleMisuse, "misuse_marked", open, unit, PartStates(), open, guardMisuse, doMisuse},
		{WhistleAppraise, "appraised", open, head, []PartState{PartCalled, PartAnswered, PartArrived, PartHandled}, open, guardAppraise, doAppraise},
		{WhistleRaise, "raised", states{WhistleBlown, WhistleAssigned, WhistleHandled}, []Capacity{AsSystem, AsHead, AsCounty, AsOverseer}, nil, states{WhistleBlown, WhistleAssigned, WhistleHandled}, guardRaise, doRaise},
		{WhistleClose, "closed", states{WhistleHandled}, head, nil, states{WhistleClosed}, guardClose, doClose},
	}
}

// WhistleRules applies commands to whistles under one policy. It is immutable
// and safe for concurrent use when its Calendar is.
type WhistleRules struct {
	policy   WhistlePolicy
	calendar Calendar
	table    map[CommandName]WhistleTransition
}

// NewWhistleRules checks the policy and returns the rules made of it.
func NewWhistleRules(p WhistlePolicy, cal Calendar) (*WhistleRules, error) {
	if cal == nil {
		return nil, errors.New("whistle rules: no calendar")
	}
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("whistle rules: %w", err)
	}
	r := &WhistleRules{policy: p, calendar: cal, table: map[CommandName]WhistleTransition{}}
	for _, row := range WhistleTransitions() {
		r.table[row.Command] = row
	}
	return r, nil
}

// Policy is the policy of the rules.
func (r *WhistleRules) Policy() WhistlePolicy { return r.policy }

// WhistleEvent is one step that happened. Data holds codes and ids, never words.
type WhistleEvent struct {
	// Kind is what happened, for the trail: "blown".
	Kind     string
	Command  CommandName
	Actor    Actor
	At       time.Time
	From, To WhistleState
	Version  int
	Data     map[string]string
	// Unit is whose part it was about, empty for the whole.
	Unit Desk
}

// whistleStep is one command on its way.
type whistleStep struct {
	*WhistleRules
	w    *Whistle
	part *Part // nil where the command is about the whole
	by   Actor
	d    Deed
	now  time.Time
	data map[string]string
}

// Apply runs one command. On refusal (*Refused) or failure the whistle that
// comes back is the one that went in. A now before the last step counts as the
// time of that step.
func (r *WhistleRules) Apply(w Whistle, by Actor, d Deed, now time.Time) (Whistle, WhistleEvent, error) {
	if now.Before(w.ChangedAt) {
		now = w.ChangedAt
	}
	row := r.table[d.Command]
	next := w.clone()
	part, err := r.admit(&next, by, d, row, now)
	if err != nil {
		return w, WhistleEvent{}, err
	}
	if row.guard != nil {
		if err := row.guard(r, next, part, by, d, now); err != nil {
			return w, WhistleEvent{}, err
		}
	}
	s := &whistleStep{WhistleRules: r, w: &next, part: part, by: by, d: d, now: now, data: map[string]string{}}
	if err := row.do(s); err != nil {
		return w, WhistleEvent{}, err
	}
	if !slices.Contains(row.To, next.State) {
		return w, WhistleEvent{}, fmt.Errorf("whistle: %s led from %q to %q, which the table does not allow", row.Command, w.State, next.State)
	}
	next.Version++
	next.ChangedAt = now
	e := WhistleEvent{Kind: row.Event, Command: row.Command, Actor: by, At: now, From: w.State, To: next.State, Version: next.Version, Data: s.data}
	if part != nil {
		e.Unit = part.Desk
	}
	return next, e, nil
}

// Allowed lists the commands that the actor may give now, in the order of the
// table; unit is whose part they are about, for the head.
func (r *WhistleRules) Allowed(w Whistle, by Actor, unit Desk, now time.Time) []CommandName {
	var names []CommandName
	for _, row := range WhistleTransitions() {
		if row.Command == WhistlePropose && w.State != "" {
			continue
		}
		part, err := r.admit(&w, by, Deed{Unit: unit}, row, now)
		if err == nil && (row.Command != WhistleAppraise || guardAppraisable(w, *part, by, now) == nil) &&
			(row.Command != WhistleMisuse || part.Misuse == "") && (row.Command != WhistleClose || w.unappraised() == 0) {
			names = append(names, row.Command)
		}
	}
	return names
}

// admit checks capacity, relation and states, and finds the part that a command
// is about in w.
func (r *WhistleRules) admit(w *Whistle, by Actor, d Deed, row WhistleTransition, now time.Time) (*Part, error) {
	if !slices.Contains(row.By, by.As) {
		return nil, refuse(KeyWhistleNotYours, "command", string(row.Command), "capacity", string(by.As))
	}
	desk := d.Unit
	if by.As == AsUnit {
		desk = by.Desk
	}
	if w.State != "" {
		if err := w.related(by, desk); err != nil {
			return nil, err
		}
	}
	var part *Part
	if row.Part != nil {
		if i := w.part(desk); i >= 0 {
			part = &w.Parts[i]
		} else if slices.Contains(row.From, w.State) {
			return nil, refuse(KeyWhistleNoUnit)
		}
	}
	if slices.Contains(row.From, w.State) && (part == nil || slices.Contains(row.Part, part.State)) {
		return part, nil
	}
	refused := refuse(KeyWhistleState, "command", string(row.Command), "state", string(w.State))
	if part != nil {
		refused.Params["part"] = string(part.State)
	}
	if row.Command != WhistlePropose || w.State == "" {
		refused.Allowed = r.otherwise(w, by, desk)
	}
	return nil, refused
}

// otherwise lists what the same actor may do in the present state.
func (r *WhistleRules) otherwise(w *Whistle, by Actor, desk Desk) []CommandName {
	var names []CommandName
	for _, row := range WhistleTransitions() {
		i := w.part(desk)
		fits := row.Part == nil || i >= 0 && slices.Contains(row.Part, w.Parts[i].State)
		if slices.Contains(row.From, w.State) && slices.Contains(row.By, by.As) && fits {
			names = append(names, row.Command)
		}
	}
	return names
}

// related checks that the actor is to this whistle what they claim to be.
func (w Whistle) related(by Actor, desk Desk) error {
	if by.Staff != 0 && slices.Contains(w.AgainstStaff, by.Staff) || desk.Code != "" && slices.Contains(w.Against, desk.Code) {
		return refuse(KeyAgainst)
	}
	if by.As == AsUnit && (by.Staff == 0 || desk.Kind == DeskNamed && by.Staff != desk.Staff) {
		return refuse(KeyWhistleNoUnit)
	}
	return nil
}
