package tally_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// life is a lawful random ticket: every step went through ticket.Rules.
type life struct {
	ticket.Ticket
	trail  []mark
	rating string
	rated  time.Time
}

// mark is a row of its trail.
type mark struct {
	kind string
	at   time.Time
	data []byte
}

// fate leads random lives.
type fate struct {
	*rand.Rand
	t     testing.TB
	rules *ticket.Rules
}

var (
	grids    = []string{"360313001001001", "360313001001002", "360313002005001", "360302001001001", "360302003002002"}
	units    = []string{"transport", "urban_management", "housing"}
	matters  = []string{"road", "garbage", "noise", "street_light"}
	numbers  = []ticket.Number{testNumber(700_000_001), testNumber(700_000_002)}
	clerkAct = ticket.Actor{As: ticket.AsCallback, Staff: 900}
	sys      = ticket.Actor{As: ticket.AsSystem}
	disp     = ticket.Actor{As: ticket.AsDispatcher, Staff: 901}
	boss     = ticket.Actor{As: ticket.AsSupervisor, Staff: 902}
	judge    = ticket.Actor{As: ticket.AsReviewer, Staff: 903}
)

func pick[T any](f *fate, list ...T) T { return list[f.IntN(len(list))] }

// live makes a ticket and leads it until it rests or its time is up.
func (f *fate) live(id int64, from, until time.Time) *life {
	l := &life{}
	c := ticket.Content{
		Claim: pick(f, "help", "complaint", "complaint", "consultation", "praise"), Matter: pick(f, matters...),
		Urgency: pick(f, ticket.Urgencies()...), Sensitive: f.IntN(15) == 0,
	}
	if f.IntN(12) > 0 {
		grid := pick(f, grids...)
		c.Place = ticket.PlaceRef{Grid: grid, Division: grid[:12]}
	}
	by := ticket.Actor{As: ticket.AsReporter, Person: 1}
	l.Ticket.ID = id
	f.do(l, by, ticket.File{
		Number: testNumber(id), Content: c, Incomplete: f.IntN(20) == 0, Finding: f.IntN(15) == 0, ReporterID: 1, AddressID: 1, ConversationID: 1,
	}, from)
	l.ID = id
	for now, n := from, 0; n < 60; n++ {
		if now = f.wait(l, now); now.After(until) {
			break
		}
		if l.State == ticket.Closed && f.IntN(3) == 0 && l.Facts.Satisfied == "" && l.rating == "" && !l.Finding {
			l.rating, l.rated = string(pick(f, ticket.Satisfactions()...)), now
		}
		by, c := f.next(l)
		if c == nil {
			break
		}
		f.do(l, by, c, now)
	}
	return l
}

// wait lets time pass: now and then exactly until a clock runs out.
func (f *fate) wait(l *life, now time.Time) time.Time {
	if due := pick(f, l.SignDue, l.ContactDue, l.Deadline, time.Time{}, time.Time{}, time.Time{}); due.After(now) && f.IntN(4) == 0 {
		return due
	}
	return now.Add(pick(f, time.Second, 10*time.Minute, time.Hour, 5*time.Hour, 20*time.Hour, 70*time.Hour) + time.Duration(f.IntN(3_600_000_000))*time.Microsecond)
}

func (f *fate) do(l *life, by ticket.Actor, c ticket.Command, now time.Time) {
	next, events, err := f.rules.Apply(l.Ticket, by, c, now)
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
		return
	}
	if err != nil {
		f.t.Fatal(err)
	}
	l.Ticket = next
	for _, e := range events {
		data := workorder.TrailData(next, e)
		if by.As == ticket.AsReporter {
			data["address"] = 1
		}
		body, err := json.Marshal(data)
		if err != nil {
			f.t.Fatal(err)
		}
		l.trail = append(l.trail, mark{"ticket." + string(e.Kind), now, body})
	}
}

func (f *fate) desk(l *life) ticket.Desk {
	code := pick(f, append(units, grids...)...)
	kind := ticket.DeskUnit
	if len(code) == 15 {
		kind = ticket.DeskGrid
	}
	if l.Private() {
		return ticket.Desk{Kind: ticket.DeskNamed, Code: code, Staff: 500}
	}
	return ticket.Desk{Kind: kind, Code: code}
}

