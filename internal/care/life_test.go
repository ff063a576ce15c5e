package care_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/scheduler"
)

// dice decide a random life. That they are no rapid.T makes ten thousand lives
// a matter of seconds; a failure names the seed instead of shrinking.
type dice struct{ *rand.Rand }

func pick[T any](d *dice, list []T) T { return list[d.IntN(len(list))] }

// lives runs f on n random lives.
func lives(t *testing.T, n int, f func(t *testing.T, d *dice)) {
	t.Helper()
	seed, life := rand.Uint64(), 0
	defer func() {
		if t.Failed() {
			t.Logf("seed %d, life %d", seed, life)
		}
	}()
	for life = range n {
		if f(t, &dice{rand.New(rand.NewPCG(seed, uint64(life)))}); t.Failed() {
			return
		}
	}
}

// household is a world with the rows of table due and the prompts, run as the
// gateway will run them: due rows by the clock, read again before they go.
type household struct {
	*world
	d       *dice
	now     time.Time
	quiet   scheduler.Quiet
	rows    map[string]map[string]*row // by subject, and by kind and key
	seen    map[int64]care.Visit       // as they were when their rows were planned
	stamp   int
	prompts []care.Prompt
	answers map[int64]care.History // of the surveys, by visit
	// What the oracle knows, of the commands that were done and not of the rules.
	lost     bool           // consent was withdrawn, or the patient is not at home
	dead     bool           //
	stopped  map[int64]bool // who left texts
	messages int
	surveys  int
}

func newHousehold(w *world, d *dice, q scheduler.Quiet, now time.Time) *household {
	return &household{
		world: w, d: d, quiet: q, now: now, rows: map[string]map[string]*row{}, answers: map[int64]care.History{}, stopped: map[int64]bool{},
	}
}

type row struct {
	care.Due
	state string     // planned, sent, cleared
	about care.Visit // what the text would say
}

func id(d care.Due) string { return d.Kind + " " + d.Key }

// settle replans bed, visits and rows, as one transaction does after each
// command.
func (h *household) settle() {
	h.plan(h.now)
	stamp := h.bed.Version
	for _, it := range h.bed.Items {
		stamp += it.Missed << 16
	}
	if h.stamp != stamp {
		h.stamp, h.seen = stamp, map[int64]care.Visit{}
		h.reconcile(h.r.OfBed(h.bed), care.Visit{})
	}
	for _, v := range h.visits {
		if v.State.Waiting() && (v.Date.Compare(v.Earliest) < 0 || v.Date.Compare(v.Latest) > 0) {
			h.Fatalf("outside its interval: %+v", v)
		}
		if h.seen[v.ID] != v {
			h.seen[v.ID] = v
			history := h.answers[v.ID]
			history.Survey = true
			h.reconcile(h.r.OfVisit(h.bed, v, history), v)
		}
	}
	for _, p := range h.prompts {
		for _, a := range p.Visits {
			v := h.visits[a.VisitID-1]
			dead := h.lost || h.dead || !v.State.Waiting() || v.Version != a.Version
			if p.Until.After(h.now) && dead && h.r.Reply(h.bed, v, a.Version, h.now) == care.Live {
				h.Fatalf("an answer to %+v would still count for %+v", a, v)
			}
		}
	}
	if h.calls%3 == 0 {
		h.slotsAreWhole()
	}
}

func (h *household) reconcile(o care.Occasion, v care.Visit) {
	var pending []care.Due
	rows := h.rows[o.Subject]
	for _, r := range rows {
		if r.state == "planned" {
			pending = append(pending, r.Due)
		}
	}
	clear, add := care.Reconcile(pending, h.r.Ladder(o, h.now))
	for _, d := range clear {
		rows[id(d)].state = "cleared"
	}
	for _, d := range add {
		if rows == nil {
			rows = map[string]*row{}
			h.rows[o.Subject] = rows
		}
		if r, ok := rows[id(d)]; !ok || r.state == "cleared" {
			rows[id(d)] = &row{d, "planned", v}
		}
	}
}

