package ticket

import (
	"errors"
	"fmt"
	"slices"

	"shaoying/configs"
	"shaoying/scheduler"
)

// Urgency is the class of time limits a ticket falls under.
type Urgency string

// The four classes (DB11/T 2021—2022 and its draft, reference 1.3).
const (
	Urgent    Urgency = "urgent"    // life, property, sudden events
	Utilities Urgency = "utilities" // water, power, gas, heating, extreme weather
	General   Urgency = "general"
	Complex   Urgency = "complex" // several units, or needs long work
)

// Urgencies lists the classes, most urgent first.
func Urgencies() []Urgency { return []Urgency{Urgent, Utilities, General, Complex} }

func (u Urgency) valid() bool { return slices.Contains(Urgencies(), u) }

// Class holds the limits of one urgency. Handle, Contact and Sign run from
// dispatch, Dispatch from receipt.
type Class struct {
	Dispatch scheduler.Limit `yaml:"dispatch"`
	Sign     scheduler.Limit `yaml:"sign"`
	Contact  scheduler.Limit `yaml:"contact"`
	Handle   scheduler.Limit `yaml:"handle"`
	// Object is how long after dispatch a desk may object; none at all when it
	// is left out: act first.
	Object *scheduler.Limit `yaml:"object"`
	Source string           `yaml:"source"`
}

// Rung is one level of the ladder: the people of a role who have the ticket in
// an area of the kind answer for the outcome.
type Rung struct {
	Code string `yaml:"code"`
	Role string `yaml:"role"`
	Area string `yaml:"area"`
}

// Policy is configs/policies/tickets.yaml.
type Policy struct {
	Classes map[Urgency]Class `yaml:"classes"`
	Nudges  struct {
		// At are the shares of the handling time after which the desk is
		// reminded, ascending, the last one being 1.
		At     []float64 `yaml:"at"`
		Source string    `yaml:"source"`
	} `yaml:"nudges"`
	Transfers struct {
		// Max is how often desks may hand a ticket on before it must go back
		// to the dispatcher.
		Max    int    `yaml:"max"`
		Source string `yaml:"source"`
	} `yaml:"transfers"`
	Objections struct {
		PerUnit   int    `yaml:"per_unit"`
		PerTicket int    `yaml:"per_ticket"` // the next one raises the ticket
		Source    string `yaml:"source"`
	} `yaml:"objections"`
	Extensions struct {
		Max          int    `yaml:"max"`           // a dispatcher grants
		BySupervisor int    `yaml:"by_supervisor"` // more that a supervisor grants
		Source       string `yaml:"source"`
	} `yaml:"extensions"`
	Suspensions struct {
		Max    scheduler.Limit `yaml:"max"`
		Source string          `yaml:"source"`
	} `yaml:"suspensions"`
	CoHandlers struct {
		// Time is the share of the lead's time after which they have replied.
		Time float64 `yaml:"time"`
		// Nudge is the share of their own time at which they are reminded.
		Nudge  float64 `yaml:"nudge"`
		Source string  `yaml:"source"`
	} `yaml:"co_handlers"`
	Joint struct {
		// Roles are who of the place handles with the lead what the matter says
		// is for police and grid together, in the order in which they are asked.
		// As co-handlers they see who reported as little as others: View.
		Roles  []string `yaml:"roles"`
		Source string   `yaml:"source"`
	} `yaml:"joint"`
	Supervision struct {
		Within scheduler.Limit `yaml:"within"`
		Source string          `yaml:"source"`
	} `yaml:"supervision"`
	// Ladder lists the levels of escalation from the grid up.
	Ladder struct {
		Rungs  []Rung `yaml:"rungs"`
		Source string `yaml:"source"`
	} `yaml:"ladder"`
	Answers struct {
		// Claims are the types of claim that may be answered at once.
		Claims []string `yaml:"claims"`
		Source string   `yaml:"source"`
	} `yaml:"answers"`
	Referrals struct {
		// To has a code for each who must lawfully deal with a ticket; true for
		// those that a matter may name, to be referred to at once.
		To map[string]bool `yaml:"to"`
		// Independent are those to whom a claim about a unit or one of the staff
		// is referred at once as well: nobody it is about has a say there.
		Independent []string `yaml:"independent"`
		Source      string   `yaml:"source"`
	} `yaml:"referrals"`
	// Reasons are the codes that staff choose from; their words are texts.
	Reasons struct {
		Transfer []string `yaml:"transfer"`
		Return   []string `yaml:"return"`
		Reject   []string `yaml:"reject"`
		Object   []string `yaml:"object"`
		Extend   []string `yaml:"extend"`
		Suspend  []string `yaml:"suspend"`
		// Supervise and Escalate hold the system's own reasons as well.
		Supervise []string `yaml:"supervise"`
		Escalate  []string `yaml:"escalate"`
		Exclude   []string `yaml:"exclude"`
		Source    string   `yaml:"source"`
	} `yaml:"reasons"`
}

