package ticket_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/configs"
	"shaoying/internal/ticket"
)

var (
	urban   = ticket.Desk{Kind: ticket.DeskUnit, Code: "urban_management"}
	market  = ticket.Desk{Kind: ticket.DeskUnit, Code: "market_supervision"}
	builder = ticket.Desk{Kind: ticket.DeskUnit, Code: "housing"}
	person  = ticket.Desk{Kind: ticket.DeskNamed, Code: "housing", Staff: 41}

	proposer = ticket.Actor{As: ticket.AsProposer, Staff: 1}
	head     = ticket.Actor{As: ticket.AsHead, Staff: 2}
	county   = ticket.Actor{As: ticket.AsCounty, Staff: 3}
	overseer = ticket.Actor{As: ticket.AsOverseer, Staff: 4}
	ticking  = ticket.Actor{As: ticket.AsSystem}
	tangle   = ticket.Deed{
		Command: ticket.WhistlePropose, Kind: ticket.WhistleEnforcement, Source: ticket.SourcePatrol,
		Place: ticket.PlaceRef{Division: "360313001001", Grid: "360313001001001"},
	}
)

func unitOf(d ticket.Desk, staff int64) ticket.Actor {
	return ticket.Actor{As: ticket.AsUnit, Staff: staff, Desk: d}
}

