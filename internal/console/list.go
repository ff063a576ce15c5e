package console

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

const (
	// pageRows is how many rows a page of a list has.
	pageRows = 50
	// maxFound bounds what a search reads.
	maxFound = 200
)

// line is one ticket or task in a list.
type line struct {
	To       string
	Kind     string // of a task
	Role     string // of a desk that only helps
	Number   string
	Matter   string
	State    string
	Place    string
	At       time.Time
	Overdue  bool
	Urgent   bool
	Danger   bool
	Private  bool
	Redo     bool
	Pressing bool // supervised
	Raised   bool
	// Whistle is the number of a whistle, Title its kind in words, Step what is
	// to be done next; its State is in words too.
	Whistle, Title, Step string
}

// listPage is a list of the desk.
type listPage struct {
	Tabs    []tab
	Tab     string
	Lines   []line
	Overdue int
	// What the list is narrowed to, and what it can be.
	State, Area, Matter, Query string
	States                     []ticket.State
	Areas                      []place
	Matters                    []ticket.Matter
	// More leads to the next page, empty for the last.
	More               string
	MayFile, MayDead   bool
	MayMerge, MayLogIn bool
	MayCare            bool
}

// list shows the work of one role, or what a search finds. What is overdue
// comes first because the list is by deadline.
func (c *Console) list(ctx context.Context, v *visit) (answer, error) {
	p := &listPage{
		Tabs: tabsOf(v.staff), Tab: v.r.FormValue("tab"), State: v.r.FormValue("state"), Area: v.r.FormValue("area"),
		Matter: v.r.FormValue("matter"), Query: strings.TrimSpace(v.r.FormValue("q")), States: ticket.States(),
		Matters: c.Orders.Matters.All(), MayFile: c.mayFileSomewhere(v), MayDead: c.mayReplay(v), MayMerge: c.mayMerge(v),
		MayLogIn: c.hasLogins() && c.mayLogIn(v), MayCare: c.mayApply(v) || c.Care != nil && c.Orders.Rights.Anywhere(v.staff, people.MayViewBeds, v.Now),
	}
	t := tab{}
	if len(p.Tabs) > 0 {
		t = p.Tabs[0]
		if i := slices.IndexFunc(p.Tabs, func(t tab) bool { return t.Code == p.Tab }); i >= 0 {
			t = p.Tabs[i]
		}
	}
	p.Tab = t.Code
	if err := p.check(); err != nil {
		return answer{}, err
	}
	var err error
	if p.Areas, err = c.areas(ctx, v, t.roles); err != nil {
		return answer{}, err
	}
	switch {
	case p.Query != "":
		err = c.search(ctx, v, p)
	case t.tickets == anywhere:
		err = c.byState(ctx, v, p, t)
	default:
		err = c.work(ctx, v, p, t)
	}
	for _, l := range p.Lines {
		if l.Overdue {
			p.Overdue++
		}
	}
	return answer{page: "list", data: p}, err
}

// check refuses filters that are none.
func (p *listPage) check() error {
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	known := func(m ticket.Matter) bool { return m.Code == p.Matter }
	switch {
	case p.State != "" && !slices.Contains(p.States, ticket.State(p.State)),
		!digits(p.Area), p.Matter != "" && !slices.ContainsFunc(p.Matters, known):
		return errForm
	}
	return nil
}

// more is the way to the page after what was shown.
func (p *listPage) more(after string) {
	q := url.Values{"tab": {p.Tab}, "after": {after}}
	for name, value := range map[string]string{"state": p.State, "area": p.Area, "matter": p.Matter} {
		if value != "" {
			q.Set(name, value)
		}
	}
	p.More = "/desk?" + q.Encode()
}

