package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"shaoying/internal/figures"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/tally"
)

// programmes registers what is said around beds: what stands still, what was said
// and why not, what will be said, and what it comes to.
func (a *API) programmes() {
	read(a, get("listPauses", "/care/pauses", "Programmes that stand still"), people.MayPauseCare, a.listPauses)
	write(a, post("pauseCare", "/care/pause", "Make a programme, or all, stand still: what comes due waits", http.StatusOK), people.MayPauseCare,
		func(*pauseInput) string { return "" }, a.pauseCare)
	write(a, post("resumeCare", "/care/resume", "Let a programme go on; what is too late by then is not sent", http.StatusOK), people.MayPauseCare,
		func(*resumeInput) string { return "" }, a.resumeCare)
	read(a, get("careLedger", "/care/ledger", "What was said around a bed, what was not and why, and who did what"), people.MayViewBeds, a.careLedger)
	read(a, get("careDue", "/care/due", "What will be said to whom in the next days"), people.MayViewBeds, a.careDue)
	read(a, get("careFigures", "/care/figures", "Figures of family beds by clinic and month"), "", a.careFigures)
}

// Pause is a programme that stands still.
type Pause struct {
	Programme string    `json:"programme" doc:"empty for all"`
	At        time.Time `json:"at"`
	Reason    string    `json:"reason,omitempty"`
}

func (a *API) listPauses(ctx context.Context, v *visit, _ *struct{}) (*Page[Pause], error) {
	list, err := a.Care.Pauses(ctx, v.Tx)
	if err != nil {
		return nil, err
	}
	page := &Page[Pause]{Items: []Pause{}}
	for _, p := range list {
		page.Items = append(page.Items, Pause{Programme: p.Programme, At: p.At.UTC(), Reason: p.Reason})
	}
	return page, nil
}

type pauseInput struct {
	Keyed
	Body struct {
		Programme string `json:"programme,omitempty" maxLength:"40" doc:"code of the programme; all of them when missing"`
		Reason    string `json:"reason,omitempty" maxLength:"200" doc:"for whoever finds it paused"`
	}
}

type resumeInput struct {
	Keyed
	Body struct {
		Programme string `json:"programme,omitempty" maxLength:"40" doc:"code of the programme; all of them when missing"`
	}
}

// Paused says whether something was changed.
type Paused struct {
	Done bool `json:"done" doc:"false where it was so before"`
}

// Resumed says what had waited.
type Resumed struct {
	Done    bool `json:"done" doc:"false where it did not stand still"`
	Due     int  `json:"due" doc:"rows that go out now"`
	Expired int  `json:"expired" doc:"rows that were too late"`
}

func (a *API) pauseCare(ctx context.Context, v *visit, in *pauseInput) (*Paused, error) {
	done, err := a.Care.Pause(ctx, v.Tx, v.staff.ID, in.Body.Programme, in.Body.Reason)
	if errors.Is(err, homecare.ErrNoProgramme) {
		return nil, invalid("body.programme", "no programme is called so")
	}
	return &Paused{done}, err
}

func (a *API) resumeCare(ctx context.Context, v *visit, in *resumeInput) (*Resumed, error) {
	r, err := a.Care.Resume(ctx, v.Tx, v.staff.ID, in.Body.Programme)
	if errors.Is(err, homecare.ErrNoProgramme) {
		return nil, invalid("body.programme", "no programme is called so")
	}
	return &Resumed{Done: r.Done, Due: r.Due, Expired: r.Expired}, err
}

// Said is something that was, or will be, due.
type Said struct {
	Programme string     `json:"programme"`
	Rung      string     `json:"rung" doc:"of the programme's ladder"`
	Subject   string     `json:"subject" doc:"such as visit:9"`
	Role      string     `json:"role" doc:"for whom"`
	Person    int64      `json:"person,omitempty"`
	At        time.Time  `json:"at"`
	NotAfter  *time.Time `json:"not_after,omitempty"`
	State     string     `json:"state" doc:"planned, running, done, cleared, expired, dropped, failed, suppressed"`
	Reason    string     `json:"reason,omitempty" doc:"why it was not said"`
	EndedAt   *time.Time `json:"ended_at,omitempty"`
	Sent      []Sent     `json:"sent,omitempty"`
	Asked     *Asked     `json:"asked,omitempty"`
}

