package jobs

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shaoying/bots"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// The dialogues of other programmes. Each asks whatever the programme's texts say.
const (
	flowQuestion = "programme_ask"
	flowMark     = "programme_survey"
)

// CareMember tells somebody who takes part in another programme.
func CareMember(d Deps) gateway.Kind {
	return d.toMember(homecare.DueMember, d.tellMember)
}

// CareQuestion asks them, and waits for the answer.
func CareQuestion(d Deps) gateway.Kind {
	k := d.toMember(homecare.DueQuestion, d.askMember)
	k.Opens = true
	return k
}

// CareMark asks how it was, if they were not asked lately.
func CareMark(d Deps) gateway.Kind {
	k := d.toMember(homecare.DueMark, d.surveyMember)
	k.Opens = true
	return k
}

// toMember is a kind that speaks to one who takes part.
func (d Deps) toMember(name string, run func(context.Context, *gateway.Turn, gateway.Due) (gateway.Outcome, error)) gateway.Kind {
	return gateway.Kind{Name: name, Workers: 4, ClassOf: careClass, Target: d.memberOf, Run: run, Lost: d.lostMember, Still: d.careStill}
}

// CareEvent takes what became of an event one chunk further.
func CareEvent(d Deps) gateway.Kind {
	return gateway.Kind{Name: homecare.DueEvent, Workers: 1, Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
		v, err := data[homecare.EventDue](due)
		if err != nil {
			return gateway.Outcome{}, err
		}
		id, err := due.SubjectID("event")
		if err != nil {
			return gateway.Outcome{}, err
		}
		why, err := d.Care.Walk(ctx, t, id, due.Version, v)
		var refused *care.Refused
		switch {
		case errors.As(err, &refused): // its day is over, and so is the event already
			return gateway.Dropped(refused.Error()), nil
		case err != nil:
			return gateway.Outcome{}, err
		case why != "":
			return gateway.Dropped(why), nil
		}
		return gateway.Done, nil
	}}
}

// memberOf is where somebody who takes part is written to, by a channel that may
// carry the programme.
func (d Deps) memberOf(ctx context.Context, q *postgres.DB, due gateway.Due) (int64, error) {
	v, err := data[homecare.Due](due)
	if err != nil {
		return 0, err
	}
	person := due.Person
	if v.Staff != 0 {
		s, err := q.GetStaff(ctx, v.Staff)
		if err != nil {
			return 0, fmt.Errorf("load staff %d: %w", v.Staff, err)
		}
		if s.EndedAt != nil {
			return 0, gateway.ErrNoAddress
		}
		person = s.PersonID
	}
	list, err := gateway.ReachFor(ctx, q.Queries, d.Topics[due.Kind], []int64{person}, v.Address)
	if err != nil {
		return 0, err
	}
	p, _ := d.Care.Rules.Programme(v.Programme)
	return best(slices.DeleteFunc(list, func(r db.ReachRow) bool { return !p.Carries(d.Kinds[bots.ChannelID(r.Channel)]) }), nil)
}

// Carries reports whether a push may go on to another channel: what a programme
// says only where the programme may be carried.
func Carries(d Deps) func(ctx context.Context, tx *postgres.Tx, reason, subject string, to bots.ChannelID) (bool, error) {
	return func(ctx context.Context, tx *postgres.Tx, reason, subject string, to bots.ChannelID) (bool, error) {
		if !slices.Contains(homecare.ProgrammeKinds(), reason) {
			return true, nil
		}
		p, err := d.Care.ProgrammeOf(ctx, tx, subject)
		return err == nil && p.Carries(d.Kinds[to]), err
	}
}

// stillWanted is stillDue for who has not asked for silence meanwhile.
func (d Deps) stillWanted(ctx context.Context, t *gateway.Turn, due gateway.Due) (*homecare.Rung, gateway.Outcome, error) {
	if stopped, err := d.silent(ctx, t.Tx, due); err != nil || stopped {
		return nil, gateway.Dropped(whySilent), err
	}
	return d.stillDue(ctx, t, due)
}

func (d Deps) tellMember(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillWanted(ctx, t, due)
	if what == nil {
		return out, err
	}
	values, err := d.Care.ValuesOf(ctx, t, what)
	if err != nil {
		return gateway.Outcome{}, err
	}
	d.behind(t)
	return gateway.Done, t.Tell(due.Kind, due.Subject, due.Version, what.Key(), values)
}

// behind puts what is told to many behind everything that is told to one: it goes
// out in the lowest rank whose hours still allow it. A cancelled free clinic in the
// evening is as urgent as its members need it to be, and no more.
func (d Deps) behind(t *gateway.Turn) {
	for _, class := range []scheduler.Class{scheduler.Bulk, scheduler.Normal} {
		if at, verdict := d.Quiet.Shift(t.Now, t.Now, class, scheduler.QuietLater); verdict == scheduler.Send && !at.After(t.Now) {
			t.Class = class
			return
		}
	}
}

func (d Deps) askMember(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillWanted(ctx, t, due)
	if what == nil {
		return out, err
	}
	vars, err := d.Care.ProgrammeQuestion(ctx, t, what)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := d.Care.Told(ctx, t, what, true); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, d.askProgramme(ctx, t, due, flowQuestion, vars)
}

func (d Deps) surveyMember(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillWanted(ctx, t, due)
	if what == nil {
		return out, err
	}
	why, err := d.Care.OpenSurvey(ctx, t, due.Subject)
	if err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	vars, err := d.Care.ProgrammeQuestion(ctx, t, what)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, d.askProgramme(ctx, t, due, flowMark, vars)
}

func (d Deps) askProgramme(ctx context.Context, t *gateway.Turn, due gateway.Due, flow string, vars map[string]any) error {
	ask := gateway.Ask{Flow: flow, Vars: vars, Reason: due.Kind, Subject: due.Subject, Version: due.Version}
	if due.NotAfter != nil {
		ask.Until = *due.NotAfter
	}
	return t.Ask(ctx, due, ask)
}

// lostMember ends a row whose reader cannot be written to: a question becomes a
// call of the desk. Where the programme goes by some channels only and the reader
// has none of them, it is kept back with that reason.
func (d Deps) lostMember(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	if p, _ := d.Care.Rules.Programme(what.Due.Programme); len(p.Channels) > 0 {
		return gateway.Outcome{State: "suppressed", Reason: "no_channel"}, nil
	}
	if due.Kind == homecare.DueQuestion && what.Due.Staff == 0 {
		what.Due.Role = care.ToDesk
		if err := d.Care.LayTask(ctx, t, what, due.NotAfter); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return gateway.Dropped(gateway.ErrNoAddress.Error()), nil
}
