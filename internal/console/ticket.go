package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
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
	ID                             int64
	Number, State, Matter, Urgency string
	Deadline                       time.Time
	Words, Place, Name, Phone      string
	Reply                          string
	Photos, Voices                 []string
	Timeline                       []moment
	MayLook, Looked, Private       bool
}

// moment is one event of the trail.
type moment struct {
	At   time.Time
	Kind string
}

// id reads a number of the path.
func (v *visit) id(name string) (int64, error) {
	n, err := strconv.ParseInt(v.r.PathValue(name), 10, 64)
	if err != nil {
		return 0, errNotHere
	}
	return n, nil
}

// order loads a ticket with what the staff member may see of it.
func (c *Console) order(ctx context.Context, v *visit, id int64) (*workorder.Order, map[ticket.Field]ticket.Show, error) {
	o, err := c.Orders.Load(ctx, v.Turn, id, false)
	if err != nil {
		return nil, nil, err
	}
	viewer, ok := c.Orders.Viewer(v.staff, o, v.Now)
	if !ok {
		return nil, nil, errNotHere
	}
	view := ticket.View(o.Ticket, viewer)
	if view[ticket.FieldNumber] != ticket.Full {
		return nil, nil, errNotHere
	}
	return o, view, nil
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
	p, err := c.ticketPage(ctx, v, o, view)
	return answer{page: "ticket", data: p}, err
}

func (c *Console) ticketPage(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show) (ticketPage, error) {
	p := ticketPage{
		ID: o.ID, Number: o.Number.Spoken(), State: string(o.State), Matter: o.Matter, Urgency: string(o.Urgency),
		Deadline: o.Deadline, Private: o.Private(),
		MayLook: view[ticket.FieldPhone] == ticket.Audited && c.Orders.May(v.staff, people.MaySeePhone, o, v.Now),
	}
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
	if view[ticket.FieldPlace] == ticket.Full {
		p.Place = o.Place.Label
	}
	if view[ticket.FieldName] != ticket.Hidden || view[ticket.FieldPhone] != ticket.Hidden {
		name, phone, err := c.person(ctx, v, o.ReporterID)
		if err != nil {
			return p, err
		}
		if view[ticket.FieldName] != ticket.Hidden {
			p.Name = privacy.MaskName(name)
		}
		if view[ticket.FieldPhone] != ticket.Hidden {
			p.Phone = privacy.MaskPhone(phone)
		}
	}
	if view[ticket.FieldPhotos] == ticket.Full {
		if err := p.files(ctx, v, o.ID); err != nil {
			return p, err
		}
	}
	trail, err := v.TrailOf(ctx, workorder.Subject(o.ID))
	if err != nil {
		return p, fmt.Errorf("read the trail of a ticket: %w", err)
	}
	for _, e := range trail {
		p.Timeline = append(p.Timeline, moment{At: e.At, Kind: strings.ReplaceAll(e.Kind, ".", "_")})
	}
	return p, nil
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

// person opens the name and the telephone number of a person.
func (c *Console) person(ctx context.Context, v *visit, id int64) (name, phone string, err error) {
	row, err := v.GetPerson(ctx, id)
	if err != nil {
		return "", "", fmt.Errorf("load a person: %w", err)
	}
	if name, err = v.Open(workorder.SealName, row.Name); err != nil {
		return "", "", err
	}
	phone, err = v.Open(workorder.SealPhone, row.Phone)
	return name, phone, err
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
	reason := strings.TrimSpace(v.r.PostFormValue("reason"))
	if reason == "" {
		return answer{}, errForm
	}
	if err := v.Record(ctx, "look.phone", workorder.Subject(o.ID), nil, reason); err != nil {
		return answer{}, err
	}
	p, err := c.ticketPage(ctx, v, o, view)
	if err != nil {
		return answer{}, err
	}
	_, p.Phone, err = c.person(ctx, v, o.ReporterID)
	p.Looked = true
	return answer{page: "ticket", data: p}, err
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
