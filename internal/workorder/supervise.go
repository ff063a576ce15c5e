package workorder

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
)

// Supervision 督办: a demand to one desk, which a named person answers. Its due
// rows have a subject of their own, so that the end of one supervision, or of
// the ticket, leaves the others alone.

const (
	// DueSupervised tells a desk that it owes an answer, and once more before
	// the deadline: subject "supervision:ID", data TellDue.
	DueSupervised = "supervision"
	// DueLapse notes that the deadline passed without an answer: LapseDue.
	DueLapse = "supervision.lapse"
	// SealSupervision seals supervision.words: the desk's signed answer.
	SealSupervision = "supervision.words"
)

// LapseDue is the data of a DueLapse row.
type LapseDue struct {
	Ticket int64         `json:"ticket"`
	Number ticket.Number `json:"number"`
}

// lapseWarning is the share of a supervision's time after which the desk is
// reminded: the last of the nudges before the deadline itself.
func (s *Service) lapseWarning() float64 {
	at := s.Rules.Policy().Nudges.At
	return at[max(len(at)-2, 0)]
}

// Supervise demands an answer of a desk that has a part in the ticket. It draws
// the number of the supervision. ticket.KeySupervised refuses a second one.
func (s *Service) Supervise(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, desk ticket.Desk, reason string) (*Order, error) {
	number, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw the number of a supervision: %w", err)
	}
	return s.Do(ctx, t, id, by, ticket.Supervise{Number: number, Desk: desk, Reason: reason})
}

// AnswerSupervision keeps the words of the member of the staff who signs for the
// desk that was supervised.
func (s *Service) AnswerSupervision(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, number ticket.Number, words string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.AnswerSupervision{Number: number, HasReply: words != ""})
	if err != nil {
		return nil, err
	}
	v, _ := supervision(o, number)
	if err := t.SetSupervisionWords(ctx, v.ID, t.Seal(SealSupervision, words)); err != nil {
		return nil, fmt.Errorf("keep the answer to a supervision: %w", err)
	}
	return o, nil
}

// supervision is the one of the number.
func supervision(o *Order, number ticket.Number) (ticket.Supervision, bool) {
	i := slices.IndexFunc(o.Supervisions, func(v ticket.Supervision) bool { return v.Number == number })
	if i < 0 {
		return ticket.Supervision{}, false
	}
	return o.Supervisions[i], true
}

// Supervised is the open supervision that the member of the staff may answer;
// ok is false where there is none.
func (s *Service) Supervised(staff people.Staff, o *Order, now time.Time) (v ticket.Supervision, ok bool) {
	for _, v := range o.Supervisions {
		if v.Open() && s.serves(staff, people.MayAnswerFor, o, v.Desk, now) {
			return v, true
		}
	}
	return ticket.Supervision{}, false
}

// serves reports whether the member of the staff belongs to a desk of the ticket
// and may give the command there.
func (s *Service) serves(staff people.Staff, c people.StaffCommand, o *Order, d ticket.Desk, now time.Time) bool {
	if d.Kind == ticket.DeskNamed && d.Staff != staff.ID {
		return false
	}
	return s.Rights.May(staff, c, seenFrom(o, d), now)
}

// SupervisionSaid are the values of a text about a supervision. The answer is
// among them once it was given.
func (s *Service) SupervisionSaid(ctx context.Context, t *gateway.Turn, o *Order, number ticket.Number) (map[string]string, error) {
	v, ok := supervision(o, number)
	if !ok {
		return nil, fmt.Errorf("no supervision %s of ticket %d", number, o.ID)
	}
	p := s.when(v.Deadline)
	p["supervision"], p["words"] = v.Number.Spoken(), ""
	var err error
	if p["reason"], err = t.Text("reason.supervise."+v.Reason, nil); err != nil {
		return nil, err
	}
	if p["by"], err = t.Text("supervision.system", nil); err != nil {
		return nil, err
	}
	for name, id := range map[string]int64{"by": v.OpenedBy, "name": v.SignedBy} {
		if id == 0 {
			continue
		}
		who, err := t.GetStaff(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("load who supervises, or answers: %w", err)
		}
		p[name] = who.Name
	}
	if v.Open() {
		return p, nil
	}
	rows, err := t.SupervisionsOf(ctx, []int64{o.ID})
	if err != nil {
		return nil, fmt.Errorf("load the answer to a supervision: %w", err)
	}
	for _, r := range rows {
		if r.ID == v.ID {
			p["words"], err = s.unseal(SealSupervision, r.Words)
		}
	}
	return p, err
}