// next draws what may come next; a refusal is nothing.
func (f *fate) next(l *life) (ticket.Actor, ticket.Command) {
	me := ticket.Actor{As: ticket.AsReporter, Person: 1}
	lead, _ := l.Lead()
	handler := ticket.Actor{As: ticket.AsHandler, Staff: max(lead.Desk.Staff, 500), Desk: lead.Desk}
	type choice struct {
		by ticket.Actor
		c  ticket.Command
	}
	if l.Request.Kind != "" && l.State != ticket.Closed && f.IntN(3) > 0 {
		return pick(f, disp, boss), ticket.Decide{Granted: f.IntN(2) == 0}
	}
	if f.IntN(12) == 0 {
		n := pick(f, numbers...)
		c := pick(f,
			choice{boss, ticket.Supervise{Number: n, Desk: lead.Desk, Reason: "leader"}},
			choice{ticket.Actor{As: ticket.AsSupervised, Staff: max(lead.Desk.Staff, 500), Desk: lead.Desk}, ticket.AnswerSupervision{Number: n, HasReply: true}},
			choice{sys, ticket.LapseSupervision{Number: n}},
			choice{boss, ticket.Escalate{Reason: pick(f, "leader", "redos")}},
			choice{me, ticket.Withdraw{}},
			choice{disp, ticket.Involve{Co: []ticket.Desk{f.desk(l)}}},
		)
		return c.by, c.c
	}
	var c choice
	switch l.State {
	case ticket.Draft:
		c = pick(f, choice{disp, ticket.Complete{Content: ticket.Content{Claim: "help", Matter: pick(f, matters...)}}}, choice{disp, ticket.Reject{Reason: "test"}})
	case ticket.Received:
		go1 := choice{disp, ticket.Dispatch{Lead: f.desk(l)}}
		c = pick(f, go1, go1, go1, go1, go1, go1, choice{disp, ticket.AnswerNow{HasReply: true}}, choice{sys, ticket.Refer{To: "110"}},
			choice{disp, ticket.Reject{Reason: "petition"}}, choice{disp, ticket.Merge{Master: f.master(l, ticket.Signed)}})
	case ticket.Dispatched, ticket.Redo:
		take := choice{handler, ticket.Take{}}
		c = pick(f, take, take, take, choice{sys, ticket.AutoSign{}}, choice{handler, ticket.Transfer{To: f.desk(l), Reason: "other_unit"}},
			choice{handler, ticket.Return{Reason: "not_our_duty"}}, choice{handler, ticket.Object{Reason: "not_our_duty", HasBasis: true}},
			choice{disp, ticket.Merge{Master: f.master(l, ticket.Dispatched)}})
	case ticket.Signed:
		done := choice{handler, ticket.Finish{Result: pick(f, ticket.UnitResolved, ticket.UnitResolved, ticket.UnitPartly, ticket.UnitBeyondDuty), HasReply: true}}
		call := choice{handler, ticket.Contact{Via: ticket.ViaRelay, Reached: true}}
		later := l.Deadline.Add(time.Duration(1+f.IntN(40)) * time.Hour)
		c = pick(f, done, done, done, call, call, choice{handler, ticket.AskExtension{Until: later, Reason: "weather"}},
			choice{handler, ticket.AskSuspension{Until: later, Reason: "works"}}, choice{handler, ticket.Transfer{To: f.desk(l), Reason: "other_unit"}},
			choice{handler, ticket.Object{Reason: "not_our_area", HasBasis: true}}, choice{disp, ticket.Merge{Master: f.master(l, ticket.Signed)}})
	case ticket.Suspended:
		c = choice{disp, ticket.Resume{}}
	case ticket.Merged:
		c = pick(f, choice{sys, ticket.Follow{Master: f.master(l, ticket.Handled)}}, choice{disp, ticket.Unmerge{}})
	case ticket.Handled, ticket.Callback:
		if l.Facts.Unhappy() {
			return clerkAct, ticket.Judge{Reasonable: f.IntN(3) > 0}
		}
		facts := ticket.Facts{Contacted: pick(f, ticket.Yes, ticket.No, ""), Solved: pick(f, ticket.Yes, ticket.Yes, ticket.Partly, ticket.No, ""), Satisfied: pick(f, append(ticket.Satisfactions(), "")...)}
		answer := choice{me, ticket.CallbackResult{Facts: facts}}
		ask := choice{sys, ticket.Ask{Via: "chat"}}
		c = pick(f, ask, answer, answer, choice{clerkAct, ticket.CallbackResult{Unreached: true}}, choice{clerkAct, ticket.Ask{Via: "phone"}})
	case ticket.Closed:
		n := len(l.Assignments)
		if n == 0 {
			return sys, nil
		}
		past := ticket.Actor{As: ticket.AsHandler, Staff: 500, Desk: l.Assignments[n-1].Desk}
		c = pick(f, choice{me, ticket.Relapse{}}, choice{past, ticket.AskExclusion{Reason: "malicious", HasEvidence: true}},
			choice{judge, ticket.DecideExclusion{Granted: f.IntN(2) == 0}}, choice{}, choice{}, choice{})
	}
	return c.by, c.c
}

// master is a ticket that this one may go behind.
func (f *fate) master(l *life, s ticket.State) ticket.Ticket {
	desk := ticket.Desk{Kind: ticket.DeskUnit, Code: pick(f, units...)}
	return ticket.Ticket{
		ID: 1_000_000, Number: numbers[0], State: s, Finding: l.Finding, UnitResult: pick(f, ticket.UnitResolved, ticket.UnitPartly),
		DispatchedAt: l.ReceivedAt, Deadline: l.ReceivedAt.Add(100 * time.Hour),
		Assignments: []ticket.Assignment{{Role: ticket.RoleLead, Desk: desk, State: ticket.AssignmentSigned, SignedBy: 77}},
	}
}

func testNumber(id int64) ticket.Number {
	for c := range 10 {
		if n := ticket.Number(fmt.Sprintf("%09d%d", 200_000_000+id, c)); n.Valid() {
			return n
		}
	}
	return ""
}
