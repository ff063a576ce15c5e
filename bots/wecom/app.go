package wecom

import (
	"context"
	"net/http"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// App speaks as an application with the members of its organisation.
type App struct {
	*account
	lanes wire.Lanes
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*App)(nil)
	_ bots.Webhook = (*App)(nil)
	_ bots.Checker = (*App)(nil)
)

// Caps says what an application can do.
func (a *App) Caps() bots.Caps {
	l := a.cfg.Limits
	return bots.Caps{
		MaxText: l.App.MaxText, TextUnit: bots.Bytes, Choices: l.App.MaxChoices, ChoiceBytes: l.ChoiceBytes,
		PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: l.App.MaxPhotoOut,
		Rate:  bots.Rate{PerSecond: l.App.PerSecond, PerChatPerSecond: l.App.PerChatSecond},
		Trust: bots.TrustStable, Redelivers: l.App.Redelivers,
	}
}

// Run owns the access token until ctx ends; WeCom calls us.
func (a *App) Run(ctx context.Context, _ bots.Sink) error {
	a.client.Own(true)
	defer a.client.Own(false)
	defer a.client.Close()
	<-ctx.Done()
	return nil
}

// Handler takes WeCom's callbacks.
func (a *App) Handler(sink bots.Sink) http.Handler {
	return a.hook(func(ctx context.Context, opened []byte) error {
		events, err := decodePush(a.cfg.ID, a.cfg.AgentID, opened)
		if err != nil {
			return err
		}
		return a.lanes.Deliver(ctx, sink, events)
	})
}