// supervised does what follows from an event about a supervision.
func (s *Service) supervised(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	v, ok := supervision(o, ticket.Number(e.Data["supervision"]))
	if !ok {
		return fmt.Errorf("no supervision %s of ticket %d", e.Data["supervision"], o.ID)
	}
	if e.Kind == ticket.EventSupervised {
		return s.demand(ctx, t, o, v)
	}
	key := "supervision.lapsed"
	if e.Kind == ticket.EventSupervisionAnswered {
		key = "supervision.answered"
		if _, err := t.ClearDue(ctx, "answered", postgres.Subject("supervision", v.ID), nil); err != nil {
			return fmt.Errorf("clear what was due of a supervision: %w", err)
		}
	}
	to := []int64{v.OpenedBy}
	if v.OpenedBy == 0 {
		var err error
		if to, err = s.supervisors(ctx, t, o); err != nil {
			return err
		}
	}
	return s.tell(ctx, t, o, string(e.Kind)+"/"+string(v.Number), TellDue{Key: key, Supervision: v.Number}, to)
}

// demand tells the desk, reminds it, and ends at the deadline.
func (s *Service) demand(ctx context.Context, t *gateway.Turn, o *Order, v ticket.Supervision) error {
	plan := func(kind, key string, at time.Time, data any) gateway.Plan {
		return gateway.Plan{Kind: kind, Subject: postgres.Subject("supervision", v.ID), Key: key, Version: int32(o.Version), At: at, Data: data}
	}
	plans := []gateway.Plan{plan(DueLapse, "", v.Deadline, LapseDue{Ticket: o.ID, Number: v.Number})}
	tells, err := s.toDesk(ctx, t, o, v.Desk)
	if err != nil {
		return err
	}
	warn := s.Work.Fraction(v.OpenedAt, v.Deadline, s.lapseWarning())
	for _, d := range tells {
		d.Ticket, d.Supervision, d.Button = o.ID, v.Number, ticket.CmdAnswerSupervision
		who := fmt.Sprintf("%d/%d", d.Group, d.Staff)
		d.Key = "supervision.asked"
		plans = append(plans, plan(DueSupervised, "asked/"+who, t.Now, d))
		d.Key = "supervision.nudge"
		plans = append(plans, plan(DueSupervised, "nudge/"+who, warn, d))
	}
	return t.PlanDue(ctx, plans...)
}

// toDesk is how a desk of the ticket is told something: who signed there, its
// work group, or everybody on duty; while nobody signed, its boards too.
func (s *Service) toDesk(ctx context.Context, t *gateway.Turn, o *Order, d ticket.Desk) ([]TellDue, error) {
	i := slices.IndexFunc(o.Assignments, func(a ticket.Assignment) bool {
		return a.EndedAt.IsZero() && a.Role != ticket.RoleInformed && a.Desk.Same(d)
	})
	if i < 0 {
		return nil, nil
	}
	a := o.Assignments[i]
	var tells []TellDue
	if a.SignedBy == 0 {
		homes, boards, err := s.groupsOf(ctx, t, o)
		if err != nil {
			return nil, err
		}
		for _, board := range boards[a.Desk] {
			tells = append(tells, TellDue{Group: board})
		}
		if group := homes[a.Desk]; group != 0 {
			return append(tells, TellDue{Group: group}), nil
		}
	}
	staff, err := s.holders(ctx, t, a)
	if err != nil {
		return nil, err
	}
	for _, id := range staff {
		tells = append(tells, TellDue{Staff: id})
	}
	return tells, nil
}

// owed are the lines of a card about what its desks owe an answer for.
func (s *Service) owed(c *sheet, o *Order) {
	for _, v := range o.Supervisions {
		if v.Open() {
			values := s.when(v.Deadline)
			values["supervision"] = v.Number.Spoken()
			c.add("card.supervised", values)
		}
	}
}

// owing adds the button by which the member of the staff answers a supervision.
func (s *Service) owing(t *gateway.Turn, o *Order, staff people.Staff, options []flows.Option) ([]flows.Option, error) {
	if _, ok := s.Supervised(staff, o, t.Now); !ok {
		return options, nil
	}
	option, err := s.button(t, o, ticket.CmdAnswerSupervision)
	return append(options, option), err
}

// CommandButton is the button by which a text offers a command about a ticket.
func (s *Service) CommandButton(t *gateway.Turn, o *Order, c ticket.CommandName) (flows.Option, error) {
	return s.button(t, o, c)
}
