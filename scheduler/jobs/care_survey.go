package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// flowVisitSurvey asks how a visit was: variables visit = {id, day}.
const flowVisitSurvey = "visit_survey"

// surveyOfVisit is the kind of survey, which its answer names again.
const surveyOfVisit = "visit"

// CareSurvey asks who was there how a visit was. Whether they are asked at all,
// homecare judges (who was asked lately is left alone); it judges once more now,
// because somebody else may have asked since. It is never sent twice.
func CareSurvey(d Deps) gateway.Kind {
	k := d.toFamily(homecare.DueSurvey, d.careSurvey)
	k.Opens = true
	return k
}

func (d Deps) careSurvey(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	what, out, err := d.stillDue(ctx, t, due)
	if what == nil {
		return out, err
	}
	if stopped, err := d.silent(ctx, t.Tx, due); err != nil || stopped {
		return gateway.Dropped(whySilent), err
	}
	day, err := d.Care.Day(t, what.Visit.Date)
	if err != nil {
		return gateway.Outcome{}, err
	}
	_, err = t.AddCareSurvey(ctx, db.AddCareSurveyParams{Kind: surveyOfVisit, PersonID: due.Person, Subject: due.Subject, AddressID: &t.Address})
	if errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("asked already"), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("note that somebody is asked about a visit: %w", err)
	}
	return gateway.Done, t.Ask(ctx, due, gateway.Ask{
		Flow: flowVisitSurvey, Vars: map[string]any{"visit": map[string]any{"id": strconv.FormatInt(what.Visit.ID, 10), "day": day}},
		Reason: due.Kind, Subject: due.Subject, Version: due.Version, Until: *due.NotAfter,
	})
}
