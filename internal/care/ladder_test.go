package care_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/care"
)

// The timeline of one visit, reference 1.4, line by line.
func TestTheLadderOfAVisit(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.plan(at("2026-03-10 02:00"))
	id := int64(2) // Tuesday 17 March; not the first of its order
	want := []string{
		"03-14 10:00 ask_early carer_1",
		"03-16 18:30 ask carer_1",
		"03-17 07:00 nudge carer_1 (quiet_hours)",
		"03-17 07:30 call_morning desk",
		"03-17 09:15 late_visitor visitor",
		"03-17 09:30 late_desk desk",
		"03-17 10:00 late_doctor desk_lead",
		"03-17 10:00 late_doctor doctor",
	}
	if got := w.due(id, at("2026-03-10 02:00")); !slices.Equal(got, want) {
		t.Errorf("planned:\n%s", strings.Join(got, "\n"))
	}
	w.must(id, system, care.Tell{Asked: true}, at("2026-03-16 18:30"))
	if got := w.due(id, at("2026-03-16 19:00")); !slices.Contains(got, "03-16 20:00 ask_second carer_2") {
		t.Errorf("silent: %v", got)
	}
	w.must(id, daughter, care.Confirm{}, at("2026-03-16 19:30"))
	want = []string{"03-17 09:15 late_visitor visitor", "03-17 09:30 late_desk desk", "03-17 10:00 late_doctor desk_lead", "03-17 10:00 late_doctor doctor"}
	if got := w.due(id, at("2026-03-16 19:30")); !slices.Equal(got, want) {
		t.Errorf("confirmed: the family hears more, %v", got)
	}
	w.must(id, nurse, care.Leave{}, at("2026-03-17 08:40"))
	want = []string{"03-17 08:40 coming carer_1", "03-17 09:40 late_on_way desk"}
	if got := w.due(id, at("2026-03-17 08:40")); !slices.Equal(got, want) {
		t.Errorf("on the way: %v", got)
	}
	w.must(id, nurse, care.Arrive{Adult: true}, at("2026-03-17 09:00"))
	if got := w.due(id, at("2026-03-17 09:00")); !slices.Equal(got, []string{"03-17 10:10 inside_long desk"}) {
		t.Errorf("inside: %v", got)
	}
	w.must(id, nurse, care.Help{}, at("2026-03-17 09:05"))
	if got := w.due(id, at("2026-03-17 09:05")); !slices.Contains(got, "03-17 09:05 help desk") {
		t.Errorf("help: %v", got)
	}
	w.must(id, nurse, care.Finish{Present: sonID}, at("2026-03-17 09:40"))
	v := w.visits[id-1]
	ladder := func(h care.History, now string) []string {
		return lines(w.r.Ladder(w.r.OfVisit(w.bed, v, h), at(now)))
	}
	want = []string{"03-17 11:40 survey present", "03-17 19:00 note_visitor visitor", "03-18 09:00 note_desk desk"}
	if got := ladder(care.History{Survey: true}, "2026-03-17 09:40"); !slices.Equal(got, want) {
		t.Errorf("done: %v", got)
	}
	want[0] += " (asked_lately)"
	if got := ladder(care.History{Held: care.WhyAskedLately}, "2026-03-17 09:40"); !slices.Equal(got, want) {
		t.Errorf("asked lately: %v", got)
	}
	want = []string{"03-17 19:00 note_visitor visitor", "03-17 20:10 low_call quality", "03-18 09:00 note_desk desk", "03-20 17:30 low_hospital hospital"}
	got := ladder(care.History{Survey: true, Answer: 1, AnsweredAt: at("2026-03-17 20:10")}, "2026-03-17 09:40")
	if !slices.Equal(got, want) {
		t.Errorf("one star: %v", got)
	}
	if got := ladder(care.History{Survey: true, Answer: 1, AnsweredAt: at("2026-03-17 20:10"), Called: true}, "2026-03-21 09:40"); len(got) != 0 {
		t.Errorf("settled: %v", got)
	}
	if to := w.r.OfVisit(w.bed, v, care.History{}).Who[care.ToPresent]; to.Person != sonID || !to.Neutral {
		t.Errorf("the question goes to %+v", to)
	}
}

