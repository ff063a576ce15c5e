package console

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// What happened to a ticket, in the words of the desk page.

// part is one desk's part in a ticket.
type part struct {
	Role, Name, State string
	Deadline          time.Time
	Late              bool
	Signed            string
	Reply             string
	Objection, Reason string
	Basis             string
}

// note is a remark of the staff.
type note struct {
	Who, Words string
	At         time.Time
	Told       bool // the reporter was told
}

// call is one try of asking the reporter.
type call struct {
	At                           time.Time
	Via, Ended, Who              string
	Contacted, Solved, Satisfied string
	Words                        string
}

// survey is a question asked by the system, with its answer.
type survey struct {
	Kind, Answer string
	Sent         time.Time
}

// supervision is a demand to a desk to answer.
type supervision struct {
	Number, Desk, Reason string
	Deadline, AnsweredAt time.Time
	Late                 bool
	Signed, Words        string
}

// link leads to another ticket.
type link struct {
	ID     int64
	Number string
	State  string
}

// moment is one event of the trail.
type moment struct {
	At   time.Time
	Kind string
	Who  string
	// Reason is the key of why, Desk the name of where it went.
	Reason, Desk string
}

// addDesks adds who has and who had a part in the ticket.
func (c *Console) addDesks(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, p *ticketPage) error {
	if view[ticket.FieldDesks] != ticket.Full {
		return nil
	}
	words, err := c.Orders.DeskWords(ctx, v.Turn, o)
	if err != nil {
		return err
	}
	for _, a := range o.Assignments {
		d := part{
			Role: string(a.Role), State: string(a.State), Deadline: a.Deadline, Objection: string(a.Objection), Reason: a.ObjectionReason,
			Late: a.EndedAt.IsZero() && a.FinishedAt.IsZero() && !a.Deadline.IsZero() && v.Now.After(a.Deadline),
		}
		if d.Name, err = c.deskName(ctx, v, a.Desk); err != nil {
			return err
		}
		if a.SignedBy != 0 {
			staff, err := v.GetStaff(ctx, a.SignedBy)
			if err != nil {
				return fmt.Errorf("load who signed: %w", err)
			}
			d.Signed = staff.Name
		}
		if view[ticket.FieldInternal] == ticket.Full {
			d.Reply, d.Basis = words.Replies[a.ID], words.Bases[a.ID]
		}
		p.Desks = append(p.Desks, d)
	}
	for _, s := range o.Supervisions {
		one := supervision{
			Number: s.Number.Spoken(), Reason: s.Reason, Deadline: s.Deadline, AnsweredAt: s.AnsweredAt, Words: words.Supervisions[s.ID],
			Late: s.Open() && v.Now.After(s.Deadline),
		}
		if one.Desk, err = c.deskName(ctx, v, s.Desk); err != nil {
			return err
		}
		if s.SignedBy != 0 {
			staff, err := v.GetStaff(ctx, s.SignedBy)
			if err != nil {
				return fmt.Errorf("load who answered a supervision: %w", err)
			}
			one.Signed = staff.Name
		}
		p.Supervisions = append(p.Supervisions, one)
	}
	return nil
}

// addNotes adds the remarks of the staff.
func (c *Console) addNotes(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, p *ticketPage) error {
	if view[ticket.FieldInternal] != ticket.Full {
		return nil
	}
	rows, err := v.TicketNotes(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("list the notes of a ticket: %w", err)
	}
	authors := make([]string, len(rows))
	for i, r := range rows {
		authors[i] = r.Author
	}
	names, err := c.actorNames(ctx, v, authors)
	if err != nil {
		return err
	}
	for _, r := range rows {
		words, err := c.Orders.NoteWords(r.Body)
		if err != nil {
			return err
		}
		p.Notes = append(p.Notes, note{Who: names(r.Author), Words: words, At: r.At, Told: r.Audience == audienceAll})
	}
	return nil
}

// addAnswers adds how often the reporter was asked, and what they said.
func (c *Console) addAnswers(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, p *ticketPage) error {
	if view[ticket.FieldFacts] != ticket.Full {
		return nil
	}
	calls, err := c.calls(ctx, v, o)
	if err != nil {
		return err
	}
	p.Calls = calls
	surveys, err := v.SurveysOf(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("list the surveys about a ticket: %w", err)
	}
	for _, s := range surveys {
		p.Surveys = append(p.Surveys, survey{Kind: s.Kind, Answer: s.Answer, Sent: s.SentAt})
	}
	return nil
}

// calls are the tries of asking the reporter.
func (c *Console) calls(ctx context.Context, v *visit, o *workorder.Order) ([]call, error) {
	rows, err := v.Callbacks(ctx, o.ID)
	if err != nil {
		return nil, fmt.Errorf("list the callbacks of a ticket: %w", err)
	}
	var list []call
	for _, r := range rows {
		one := call{At: r.At, Via: r.Via, Ended: r.Ended, Contacted: r.Contacted, Solved: r.Solved, Satisfied: r.Satisfied}
		if one.Words, err = v.Open(workorder.SealCallback, r.Words); err != nil {
			return nil, err
		}
		if r.ByStaff != nil {
			staff, err := v.GetStaff(ctx, *r.ByStaff)
			if err != nil {
				return nil, fmt.Errorf("load who rang: %w", err)
			}
			one.Who = staff.Name
		}
		list = append(list, one)
	}
	return list, nil
}

