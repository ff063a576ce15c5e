package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// Visit is one visit of a bed.
type Visit struct {
	ID        int64      `json:"id"`
	Bed       int64      `json:"bed"`
	Order     int64      `json:"order" doc:"id of the order that it fulfils"`
	Kind      string     `json:"kind"`
	State     string     `json:"state" doc:"planned, notified, confirmed, move_asked, declined, en_route, arrived, done, to_make_up, missed, cancelled, released"`
	Reason    string     `json:"reason,omitempty"`
	Version   int        `json:"version" doc:"grows with day, window and visitor"`
	Day       string     `json:"day"`
	Window    string     `json:"window"`
	Staff     string     `json:"staff" doc:"short name of who visits"`
	Earliest  string     `json:"earliest" doc:"first day of the ordered interval"`
	Latest    string     `json:"latest"`
	Full      bool       `json:"full" doc:"no free window was left: a person looks"`
	Off       bool       `json:"off" doc:"no workday, or nobody at work, lay in the interval"`
	MakeUps   int        `json:"make_ups"`
	Noted     bool       `json:"noted" doc:"its record is written"`
	LeftAt    *time.Time `json:"left_at,omitempty"`
	ArrivedAt *time.Time `json:"arrived_at,omitempty"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
	Allowed   []string   `json:"allowed" doc:"the commands that this token may give now"`
}

func (a *API) viewVisit(one care.Visit, by care.Actor, names map[int64]string) Visit {
	out := Visit{
		ID: one.ID, Bed: one.BedID, Order: one.ItemID, Kind: one.Kind, State: string(one.State), Reason: one.Reason, Version: one.Version,
		Day: one.Date.String(), Window: one.Window.String(), Staff: names[one.Staff], Earliest: one.Earliest.String(), Latest: one.Latest.String(),
		Full: one.Full, Off: one.Off, MakeUps: one.MakeUps, Noted: one.Noted, LeftAt: moment(one.LeftAt), ArrivedAt: moment(one.ArrivedAt),
		DoneAt: moment(one.DoneAt), Allowed: []string{},
	}
	if by.As != "" {
		for _, c := range care.Visits().Allowed(one.State, by.As) {
			if a.offered["visit."+string(c)] {
				out.Allowed = append(out.Allowed, string(c))
			}
		}
	}
	return out
}

type listVisitsInput struct {
	IDPath
	From string `query:"from" format:"date" doc:"first day; 30 days ago when missing"`
	To   string `query:"to" format:"date" doc:"last day; 30 days from now when missing"`
}

// visitDays is how far a list of visits reaches when nothing else is asked for, and
// mostVisitDays how far it may.
const (
	visitDays     = 30
	mostVisitDays = 366
)

// days reads the days of a list.
func (a *API) days(v *visit, from, to string, before, after int) (first, last scheduler.Date, err error) {
	today := a.Care.Today(v.Turn)
	first, last = today.AddDays(-before), today.AddDays(after)
	for _, d := range []struct {
		name, said string
		into       *scheduler.Date
	}{{"from", from, &first}, {"to", to, &last}} {
		if d.said == "" {
			continue
		}
		if *d.into, err = scheduler.ParseDate(d.said); err != nil {
			return first, last, invalid("query."+d.name, "a day is written like 2026-03-03")
		}
	}
	if first.Compare(last) > 0 || first.AddDays(mostVisitDays).Compare(last) < 0 {
		return first, last, invalid("query.to", fmt.Sprintf("1 to %d days, the first one first", mostVisitDays))
	}
	return first, last, nil
}

func (a *API) listVisits(ctx context.Context, v *visit, in *listVisitsInput) (*Page[Visit], error) {
	b, by, err := a.bedAt(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	from, to, err := a.days(v, in.From, in.To, visitDays, visitDays)
	if err != nil {
		return nil, err
	}
	rows, err := v.VisitsOfBed(ctx, b.ID, postgres.DayOf(from), postgres.DayOf(to))
	if err != nil {
		return nil, fmt.Errorf("list the visits of a bed: %w", err)
	}
	visits := postgres.VisitsOf(rows)
	var staff []int64
	for _, one := range visits {
		staff = append(staff, one.Staff)
	}
	names, err := a.slugs(ctx, v, staff...)
	if err != nil {
		return nil, err
	}
	page := &Page[Visit]{Items: []Visit{}}
	for _, one := range visits {
		page.Items = append(page.Items, a.viewVisit(one, by, names))
	}
	return page, nil
}

// visitAt reads a visit that the token may see.
func (a *API) visitAt(ctx context.Context, v *visit, id int64) (*homecare.Bed, care.Visit, care.Actor, error) {
	b, one, err := a.Care.LoadVisit(ctx, v.Turn, id)
	if err != nil {
		return nil, one, care.Actor{}, missing("load a visit", err)
	}
	by, err := a.actorAt(ctx, v, b, &one)
	return b, one, by, err
}

func (a *API) oneVisit(ctx context.Context, v *visit, one care.Visit, by care.Actor) (*Visit, error) {
	names, err := a.slugs(ctx, v, one.Staff)
	if err != nil {
		return nil, err
	}
	view := a.viewVisit(one, by, names)
	return &view, nil
}

func (a *API) getVisit(ctx context.Context, v *visit, in *IDPath) (*Visit, error) {
	_, one, by, err := a.visitAt(ctx, v, in.ID)
	if err != nil {
		return nil, err
	}
	return a.oneVisit(ctx, v, one, by)
}

// Offer is a free time.
type Offer struct {
	Day    string `json:"day" format:"date"`
	Window string `json:"window" doc:"such as 09:00-11:00"`
}

func (a *API) listOffers(ctx context.Context, v *visit, in *IDPath) (*Page[Offer], error) {
	if _, _, _, err := a.visitAt(ctx, v, in.ID); err != nil {
		return nil, err
	}
	offers, err := a.Care.Offers(ctx, v.Turn, in.ID)
	if err != nil {
		return nil, err
	}
	page := &Page[Offer]{Items: []Offer{}}
	for _, o := range offers {
		page.Items = append(page.Items, Offer{Day: o.Date.String(), Window: o.Window.String()})
	}
	return page, nil
}

// careInput is the input of a command about a bed, visit or application.
type careInput[B any] struct {
	IDPath
	Keyed
	Body B
}

func (in *careInput[B]) keyed() *Keyed { return &in.Keyed }

// careOn is a command on its way.
type careOn struct {
	*visit
	api   *API
	bed   *homecare.Bed
	about care.Visit
	by    care.Actor
}

// visitCommand registers a command on a visit.
func visitCommand[B any](a *API, name care.CommandName, id, summary string, do func(ctx context.Context, on *careOn, b *B) error) {
	a.offered["visit."+string(name)] = true
	write(a, post(id, "/visits/{id}/commands/"+string(name), summary, http.StatusOK), "", func(in *careInput[B]) string { return fmt.Sprint(in.ID) },
		func(ctx context.Context, v *visit, in *careInput[B]) (*Visit, error) {
			b, one, by, err := a.visitAt(ctx, v, in.ID)
			if err != nil {
				return nil, err
			}
			if by.As == "" {
				return nil, errForbidden
			}
			if err := do(ctx, &careOn{visit: v, api: a, bed: b, about: one, by: by}, &in.Body); err != nil {
				return nil, err
			}
			_, one, by, err = a.visitAt(ctx, v, in.ID)
			if err != nil {
				return nil, err
			}
			return a.oneVisit(ctx, v, one, by)
		})
}

func (on *careOn) doVisit(ctx context.Context, c care.VisitCommand) error {
	_, _, err := on.api.Care.DoVisit(ctx, on.Turn, on.about.ID, on.by, c)
	return err
}

// staffID finds one of the visitors of the bed's clinic by short name.
func (on *careOn) staffID(ctx context.Context, slug, where string) (int64, error) {
	list, err := on.api.Care.Visitors(ctx, on.Turn, on.bed.Clinic)
	if err != nil {
		return 0, err
	}
	ids := make([]int64, len(list))
	for i, one := range list {
		ids[i] = one.ID
	}
	names, err := on.api.slugs(ctx, on.visit, ids...)
	if err != nil {
		return 0, err
	}
	for id, name := range names {
		if name == slug {
			return id, nil
		}
	}
	return 0, invalid(where, "the clinic has no such doctor or nurse")
}

// MoveBody is a new time.
type MoveBody struct {
	Offer
	Agreed bool `json:"agreed,omitempty" doc:"the family was asked and agreed: it is not asked again"`
}

// StaffBody names who comes.
type StaffBody struct {
	Staff string `json:"staff" minLength:"1" maxLength:"32" doc:"short name of a doctor or nurse of the clinic"`
}

// ReasonOnly is a reason by code.
type ReasonOnly struct {
	Reason string `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
}