// tasks reads a page of the tasks of a tab. Those that a step of a whistle ends
// are left to the whistle.
func (c *Console) tasks(ctx context.Context, v *visit, p *listPage, t tab, from cursor) ([]item, error) {
	arg := db.DeskTasksParams{
		Staff: v.staff.ID, MaxRows: pageRows, Roles: []string{}, Areas: []string{}, Matter: p.Matter, Area: p.Area,
		AfterDue: from.due, AfterID: from.id,
	}
	for _, g := range grants(v.staff, t.roles) {
		arg.Roles, arg.Areas = append(arg.Roles, string(g.Role)), append(arg.Areas, g.Area.Code)
	}
	rows, err := v.DeskTasks(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	ids := []int64{}
	for _, r := range rows {
		if r.Task.TicketID != nil {
			ids = append(ids, *r.Task.TicketID)
		}
	}
	orders, err := c.Orders.LoadAll(ctx, v.Turn, ids)
	if err != nil {
		return nil, err
	}
	items := make([]item, len(rows))
	for i, r := range rows {
		items[i].at = cursor{r.Due, r.Task.ID}
		if homecare.IsTask(r.Task.Kind) {
			if items[i].line, err = c.careTaskLine(ctx, v, r.Task, r.Due); err != nil {
				return nil, err
			}
			continue
		}
		w, err := c.taskWhistle(ctx, v, r.Task)
		if err != nil {
			return nil, err
		}
		var o *workorder.Order
		if r.Task.TicketID != nil {
			o = orders[*r.Task.TicketID]
		}
		if byPage(r.Task.Kind) || !c.mayTask(v, r.Task, o, w) {
			continue
		}
		l := &line{}
		if w != nil {
			if l, err = c.whistleLine(v, w); err != nil {
				return nil, err
			}
		}
		c.describe(v, l, o)
		l.To, l.Kind = "/desk/task/"+strconv.FormatInt(r.Task.ID, 10), r.Task.Kind
		if w == nil {
			l.State = ""
		}
		l.At, l.Overdue = r.Due, r.Task.DueAt != nil && v.Now.After(*r.Task.DueAt)
		items[i].line = l
	}
	return items, nil
}

// tickets reads a page of what lies on desks: those of who asks, or those of the
// area that they watch.
func (c *Console) tickets(ctx context.Context, v *visit, p *listPage, t tab, from cursor) ([]item, error) {
	switch t.tickets {
	case held:
		return c.held(ctx, v, p, t, from)
	case watched:
		return c.open(ctx, v, p, t, onDesks(), from)
	}
	return nil, nil
}

// held lists what lies on the desks of who asks.
func (c *Console) held(ctx context.Context, v *visit, p *listPage, t tab, from cursor) ([]item, error) {
	grids, units, err := c.desks(ctx, v, t.roles)
	if err != nil {
		return nil, err
	}
	arg := db.DeskHeldParams{
		Kinds: []string{}, Codes: []string{}, Staff: v.staff.ID, Matter: p.Matter, Area: p.Area, AfterDue: from.due, AfterID: from.id, MaxRows: pageRows,
	}
	add := func(kind ticket.DeskKind, codes []string) {
		for _, code := range codes {
			arg.Kinds, arg.Codes = append(arg.Kinds, string(kind)), append(arg.Codes, code)
		}
	}
	add(ticket.DeskGrid, grids)
	add(ticket.DeskUnit, units)
	add(ticket.DeskNamed, slices.Concat(grids, units))
	if err := v.InOrder(ctx); err != nil {
		return nil, fmt.Errorf("keep a list in order: %w", err)
	}
	rows, err := v.DeskHeld(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("list what lies on desks: %w", err)
	}
	found := make([]row, len(rows))
	for i, r := range rows {
		found[i] = row{r.ID, r.Due, r.Role}
	}
	return c.rows(ctx, v, found)
}

// byState lists the tickets of an area: those that are open by deadline, those
// that are over with the latest first.
func (c *Console) byState(ctx context.Context, v *visit, p *listPage, t tab) error {
	after, err := parseCursors(v.r.FormValue("after"), 1)
	if err != nil {
		return err
	}
	states := openStates()
	if p.State != "" {
		states = []string{p.State}
	}
	list := c.over
	if ticket.State(states[0]).Open() {
		list = c.open
	}
	items, err := list(ctx, v, p, t, states, after[0])
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.line != nil {
			p.Lines = append(p.Lines, *it.line)
		}
	}
	if n := len(items); n == pageRows {
		p.more(items[n-1].at.String())
	}
	return nil
}