// slotsAreWhole: every slot that is over has exactly one end, and no slot two
// visits.
func (h *household) slotsAreWhole() {
	type slot struct {
		item int64
		n    int
	}
	count := map[slot]int{}
	for _, v := range h.visits {
		if v.State != care.VisitReleased {
			count[slot{v.ItemID, v.Slot}]++
		}
	}
	for _, s := range h.skips {
		count[slot{s.ItemID, s.Slot}]++
		if s.Reason == "" {
			h.Fatalf("skipped without a reason: %+v", s)
		}
	}
	for s, n := range count {
		if n > 1 {
			h.Fatalf("slot %+v has %d ends: %+v", s, n, h.visits)
		}
	}
	for _, it := range h.bed.Items {
		for n := 1; n <= it.Seq; n++ {
			if count[slot{it.ID, n}] != 1 && h.bed.State != care.BedClosed {
				h.Fatalf("slot %d of %+v was lost", n, it)
			}
		}
	}
}

// pass lets time go on to a moment, firing what is due on the way.
func (h *household) pass(to time.Time) {
	var due []*row
	for _, rows := range h.rows {
		for _, r := range rows {
			if r.state == "planned" && !r.At.After(to) {
				due = append(due, r)
			}
		}
	}
	slices.SortFunc(due, func(a, b *row) int { return a.At.Compare(b.At) })
	for _, r := range due {
		if r.state != "planned" {
			continue
		}
		if r.At.After(h.now) {
			h.now = r.At
		}
		h.fire(r)
	}
	h.now = to
}

func (h *household) fire(r *row) {
	if !h.now.Before(r.NotAfter) {
		r.state = "expired"
		return
	}
	if !r.Task && !h.quiet.Open(h.now, r.Class) {
		return // put off
	}
	r.state = "sent"
	h.messages++
	h.permitted(r.Due)
	var n int64
	if _, err := fmt.Sscanf(r.Subject, "visit:%d", &n); err != nil {
		return
	}
	v := h.visits[n-1]
	h.meant(r, v)
	switch {
	case r.Kind == "survey":
		if h.surveys++; h.answers[n].Answer != 0 {
			h.Fatalf("asked again about %+v", v)
		}
		if h.d.IntN(3) > 0 {
			h.answers[n] = care.History{Answer: 1 + h.d.IntN(5), AnsweredAt: h.now}
			delete(h.seen, n)
			h.settle()
		}
	case r.Asks && r.To.Person != 0:
		h.prompts = care.Ask(h.prompts, care.Prompt{
			Address: r.To.Address, Code: pick(h.d, []string{"", "07"}), Until: r.NotAfter,
			Visits: []care.Asked{{VisitID: n, Version: v.Version, Start: v.Start(shanghai)}},
		}, h.now)
		seen := map[string]bool{}
		for _, p := range h.prompts {
			k := fmt.Sprint(p.Address, "/", p.Code)
			if seen[k] {
				h.Fatalf("two open prompts at %s", k)
			}
			seen[k] = true
		}
	}
	if r.Kind == "ask" || r.Kind == "ask_early" || r.Kind == "notice" {
		if v, events, err := h.r.Visit(h.bed, v, system, care.Tell{Asked: r.Asks}, h.now); err == nil {
			must(h, v, events, nil)
			h.put(v)
			h.settle()
		}
	}
}

// permitted is the oracle for the family: live consent, at home and alive, of the
// household, texts not left. It knows nothing of ladders.
func (h *household) permitted(d care.Due) {
	to := d.To.Person
	if to == 0 {
		return
	}
	known := to == patientID || slices.ContainsFunc(h.bed.Carers, func(c care.Carer) bool { return c.Person == to })
	switch {
	case h.lost || h.dead:
		h.Fatalf("at %s the family is written to without consent: %+v", h.now, d)
	case h.stopped[to]:
		h.Fatalf("at %s written to somebody who stopped: %+v", h.now, d)
	case !known || d.To.Address == 0:
		h.Fatalf("at %s written to a stranger: %+v", h.now, d)
	}
}

// afterwards is what may still be said about a visit that has ended, to anybody.
// A wrong code is looked into whatever became of the visit.
var afterwards = map[care.VisitState][]string{
	care.VisitDone:      {"survey", "note_visitor", "note_desk", "low_call", "low_hospital", "wrong_code"},
	care.VisitMissed:    {"missed_doctor", "missed_hospital", "wrong_code"},
	care.VisitCancelled: {"dropped", "dropped_visitor", "wrong_code"},
	care.VisitReleased:  {"released_visitor", "dropped_order", "wrong_code"},
}