// addRelated adds the master of a merged ticket, or those that were merged into
// this one, as far as who asks may see them.
func (c *Console) addRelated(ctx context.Context, v *visit, o *workorder.Order, _ map[ticket.Field]ticket.Show, p *ticketPage) error {
	ids, err := v.TicketsMergedInto(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("list what was merged into a ticket: %w", err)
	}
	if o.MasterID != 0 {
		ids = append(ids, o.MasterID)
	}
	if len(ids) == 0 {
		return nil
	}
	orders, err := c.Orders.LoadAll(ctx, v.Turn, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		var l line
		if !c.describe(v, &l, orders[id]) {
			continue
		}
		k := link{id, l.Number, l.State}
		if id == o.MasterID {
			p.Master = &k
		} else {
			p.Children = append(p.Children, k)
		}
	}
	return nil
}

// addTimeline adds the trail in words.
func (c *Console) addTimeline(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, p *ticketPage) error {
	trail, err := v.TrailOf(ctx, workorder.Subject(o.ID))
	if err != nil {
		return fmt.Errorf("read the trail of a ticket: %w", err)
	}
	actors := make([]string, len(trail))
	for i, e := range trail {
		actors[i] = e.Actor
	}
	names, err := c.actorNames(ctx, v, actors)
	if err != nil {
		return err
	}
	for _, e := range trail {
		m := moment{At: e.At, Kind: strings.ReplaceAll(e.Kind, ".", "_")}
		var data map[string]any
		if err := json.Unmarshal(e.Data, &data); err != nil {
			return fmt.Errorf("read an event of the trail: %w", err)
		}
		said := func(name string) string { s, _ := data[name].(string); return s }
		if view[ticket.FieldDesks] == ticket.Full {
			m.Who = names(e.Actor)
			if m.Desk, err = c.deskOf(ctx, v, said); err != nil {
				return err
			}
		}
		if view[ticket.FieldInternal] == ticket.Full {
			m.Reason = c.reasonText(e.Kind, said("reason"))
		}
		p.Timeline = append(p.Timeline, m)
	}
	return nil
}

// deskOf names the desk that an event speaks of.
func (c *Console) deskOf(ctx context.Context, v *visit, said func(string) string) (string, error) {
	if said("desk") == "" {
		return "", nil
	}
	d := ticket.Desk{Kind: ticket.DeskKind(said("desk_kind")), Code: said("desk")}
	if d.Kind == ticket.DeskNamed {
		staff, err := strconv.ParseInt(said("desk_staff"), 10, 64)
		if err == nil {
			d.Staff = staff
		}
	}
	return c.deskName(ctx, v, d)
}

// reasonText is the reason of an event in words; its list follows from the
// event.
func (c *Console) reasonText(kind, reason string) string {
	if reason == "" {
		return ""
	}
	list := map[string]string{
		"ticket.transferred": "transfer", "ticket.returned": "return", "ticket.rejected": "reject",
		"ticket.objected": "object", "ticket.objection_granted": "object", "ticket.objection_refused": "object",
		"ticket.extension_asked": "extend", "ticket.extension_granted": "extend", "ticket.extension_refused": "extend",
		"ticket.suspension_asked": "suspend", "ticket.suspended": "suspend", "ticket.suspension_refused": "suspend",
		"ticket.supervised": "supervise", "ticket.escalated": "escalate",
		"ticket.exclusion_asked": "exclude", "ticket.exclusion_granted": "exclude", "ticket.exclusion_refused": "exclude",
	}
	if list[kind] == "" {
		return ""
	}
	key := "reason." + list[kind] + "." + reason
	if say := c.text(key); say != key {
		return say
	}
	return ""
}

// actorNames names who did something: staff by their names, all others by what
// they are.
func (c *Console) actorNames(ctx context.Context, v *visit, actors []string) (func(string) string, error) {
	ids := []int64{}
	for _, a := range actors {
		if id, ok := staffOf(a); ok {
			ids = append(ids, id)
		}
	}
	rows, err := v.StaffNames(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load the names of the staff: %w", err)
	}
	names := map[int64]string{}
	for _, r := range rows {
		names[r.ID] = r.Name
	}
	return func(actor string) string {
		if id, ok := staffOf(actor); ok {
			return names[id]
		}
		kind, _, _ := strings.Cut(actor, ":")
		return c.text("console.actor." + kind)
	}, nil
}

func staffOf(actor string) (int64, bool) {
	rest, ok := strings.CutPrefix(actor, "staff:")
	id, err := strconv.ParseInt(rest, 10, 64)
	return id, ok && err == nil
}
