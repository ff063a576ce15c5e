package actions

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// join makes the speaker a member of the staff by a one-time code, and the
// address a proven one. Who is of the staff already gets one role more. Wrong,
// used and expired codes get the same answer, are counted like wrong ticket
// numbers and lock the address for a while. Without anything like a code in the
// text it only says so: 加入 is an everyday word.
func (s *Set) join(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	said := text(args, "code")
	code, err := people.ParseInviteCode(inviteIn(said))
	if err != nil && !truth(args, "asked") {
		return result{"code": "", "other": utf8.RuneCountInString(said) > maxJoin}, nil
	}
	if t.Group {
		return fail("staff.private_chat"), nil
	}
	if t.Forgeable() { // whoever writes this number as the sender would be staff
		return fail("join.number"), nil
	}
	locked, lockErr := t.LookupLocked(ctx, t.Address)
	if lockErr != nil {
		return nil, fmt.Errorf("read the lock of an address: %w", lockErr)
	}
	if locked {
		return fail("join.locked"), nil
	}
	if err != nil {
		return s.missedInvite(ctx, t)
	}
	row, err := s.invite(ctx, t, code)
	if err != nil || row == nil {
		if err != nil {
			return nil, err
		}
		return s.missedInvite(ctx, t)
	}
	if err := s.enlist(ctx, t, *row); err != nil {
		return nil, err
	}
	return result{"code": string(code), "name": row.Name}, nil
}

// maxJoin is the longest message that means joining though no code is in it:
// 我要用激活码加入. What is longer is about something else.
const maxJoin = 9

var inviteGroups = regexp.MustCompile(`(?i)\b[2-9A-HJKMNP-Z]{4}[ \-]?[2-9A-HJKMNP-Z]{4}\b`)

// inviteIn finds the code in a message: "加入 7KQ2 M9XD".
func inviteIn(said string) string {
	said = norm.NFKC.String(said)
	if code := inviteGroups.FindString(said); code != "" {
		return code
	}
	return said
}

// invite is the open invite behind a code, nil when there is none that counts.
func (s *Set) invite(ctx context.Context, t *gateway.Turn, code people.InviteCode) (*db.Invite, error) {
	for _, hash := range s.Orders.Keys.Indexes("invite", string(code)) {
		row, err := t.OpenInvite(ctx, hash)
		if errors.Is(err, postgres.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look an invite up: %w", err)
		}
		in := people.Invite{ExpiresAt: row.ExpiresAt}
		if row.UsedAt != nil {
			in.UsedAt = *row.UsedAt
		}
		if in.Usable(t.Now) == nil {
			return &row, nil
		}
	}
	return nil, nil
}

func (s *Set) missedInvite(ctx context.Context, t *gateway.Turn) (result, error) {
	p := s.Policy.Lookup
	err := t.MissLookup(ctx, db.MissLookupParams{
		AddressID: t.Address, Since: t.Now.Add(-p.Within), Allowed: p.Misses, LockedUntil: t.Now.Add(p.Lock),
	})
	if err != nil {
		return nil, fmt.Errorf("count a wrong code: %w", err)
	}
	return fail("join.wrong"), nil
}

// enlist writes the member of the staff, the role and the trust of the address.
func (s *Set) enlist(ctx context.Context, t *gateway.Turn, in db.Invite) error {
	id := t.Staff
	if id == 0 {
		var err error
		id, err = t.AddStaff(ctx, db.AddStaffParams{PersonID: t.Person, Slug: "p" + strconv.FormatInt(t.Person, 10), Name: in.Name})
		if err != nil {
			return fmt.Errorf("add to the staff: %w", err)
		}
		if err := t.SetPersonKind(ctx, t.Person, string(people.KindStaff)); err != nil {
			return fmt.Errorf("mark a person as staff: %w", err)
		}
		if err := t.SetPersonName(ctx, t.Person, t.Seal(workorder.SealName, in.Name)); err != nil {
			return fmt.Errorf("keep the name of a person: %w", err)
		}
		if err := t.UnbindNumbers(ctx, t.Person); err != nil {
			return err
		}
	}
	if err := t.AddGrant(ctx, db.AddGrantParams{StaffID: id, Role: in.Role, AreaKind: in.AreaKind, Area: in.Area}); err != nil {
		return fmt.Errorf("grant a role: %w", err)
	}
	if err := t.SetTrust(ctx, t.Address, bots.TrustVerified.String()); err != nil {
		return fmt.Errorf("prove an address: %w", err)
	}
	if err := t.UseInvite(ctx, in.Hash, &id); err != nil {
		return fmt.Errorf("use an invite: %w", err)
	}
	return t.Record(ctx, "staff.joined", postgres.Subject("staff", id), map[string]any{"role": in.Role, "area": in.Area, "address": t.Address}, "")
}

// desk is what staff_help says: who you are, what lies before you.
func (s *Set) desk(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	cards, err := s.cards(ctx, t)
	if err != nil {
		return nil, err
	}
	tasks, err := s.errands(ctx, t, who)
	if err != nil {
		return nil, err
	}
	return result{"name": who.Name, "cards": len(cards), "tasks": len(tasks), "duty": who.OnDuty}, nil
}
