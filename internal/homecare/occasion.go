package homecare

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres/db"
)

// OccasionSubject names an occasion of another programme.
func OccasionSubject(id int64) string { return subjectOf("occasion", id) }

// occasions are what the ladders look at: each bed and each of its visits, or the
// visits of who is enrolled in another programme.
func (s *Service) occasions(ctx context.Context, t *gateway.Turn, changes []*change) ([]care.Occasion, error) {
	var done []int64
	for _, ch := range changes {
		for id, v := range ch.visits {
			if v.State == care.VisitDone {
				done = append(done, id)
			}
		}
	}
	histories, err := s.histories(ctx, t, done)
	if err != nil {
		return nil, err
	}
	var out []care.Occasion
	for _, ch := range changes {
		more, err := s.occasionsOf(ctx, t, ch, histories)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func (s *Service) occasionsOf(ctx context.Context, t *gateway.Turn, ch *change, histories map[int64]db.VisitHistoriesRow) ([]care.Occasion, error) {
	var out []care.Occasion
	if ch.bed.Programme == care.FamilyBed {
		out = append(out, s.Rules.OfBed(ch.bed.Bed))
		for _, v := range ch.list() {
			h, err := s.history(ctx, t, ch.bed, v, histories[v.ID])
			if err != nil {
				return nil, err
			}
			out = append(out, s.Rules.OfVisit(ch.bed.Bed, v, h))
		}
		return out, nil
	}
	joined, err := t.JoinedOf(ctx, []int64{ch.bed.Patient.Person}, ch.bed.Programme)
	if err != nil {
		return nil, fmt.Errorf("look whether somebody takes part in %s: %w", ch.bed.Programme, err)
	}
	b := ch.bed.Bed
	if len(joined) > 0 && joined[0].AddressID != nil && b.Patient.Address == 0 {
		b.Patient.Address = *joined[0].AddressID
	}
	for _, v := range ch.list() {
		out = append(out, s.Rules.OfEnrolled(ch.bed.Programme, b, v, len(joined) > 0))
	}
	return out, nil
}

func (s *Service) histories(ctx context.Context, t *gateway.Turn, ids []int64) (map[int64]db.VisitHistoriesRow, error) {
	out := map[int64]db.VisitHistoriesRow{}
	if len(ids) == 0 {
		return out, nil
	}
	list, err := t.VisitHistories(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read what became of visits: %w", err)
	}
	for _, h := range list {
		out[h.ID] = h
	}
	return out, nil
}

// history is what the ladder of a visit that was done has to know: whether the
// family is asked about it, and what it answered.
func (s *Service) history(ctx context.Context, t *gateway.Turn, b *Bed, v care.Visit, row db.VisitHistoriesRow) (care.History, error) {
	if v.State != care.VisitDone {
		return care.History{}, nil
	}
	h := care.History{Called: row.Called}
	if row.AnsweredAt != nil {
		h.AnsweredAt = *row.AnsweredAt
		answer, err := strconv.Atoi(row.Answer)
		if err != nil {
			return h, fmt.Errorf("read the answer to a survey: %w", err)
		}
		h.Answer = answer
		return h, nil
	}
	if row.Asked {
		h.Survey = true
		return h, nil
	}
	person, address := s.presentAt(b, v)
	last, err := t.LastSurveys(ctx, person, &address)
	if err != nil {
		return h, fmt.Errorf("look when somebody was asked last: %w", err)
	}
	h.Survey, h.Held = s.Rules.Surveyed(care.Surveys{Done: int(row.Done), LastPerson: never(last.PersonAt), LastAddress: never(last.AddressAt)}, t.Now)
	return h, nil
}

// never makes the zero time of the epoch by which a query says "never".
func never(at time.Time) time.Time {
	if at.Unix() == 0 {
		return time.Time{}
	}
	return at
}

// presentAt is who would be asked about a visit: who was there, else the first who
// can be written to.
func (s *Service) presentAt(b *Bed, v care.Visit) (person, address int64) {
	o := s.Rules.OfVisit(b.Bed, v, care.History{})
	to := o.Who[care.ToPresent]
	return to.Person, to.Address
}

// Resync looks again at what is due around a visit: after the answer to a survey,
// or when a task about it was done.
func (s *Service) Resync(ctx context.Context, t *gateway.Turn, visit int64) error {
	ch, v, err := s.lockVisit(ctx, t, visit)
	if err != nil {
		return err
	}
	return s.sync(ctx, t, []*change{ch.only(v)})
}
