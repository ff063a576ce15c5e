package care_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/care"
	"shaoying/scheduler"
)

var shanghai = func() *time.Location {
	loc, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return loc
}()

// at reads "2026-03-03 18:30" in Shanghai.
func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, shanghai)
	if err != nil {
		panic(err)
	}
	return t
}

func date(s string) scheduler.Date {
	d, err := scheduler.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func span(s string) scheduler.Span {
	p, err := scheduler.ParseSpan(s)
	if err != nil {
		panic(err)
	}
	return p
}

func policy(t testing.TB) care.Policy {
	t.Helper()
	body, err := configs.Read("policies/care.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := care.ParsePolicy("care.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func programmes(t testing.TB) []care.Programme {
	t.Helper()
	all, err := care.Programmes()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func quiet(t testing.TB) (scheduler.HoursPolicy, scheduler.Quiet) {
	t.Helper()
	body, err := configs.Read("policies/hours.yaml")
	if err != nil {
		t.Fatal(err)
	}
	hours, err := scheduler.ParseHours("hours.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	q, err := scheduler.NewQuiet(hours, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return hours, q
}

func workTime(t testing.TB) *scheduler.WorkTime {
	t.Helper()
	body, err := configs.Read("calendars/cn.csv")
	if err != nil {
		t.Fatal(err)
	}
	days, err := scheduler.ParseCalendarCSV("cn.csv", body)
	if err != nil {
		t.Fatal(err)
	}
	cal, err := scheduler.NewCalendar(days)
	if err != nil {
		t.Fatal(err)
	}
	hours, _ := quiet(t)
	w, err := scheduler.NewWorkTime(cal, hours.Work.Spans, shanghai)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newRules(t testing.TB) *care.Rules {
	t.Helper()
	once.Do(func() { standard = rulesOf(t, policy(t)) })
	return standard
}

// Rules are immutable; reading the files once makes ten thousand lives cheap.
var (
	once     sync.Once
	standard *care.Rules
)

func rulesOf(t testing.TB, p care.Policy) *care.Rules {
	t.Helper()
	_, q := quiet(t)
	r, err := care.NewRules(p, programmes(t), workTime(t), q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The cast: invented persons only.
const (
	patientID  = 11
	daughterID = 12
	sonID      = 13
	strangerID = 14
	doctorID   = 21
	nurseID    = 22
	otherID    = 23
	deskID     = 24

	daughterPhone = 112
	sonPhone      = 113
)

var (
	daughter = care.Actor{As: care.AsFamily, Person: daughterID}
	desk     = care.Actor{As: care.AsDesk, Staff: deskID}
	doctor   = care.Actor{As: care.AsDoctor, Staff: doctorID}
	nurse    = care.Actor{As: care.AsVisitor, Staff: nurseID}
	hospital = care.Actor{As: care.AsHospital, Staff: 31}
	system   = care.Actor{As: care.AsSystem}
)

var carers = []care.Carer{
	{Person: daughterID, Relation: "daughter", Address: daughterPhone},
	{Person: sonID, Relation: "son", Address: sonPhone, Shared: true},
}

func agreement(now time.Time) care.Agreement {
	return care.Agreement{
		Form: care.OnPaper, Notice: 1, Terms: 1, Signer: daughterID, Relation: "daughter", SignedAt: now.Add(-time.Hour), Scan: "5",
		GridWorker: true,
	}
}

func key(err error) string {
	var r *care.Refused
	if errors.As(err, &r) {
		return r.Key
	}
	return ""
}

// must runs a command that the rules allow.
func must[T any](t testing.TB, v T, events []care.Event, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if len(events) == 0 {
		t.Fatal("the command left no event")
	}
	return v
}

func bedDo(t testing.TB, r *care.Rules, b care.Bed, by care.Actor, c care.BedCommand, now time.Time) care.Bed {
	t.Helper()
	b, events, err := r.Bed(b, by, c, now)
	return must(t, b, events, err)
}

func visitDo(t testing.TB, r *care.Rules, b care.Bed, v care.Visit, by care.Actor, c care.VisitCommand, now time.Time) care.Visit {
	t.Helper()
	v, events, err := r.Visit(b, v, by, c, now)
	return must(t, v, events, err)
}

func applied(t testing.TB, r *care.Rules, now time.Time) care.Application {
	t.Helper()
	a, events, err := r.Application(care.Application{ID: 1}, daughter, care.Apply{
		Patient:   care.Patient{Person: patientID, Where: care.AtHome, Grid: "360302001001001"},
		Applicant: daughterID, Address: daughterPhone, Clinic: 7, Complete: true,
	}, now)
	return must(t, a, events, err)
}

// pendingBed is a bed of an application that went all the way, not signed yet.
func pendingBed(t testing.TB, r *care.Rules, now time.Time) care.Bed {
	t.Helper()
	a := applied(t, r, now)
	for _, c := range []care.ApplicationCommand{
		care.Screen{Answers: map[string]bool{"stable": true, "housebound": true, "served": true, "adult": true}},
		care.Assess{Condition: true, Home: true},
		care.Register{},
	} {
		next, events, err := r.Application(a, desk, c, now)
		a = must(t, next, events, err)
	}
	b, err := r.NewBed(a, "treatment", 9)
	if err != nil {
		t.Fatal(err)
	}
	b.ID = 7
	return bedDo(t, r, b, desk, care.Household{Carers: carers}, now)
}

// openBed is an open bed without orders but the first visit, and without that
// one when bare.
func openBed(t testing.TB, r *care.Rules, now time.Time, bare bool) care.Bed {
	t.Helper()
	b := pendingBed(t, r, now)
	b = bedDo(t, r, b, desk, care.Sign{Agreement: agreement(now)}, now)
	b = bedDo(t, r, b, desk, care.Open{
		Doctor: doctorID, Nurse: nurseID, HasDiagnosis: true, FirstVisitID: 1, To: scheduler.DateOf(now).AddDays(89),
	}, now)
	if bare {
		b.Items = nil
	}
	return b
}

func round(every int) care.Item {
	return care.Item{ID: 2, Kind: "round", Every: every, Staff: nurseID}
}

// world holds a bed with its visits as a database would.
type world struct {
	testing.TB
	r      *care.Rules
	bed    care.Bed
	visits []care.Visit
	skips  []care.Skip
	events []care.Event
	away   []care.Absence
	calls  int
	every  int // how often silence is checked; 0 and 1 are always
}

func (w *world) trust() int { return max(w.every, 1) }

// plan runs the planner and writes what it says; it must then be silent.
func (w *world) plan(now time.Time) care.Plan {
	w.Helper()
	p := w.r.Plan(w.bed, w.visits, care.NewLoad(w.visits, w.away), now)
	w.write(p)
	if w.calls++; w.calls%w.trust() != 0 {
		return p
	}
	if again := w.r.Plan(w.bed, w.visits, care.NewLoad(w.visits, w.away), now); !again.Empty() {
		w.Fatalf("at %s: planned again it is not silent:\n%+v\n%+v", now, again.Changes, again.Skipped)
	}
	return p
}

func (w *world) write(p care.Plan) {
	w.Helper()
	w.bed = p.Bed
	for _, c := range p.Changes {
		if len(c.Events) > 0 {
			w.events = append(w.events, c.Events...)
		}
		if c.New() {
			v := c.After
			v.ID = int64(len(w.visits) + 1)
			w.visits = append(w.visits, v)
			continue
		}
		w.put(c.After)
	}
	w.skips = append(w.skips, p.Skipped...)
	w.events = append(w.events, p.Events...)
}

func (w *world) put(v care.Visit) { w.visits[v.ID-1] = v }

// do runs a command on a visit, settles it and plans again.
func (w *world) do(id int64, by care.Actor, c care.VisitCommand, now time.Time) error {
	w.Helper()
	v, events, err := w.r.Visit(w.bed, w.visits[id-1], by, c, now)
	if err != nil {
		return err
	}
	w.put(v)
	w.events = append(w.events, events...)
	var more []care.Event
	w.bed, more = w.r.Settle(w.bed, v)
	w.events = append(w.events, more...)
	w.plan(now)
	return nil
}

func (w *world) must(id int64, by care.Actor, c care.VisitCommand, now time.Time) {
	w.Helper()
	if err := w.do(id, by, c, now); err != nil {
		w.Fatal(err)
	}
}

func (w *world) onBed(by care.Actor, c care.BedCommand, now time.Time) error {
	w.Helper()
	b, events, err := w.r.Bed(w.bed, by, c, now)
	if err != nil {
		return err
	}
	w.bed = b
	w.events = append(w.events, events...)
	w.plan(now)
	return nil
}

// open lists the open visits as "2026-03-10 round".
func (w *world) open() []string {
	var out []string
	for _, v := range w.visits {
		if v.State.Open() {
			out = append(out, v.Date.String()+" "+v.Kind)
		}
	}
	return out
}

// due is the ladder of a visit as "03-03 18:30 ask p12", what is not sent with
// its reason.
func (w *world) due(id int64, now time.Time) []string { return lines(w.ladder(id, now)) }

func (w *world) ladder(id int64, now time.Time) []care.Due {
	return w.r.Ladder(w.r.OfVisit(w.bed, w.visits[id-1], care.History{}), now)
}

func lines(dues []care.Due) []string {
	var out []string
	for _, d := range dues {
		to := string(d.To.Role)
		if d.Why != "" {
			to += " (" + d.Why + ")"
		}
		out = append(out, d.At.In(shanghai).Format("01-02 15:04")+" "+d.Kind+" "+to)
	}
	return out
}
