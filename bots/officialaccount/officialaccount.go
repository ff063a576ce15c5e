// Package officialaccount is the channel to a WeChat Official Account 公众号, the
// account of WeChat that a government runs for its residents.
//
// # What comes in
//
// WeChat posts each message and event to /bots/{id}, signed with the account's
// Token; in safe mode the words are sealed as well, and a push that is not sealed
// is refused. The signature is checked before the body is read. It covers only
// time and nonce, so it may be only so old; in safe mode another one covers the
// sealed text.
//
// A push is answered once the sink has taken it, within 5 s, or WeChat posts it
// again, three times in all. Messages are known by MsgId, events by who, when and
// what. There is nothing to ask for later: the gateway spools what comes while
// the database is away (Caps.Redelivers).
//
// # What goes out
//
// A first reply that is plain words and ready within a second goes as the answer
// to the push itself, which counts in no quota (passive.go). Everything else is a
// customer message: 5 in the 48 hours after the user's last words. Choices are a
// menu message, whose taps come back as text that names the item. Behind that
// window a notice gets through where the account has an approved template for the
// text (notice.go).
//
// WeChat gives customer messages no id and does not de-duplicate them. A lost
// answer is an unknown outcome, and another copy costs nothing.
//
// # States, clocks, failure
//
// The access token is bots/weixin's: fetched by the owner while Run lasts, kept in
// bots.State. The channel keeps nothing else, but for some seconds what it
// answered to pushes. Signatures are compared with the wall clock of the machine;
// where that is wrong the log says so. How errcodes become classes stands in
// codes.go.
package officialaccount

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
)

// Deps is what the channel stands on.
type Deps struct {
	Clock *clock.Clock
	Log   *slog.Logger
	State bots.State
	// Observe, if set, is told of every exchange with WeChat.
	Observe func(outbound.Exchange)
}

// Channel is one account.
type Channel struct {
	cfg    Config
	deps   Deps
	server wire.Endpoint
	log    *slog.Logger
	crypt  *weixin.Crypt
	client *weixin.Client
	invite *regexp.Regexp

	lanes   wire.Lanes
	answers *answers
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Webhook = (*Channel)(nil)
	_ bots.Noticer = (*Channel)(nil)
	_ bots.Checker = (*Channel)(nil)
)

// New checks the configuration and returns the channel. Nothing is asked yet.
func New(cfg Config, deps Deps) (*Channel, error) {
	if cfg.APIURL == "" {
		cfg.APIURL = defaultAPI
	}
	server, err := wire.NewEndpoint(cfg.ID, "api_url", cfg.APIURL)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.Limits.Validate(); err != nil {
		return nil, err
	}
	crypt, err := weixin.NewCrypt(cfg.Token, cfg.AESKey, cfg.AppID)
	if err != nil {
		return nil, fmt.Errorf("channel %s: aes_key_env or aes_key_file: %w", cfg.ID, err)
	}
	c := &Channel{
		cfg: cfg, deps: deps, server: server, crypt: crypt,
		invite: regexp.MustCompile(cfg.Limits.InvitePayload), // Validate compiled it
	}
	if c.client, err = c.newClient(); err != nil {
		return nil, err
	}
	c.log = deps.Log.With("channel", string(cfg.ID))
	c.answers = newAnswers(deps.Clock, cfg.Limits.Redelivers)
	return c, nil
}

// newClient makes a client of the account.
func (c *Channel) newClient() (*weixin.Client, error) {
	return weixin.New(weixin.Config{
		Kind: "officialaccount", Server: c.server, Codes: codes, Fetch: c.askToken, Call: c.cfg.Limits.Call, MaxFile: c.cfg.Limits.MaxFile,
	}, weixin.Deps{Clock: c.deps.Clock, Log: c.deps.Log, State: c.deps.State, Observe: c.deps.Observe})
}

// askToken asks for the stable token: who asks for it again gets the same one, so
// another program of the county that uses the account does not take it away.
func (c *Channel) askToken(ctx context.Context, server string) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{"grant_type": "client_credential", "appid": c.cfg.AppID, "secret": c.cfg.Secret.Reveal()})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server+"/cgi-bin/stable_token", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// Caps is what the account can do.
func (c *Channel) Caps() bots.Caps {
	l := c.cfg.Limits
	return bots.Caps{
		MaxText: l.MaxText, TextUnit: bots.Bytes, Choices: l.MaxChoices, ChoiceBytes: l.ChoiceBytes,
		PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: l.MaxPhotoOut,
		Window: l.Window, WindowQuota: l.WindowQuota, Rate: bots.Rate{PerSecond: l.PerSecond},
		Trust: bots.TrustStable, Redelivers: l.Redelivers,
	}
}

// tokenLook is how often the owner sees to it that there is a token, and the
// longest pause after it could not be fetched.
const tokenLook = time.Minute

// Run keeps the access token while this process owns the account; pushes come to
// Handler, in any process.
func (c *Channel) Run(ctx context.Context, _ bots.Sink) error {
	c.client.Own(true)
	c.answers.open(true)
	defer func() {
		c.answers.open(false)
		c.client.Own(false)
		c.client.Close()
	}()
	failures := 0
	for {
		if _, err := c.client.Token(ctx); err == nil {
			failures = 0
		} else if ctx.Err() == nil {
			if failures++; failures == 1 {
				c.log.Warn("there is no access token", "error", err)
			}
		}
		pause := failures
		if failures == 0 {
			pause = restful
		}
		if !wire.Rest(ctx, pause, tokenLook) {
			return nil
		}
	}
}

// restful makes wire.Rest wait as long as it may.
const restful = 16

// Fetch opens a photo or a recording by its media id. WeChat keeps it for 3 days.
func (c *Channel) Fetch(ctx context.Context, f bots.File) (io.ReadCloser, error) {
	return c.client.Download(ctx, "/cgi-bin/media/get", f.Key)
}
