package homecare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Become moves on what a programme holds for somebody: subject is a visit that a
// cadence planned, or an occasion. words, "" for none, are the result in a line and
// stay sealed. What cannot be is *care.Refused.
func (s *Service) Become(ctx context.Context, t *gateway.Turn, subject string, by care.Actor, to, words string) error {
	kind, id, err := cut(subject)
	if err != nil {
		return err
	}
	if kind == "occasion" {
		return s.becomeOccasion(ctx, t, id, by, to, words)
	}
	ch, v, err := s.lockVisit(ctx, t, id)
	if err != nil {
		return err
	}
	if ch.bed.Programme == care.FamilyBed {
		return &care.Refused{Key: care.KeyNotYours}
	}
	next, events, err := s.Rules.Become(*v, by, to, t.Now)
	if err != nil {
		return err
	}
	next.Noted = next.Noted || words != ""
	if _, _, err := s.movedVisit(ctx, t, ch, v, next, events); err != nil || words == "" {
		return err
	}
	return s.keepNote(ctx, t, id, by, words)
}

func (s *Service) becomeOccasion(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, to, words string) error {
	o, err := t.LoadOccasion(ctx, id, true)
	if err != nil {
		return err
	}
	if !care.OccasionMay(o.State, to) {
		return &care.Refused{Key: care.KeyState, Params: map[string]string{"command": to, "state": o.State}}
	}
	data := map[string]any{"as": by.As, "from": o.State, "to": to}
	if by.Staff != 0 {
		data["staff"] = by.Staff
	}
	o.State, o.StateAt = to, t.Now
	if err := t.KeepOccasion(ctx, o); err != nil {
		return err
	}
	if err := t.Record(ctx, "occasion."+to, OccasionSubject(id), data, words); err != nil {
		return err
	}
	return s.syncOne(ctx, t, o)
}

// Unmet says that who was called on was not met: they are called on again, as long
// as the interval lasts.
func (s *Service) Unmet(ctx context.Context, t *gateway.Turn, visit int64, by care.Actor) error {
	by.As = care.AsVisitor
	_, _, err := s.DoVisit(ctx, t, visit, by, care.Fail{Reason: care.ReasonNobodyHome})
	return err
}

// ProgrammeQuestion is what the dialogue programme_ask asks of a rung, with its
// answers and the codes by which they are given where each text costs money.
func (s *Service) ProgrammeQuestion(ctx context.Context, t *gateway.Turn, r *Rung) (map[string]any, error) {
	values, err := s.programmeValues(ctx, t, r)
	if err != nil {
		return nil, err
	}
	question, err := t.Text(r.Key(), values)
	if err != nil {
		return nil, err
	}
	vars := map[string]any{
		"question": question, "programme": r.Due.Programme, "rung": r.Due.Rung, "version": strconv.Itoa(r.version()), "choices": []any{}, "codes": "",
	}
	p, _ := s.Rules.Programme(r.Due.Programme)
	rung, _ := p.Rung(r.Due.Rung)
	if len(rung.Answers) == 0 {
		return vars, nil
	}
	choices, list := make([]any, len(rung.Answers)), make([]string, len(rung.Answers))
	for i, a := range rung.Answers {
		label, err := t.Text("care.answer."+r.Due.Programme+"."+a.Value, nil)
		if err != nil {
			return nil, err
		}
		choices[i], list[i] = map[string]any{"value": a.Value, "label": label}, strconv.Itoa(i+1)+label
	}
	between, err := t.Text("care.codes_and", nil)
	if err != nil {
		return nil, err
	}
	vars["choices"] = choices
	vars["codes"], err = t.Text("care.codes", map[string]string{"list": strings.Join(list, between)})
	return vars, err
}

func (r *Rung) version() int {
	if r.Visit != nil {
		return r.Visit.Version
	}
	return r.Occasion.Version
}

// Answer is what somebody answered to a question of a programme.
type Answer struct {
	Programme, Rung, Value string
	// Version is that about which it was asked.
	Version int
}

// Answered does what an answer leads to and returns the text to be said; again is
// false where it comes too late: the thing is no longer what it was. bad says that
// the answer calls for a person.
func (s *Service) Answered(ctx context.Context, t *gateway.Turn, subject string, a Answer) (said string, bad bool, err error) {
	p, _ := s.Rules.Programme(a.Programme)
	rung, _ := p.Rung(a.Rung)
	i := slices.IndexFunc(rung.Answers, func(o care.Answer) bool { return o.Value == a.Value })
	if i < 0 {
		return "", false, fmt.Errorf("%s.%s has no answer %q", a.Programme, a.Rung, a.Value)
	}
	r, _, err := s.read(ctx, t, subject, Due{Programme: a.Programme, Rung: a.Rung}, true)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && r.version() != a.Version {
		return "care.programme_over", false, nil
	}
	if err != nil {
		return "", false, err
	}
	to := rung.Answers[i].To
	err = s.Become(ctx, t, subject, Family(t), to, "")
	if refused(err) {
		return "care.programme_over", false, nil
	}
	if err != nil {
		return "", false, err
	}
	err = t.Record(ctx, "programme.answered", subject, map[string]any{"rung": a.Rung, "answer": a.Value}, "")
	return "care.said." + a.Programme + "." + a.Value, to == care.OccasionDeclined, err
}

// surveyProgramme is the kind of rows of table survey about other programmes.
const surveyProgramme = "programme"

// OpenSurvey notes that the speaker of a turn is asked how something was; why says
// what keeps it back. Nobody is asked often, whatever the programme.
func (s *Service) OpenSurvey(ctx context.Context, t *gateway.Turn, subject string) (why string, err error) {
	last, err := t.LastSurveys(ctx, t.Person, &t.Address)
	if err != nil {
		return "", fmt.Errorf("look when somebody was asked last: %w", err)
	}
	due, why := s.Rules.Surveyed(care.Surveys{LastPerson: never(last.PersonAt), LastAddress: never(last.AddressAt)}, t.Now)
	if !due {
		return why, nil
	}
	_, err = t.AddCareSurvey(ctx, db.AddCareSurveyParams{Kind: surveyProgramme, PersonID: t.Person, Subject: subject, AddressID: &t.Address})
	if errors.Is(err, postgres.ErrNoRows) {
		return "asked_before", nil
	}
	if err != nil {
		return "", fmt.Errorf("note a survey: %w", err)
	}
	return "", nil
}

// Marked keeps the mark that somebody gave; the first one counts.
func (s *Service) Marked(ctx context.Context, t *gateway.Turn, subject string, mark int) error {
	n, err := t.AnswerCareSurvey(ctx, surveyProgramme, subject, strconv.Itoa(mark))
	if err != nil {
		return fmt.Errorf("keep the answer to a survey: %w", err)
	}
	kind, id, err := cut(subject)
	if err != nil || n == 0 || kind != "occasion" {
		return err
	}
	o, err := t.LoadOccasion(ctx, id, true)
	if err != nil {
		return err
	}
	o.Answer, o.At[string(care.AnchorAnswered)] = strconv.Itoa(mark), t.Now
	if err := t.KeepOccasion(ctx, o); err != nil {
		return err
	}
	return s.syncOne(ctx, t, o)
}
