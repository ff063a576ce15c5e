package care_test

import (
	"slices"
	"testing"
	"time"

	"shaoying/internal/care"
)

func TestAVisitFromDepartureToRecord(t *testing.T) {
	w := planned(t, care.Item{Kind: "infusion", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	for _, c := range []struct {
		name, want, when string
		by               care.Actor
		c                care.VisitCommand
	}{
		{"somebody else's visit", care.KeyNotYours, "2026-03-10 08:40", care.Actor{As: care.AsVisitor, Staff: otherID}, care.Leave{}},
		{"on another day", care.KeyStarted, "2026-03-09 08:40", nurse, care.Leave{}},
		{"a stranger confirms", care.KeyNotYours, "2026-03-09 08:40", care.Actor{As: care.AsFamily, Person: strangerID}, care.Confirm{}},
		{"inside before the door", care.KeyState, "2026-03-10 08:40", nurse, care.NobodyHome{}},
		{"arrived on another day", care.KeyStarted, "2026-03-11 09:40", nurse, care.Arrive{Adult: true}},
	} {
		if err := w.do(1, c.by, c.c, at(c.when)); key(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
	w.must(1, system, care.Tell{Asked: true}, at("2026-03-09 18:30"))
	w.must(1, daughter, care.Confirm{}, at("2026-03-09 18:40"))
	w.must(1, nurse, care.Leave{}, at("2026-03-10 08:40"))
	if err := w.do(1, nurse, care.Arrive{}, at("2026-03-10 09:00")); key(err) != care.KeyAdult {
		t.Errorf("an infusion without an adult: %v", err)
	}
	w.must(1, nurse, care.Arrive{Adult: true}, at("2026-03-10 09:00"))
	w.must(1, nurse, care.Help{}, at("2026-03-10 09:10"))
	for name, c := range map[string]care.Finish{
		"nobody named":    {},
		"a stranger":      {Present: strangerID},
		"before it began": {Present: daughterID, At: at("2026-03-10 08:50")},
	} {
		if err := w.do(1, nurse, c, at("2026-03-10 10:30")); err == nil {
			t.Errorf("finished with %s", name)
		}
	}
	w.must(1, nurse, care.Finish{Present: daughterID}, at("2026-03-10 10:30"))
	v := w.visits[0]
	if v.State != care.VisitDone || v.Noted || v.Present != daughterID || w.bed.Items[0].Next != date("2026-03-17") {
		t.Errorf("%+v", v)
	}
	w.must(1, nurse, care.Note{}, at("2026-03-10 11:00"))
	if err := w.do(1, nurse, care.Note{}, at("2026-03-10 11:00")); key(err) != care.KeySame {
		t.Errorf("noted twice: %v", err)
	}
}

func TestAnswersAfterTheWindowSayNothing(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	for _, c := range []care.VisitCommand{care.Confirm{}, care.AskMove{}, care.Decline{}} {
		if _, _, err := w.r.Visit(w.bed, w.visits[0], daughter, c, at("2026-03-10 11:00")); key(err) != care.KeyStarted {
			t.Errorf("%s: %v", c.Name(), err)
		}
	}
}

// A message cancels no care: the desk rings, and only the desk takes a visit out.
func TestCancellingEndsWithACall(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	now := at("2026-03-09 18:40")
	if err := w.do(1, daughter, care.Cancel{Reason: "family"}, now); key(err) != care.KeyNotYours {
		t.Errorf("the family cancelled: %v", err)
	}
	w.must(1, daughter, care.Decline{Cancel: true}, now)
	if got := w.due(1, now); !slices.Contains(got, "03-09 18:40 call_declined desk") || w.visits[0].State != care.VisitDeclined {
		t.Errorf("%s, due %v", w.visits[0].State, got)
	}
	if err := w.do(1, desk, care.Cancel{Reason: "because"}, now); key(err) != care.KeyReason {
		t.Errorf("for no reason: %v", err)
	}
	w.must(1, desk, care.Cancel{Reason: "family"}, now)
	if got := days(w); got != "03-17" {
		t.Errorf("planned again: %s", got)
	}
	if got := w.due(1, now); !slices.Equal(got, []string{"03-09 18:40 dropped others", "03-09 18:40 dropped others", "03-09 18:40 dropped_visitor visitor"}) {
		t.Errorf("family and visitor hear %v", got)
	}
}

func TestReassignedVisitKeepsItsAnswer(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	w.must(1, daughter, care.Confirm{}, at("2026-03-09 18:40"))
	w.must(1, desk, care.Reassign{Staff: otherID}, at("2026-03-09 19:00"))
	v := w.visits[0]
	if v.State != care.VisitConfirmed || v.Version != 2 || v.Staff != otherID || v.ConfirmedBy != daughterID {
		t.Errorf("%+v", v)
	}
	if got := w.due(1, at("2026-03-09 19:00")); len(got) < 2 || got[0] != "03-09 19:10 changed others" {
		t.Errorf("family and visitor hear %v", got)
	}
	if err := w.do(1, desk, care.Reassign{Staff: otherID}, at("2026-03-09 19:05")); key(err) != care.KeySame {
		t.Errorf("to the same: %v", err)
	}
	if err := w.do(1, nurse, care.Leave{}, at("2026-03-10 08:40")); key(err) != care.KeyNotYours {
		t.Errorf("the nurse who handed it on left: %v", err)
	}
}

// Missed only when it cannot be made up inside the ordered interval; then the
// doctor is told, and after two in a row the hospital (reference 1.3, 1.4).
func TestMissedMadeUpOrToldToTheDoctor(t *testing.T) {
	w := planned(t, care.Item{Kind: "round", Every: 7, Early: 1, Late: 1, From: date("2026-03-10"), OnHoliday: "keep"}, "2026-03-03")
	w.must(1, nurse, care.Leave{}, at("2026-03-10 08:40"))
	w.must(1, nurse, care.NobodyHome{}, at("2026-03-10 09:00"))
	got := w.due(1, at("2026-03-10 09:00"))
	for _, want := range []string{"03-10 09:00 nobody_home carer_1", "03-10 09:00 nobody_home carer_2", "03-10 09:00 nobody_desk desk", "03-10 09:00 make_up desk"} {
		if !slices.Contains(got, want) {
			t.Errorf("no %q in %v", want, got)
		}
	}
	w.plan(at("2026-03-11 02:00"))
	if v := w.visits[0]; v.State != care.VisitPlanned || v.Date != date("2026-03-11") || v.MakeUps != 1 || v.Version != 2 {
		t.Fatalf("made up: %+v", v)
	}
	w.must(1, nurse, care.Fail{Reason: "vehicle"}, at("2026-03-11 10:00"))
	if err := w.do(1, system, care.Miss{}, at("2026-03-11 20:00")); key(err) != care.KeyNotDue {
		t.Errorf("missed before the interval is over: %v", err)
	}
	w.plan(at("2026-03-12 02:00"))
	if v := w.visits[0]; v.State != care.VisitMissed || v.Reason != "vehicle" {
		t.Fatalf("%+v", v)
	}
	if got := w.due(1, at("2026-03-12 02:00")); len(got) != 1 || got[0] != "03-12 08:00 missed_doctor doctor" {
		t.Errorf("due %v", got)
	}
	w.must(2, nurse, care.Fail{Reason: "visitor_sick"}, at("2026-03-17 09:00"))
	w.must(2, doctor, care.Miss{Reason: "visitor_sick"}, at("2026-03-17 10:00"))
	got = w.due(2, at("2026-03-17 10:00"))
	if !slices.Contains(got, "03-17 10:00 missed_hospital hospital") || !slices.Contains(got, "03-17 10:00 missed_doctor doctor") {
		t.Errorf("two in a row: %v", got)
	}
	if !slices.ContainsFunc(w.events, func(e care.Event) bool { return e.Kind == care.EventMissedInRow }) {
		t.Error("no event says two in a row")
	}
	w.must(3, nurse, care.Arrive{Adult: true}, at("2026-03-24 09:00"))
	w.must(3, nurse, care.Finish{Alone: true}, at("2026-03-24 09:30"))
	if w.bed.Items[0].Missed != 0 {
		t.Error("a visit that was made does not end the row")
	}
}

// The hospital hears of a row once, not again for each visit that was missed
// before; a third one is told again. What is written down late ends a row only up
// to itself.
func TestTheHospitalHearsOfARowOnce(t *testing.T) {
	w := planned(t, care.Item{Kind: "infusion", Every: 1, From: date("2026-03-10")}, "2026-03-09")
	told := func(now time.Time) (visits []int64) {
		for _, v := range w.visits {
			for _, d := range w.ladder(v.ID, now) {
				if d.Kind == "missed_hospital" {
					visits = append(visits, v.ID)
				}
			}
		}
		return visits
	}
	for _, c := range []struct {
		day  string
		want []int64
	}{{"2026-03-11", nil}, {"2026-03-12", []int64{2}}, {"2026-03-13", []int64{3}}} {
		w.plan(date(c.day).At(2*60, shanghai))
		if got := told(at(c.day + " 09:00")); !slices.Equal(got, c.want) {
			t.Errorf("on %s the hospital hears of %v, want %v", c.day, got, c.want)
		}
	}
	w.must(2, desk, care.Finish{From: at("2026-03-11 09:00"), At: at("2026-03-11 10:00"), Alone: true}, at("2026-03-13 09:00"))
	if got := told(at("2026-03-13 09:00")); got != nil || w.bed.Items[0].Missed != 1 {
		t.Errorf("one in the middle was made: told of %v, %d in a row", got, w.bed.Items[0].Missed)
	}
}

// The grid worker is told only where the patient lives alone and the agreement
// says so.
func TestTheGridWorkerLooksIn(t *testing.T) {
	for _, c := range []struct{ alone, agreed, want bool }{{true, true, true}, {true, false, false}, {false, true, false}} {
		w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
		w.bed.Patient.LivesAlone, w.bed.Agreement.GridWorker = c.alone, c.agreed
		w.must(1, nurse, care.Leave{}, at("2026-03-10 08:40"))
		w.must(1, nurse, care.NobodyHome{}, at("2026-03-10 09:00"))
		if got := slices.Contains(w.due(1, at("2026-03-10 09:00")), "03-10 09:00 nobody_grid grid"); got != c.want {
			t.Errorf("alone %t, agreed %t: told %t", c.alone, c.agreed, got)
		}
	}
}

func TestWrittenDownLate(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, Late: 1, From: date("2026-03-10")}, "2026-03-03")
	w.plan(at("2026-03-12 02:00"))
	if w.visits[0].State != care.VisitMissed || w.visits[0].Reason != care.ReasonNotRecorded {
		t.Fatalf("%+v", w.visits[0])
	}
	if err := w.do(1, nurse, care.Finish{From: at("2026-03-10 09:00"), At: at("2026-03-10 09:30"), Alone: true}, at("2026-03-12 09:00")); key(err) != care.KeyIncomplete {
		t.Errorf("by the visitor: %v", err)
	}
	w.must(1, desk, care.Finish{From: at("2026-03-11 09:00"), At: at("2026-03-11 09:30"), Alone: true}, at("2026-03-12 09:00"))
	if it := w.bed.Items[0]; it.Missed != 0 || it.Next != date("2026-03-18") || days(w) != "03-18 03-25" {
		t.Errorf("%+v, planned %s", it, days(w))
	}
}

func TestRepliesMeetWhatIsTrue(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, Late: 2, From: date("2026-03-10")}, "2026-03-03")
	asked, night := w.visits[0].Version, at("2026-03-09 18:40")
	check := func(name string, want care.Standing, now time.Time) {
		t.Helper()
		if got := w.r.Reply(w.bed, w.visits[0], asked, now); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	check("in time", care.Live, night)
	check("after the window", care.Past, at("2026-03-10 11:00"))
	w.must(1, desk, care.Move{Date: date("2026-03-11"), Window: span("09:00-11:00"), Free: true}, night)
	check("moved", care.OldTime, night)
	asked = 2
	w.must(1, nurse, care.Leave{}, at("2026-03-11 08:50"))
	check("on the way", care.Going, at("2026-03-11 08:55"))
	w.must(1, nurse, care.NobodyHome{}, at("2026-03-11 09:00"))
	check("to be made up", care.ToMakeUp, at("2026-03-11 09:00"))
	w.must(1, desk, care.Cancel{Reason: "family"}, at("2026-03-11 09:10"))
	check("taken out", care.Cancelled, at("2026-03-11 09:10"))
	if err := w.onBed(hospital, care.Suspend{Reason: care.SuspendAdmission}, at("2026-03-11 10:00")); err != nil {
		t.Fatal(err)
	}
	if got := w.r.Reply(w.bed, w.visits[1], 1, at("2026-03-11 10:00")); got != care.Held {
		t.Errorf("in hospital: %s", got)
	}
}

func TestDoorCode(t *testing.T) {
	r := newRules(t)
	secret := slices.Repeat([]byte{7}, 32)
	v := care.Visit{ID: 9, State: care.VisitEnRoute, Date: date("2026-03-10")}
	code, err := care.DoorCode(secret, 9)
	if err != nil || len(code) != 4 {
		t.Fatalf("%q, %v", code, err)
	}
	if again, _ := care.DoorCode(secret, 9); again != code {
		t.Error("the code is not the same twice")
	}
	seen := map[string]int{}
	for id := range int64(2000) {
		c, err := care.DoorCode(secret, id)
		if err != nil || len(c) != 4 {
			t.Fatalf("%q, %v", c, err)
		}
		seen[c]++
	}
	if len(seen) < 1700 {
		t.Errorf("only %d codes of 2000 visits", len(seen))
	}
	wide := string([]rune{rune(code[0]) + 0xfee0, ' ', rune(code[1]) + 0xfee0}) + code[2:]
	wrong := string(code[0]^1) + code[1:]
	for _, c := range []struct {
		name, said, when string
		v                care.Visit
		tries            int
		want             care.Verdict
	}{
		{"right", code, "2026-03-10 09:00", v, 0, care.Right},
		{"wide and spaced", wide, "2026-03-10 09:00", v, 2, care.Right},
		{"wrong", wrong, "2026-03-10 09:00", v, 0, care.Wrong},
		{"nothing", "", "2026-03-10 09:00", v, 0, care.Wrong},
		{"the fourth time", code, "2026-03-10 09:00", v, 3, care.TooOften},
		{"yesterday", code, "2026-03-09 09:00", v, 0, care.NotToday},
		{"a visit that is over", code, "2026-03-10 09:00", care.Visit{ID: 9, State: care.VisitDone, Date: v.Date}, 0, care.NotToday},
	} {
		if got, err := r.Verify(secret, c.v, c.said, c.tries, at(c.when)); err != nil || got != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, got, err, c.want)
		}
	}
	if _, err := care.DoorCode([]byte("short"), 9); err == nil {
		t.Error("a short key is taken")
	}
	if _, err := r.Verify(nil, v, code, 0, at("2026-03-10 09:00")); err == nil {
		t.Error("no key is taken")
	}
}