// top is the highest level.
func (p Policy) top() int { return len(p.Ladder.Rungs) - 1 }

// CallbackPolicy is configs/policies/callbacks.yaml.
type CallbackPolicy struct {
	Callback struct {
		After scheduler.Limit `yaml:"after"` // from the desk's report to the first question
		// At are the times of a workday at which the resident is asked.
		At           []scheduler.TimeOfDay `yaml:"at"`
		Tries        int                   `yaml:"tries"`         // before it becomes a phone task
		HalfDays     int                   `yaml:"half_days"`     // over how many different half-days at least
		AnswerWithin scheduler.Limit       `yaml:"answer_within"` // how long one question stays open
		PhoneWithin  scheduler.Limit       `yaml:"phone_within"`  // how long the clerk has for the phone task
		JudgeWithin  scheduler.Limit       `yaml:"judge_within"`  // how long the clerk has to judge an unhappy answer
		Source       string                `yaml:"source"`
	} `yaml:"callback"`
	Survey struct {
		PerPerson    scheduler.Limit `yaml:"per_person"` // at most one survey a person in this time
		AnswerWithin scheduler.Limit `yaml:"answer_within"`
		Source       string          `yaml:"source"`
	} `yaml:"survey"`
	// StillFine is the one-tap question 还好吗 some weeks after closing.
	StillFine struct {
		After        scheduler.Limit `yaml:"after"`
		Until        scheduler.Limit `yaml:"until"` // from closing; an answer after that opens a new ticket
		AnswerWithin scheduler.Limit `yaml:"answer_within"`
		Source       string          `yaml:"source"`
	} `yaml:"still_fine"`
	Relapse struct {
		Within scheduler.Limit `yaml:"within"` // from closing, on the resident's own account
		Source string          `yaml:"source"`
	} `yaml:"relapse"`
	Redo struct {
		Max    int     `yaml:"max"`
		Time   float64 `yaml:"time"` // share of the handling limit that a redo gets
		Source string  `yaml:"source"`
	} `yaml:"redo"`
}

// Validate lists everything that is wrong with the policy.
func (p Policy) Validate() error {
	var bad problems
	for _, u := range Urgencies() {
		c, ok := p.Classes[u]
		if !ok {
			bad.add("classes.%s is missing", u)
			continue
		}
		where := "classes." + string(u)
		bad.limit(where+".dispatch", c.Dispatch)
		bad.limit(where+".sign", c.Sign)
		bad.limit(where+".contact", c.Contact)
		bad.limit(where+".handle", c.Handle)
		bad.source(where, c.Source)
	}
	for u := range p.Classes {
		if !u.valid() {
			bad.add("classes.%s is not one of %v", u, Urgencies())
		}
	}
	at := p.Nudges.At
	if len(at) == 0 || at[0] <= 0 || at[len(at)-1] != 1 || !slices.IsSorted(at) || len(slices.Compact(slices.Clone(at))) != len(at) {
		bad.add("nudges.at must rise from above 0 to 1, is %v", at)
	}
	bad.source("nudges", p.Nudges.Source)
	if p.Transfers.Max < 1 {
		bad.add("transfers.max must be at least 1, is %d", p.Transfers.Max)
	}
	bad.source("transfers", p.Transfers.Source)
	p.validateRequests(&bad)
	bad.codes("reasons.transfer", p.Reasons.Transfer)
	bad.codes("reasons.return", p.Reasons.Return)
	bad.codes("reasons.reject", p.Reasons.Reject)
	bad.codes("reasons.object", p.Reasons.Object)
	bad.codes("reasons.extend", p.Reasons.Extend)
	bad.codes("reasons.suspend", p.Reasons.Suspend)
	bad.codes("reasons.exclude", p.Reasons.Exclude)
	bad.codes("reasons.supervise", p.Reasons.Supervise, SuperviseUnsigned, SuperviseOverdue, SuperviseCoSilent)
	bad.codes("reasons.escalate", p.Reasons.Escalate, EscalateRefusals, EscalateRedos, EscalateOverdue, EscalateSupervision)
	bad.source("reasons", p.Reasons.Source)
	return errors.Join(bad...)
}

