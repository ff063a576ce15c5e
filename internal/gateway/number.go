package gateway

import (
	"context"
	"fmt"
)

// How phone numbers are sealed (the column person.phone) and indexed.
const (
	SealPhone  = "person.phone"
	IndexPhone = "phone"
)

// Forgeable reports whether the speaker may be somebody else than the address
// says. What needs more than bots.TrustNone must not be done here.
func (t *Turn) Forgeable() bool { return t.caps.Phone }

// KeepPhone keeps the number of a person, in E.164 form: sealed, and findable by
// its blind index.
func (t *Turn) KeepPhone(ctx context.Context, person int64, e164 string) error {
	if err := t.SetPersonPhone(ctx, person, t.Seal(SealPhone, e164), t.g.Keys.Index(IndexPhone, e164)); err != nil {
		return fmt.Errorf("keep a phone number: %w", err)
	}
	return nil
}