func TestSurveyFatigue(t *testing.T) {
	r := newRules(t)
	now := at("2026-03-20 12:00")
	for _, c := range []struct {
		name string
		s    care.Surveys
		due  bool
		why  string
	}{
		{"first visit", care.Surveys{}, true, ""},
		{"second", care.Surveys{Done: 1}, false, ""},
		{"fifth", care.Surveys{Done: 4}, true, ""},
		{"asked last week", care.Surveys{LastPerson: now.AddDate(0, 0, -8)}, false, "asked_lately"},
		{"somebody else on this phone", care.Surveys{LastAddress: now.AddDate(0, 0, -3)}, false, "asked_lately"},
		{"long ago", care.Surveys{LastPerson: now.AddDate(0, 0, -20), LastAddress: now.AddDate(0, 0, -20)}, true, ""},
	} {
		if due, why := r.Surveyed(c.s, now); due != c.due || why != c.why {
			t.Errorf("%s: %t %s", c.name, due, why)
		}
	}
	if care.MayCallBack(care.Visit{Staff: nurseID}, nurseID) || !care.MayCallBack(care.Visit{Staff: nurseID}, otherID) {
		t.Error("who was rated calls back")
	}
}

// Four months in which two of a household, on one telephone, have visits in two
// programmes: whatever order they come in, nobody is asked sooner than the policy
// allows, and everybody is asked now and then.
func TestSurveyFatigueOverProgrammes(t *testing.T) {
	r := newRules(t)
	type person struct {
		done [2]int // by programme
		last time.Time
		n    int
	}
	lives(t, 200, func(t *testing.T, d *dice) {
		people, phone := [2]person{}, time.Time{}
		for now := at("2026-01-20 11:00"); now.Before(at("2026-05-20 11:00")); now = now.Add(time.Duration(1+d.IntN(40)) * time.Hour) {
			who, programme := &people[d.IntN(2)], d.IntN(2)
			due, why := r.Surveyed(care.Surveys{Done: who.done[programme], LastPerson: who.last, LastAddress: phone}, now)
			first := who.done[programme]%4 == 0
			who.done[programme]++
			switch {
			case due && why != "", !due && why == "" && first:
				t.Fatalf("due %t, why %q", due, why)
			case due && (!first || !who.last.IsZero() && now.Sub(who.last) < 14*24*time.Hour || !phone.IsZero() && now.Sub(phone) < 7*24*time.Hour):
				t.Fatalf("asked at %s, the person last at %s, the phone at %s", now, who.last, phone)
			case due:
				who.last, phone = now, now
				who.n++
			}
		}
		if people[0].n+people[1].n < 4 {
			t.Fatalf("%d and %d surveys in four months", people[0].n, people[1].n)
		}
	})
}

