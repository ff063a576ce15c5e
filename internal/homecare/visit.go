package homecare

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// DoVisit runs a command on a visit and what follows: its slot is settled, its bed
// planned again, and what is due around both is made what the ladders say. A
// refusal comes back as *care.Refused and nothing is written.
func (s *Service) DoVisit(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, c care.VisitCommand) (*Bed, care.Visit, error) {
	ch, v, err := s.lockVisit(ctx, t, id)
	if err != nil {
		return nil, care.Visit{}, err
	}
	return s.moveVisit(ctx, t, ch, v, by, c)
}

// lockVisit takes the bed of a visit. The visit is read again under the lock.
func (s *Service) lockVisit(ctx context.Context, t *gateway.Turn, id int64) (*change, *care.Visit, error) {
	bed, own, err := t.VisitAt(ctx, id, true)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.withVisits(ctx, t, []*Bed{bed})
	if err != nil {
		return nil, nil, err
	}
	ch := all[0]
	if ch.visits[id] == nil {
		ch.visits[id] = &own // settled before
	}
	return ch, ch.visits[id], nil
}

func (s *Service) moveVisit(ctx context.Context, t *gateway.Turn, ch *change, v *care.Visit, by care.Actor, c care.VisitCommand) (*Bed, care.Visit, error) {
	next, events, err := s.Rules.Visit(ch.bed.Bed, *v, by, c, t.Now)
	if err != nil {
		return ch.bed, *v, err
	}
	return s.movedVisit(ctx, t, ch, v, next, events)
}

// movedVisit writes what became of a visit and what follows from it.
func (s *Service) movedVisit(ctx context.Context, t *gateway.Turn, ch *change, v *care.Visit, next care.Visit, events []care.Event) (*Bed, care.Visit, error) {
	if err := t.UpdateVisits(ctx, []*care.Visit{&next}); err != nil {
		return nil, next, err
	}
	if err := s.record(ctx, t, "visit", VisitSubject(v.ID), events); err != nil {
		return nil, next, err
	}
	if slices.ContainsFunc(events, func(e care.Event) bool { return e.Kind == care.EventDone }) {
		if err := s.vouch(ctx, t, ch.bed); err != nil {
			return nil, next, err
		}
	}
	if next.Staff != v.Staff {
		if err := t.HandVisit(ctx, v.ID, v.Staff); err != nil {
			return nil, next, fmt.Errorf("note that a visit was another's: %w", err)
		}
	}
	moved := next.Version != v.Version || !next.State.Open()
	*v = next
	ch.visits[v.ID] = v
	if !moved && next.State != care.VisitToMakeUp {
		return ch.bed, next, s.sync(ctx, t, []*change{ch.only(v)})
	}
	if err := s.replanAfter(ctx, t, ch, v); err != nil {
		return nil, next, err
	}
	return ch.bed, *ch.visits[v.ID], nil
}

// vouch notes that the numbers of a household are theirs still: somebody of the clinic
// was with them, or entered who they are. Without it a family that never has to write
// would count as silent, and its reminders would end (rights.yaml: silent).
func (s *Service) vouch(ctx context.Context, t *gateway.Turn, b *Bed) error {
	addresses, persons := []int64{b.Patient.Address}, []int64{b.Patient.Person}
	for _, c := range b.Carers {
		addresses, persons = append(addresses, c.Address), append(persons, c.Person)
	}
	if err := t.VouchAddresses(ctx, t.Now.Add(-s.Orders.Rights.Trust.Silent), addresses, persons); err != nil {
		return fmt.Errorf("note that the numbers of a household are theirs: %w", err)
	}
	return nil
}

// replanAfter settles what the end of a visit means for the slots that follow.
func (s *Service) replanAfter(ctx context.Context, t *gateway.Turn, ch *change, v *care.Visit) error {
	settled, events := s.Rules.Settle(ch.bed.Bed, *v)
	ch.bed.Bed = settled
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
	if !v.State.Waiting() {
		if err := t.ClosePromptsAbout(ctx, "over:"+string(v.State), []string{VisitSubject(v.ID)}); err != nil {
			return fmt.Errorf("close what waits for an answer: %w", err)
		}
	}
	return s.sync(ctx, t, []*change{ch})
}

// only is the same bed with one of its visits: what a command leaves alone need
// not be looked at again.
func (ch *change) only(v *care.Visit) *change {
	return &change{bed: ch.bed, visits: map[int64]*care.Visit{v.ID: v}}
}

