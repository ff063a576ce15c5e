package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/tally"
	"shaoying/scheduler"
)

// DueWorryPoll asks one person what worries them most: subject "person:ID", key
// the month. It is the name of the topic to be left alone by as well.
const DueWorryPoll = "worry_poll"

// pollChunk is how many members one transaction of the slot job plans for.
const pollChunk = 500

// WorryPolls plans the monthly question for everybody who joined. The cursor is
// the last consent.
func WorryPolls(d Deps) gateway.SlotJob {
	return gateway.SlotJob{Name: DueWorryPoll, Run: func(ctx context.Context, t *gateway.Turn, slot gateway.Slot, cursor string) (string, bool, error) {
		after, err := number(cursor)
		if err != nil {
			return cursor, false, err
		}
		members, err := t.PollMembers(ctx, after, pollChunk)
		if err != nil {
			return cursor, false, fmt.Errorf("find who joined the monthly question: %w", err)
		}
		month := d.Tally.Month(slot.Nominal, 0).Format("2006-01")
		for _, m := range members {
			err := t.PlanDue(ctx, gateway.Plan{
				Kind: DueWorryPoll, Subject: postgres.Subject("person", m.PersonID), Key: month, Person: m.PersonID, At: t.Now,
				NotAfter: d.Tally.Policy.Poll.AnswerWithin.Deadline(t.Now, d.Orders.Work),
			})
			if err != nil {
				return cursor, false, err
			}
			cursor = strconv.FormatInt(m.ID, 10)
		}
		return cursor, len(members) < pollChunk, nil
	}}
}

// WorryPoll asks 您最烦心的是.
func WorryPoll(d Deps) gateway.Kind {
	return gateway.Kind{Name: DueWorryPoll, Workers: 4, Class: scheduler.Survey, Opens: true, Target: memberOf, Run: d.askWorry}
}

// memberOf is where a person who joined is written to: the address they joined
// by, else another that is proven to be theirs.
func memberOf(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
	id, err := due.SubjectID("person")
	if err != nil {
		return 0, err
	}
	consent, err := d.PollConsent(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return 0, gateway.ErrNoAddress
	}
	if err != nil {
		return 0, fmt.Errorf("find by which address a person joined: %w", err)
	}
	return best(gateway.Reach(ctx, d.Queries, []int64{id}, consent.AddressID))
}

func (d Deps) askWorry(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("person")
	if err != nil {
		return gateway.Outcome{}, err
	}
	wanted, why, err := pollWanted(ctx, t.Tx, due.Subject, 0)
	if err != nil || !wanted {
		return gateway.Dropped(why), err
	}
	consent, err := t.PollConsent(ctx, id)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("read for whom a person answers: %w", err)
	}
	// Which area somebody answers for is where what they reported last was.
	home, err := t.HomeOfPerson(ctx, id)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return gateway.Outcome{}, fmt.Errorf("find the township of a person: %w", err)
	}
	p := db.AskWorryParams{
		PersonID: id, Month: d.Tally.Month(t.Now, 0), Kind: "resident", Area: string(people.DivisionCode(home).At(people.LevelTownship)),
	}
	if consent.Kind == tally.ConsentPollFirm {
		p.Kind = "firm"
	}
	if _, err := t.AskWorry(ctx, p); errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("asked this month already"), nil
	} else if err != nil {
		return gateway.Outcome{}, fmt.Errorf("note the monthly question: %w", err)
	}
	return gateway.Done, t.Ask(ctx, due, gateway.Ask{
		Flow: DueWorryPoll, Vars: map[string]any{"month": p.Month.Format("2006-01")}, Reason: DueWorryPoll, Subject: due.Subject,
		Until: d.Tally.Policy.Poll.AnswerWithin.Deadline(t.Now, d.Orders.Work),
	})
}

// pollWanted wants that the person is still in, and has asked for no silence.
func pollWanted(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	if _, err := tx.PollConsent(ctx, id); errors.Is(err, postgres.ErrNoRows) {
		return false, "the person has left the monthly question", nil
	} else if err != nil {
		return false, "", fmt.Errorf("look whether the person is still in: %w", err)
	}
	stopped, err := tx.OptedOut(ctx, id, []string{topicAll, flowRating, DueWorryPoll})
	if err != nil {
		return false, "", fmt.Errorf("look whether the person wants to be asked: %w", err)
	}
	return !stopped, "the person wants no surveys", nil
}