// 5 is best: 1 and 2 are called by somebody else, 3 to 5 and silence are not.
func TestTheLowestAnswersAreCalled(t *testing.T) {
	w := planned(t, care.Item{Kind: "wound", Every: 7, From: date("2026-03-10")}, "2026-03-03")
	visit(w, 1, "2026-03-10 09:10")
	now := at("2026-03-10 13:00")
	for answer := 0; answer <= w.r.Policy().Survey.Scale; answer++ {
		var low, survey []string
		h := care.History{Survey: true, Answer: answer}
		if answer > 0 {
			h.AnsweredAt = now
		}
		for _, d := range w.r.Ladder(w.r.OfVisit(w.bed, w.visits[0], h), now) {
			switch d.Kind {
			case "low_call", "low_hospital":
				low = append(low, d.Kind+" "+string(d.To.Role))
				if d.Kind == "low_call" && (!d.Task || !d.At.Equal(now) || !d.NotAfter.Equal(at("2026-03-13 17:30"))) {
					t.Errorf("%+v", d)
				}
			case "survey":
				survey = append(survey, string(d.To.Role))
			}
		}
		if called := answer == 1 || answer == 2; called != slices.Equal(low, []string{"low_call quality", "low_hospital hospital"}) || !called && len(low) > 0 {
			t.Errorf("answer %d: %v", answer, low)
		}
		if (answer == 0) != slices.Equal(survey, []string{"present"}) {
			t.Errorf("answer %d: asked %v", answer, survey)
		}
	}
	h := care.History{Survey: true, Answer: 1, AnsweredAt: now, Called: true}
	if got := lines(w.r.Ladder(w.r.OfVisit(w.bed, w.visits[0], h), now)); len(got) != 0 {
		t.Errorf("called and settled, still due: %v", got)
	}
}
