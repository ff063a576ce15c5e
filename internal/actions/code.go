package actions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// One-time codes. A code proves that whoever asks holds a phone, or an address
// that was proven before, and is good for the one request that it was made for:
// binding an address, or a command that needs more than a sender number, which
// anybody can forge (S3). No code is asked of whoever answers a question of ours.

// requestBind is the request by which an address becomes the same person's as a
// number.
const requestBind = string(people.CmdBindAddress)

// askCode sends a code to the very number that asks, where its command needs one:
// the dialogue says it, in the same text that asks for it. Elsewhere, and where
// the number has nothing that the command could touch, none is needed. An id that
// changes by itself is no number: a code to it proves nothing, and it has to be bound
// to one first.
func (s *Set) askCode(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	request := text(args, "request")
	if !t.Forgeable() && t.Trust == bots.TrustNone && people.Allowed(people.ResidentCommand(request), t.Trust, false) == people.NeedCode {
		return fail("code.bind_first"), nil
	}
	if !t.Forgeable() || people.Allowed(people.ResidentCommand(request), t.Trust, false) != people.NeedCode {
		return result{"needed": false}, nil
	}
	switch people.ResidentCommand(request) {
	case people.CmdReadOwn, people.CmdWithdrawTicket, people.CmdRelapse, people.CmdWithdrawConsent:
		has, err := s.hasSomething(ctx, t)
		if err != nil || !has {
			return result{"needed": false}, err
		}
	}
	full, err := s.codesFull(ctx, t, t.Address)
	if err != nil || full {
		return fail("code.many"), err
	}
	what, err := s.Library.Text("code.for."+request, t.Lang, nil)
	if err != nil {
		return nil, err
	}
	digits, _, err := s.makeCode(ctx, t, db.AddCodeParams{PersonID: t.Person, SentTo: t.Address, Request: request})
	if err != nil {
		return nil, err
	}
	return result{"needed": true, "digits": digits, "minutes": s.codeMinutes(), "what": what}, nil
}

// hasSomething reports whether there is a ticket, a bed or an application that a code
// could lead to.
func (s *Set) hasSomething(ctx context.Context, t *gateway.Turn) (bool, error) {
	own, err := t.TicketsOfPerson(ctx, t.Person, 1)
	if err != nil {
		return false, fmt.Errorf("look for tickets: %w", err)
	}
	if len(own) > 0 {
		return true, nil
	}
	if beds, err := s.beds(ctx, t, people.CmdReport); err != nil || len(beds) > 0 {
		return err == nil, err
	}
	_, err = t.OpenApplicationOf(ctx, t.Person)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return false, fmt.Errorf("look for an application: %w", err)
	}
	return err == nil, nil
}

func (s *Set) codeMinutes() int { return int(s.Orders.Rights.Code.Valid / time.Minute) }

// codesFull holds the limits of codes in an hour: those that the speaker may ask
// for, and those that one number is sent, whoever asks.
func (s *Set) codesFull(ctx context.Context, t *gateway.Turn, to int64) (bool, error) {
	hour := t.Now.Add(-time.Hour)
	asked, err := t.CountCodesSince(ctx, t.Address, hour)
	if err != nil {
		return false, fmt.Errorf("count the codes of an address: %w", err)
	}
	sent, err := t.CountCodesTo(ctx, to, hour)
	if err != nil {
		return false, fmt.Errorf("count the codes sent to an address: %w", err)
	}
	return asked >= s.Policy.Codes.PerHour || sent >= s.Policy.Codes.PerNumber, nil
}

// makeCode draws a code for the speaker's address and keeps its hash.
func (s *Set) makeCode(ctx context.Context, t *gateway.Turn, p db.AddCodeParams) (digits string, id int64, err error) {
	policy := s.Orders.Rights.Code
	if digits, err = people.NewOneTimeDigits(rand.Reader, policy); err != nil {
		return "", 0, err
	}
	p.AddressID, p.ExpiresAt = t.Address, t.Now.Add(policy.Valid)
	p.Hash = people.HashOneTime(s.Orders.Keys, digits, p.Request, t.Address)
	if id, err = t.AddCode(ctx, p); err != nil {
		return "", 0, fmt.Errorf("keep a code: %w", err)
	}
	return digits, id, nil
}

// sendCode sends a code for binding to a phone number, by the city's SMS, whether
// the number is known or not. Without SMS it goes to an address that is known to
// belong to whoever has the number. The answer is the same in every case, so that
// nobody learns which numbers are known.
func (s *Set) sendCode(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	number, where := people.E164(text(args, "phone")), "code.where.known"
	find := s.provenAddress
	if s.Phone != "" {
		if !people.Mobile(number) {
			return fail("code.mobile"), nil
		}
		where, find = "code.where.number", s.numberAddress
	}
	asked, err := t.CountCodesSince(ctx, t.Address, t.Now.Add(-time.Hour))
	if err != nil {
		return nil, fmt.Errorf("count the codes of an address: %w", err)
	}
	if asked >= s.Policy.Codes.PerHour {
		return fail("code.many"), nil
	}
	said, err := s.Library.Text(where, t.Lang, nil)
	if err != nil {
		return nil, err
	}
	to, err := find(ctx, t, number)
	if err != nil {
		return nil, err
	}
	if full, err := s.codesFull(ctx, t, to.ID); err != nil {
		return nil, err
	} else if full {
		// Written all the same, with nobody to read it: so it counts too.
		to = db.ProvenAddressRow{ID: t.Address, PersonID: t.Person}
	}
	digits, id, err := s.makeCode(ctx, t, db.AddCodeParams{PersonID: to.PersonID, SentTo: to.ID, Request: requestBind})
	if err != nil {
		return nil, err
	}
	answer := result{"minutes": s.codeMinutes(), "where": said}
	if to.ID == t.Address {
		return answer, nil
	}
	return answer, t.PlanDue(ctx, gateway.Plan{
		Kind: workorder.DueCode, Subject: postgres.Subject("address", to.ID), Key: postgres.Subject("code", id), Person: to.PersonID,
		At: t.Now, NotAfter: t.Now.Add(s.Orders.Rights.Code.Valid), Data: workorder.CodeDue{Digits: t.Seal(workorder.SealCode, digits)},
	})
}

