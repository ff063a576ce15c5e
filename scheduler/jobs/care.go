package jobs

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Rows that the ladders of family beds and other programmes make. Each reads its
// subject again (late binding): what the ladder no longer holds is dropped with the
// reason, what belongs to a paused programme waits.

// flowVisit asks whether somebody will be at home. A second visit of the same
// family joins the question that is open.
const flowVisit = "visit_confirm"

// CareTell tells the family something.
func CareTell(d Deps) gateway.Kind {
	k := d.toFamily(homecare.DueTell, d.careTell)
	k.Again, k.Stale = true, tellApart
	return k
}

// toFamily is a kind that speaks to one of the family.
func (d Deps) toFamily(name string, run func(context.Context, *gateway.Turn, gateway.Due) (gateway.Outcome, error)) gateway.Kind {
	return gateway.Kind{Name: name, Workers: 8, ClassOf: careClass, Target: d.familyOf, Run: run, Lost: d.careLost, Late: d.careLate, Still: d.careStill}
}

// CareAsk asks the family and waits for the answer.
func CareAsk(d Deps) gateway.Kind {
	k := d.toFamily(homecare.DueAsk, d.careAsk)
	k.Again, k.Opens, k.Replaces = true, true, flowVisit
	return k
}

func careClass(due gateway.Due) scheduler.Class {
	v, err := data[homecare.Due](due)
	if err != nil {
		return scheduler.Normal // Run says what is wrong with it
	}
	return v.Class
}

// familyOf is where one of the family is written to: the address that was given for
// it, else another that is proven to be the same person's.
func (d Deps) familyOf(ctx context.Context, q *postgres.DB, due gateway.Due) (int64, error) {
	v, err := data[homecare.Due](due)
	if err != nil {
		return 0, err
	}
	return best(gateway.ReachFor(ctx, q.Queries, d.Topics[due.Kind], []int64{due.Person}, v.Address))
}

// stillDue reads the subject of a row again. what is nil when the row has lost its
// reason, which out then says.
func (d Deps) stillDue(ctx context.Context, t *gateway.Turn, due gateway.Due) (what *homecare.Rung, out gateway.Outcome, err error) {
	v, err := data[homecare.Due](due)
	if err != nil {
		return nil, out, err
	}
	held, err := d.Care.Held(ctx, t, v.Programme, v.Class)
	if err != nil {
		return nil, out, err
	}
	if held {
		return nil, waits(due, t), nil
	}
	what, err = d.Care.StillDue(ctx, t, due.Subject, v, due.Kind, due.Key)
	switch {
	case err != nil:
		return nil, out, err
	case what == nil:
		return nil, gateway.Dropped(whyFallen), nil
	case what.At.After(t.Now): // a rule was changed and the row not yet moved
		return nil, gateway.Later(what.At, "its time has moved"), nil
	}
	return what, out, nil
}

// whyFallen is what the ledger says of a row whose visit, bed or consent is no
// longer what it was planned for.
const whyFallen = "the ladder no longer holds it"

// careStill is asked once more before a text to the family goes out. What several
// rows said together goes only while each of them may; else they are told anew, in
// so far as they still hold (tellApart).
func (d Deps) careStill(ctx context.Context, tx *postgres.Tx, due gateway.Due, now time.Time) (bool, string, error) {
	if stopped, err := d.silent(ctx, tx, due); err != nil || stopped {
		return false, whySilent, err
	}
	rows, err := tx.ToldTogether(ctx, &due.Person, due.Kind, toldWith(due.ID))
	if err != nil {
		return false, "", fmt.Errorf("read what was told together: %w", err)
	}
	all := []gateway.Due{due}
	for _, r := range rows {
		all = append(all, gateway.DueOf(db.GatherCareRow(r)))
	}
	for _, one := range all {
		v, err := data[homecare.Due](one)
		if err != nil {
			return false, "", err
		}
		if ok, err := d.Care.Stands(ctx, tx, one.Subject, v, one.Kind, one.Key, now); err != nil || !ok {
			return false, whyFallen, err
		}
	}
	return true, "", nil
}