// MadeBody says how a visit went; a desk that writes it down later gives both
// times.
type MadeBody struct {
	From    time.Time `json:"from,omitzero"`
	At      time.Time `json:"at,omitzero"`
	Present int64     `json:"present,omitempty" doc:"the carer who was there"`
	Alone   bool      `json:"alone,omitempty" doc:"nobody but the patient was"`
}

func (a *API) visitCommands() {
	visitCommand(a, care.CmdConfirm, "confirmVisit", "Somebody will be at home", func(ctx context.Context, on *careOn, _ *nothing) error {
		return on.doVisit(ctx, care.Confirm{})
	})
	visitCommand(a, care.CmdMove, "moveVisit", "Give a visit another time inside its interval", func(ctx context.Context, on *careOn, b *MoveBody) error {
		day, err := scheduler.ParseDate(b.Day)
		if err != nil {
			return invalid("body.day", "a day is written like 2026-03-03")
		}
		window, err := scheduler.ParseSpan(b.Window)
		if err != nil {
			return invalid("body.window", "a window is written like 09:00-11:00")
		}
		_, _, err = on.api.Care.MoveTo(ctx, on.Turn, on.about.ID, on.by, care.Offer{Date: day, Window: window}, b.Agreed)
		return err
	})
	visitCommand(a, care.CmdReassign, "reassignVisit", "Let somebody else visit", func(ctx context.Context, on *careOn, b *StaffBody) error {
		to, err := on.staffID(ctx, b.Staff, "body.staff")
		if err != nil {
			return err
		}
		_, _, err = on.api.Care.Hand(ctx, on.Turn, on.about.ID, on.by, to)
		return err
	})
	visitCommand(a, care.CmdFail, "failVisit", "The visit does not happen at its time", func(ctx context.Context, on *careOn, b *ReasonOnly) error {
		return on.doVisit(ctx, care.Fail{Reason: b.Reason})
	})
	visitCommand(a, care.CmdCancel, "cancelVisit", "Take this one visit out", func(ctx context.Context, on *careOn, b *ReasonOnly) error {
		return on.doVisit(ctx, care.Cancel{Reason: b.Reason})
	})
	visitCommand(a, care.CmdFinish, "finishVisit", "The visit was made", func(ctx context.Context, on *careOn, b *MadeBody) error {
		_, _, err := on.api.Care.Finish(ctx, on.Turn, on.about.ID, on.by, care.Finish{From: b.From, At: b.At, Present: b.Present, Alone: b.Alone}, "")
		return err
	})
}

// refusedCare is a refusal of the rules of family beds.
func refusedCare(r *care.Refused) *Problem {
	p := newProblem(http.StatusConflict, codeRefused, r.Error())
	_, p.Rule, _ = strings.Cut(r.Key, ".refused.")
	for _, c := range r.Allowed {
		p.Allowed = append(p.Allowed, string(c))
	}
	return p
}