// numberAddress is where a phone number is written to.
func (s *Set) numberAddress(ctx context.Context, t *gateway.Turn, number string) (db.ProvenAddressRow, error) {
	address, person, err := t.ReachNumber(ctx, s.Phone, number)
	return db.ProvenAddressRow{ID: address, PersonID: person}, err
}

// provenAddress is an address that is known to be of whoever has a number, the
// speaker's own where there is none.
func (s *Set) provenAddress(ctx context.Context, t *gateway.Turn, number string) (db.ProvenAddressRow, error) {
	var persons []int64
	for _, index := range s.Orders.Keys.Indexes(gateway.IndexPhone, number) {
		found, err := t.PersonsByPhone(ctx, index)
		if err != nil {
			return db.ProvenAddressRow{}, fmt.Errorf("look a phone number up: %w", err)
		}
		persons = append(persons, found...)
	}
	to, err := t.ProvenAddress(ctx, persons, t.Address)
	if errors.Is(err, postgres.ErrNoRows) {
		return db.ProvenAddressRow{ID: t.Address, PersonID: t.Person}, nil
	}
	if err != nil {
		return to, fmt.Errorf("find where to send a code: %w", err)
	}
	return to, nil
}

// checkCode makes proof of the digits that the speaker answers: {id}. A wrong code
// is asked for once more; then there is no proof. What tells a story instead is no
// answer but something new, and comes back as words.
func (s *Set) checkCode(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	said := text(args, "text")
	digits := digitsIn(said)
	if digits == "" && s.tells(said) {
		return result{"status": flows.StatusOK, "value": result{"words": said}}, nil
	}
	none := result{"status": flows.StatusOK, "value": result{}}
	row, err := t.OpenCode(ctx, t.Address)
	if errors.Is(err, postgres.ErrNoRows) {
		return none, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load a code: %w", err)
	}
	if err := t.TryCode(ctx, row.ID); err != nil {
		return nil, fmt.Errorf("count a try: %w", err)
	}
	code := people.OneTimeCode{Hash: row.Hash, Tries: int(row.Tries), ExpiresAt: row.ExpiresAt}
	err = code.Check(people.HashOneTime(s.Orders.Keys, digits, row.Request, t.Address), s.Orders.Rights.Code, t.Now)
	unread := row.SentTo == t.Address && !t.Forgeable() // nobody could read it
	switch {
	case errors.Is(err, people.ErrWrong) && row.Tries == 0 || unread && row.Tries == 0:
		return result{"status": flows.StatusReject}, nil
	case err != nil || unread:
		return none, nil // which of the reasons it was helps only who guesses
	}
	if err := t.UseCode(ctx, row.ID); err != nil {
		return nil, fmt.Errorf("use a code: %w", err)
	}
	data := map[string]any{"request": row.Request}
	if err := t.Record(ctx, "code.answered", postgres.Subject("address", t.Address), data, ""); err != nil {
		return nil, err
	}
	return result{"status": flows.StatusOK, "value": result{"id": row.ID}}, nil
}

// digitsIn are the digits of an answer, empty when it says something else.
func digitsIn(said string) string {
	var digits strings.Builder
	letters := 0
	for _, r := range norm.NFKC.String(said) {
		switch {
		case r >= '0' && r <= '9':
			digits.WriteRune(r)
		case unicode.IsLetter(r):
			letters++
		}
	}
	if digits.Len() < 4 || letters > digits.Len() { // 验证码是123456 is an answer, 3栋101楼道灯坏了 is not
		return ""
	}
	return digits.String()
}

// proof is the request that a code was answered for in this dialogue, "" for none.
func (s *Set) proof(ctx context.Context, t *gateway.Turn, args map[string]any) (db.ProvenCodeRow, error) {
	id := int64(number(object(args, "proof"), "id"))
	if id == 0 {
		return db.ProvenCodeRow{}, nil
	}
	row, err := t.ProvenCode(ctx, id, t.Address, t.Now.Add(-s.Orders.Rights.Code.Holds))
	if errors.Is(err, postgres.ErrNoRows) {
		return db.ProvenCodeRow{}, nil
	}
	if err != nil {
		return row, fmt.Errorf("load the proof of a request: %w", err)
	}
	return row, nil
}

// proven lets an action be done at the trust that a code has proven: the one that
// was asked for this very command, or for one that has to name a ticket first.
func (s *Set) proven(c people.ResidentCommand, do gateway.Action) gateway.Action {
	return func(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
		p, err := s.proof(ctx, t, args)
		if err != nil {
			return nil, err
		}
		if p.Request == string(c) || p.Request != "" && c == people.CmdReadOwn {
			before := t.Trust
			defer func() { t.Trust = before }()
			t.Trust = bots.TrustVerified
		}
		return do(ctx, t, args)
	}
}
