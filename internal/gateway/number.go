package gateway

import (
	"context"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// What is particular to networks whose user ids are phone numbers (Caps.Phone).
// Anybody can write any number as the sender, so such an event proves nothing: it
// is believed for nothing (bots.TrustNone) and nobody is staff there, whatever is
// known of the address. That an address is verified means only that messages may
// be sent to it: it is bound. And a number that was silent for long may have been
// given to somebody else 二次放号: it is bound no longer.

// How phone numbers are sealed (the column person.phone) and indexed.
const (
	SealPhone  = "person.phone"
	IndexPhone = "phone"
)

// Forgeable reports whether the speaker may be somebody else than the address
// says. What needs more than bots.TrustNone must not be done here.
func (t *Turn) Forgeable() bool { return t.caps.Phone }

// Bound reports whether the speaker writes from a number that is bound to a person
// who may not be the one that speaks: what is known of that person must not be
// changed here.
func (t *Turn) Bound() bool { return t.caps.Phone && t.row.Trust == bots.TrustVerified.String() }

// PersonByNumber is the one person with a telephone number in E.164 form, 0 where
// there are none or several: of several nobody can say who it is.
func (t *Turn) PersonByNumber(ctx context.Context, e164 string) (int64, error) {
	found := map[int64]bool{}
	var person int64
	for _, index := range t.g.Keys.Indexes(IndexPhone, e164) {
		ids, err := t.PersonsByPhone(ctx, index)
		if err != nil {
			return 0, fmt.Errorf("find a person by number: %w", err)
		}
		for _, id := range ids {
			found[id], person = true, id
		}
	}
	if len(found) != 1 {
		return 0, nil
	}
	return person, nil
}

// KeepPhone keeps the number of a person, in E.164 form: sealed, and findable by
// its blind index.
func (t *Turn) KeepPhone(ctx context.Context, person int64, e164 string) error {
	if err := t.SetPersonPhone(ctx, person, t.Seal(SealPhone, e164), t.g.Keys.Index(IndexPhone, e164)); err != nil {
		return fmt.Errorf("keep a phone number: %w", err)
	}
	return nil
}

// ReachNumber is where a phone number is written to on an account whose ids are
// numbers, and whose it is. Both are made for a number that was never heard from;
// nothing is proven by it (bots.TrustNone).
func (t *Turn) ReachNumber(ctx context.Context, on bots.ChannelID, e164 string) (address, person int64, err error) {
	name := t.g.Keys.Pseudonym(IndexPhone, e164)
	id, err := t.EnsureConversation(ctx, postgres.Incoming{Channel: string(on), Chat: name, User: name, Trust: bots.TrustNone.String()})
	if err != nil {
		return 0, 0, fmt.Errorf("find the chat of a number: %w", err)
	}
	c, err := t.Tx.Conversation(ctx, id)
	if err != nil {
		return 0, 0, fmt.Errorf("load the chat of a number: %w", err)
	}
	p, err := t.GetPerson(ctx, c.PersonID)
	if err != nil {
		return 0, 0, fmt.Errorf("load who has a number: %w", err)
	}
	if p.PhoneIndex == nil {
		err = t.KeepPhone(ctx, p.ID, e164)
	}
	return c.AddressID, c.PersonID, err
}

// UnbindNumbers unbinds the numbers of a person who is on the staff: what staff are
// sent is for no telephone that others may read, and no SMS is paid for it.
func (t *Turn) UnbindNumbers(ctx context.Context, person int64) error {
	var phones []string
	for id, a := range t.g.Channels {
		if a.Caps().Phone {
			phones = append(phones, string(id))
		}
	}
	if len(phones) == 0 {
		return nil
	}
	if err := t.UnbindAddresses(ctx, phones, person); err != nil {
		return fmt.Errorf("unbind the numbers of a colleague: %w", err)
	}
	return nil
}

// number does what comes before anything else is done for a number: one that was
// silent for too long is nobody's, and the number becomes that of the person.
func (t *Turn) number(ctx context.Context, ev bots.Event) error {
	if !t.caps.Phone {
		return nil
	}
	if _, err := t.lapse(ctx); err != nil {
		return err
	}
	if ev.From.Phone == "" || t.row.Phone {
		return nil
	}
	t.row.Phone = true
	return t.KeepPhone(ctx, t.Own, ev.From.Phone)
}

// lapse parts a number that was silent for too long from its person, bound or not,
// once, and reports whether it was silent. Whoever has it now is a person of their own, in no
// dialogue, asked nothing and told nothing of what was filed before; only a code
// binds it again.
func (t *Turn) lapse(ctx context.Context) (bool, error) {
	if !t.caps.Phone || !t.g.cfg.silent(t.row.KnownAt, t.Now) {
		return false, nil
	}
	before, err := t.GetPerson(ctx, t.Person)
	if err != nil {
		return false, fmt.Errorf("load a person: %w", err)
	}
	if t.g.cfg.silent(t.row.KnownAt, before.CreatedAt) {
		return true, nil // it was parted before, and nothing was heard from it since
	}
	person, err := t.NewPerson(ctx)
	if err != nil {
		return false, fmt.Errorf("make a person: %w", err)
	}
	if err := t.MoveAddress(ctx, t.Address, person, bots.TrustNone.String()); err != nil {
		return false, fmt.Errorf("unbind a number: %w", err)
	}
	if err := t.CloseAddressPrompts(ctx, t.Address, "silent"); err != nil {
		return false, fmt.Errorf("close the prompts of a number: %w", err)
	}
	t.Person, t.Own, t.Lang = person, person, flows.BaseLang
	t.row.PersonID, t.row.Phone, t.row.Trust = person, false, bots.TrustNone.String()
	t.row.Flow, t.row.State, t.row.PromptID = "", nil, 0
	if number, err := t.g.Keys.OpenPseudonym(IndexPhone, string(t.User)); err == nil {
		if err := t.KeepPhone(ctx, person, number); err != nil {
			return false, err
		}
		t.row.Phone = true
	}
	data := map[string]any{"person": before.ID}
	return true, t.Record(ctx, "address.lapsed", postgres.Subject("address", t.Address), data, "")
}

// silent reports whether a number known at one time may be somebody else's at
// another.
func (c Config) silent(known, now time.Time) bool {
	return c.Silent > 0 && now.Sub(known) > c.Silent
}

// silentFor reports whether a push must not go to a number because it may be
// somebody else's. What was meant for this very address may: a one-time code.
func (c Config) silentFor(caps bots.Caps, row db.ClaimOutboxRow) bool {
	return caps.Phone && row.Class == "push" && row.Subject != postgres.Subject("address", row.AddressID) && c.silent(row.KnownAt, row.At)
}