// Sent is one message of it.
type Sent struct {
	Channel string    `json:"channel"`
	State   string    `json:"state" doc:"queued, sending, sent, failed, unknown, stale"`
	Why     string    `json:"why,omitempty"`
	Report  string    `json:"report,omitempty" doc:"what the network said later"`
	At      time.Time `json:"at"`
}

// Asked is what became of a question.
type Asked struct {
	Outcome  string     `json:"outcome,omitempty" doc:"missing while it is open"`
	OpenedAt time.Time  `json:"opened_at"`
	Until    time.Time  `json:"until"`
	ClosedAt *time.Time `json:"closed_at,omitempty"`
}

// Done is what somebody did.
type Done struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Subject string    `json:"subject"`
}

// Ledger is what was found.
type Ledger struct {
	Entries []Said `json:"entries"`
	Events  []Done `json:"events,omitempty"`
	More    bool   `json:"more" doc:"there is more: ask for fewer days"`
}

func saidOf(e homecare.LedgerEntry) Said {
	s := Said{
		Programme: e.Programme, Rung: e.Rung, Subject: e.Subject, Role: string(e.Role), Person: e.Person, At: e.At.UTC(), NotAfter: moment(e.NotAfter),
		State: e.State, Reason: e.Reason, EndedAt: moment(e.EndedAt),
	}
	for _, m := range e.Sent {
		s.Sent = append(s.Sent, Sent{Channel: m.Channel, State: m.State, Why: m.Why, Report: m.Report, At: m.At.UTC()})
	}
	if e.Asked != nil {
		s.Asked = &Asked{Outcome: e.Asked.Outcome, OpenedAt: e.Asked.OpenedAt.UTC(), Until: e.Asked.Until.UTC(), ClosedAt: moment(e.Asked.ClosedAt)}
	}
	return s
}

func ledgerOf(l homecare.Ledger) *Ledger {
	out := &Ledger{Entries: []Said{}, More: l.More}
	for _, e := range l.Entries {
		out.Entries = append(out.Entries, saidOf(e))
	}
	for _, e := range l.Events {
		out.Events = append(out.Events, Done{At: e.At.UTC(), Kind: e.Kind, Subject: e.Subject})
	}
	return out
}

type ledgerInput struct {
	Bed  int64  `query:"bed" required:"true" minimum:"1"`
	From string `query:"from" format:"date" doc:"first day; 7 days ago when missing"`
	To   string `query:"to" format:"date" doc:"last day; today when missing"`
}

// ledgerDays is how far back a ledger reaches when nothing else is asked for.
const ledgerDays = 7

func (a *API) careLedger(ctx context.Context, v *visit, in *ledgerInput) (*Ledger, error) {
	if _, _, err := a.bedAt(ctx, v, in.Bed); err != nil {
		return nil, err
	}
	from, to, err := a.days(v, in.From, in.To, ledgerDays, 0)
	if err != nil {
		return nil, err
	}
	l, err := a.Care.Ledger(ctx, v.Tx, homecare.LedgerOf{Bed: in.Bed, From: from, To: to})
	if err != nil {
		return nil, err
	}
	return ledgerOf(l), nil
}

type dueInput struct {
	Bed  int64 `query:"bed" minimum:"0" doc:"only around this bed"`
	Days int   `query:"days" minimum:"1" maximum:"14" default:"7" doc:"today included"`
}

// careDue is what the token's own beds will hear; of other organisations nothing is
// said.
func (a *API) careDue(ctx context.Context, v *visit, in *dueInput) (*Ledger, error) {
	of := homecare.LedgerOf{Bed: in.Bed}
	of.From, of.To = a.Care.Days(v.Now, in.Days)
	var err error
	if in.Bed != 0 {
		_, _, err = a.bedAt(ctx, v, in.Bed)
	} else {
		of.Orgs, err = a.orgs(ctx, v)
	}
	if err != nil {
		return nil, err
	}
	l, err := a.Care.Preview(ctx, v.Tx, of)
	if err != nil {
		return nil, err
	}
	return ledgerOf(l), nil
}

type careFiguresInput struct {
	Months
	Clinic string `query:"clinic" maxLength:"32" doc:"code of one clinic"`
}