// After 20:00 the question waits for ten the next morning; the noon rest is left
// alone.
func TestWhenTheSurveyComes(t *testing.T) {
	for done, want := range map[string]string{
		"2026-03-17 17:20": "03-17 19:20", "2026-03-17 18:30": "03-18 10:00", "2026-03-17 10:45": "03-17 14:00", "2026-03-17 22:30": "03-18 10:00",
	} {
		r := newRules(t)
		b := openBed(t, r, at("2026-03-03 09:00"), true)
		v := care.Visit{ID: 1, State: care.VisitDone, Noted: true, StateAt: at(done), Date: date("2026-03-17"), Window: span("09:00-11:00")}
		got := lines(r.Ladder(r.OfVisit(b, v, care.History{Survey: true}), at(done)))
		if !slices.Equal(got, []string{want + " survey present"}) {
			t.Errorf("done at %s: %v, want %s", done, got, want)
		}
	}
}

// Moving twice in ten minutes sends one notice; a visit that is near is told at
// once.
func TestTwoMovesOneNotice(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.must(1, system, care.Tell{}, at("2026-03-05 09:00"))
	var pending []care.Due
	sync := func(now string) (clear []care.Due) {
		clear, add := care.Reconcile(pending, w.ladder(1, at(now)))
		pending = append(slices.DeleteFunc(pending, func(d care.Due) bool { return slices.Contains(clear, d) }), add...)
		return clear
	}
	sync("2026-03-05 09:00")
	w.must(1, desk, care.Move{Date: date("2026-03-11"), Window: span("09:00-11:00"), Free: true}, at("2026-03-06 09:00"))
	if clear := sync("2026-03-06 09:00"); len(clear) == 0 {
		t.Error("the old rows stay")
	}
	w.must(1, desk, care.Move{Date: date("2026-03-12"), Window: span("09:00-11:00"), Free: true}, at("2026-03-06 09:08"))
	sync("2026-03-06 09:08")
	var notices []string
	for _, d := range pending {
		if d.Kind == "changed" {
			notices = append(notices, d.At.In(shanghai).Format("15:04")+d.Key)
		}
		if d.Version != w.visits[0].Version {
			t.Errorf("a row of an old version: %+v", d)
		}
	}
	slices.Sort(notices)
	if len(notices) != 2 || notices[0] != "09:18v3/p12" || notices[1] != "09:18v3/p13" {
		t.Errorf("notices %v", notices)
	}
	w.must(1, desk, care.Move{Date: date("2026-03-12"), Window: span("11:00-12:00"), Free: true}, at("2026-03-12 08:30"))
	if got := w.due(1, at("2026-03-12 08:30")); !slices.Contains(got, "03-12 08:30 changed others") {
		t.Errorf("three hours before: %v", got)
	}
}

// Who chose the new time is not told what he said; one phone gets one text.
func TestWhoHearsOfAChange(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.bed.Patient.Address = sonPhone // the old man and his son share one phone
	w.must(1, daughter, care.Move{Date: date("2026-03-11"), Window: span("09:00-11:00"), Free: true}, at("2026-03-05 09:00"))
	w.must(1, daughter, care.Move{Date: date("2026-03-12"), Window: span("09:00-11:00"), Free: true}, at("2026-03-05 10:00"))
	var to []int64
	for _, d := range w.ladder(1, at("2026-03-05 10:00")) {
		if d.Kind == "changed" {
			to = append(to, d.To.Person)
		}
	}
	if !slices.Equal(to, []int64{sonID}) {
		t.Errorf("told %v", to)
	}
}

