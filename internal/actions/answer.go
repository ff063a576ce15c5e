package actions

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// The kinds of survey, as their rows are named.
const (
	SurveyRating    = "rating"
	SurveyStillFine = "still_fine"
)

// answerCallback records what the resident said when asked about a handled
// ticket. Content answers close it, others go to a callback clerk; what was
// answered before the resident fell silent counts too, if it decides anything.
func (s *Set) answerCallback(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, err := s.subjectTicket(ctx, t)
	if err != nil {
		return nil, err
	}
	facts := ticket.Facts{
		Contacted: ticket.Answer(text(args, "contacted")), Solved: ticket.Answer(text(args, "solved")),
		Satisfied: ticket.Satisfaction(text(args, "satisfied")),
	}
	by, err := s.reporter(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if err := s.keepCallback(ctx, t, o, facts, text(args, "why")); err != nil {
		return nil, err
	}
	_, err = s.Orders.Do(ctx, t, o.ID, by, ticket.CallbackResult{Facts: facts})
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
		switch refused.Key {
		case ticket.KeyNoAnswer: // fell silent after the first question
			return result{"unhappy": false, "number": o.Number.Spoken(), "say": "callback.kept"}, nil
		case ticket.KeyState, ticket.KeyAnswered, ticket.KeyOwnWork:
			return failAbout("callback.over", o.Number), nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("record a callback: %w", err)
	}
	return result{"unhappy": facts.Unhappy(), "number": o.Number.Spoken(), "say": "callback.kept"}, nil
}

// keepCallback writes the answer into the row of this try.
func (s *Set) keepCallback(ctx context.Context, t *gateway.Turn, o *workorder.Order, f ticket.Facts, why string) error {
	row, err := t.LastCallback(ctx, o.ID)
	switch {
	case errors.Is(err, postgres.ErrNoRows) || err == nil && row.Ended != "":
		row.ID, err = t.AddCallback(ctx, db.AddCallbackParams{TicketID: o.ID, Try: int32(o.Tries), Via: "chat"})
	}
	if err != nil {
		return fmt.Errorf("find the callback of a ticket: %w", err)
	}
	p := db.EndCallbackParams{
		ID: row.ID, Contacted: string(f.Contacted), Solved: string(f.Solved), Satisfied: string(f.Satisfied), Ended: "answered",
	}
	if why != "" {
		p.Words = t.Seal(workorder.SealCallback, why)
	}
	if err := t.EndCallback(ctx, p); err != nil {
		return fmt.Errorf("keep a callback: %w", err)
	}
	return nil
}

// answerSurvey records the rating of a ticket that was closed without one. It
// changes no ticket: what is closed stays closed; who is not content is called
// by a person.
func (s *Set) answerSurvey(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, err := s.subjectTicket(ctx, t)
	if err != nil {
		return nil, err
	}
	rating := text(args, "rating")
	if err := t.AnswerSurvey(ctx, rating, SurveyRating, o.ID); err != nil {
		return nil, fmt.Errorf("keep the answer to a survey: %w", err)
	}
	unhappy := ticket.Facts{Satisfied: ticket.Satisfaction(rating)}.Unhappy()
	if unhappy {
		if err := s.askForPerson(ctx, t, o, text(args, "why")); err != nil {
			return nil, err
		}
	}
	return result{"unhappy": unhappy, "number": o.Number.Spoken(), "say": "callback.kept"}, nil
}

// answerStillFine records whether it is still fine some weeks after; if not,
// the ticket is reopened.
func (s *Set) answerStillFine(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, err := s.subjectTicket(ctx, t)
	if err != nil {
		return nil, err
	}
	answer := text(args, "fine")
	if err := t.AnswerSurvey(ctx, answer, SurveyStillFine, o.ID); err != nil {
		return nil, fmt.Errorf("keep the answer to a survey: %w", err)
	}
	if answer != "broken" {
		return s.filed(ctx, t, o)
	}
	return s.reopen(ctx, t, o, ticket.Relapse{FromSurvey: true}, "")
}
