package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Persons who are one: a dispatcher, a callback clerk, or who keeps the data, looks two up by
// telephone number or ticket, sees both masked side by side, and makes them one or
// parts them again, with a reason. Every look and every change is in the trail.

// maxFaceTickets bounds the tickets that a person is shown with.
const maxFaceTickets = 10

// face is a person as the page shows them. Names and numbers are masked; tickets are
// those that the reader may see with their reporter.
type face struct {
	ID          int64
	Name, Phone string
	Addresses   []faceAddress
	Tickets     []faceTicket
	// Merged are who was made one with this person.
	Merged []mergedFace
}

type faceAddress struct {
	Channel, Trust, State string
	Last                  time.Time
}

type faceTicket struct {
	ID     int64
	Number string
	Matter string
}

type mergedFace struct {
	ID              int64
	Name, Phone, By string
	Reason          string
	At              time.Time
}

// peoplePage is what a search found, one list for each of its two fields.
type peoplePage struct {
	Looked     bool
	One, Other []face
}

// mayMerge asks the right in any area of the reader: a person lies in none.
func (c *Console) mayMerge(v *visit) bool {
	return c.Orders.Rights.Anywhere(v.staff, people.MayMergePersons, v.Now)
}

// people shows the search.
func (c *Console) people(_ context.Context, v *visit) (answer, error) {
	if !c.mayMerge(v) {
		return answer{}, errNotHere
	}
	return answer{page: "people", data: &peoplePage{}}, nil
}

// findPeople looks for who has a number or filed a ticket. Its reason goes into the
// trail with whom it showed.
func (c *Console) findPeople(ctx context.Context, v *visit) (answer, error) {
	if !c.mayMerge(v) {
		return answer{}, errNotHere
	}
	if v.form("reason") == "" || v.form("one") == "" {
		return answer{}, errForm
	}
	p := &peoplePage{Looked: true}
	var err error
	if p.One, err = c.facesBy(ctx, v, v.form("one"), v.form("reason")); err != nil {
		return answer{}, err
	}
	if other := v.form("other"); other != "" {
		if p.Other, err = c.facesBy(ctx, v, other, v.form("reason")); err != nil {
			return answer{}, err
		}
	}
	return answer{page: "people", data: p}, nil
}

// facesBy finds persons by the number of a ticket or of a telephone.
func (c *Console) facesBy(ctx context.Context, v *visit, said, reason string) ([]face, error) {
	ids, err := c.rootsBy(ctx, v, said)
	if err != nil {
		return nil, err
	}
	var list []face
	for _, id := range ids {
		f, err := c.face(ctx, v, id, reason)
		if err != nil {
			return nil, err
		}
		list = append(list, *f)
	}
	return list, nil
}

func (c *Console) rootsBy(ctx context.Context, v *visit, said string) ([]int64, error) {
	if n, err := ticket.ParseNumber(said); err == nil {
		id, err := v.TicketIDByNumber(ctx, string(n))
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("look a number up: %w", err)
		}
		o, err := c.Orders.Load(ctx, v.Turn, id, false)
		if err != nil || !c.showsReporter(v, o) {
			return nil, err
		}
		root, err := v.RootPerson(ctx, o.ReporterID)
		return []int64{root}, err
	}
	number := people.E164(said)
	if number == "" {
		return nil, nil
	}
	var ids []int64
	for _, index := range c.Orders.Keys.Indexes(gateway.IndexPhone, number) {
		found, err := v.PersonsByPhone(ctx, index)
		if err != nil {
			return nil, fmt.Errorf("find a person by number: %w", err)
		}
		ids = append(ids, found...)
	}
	return ids, nil
}

// showsReporter reports whether the reader may know who reported a ticket: of an
// anonymous one nobody may, by this way neither.
func (c *Console) showsReporter(v *visit, o *workorder.Order) bool {
	viewer, ok := c.viewer(v, o)
	if !ok {
		return false
	}
	view := ticket.View(o.Ticket, viewer)
	return view[ticket.FieldNumber] == ticket.Full && view[ticket.FieldName] != ticket.Hidden && view[ticket.FieldPhone] != ticket.Hidden
}

