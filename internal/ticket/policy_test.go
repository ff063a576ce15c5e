package ticket_test

import (
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// The values of reference civic-tickets 1.3, so that a slip in the YAML shows.
func TestEmbeddedPolicies(t *testing.T) {
	p, cb := policies(t)
	for u, want := range map[ticket.Urgency][4]string{
		ticket.Urgent:    {"1h", "30m", "2h", "2h"},
		ticket.Utilities: {"2h", "2h", "24h", "24h"},
		ticket.General:   {"24h", "1wd", "1wd", "7d"},
		ticket.Complex:   {"24h", "1wd", "1wd", "15d"},
	} {
		c := p.Classes[u]
		if got := [4]string{c.Dispatch.String(), c.Sign.String(), c.Contact.String(), c.Handle.String()}; got != want {
			t.Errorf("%s: limits %v, want %v", u, got, want)
		}
	}
	if cb.Callback.Tries != 3 || cb.Callback.HalfDays != 2 || cb.Redo.Max != 2 || cb.Redo.Time != 0.5 ||
		cb.Survey.PerPerson.String() != "14d" || cb.StillFine.After.String() != "28d" || cb.Relapse.Within.String() != "15d" {
		t.Errorf("callback policy %+v", cb)
	}
}

func TestPolicyErrors(t *testing.T) {
	tickets, err := configs.Read("policies/tickets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	callbacks, err := configs.Read("policies/callbacks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	parseTickets := func(b []byte) error { _, err := ticket.ParsePolicy("tickets.yaml", b); return err }
	parseCallbacks := func(b []byte) error { _, err := ticket.ParseCallbackPolicy("callbacks.yaml", b); return err }
	for _, c := range []struct {
		name     string
		parse    func([]byte) error
		body     []byte
		from, to string
		want     string
	}{
		{"unknown key", parseTickets, tickets, "nudges:", "nudge:", "nudge"},
		{"missing class", parseTickets, tickets, "  complex:", "  difficult:", "classes.complex is missing"},
		{"unknown class", parseTickets, tickets, "  complex:", "  difficult:", "classes.difficult is not one of"},
		{"bad limit", parseTickets, tickets, "sign: 30m", "sign: soon", "time limit"},
		{"no limit", parseTickets, tickets, "    sign: 30m\n", "", "classes.urgent.sign is missing"},
		{"nudges fall", parseTickets, tickets, "[0.5, 0.8, 1.0]", "[0.8, 0.5, 1.0]", "nudges.at"},
		{"nudges twice", parseTickets, tickets, "[0.5, 0.8, 1.0]", "[0.5, 0.5, 1.0]", "nudges.at"},
		{"nudges end early", parseTickets, tickets, "[0.5, 0.8, 1.0]", "[0.5]", "nudges.at"},
		{"no transfers", parseTickets, tickets, "max: 3", "max: 0", "transfers.max"},
		{"no reasons", parseTickets, tickets, "[other_grid, other_unit, colleague]", "[]", "reasons.transfer"},
		{"no source", parseTickets, tickets, "source: \"shares [J]; reminding on the day of expiry is common practice of 12345 offices\"", "source: \"\"", "nudges.source"},
		{"time of day", parseCallbacks, callbacks, `"10:00"`, `"25:00"`, "25:00"},
		{"half-days", parseCallbacks, callbacks, "half_days: 2", "half_days: 4", "half_days"},
		{"share", parseCallbacks, callbacks, "time: 0.5", "time: 1.5", "redo"},
		{"callback limit", parseCallbacks, callbacks, "within: 15d", "within: 15x", "time limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := strings.Replace(string(c.body), c.from, c.to, 1)
			if body == string(c.body) {
				t.Fatal("the case changes nothing")
			}
			if err := c.parse([]byte(body)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	if _, err := ticket.NewRules(ticket.Policy{}, ticket.CallbackPolicy{}, calendar{}); err == nil {
		t.Error("empty policies make rules")
	}
	p, cb := policies(t)
	if _, err := ticket.NewRules(p, cb, nil); err == nil {
		t.Error("no calendar, no error")
	}
}

func TestNudges(t *testing.T) {
	r := newRules(t)
	urgent := content
	urgent.Urgency = ticket.Urgent
	tk, _, _ := play(t, r, start, ticket.Ticket{}, act{reporter, ticket.File{Number: number, Content: urgent, ReporterID: reporterID}, 0},
		act{dispatcher, dispatch, 0})
	want := []ticket.Nudge{{0.5, start.Add(time.Hour)}, {0.8, start.Add(96 * time.Minute)}, {1, start.Add(2 * time.Hour)}}
	got := r.Nudges(tk)
	for i := range want {
		if len(got) != len(want) || got[i].Share != want[i].Share || !got[i].At.Equal(want[i].At) {
			t.Fatalf("nudges %v, want %v", got, want)
		}
	}
	if tk.Overdue(start.Add(2*time.Hour)) || !tk.Overdue(start.Add(2*time.Hour+1)) {
		t.Error("overdue is after the deadline, not at it")
	}
	done, _, now := play(t, r, start, tk, act{worker, ticket.Take{}, 0}, act{worker, finish, time.Hour})
	if r.Nudges(done) != nil || done.Overdue(now.Add(99*time.Hour)) {
		t.Error("a handled ticket is neither nudged nor overdue")
	}
}

// On the real calendar: a general ticket dispatched on the Friday before the
// New Year holiday of 2026 (1–3 January off, Sunday 4 January worked).
func TestRealCalendar(t *testing.T) {
	p, cb := policies(t)
	r, err := ticket.NewRules(p, cb, workTime(t))
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		t.Helper()
		v, err := time.ParseInLocation("2006-01-02 15:04", s, time.FixedZone("CST", 8*3600))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	tk, _, _ := play(t, r, at("2025-12-31 16:00"), ticket.Ticket{}, act{reporter, file, 0}, act{dispatcher, dispatch, 0})
	for _, c := range []struct {
		name      string
		got, want time.Time
	}{
		{"sign by the end of the next working day, which is a Sunday", tk.SignDue, at("2026-01-04 17:30")},
		{"contact likewise", tk.ContactDue, at("2026-01-04 17:30")},
		{"seven days", tk.Deadline, at("2026-01-07 17:30")},
	} {
		if !c.got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
	for _, n := range r.Nudges(tk) {
		if h := n.At.In(time.FixedZone("CST", 8*3600)).Hour(); h < 8 || h > 17 {
			t.Errorf("nudged at %s, outside working time", n.At)
		}
	}
	urgent := content
	urgent.Urgency = ticket.Urgent
	night, _, _ := play(t, r, at("2026-01-01 23:00"), ticket.Ticket{}, act{reporter, ticket.File{Number: number, Content: urgent, ReporterID: reporterID}, 0},
		act{dispatcher, dispatch, 0})
	if want := at("2026-01-02 00:00"); !r.Nudges(night)[0].At.Equal(want) {
		t.Errorf("urgent nudge at %s, want by the clock: %s", r.Nudges(night)[0].At, want)
	}
}

func workTime(t *testing.T) *scheduler.WorkTime {
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
	if body, err = configs.Read("policies/hours.yaml"); err != nil {
		t.Fatal(err)
	}
	hours, err := scheduler.ParseHours("hours.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	w, err := scheduler.NewWorkTime(cal, hours.Work.Spans, time.FixedZone("CST", 8*3600))
	if err != nil {
		t.Fatal(err)
	}
	return w
}
