package actions

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// own finds the ticket that a number names, if it is the speaker's and the trust
// in the address is enough for what is wanted. Otherwise
// key says what they are told: the same for a number of somebody else and for
// one that does not exist (promise S4). Misses are counted on the turn's
// transaction; too many lock the address for a while.
func (s *Set) own(ctx context.Context, t *gateway.Turn, said string, c people.ResidentCommand) (o *workorder.Order, key string, err error) {
	locked, err := t.LookupLocked(ctx, t.Address)
	if err != nil {
		return nil, "", fmt.Errorf("read the lock of an address: %w", err)
	}
	if locked {
		return nil, "lookup.locked", nil
	}
	n, err := ticket.ParseNumber(said)
	if err == nil {
		o, err = s.Orders.FindOwn(ctx, t, n, c)
	}
	switch {
	case err == nil:
		return o, "", nil
	case !errors.Is(err, workorder.ErrNotYours) && !errors.Is(err, ticket.ErrNumber):
		return nil, "", err
	}
	p := s.Policy.Lookup
	err = t.MissLookup(ctx, db.MissLookupParams{
		AddressID: t.Address, Since: t.Now.Add(-p.Within), Allowed: p.Misses, LockedUntil: t.Now.Add(p.Lock),
	})
	if err != nil {
		return nil, "", fmt.Errorf("count a wrong number: %w", err)
	}
	return nil, "lookup.unknown", nil
}

// ownArg is own for the argument "number".
func (s *Set) ownArg(ctx context.Context, t *gateway.Turn, args map[string]any, c people.ResidentCommand) (*workorder.Order, string, error) {
	return s.own(ctx, t, text(args, "number"), c)
}

// reporter is the speaker as the reporter of a ticket. Persons that were merged
// are one.
func (s *Set) reporter(ctx context.Context, t *gateway.Turn, o *workorder.Order) (ticket.Actor, error) {
	as := ticket.Actor{As: ticket.AsReporter, Person: t.Person, Staff: t.Staff}
	if o.ReporterID == t.Person {
		return as, nil
	}
	root, err := t.RootPerson(ctx, o.ReporterID)
	if err != nil {
		return as, fmt.Errorf("follow a merged person: %w", err)
	}
	if root == t.Person {
		as.Person = o.ReporterID
	}
	return as, nil
}

// mine lists the speaker's tickets, latest first: those of the person where
// the address is verified, else those that came by it. c is what they are listed
// for: adding words is open to who may see nothing else.
func (s *Set) mine(ctx context.Context, t *gateway.Turn, c people.ResidentCommand) ([]postgres.SealedTicket, error) {
	var rows []db.Ticket
	var err error
	switch people.Allowed(c, t.Trust, false) {
	case people.Allow:
		rows, err = t.TicketsOfPerson(ctx, t.Person, mineMax)
	case people.AllowOwn:
		rows, err = t.TicketsOfAddress(ctx, t.Address, t.Person, mineMax)
	}
	if err != nil {
		return nil, fmt.Errorf("list the tickets of a resident: %w", err)
	}
	return postgres.WithAssignments(ctx, t.Queries, rows)
}

// mineMax bounds what a list is chosen from; what is shown is Policy.Listed.
const mineMax = 50

// listOwn lists the speaker's tickets in plain words and as options. which is
// "open" (still to be withdrawn or added to), "over" (may have come back) or
// empty for all; for is the command that they are listed for, else reading. With a
// number in text, that one ticket is "only".
func (s *Set) listOwn(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	c := people.CmdReadOwn
	if text(args, "for") == string(people.CmdAddToTicket) {
		c = people.CmdAddToTicket
	}
	if named := ticket.FindNumbers(text(args, "text")); len(named) > 0 {
		o, key, err := s.own(ctx, t, string(named[0]), c)
		if err != nil || key != "" {
			return fail(key), err
		}
		return result{"count": 1, "only": o.Number.Spoken(), "lines": "", "choices": []any{}}, nil
	}
	all, err := s.mine(ctx, t, c)
	if err != nil {
		return nil, err
	}
	listed := s.Policy.Listed
	if t.Paid() {
		listed = s.Policy.ListedPaid
	}
	lines, only := "", ""
	choices := []any{}
	count := 0
	for i := range all {
		o := &all[i]
		if count == listed || !wanted(o.Ticket, text(args, "which"), s.relapseLate(o.Ticket, t)) {
			continue
		}
		count++
		line, label, err := s.line(t, o.Ticket, count)
		if err != nil {
			return nil, err
		}
		if only = o.Number.Spoken(); lines != "" {
			lines += "\n"
		}
		lines += line
		choices = append(choices, option(o.Number.Spoken(), label))
	}
	if count != 1 {
		only = ""
	}
	if other := text(args, "other"); other != "" && count > 0 {
		label, err := s.Library.Text(other, t.Lang, nil)
		if err != nil {
			return nil, err
		}
		choices = append(choices, option("new", label))
	}
	return result{"count": count, "only": only, "lines": lines, "choices": choices}, nil
}

func wanted(k ticket.Ticket, which string, late bool) bool {
	switch which {
	case "open":
		return k.State.Open() && k.State != ticket.Handled && k.State != ticket.Callback
	case "over":
		return k.State == ticket.Closed && !late
	}
	return true
}

// line is a ticket in plain words, and as an option.
func (s *Set) line(t *gateway.Turn, k ticket.Ticket, n int) (line, label string, err error) {
	state, err := s.Library.Text("ticket.state."+string(k.State), t.Lang, nil)
	if err != nil {
		return "", "", err
	}
	matter, err := s.matterName(t, k)
	if err != nil {
		return "", "", err
	}
	params := map[string]string{"n": strconv.Itoa(n), "number": k.Number.Spoken(), "matter": matter, "state": state}
	if line, err = s.Library.Text("ticket.line", t.Lang, params); err != nil {
		return "", "", err
	}
	label, err = s.Library.Text("ticket.choice", t.Lang, params)
	return line, label, err
}

// matterName is the matter of a ticket, in general words while it is unknown.
func (s *Set) matterName(t *gateway.Turn, k ticket.Ticket) (string, error) {
	if m, ok := s.Orders.Matters.Get(k.Matter); ok && k.Matter != ticket.OtherMatter {
		return m.Name, nil
	}
	return s.Library.Text("ticket.mixed", t.Lang, nil)
}

// findOwn tells one ticket of the speaker in plain words.
func (s *Set) findOwn(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, key, err := s.ownArg(ctx, t, args, people.CmdReadOwn)
	if err != nil || key != "" {
		return fail(key), err
	}
	state, err := s.Library.Text("ticket.state."+string(o.State), t.Lang, nil)
	if err != nil {
		return nil, err
	}
	matter, err := s.matterName(t, o.Ticket)
	if err != nil {
		return nil, err
	}
	reply, err := s.Orders.Reply(o)
	if err != nil {
		return nil, err
	}
	if t.Paid() {
		reply = clip(reply, s.Policy.ReplyPaid)
	}
	r := result{"number": o.Number.Spoken(), "matter": matter, "place": o.Place.Label, "state": state, "reply": reply, "month": 0, "day": 0, "clock": ""}
	if o.State.OnDesk() || o.State == ticket.Signed {
		s.addWhen(r, o.Deadline)
	}
	return r, nil
}