// over lists the tickets of an area that are over, the latest first.
func (c *Console) over(ctx context.Context, v *visit, p *listPage, t tab, states []string, from cursor) ([]item, error) {
	if from.id == 0 {
		from = cursor{v.Now.AddDate(1, 0, 0), math.MaxInt64}
	}
	arg, err := c.area(ctx, v, p, t, states, from)
	if err != nil {
		return nil, err
	}
	rows, err := v.DeskOver(ctx, db.DeskOverParams(arg))
	if err != nil {
		return nil, fmt.Errorf("list tickets that are over: %w", err)
	}
	found := make([]row, len(rows))
	for i, r := range rows {
		found[i] = row{id: r.ID, due: r.Due}
	}
	return c.rows(ctx, v, found)
}

// open lists open tickets of an area.
func (c *Console) open(ctx context.Context, v *visit, p *listPage, t tab, states []string, from cursor) ([]item, error) {
	arg, err := c.area(ctx, v, p, t, states, from)
	if err != nil {
		return nil, err
	}
	rows, err := v.DeskOpen(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("list open tickets: %w", err)
	}
	found := make([]row, len(rows))
	for i, r := range rows {
		found[i] = row{id: r.ID, due: r.Due}
	}
	return c.rows(ctx, v, found)
}

func (c *Console) area(ctx context.Context, v *visit, p *listPage, t tab, states []string, from cursor) (db.DeskOpenParams, error) {
	arg := db.DeskOpenParams{
		Counties: []string{}, Prefixes: []string{}, States: states, Matter: p.Matter, AfterDue: from.due, AfterID: from.id, MaxRows: pageRows,
	}
	if err := v.InOrder(ctx); err != nil {
		return arg, fmt.Errorf("keep a list in order: %w", err)
	}
	scopes, err := c.scopes(ctx, v, t.roles, p.Area)
	for _, s := range scopes {
		arg.Counties, arg.Prefixes = append(arg.Counties, s.county), append(arg.Prefixes, s.prefix)
	}
	return arg, err
}

// row is what a list query finds.
type row struct {
	id   int64
	due  time.Time
	role string
}

// rows opens what was found; of what may not be seen there is no line.
func (c *Console) rows(ctx context.Context, v *visit, found []row) ([]item, error) {
	ids := make([]int64, len(found))
	for i, r := range found {
		ids[i] = r.id
	}
	orders, err := c.Orders.LoadAll(ctx, v.Turn, ids)
	if err != nil {
		return nil, err
	}
	items := make([]item, len(found))
	for i, r := range found {
		items[i].at = cursor{r.due, r.id}
		l := line{To: ticketPath(r.id)}
		if !c.describe(v, &l, orders[r.id]) {
			continue
		}
		if r.role == string(ticket.RoleCo) {
			l.Role = r.role
		}
		l.At = r.due
		items[i].line = &l
	}
	return items, nil
}

// describe fills a line with what may be seen of a ticket; false where that is
// nothing.
func (c *Console) describe(v *visit, l *line, o *workorder.Order) bool {
	if o == nil {
		return false
	}
	viewer, ok := c.Orders.Viewer(v.staff, o, v.Now)
	view := ticket.View(o.Ticket, viewer)
	if !ok || view[ticket.FieldNumber] != ticket.Full {
		return false
	}
	l.Number, l.Matter, l.State = o.Number.Spoken(), o.Matter, string(o.State)
	l.Urgent, l.Private, l.Redo = o.Urgency == ticket.Urgent, o.Private(), o.State == ticket.Redo
	l.Danger, l.Raised = o.Danger != "" && o.State.Open(), o.Level > 0 && o.State.Open()
	// Whom a supervision presses is told to who sees the desks, and to the desk.
	_, owes := c.Orders.Supervised(v.staff, o, v.Now)
	l.Pressing = owes || view[ticket.FieldDesks] == ticket.Full && slices.ContainsFunc(o.Supervisions, ticket.Supervision.Open)
	l.At = o.Deadline
	if l.At.IsZero() {
		l.At = o.DispatchDue
	}
	waits := o.State == ticket.Suspended || o.State == ticket.Merged // no clock of its own runs
	l.Overdue = o.State.Open() && !waits && !l.At.IsZero() && v.Now.After(l.At) && o.HandledAt.IsZero()
	if view[ticket.FieldPlace] == ticket.Full {
		l.Place = o.Place.Label
	}
	return true
}

