// Package wecom is the channel to WeCom, in two modes: the messages of an
// application to the members of an organisation (app, for staff), and WeChat
// Customer Service (kf, for anybody on WeChat).
//
// # app
//
// WeCom pushes what members write, signed and sealed, and pushes it again for
// about 15 seconds until it hears 200, which it does after the sink. Members are
// named by their userid, which lasts. Whoever comes into the application's
// visible range has joined, whoever leaves it has left; that the application was
// opened (enter_agent) happens many times a day and is no event.
//
// A message with choices is a card with buttons. A card shows few words: what
// does not fit goes as a text of its own, with the card below it. Such a message
// and one with a photo are several calls, and may break off in between. What was
// sent then is sent again with the rest, and does no harm: WeCom swallows a
// request that is the same as one before (enable_duplicate_check), and refuses a
// card whose task_id it knows. The same words may be said twice on purpose, so
// the interval in the request is made of the message's key: two messages are two
// requests, two tries of one are one.
//
// Cards are not edited. The code by which WeCom lets a card be changed is good
// for one change within 72 hours, a ticket changes many times in weeks; the
// gateway says what is new as a message instead.
//
// # kf
//
// The callback carries no words: it says that something is new, and a token that
// makes asking cheap. What is new is read by sync_msg behind a cursor. A page
// goes to the sink, then the cursor is kept in bots.State, then the next page is
// read: a kill in between brings the page again, under the same ids. Reading
// also happens at the start and every Poll, so a lost callback delays and loses
// nothing; WeCom keeps messages for three days. A process that does not own the
// account answers callbacks with 503, so that WeCom tries again and another
// process hears it. An account without a cursor begins with what WeCom still
// has.
//
// Whoever opens the chat (enter_session) may be sent one message before having
// written, within 20 seconds. It is the greeting of policies/wecom.yaml, said here
// and not by the gateway: a dialogue would want to say more, and each thing that
// it could not say would become a task for people. To open a chat is no event.
//
// A session that a person of the organisation took over inside WeCom, or that is
// over, takes no messages (95018). It is asked for once; where WeCom does not
// give it back the address is shut until the resident writes. Messages carry
// their own id, so that a second try of what was taken is refused, and counts as
// sent. The process that sent it remembers which those are; a new owner that has
// to finish what another one began is refused, and people are told.
//
// # Clocks and failure
//
// No clock but the pauses between failed reads, 0.2 to 5 s, and the poll. The
// access token is bots/weixin's. codes.go says what an errcode means.
package wecom

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"unicode/utf8"

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
	// State keeps token, cursor and salt.
	State bots.State
	// Observe, if set, is told of every exchange with WeCom.
	Observe func(outbound.Exchange)
}

// account is what both modes share. It is safe for use by many goroutines.
type account struct {
	cfg    Config
	log    *slog.Logger
	state  bots.State
	crypt  *weixin.Crypt
	client *weixin.Client
	photos photos
	salting
}

// New checks the configuration and returns an *App or a *KF.
func New(cfg Config, deps Deps) (bots.Adapter, error) {
	if cfg.Mode == "" {
		cfg.Mode = ModeApp
	}
	if deps.Clock == nil || deps.Log == nil || deps.State == nil {
		return nil, errors.New("wecom: clock, log and state are needed")
	}
	if err := errors.Join(cfg.Validate(), cfg.Limits.Validate()); err != nil {
		return nil, err
	}
	crypt, err := weixin.NewCrypt(cfg.Token, cfg.AESKey, cfg.CorpID)
	if err != nil {
		return nil, fmt.Errorf("channel %s: aes_key: %w", cfg.ID, err)
	}
	if !crypt.Sealed() {
		return nil, fmt.Errorf("channel %s: WeCom seals every callback: set aes_key_env to the EncodingAESKey of the callback page", cfg.ID)
	}
	server, err := wire.NewEndpoint(cfg.ID, "api_url", cfg.server())
	if err != nil {
		return nil, err
	}
	log := deps.Log.With("channel", string(cfg.ID))
	client, err := weixin.New(weixin.Config{
		Kind: "wecom", Server: server, Codes: codes, Fetch: cfg.askToken, Call: cfg.Limits.Call, MaxFile: cfg.Limits.MaxFile,
	}, weixin.Deps{Clock: deps.Clock, Log: log, State: deps.State, Observe: deps.Observe})
	if err != nil {
		return nil, err
	}
	a := &account{
		cfg: cfg, log: log, state: deps.State, crypt: crypt, client: client,
		photos: photos{clock: deps.Clock, lives: cfg.Limits.PhotoLives},
	}
	if cfg.Mode == ModeKF {
		return newKF(a, deps.Clock), nil
	}
	return &App{account: a}, nil
}