// A carer who stopped texts is passed over; with nobody left to write to the
// desk rings. Leaving texts never leaves care (reference 1.6).
func TestStoppedTextsClimbTheLadder(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	asks := func() []string {
		return filterPrefix(w.due(2, at("2026-03-16 09:00")), "03-16 18:30 ask ")
	}
	w.plan(at("2026-03-10 02:00"))
	w.bed.Carers[0].Stopped = true
	if got := asked(w.ladder(2, at("2026-03-16 09:00"))); !slices.Equal(got, []int64{sonID}) {
		t.Errorf("the first carer stopped: %v are asked", got)
	}
	w.bed.Carers[1].Stopped = true
	if got := asks(); !slices.Equal(got, []string{"03-16 18:30 ask desk"}) {
		t.Errorf("both stopped: %v", got)
	}
	for _, d := range w.ladder(2, at("2026-03-16 09:00")) {
		if d.Kind == "ask" && (!d.Task || d.Asks) {
			t.Errorf("the desk is asked instead of told to ring: %+v", d)
		}
	}
	w.bed.Patient.Address = 111
	if got := asked(w.ladder(2, at("2026-03-16 09:00"))); !slices.Equal(got, []int64{patientID}) {
		t.Errorf("the patient is not asked himself: %v", got)
	}
}

// asked are the persons of the evening question.
func asked(dues []care.Due) []int64 {
	var out []int64
	for _, d := range dues {
		if d.Kind == "ask" && d.Sends() {
			out = append(out, d.To.Person)
		}
	}
	return out
}

func filterPrefix(all []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.HasPrefix(s, prefix) })
}

func TestTheLadderOfABed(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-03 09:00")
	b := openBed(t, r, now, true) // until 31 May
	want := []string{
		"03-03 09:00 duties carer_1", "03-03 09:00 opened_hospital hospital",
		"05-17 08:30 renew_14 desk", "05-17 08:30 renew_14 doctor", "05-24 08:30 renew_7 desk", "05-24 08:30 renew_7 doctor",
		"05-24 10:00 renew_family carer_1", "05-28 08:30 renew_3 desk", "05-28 08:30 renew_3 doctor",
		"06-01 08:30 overdue desk_lead", "06-01 08:30 overdue hospital",
	}
	if b.Period().To != date("2026-05-31") {
		t.Fatalf("period %+v", b.Period())
	}
	if got := lines(r.Ladder(r.OfBed(b), now)); !slices.Equal(got, want) {
		t.Errorf("open:\n%s", strings.Join(got, "\n"))
	}
	b = bedDo(t, r, b, doctor, care.Renew{To: date("2026-06-30")}, at("2026-05-25 09:00"))
	got := lines(r.Ladder(r.OfBed(b), at("2026-05-25 09:00")))
	if len(got) == 0 || got[0] != "06-16 08:30 renew_14 desk" {
		t.Errorf("renewed: %v", got)
	}
	b = bedDo(t, r, b, doctor, care.Close{Outcome: "improved", HasDiagnosis: true}, at("2026-06-01 09:00"))
	if got := lines(r.Ladder(r.OfBed(b), at("2026-06-01 09:00"))); !slices.Equal(got, []string{"06-08 10:00 after_close desk"}) {
		t.Errorf("closed: %v", got)
	}
}

func TestTheLadderOfAnApplication(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-06 09:00") // a Friday
	a := applied(t, r, now)
	want := []string{"03-09 17:30 step_due desk", "03-10 09:00 step_late desk_lead", "03-12 09:00 step_stuck hospital"}
	if got := lines(r.Ladder(r.OfApplication(a), now)); !slices.Equal(got, want) {
		t.Errorf("submitted: %v", got)
	}
	a, _, err := r.Application(a, desk, care.Return{Reason: "papers"}, now)
	if err != nil {
		t.Fatal(err)
	}
	want = []string{"03-11 10:00 papers_wanted applicant", "03-13 17:30 papers_call desk"}
	if got := lines(r.Ladder(r.OfApplication(a), now)); !slices.Equal(got, want) {
		t.Errorf("returned: %v", got)
	}
}