// face shows a root, and notes that it was looked at.
func (c *Console) face(ctx context.Context, v *visit, id int64, reason string) (*face, error) {
	if err := v.Record(ctx, "look.person", postgres.Subject("person", id), nil, reason); err != nil {
		return nil, err
	}
	f := &face{ID: id}
	var err error
	if f.Name, f.Phone, err = c.masked(ctx, v, id); err != nil {
		return nil, err
	}
	kin, err := v.FamilyOf(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("find who is one person: %w", err)
	}
	for _, k := range kin {
		rows, err := v.AddressesOf(ctx, k)
		if err != nil {
			return nil, fmt.Errorf("list the addresses of a person: %w", err)
		}
		for _, a := range rows {
			line := faceAddress{Channel: a.Channel, Trust: a.Trust, State: a.State}
			if a.LastInboundAt != nil {
				line.Last = *a.LastInboundAt
			}
			f.Addresses = append(f.Addresses, line)
		}
	}
	if f.Tickets, err = c.faceTickets(ctx, v, id); err != nil {
		return nil, err
	}
	merges, err := v.MergesOf(ctx, &id)
	if err != nil {
		return nil, fmt.Errorf("list who is one person: %w", err)
	}
	for _, m := range merges {
		line := mergedFace{ID: m.PersonID, By: m.By, At: m.At}
		if line.Name, line.Phone, err = c.masked(ctx, v, m.PersonID); err != nil {
			return nil, err
		}
		if line.Reason, err = v.Open(workorder.SealMerge, m.Reason); err != nil {
			return nil, err
		}
		f.Merged = append(f.Merged, line)
	}
	return f, nil
}

// masked are the name and number of one person, nobody else's of the same family.
func (c *Console) masked(ctx context.Context, v *visit, id int64) (name, phone string, err error) {
	row, err := v.GetPerson(ctx, id)
	if err != nil {
		return "", "", fmt.Errorf("load a person: %w", err)
	}
	name, nameErr := v.Open(workorder.SealName, row.Name)
	if phone, err = v.Open(workorder.SealPhone, row.Phone); phone != "" {
		phone = privacy.MaskPhone(phone)
	}
	return privacy.MaskName(name), phone, cmp.Or(nameErr, err)
}

func (c *Console) faceTickets(ctx context.Context, v *visit, id int64) (list []faceTicket, err error) {
	rows, err := v.TicketsOfPerson(ctx, id, maxFaceTickets)
	if err != nil {
		return nil, fmt.Errorf("list the tickets of a person: %w", err)
	}
	all, err := postgres.WithAssignments(ctx, v.Queries, rows)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if o := &all[i]; c.showsReporter(v, o) {
			list = append(list, faceTicket{o.ID, o.Number.Spoken(), o.Matter})
		}
	}
	return list, nil
}

// mergePeople makes two persons one.
func (c *Console) mergePeople(ctx context.Context, v *visit) (answer, error) {
	if !c.mayMerge(v) {
		return answer{}, errNotHere
	}
	one, other, reason := v.number("one"), v.number("other"), v.form("reason")
	if one == 0 || other == 0 || reason == "" {
		return answer{}, errForm
	}
	root, err := c.Orders.MergePersons(ctx, v.Turn, one, other, reason)
	switch {
	case errors.Is(err, people.ErrSame):
		return answer{}, &badForm{"console.problem.merge_same"}
	case errors.Is(err, people.ErrIsStaff):
		return answer{}, &badForm{"console.problem.merge_staff"}
	}
	return answer{to: fmt.Sprintf("/desk/person/%d", root)}, err
}

// showPerson shows one person with whom they were made one.
func (c *Console) showPerson(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	if !c.mayMerge(v) {
		return answer{}, errNotHere
	}
	if _, err := v.GetPerson(ctx, id); err != nil {
		return answer{}, fmt.Errorf("load a person: %w", err)
	}
	root, err := v.RootPerson(ctx, id)
	if err != nil {
		return answer{}, fmt.Errorf("follow a merged person: %w", err)
	}
	f, err := c.face(ctx, v, root, "")
	return answer{page: "person", data: f}, err
}

// partPerson takes a merge back.
func (c *Console) partPerson(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	if !c.mayMerge(v) {
		return answer{}, errNotHere
	}
	if v.form("reason") == "" {
		return answer{}, errForm
	}
	err = c.Orders.UnmergePerson(ctx, v.Turn, id, v.form("reason"))
	if errors.Is(err, people.ErrNotMerged) {
		return answer{}, &badForm{"console.problem.part_none"}
	}
	return answer{to: fmt.Sprintf("/desk/person/%d", id)}, err
}
