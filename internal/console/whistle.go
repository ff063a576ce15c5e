package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// whistlePage is one whistle as far as who asks may see it.
type whistlePage struct {
	ID    int64
	Sheet string // how it stands, as in chat
	Units []whistleUnit
	Forms []deedForm
	// Ticket is the ticket behind it, nil for none or none that may be seen.
	Ticket *link
	// Tasks are those of who asks about it that end with words.
	Tasks []taskLink
}

// whistleUnit is what one unit did.
type whistleUnit struct {
	Line            string
	Where, Report   string
	Arrival, Photos []string
}

func whistlePath(id int64) string { return fmt.Sprintf("/desk/whistle/%d", id) }

// whistle loads the whistle of the path for who may see it.
func (c *Console) whistle(ctx context.Context, v *visit, lock bool) (*workorder.Whistle, error) {
	id, err := v.id("id")
	if err != nil {
		return nil, err
	}
	w, err := c.Orders.LoadWhistle(ctx, v.Turn, id, lock)
	if err != nil {
		return nil, err
	}
	if !c.Orders.MayWhistle(v.staff, people.MayViewWhistle, w, v.Now) {
		return nil, errNotHere
	}
	return w, nil
}

func (c *Console) showWhistle(ctx context.Context, v *visit) (answer, error) {
	w, err := c.whistle(ctx, v, false)
	if err != nil {
		return answer{}, err
	}
	p, err := c.whistlePage(ctx, v, w)
	return answer{page: "whistle", data: p}, err
}

func (c *Console) whistlePage(ctx context.Context, v *visit, w *workorder.Whistle) (*whistlePage, error) {
	sheet, err := c.Orders.WhistleSheet(ctx, v.Turn, w, nil)
	if err != nil {
		return nil, err
	}
	p := &whistlePage{ID: w.ID}
	if p.Sheet, err = v.Text("whistle.card", sheet); err != nil {
		return nil, err
	}
	evidence, err := c.Orders.WhistleEvidence(ctx, v.Turn, w)
	if err != nil {
		return nil, err
	}
	for _, part := range w.Parts {
		if !c.seesPart(v, w, part) {
			continue
		}
		e := evidence[part.ID]
		u := whistleUnit{Report: e.Report, Arrival: e.Arrival, Photos: e.Photos, Where: where(e.At)}
		if u.Line, err = c.Orders.UnitName(ctx, v.Turn, part.Desk); err != nil {
			return nil, err
		}
		p.Units = append(p.Units, u)
	}
	if err := c.whistleTicket(ctx, v, w, p); err != nil {
		return nil, err
	}
	for _, kind := range []string{workorder.TaskWhistleRaised, workorder.TaskWhistleCity} {
		row, err := v.TaskBy(ctx, kind, workorder.WhistleSubject(w.ID))
		if errors.Is(err, postgres.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look for a task about a whistle: %w", err)
		}
		if c.mayTask(v, row, nil, w) {
			p.Tasks = append(p.Tasks, taskLink{row.ID, row.Kind})
		}
	}
	p.Forms, err = c.whistleForms(ctx, v, w)
	return p, err
}

// seesPart reports whether what a unit showed is for who asks: a unit of a
// private whistle sees its own part.
func (c *Console) seesPart(v *visit, w *workorder.Whistle, part ticket.Part) bool {
	if !w.Private {
		return true
	}
	for _, right := range []people.StaffCommand{people.MayAppraiseWhistle, people.MayAssignWhistle, people.MayRaiseWhistle} {
		if c.Orders.MayWhistle(v.staff, right, w, v.Now) {
			return true
		}
	}
	by, ok := c.Orders.WhistleActor(v.staff, w, ticket.WhistleAnswer, v.Now)
	return ok && by.Desk.Same(part.Desk)
}

// where names a place in words, or by its degrees.
func where(p *workorder.Position) string {
	switch {
	case p == nil:
		return ""
	case p.Lat == 0 && p.Lon == 0:
		return p.Label
	}
	return strings.TrimSpace(fmt.Sprintf("%s %.5f,%.5f", p.Label, p.Lat, p.Lon))
}

// whistleTicket leads to the ticket behind a whistle, where that may be seen.
func (c *Console) whistleTicket(ctx context.Context, v *visit, w *workorder.Whistle, p *whistlePage) error {
	if w.TicketID == 0 {
		return nil
	}
	o, err := c.Orders.Load(ctx, v.Turn, w.TicketID, false)
	if err != nil {
		return err
	}
	var l line
	if c.describe(v, &l, o) {
		p.Ticket = &link{o.ID, l.Number, l.State}
	}
	return nil
}

