package homecare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// change is a bed whose row is locked, with the visits that planning needs.
type change struct {
	bed    *Bed
	visits map[int64]*care.Visit
}

// Draft is what stays sealed in the row of a bed, kept along with a command; what
// is empty stays as it is.
type Draft struct {
	Diagnosis, Closing, Home, Number string
}

// DoBed runs a command on a bed, plans its visits anew and clears what it ended. A
// refusal comes back as *care.Refused and nothing is written.
func (s *Service) DoBed(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, c care.BedCommand) (*Bed, error) {
	return s.DoBedWith(ctx, t, id, by, c, Draft{})
}

// DoBedWith is DoBed where words are kept along with the command.
func (s *Service) DoBedWith(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, c care.BedCommand, d Draft) (*Bed, error) {
	all, err := s.lock(ctx, t, []int64{id})
	if err != nil {
		return nil, err
	}
	ch := all[0]
	if c, err = s.counted(ctx, t, c, ch); err != nil {
		return nil, err
	}
	next, events, err := s.Rules.Bed(ch.bed.Bed, by, c, t.Now)
	if err != nil {
		return ch.bed, err
	}
	ch.bed.Bed = next
	s.keep(t, ch.bed, d)
	switch c.(type) {
	case care.Household:
		if err = t.SaveCarers(ctx, ch.bed); err == nil {
			err = s.vouch(ctx, t, ch.bed)
		}
	case care.Texts:
		err = t.SaveCarers(ctx, ch.bed)
	case care.Sign, care.WithdrawConsent:
		err = s.keepAgreement(ctx, t, ch.bed)
	}
	if err != nil {
		return nil, err
	}
	return ch.bed, s.settleBed(ctx, t, ch, events)
}

// keep seals the words that came with a command.
func (s *Service) keep(t *gateway.Turn, b *Bed, d Draft) {
	for _, w := range []struct {
		words, what string
		into        *[]byte
	}{{d.Diagnosis, SealDiagnosis, &b.Diagnosis}, {d.Closing, SealClosing, &b.Closing}, {d.Home, SealHome, &b.Home}} {
		if w.words != "" {
			*w.into = t.Seal(w.what, w.words)
		}
	}
	if d.Number != "" {
		b.Number = d.Number
	}
}

// counted fills in what the rows know better than who closes the bed.
func (s *Service) counted(ctx context.Context, t *gateway.Turn, c care.BedCommand, ch *change) (care.BedCommand, error) {
	closing, ok := c.(care.Close)
	if !ok {
		return c, nil
	}
	unwritten, err := t.UnwrittenVisits(ctx, ch.bed.ID)
	if err != nil {
		return nil, fmt.Errorf("count visits without a record: %w", err)
	}
	closing.UnderWay, closing.Unwritten = 0, int(unwritten)
	for _, v := range ch.visits {
		if v.State.UnderWay() {
			closing.UnderWay++
		}
	}
	return closing, nil
}

func (s *Service) keepAgreement(ctx context.Context, t *gateway.Turn, b *Bed) error {
	body, err := json.Marshal(b.Agreement)
	if err != nil {
		return fmt.Errorf("pack an agreement: %w", err)
	}
	if err := t.AddAgreement(ctx, b.ID, body); err != nil {
		return fmt.Errorf("keep an agreement: %w", err)
	}
	return nil
}

// lock takes beds in the order of their ids and reads what planning needs.
func (s *Service) lock(ctx context.Context, t *gateway.Turn, ids []int64) ([]*change, error) {
	beds, err := t.LoadBeds(ctx, ids, true)
	if err != nil {
		return nil, err
	}
	if len(beds) == 0 {
		return nil, fmt.Errorf("lock beds %v: %w", ids, postgres.ErrNoRows)
	}
	return s.withVisits(ctx, t, beds)
}

func (s *Service) withVisits(ctx context.Context, t *gateway.Turn, beds []*Bed) ([]*change, error) {
	var items []int64
	var seqs []int32
	changes := make([]*change, len(beds))
	index := map[int64]*change{}
	ids := make([]int64, len(beds))
	for i, b := range beds {
		changes[i] = &change{bed: b, visits: map[int64]*care.Visit{}}
		index[b.ID], ids[i] = changes[i], b.ID
		for _, it := range b.Items {
			items, seqs = append(items, it.ID), append(seqs, int32(it.Seq))
		}
	}
	rows, err := t.VisitsToPlan(ctx, items, seqs, ids)
	if err != nil {
		return nil, fmt.Errorf("read the visits of beds: %w", err)
	}
	for _, v := range postgres.VisitsOf(rows) {
		index[v.BedID].visits[v.ID] = &v
	}
	return changes, nil
}

// list are the visits in the order of their ids.
func (ch *change) list() []care.Visit {
	out := make([]care.Visit, 0, len(ch.visits))
	for _, v := range ch.visits {
		out = append(out, *v)
	}
	slices.SortFunc(out, func(a, b care.Visit) int { return int(a.ID - b.ID) })
	return out
}

// settleBed writes what a command changed and what follows from it.
func (s *Service) settleBed(ctx context.Context, t *gateway.Turn, ch *change, events []care.Event) error {
	if err := s.record(ctx, t, "bed", BedSubject(ch.bed.ID), events); err != nil {
		return err
	}
	load, err := s.load(ctx, t, []*change{ch})
	if err != nil {
		return err
	}
	plan := s.plan(ch, load, t)
	plan.bedMoved = true
	if err := s.write(ctx, t, []*planned{plan}); err != nil {
		return err
	}
	if err := s.ends(ctx, t, ch, events); err != nil {
		return err
	}
	return s.sync(ctx, t, []*change{ch})
}
