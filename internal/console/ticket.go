package console

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// ticketPage is one ticket as far as who asks may see it.
type ticketPage struct {
	ID                      int64
	Number, State, Matter   string
	Claim, Urgency          string
	Words, Place            string
	Name, Phone             string
	Reply, Internal         string
	Clocks                  []clock
	Photos, Voices          []string
	MayLook, Looked         bool
	Private, Overdue        bool
	Level                   int
	Request, RequestReason  string
	RequestUntil            time.Time
	Exclusion, Referred     string
	Desks                   []part
	Notes                   []note
	Calls                   []call
	Surveys                 []survey
	Supervisions            []supervision
	Master                  *link
	Children                []link
	Timeline                []moment
	Tasks                   []taskLink
	Forms                   []deedForm
	MayNote                 bool
	Whistle                 string // number of the one that runs over it
	Contacted, Solved, Said string
	Outcome, UnitResult     string
}

// clock is one of the times of a ticket, by the key of its name.
type clock struct {
	Name string
	At   time.Time
	Late bool
}

// taskLink leads to a task about the ticket.
type taskLink struct {
	ID   int64
	Kind string
}

// order loads a ticket with what the staff member may see of it.
func (c *Console) order(ctx context.Context, v *visit, id int64) (*workorder.Order, map[ticket.Field]ticket.Show, error) {
	o, err := c.Orders.Load(ctx, v.Turn, id, false)
	if err != nil {
		return nil, nil, err
	}
	viewer, ok := c.viewer(v, o)
	if !ok {
		return nil, nil, errNotHere
	}
	view := ticket.View(o.Ticket, viewer)
	if view[ticket.FieldNumber] != ticket.Full {
		return nil, nil, errNotHere
	}
	return o, view, nil
}

// viewer is what who asks is to a ticket. A desk still looks at what it had the
// lead of when that is over: it may ask for an exclusion.
func (c *Console) viewer(v *visit, o *workorder.Order) (ticket.Viewer, bool) {
	if viewer, ok := c.Orders.Viewer(v.staff, o, v.Now); ok {
		return viewer, true
	}
	_, had := c.Orders.Excluder(v.Turn, v.staff, o)
	return ticket.ViewDesk, had && o.State == ticket.Closed
}