// whySilent is what the ledger says of who asked for silence, or has died.
const whySilent = "the person wants no more messages"

// silent reports whether the reader of a row wants nothing more, in all or of this
// topic, under whatever face; the dead want nothing.
func (d Deps) silent(ctx context.Context, tx *postgres.Tx, due gateway.Due) (bool, error) {
	stopped, err := tx.OptedOut(ctx, due.Person, []string{topicAll, d.Topics[due.Kind]})
	if err != nil {
		return false, fmt.Errorf("look whether the person wants to hear it: %w", err)
	}
	return stopped, nil
}

// toldWith is the reason of rows that another one told along.
func toldWith(due int64) string { return "told with " + strconv.FormatInt(due, 10) }

// tellApart lets what stood in one message that was not sent be told once more: each
// row is judged for itself then, and what has lost its reason is left out.
func tellApart(ctx context.Context, tx *postgres.Tx, due int64) error {
	if _, err := tx.TellAgain(ctx, toldWith(due), due); err != nil {
		return fmt.Errorf("tell the rest of a message: %w", err)
	}
	return nil
}

// pausedLook is how long a row of a paused programme sleeps at most; resuming wakes
// it at once.
const pausedLook = 24 * time.Hour

// waits puts a row of a paused programme off until it would be too late.
func waits(due gateway.Due, t *gateway.Turn) gateway.Outcome {
	at := t.Now.Add(pausedLook)
	if due.NotAfter != nil && at.After(*due.NotAfter) {
		at = due.NotAfter.Add(time.Second)
	}
	return gateway.Later(at, homecare.WhyPaused)
}

func (d Deps) careTell(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	first, out, err := d.tellOf(ctx, t, due)
	if first == nil || err != nil {
		return out, err
	}
	more, err := d.gatherTells(ctx, t, due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, d.sayAll(t, due, append([]tellOne{*first}, more...))
}

// careAsk asks whether somebody will be at home, together with whatever else is
// asked of the same people now.
func (d Deps) careAsk(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	if stopped, err := d.silent(ctx, t.Tx, due); err != nil {
		return gateway.Outcome{}, err
	} else if stopped {
		return gateway.Dropped(whySilent), d.deskRings(ctx, t, due, what)
	}
	joined, err := t.Join(ctx, flowVisit)
	if err != nil {
		return gateway.Outcome{}, err
	}
	about := []homecare.Asked{{Visit: what.Visit.ID, Version: what.Visit.Version}}
	for _, vars := range joined {
		more, err := homecare.ParseAsked(vars)
		if err != nil {
			return gateway.Outcome{}, fmt.Errorf("read what a prompt asked: %w", err)
		}
		about = append(about, more...)
	}
	vars, until, err := d.Care.Question(ctx, t, about, what)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := d.Care.Told(ctx, t, what, true); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, t.Ask(ctx, due, gateway.Ask{
		Flow: flowVisit, Vars: vars, Reason: due.Kind, Subject: due.Subject, Version: due.Version, Until: until,
	})
}

// deskRings lays what nobody of the family can be asked or told before the desk.
func (d Deps) deskRings(ctx context.Context, t *gateway.Turn, due gateway.Due, what *homecare.Rung) error {
	what.Due.Role, what.Due.Staff = care.ToDesk, 0
	return d.Care.LayTask(ctx, t, what, due.NotAfter)
}

// careLost ends a row whose reader cannot be written to: a question becomes a call
// of the desk.
func (d Deps) careLost(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	if due.Kind == homecare.DueAsk {
		if err := d.deskRings(ctx, t, due, what); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return gateway.Dropped(gateway.ErrNoAddress.Error()), nil
}

// careLate lays what quiet hours leave no time to say before the desk. A row that
// means nothing any more is no longer in its ladder, and nobody rings.
func (d Deps) careLate(ctx context.Context, t *gateway.Turn, due gateway.Due) error {
	what, _, err := d.stillDue(ctx, t, due)
	if what == nil || due.Kind == homecare.DueSurvey {
		return err
	}
	return d.deskRings(ctx, t, due, what)
}
