package telegram

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/go-telegram/bot"

	"shaoying/bots"
	"shaoying/bots/wire"
)

const (
	secretHeader = "X-Telegram-Bot-Api-Secret-Token"
	// lookAfter is how often the owner looks whether the webhook is still ours.
	lookAfter = 5 * time.Minute
)

// Hook is a bot account that Telegram calls.
type Hook struct{ *account }

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Hook)(nil)
	_ bots.Webhook = (*Hook)(nil)
	_ bots.Editor  = (*Hook)(nil)
	_ bots.Checker = (*Hook)(nil)
)

// Run sets the webhook and sees to it that it stays. It is left in place at the
// end: Telegram keeps what it cannot deliver for the next owner.
func (h *Hook) Run(ctx context.Context, _ bots.Sink) error {
	defer h.close()
	for ctx.Err() == nil {
		if err := h.persist(ctx, "setWebhook", h.ensure); err != nil {
			return h.ended(ctx, err)
		}
		wire.Wait(ctx, lookAfter)
	}
	return nil
}

// ensure sets the webhook where it is not ours; the first time always, for the
// secret cannot be read back.
func (h *Hook) ensure(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWait)
	defer cancel()
	info, err := h.bot.GetWebhookInfo(ctx)
	if err != nil {
		return failed("getWebhookInfo", err)
	}
	if info.URL == h.cfg.WebhookURL && h.isSet.Load() {
		return nil
	}
	if info.URL != "" && info.URL != h.cfg.WebhookURL {
		h.log.Warn("another webhook was set and is replaced", "addr", host(info.URL))
	}
	_, err = h.bot.SetWebhook(ctx, &bot.SetWebhookParams{
		URL: h.cfg.WebhookURL, SecretToken: h.cfg.WebhookSecret.Reveal(), AllowedUpdates: allowed(),
	})
	if err != nil {
		return failed("setWebhook", err)
	}
	h.isSet.Store(true)
	return nil
}

// dropWebhook takes a webhook away, for polls. Which one it was is asked only
// to say so.
func (a *account) dropWebhook(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWait)
	defer cancel()
	if info, err := a.bot.GetWebhookInfo(ctx); err == nil && info.URL != "" {
		a.log.Warn("a webhook was set and is taken away: this account polls", "addr", host(info.URL))
	}
	if _, err := a.bot.DeleteWebhook(ctx, &bot.DeleteWebhookParams{}); err != nil {
		return failed("deleteWebhook", err)
	}
	return nil
}

// host is the part of an address that may be logged: some programs put their
// token into the path.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// Handler takes updates in any process. Telegram sends the next update of a
// chat only after it was told that the one before was taken, so their order
// needs no keeping here.
func (h *Hook) Handler(sink bots.Sink) http.Handler {
	// Hashes have one length, so comparing them takes one time.
	want := sha256.Sum256([]byte(h.cfg.WebhookSecret.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get(secretHeader)))
		switch {
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			wire.Refused(w, http.StatusMethodNotAllowed)
		case subtle.ConstantTimeCompare(got[:], want[:]) != 1:
			wire.Refused(w, http.StatusUnauthorized)
		default:
			h.receive(w, r, sink)
		}
	})
}

// receive takes one update of Telegram's.
func (h *Hook) receive(w http.ResponseWriter, r *http.Request, sink bots.Sink) {
	body, ok := wire.Body(w, r, h.cfg.Limits.MaxBody)
	if !ok {
		return
	}
	if !json.Valid(body) {
		wire.Refused(w, http.StatusBadRequest)
		return
	}
	name, err := h.self(r.Context())
	if err != nil {
		h.log.Warn("the bot's name is not known yet: an update waits", "error", err)
		wire.Refused(w, http.StatusServiceUnavailable)
		return
	}
	d, err := h.decoder(name).decode(body)
	if err != nil {
		h.log.Error("an update cannot be read and is passed over", "error", err)
	}
	var p parcel
	p.add(d)
	if err := h.deliver(r.Context(), sink, &p); err != nil {
		h.log.Warn("an update was not taken and will come again", "error", err)
		wire.Refused(w, http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}
