package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// visitLine is a visit in a list.
type visitLine struct {
	ID          int64
	Bed         string // number of its bed, where the list is of several
	Kind        string
	Day, Window string
	Staff       string
	State       string
	Reason      string
	Full, Off   bool
	Late        bool // nobody said that somebody is there
	Order       int
}

func (c *Console) visitLine(v *visit, one care.Visit, bed, staff string) (visitLine, error) {
	l := visitLine{
		ID: one.ID, Bed: bed, Kind: one.Kind, Window: homecare.Window(one.Window), Staff: staff, State: string(one.State), Reason: c.careReason(one.Reason),
		Full: one.Full, Off: one.Off, Late: one.State.Waiting() && v.Now.After(one.End(c.Orders.Work.Location())), Order: one.Order,
	}
	var err error
	l.Day, err = c.dayText(v, one.Date)
	return l, err
}

// visitShown is a visit on its page.
type visitShown struct {
	visitLine
	BedID             int64
	BedNumber         string
	Earliest, Latest  string
	Minutes           int
	Told, Noted       bool
	Moves, MakeUps    int
	LeftAt, ArrivedAt time.Time
	DoneAt            time.Time
	Forms             []careForm
	Trail             []careMoment
	Action            string // where its forms go
}

func (c *Console) showVisit(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	on, err := c.visitAt(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	p, err := c.visitPage(ctx, v, on)
	return answer{page: "care_visit", data: p}, err
}

func visitPath(id int64) string { return fmt.Sprintf("/desk/visit/%d", id) }

func (c *Console) visitPage(ctx context.Context, v *visit, on *bedside) (*visitShown, error) {
	one := *on.visit
	names, err := c.staffNames(ctx, v, one.Staff)
	if err != nil {
		return nil, err
	}
	p := &visitShown{
		BedID: on.bed.ID, BedNumber: on.bed.Number, Earliest: one.Earliest.String(), Latest: one.Latest.String(), Minutes: one.Minutes, Told: one.Told,
		Noted: one.Noted, Moves: one.Moves, MakeUps: one.MakeUps, LeftAt: one.LeftAt, ArrivedAt: one.ArrivedAt, DoneAt: one.DoneAt,
		Action: visitPath(one.ID),
	}
	if p.visitLine, err = c.visitLine(v, one, on.bed.Number, names[one.Staff]); err != nil {
		return nil, err
	}
	if p.Forms, err = c.careForms(ctx, v, on, visitDeeds(), visitCommands(v, on)); err != nil {
		return nil, err
	}
	p.Trail, err = c.careTrail(ctx, v, homecare.VisitSubject(one.ID))
	return p, err
}

// doVisit does what a form of the visit's page says.
func (c *Console) doVisit(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	on, err := c.visitAt(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	if on.by.As == "" {
		return answer{}, &care.Refused{Key: care.KeyNotYours}
	}
	if !slices.Contains(care.Visits().Allowed(on.visit.State, on.by.As), care.CommandName(v.r.PathValue("deed"))) && on.visit.Staff == v.staff.ID {
		on.by = homecare.AsVisitor(v.staff.ID)
	}
	return c.doCare(ctx, v, on, visitDeeds(), visitPath(id))
}

// visitCommands are what who asks may do with a visit now. The bed's own doctor who
// makes it does both: what doctors do, and what visitors do.
func visitCommands(v *visit, on *bedside) []care.CommandName {
	names := care.Visits().Allowed(on.visit.State, on.by.As)
	if on.visit.Staff == v.staff.ID {
		names = append(names, care.Visits().Allowed(on.visit.State, care.AsVisitor)...)
	}
	return names
}

// simplyVisit is a deed that asks for nothing.
func simplyVisit(command care.VisitCommand) func(context.Context, *Console, *visit, *bedside) error {
	return func(ctx context.Context, c *Console, v *visit, on *bedside) error {
		return c.visit(ctx, v, on, command)
	}
}

func (c *Console) visit(ctx context.Context, v *visit, on *bedside, command care.VisitCommand) error {
	_, _, err := c.Care.DoVisit(ctx, v.Turn, on.visit.ID, on.by, command)
	return err
}

// visitDeeds are what can be done with a visit, in the order of the page's forms.
func visitDeeds() []careDeed {
	reason := func(list string, of func(care.Policy) []string) func(context.Context, *Console, *visit, *bedside) ([]field, error) {
		return func(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
			return []field{c.codes("reason", "care.reason."+list, of(c.Care.Rules.Policy()), "")}, nil
		}
	}
	failed := func(p care.Policy) []string { return p.Reasons.Fail }
	return []careDeed{
		{name: care.CmdConfirm, do: simplyVisit(care.Confirm{})},
		{name: care.CmdMove, ask: askMove, do: move},
		{name: care.CmdReassign, ask: func(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
			f, err := c.staffField(ctx, v, on, "staff", 0, people.RoleNurse, people.RoleDoctor)
			return []field{f}, err
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			to, err := c.ofClinic(ctx, v, on, "staff", people.RoleNurse, people.RoleDoctor)
			if err != nil {
				return err
			}
			_, _, err = c.Care.Hand(ctx, v.Turn, on.visit.ID, on.by, to)
			return err
		}},
		{name: care.CmdAskMove, do: simplyVisit(care.AskMove{})},
		{name: care.CmdDecline, ask: func(context.Context, *Console, *visit, *bedside) ([]field, error) {
			return []field{tick("cancel", false)}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.visit(ctx, v, on, care.Decline{Cancel: v.form("cancel") != ""})
		}},
		{name: care.CmdLeave, do: simplyVisit(care.Leave{})},
		{name: care.CmdArrive, ask: func(context.Context, *Console, *visit, *bedside) ([]field, error) {
			return []field{tick("adult", false)}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.visit(ctx, v, on, care.Arrive{Adult: v.form("adult") != ""})
		}},
		{name: care.CmdFinish, ask: askVisitDone, do: visitDone, when: func(on *bedside) bool {
			return on.by.As == care.AsDesk || on.visit.State == care.VisitArrived
		}},
		{name: care.CmdNote, ask: func(context.Context, *Console, *visit, *bedside) ([]field, error) {
			return []field{{Name: "note", Kind: "words", Label: "care_note", Required: true}}, nil
		}, when: func(on *bedside) bool { return !on.visit.Noted }, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			if v.form("note") == "" {
				return errForm
			}
			_, _, err := c.Care.Note(ctx, v.Turn, on.visit.ID, on.by, v.form("note"))
			return err
		}},
		{name: care.CmdNobodyHome, do: simplyVisit(care.NobodyHome{})},
		{name: care.CmdFail, ask: reason("fail", failed), do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.visit(ctx, v, on, care.Fail{Reason: v.form("reason")})
		}},
		{
			name: care.CmdMiss, ask: reason("fail", failed), when: func(on *bedside) bool { return on.visit.State == care.VisitToMakeUp },
			do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
				return c.visit(ctx, v, on, care.Miss{Reason: v.form("reason")})
			},
		},
		{name: care.CmdCancel, ask: reason("cancel", func(p care.Policy) []string { return p.Reasons.Cancel }), do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.visit(ctx, v, on, care.Cancel{Reason: v.form("reason")})
		}},
		{name: care.CmdWrongCode, do: simplyVisit(care.WrongCode{})},
		{name: care.CmdHelp, do: simplyVisit(care.Help{})},
	}
}