// What comes a second time is due a second time, though no version has changed:
// a cry for help, a wrong code, somebody who leaves texts, a withdrawal after a new
// signature. Looking again makes no new row.
func TestWhatComesAgainIsDueAgain(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	sent := map[string]bool{}
	fresh := func(kind string, now time.Time) int {
		n := 0
		for _, o := range []care.Occasion{w.r.OfVisit(w.bed, w.visits[0], care.History{}), w.r.OfBed(w.bed)} {
			for _, d := range w.r.Ladder(o, now) {
				if d.Kind == kind && d.To.Role == care.ToDesk && d.Sends() && !sent[d.Subject+id(d)] {
					sent[d.Subject+id(d)] = true
					n++
				}
			}
		}
		return n
	}
	twice := func(kind string, now time.Time, do func(now time.Time)) {
		t.Helper()
		for i := range 2 {
			do(now)
			if got := fresh(kind, now); got != 1 {
				t.Errorf("%s, time %d: %d new rows for the desk", kind, i+1, got)
			}
			if now = now.Add(20 * time.Minute); fresh(kind, now) != 0 {
				t.Errorf("%s: looking again made a new row", kind)
			}
		}
	}
	bed := func(by care.Actor, c care.BedCommand, now time.Time) {
		t.Helper()
		if err := w.onBed(by, c, now); err != nil {
			t.Fatal(err)
		}
	}
	twice("wrong_code", at("2026-03-10 08:00"), func(now time.Time) { w.must(1, daughter, care.WrongCode{}, now) })
	w.must(1, nurse, care.Leave{}, at("2026-03-10 09:00"))
	twice("help", at("2026-03-10 09:10"), func(now time.Time) { w.must(1, nurse, care.Help{}, now) })
	people := []care.Actor{daughter, {As: care.AsFamily, Person: sonID}}
	twice("stopped_call", at("2026-03-10 10:00"), func(now time.Time) {
		bed(people[0], care.Texts{Person: people[0].Person, Stop: true}, now)
		people = people[1:]
	})
	twice("consent_call", at("2026-03-10 11:00"), func(now time.Time) {
		if !w.bed.Agreement.Stands() {
			bed(desk, care.Sign{Agreement: agreement(now)}, now)
		}
		bed(daughter, care.WithdrawConsent{}, now)
	})
}

func TestClearance(t *testing.T) {
	for kind, want := range map[care.EventKind]care.Subject{
		care.EventDied: care.ClearPatient, care.EventClosed: care.ClearBed, care.EventSuspended: care.ClearBed,
		care.EventConsentWithdrawn: care.ClearBed, care.EventCancelled: care.ClearVisit, care.EventReleased: care.ClearVisit,
		care.EventMissed: care.ClearVisit, care.EventDone: care.ClearVisit, care.EventRejected: care.ClearApplication,
	} {
		c, ok := care.Clears(kind)
		if !ok || c.Subject != want || c.Reason != kind || c.Family != (kind == care.EventConsentWithdrawn) {
			t.Errorf("%s clears %+v, %t", kind, c, ok)
		}
	}
	if _, ok := care.Clears(care.EventConfirmed); ok {
		t.Error("an answer clears the visit")
	}
}

