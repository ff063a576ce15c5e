package main

import (
	"fmt"
	"time"

	"shaoying/internal/app"
	"shaoying/internal/people"
)

type tokenCmd struct {
	Create tokenCreateCmd `cmd:"" help:"Make a token for a program that uses /api/v1."`
	List   tokenListCmd   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCmd `cmd:"" help:"End a token at once."`
}

type tokenCreateCmd struct {
	Name    string        `required:"" help:"What the program is, as colleagues see it."`
	Role    string        `required:"" help:"clerk, dispatcher, handler, callback_clerk, supervisor, admin …"`
	Area    string        `required:"" help:"Kind and code, such as city:3603, county:360302 or unit:urban_management."`
	Expires time.Duration `help:"How long it is good for, such as 8760h; for ever when missing."`
}

// Run prints the token once; only its hash is kept.
func (c *tokenCreateCmd) Run(e *env) error {
	area, err := people.ParseArea(c.Area)
	if err != nil {
		return err
	}
	return e.house(func(h *app.House) error {
		token, err := h.CreateToken(e.ctx, c.Name, people.Grant{Role: people.Role(c.Role), Area: area}, c.Expires)
		if err != nil {
			return err
		}
		fmt.Println(token)
		return nil
	})
}

type tokenListCmd struct{}

// Run prints one line a token, never the token itself.
func (c *tokenListCmd) Run(e *env) error {
	return e.house(func(h *app.House) error {
		rows, err := h.DB.ListAPITokens(e.ctx)
		if err != nil {
			return fmt.Errorf("list the tokens: %w", err)
		}
		for _, r := range rows {
			state := "good"
			switch {
			case r.RevokedAt != nil:
				state = "revoked"
			case r.ExpiresAt != nil && !h.Clock.Wall().Before(*r.ExpiresAt):
				state = "expired"
			}
			used := "never used"
			if r.LastUsed != "" {
				used = "used " + r.LastUsed
			}
			fmt.Printf("%d\t%s\t%s@%s:%s\t%s\t%s\n", r.ID, r.Name, r.Role, r.AreaKind, r.Area, state, used)
		}
		return nil
	})
}

type tokenRevokeCmd struct {
	ID int64 `arg:"" help:"Number of the token in the list."`
}

// Run ends a token.
func (c *tokenRevokeCmd) Run(e *env) error {
	return e.house(func(h *app.House) error { return h.RevokeToken(e.ctx, c.ID) })
}
