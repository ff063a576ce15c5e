package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Networks whose user ids do not last (Caps.Trust is none, and they are no phone
// numbers) let the account remember a contact by a mark of its own, which adapters
// make up and bring with every event: a hint "r:…". When it comes with another id
// than before, that contact has got a new id: its new address follows the old one,
// whose matters are answered there from now on, and its person becomes one with who
// it was. That can be taken back like any merge.
//
// A hint proves nothing. The new address is believed for nothing, so it reads
// nothing until a code was answered; who has proven something under the new id is
// left alone, and nobody becomes staff.

// hintGiven begins the hints that an account has given itself.
const hintGiven = "r:"

// recognise follows the hints of an event.
func (t *Turn) recognise(ctx context.Context, ev bots.Event) error {
	if t.Group || t.caps.Phone || t.caps.Trust != bots.TrustNone {
		return nil
	}
	for _, hint := range ev.From.Hints {
		if !strings.HasPrefix(hint, hintGiven) {
			continue
		}
		if err := t.follow(ctx, t.g.Keys.Index("hint/"+string(t.Channel), hint)); err != nil {
			return err
		}
	}
	return nil
}

// follow remembers a hint, and lets this address follow the one that had it before.
func (t *Turn) follow(ctx context.Context, hint []byte) error {
	before, err := t.HintedAddress(ctx, string(t.Channel), hint)
	switch {
	case err == nil && before.AddressID == t.Address:
		return nil
	case err != nil && !errors.Is(err, postgres.ErrNoRows):
		return fmt.Errorf("look whose hint it is: %w", err)
	}
	if err := t.RememberHint(ctx, string(t.Channel), hint, t.Address); err != nil {
		return fmt.Errorf("remember a hint: %w", err)
	}
	if before.AddressID == 0 {
		return nil
	}
	root, err := t.RootPerson(ctx, before.PersonID)
	if err != nil {
		return fmt.Errorf("follow a merged person: %w", err)
	}
	if root != t.Person {
		if free, err := t.mayFollow(ctx, root); err != nil || !free {
			return err
		}
	}
	origin := before.AddressID
	if before.Origin != nil {
		origin = *before.Origin
	}
	if err := t.FollowAddress(ctx, origin, before.AddressID, t.Address); err != nil {
		return fmt.Errorf("let an address follow another one: %w", err)
	}
	if root == t.Person {
		return nil // a code has said so before
	}
	if err := t.MergePersons(ctx, db.MergePersonsParams{Root: root, ID: t.Person, By: "system"}); err != nil {
		return fmt.Errorf("make a contact who it was: %w", err)
	}
	face, err := t.LikeFace(ctx, t.Own, before.PersonID)
	if err != nil {
		return fmt.Errorf("speak to a contact as before: %w", err)
	}
	t.Person, t.row.PersonID, t.Lang, t.row.Lang, t.row.Notice = root, root, face.Lang, face.Lang, face.NoticeVersion
	data := map[string]any{"address": before.AddressID, "person": root}
	return t.Record(ctx, "address.followed", postgres.Subject("address", t.Address), data, "")
}

// mayFollow reports whether the speaker may become one with a root by a mere hint:
// both are locked as they are.
func (t *Turn) mayFollow(ctx context.Context, root int64) (bool, error) {
	rows, err := t.LockPersons(ctx, []int64{root, t.Person})
	if err != nil {
		return false, fmt.Errorf("lock persons: %w", err)
	}
	for _, row := range rows {
		if row.Staff || row.MergedInto != nil {
			return false, nil
		}
	}
	proven, err := t.Provable(ctx, t.Person)
	if err != nil {
		return false, fmt.Errorf("look what a person has proven: %w", err)
	}
	return !proven, nil
}