func (p Policy) validateRequests(bad *problems) {
	if p.Objections.PerUnit < 1 || p.Objections.PerTicket < p.Objections.PerUnit {
		bad.add("objections needs 1 <= per_unit <= per_ticket, has %d and %d", p.Objections.PerUnit, p.Objections.PerTicket)
	}
	bad.source("objections", p.Objections.Source)
	if p.Extensions.Max < 0 || p.Extensions.BySupervisor < 0 {
		bad.add("extensions.max and by_supervisor must not be negative")
	}
	bad.source("extensions", p.Extensions.Source)
	bad.limit("suspensions.max", p.Suspensions.Max)
	bad.source("suspensions", p.Suspensions.Source)
	if p.CoHandlers.Time <= 0 || p.CoHandlers.Time > 1 {
		bad.add("co_handlers.time must be above 0 and at most 1, is %v", p.CoHandlers.Time)
	}
	if p.CoHandlers.Nudge <= 0 || p.CoHandlers.Nudge >= 1 {
		bad.add("co_handlers.nudge must be above 0 and below 1, is %v", p.CoHandlers.Nudge)
	}
	bad.source("co_handlers", p.CoHandlers.Source)
	bad.codes("joint.roles", p.Joint.Roles)
	bad.source("joint", p.Joint.Source)
	bad.limit("supervision.within", p.Supervision.Within)
	bad.source("supervision", p.Supervision.Source)
	if len(p.Ladder.Rungs) < 2 {
		bad.add("ladder.rungs must list at least two levels, has %d", len(p.Ladder.Rungs))
	}
	for i, r := range p.Ladder.Rungs {
		if r.Code == "" || r.Role == "" || r.Area == "" {
			bad.add("ladder.rungs[%d] needs code, role and area", i)
		}
	}
	bad.source("ladder", p.Ladder.Source)
	bad.codes("answers.claims", p.Answers.Claims)
	bad.source("answers", p.Answers.Source)
	if len(p.Referrals.To) == 0 {
		bad.add("referrals.to must name at least one code")
	}
	for _, to := range p.Referrals.Independent {
		if !p.Referrals.To[to] {
			bad.add("referrals.independent: %s is not in to, or not at once", to)
		}
	}
	bad.source("referrals", p.Referrals.Source)
}

// Validate lists everything that is wrong with the policy.
func (p CallbackPolicy) Validate() error {
	var bad problems
	bad.limit("callback.after", p.Callback.After)
	bad.limit("callback.answer_within", p.Callback.AnswerWithin)
	bad.limit("callback.phone_within", p.Callback.PhoneWithin)
	bad.limit("callback.judge_within", p.Callback.JudgeWithin)
	tries := scheduler.AttemptPolicy{At: p.Callback.At, Tries: p.Callback.Tries, HalfDays: p.Callback.HalfDays}
	if err := tries.Validate(); err != nil {
		bad.add("callback: %w", err)
	}
	bad.source("callback", p.Callback.Source)
	bad.limit("survey.per_person", p.Survey.PerPerson)
	bad.limit("survey.answer_within", p.Survey.AnswerWithin)
	bad.source("survey", p.Survey.Source)
	bad.limit("still_fine.after", p.StillFine.After)
	bad.limit("still_fine.until", p.StillFine.Until)
	bad.limit("still_fine.answer_within", p.StillFine.AnswerWithin)
	bad.source("still_fine", p.StillFine.Source)
	bad.limit("relapse.within", p.Relapse.Within)
	bad.source("relapse", p.Relapse.Source)
	if p.Redo.Max < 0 || p.Redo.Time <= 0 || p.Redo.Time > 1 {
		bad.add("redo needs max >= 0 and 0 < time <= 1, has %d and %v", p.Redo.Max, p.Redo.Time)
	}
	bad.source("redo", p.Redo.Source)
	return errors.Join(bad...)
}

type problems []error

func (b *problems) add(format string, args ...any) { *b = append(*b, fmt.Errorf(format, args...)) }

func (b *problems) limit(where string, l scheduler.Limit) {
	if l.N < 1 {
		b.add("%s is missing: write a limit such as 30m, 2h, 7d, 2wh or 5wd", where)
	}
}

func (b *problems) source(where, s string) {
	if s == "" {
		b.add("%s.source is missing: say where the values come from", where)
	}
}

func (b *problems) codes(where string, codes []string, among ...string) {
	if len(codes) == 0 || slices.Contains(codes, "") {
		b.add("%s must list at least one code, none of them empty", where)
	}
	for _, c := range among {
		if !slices.Contains(codes, c) {
			b.add("%s must list %s, which the system itself uses", where, c)
		}
	}
}

// ParsePolicy decodes configs/policies/tickets.yaml strictly.
func ParsePolicy(name string, body []byte) (Policy, error) {
	var p Policy
	if err := configs.Decode(name, body, &p); err != nil {
		return Policy{}, err
	}
	if err := p.Validate(); err != nil {
		return Policy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// ParseCallbackPolicy decodes configs/policies/callbacks.yaml strictly.
func ParseCallbackPolicy(name string, body []byte) (CallbackPolicy, error) {
	var p CallbackPolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return CallbackPolicy{}, err
	}
	if err := p.Validate(); err != nil {
		return CallbackPolicy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}