// Offers are the free windows that a visit may be moved to, at most as many as
// the policy offers. None means that the desk rings.
func (s *Service) Offers(ctx context.Context, t *gateway.Turn, id int64) ([]care.Offer, error) {
	b, v, visits, load, err := s.around(ctx, t, id)
	if err != nil {
		return nil, err
	}
	return s.Rules.FreeWindows(b.Bed, v, visits, load, t.Now), nil
}

func (s *Service) around(ctx context.Context, t *gateway.Turn, id int64) (*Bed, care.Visit, []care.Visit, *care.Load, error) {
	ch, v, err := s.lockVisit(ctx, t, id)
	if err != nil {
		return nil, care.Visit{}, nil, nil, err
	}
	load, err := s.loadOf(ctx, t, []int64{v.Staff})
	return ch.bed, *v, ch.list(), load, err
}

// MoveTo moves a visit to one of the windows that were offered, if it is still
// free. agreed says that the desk spoke with the family.
func (s *Service) MoveTo(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, to care.Offer, agreed bool) (*Bed, care.Visit, error) {
	ch, v, err := s.lockVisit(ctx, t, id)
	if err != nil {
		return nil, care.Visit{}, err
	}
	load, err := s.loadOf(ctx, t, []int64{v.Staff})
	if err != nil {
		return nil, care.Visit{}, err
	}
	free := s.Rules.Free(ch.bed.Bed, *v, ch.list(), to, load, t.Now)
	return s.moveVisit(ctx, t, ch, v, by, care.Move{Date: to.Date, Window: to.Window, Free: free, Agreed: agreed})
}

// Absence is a visitor's time away, and who takes over.
type Absence struct {
	care.Absence
	Reason string
	// By is who entered it.
	By int64
	// Instead makes the visits meanwhile; 0 leaves them to the planner: what was
	// told stays and is shown to the desk.
	Instead int64
}

// Away enters an absence. The visits of those days are given to Instead first, each
// family hearing of it once, and then the beds are planned anew. It returns the
// visits that were given away, of which the colleague hears at once, and those that
// nobody can make: a visit under way, or one whose bed refuses.
func (s *Service) Away(ctx context.Context, t *gateway.Turn, a Absence) (given, left []care.Visit, err error) {
	rows, err := t.VisitsOfStaff(ctx, []int64{a.Staff}, postgres.DayOf(a.From), postgres.DayOf(a.To))
	if err != nil {
		return nil, nil, fmt.Errorf("read the visits of who is away: %w", err)
	}
	visits := slices.DeleteFunc(postgres.VisitsOf(rows), func(v care.Visit) bool { return !v.State.Open() })
	var beds []int64
	for _, v := range visits {
		beds = append(beds, v.BedID)
	}
	slices.Sort(beds)
	beds = slices.Compact(beds)
	if len(beds) > 0 {
		if _, err := s.lock(ctx, t, beds); err != nil {
			return nil, nil, err
		}
	}
	for _, v := range visits {
		if a.Instead == 0 {
			left = append(left, v)
			continue
		}
		_, next, err := s.DoVisit(ctx, t, v.ID, care.Actor{As: care.AsDesk, Staff: a.By}, care.Reassign{Staff: a.Instead})
		switch {
		case refused(err):
			left = append(left, v)
		case err != nil:
			return nil, nil, err
		default:
			given = append(given, next)
		}
	}
	if _, err := t.AddAbsence(ctx, absenceRow(a)); err != nil {
		return nil, nil, fmt.Errorf("enter an absence: %w", err)
	}
	if err := s.handed(ctx, t, a.By, a.Instead, ListGiven, given); err != nil {
		return nil, nil, err
	}
	if err := s.handed(ctx, t, a.By, a.Staff, ListTaken, given); err != nil {
		return nil, nil, err
	}
	return given, left, s.Replan(ctx, t, beds)
}

// Note writes the record of a visit that was done.
func (s *Service) Note(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, words string) (*Bed, care.Visit, error) {
	b, v, err := s.DoVisit(ctx, t, id, by, care.Note{})
	if err != nil {
		return b, v, err
	}
	return b, v, s.keepNote(ctx, t, id, by, words)
}

func (s *Service) keepNote(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, words string) error {
	if err := t.AddVisitNote(ctx, id, by.Staff, t.Seal(SealNote, words)); err != nil {
		return fmt.Errorf("keep the record of a visit: %w", err)
	}
	return nil
}

// Finish ends a visit, with its record where there is one.
func (s *Service) Finish(ctx context.Context, t *gateway.Turn, id int64, by care.Actor, c care.Finish, words string) (*Bed, care.Visit, error) {
	c.Noted = words != ""
	b, v, err := s.DoVisit(ctx, t, id, by, c)
	if err != nil || words == "" {
		return b, v, err
	}
	return b, v, s.keepNote(ctx, t, id, by, words)
}
