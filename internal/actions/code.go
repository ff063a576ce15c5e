package actions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// bindRequest is what a code of this file is good for: to count one more
// address as a person's own. A code for one request opens no other (S3).
const bindRequest = "address.bind"

// sendCode sends a code to an address that is known to belong to whoever has
// the phone number. The answer is the same whether there is one or not, so
// that nobody learns which numbers are known.
func (s *Set) sendCode(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	sent, err := t.CountCodesSince(ctx, t.Address, t.Now.Add(-time.Hour))
	if err != nil {
		return nil, fmt.Errorf("count the codes of an address: %w", err)
	}
	if sent >= s.Policy.Codes.PerHour {
		return fail("code.many"), nil
	}
	p := s.Orders.Rights.Code
	answer := result{"minutes": int(p.Valid / time.Minute)}
	var persons []int64
	for _, index := range s.Orders.Keys.Indexes(gateway.IndexPhone, people.E164(text(args, "phone"))) {
		found, err := t.PersonsByPhone(ctx, index)
		if err != nil {
			return nil, fmt.Errorf("look a phone number up: %w", err)
		}
		persons = append(persons, found...)
	}
	to, err := t.ProvenAddress(ctx, persons, t.Address)
	if errors.Is(err, postgres.ErrNoRows) {
		// Written all the same, with nobody to read it: so it counts too.
		to = db.ProvenAddressRow{ID: t.Address, PersonID: t.Person}
	} else if err != nil {
		return nil, fmt.Errorf("find where to send a code: %w", err)
	}
	digits, err := people.NewOneTimeDigits(rand.Reader, p)
	if err != nil {
		return nil, err
	}
	id, err := t.AddCode(ctx, db.AddCodeParams{
		PersonID: to.PersonID, AddressID: t.Address, SentTo: to.ID, Request: bindRequest,
		Hash: people.HashOneTime(s.Orders.Keys, digits, bindRequest, t.Address), ExpiresAt: t.Now.Add(p.Valid),
	})
	if err != nil {
		return nil, fmt.Errorf("keep a code: %w", err)
	}
	if to.ID == t.Address {
		return answer, nil
	}
	return answer, t.PlanDue(ctx, gateway.Plan{
		Kind: workorder.DueCode, Subject: postgres.Subject("address", to.ID), Key: postgres.Subject("code", id), Person: to.PersonID,
		At: t.Now, NotAfter: t.Now.Add(p.Valid), Data: workorder.CodeDue{Digits: t.Seal(workorder.SealCode, digits)},
	})
}

// checkCode binds this address to the person that the code was sent to.
func (s *Set) checkCode(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	p := s.Orders.Rights.Code
	row, err := t.OpenCode(ctx, t.Address, bindRequest)
	if errors.Is(err, postgres.ErrNoRows) {
		return fail("code.wrong"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("load a code: %w", err)
	}
	if err := t.TryCode(ctx, row.ID); err != nil {
		return nil, fmt.Errorf("count a try: %w", err)
	}
	code := people.OneTimeCode{Hash: row.Hash, Tries: int(row.Tries), ExpiresAt: row.ExpiresAt}
	hash := people.HashOneTime(s.Orders.Keys, text(args, "digits"), bindRequest, t.Address)
	if err := code.Check(hash, p, t.Now); err != nil || row.SentTo == t.Address {
		return fail("code.wrong"), nil // which of the reasons it was helps only who guesses
	}
	if err := t.UseCode(ctx, row.ID); err != nil {
		return nil, fmt.Errorf("use a code: %w", err)
	}
	if err := t.MoveAddress(ctx, t.Address, row.PersonID, bots.TrustVerified.String()); err != nil {
		return nil, fmt.Errorf("bind an address: %w", err)
	}
	return result{}, t.Record(ctx, "address.bound", postgres.Subject("address", t.Address), map[string]any{"person": row.PersonID}, "")
}