func whistlePolicy(t testing.TB) ticket.WhistlePolicy {
	t.Helper()
	body, err := configs.Read("policies/whistle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ticket.ParseWhistlePolicy("whistle.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func whistleRules(t testing.TB) *ticket.WhistleRules {
	t.Helper()
	r, err := ticket.NewWhistleRules(whistlePolicy(t), calendar{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blowing is a whistle being driven by a test.
type blowing struct {
	t   *testing.T
	r   *ticket.WhistleRules
	w   ticket.Whistle
	now time.Time
}

func (b *blowing) does(by ticket.Actor, d ticket.Deed) ticket.WhistleEvent {
	b.t.Helper()
	b.now = b.now.Add(time.Minute)
	next, e, err := b.r.Apply(b.w, by, d, b.now)
	if err != nil {
		b.t.Fatalf("%s: %v", d.Command, err)
	}
	b.w = next
	return e
}

func (b *blowing) refuses(key string, by ticket.Actor, d ticket.Deed) *ticket.Refused {
	b.t.Helper()
	next, _, err := b.r.Apply(b.w, by, d, b.now)
	var r *ticket.Refused
	if !errors.As(err, &r) || r.Key != key {
		b.t.Fatalf("%s: %v, want %s", d.Command, err, key)
	}
	if next.Version != b.w.Version || next.State != b.w.State {
		b.t.Fatalf("%s: a refusal changed the whistle", d.Command)
	}
	return r
}

func assigned(t *testing.T) *blowing {
	t.Helper()
	b := &blowing{t: t, r: whistleRules(t), now: start}
	b.does(proposer, tangle)
	b.does(head, ticket.Deed{Command: ticket.WhistleBlow})
	b.does(county, ticket.Deed{Command: ticket.WhistleAssign, Lead: urban, Co: []ticket.Desk{market}})
	return b
}

func good(d ticket.Desk) ticket.Deed {
	return ticket.Deed{Command: ticket.WhistleAppraise, Unit: d, Speed: ticket.GradeExcellent, Quality: ticket.GradeGood}
}

func TestWhistleStory(t *testing.T) {
	b := assigned(t)
	if b.w.State != ticket.WhistleAssigned || len(b.w.Parts) != 2 || !b.w.Parts[0].Lead || b.w.Parts[1].Lead || b.w.Township() != "360313001" {
		t.Fatalf("%+v", b.w)
	}
	u, m := unitOf(urban, 11), unitOf(market, 12)
	b.does(u, ticket.Deed{Command: ticket.WhistleAnswer})
	b.refuses(ticket.KeyWhistleState, u, ticket.Deed{Command: ticket.WhistleHandle}) // not there yet
	b.does(u, ticket.Deed{Command: ticket.WhistleArrive})
	b.does(m, ticket.Deed{Command: ticket.WhistleArrive}) // who turns up has answered
	if p, _ := b.w.Part(market); p.AnsweredAt != p.ArrivedAt || p.AnsweredBy != 12 {
		t.Fatalf("%+v", p)
	}
	b.does(m, ticket.Deed{Command: ticket.WhistleMisuse, Reason: "own_powers"})
	b.refuses(ticket.KeyWhistleTwice, m, ticket.Deed{Command: ticket.WhistleMisuse, Reason: "own_powers"})
	b.refuses(ticket.KeyWhistleNotYet, head, good(urban))
	if e := b.does(u, ticket.Deed{Command: ticket.WhistleHandle}); e.To != ticket.WhistleAssigned || e.Unit != urban {
		t.Fatalf("%+v", e)
	}
	b.does(head, good(urban)) // one after the other, as they come
	if e := b.does(m, ticket.Deed{Command: ticket.WhistleHandle}); e.To != ticket.WhistleHandled || b.w.AppraiseDue.IsZero() {
		t.Fatalf("%+v", e)
	}
	if r := b.refuses(ticket.KeyWhistleLeft, head, ticket.Deed{Command: ticket.WhistleClose, Solved: ticket.Yes}); r.Params["count"] != "1" {
		t.Fatalf("%+v", r)
	}
	b.does(head, good(market))
	b.refuses(ticket.KeyWhistleSolved, head, ticket.Deed{Command: ticket.WhistleClose})
	b.does(head, ticket.Deed{Command: ticket.WhistleClose, Solved: ticket.Yes})
	if b.w.State != ticket.WhistleClosed || b.w.State.Open() || b.w.Version != 12 {
		t.Fatalf("%+v", b.w)
	}
}

func TestWhistleGoesBackAndIsDeclined(t *testing.T) {
	b := &blowing{t: t, r: whistleRules(t), now: start}
	b.refuses(ticket.KeyWhistleSource, proposer, ticket.Deed{Command: ticket.WhistlePropose, Kind: "loud"})
	b.does(proposer, tangle)
	b.refuses(ticket.KeyWhistleNotYours, proposer, ticket.Deed{Command: ticket.WhistleBlow})
	r := b.refuses(ticket.KeyWhistleState, county, ticket.Deed{Command: ticket.WhistleAssign, Lead: urban})
	if r.Params["state"] != "proposed" || len(r.Allowed) != 0 {
		t.Fatalf("%+v", r)
	}
	if r := b.refuses(ticket.KeyWhistleState, head, ticket.Deed{Command: ticket.WhistleClose, Solved: ticket.Yes}); !slices.Equal(r.Allowed, []ticket.CommandName{ticket.WhistleBlow, ticket.WhistleDecline}) {
		t.Fatalf("a head may now %v", r.Allowed)
	}
	b.does(head, ticket.Deed{Command: ticket.WhistleBlow})
	b.refuses(ticket.KeyWhistleReason, county, ticket.Deed{Command: ticket.WhistleReturn, Reason: "no mood"})
	b.does(county, ticket.Deed{Command: ticket.WhistleReturn, Reason: "unclear"})
	if b.w.State != ticket.WhistleReturned || b.w.Returns != 1 || b.w.BlowDue.IsZero() || !b.w.AssignDue.IsZero() {
		t.Fatalf("%+v", b.w)
	}
	b.does(head, ticket.Deed{Command: ticket.WhistleBlow})
	b.does(head, ticket.Deed{Command: ticket.WhistleDecline, Reason: "own_powers"})
	if b.w.State.Open() {
		t.Fatalf("%+v", b.w)
	}
}

// Who does not turn up raises the whistle, once, and may then be appraised.
func TestWhistleIsRaised(t *testing.T) {
	b := assigned(t)
	late := ticket.Deed{Command: ticket.WhistleRaise, Reason: ticket.ReasonLateArrival}
	b.does(ticking, late)
	if b.w.Level != 4 || b.w.State != ticket.WhistleAssigned {
		t.Fatalf("%+v", b.w)
	}
	b.refuses(ticket.KeyWhistleTop, ticking, late)
	b.refuses(ticket.KeyWhistleReason, overseer, ticket.Deed{Command: ticket.WhistleRaise, Reason: ticket.ReasonOverdue})
	b.does(overseer, ticket.Deed{Command: ticket.WhistleRaise, Reason: "dispute"})
	b.refuses(ticket.KeyWhistleTop, head, ticket.Deed{Command: ticket.WhistleRaise, Reason: "dispute"})
	b.refuses(ticket.KeyWhistleNotYet, head, good(market))
	b.now = b.w.Parts[1].ArriveDue
	b.does(head, good(market))
	b.refuses(ticket.KeyWhistleState, unitOf(market, 12), ticket.Deed{Command: ticket.WhistleArrive})
}

func TestWhistleUnits(t *testing.T) {
	b := assigned(t)
	b.refuses(ticket.KeyWhistleTwice, county, ticket.Deed{Command: ticket.WhistleAssign, Co: []ticket.Desk{market}})
	b.refuses(ticket.KeyWhistleNoUnit, county, ticket.Deed{Command: ticket.WhistleAssign, Lead: builder})
	b.refuses(ticket.KeyWhistleNoUnit, county, ticket.Deed{Command: ticket.WhistleAssign, Co: []ticket.Desk{{Kind: ticket.DeskGrid, Code: "360313001001001"}}})
	b.does(county, ticket.Deed{Command: ticket.WhistleAssign, Co: []ticket.Desk{builder}})
	b.refuses(ticket.KeyWhistleNoUnit, unitOf(ticket.Desk{Kind: ticket.DeskUnit, Code: "health"}, 9), ticket.Deed{Command: ticket.WhistleAnswer})
	// Who did the work does not appraise it.
	b.does(unitOf(builder, head.Staff), ticket.Deed{Command: ticket.WhistleArrive})
	b.does(unitOf(builder, head.Staff), ticket.Deed{Command: ticket.WhistleHandle})
	b.refuses(ticket.KeyOwnWork, head, good(builder))
}

func TestWhistleInheritsWhomItMustNotReach(t *testing.T) {
	b := &blowing{t: t, r: whistleRules(t), now: start}
	b.w.Inherit(ticket.Ticket{Confidential: true, Against: []string{"urban_management"}, AgainstStaff: []int64{41}})
	b.does(proposer, tangle)
	b.does(head, ticket.Deed{Command: ticket.WhistleBlow})
	assign := func(d ticket.Desk) ticket.Deed { return ticket.Deed{Command: ticket.WhistleAssign, Lead: d} }
	b.refuses(ticket.KeyAgainst, county, assign(urban))
	b.refuses(ticket.KeyPrivateOnly, county, assign(market))
	b.refuses(ticket.KeyAgainst, county, assign(person))
	b.refuses(ticket.KeyAgainst, ticket.Actor{As: ticket.AsCounty, Staff: 41}, assign(person))
	b.does(county, assign(ticket.Desk{Kind: ticket.DeskNamed, Code: "housing", Staff: 42}))
	b.refuses(ticket.KeyWhistleNoUnit, unitOf(ticket.Desk{Kind: ticket.DeskNamed, Code: "housing", Staff: 43}, 43), ticket.Deed{Command: ticket.WhistleAnswer})
}

func TestWhistleTableIsWhole(t *testing.T) {
	led := map[ticket.WhistleState]bool{}
	for _, row := range ticket.WhistleTransitions() {
		if row.Event == "" || len(row.From) == 0 || len(row.By) == 0 || len(row.To) == 0 {
			t.Errorf("%s is not whole", row.Command)
		}
		for _, s := range row.To {
			led[s] = true
		}
	}
	for _, s := range ticket.WhistleStates() {
		if !led[s] {
			t.Errorf("nothing leads to %s", s)
		}
	}
}

func TestWhistleStarsOf(t *testing.T) {
	p := whistlePolicy(t)
	for _, c := range []struct {
		n    int
		mean float64
		want int
	}{{0, 100, 0}, {2, 100, 0}, {3, 100, 5}, {3, 90, 5}, {3, 89.9, 4}, {9, 75, 4}, {9, 60, 3}, {9, 40, 2}, {9, 39, 1}, {9, 0, 1}} {
		if got := p.StarsOf(c.n, c.mean); got != c.want {
			t.Errorf("%d appraisals of %v: %d stars, want %d", c.n, c.mean, got, c.want)
		}
	}
	if s := p.Score(ticket.GradeExcellent, ticket.GradePoor); s != 40 {
		t.Errorf("score %v", s)
	}
}

func TestWhistlePolicyNamesWhatIsWrong(t *testing.T) {
	if err := (ticket.WhistlePolicy{}).Validate(); err == nil {
		t.Fatal("an empty policy is fine")
	}
	p := whistlePolicy(t)
	p.Kinds["loud"] = p.Kinds[ticket.WhistleMajor]
	p.Nudges.At = []float64{0.8, 0.5}
	p.Escalation.Overdue = 6
	p.Appraisal.Weights.Speed = 0.9
	p.Stars.Bands[3] = 99
	err := p.Validate()
	for _, want := range []string{"kinds.loud", "nudges.at", "escalation.overdue", "appraisal.weights", "stars.bands"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

// anyDeed draws an actor and a deed, likely ones as often as absurd ones.
func anyDeed(t *rapid.T) (ticket.Actor, ticket.Deed) {
	desks := rapid.SampledFrom([]ticket.Desk{urban, market, builder, person, {Kind: ticket.DeskGrid, Code: "360313001001001"}})
	actors := []ticket.Actor{proposer, head, head, county, county, overseer, ticking, {As: ticket.AsHead, Staff: 41}, {As: "stranger", Staff: 9}}
	for range 4 {
		actors = append(actors, unitOf(desks.Draw(t, "as"), rapid.Int64Range(10, 12).Draw(t, "staff")), unitOf(person, 41))
	}
	deeds := []ticket.CommandName{ticket.WhistlePropose, "nonsense"}
	for _, row := range ticket.WhistleTransitions()[1:] {
		deeds = append(deeds, row.Command, row.Command)
	}
	d := ticket.Deed{
		Command: rapid.SampledFrom(deeds).Draw(t, "command"), Kind: rapid.SampledFrom(ticket.WhistleKinds()).Draw(t, "kind"),
		Source: ticket.SourcePatrol, Place: tangle.Place, Unit: desks.Draw(t, "unit"),
		Reason: rapid.SampledFrom([]string{"own_powers", "duplicate", "dispute", ticket.ReasonLateArrival, ticket.ReasonOverdue, ""}).Draw(t, "reason"),
		Speed:  rapid.SampledFrom(ticket.Grades()).Draw(t, "speed"), Quality: ticket.GradeFair,
		Solved: rapid.SampledFrom([]ticket.Answer{ticket.Yes, ticket.No, ""}).Draw(t, "solved"),
	}
	if rapid.Bool().Draw(t, "lead") {
		d.Lead = desks.Draw(t, "lead desk")
	}
	if rapid.Bool().Draw(t, "co") {
		d.Co = []ticket.Desk{desks.Draw(t, "co desk")}
	}
	return rapid.SampledFrom(actors).Draw(t, "actor"), d
}

// Over 10,000 random events: no forbidden state, nothing lost, times never run
// back, and whom the claim is about is never called nor heard.
func TestWhistleProperties(t *testing.T) {
	r := whistleRules(t)
	events := 0
	rapid.Check(t, func(t *rapid.T) {
		var w ticket.Whistle
		if rapid.Bool().Draw(t, "about somebody") {
			w.Inherit(ticket.Ticket{Against: []string{"market_supervision"}, AgainstStaff: []int64{41}})
		}
		if rapid.IntRange(0, 4).Draw(t, "private") == 0 {
			w.Inherit(ticket.Ticket{Sensitive: true})
		}
		w, _, err := r.Apply(w, proposer, tangle, start)
		if err != nil {
			t.Fatal(err)
		}
		now := start
		for range 120 {
			// The clock of the next transaction may stand a little behind.
			now = now.Add(time.Duration(rapid.Int64Range(-int64(time.Second), int64(20*time.Hour)).Draw(t, "pause")))
			by, d := anyDeed(t)
			events++
			next, e, err := r.Apply(w, by, d, now)
			if err != nil {
				var refused *ticket.Refused
				if !errors.As(err, &refused) {
					t.Fatalf("%s: %v", d.Command, err)
				}
				continue
			}
			checkWhistle(t, w, next, by, d, e)
			w = next
		}
	})
	if events < 10000 && !testing.Short() {
		t.Fatalf("only %d events", events)
	}
}

func checkWhistle(t *rapid.T, before, after ticket.Whistle, by ticket.Actor, d ticket.Deed, e ticket.WhistleEvent) {
	i := slices.IndexFunc(ticket.WhistleTransitions(), func(r ticket.WhistleTransition) bool { return r.Command == d.Command })
	row := ticket.WhistleTransitions()[i]
	if !slices.Contains(row.From, before.State) || !slices.Contains(row.To, after.State) || !slices.Contains(row.By, by.As) {
		t.Fatalf("%s by %s led from %s to %s", d.Command, by.As, before.State, after.State)
	}
	if after.Version != before.Version+1 || e.Version != after.Version || after.ChangedAt.Before(before.ChangedAt) || len(after.Parts) < len(before.Parts) {
		t.Fatalf("%s lost history: %+v", d.Command, after)
	}
	if after.Level < before.Level || after.Level > ticket.WhistleLevelTop {
		t.Fatalf("level %d after %d", after.Level, before.Level)
	}
	running := 0
	for _, p := range after.Parts {
		if slices.Contains(after.Against, p.Desk.Code) || p.Desk.Staff != 0 && slices.Contains(after.AgainstStaff, p.Desk.Staff) {
			t.Fatalf("the claim is about %+v", p.Desk)
		}
		if after.Private && p.Desk.Kind != ticket.DeskNamed {
			t.Fatalf("a private whistle calls %+v", p.Desk)
		}
		if p.State.Running() {
			running++
		}
		last := p.CalledAt
		for _, at := range []time.Time{p.AnsweredAt, p.ArrivedAt, p.HandledAt, p.AppraisedAt} {
			if !at.IsZero() && at.Before(last) {
				t.Fatalf("time ran back: %+v", p)
			}
			if !at.IsZero() {
				last = at
			}
		}
		if (p.State == ticket.PartAppraised) != (p.Speed != "") {
			t.Fatalf("%s with grade %q", p.State, p.Speed)
		}
	}
	if by.Staff != 0 && slices.Contains(after.AgainstStaff, by.Staff) {
		t.Fatalf("staff %d, whom the claim is about, did %s", by.Staff, d.Command)
	}
	leads := slices.DeleteFunc(slices.Clone(after.Parts), func(p ticket.Part) bool { return !p.Lead })
	if len(after.Parts) > 0 != (len(leads) == 1) {
		t.Fatalf("%d leads of %d units", len(leads), len(after.Parts))
	}
	if (after.State == ticket.WhistleHandled || after.State == ticket.WhistleClosed) && running > 0 || after.State == ticket.WhistleAssigned && running == 0 {
		t.Fatalf("%s with %d units at work", after.State, running)
	}
	clocks := map[ticket.WhistleState]time.Time{
		ticket.WhistleProposed: after.BlowDue, ticket.WhistleReturned: after.BlowDue, ticket.WhistleBlown: after.AssignDue,
		ticket.WhistleAssigned: after.Deadline, ticket.WhistleHandled: after.AppraiseDue,
	}
	if at, runs := clocks[after.State]; runs && at.IsZero() {
		t.Fatalf("no clock runs in %s", after.State)
	}
}