// CareFigure are the figures of a clinic in a month. Formulas: docs/zh/figures.md.
type CareFigure struct {
	Month  string `json:"month"`
	Clinic string `json:"clinic"`
	Name   string `json:"name"`

	Beds     int `json:"beds" doc:"at the end of the month, or now"`
	Opened   int `json:"opened"`
	Closed   int `json:"closed"`
	BedDays  int `json:"bed_days"`
	HeldDays int `json:"held_days" doc:"those of them on which care was suspended"`

	Done      int             `json:"done"`
	Missed    int             `json:"missed" doc:"could not be made good inside the ordered interval"`
	Cancelled int             `json:"cancelled"`
	Open      int             `json:"open" doc:"still to come"`
	MadeUp    int             `json:"made_up" doc:"visits that were given another time after they had failed"`
	MadeGood  int             `json:"made_good"`
	PerWeek   *float64        `json:"per_week,omitempty" doc:"visits done for each open bed and week"`
	Nobody    int             `json:"nobody_home"`
	Lost      int             `json:"lost_minutes" doc:"from departure to giving up before a closed door"`
	Rates     map[string]Rate `json:"rates" doc:"done, missed, confirmed, silent, satisfied (3 to 5 of 5), top (4 and 5), replied"`
	// Reasons are counts by missed, cancelled and skipped, then by reason.
	Reasons map[string]map[string]int `json:"reasons"`
}

func careFigureOf(month time.Time, f tally.CareFigures) CareFigure {
	out := CareFigure{
		Month: month.Format("2006-01"), Clinic: f.Code, Name: f.Name, Beds: f.Beds, Opened: f.Opened, Closed: f.Closed, BedDays: f.Days, HeldDays: f.Held,
		Done: f.Done, Missed: f.Missed, Cancelled: f.Cancelled, Open: f.Open, MadeUp: f.MadeUp, MadeGood: f.MadeGood, Nobody: f.Nobody, Lost: f.LostMinutes,
		Rates: map[string]Rate{}, Reasons: f.Reasons,
	}
	if out.Reasons == nil {
		out.Reasons = map[string]map[string]int{}
	}
	if n, ok := f.PerWeek(); ok {
		out.PerWeek = &n
	}
	for name, r := range map[string]figures.Rate{
		"done": f.DoneRate(), "missed": f.MissedRate(), "confirmed": f.ConfirmedRate(), "silent": f.SilentRate(), "satisfied": f.SatisfiedRate(),
		"top": f.TopRate(), "replied": f.ReplyRate(),
	} {
		out.Rates[name] = rateOf(r)
	}
	return out
}

func (a *API) careFigures(ctx context.Context, v *visit, in *careFiguresInput) (*Page[CareFigure], error) {
	from, err := month("from", in.From, a.Tally.Month(v.Now, 0))
	if err != nil {
		return nil, err
	}
	to, err := month("to", in.To, from)
	if err != nil {
		return nil, err
	}
	if to.Before(from) || !to.Before(from.AddDate(0, mostCareMonths, 0)) {
		return nil, invalid("query.to", fmt.Sprintf("1 to %d months, the first one first", mostCareMonths))
	}
	clinics, err := v.Clinics(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the clinics: %w", err)
	}
	ids := a.Tally.CareClinics(a.Orders.Rights, v.staff, v.Now, clinics)
	if in.Clinic != "" {
		ids = slices.DeleteFunc(ids, func(id int64) bool {
			return !slices.ContainsFunc(clinics, func(c db.Clinic) bool { return c.ID == id && c.Code == in.Clinic })
		})
	}
	if len(ids) == 0 {
		return nil, errForbidden
	}
	page := &Page[CareFigure]{Items: []CareFigure{}}
	for m := from; !m.After(to); m = m.AddDate(0, 1, 0) {
		of, _, err := a.Tally.Care(ctx, v.Tx, tally.CareScope{Month: m, Clinics: ids}, v.Now)
		if err != nil {
			return nil, err
		}
		for _, f := range of {
			page.Items = append(page.Items, careFigureOf(m, f))
		}
	}
	return page, nil
}

// mostCareMonths bounds how many months one answer reads: each is read anew.
const mostCareMonths = 12
