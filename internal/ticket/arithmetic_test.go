package ticket_test

import (
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// realRules count on the shipped calendar and hours.
func realRules(t testing.TB) (*ticket.Rules, *scheduler.WorkTime) {
	t.Helper()
	read := func(name string) []byte {
		body, err := configs.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	days, err := scheduler.ParseCalendarCSV("cn.csv", read("calendars/cn.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := scheduler.NewCalendar(days)
	if err != nil {
		t.Fatal(err)
	}
	hours, err := scheduler.ParseHours("hours.yaml", read("policies/hours.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	work, err := scheduler.NewWorkTime(cal, hours.Work.Spans, zone)
	if err != nil {
		t.Fatal(err)
	}
	p, cb := policies(t)
	r, err := ticket.NewRules(p, cb, work)
	if err != nil {
		t.Fatal(err)
	}
	return r, work
}

// The wrong arithmetics of other ticket systems that lie in what a clock belongs
// to (reference civic-tickets 4 #6); those of the working time itself stand in
// package scheduler. A step is done at its time; wrong is what the mistake would
// say and must differ.
func TestWrongArithmeticsOfClocks(t *testing.T) {
	rules, work := realRules(t)
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", s, work.Location())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	type step struct {
		when string
		by   ticket.Actor
		do   ticket.Command
	}
	unit := ticket.Dispatch{Lead: unitDesk}
	suspend := func(until string) ticket.Command { return ticket.AskSuspension{Until: at(until), Reason: "weather"} }
	for _, c := range []struct {
		name        string
		steps       []step
		look        string
		clock       func(ticket.Ticket, time.Time) string
		want, wrong string
	}{
		{
			// Over the Spring Festival: seven calendar days end in it.
			"wall clock instead of working hours",
			[]step{{"2026-02-10 10:00", dispatcher, unit}},
			"2026-02-10 10:00",
			deadline, "2026-02-24 17:30", "2026-02-17 10:00",
		},
		{
			"wrong holidays: a make-up Saturday is a day to sign on",
			[]step{{"2026-02-13 10:00", dispatcher, unit}},
			"2026-02-13 10:00",
			func(k ticket.Ticket, _ time.Time) string { return show(k.SignDue) }, "2026-02-14 17:30", "2026-02-24 17:30",
		},
		{
			// What is done to a ticket is no first contact: the clock for it
			// runs on until the reporter was reached for.
			"update time overrules first reply: an update is no contact", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
			}, "2026-03-03 11:00", contactDue, "2026-03-04 17:30", "",
		},
		{
			"update time overrules first reply: nor does it put it off", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-04 09:00", handler, ticket.Transfer{To: gridDesk, Reason: "other_grid"}},
				{"2026-03-04 09:30", worker, ticket.Take{}},
			}, "2026-03-04 09:30", contactDue, "2026-03-04 17:30", "2026-03-05 17:30",
		},
		{
			"update time overrules first reply: the first one counts", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-03 15:00", handler, ticket.Contact{Via: ticket.ViaPhone, Reached: true}},
				{"2026-03-09 15:00", handler, ticket.Contact{Via: ticket.ViaPhone, Reached: true}},
			}, "2026-03-09 15:00", func(k ticket.Ticket, _ time.Time) string { return show(k.ContactedAt) }, "2026-03-03 15:00", "2026-03-09 15:00",
		},
		{
			"escalates although the desk answered: it is not overdue", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-05 11:00", handler, finish},
			}, "2026-04-30 10:00", overdue(rules), "false 0", "true 0",
		},
		{
			"escalates although the desk answered: no alarm for contact or signature is left", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-05 11:00", handler, finish},
			}, "2026-04-30 10:00", func(k ticket.Ticket, _ time.Time) string { return show(k.SignDue) + show(k.ContactDue) }, "", "2026-03-04 17:30",
		},
		{
			"escalates although the desk answered: late stays late, and early early", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-11 11:00", handler, finish},
			}, "2026-03-11 11:00", overdue(rules), "true 0", "false 0",
		},
		{
			// The time of waiting is added to what was left, not to the day on
			// which the ticket was made, and only as long as was really waited.
			"hold time added to creation", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-05 10:00", handler, suspend("2026-03-20 10:00")},
				{"2026-03-05 11:00", dispatcher, ticket.Decide{Granted: true}},
				{"2026-03-12 11:00", handler, ticket.Resume{}},
			}, "2026-03-12 11:00", deadline, "2026-03-17 17:30", "2026-03-10 10:00",
		},
		{
			"hold time added twice", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-05 10:00", handler, suspend("2026-03-06 11:00")},
				{"2026-03-05 11:00", dispatcher, ticket.Decide{Granted: true}},
				{"2026-03-06 11:00", system, ticket.Resume{}},
				{"2026-03-06 14:00", handler, suspend("2026-03-09 15:00")},
				{"2026-03-06 15:00", dispatcher, ticket.Decide{Granted: true}},
				{"2026-03-09 15:00", system, ticket.Resume{}},
			}, "2026-03-09 15:00", deadline, "2026-03-14 17:30", "2026-03-15 17:30",
		},
		{
			"time asked for and refused is not added", []step{
				{"2026-03-03 10:00", dispatcher, unit},
				{"2026-03-03 11:00", handler, ticket.Take{}},
				{"2026-03-05 10:00", handler, suspend("2026-03-20 10:00")},
				{"2026-03-06 10:00", dispatcher, ticket.Decide{}},
			}, "2026-03-06 10:00", deadline, "2026-03-10 17:30", "2026-03-11 17:30",
		},
	} {
		first := at(c.steps[0].when)
		k, _, err := rules.Apply(ticket.Ticket{}, reporter, file, first)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for _, s := range c.steps {
			if k, _, err = rules.Apply(k, s.by, s.do, at(s.when)); err != nil {
				t.Fatalf("%s: %s at %s: %v", c.name, s.do.Name(), s.when, err)
			}
		}
		got := c.clock(k, at(c.look))
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if c.want == c.wrong {
			t.Errorf("%s: the mistake would not show", c.name)
		}
	}
}

