package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
)

// Invite makes a one-time code for a new member of the staff. The code itself
// is not kept.
func (h *House) Invite(ctx context.Context, name string, g people.Grant) (people.InviteCode, time.Time, error) {
	if !h.Rights.Grantable(g) {
		return "", time.Time{}, fmt.Errorf("role %s cannot be held in %s %s: see areas in configs/policies/rights.yaml", g.Role, g.Area.Kind, g.Area.Code)
	}
	code, err := people.NewInviteCode(rand.Reader)
	if err != nil {
		return "", time.Time{}, err
	}
	until := h.Clock.Now().Add(h.Rights.Invite.Valid)
	err = h.DB.AddInvite(ctx, db.AddInviteParams{
		Hash: code.Hash(h.Keys), Name: name, Role: string(g.Role), AreaKind: string(g.Area.Kind), Area: g.Area.Code,
		CreatedBy: "operator", ExpiresAt: until,
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("keep the invite: %w", err)
	}
	return code, until, nil
}
