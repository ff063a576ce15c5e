package postgres

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/internal/ticket"
)

// anyTime draws no time, or one as PostgreSQL keeps it.
func anyTime(t *rapid.T, name string) time.Time {
	if rapid.Bool().Draw(t, name+" has come") {
		return time.Time{}
	}
	return time.UnixMicro(rapid.Int64Range(1_700_000_000_000_000, 1_900_000_000_000_000).Draw(t, name)).UTC()
}

// words draws text that no column may choke on.
func words(t *rapid.T, name string) string {
	return rapid.StringN(0, 12, 40).Filter(func(s string) bool { return !has0(s) }).Draw(t, name)
}

func has0(s string) bool {
	for _, r := range s {
		if r == 0 {
			return true
		}
	}
	return false
}

func sealed(t *rapid.T, name string) []byte {
	return rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, name)
}

// change draws everything of a ticket that SaveTicket writes.
func change(t *rapid.T, s *SealedTicket) {
	s.State = rapid.SampledFrom(ticket.States()).Draw(t, "state")
	s.Claim, s.Matter, s.Danger = words(t, "claim"), words(t, "matter"), words(t, "danger")
	s.Urgency = rapid.SampledFrom(ticket.Urgencies()).Draw(t, "urgency")
	s.Place = ticket.PlaceRef{Division: words(t, "division"), Grid: words(t, "grid"), PlaceID: rapid.Int64Range(0, 9).Draw(t, "place")}
	s.Confidential, s.Anonymous, s.Sensitive = rapid.Bool().Draw(t, "c"), rapid.Bool().Draw(t, "a"), rapid.Bool().Draw(t, "s")
	s.Against = rapid.SliceOfN(rapid.StringMatching(`[a-z"{},\\ ]{1,5}`), 0, 3).Draw(t, "against")
	s.AgainstStaff = rapid.SliceOfN(rapid.Int64(), 0, 3).Draw(t, "against staff")
	n := func(name string) int { return rapid.IntRange(0, 9).Draw(t, name) }
	s.Redos, s.Relapses, s.Tries = n("redos"), n("relapses"), n("tries")
	for name, at := range map[string]*time.Time{
		"dispatched": &s.DispatchedAt, "signed": &s.SignedAt, "contacted": &s.ContactedAt, "handled": &s.HandledAt, "closed": &s.ClosedAt,
		"dispatch due": &s.DispatchDue, "sign due": &s.SignDue, "contact due": &s.ContactDue, "deadline": &s.Deadline,
	} {
		*at = anyTime(t, name)
	}
	s.UnitResult = rapid.SampledFrom([]ticket.UnitResult{"", ticket.UnitResolved, ticket.UnitPartly}).Draw(t, "result")
	s.Facts = ticket.Facts{
		Contacted: rapid.SampledFrom([]ticket.Answer{"", ticket.Yes, ticket.No}).Draw(t, "contacted"),
		Solved:    rapid.SampledFrom([]ticket.Answer{"", ticket.Yes, ticket.Partly, ticket.No}).Draw(t, "solved"),
		Satisfied: rapid.SampledFrom(append(ticket.Satisfactions(), "")).Draw(t, "satisfied"),
	}
	s.Outcome = rapid.SampledFrom([]ticket.Outcome{"", ticket.OutcomeResolved, ticket.OutcomeRejected}).Draw(t, "outcome")
	s.Label, s.ReportedFor = sealed(t, "label"), sealed(t, "reported for")
	for i := range s.Assignments {
		a := &s.Assignments[i]
		a.SignedBy, a.SignedAt, a.FinishedAt, a.EndedAt = rapid.Int64Range(0, 9).Draw(t, "by"), anyTime(t, "a signed"), anyTime(t, "a finished"), anyTime(t, "a ended")
	}
	for range rapid.IntRange(0, 2).Draw(t, "assignments") {
		s.Assignments = append(s.Assignments, ticket.Assignment{
			Role:  rapid.SampledFrom([]ticket.Role{ticket.RoleLead, ticket.RoleCo, ticket.RoleInformed}).Draw(t, "role"),
			Desk:  ticket.Desk{Kind: rapid.SampledFrom([]ticket.DeskKind{ticket.DeskGrid, ticket.DeskNamed}).Draw(t, "kind"), Code: words(t, "desk"), Staff: rapid.Int64Range(0, 9).Draw(t, "staff")},
			State: ticket.AssignmentState(words(t, "assignment")), DispatchedAt: time.UnixMicro(1_750_000_000_000_000).UTC(), SignedAt: anyTime(t, "new signed"),
		})
	}
}

// sameTicket compares what was written with what came back. Empty and missing
// lists are the same, and times are in UTC.
func sameTicket(a, b SealedTicket) error {
	for _, s := range []*SealedTicket{&a, &b} {
		s.Against, s.AgainstStaff, s.Assignments = notNil(s.Against), notNil(s.AgainstStaff), notNil(append([]ticket.Assignment(nil), s.Assignments...))
		inUTC(reflect.ValueOf(s).Elem())
	}
	if !reflect.DeepEqual(a, b) {
		return fmt.Errorf("wrote %+v\nread  %+v", a, b)
	}
	return nil
}

func inUTC(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		if at := v.Interface().(time.Time); !at.IsZero() {
			v.Set(reflect.ValueOf(at.UTC()))
		}
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			inUTC(v.Field(i))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			inUTC(v.Index(i))
		}
	}
}

func TestATicketComesBackAsItWasSaved(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	tx, r := turn(t, d, from("li", "1"))
	commit(t, tx, r)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s := SealedTicket{Words: sealed(rt, "words")}
		change(rt, &s)
		s.Number, s.Version, s.ReceivedAt = ticket.Number(fmt.Sprintf("%010d", n)), 1, time.UnixMicro(1_750_000_000_000_000).UTC()
		s.ReporterID, s.AddressID, s.ConversationID, s.Finding = r.PersonID, r.AddressID, r.ConversationID, rapid.Bool().Draw(rt, "finding")
		err := d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
			if err := tx.CreateTicket(ctx, &s, []int32{1, 2}); err != nil {
				return err
			}
			for range rapid.IntRange(1, 2).Draw(rt, "changes") {
				change(rt, &s)
				s.Version++
				if err := tx.SaveTicket(ctx, &s); err != nil {
					return err
				}
			}
			got, err := tx.LoadTicket(ctx, s.ID, rapid.Bool().Draw(rt, "lock"))
			if err != nil {
				return err
			}
			if err := sameTicket(s, *got); err != nil {
				return err
			}
			s.Version-- // somebody who loaded it before
			if err := tx.SaveTicket(ctx, &s); !errors.Is(err, ErrChanged) {
				return fmt.Errorf("an old version was saved: %v", err)
			}
			return nil
		})
		if err != nil {
			rt.Fatal(err)
		}
	})
}

func TestATicketThatIsNotThere(t *testing.T) {
	t.Parallel()
	d := fresh(t)
	err := d.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
		_, err := tx.LoadTicket(ctx, 17, true)
		return err
	})
	if !errors.Is(err, ErrNoRows) {
		t.Fatalf("LoadTicket said %v, want ErrNoRows", err)
	}
}
