package app

import (
	"context"
	"net/http"
	"time"

	"shaoying/internal/api"
	"shaoying/internal/people"
	"shaoying/internal/webhook"
)

// openHooks reads where events are posted to, so that every turn of this
// process, whichever it is, announces what it does.
func (h *House) openHooks(ctx context.Context) error {
	var policy webhook.Policy
	if err := read("policies/webhook.yaml", webhook.ParsePolicy, &policy); err != nil {
		return err
	}
	if err := read("policies/api.yaml", api.ParsePolicy, &h.API); err != nil {
		return err
	}
	var err error
	cfg := webhook.Config{Policy: policy, AllowLoopback: h.Env.Demo, Allow: h.Process.Webhooks.Allow}
	if h.Sender, err = webhook.NewSender(cfg, h.Clock); err != nil {
		return err
	}
	if h.Hooks, err = webhook.Load(ctx, h.DB, h.Bus, h.Log); err != nil {
		return err
	}
	h.Orders.Announce = h.Hooks.Announce
	return nil
}

// programs mounts what other programs speak with.
func (s *server) programs(mux *http.ServeMux) error {
	a, err := api.New(api.Deps{
		Gateway: s.gateway, Orders: s.Orders, Care: s.Care, Units: s.Units, Safety: s.Safety, Places: s.Places.Current, Filing: s.actions.Filing,
		Hooks: s.Sender, Photos: s.Photos, Tally: s.Tally, Policy: s.API,
	})
	if err != nil {
		return err
	}
	a.Routes(mux)
	return nil
}

// CreateToken makes a token for a program. A zero life means that it does not
// end by itself.
func (h *House) CreateToken(ctx context.Context, name string, g people.Grant, life time.Duration) (string, error) {
	var until time.Time
	if life > 0 {
		until = h.Clock.Wall().Add(life)
	}
	return api.CreateToken(ctx, h.DB, h.Keys, h.Rights, name, g, until)
}

// RevokeToken ends a token at once.
func (h *House) RevokeToken(ctx context.Context, id int64) error {
	return api.RevokeToken(ctx, h.DB, h.Keys, id)
}