func (c *Console) showTicket(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	o, view, err := c.order(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	p, err := c.fullPage(ctx, v, o, view)
	return answer{page: "ticket", data: p}, err
}

// fullPage is a ticket with its story and with what can be done about it.
func (c *Console) fullPage(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show) (*ticketPage, error) {
	p, err := c.facts(ctx, v, o, view)
	if err != nil {
		return nil, err
	}
	for _, add := range []func(context.Context, *visit, *workorder.Order, map[ticket.Field]ticket.Show, *ticketPage) error{
		c.addDesks, c.addNotes, c.addAnswers, c.addRelated, c.addTimeline, c.addTasks, c.addWhistle,
	} {
		if err := add(ctx, v, o, view, p); err != nil {
			return nil, err
		}
	}
	p.MayNote = c.Orders.May(v.staff, people.MayNote, o, v.Now)
	p.Forms, err = c.forms(ctx, v, o)
	return p, err
}

// facts is what a ticket says of itself.
func (c *Console) facts(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show) (*ticketPage, error) {
	p := &ticketPage{
		ID: o.ID, Number: o.Number.Spoken(), State: string(o.State), Matter: o.Matter, Urgency: string(o.Urgency), Private: o.Private(),
		MayLook: view[ticket.FieldPhone] == ticket.Audited && c.Orders.May(v.staff, people.MaySeePhone, o, v.Now),
		Level:   o.Level, Exclusion: string(o.Exclusion), Referred: o.ReferredTo, Clocks: clocks(o, v.Now),
		Outcome: string(o.Outcome), UnitResult: string(o.UnitResult),
	}
	for _, k := range c.Orders.Matters.Claims() {
		if k.Code == o.Claim {
			p.Claim = k.Name
		}
	}
	p.Overdue = slices.ContainsFunc(p.Clocks, func(k clock) bool { return k.Late })
	var err error
	if view[ticket.FieldWords] == ticket.Full {
		if p.Words, err = c.Orders.Words(o); err != nil {
			return p, err
		}
	}
	if view[ticket.FieldReply] == ticket.Full {
		if p.Reply, err = c.Orders.Reply(o); err != nil {
			return p, err
		}
	}
	if view[ticket.FieldInternal] == ticket.Full {
		p.Request, p.RequestReason, p.RequestUntil = string(o.Request.Kind), o.Request.Reason, o.Request.Until
		if p.Internal, err = c.Orders.Internal(o); err != nil {
			return p, err
		}
	}
	if view[ticket.FieldFacts] == ticket.Full {
		p.Contacted, p.Solved, p.Said = string(o.Facts.Contacted), string(o.Facts.Solved), string(o.Facts.Satisfied)
	}
	if view[ticket.FieldPlace] == ticket.Full {
		p.Place = o.Place.Label
	}
	if err := c.addReporter(ctx, v, o, view, p); err != nil {
		return p, err
	}
	if view[ticket.FieldPhotos] == ticket.Full {
		return p, p.files(ctx, v, o.ID)
	}
	return p, nil
}

// clocks are the times by which something is to be done, those that ran out
// marked.
func clocks(o *workorder.Order, now time.Time) []clock {
	all := []clock{
		{Name: "received", At: o.ReceivedAt},
		{Name: "dispatch", At: o.DispatchDue, Late: o.DispatchedAt.IsZero()},
		{Name: "sign", At: o.SignDue, Late: o.SignedAt.IsZero()},
		{Name: "contact", At: o.ContactDue, Late: o.ContactedAt.IsZero()},
		{Name: "deadline", At: o.Deadline, Late: o.HandledAt.IsZero() && o.State.OnDesk()},
		{Name: "suspended", At: o.SuspendedUntil},
		{Name: "handled", At: o.HandledAt},
		{Name: "closed", At: o.ClosedAt},
	}
	all = slices.DeleteFunc(all, func(k clock) bool { return k.At.IsZero() })
	for i := range all {
		all[i].Late = all[i].Late && now.After(all[i].At)
	}
	return all
}

// addReporter adds who reported, masked.
func (c *Console) addReporter(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, p *ticketPage) error {
	if view[ticket.FieldName] == ticket.Hidden && view[ticket.FieldPhone] == ticket.Hidden {
		return nil
	}
	name, phone, err := c.Orders.Reporter(ctx, v.Turn, o)
	if err != nil {
		return err
	}
	if view[ticket.FieldName] != ticket.Hidden && name != "" {
		p.Name = privacy.MaskName(name)
	}
	if view[ticket.FieldPhone] != ticket.Hidden && phone != "" {
		p.Phone = privacy.MaskPhone(phone)
	}
	return nil
}

func (p *ticketPage) files(ctx context.Context, v *visit, id int64) error {
	rows, err := v.TicketFiles(ctx, id)
	if err != nil {
		return fmt.Errorf("list the files of a ticket: %w", err)
	}
	for _, f := range rows {
		if f.Use == "voice" {
			p.Voices = append(p.Voices, f.BlobID)
		} else {
			p.Photos = append(p.Photos, f.BlobID)
		}
	}
	return nil
}

// addTasks adds the open tasks about the ticket that are for who asks.
func (c *Console) addTasks(ctx context.Context, v *visit, o *workorder.Order, _ map[ticket.Field]ticket.Show, p *ticketPage) error {
	rows, err := v.TasksOfTicket(ctx, &o.ID)
	if err != nil {
		return fmt.Errorf("list the tasks of a ticket: %w", err)
	}
	for _, row := range rows {
		if c.mayTask(v, row, o, nil) {
			p.Tasks = append(p.Tasks, taskLink{row.ID, row.Kind})
		}
	}
	return nil
}

// lookAtPhone shows the whole number once. Who looked, and why, is kept in the
// trail in the same transaction.
func (c *Console) lookAtPhone(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	o, view, err := c.order(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	if view[ticket.FieldPhone] != ticket.Audited || !c.Orders.May(v.staff, people.MaySeePhone, o, v.Now) {
		return answer{}, errNotHere
	}
	reason := v.form("reason")
	if reason == "" {
		return answer{}, errForm
	}
	if err := v.Record(ctx, "look.phone", workorder.Subject(o.ID), nil, reason); err != nil {
		return answer{}, err
	}
	_, phone, err := c.Orders.Reporter(ctx, v.Turn, o)
	if err != nil {
		return answer{}, err
	}
	if whom := o.Ticket.ReportedFor; whom != "" { // 代报: name and number of who it is for
		phone = strings.TrimSpace(whom + " " + phone)
	}
	if task := v.form("task"); task != "" {
		v.r.SetPathValue("id", task)
		a, err := c.showTask(ctx, v)
		if p, ok := a.data.(*taskPage); ok && p.Ticket != nil {
			p.Ticket.Phone, p.Ticket.Looked = phone, true
		}
		return a, err
	}
	p, err := c.fullPage(ctx, v, o, view)
	if err != nil {
		return answer{}, err
	}
	p.Phone, p.Looked = phone, true
	return answer{page: "ticket", data: p}, nil
}

// addNote keeps a remark that only staff read.
func (c *Console) addNote(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	o, _, err := c.order(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	words := v.form("words")
	switch {
	case !c.Orders.May(v.staff, people.MayNote, o, v.Now):
		return answer{}, errNotHere
	case words == "":
		return answer{}, errForm
	}
	if err := c.Orders.Note(ctx, v.Turn, o.ID, audienceStaff, words); err != nil {
		return answer{}, err
	}
	return answer{to: ticketPath(id)}, v.Record(ctx, "ticket.noted", workorder.Subject(o.ID), nil, words)
}

// file gives a photo or a recording of a ticket that may be seen.
func (c *Console) file(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("ticket")
	if err != nil {
		return answer{}, err
	}
	_, view, err := c.order(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	rows, err := v.TicketFiles(ctx, id)
	if err != nil {
		return answer{}, fmt.Errorf("list the files of a ticket: %w", err)
	}
	blob := v.r.PathValue("blob")
	has := slices.ContainsFunc(rows, func(f db.TicketFilesRow) bool { return f.BlobID == blob })
	if view[ticket.FieldPhotos] != ticket.Full || !has {
		return answer{}, errNotHere
	}
	mime, data, err := c.Gateway.OpenBlob(ctx, v.Queries, blob)
	return answer{mime: mime, file: data}, err
}