// whistleFile gives a photo of a whistle that may be seen.
func (c *Console) whistleFile(ctx context.Context, v *visit) (answer, error) {
	w, err := c.whistle(ctx, v, false)
	if err != nil {
		return answer{}, err
	}
	rows, err := v.WhistleFiles(ctx, w.ID)
	if err != nil {
		return answer{}, fmt.Errorf("list the files of a whistle: %w", err)
	}
	blob := v.r.PathValue("blob")
	i := slices.IndexFunc(rows, func(f db.WhistleFilesRow) bool { return f.BlobID == blob })
	if i < 0 {
		return answer{}, errNotHere
	}
	j := slices.IndexFunc(w.Parts, func(p ticket.Part) bool { return p.ID == rows[i].UnitID })
	if j < 0 || !c.seesPart(v, w, w.Parts[j]) {
		return answer{}, errNotHere
	}
	mime, data, err := c.Gateway.OpenBlob(ctx, v.Queries, blob)
	return answer{mime: mime, file: data}, err
}

// maxWhistles bounds the whistles of one list: a township has few at a time.
const maxWhistles = 200

// whistles are those in which the roles of a tab have something to do, and for
// who oversees all that run in their area.
func (c *Console) whistles(ctx context.Context, v *visit, p *listPage, t tab, from cursor) ([]item, error) {
	if p.Matter != "" {
		return nil, nil
	}
	staff := v.staff
	staff.Grants = grants(v.staff, t.roles)
	all, err := c.Orders.VisibleWhistles(ctx, v.Turn, staff, maxWhistles)
	if err != nil {
		return nil, err
	}
	var items []item
	for _, w := range all {
		step, due := c.Orders.WhistleStep(staff, w, v.Now)
		if step == "" && t.tickets != watched || !strings.HasPrefix(w.Place.Division, p.Area) {
			continue
		}
		l, err := c.whistleLine(v, w)
		if err != nil {
			return nil, err
		}
		l.Step, l.At, l.Overdue = string(step), due, !due.IsZero() && v.Now.After(due)
		if at := (cursor{due, w.ID}); at.after(from) {
			items = append(items, item{l, at})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.at.compare(b.at) })
	return items[:min(len(items), pageRows)], nil
}

func (c *Console) whistleLine(v *visit, w *workorder.Whistle) (*line, error) {
	gist, err := c.Orders.WhistleGist(v.Turn, w)
	if err != nil {
		return nil, err
	}
	return &line{
		To: whistlePath(w.ID), Whistle: gist["whistle"], Title: gist["kind"], State: gist["state"], Place: w.Place.Label,
		Urgent: w.Kind == ticket.WhistleEmergency, Private: w.Private, Raised: w.Level > ticket.WhistleLevel,
	}, nil
}

// addWhistle leads from a ticket to the whistle that runs over it.
func (c *Console) addWhistle(ctx context.Context, v *visit, o *workorder.Order, _ map[ticket.Field]ticket.Show, p *ticketPage) error {
	id, err := v.OpenWhistleOf(ctx, &o.ID)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for a whistle over a ticket: %w", err)
	}
	w, err := c.Orders.LoadWhistle(ctx, v.Turn, id, false)
	if err != nil {
		return err
	}
	if c.Orders.MayWhistle(v.staff, people.MayViewWhistle, w, v.Now) {
		p.Whistle = strconv.FormatInt(id, 10)
	}
	return nil
}

// byPage reports whether a task is done on the page of its whistle: the step
// itself ends it.
func byPage(kind string) bool {
	return kind == workorder.TaskWhistleBlow || kind == workorder.TaskWhistleAssign || kind == workorder.TaskWhistleAppraise
}

// taskWhistle is the whistle that a task is about, nil for none.
func (c *Console) taskWhistle(ctx context.Context, v *visit, row db.Task) (*workorder.Whistle, error) {
	if !slices.Contains(workorder.WhistleTasks(), row.Kind) {
		return nil, nil
	}
	id, _, err := workorder.ParseWhistleCard(row.Subject)
	if err != nil {
		return nil, err
	}
	return c.Orders.LoadWhistle(ctx, v.Turn, id, false)
}