// search finds tickets by number or by words of what was reported.
func (c *Console) search(ctx context.Context, v *visit, p *listPage) error {
	rows, exact, err := c.find(ctx, v, p.Query)
	if err != nil {
		return err
	}
	orders, err := c.Orders.Opened(ctx, v.Turn, rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		o := orders[r.ID]
		l := line{To: "/desk/ticket/" + strconv.FormatInt(r.ID, 10)}
		if !c.describe(v, &l, o) {
			continue
		}
		if !exact {
			hit, err := c.says(v, o, p.Query)
			if err != nil {
				return err
			}
			if !hit {
				continue
			}
		}
		p.Lines = append(p.Lines, l)
	}
	return nil
}

// find reads the ticket with a number, or those in which words may stand.
func (c *Console) find(ctx context.Context, v *visit, query string) (rows []db.Ticket, exact bool, err error) {
	if n, err := ticket.ParseNumber(query); err == nil {
		id, err := v.TicketIDByNumber(ctx, string(n))
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, true, nil
		}
		if err != nil {
			return nil, true, fmt.Errorf("look a number up: %w", err)
		}
		if rows, err = v.TicketsByIDs(ctx, []int64{id}); err != nil {
			return nil, true, fmt.Errorf("load a ticket: %w", err)
		}
		return rows, true, nil
	}
	for _, grams := range c.Orders.Keys.Search(query) {
		if len(grams) == 0 {
			continue
		}
		found, err := v.SearchTickets(ctx, grams, maxFound)
		if err != nil {
			return nil, false, fmt.Errorf("search tickets: %w", err)
		}
		rows = append(rows, found...)
	}
	return rows, false, nil
}

// says reports whether words really stand in a ticket, where who asks may read
// it: the index hits by chance too.
func (c *Console) says(v *visit, o *workorder.Order, query string) (bool, error) {
	viewer, _ := c.Orders.Viewer(v.staff, o, v.Now)
	if ticket.View(o.Ticket, viewer)[ticket.FieldWords] != ticket.Full {
		return false, nil
	}
	words, err := c.Orders.Words(o)
	return strings.Contains(words+" "+o.Place.Label, query), err
}

// mayTask reports whether a task is for who asks: open, of a role and an area
// of theirs, and about a ticket or a whistle (nil for none) for which they have
// the right.
func (c *Console) mayTask(v *visit, row db.Task, o *workorder.Order, w *workorder.Whistle) bool {
	if row.State != "open" || row.StaffID != nil && *row.StaffID != v.staff.ID || row.TicketID != nil && o == nil {
		return false
	}
	holds := slices.ContainsFunc(v.staff.Grants, func(g people.Grant) bool {
		return string(g.Role) == row.Role && (strings.HasPrefix(row.Area, g.Area.Code) || strings.HasPrefix(g.Area.Code, row.Area))
	})
	if w != nil && !c.Orders.MayWhistle(v.staff, people.MayRaiseWhistle, w, v.Now) {
		return false
	}
	if row.Kind == workorder.TaskEscalated && !workorder.HoldsLevel(v.staff, row) {
		return false
	}
	return holds && (o == nil || c.Orders.May(v.staff, rightOf(row.Kind), o, v.Now))
}