func TestOneOpenQuestionAtOneAddress(t *testing.T) {
	now := at("2026-03-09 18:30")
	ask := func(visit int64, code string, start string) care.Prompt {
		return care.Prompt{
			Address: daughterPhone, Code: code, Until: at(start),
			Visits: []care.Asked{{VisitID: visit, Version: 1, Start: at(start)}},
		}
	}
	open := care.Ask(nil, ask(2, "", "2026-03-10 14:30"), now)
	open = care.Ask(open, ask(1, "", "2026-03-10 09:00"), now)
	if len(open) != 1 || len(open[0].Visits) != 2 || open[0].Visits[0].VisitID != 1 || !open[0].Until.Equal(at("2026-03-10 14:30")) {
		t.Fatalf("open %+v", open)
	}
	open = care.Ask(open, ask(1, "", "2026-03-10 09:00"), now)
	if len(open) != 1 || len(open[0].Visits) != 2 {
		t.Errorf("asked twice: %+v", open)
	}
	if open = care.Ask(open, ask(3, "07", "2026-03-11 09:00"), now); len(open) != 2 {
		t.Errorf("another extension: %+v", open)
	}
	if open = care.Ask(open, ask(4, "", "2026-03-12 09:00"), at("2026-03-10 15:00")); len(open) != 2 || len(open[1].Visits) != 1 {
		t.Errorf("what is over stays: %+v", open)
	}
}

func TestOtherProgrammes(t *testing.T) {
	r := newRules(t)
	names, err := configs.Names("programmes", ".yaml")
	if err != nil || len(names) != 8 {
		t.Fatalf("%v, %v", names, err)
	}
	occasion := func(code, state, of, when string) care.Occasion {
		return care.Occasion{
			Programme: code, Of: care.OfOccasion, Subject: "occasion:1", State: state, StateAt: at(when), Consent: true,
			At:  map[care.Anchor]time.Time{care.Anchor(of): at(when)},
			Who: map[care.Role]care.Recipient{care.ToMember: {Person: 1, Address: 2}, care.ToStaff: {Staff: nurseID}, care.ToDesk: {}},
		}
	}
	for _, c := range []struct {
		o    care.Occasion
		want []string
	}{
		{occasion("blood_donation", "planned", "donated", "2025-08-31 10:00"), []string{"08-31 14:00 thanks member", "03-01 10:00 again member"}},
		{occasion("care_free", "planned", "admitted", "2026-03-03 16:00"), []string{"03-04 10:00 day_two member"}},
		{occasion("care_free", "planned", "discharged", "2026-03-03 10:00"), []string{"03-06 10:00 discharge_call desk", "03-06 16:00 discharge_survey member"}},
		{occasion("free_clinic", "planned", "held", "2026-03-14 08:30"), []string{"03-11 10:00 soon member", "03-13 17:00 tomorrow member"}},
		{occasion("training", "planned", "held", "2026-03-14 14:00"), []string{"03-13 17:00 tomorrow staff", "03-14 12:00 today staff"}},
	} {
		var first time.Time
		for _, when := range c.o.At {
			first = when.AddDate(0, 0, -10)
		}
		if got := lines(r.Ladder(c.o, first)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.o.Programme, got, c.want)
		}
	}
	off := occasion("free_clinic", "cancelled", "held", "2026-03-14 08:30")
	off.StateAt = at("2026-03-14 06:10")
	if got := lines(r.Ladder(off, at("2026-03-14 06:10"))); !slices.Equal(got, []string{"03-14 07:00 called_off member"}) {
		t.Errorf("rained off: %v", got)
	}
	if p, ok := r.Programme("training"); !ok || !p.Carries("wecom") || p.Carries("wechat") || p.Carries("telegram") {
		t.Error("training goes by WeCom and SMS only")
	}
	if p, ok := r.Programme("pairing"); !ok || !p.Carries("wechat") {
		t.Error("pairing goes by any channel")
	}
}