// meant is the oracle for what was cleared: nothing is said about an old version,
// about what has ended only what belongs there, and nobody rings the family of the
// dead because of a bad mark.
func (h *household) meant(r *row, v care.Visit) {
	d, was := r.Due, r.about
	low := h.answers[v.ID].Answer
	switch {
	case was.Date != v.Date || was.Window != v.Window || was.Staff != v.Staff:
		h.Fatalf("%s says what is no longer true: %+v, now %+v", d.Kind, was, v)
	case d.Version != v.Version:
		h.Fatalf("about an old version %d: %+v", d.Version, v)
	case !v.State.Open() && !slices.Contains(afterwards[v.State], d.Kind):
		h.Fatalf("after its end, %+v for %+v", d, v)
	case d.Kind == "low_call" && (low == 0 || low > 2 || h.dead || d.To.Staff == v.Staff):
		h.Fatalf("answered with %d, dead %t: %+v", low, h.dead, d)
	}
}

// act tries something that somebody could do.
func (h *household) act() {
	d := h.d
	if d.IntN(4) == 0 || len(h.visits) == 0 {
		h.actOnBed()
		return
	}
	var open []care.Visit
	for _, v := range h.visits {
		if v.State.Open() {
			open = append(open, v)
		}
	}
	v := h.visits[d.IntN(len(h.visits))]
	if len(open) > 0 && d.IntN(8) > 0 {
		v = open[d.IntN(len(open))]
	}
	visitor := care.Actor{As: care.AsVisitor, Staff: v.Staff}
	load := care.NewLoad(h.visits, h.away)
	move := care.Move{Date: v.Date, Window: v.Window, Free: true}
	if offers := h.r.FreeWindows(h.bed, v, h.visits, load, h.now); len(offers) > 0 {
		o := pick(d, offers)
		move.Date, move.Window = o.Date, o.Window
		if o.Date.Compare(v.Earliest) < 0 || o.Date.Compare(v.Latest) > 0 {
			h.Fatalf("offered outside the interval: %+v", o)
		}
	}
	by, c := daughter, care.VisitCommand(care.Confirm{})
	switch d.IntN(14) {
	case 0:
		by, c = daughter, care.AskMove{}
	case 1:
		c = care.Decline{Cancel: d.IntN(2) == 0}
	case 2:
		c = move
	case 3:
		by, c = desk, move
	case 4:
		by, c = desk, care.Reassign{Staff: pick(d, []int64{nurseID, otherID})}
	case 5:
		by, c = desk, care.Cancel{Reason: "family"}
	case 6:
		by, c = visitor, care.Fail{Reason: pick(d, []string{"weather", "visitor_sick", "magic"})}
	case 7, 8, 9, 10:
		h.goThere(v, visitor)
		return
	case 11:
		by, c = visitor, care.Help{}
	case 12:
		by, c = daughter, care.WrongCode{}
	}
	h.refusedOrDone(h.do(v.ID, by, c, h.now))
}

// goThere plays the day of a visit.
func (h *household) goThere(v care.Visit, visitor care.Actor) {
	start := v.Start(shanghai)
	if !v.State.Open() || start.Before(h.now) || start.Sub(h.now) > 72*time.Hour {
		return
	}
	h.pass(start.Add(-20 * time.Minute))
	if v = h.visits[v.ID-1]; v.Date != scheduler.DateOf(h.now) {
		return
	}
	h.refusedOrDone(h.do(v.ID, visitor, care.Leave{}, h.now))
	h.settle()
	h.pass(h.now.Add(20 * time.Minute))
	if h.d.IntN(6) == 0 {
		h.refusedOrDone(h.do(v.ID, visitor, care.NobodyHome{}, h.now))
		return
	}
	h.refusedOrDone(h.do(v.ID, visitor, care.Arrive{Adult: h.d.IntN(8) > 0}, h.now))
	h.settle()
	h.pass(h.now.Add(40 * time.Minute))
	if h.d.IntN(10) > 0 {
		h.refusedOrDone(h.do(v.ID, visitor, care.Finish{Present: daughterID, Noted: h.d.IntN(2) == 0}, h.now))
	}
}

