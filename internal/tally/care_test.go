package tally_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/care"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/tally"
	"shaoying/scheduler"
)

// slot is one slot of a random household as the slow way remembers it.
type slot struct {
	bed                int
	nominal, day       scheduler.Date
	state, reason      string
	staff              int64
	asked, yes, heard  bool
	makeUps, lost      int
	nobody             int
	surveyed, answered bool
	answer             int
}

// house is a random bed.
type house struct {
	clinic         int64
	opened, closed scheduler.Date // closed is zero while it goes on
	pauses         [][2]scheduler.Date
	other          bool // of another programme
}

// town is beds and slots that were written into the database, and kept.
type town struct {
	houses []house
	slots  []slot
}

const (
	townStart = "2026-01-05"
	townDays  = 110
	townStaff = 4
)

func date(s string) scheduler.Date {
	d, err := scheduler.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func (r *rig) town(seed uint64, beds int) *town {
	rnd := rand.New(rand.NewPCG(seed, 7))
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	r.exec(`insert into unit (code, name, kind) values ('hos', '一院', 'hospital'), ('c1', '青山', 'clinic'), ('c2', '白源', 'clinic'), ('c3', '无床', 'clinic')`)
	r.exec(`insert into clinic (code, name, tier, phone) values ('hos', '一院', 'hospital', '1')`)
	r.exec(`insert into clinic (code, name, tier, phone, hospital_id, townships) values ('c1', '青山', 'clinic', '1', 1, '{360313001}'), ('c2', '白源', 'clinic', '1', 1, '{360302001}'), ('c3', '无床', 'clinic', '1', null, '{360302002}')`)
	for i := range townStaff {
		r.exec(`with p as (insert into person (kind) values ('resident') returning id) insert into staff (person_id, slug, name) select id, $1, $2 from p`, fmt.Sprint("s", i), fmt.Sprint("护士", i))
	}
	w := &town{}
	start, zone := date(townStart), r.tally.Work.Location()
	for i := range beds {
		h := house{clinic: int64(2 + rnd.IntN(2)), opened: start.AddDays(rnd.IntN(60)), other: rnd.IntN(12) == 0}
		last := start.AddDays(townDays)
		if rnd.IntN(3) == 0 {
			h.closed = h.opened.AddDays(1 + rnd.IntN(50))
			last = h.closed
		}
		var pauses []string
		for from := h.opened.AddDays(1 + rnd.IntN(30)); from.Compare(last) < 0 && rnd.IntN(2) == 0; {
			to := from.AddDays(rnd.IntN(12))
			end := to
			if rnd.IntN(4) == 0 {
				end = scheduler.Date{}
			}
			h.pauses = append(h.pauses, [2]scheduler.Date{from, end})
			pauses = append(pauses, fmt.Sprintf(`{"Reason":"away","From":{"Year":%d,"Month":%d,"Day":%d},"To":{"Year":%d,"Month":%d,"Day":%d}}`,
				from.Year, from.Month, from.Day, end.Year, end.Month, end.Day))
			if end == (scheduler.Date{}) {
				break
			}
			from = to.AddDays(1 + rnd.IntN(10))
		}
		state, stateAt, programme := "open", h.opened, "family_bed"
		if h.closed != (scheduler.Date{}) {
			state, stateAt = "closed", h.closed
		}
		if h.other {
			programme = "grid_rounds"
		}
		r.exec(`with p as (insert into person (kind) values ('resident') returning id)
			insert into bed (programme, clinic_id, person_id, patient, state, pauses, opened_at, state_at, version)
			select $1, $2, id, '{}', $3, $4::jsonb, $5, $6, 1 from p`, programme, h.clinic, state, "["+strings.Join(pauses, ",")+"]",
			h.opened.At(scheduler.TimeOfDay(rnd.IntN(1440)), zone), stateAt.At(scheduler.TimeOfDay(rnd.IntN(1440)), zone))
		w.houses = append(w.houses, h)
		for n := range 1 + rnd.IntN(20) {
			w.slots = append(w.slots, r.slot(rnd, pick, i, n, h.opened.AddDays(n*4+rnd.IntN(3))))
		}
	}
	return w
}

// slot writes one slot through the states that a visit goes through.
func (r *rig) slot(rnd *rand.Rand, pick func(...string) string, bed, n int, nominal scheduler.Date) slot {
	s := slot{bed: bed, nominal: nominal, day: nominal.AddDays(rnd.IntN(3) - 1), staff: int64(1 + rnd.IntN(townStaff))}
	item := bed + 1
	if rnd.IntN(8) == 0 {
		s.state, s.reason = "skipped", pick(care.ReasonHoliday, care.ReasonTooLate, "away")
		r.exec(`insert into visit_skip (item_id, slot, bed_id, nominal, reason) values ($1, $2, $3, $4, $5)`, item, n, bed+1, postgres.DayOf(nominal), s.reason)
		return s
	}
	zone := r.tally.Work.Location()
	at := s.day.At(9*60, zone)
	var id int64
	err := r.sql.QueryRow(r.t.Context(), `insert into visit (bed_id, item_id, slot, kind, state, version, day, starts, ends, minutes, staff_id, nominal, earliest, latest, made_at, state_at)
		values ($1, $2, $3, 'nursing', 'planned', 1, $4, 540, 660, 40, $5, $6, $6, $6, $7, $7) returning id`,
		bed+1, item, n, postgres.DayOf(s.day), s.staff, postgres.DayOf(nominal), at).Scan(&id)
	if err != nil {
		r.t.Fatal(err)
	}
	to := func(state, reason string, when time.Time) {
		s.state, s.reason = state, reason
		r.exec(`update visit set state = $2, reason = $3, state_at = $4 where id = $1`, id, state, reason, when)
	}
	for again := true; again; {
		again = false
		if rnd.IntN(4) > 0 {
			r.exec(`update visit set asked_at = $2 where id = $1`, id, at.Add(-15*time.Hour))
			to("notified", "", at.Add(-15*time.Hour))
			s.asked = true
		}
		switch rnd.IntN(4) {
		case 0:
			to("confirmed", "", at.Add(-14*time.Hour))
			s.yes, s.heard = true, true
		case 1:
			to(pick("move_asked", "declined"), "", at.Add(-14*time.Hour))
			s.yes, s.heard = false, true
		}
		switch rnd.IntN(8) {
		case 0:
			minutes := 1 + rnd.IntN(90)
			r.exec(`update visit set left_at = $2 where id = $1`, id, at)
			to("en_route", "", at)
			to("to_make_up", care.ReasonNobodyHome, at.Add(time.Duration(minutes)*time.Minute))
			s.lost += minutes
			s.nobody++
			if again = rnd.IntN(2) == 0; again {
				s.makeUps++
				r.exec(`update visit set make_ups = make_ups + 1, asked_at = null, left_at = null where id = $1`, id)
				to("planned", "", at.Add(2*time.Hour))
				s.asked, s.yes, s.heard = false, false, false
			}
		case 1:
			to("missed", pick(care.ReasonNobodyHome, "weather", care.ReasonNotRecorded), at)
		case 2:
			to("cancelled", pick("family", "doctor"), at)
		case 3:
			to("released", "away", at)
		case 4: // still to come
		default:
			to("done", "", at)
		}
	}
	if s.surveyed = s.state == "done" && rnd.IntN(2) == 0; s.surveyed {
		var answer string
		if s.answered = rnd.IntN(3) > 0; s.answered {
			s.answer = 1 + rnd.IntN(5)
			answer = strconv.Itoa(s.answer)
		}
		r.exec(`insert into survey (kind, person_id, subject, sent_at, answered_at, answer) values ('visit', 1, $1, $2, $3, $4)`,
			postgres.Subject("visit", id), at, map[bool]*time.Time{true: &at}[s.answered], answer)
	}
	return s
}

// slowCare counts everything one by one.
func (w *town) slowCare(first, today scheduler.Date, clinic int64) tally.CareFigures {
	f := tally.CareFigures{Clinic: clinic}
	note := func(end, reason string) {
		if f.Reasons == nil {
			f.Reasons = map[string]map[string]int{}
		}
		if f.Reasons[end] == nil {
			f.Reasons[end] = map[string]int{}
		}
		f.Reasons[end][reason]++
	}
	in := func(d scheduler.Date) bool { return d.Year == first.Year && d.Month == first.Month }
	for _, h := range w.houses {
		if h.clinic != clinic || h.other {
			continue
		}
		goes := func(d scheduler.Date) bool {
			return h.opened.Compare(d) <= 0 && (h.closed == scheduler.Date{} || d.Compare(h.closed) < 0)
		}
		var last scheduler.Date
		for d := first; in(d) && d.Compare(today) <= 0; d = d.AddDays(1) {
			last = d
			if !goes(d) {
				continue
			}
			f.Days++
			for _, p := range h.pauses {
				if p[0].Compare(d) <= 0 && (p[1] == scheduler.Date{} || d.Compare(p[1]) < 0) {
					f.Held++
				}
			}
		}
		if last == (scheduler.Date{}) {
			continue
		}
		// A bed that is closed today was there until yesterday.
		if goes(last) {
			f.Beds++
		}
		if in(h.opened) && h.opened.Compare(today) <= 0 {
			f.Opened++
		}
		if in(h.closed) && h.closed.Compare(today) <= 0 {
			f.Closed++
		}
	}
	for _, s := range w.slots {
		h := w.houses[s.bed]
		if h.clinic != clinic || h.other || !in(s.nominal) {
			continue
		}
		switch s.state {
		case "released":
			continue
		case "skipped":
			note("skipped", s.reason)
			continue
		case "done":
			f.Done++
		case "missed":
			f.Missed++
			note("missed", s.reason)
		case "cancelled":
			f.Cancelled++
			note("cancelled", s.reason)
		default:
			f.Open++
		}
		if s.makeUps > 0 {
			f.MadeUp++
			if s.state == "done" {
				f.MadeGood++
			}
		}
		if s.heard || s.asked && s.day.Compare(today) < 0 {
			f.Asked++
		}
		if s.yes {
			f.Confirmed++
		}
		if s.heard {
			f.Answered++
		}
		f.LostMinutes += s.lost
		f.Nobody += s.nobody
		if s.surveyed {
			f.Surveys++
		}
		if s.answered {
			f.Replies++
			if s.answer >= 3 {
				f.Satisfied++
			}
			if s.answer >= 4 {
				f.Top++
			}
		}
	}
	return f
}

// The statements and a count one by one agree, over random households and months.
func TestCareFiguresTwice(t *testing.T) {
	for seed := range uint64(2) {
		r := newRig(t)
		w := r.town(seed, 40)
		for _, now := range []string{"2026-02-10", "2026-03-31", "2026-05-01"} {
			today := date(now)
			for _, m := range []string{"2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"} {
				var of []tally.CareFigures
				r.tx(func(ctx context.Context, tx *postgres.Tx) (err error) {
					of, _, err = r.tally.Care(ctx, tx, tally.CareScope{Month: postgres.DayOf(date(m))}, today.At(12*60, r.tally.Work.Location()))
					return err
				})
				if len(of) == 0 && date(m).Compare(today) <= 0 {
					t.Fatalf("seed %d, %s of %s: nothing is counted", seed, m, now)
				}
				for _, got := range of {
					want := w.slowCare(date(m), today, got.Clinic)
					want.Code, want.Name = got.Code, got.Name
					if !reflect.DeepEqual(got, want) {
						t.Fatalf("seed %d, %s of %s:\n%+v, the slow way\n%+v", seed, m, now, got, want)
					}
				}
			}
		}
	}
}

// Nobody's satisfaction is shown from fewer answers than the policy says.
func TestFewAnswersShowNobody(t *testing.T) {
	r := newRig(t)
	w := r.town(9, 70)
	now := date("2026-05-01").At(12*60, r.tally.Work.Location())
	hidden, shown := 0, 0
	for _, m := range []string{"2026-01-01", "2026-02-01", "2026-03-01"} {
		var list []tally.CareVisitor
		r.tx(func(ctx context.Context, tx *postgres.Tx) (err error) {
			list, err = r.tally.CareVisitors(ctx, tx, tally.CareScope{Month: postgres.DayOf(date(m)), Clinics: []int64{2}}, now)
			return err
		})
		for _, v := range list {
			replies, done := 0, 0
			for _, s := range w.slots {
				h := w.houses[s.bed]
				if h.clinic == 2 && !h.other && s.staff == v.Staff && s.nominal.Year == 2026 && s.nominal.Month == date(m).Month {
					if s.answered {
						replies++
					}
					if s.state == "done" {
						done++
					}
				}
			}
			if v.Done != done {
				t.Errorf("%s in %s: done %d, want %d", v.Name, m, v.Done, done)
			}
			if least := r.tally.Policy.Care.Least; replies < least {
				hidden++
				if v.Replies != 0 || v.Satisfied != 0 || v.Top != 0 {
					t.Errorf("%s in %s is shown from %d answers", v.Name, m, replies)
				}
			} else if shown++; v.Replies != replies {
				t.Errorf("%s in %s: %d replies, want %d", v.Name, m, v.Replies, replies)
			}
		}
	}
	if hidden == 0 || shown == 0 {
		t.Errorf("%d hidden and %d shown prove nothing", hidden, shown)
	}
}

// Who sees which clinics: the own ones, those behind a hospital, those of an area.
func TestWhoSeesFiguresOfBeds(t *testing.T) {
	r := newRig(t)
	r.town(1, 1)
	rights, err := people.ParseRights("rights.yaml", ok[[]byte](t)(configs.Read("policies/rights.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	var clinics []db.Clinic
	r.tx(func(ctx context.Context, tx *postgres.Tx) (err error) {
		clinics, err = tx.Clinics(ctx)
		return err
	})
	for _, tc := range []struct {
		role people.Role
		kind people.AreaKind
		code string
		want int
	}{
		{people.RoleClinicDesk, people.AreaUnit, "c1", 1},
		{people.RoleLeader, people.AreaUnit, "c1", 1},
		{people.RoleLiaison, people.AreaUnit, "hos", 2},
		{people.RoleLeader, people.AreaUnit, "hos", 2},
		{people.RoleLeader, people.AreaUnit, "health", 3},
		{people.RoleLeader, people.AreaUnit, "housing", 0},
		{people.RoleLeader, people.AreaCounty, "360302", 2},
		{people.RoleLeader, people.AreaCity, "3603", 3},
		{people.RoleGridWorker, people.AreaGrid, "360313001001001", 0},
	} {
		who := people.Staff{ID: 1, Grants: []people.Grant{{Role: tc.role, Area: people.Area{Kind: tc.kind, Code: tc.code}}}}
		if got := r.tally.CareClinics(rights, who, time.Now(), clinics); len(got) != tc.want {
			t.Errorf("%s of %s sees %v", tc.role, tc.code, got)
		}
	}
}

// Every reason that the rules know has words.
func TestReasonsHaveWords(t *testing.T) {
	texts := string(ok[[]byte](t)(configs.Read("texts/care_figures.yaml")))
	policy := must(t, "policies/care.yaml", care.ParsePolicy)
	reasons := []string{
		care.ReasonNobodyHome, care.ReasonNotRecorded, care.ReasonTooLate, care.ReasonHoliday, care.ReasonOrderEnded, care.ReasonPeriodEnd,
		care.ReasonReplanned, care.ReasonClosed, care.SuspendConsent,
	}
	for _, list := range [][]string{policy.Reasons.Fail, policy.Reasons.Cancel, policy.Reasons.Suspend} {
		reasons = append(reasons, list...)
	}
	for _, reason := range reasons {
		if !strings.Contains(texts, "\n      "+reason+": ") {
			t.Errorf("reason %s has no words", reason)
		}
	}
}
