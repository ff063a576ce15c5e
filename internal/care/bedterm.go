package care

import (
	"slices"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// The commands of opening, renewing and closing.

func (c Open) apply(s *step[Bed]) error {
	b, today := s.t, s.today()
	if err := presence(b.Patient); err != nil {
		return err
	}
	switch p := s.policy.Consent; {
	case !b.Agreement.Stands() || b.Agreement.Notice < p.Notice || b.Agreement.Terms < p.Terms:
		return refuse(KeyConsent)
	case !c.HasDiagnosis:
		return refuse(KeyDiagnosis)
	case c.Doctor == 0 || c.Nurse == 0:
		return refuse(KeyNoDoctor)
	case len(b.Carers) == 0 && b.Patient.Address == 0:
		return refuse(KeyNoContact)
	}
	period := Period{From: today, To: c.To}
	if period.To == (scheduler.Date{}) {
		period.To = today.AddDays(s.policy.Period.Days - 1)
	}
	if err := s.checkPeriod(period); err != nil {
		return err
	}
	b.Doctor, b.Nurse, b.Periods, b.OpenedAt = c.Doctor, c.Nurse, []Period{period}, s.now
	s.enterBed(b, BedOpen, "")
	first := s.firstVisit(b.JustDischarged)
	item := Item{
		ID: c.FirstVisitID, Kind: s.policy.FirstVisit.Kind, Staff: c.Doctor,
		From: today, Next: today.AddDays(1), Early: 1, Late: first - 1,
	}
	s.fill(&item)
	b.Items = append(b.Items, item)
	s.event(EventOpened, "to", period.To.String())
	return nil
}

// firstVisit is by how many days the first visit comes at the latest.
func (r *Rules) firstVisit(discharged bool) int {
	if discharged {
		return r.policy.FirstVisit.Discharged
	}
	return r.policy.FirstVisit.Other
}

// checkPeriod holds what HIS refuses: a term beyond the fixed number of days
// (JCEDTS).
func (r *Rules) checkPeriod(p Period) error {
	if days := daysBetween(p.From, p.To) + 1; days < 1 || days > r.policy.Period.Most {
		return refuse(KeyPeriod, "most", strconv.Itoa(r.policy.Period.Most))
	}
	return nil
}

func (c Renew) apply(s *step[Bed]) error {
	b := s.t
	last := b.Period()
	if last == (Period{}) {
		return refuse(KeyPeriod)
	}
	next := Period{From: last.To.AddDays(1), To: c.To}
	if next.To == (scheduler.Date{}) {
		next.To = next.From.AddDays(s.policy.Period.Days - 1)
	}
	if next.To.Compare(s.today()) < 0 {
		return refuse(KeyPeriod, "most", strconv.Itoa(s.policy.Period.Most))
	}
	if err := s.checkPeriod(next); err != nil {
		return err
	}
	b.Periods = append(b.Periods, next)
	s.event(EventRenewed, "to", next.To.String())
	return nil
}

func (c Close) apply(s *step[Bed]) error {
	switch {
	case c.UnderWay > 0:
		return refuse(KeyOrdersOpen, "count", strconv.Itoa(c.UnderWay))
	case c.Unwritten > 0:
		return refuse(KeyNotesOpen, "count", strconv.Itoa(c.Unwritten))
	case c.Returns > 0:
		return refuse(KeyReturns, "count", strconv.Itoa(c.Returns))
	case s.t.State != BedPending && !c.HasDiagnosis:
		return refuse(KeyDiagnosis)
	case !slices.Contains(s.policy.Beds.Outcomes, c.Outcome) || c.Outcome == s.policy.Beds.Died:
		return refuse(KeyOutcome)
	}
	s.t.Outcome = c.Outcome
	s.enterBed(s.t, BedClosed, "")
	s.event(EventClosed, "outcome", c.Outcome)
	return nil
}

func (Death) apply(s *step[Bed]) error {
	s.t.Patient.Where = Dead
	s.t.Outcome = s.policy.Beds.Died
	s.enterBed(s.t, BedClosed, "")
	s.event(EventDied)
	return nil
}

func (c Order) apply(s *step[Bed]) error {
	b, item := s.t, c.Item
	if item.ID == 0 || item.Staff == 0 {
		return refuse(KeyItem, "what", "staff")
	}
	s.fill(&item)
	if err := s.checkItem(item); err != nil {
		return err
	}
	if i := b.item(item.ID); i >= 0 {
		item.continues(b.Items[i], s.today())
		b.Items[i] = item
	} else {
		item.start(s.today())
		b.Items = append(b.Items, item)
	}
	s.event(EventOrdered, "item", strconv.FormatInt(item.ID, 10), "kind", item.Kind)
	return nil
}

func (c EndOrder) apply(s *step[Bed]) error {
	i := s.t.item(c.ItemID)
	if i < 0 || !s.t.Items[i].EndedAt.IsZero() {
		return refuse(KeyItem, "what", "id")
	}
	s.t.Items[i].EndedAt = s.now
	s.event(EventOrderEnded, "item", strconv.FormatInt(c.ItemID, 10))
	return nil
}

// Renewal reports how many days of the running period are left, and whether
// there is a question to ask at all: only an open or suspended bed has one.
func (b Bed) Renewal(today scheduler.Date) (left int, asks bool) {
	if b.State != BedOpen && b.State != BedSuspended {
		return 0, false
	}
	return b.Period().Left(today), true
}

func (s *step[T]) today() scheduler.Date { return s.day(s.now) }

// day returns the local date of an instant.
func (r *Rules) day(t time.Time) scheduler.Date { return scheduler.DateOf(t.In(r.work.Location())) }

// daysBetween counts the days from a to b; negative when b is before a.
func daysBetween(a, b scheduler.Date) int {
	at := func(d scheduler.Date) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC) }
	return int(at(b).Sub(at(a)) / (24 * time.Hour))
}