// askMove offers the windows that are free now. With none the desk rings.
func askMove(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	f, err := c.offersField(ctx, v, on.visit.ID)
	if err != nil {
		return nil, err
	}
	// What was not offered may be free too: the rules look.
	list := []field{f, dayField("on", scheduler.Date{}, false)}
	window := field{Name: "window", Kind: "pick", Label: "care_window"}
	for _, w := range c.Care.Rules.Policy().Windows.Of {
		window.Options = append(window.Options, choice{w.Span.String(), homecare.Window(w.Span)})
	}
	list = append(list, window)
	if on.by.As == care.AsDesk || on.by.As == care.AsDoctor {
		list = append(list, tick("agreed", false))
	}
	return list, nil
}

// move takes the visit to an offered window, or to a day and window of the desk's
// choosing, if the rules find it free.
func move(ctx context.Context, c *Console, v *visit, on *bedside) error {
	said := v.form("to")
	if said == "" {
		said = v.form("on") + " " + v.form("window")
	}
	to, err := offerOf(said)
	if err != nil {
		return err
	}
	_, _, err = c.Care.MoveTo(ctx, v.Turn, on.visit.ID, on.by, to, v.form("agreed") != "")
	return err
}

// askVisitDone asks who was there; a desk that writes down later asks for both times.
func askVisitDone(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	present, err := c.persons(ctx, v, on)
	if err != nil {
		return nil, err
	}
	present.Label = "care_present"
	present.Options[0] = choice{"alone", c.text("care.desk.alone")}
	list := []field{present, {Name: "note", Kind: "words", Label: "care_note"}}
	if on.visit.State != care.VisitArrived {
		came := field{Name: "came", Kind: "date", Label: "care_came", Required: true}
		left := field{Name: "left", Kind: "date", Label: "care_left", Required: true}
		list = append([]field{came, left}, list...)
	}
	if on.by.As == care.AsDesk {
		list = list[:len(list)-1] // the record is the visitor's
	}
	return list, nil
}