func show(v time.Time) string {
	if v.IsZero() {
		return ""
	}
	return v.Format("2006-01-02 15:04")
}

func deadline(k ticket.Ticket, _ time.Time) string   { return show(k.Deadline) }
func contactDue(k ticket.Ticket, _ time.Time) string { return show(k.ContactDue) }

// overdue says whether a ticket counts as overdue and how many reminders it has.
func overdue(r *ticket.Rules) func(ticket.Ticket, time.Time) string {
	return func(k ticket.Ticket, now time.Time) string {
		s := "false "
		if k.Overdue(now) {
			s = "true "
		}
		return s + string(rune('0'+len(r.Nudges(k))))
	}
}

// A unit whose code happens to be as long as that of a grid is none.
func TestUnitDutyStaysWithNamedHandlersOfUnits(t *testing.T) {
	rules := newRules(t)
	k, _, err := rules.Apply(ticket.Ticket{}, reporter, file, start)
	if err != nil {
		t.Fatal(err)
	}
	for desk, fine := range map[ticket.Desk]bool{
		{Kind: ticket.DeskNamed, Code: "public_security", Staff: handlerID}: true,
		{Kind: ticket.DeskUnit, Code: "human_resources"}:                    true,
		{Kind: ticket.DeskNamed, Code: "360302001001001", Staff: workerID}:  false,
		{Kind: ticket.DeskGrid, Code: "360302001001001"}:                    false,
	} {
		if _, _, err := rules.Apply(k, dispatcher, ticket.Dispatch{Lead: desk, UnitDuty: true}, start); (err == nil) != fine {
			t.Errorf("a department's duty to %+v: %v", desk, err)
		}
	}
}