// askToken is the request for a new access token.
func (c Config) askToken(ctx context.Context, server string) (*http.Request, error) {
	query := url.Values{"corpid": {c.CorpID}, "corpsecret": {c.Secret.Reveal()}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/cgi-bin/gettoken?"+query.Encode(), nil)
	if err != nil { // the error would repeat the secret
		return nil, errors.New("gettoken has no address")
	}
	return req, nil
}

// Fetch opens a photo or a voice by its media id. WeCom keeps them for three days.
func (a *account) Fetch(ctx context.Context, f bots.File) (io.ReadCloser, error) {
	if f.Key == "" {
		return nil, wire.Refuse("a file without a key")
	}
	return a.client.Download(ctx, "/cgi-bin/media/get", f.Key)
}

// refuse says what no message of this account can be. Errors are *bots.Error.
func (a *account) refuse(to bots.Address, m bots.Message, caps bots.Caps) error {
	switch {
	case to.Channel != a.cfg.ID:
		return wire.Refuse("the address belongs to another channel")
	case to.Chat == "" || to.Chat == "@all" || strings.Contains(string(to.Chat), "|"): // several people, or everybody
		return wire.Refuse("the address names nobody")
	case strings.TrimSpace(m.Text) == "" && m.Photo == nil:
		return wire.Refuse("a message needs words or a photo")
	case len(m.Choices) > 0 && strings.TrimSpace(m.Text) == "":
		return wire.Refuse("choices need words above them")
	case !utf8.ValidString(m.Text) || len(m.Text) > caps.MaxText:
		return wire.Refuse("text is not UTF-8 or longer than %d bytes", caps.MaxText)
	case len(m.Choices) > caps.Choices:
		return wire.Refuse("%d choices, at most %d", len(m.Choices), caps.Choices)
	case m.Photo != nil && (len(m.Photo.Data) == 0 || len(m.Photo.Data) > caps.PhotoOut):
		return wire.Refuse("a photo of %d bytes, at most %d", len(m.Photo.Data), caps.PhotoOut)
	}
	for _, c := range m.Choices {
		if c.Data == "" || len(c.Data) > caps.ChoiceBytes {
			return wire.Refuse("choice data of %d bytes, at most %d", len(c.Data), caps.ChoiceBytes)
		}
	}
	return nil
}

// salting makes ids that WeCom never saw, also for a database that counts from
// one again.
type salting struct {
	mu   sync.Mutex
	salt []byte
}

const stateSalt = "salt"

// name is WeCom's id for a message: the same at every try.
func (a *account) name(ctx context.Context, key string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.salt == nil {
		salt, err := a.state.Load(ctx, stateSalt)
		if err == nil && salt == nil {
			salt = make([]byte, 16)
			_, _ = rand.Read(salt) // never fails
			err = a.state.Save(ctx, stateSalt, salt)
		}
		if err != nil {
			return "", &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("keep the salt of message ids: %w", err)}
		}
		a.salt = salt
	}
	sum := sha256.Sum256(append(append([]byte(nil), a.salt...), key...))
	return hex.EncodeToString(sum[:16]), nil
}