func visitDone(ctx context.Context, c *Console, v *visit, on *bedside) error {
	f := care.Finish{Alone: v.form("person") == "alone", Present: v.number("person")}
	if on.visit.State != care.VisitArrived {
		for name, into := range map[string]*time.Time{"came": &f.From, "left": &f.At} {
			at, err := time.ParseInLocation("2006-01-02T15:04", v.form(name), c.Location)
			if err != nil {
				return &badForm{"care.desk.problem.day"}
			}
			*into = at
		}
	}
	words := v.form("note")
	if on.by.As == care.AsDesk {
		words = ""
	}
	_, _, err := c.Care.Finish(ctx, v.Turn, on.visit.ID, on.by, f, words)
	return err
}

// today's and tomorrow's visits, by visitor.
type visitorDay struct {
	Day, Staff string
	Visits     []visitLine
}

// visitDays are the visits of some days, ordered as they are driven.
func (c *Console) visitDays(ctx context.Context, v *visit, clinics []int64, days int) ([]visitorDay, error) {
	from := c.today(v)
	rows, err := v.VisitsAt(ctx, db.VisitsAtParams{Clinics: clinics, FromDay: postgres.DayOf(from), ToDay: postgres.DayOf(from.AddDays(days - 1)), MaxRows: maxFound})
	if err != nil {
		return nil, fmt.Errorf("list the visits of some days: %w", err)
	}
	var list []visitorDay
	var one []care.Visit
	numbers := map[int64]string{}
	flush := func(staff string) error {
		if len(one) == 0 {
			return nil
		}
		day, err := c.dayText(v, one[0].Date)
		if err != nil {
			return err
		}
		d := visitorDay{Day: day, Staff: staff}
		order := map[int64]int{}
		for _, o := range c.Care.Rules.Order(one) {
			order[o.ID] = o.Order
		}
		for _, x := range one {
			x.Order = order[x.ID]
			l, err := c.visitLine(v, x, numbers[x.ID], staff)
			if err != nil {
				return err
			}
			d.Visits = append(d.Visits, l)
		}
		list, one = append(list, d), nil
		return nil
	}
	last := ""
	for _, r := range rows {
		x := postgres.VisitOf(r.Visit)
		if len(one) > 0 && (one[0].Staff != x.Staff || one[0].Date != x.Date) {
			if err := flush(last); err != nil {
				return nil, err
			}
		}
		one, last, numbers[x.ID] = append(one, x), r.Visitor, r.Number
	}
	return list, flush(last)
}
