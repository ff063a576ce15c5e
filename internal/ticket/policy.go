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
	Source   string          `yaml:"source"`
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
	// Reasons are the codes that staff choose from; their words are texts.
	Reasons struct {
		Transfer []string `yaml:"transfer"`
		Return   []string `yaml:"return"`
		Reject   []string `yaml:"reject"`
		Source   string   `yaml:"source"`
	} `yaml:"reasons"`
}

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
	bad.codes("reasons.transfer", p.Reasons.Transfer)
	bad.codes("reasons.return", p.Reasons.Return)
	bad.codes("reasons.reject", p.Reasons.Reject)
	bad.source("reasons", p.Reasons.Source)
	return errors.Join(bad...)
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

func (b *problems) codes(where string, codes []string) {
	if len(codes) == 0 || slices.Contains(codes, "") {
		b.add("%s must list at least one code, none of them empty", where)
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