// A programme with a cadence is planned like an order, one missed round reaches
// the leader, and the visited are never written to.
func TestGridRoundsAreConfiguration(t *testing.T) {
	r := newRules(t)
	p, _ := r.Programme("grid_rounds")
	b, err := p.Enrol(5, care.Patient{Person: patientID, Address: 111, Where: care.AtHome}, nurseID, date("2026-03-03"), date("2026-06-30"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, r: r, bed: b}
	w.plan(at("2026-03-03 02:00"))
	if got := days(w); got != "03-03 03-10 03-17" {
		t.Fatalf("planned %s", got)
	}
	ladder := func(id int64, now string) []care.Due {
		return r.Ladder(r.OfEnrolled("grid_rounds", w.bed, w.visits[id-1], false), at(now))
	}
	if got := lines(ladder(1, "2026-03-03 02:00")); !slices.Equal(got, []string{"03-03 08:30 today staff", "03-03 17:00 result staff"}) {
		t.Errorf("today: %v", got)
	}
	w.plan(at("2026-03-07 02:00"))
	if got := lines(ladder(1, "2026-03-07 02:00")); !slices.Equal(got, []string{"03-07 08:00 missed desk_lead"}) {
		t.Errorf("missed: %v", got)
	}
	w.must(2, nurse, care.Arrive{}, at("2026-03-10 09:00"))
	w.must(2, nurse, care.Finish{Alone: true}, at("2026-03-10 09:15"))
	for _, v := range w.visits {
		for _, d := range ladder(v.ID, "2026-03-03 02:00") {
			if d.To.Person != 0 {
				t.Errorf("the visited is written to: %+v", d)
			}
		}
	}
	free, _ := r.Programme("free_clinic")
	if _, err := free.Enrol(1, care.Patient{}, 1, date("2026-03-03"), date("2026-03-04")); err == nil {
		t.Error("enrolled without a cadence")
	}
}

func TestProgrammeErrors(t *testing.T) {
	body, err := configs.Read("programmes/pairing.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", "consent: programme", "consents: programme", "consents"},
		{"consent", "consent: programme", "consent: maybe", "consent must be"},
		{"code", "programme: pairing", "programme: Pairing", "programme: \"Pairing\""},
		{"cadence", "every: 30", "every: 20", "cadence needs every"},
		{"holiday", "on_holiday: keep", "on_holiday: move", "cadence.on_holiday"},
		{"minutes", "minutes: 60", "minutes: -1", "cadence.minutes"},
		{"subject", "  occasion:", "  visit:", "ladders.visit: the subjects are [occasion]"},
		{"anchor", "due: {of: start, days: -7", "due: {days: -7", "due.of is missing"},
		{"anchor name", "due: {of: start, days: -7", "due: {of: Start-1, days: -7", "is no anchor"},
		{"days", "due: {of: start, days: -7", "due: {of: start, workdays: 2, days: -7", "days or workdays"},
		{"by", "due: {of: start, days: -7", "due: {of: start, by: \"20:00\", days: -7", "by and else belong together"},
		{"role", "to: [member]", "to: [mother]", `to "mother"`},
		{"no role", "to: [member]", "to: []", "to is missing"},
		{"state", "while: [missed]", "while: [gone]", `while "gone"`},
		{"flag", "while: [missed]", "if: [sunny]", `if "sunny"`},
		{"late", "late: now", "late: never", "late must be"},
		{"class", "class: normal", "class: loud", "class must be"},
		{"quiet", "on_quiet: later", "on_quiet: scream", "on_quiet must be"},
		{"twice", "kind: tomorrow", "kind: arrange", "stands twice"},
		{"kind", "kind: tomorrow", "kind: Tomorrow!", "kind must be"},
		{"a task for the family", "to: [desk]", "to: [member]", "a task is staff's"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := strings.Replace(string(body), c.from, c.to, 1)
			if changed == string(body) {
				t.Fatalf("%q does not stand in the file", c.from)
			}
			if _, err := care.ParseProgramme("pairing.yaml", []byte(changed)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func FuzzParseProgramme(f *testing.F) {
	body, err := configs.Read("programmes/blood_donation.yaml") // the shortest
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Fuzz(func(t *testing.T, body []byte) {
		if p, err := care.ParseProgramme("x", body); err == nil && p.Validate() != nil {
			t.Error("parsed and not valid")
		}
	})
}