func (h *household) actOnBed() {
	d := h.d
	by, c := desk, care.BedCommand(care.Resume{Discharged: d.IntN(2) == 0})
	switch d.IntN(13) {
	case 12:
		by, c = daughter, care.Texts{Person: daughterID, Stop: d.IntN(2) == 0}
	case 0:
		by, c = hospital, care.Suspend{Reason: care.SuspendAdmission}
	case 1:
		c = care.Suspend{Reason: pick(d, []string{"away", "refused", "boredom"})}
	case 2:
		by, c = daughter, care.WithdrawConsent{}
	case 3, 4:
		c = care.Sign{Agreement: agreement(h.now)}
	case 5:
		c = care.Renew{}
	case 6:
		some := slices.Clone(carers)
		some[d.IntN(2)].Stopped = d.IntN(2) == 0
		some[1].Address = pick(d, []int64{sonPhone, daughterPhone})
		some = some[:1+d.IntN(2)]
		c = care.Household{Carers: some, LivesAlone: d.IntN(2) == 0, Dependent: d.IntN(2) == 0}
	case 7:
		c = care.Order{Item: anyItem(d, int64(2+d.IntN(3)))}
	case 8:
		c = care.EndOrder{ItemID: int64(2 + d.IntN(3))}
	case 9:
		if d.IntN(4) == 0 {
			c = care.Close{Outcome: "improved", HasDiagnosis: true}
		}
	case 10:
		if d.IntN(6) == 0 {
			by, c = hospital, care.Death{}
		}
	}
	err := h.onBed(by, c, h.now)
	h.refusedOrDone(err)
	if err != nil {
		return
	}
	switch c := c.(type) {
	case care.Texts:
		for _, k := range h.bed.Carers { // and who reads the same phone
			if k.Person == c.Person || k.Address == addressOf(h.bed.Carers, c.Person) {
				h.stopped[k.Person] = c.Stop
			}
		}
	case care.Household:
		h.stopped = map[int64]bool{}
		for _, k := range c.Carers {
			h.stopped[k.Person] = k.Stopped
		}
	case care.WithdrawConsent, care.Suspend, care.Close:
		h.lost = true
	case care.Resume:
		h.lost = false
	case care.Death:
		h.dead = true
	}
}

func addressOf(carers []care.Carer, person int64) int64 {
	return carers[slices.IndexFunc(carers, func(c care.Carer) bool { return c.Person == person })].Address
}

func anyItem(d *dice, id int64) care.Item {
	it := care.Item{ID: id, Kind: pick(d, []string{"round", "wound", "nursing", "infusion", "sampling"}), Staff: pick(d, []int64{nurseID, otherID})}
	switch d.IntN(4) {
	case 0:
		it.Weekdays = []time.Weekday{time.Weekday(d.IntN(7))}
	case 1:
		it.Weekdays, it.Weeks = []time.Weekday{time.Tuesday, time.Friday}, d.IntN(3)
	case 2:
		it.Every = 2 + d.IntN(9)
	}
	if d.IntN(3) == 0 {
		it.OnHoliday = pick(d, []scheduler.OnHoliday{scheduler.HolidayKeep, scheduler.HolidaySkip, scheduler.NextWorkday, scheduler.PrevWorkday})
	}
	return it
}

func (h *household) refusedOrDone(err error) {
	h.Helper()
	if err != nil && key(err) == "" {
		h.Fatalf("failed: %v", err)
	}
	h.settle()
}

// Issue 7, done 3: no reminder without live consent, none after clearing, never
// two open prompts at one address and code; and no slot lost or doubled.
func TestTenThousandHouseholds(t *testing.T) {
	p := policy(t)
	p.Plan.Horizon = 6 // fewer visits, more lives
	r := rulesOf(t, p)
	_, q := quiet(t)
	begin := openBed(t, r, at("2026-01-28 09:00"), true)
	sent, visits, surveys := 0, 0, 0
	lives(t, sequences, func(t *testing.T, d *dice) {
		h := newHousehold(&world{TB: t, r: r, bed: begin, every: 3}, d, q, at("2026-01-28 09:00"))
		h.refusedOrDone(h.onBed(desk, care.Order{Item: anyItem(d, 2)}, h.now))
		for range 8 {
			to := h.now.Add(pick(d, []time.Duration{5 * time.Minute, 3 * time.Hour, 11 * time.Hour, 26 * time.Hour, 73 * time.Hour}))
			if d.IntN(10) > 0 {
				h.pass(to)
			}
			h.now = to
			h.settle()
			h.act()
		}
		sent += h.messages
		surveys += h.surveys
		visits += len(h.visits)
	})
	if sent < 5*sequences || visits < 2*sequences || surveys < sequences/10 {
		t.Errorf("dull lives: %d messages, %d visits, %d surveys", sent, visits, surveys)
	}
}
