package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/go-telegram/bot"

	"shaoying/bots"
	"shaoying/internal/outbound"
)

const (
	// callWait bounds one call; the sender's own limit is shorter.
	callWait = 20 * time.Second
	fileWait = 60 * time.Second
	// maxAnswer is the longest answer to a call. A poll brings up to 100
	// updates of at most 40 KB.
	maxAnswer = 16 << 20
)

// connect makes the clients and the library's bot. Nothing is asked yet.
func (a *account) connect(deps Deps) error {
	client := func(purpose string, wait time.Duration, most int64) (*outbound.Client, error) {
		cfg := outbound.Config{
			Purpose: "telegram." + purpose, Timeout: wait, MaxBody: most,
			AllowLoopback: a.cfg.Local(), Observe: deps.Observe,
		}
		if inside := a.cfg.inside(); inside.IsValid() {
			cfg.Allow = []netip.Prefix{inside}
		}
		return outbound.New(cfg, deps.Clock)
	}
	var err error
	if a.calls, err = client("call", callWait, maxAnswer); err != nil {
		return err
	}
	if a.polls, err = client("poll", a.cfg.Limits.LongPoll+callWait, maxAnswer); err != nil {
		return err
	}
	if a.files, err = client("file", fileWait, a.cfg.Limits.MaxFile); err != nil {
		return err
	}
	a.bot, err = a.library(callWait, &caller{a.calls})
	return err
}

// close drops the connections that nobody uses; the account goes on working.
func (a *account) close() {
	for _, c := range []*outbound.Client{a.calls, a.polls, a.files} {
		c.Close()
	}
}

// library makes a bot of the library over a client of ours. getMe is not asked
// here: a program must start while Telegram is away.
func (a *account) library(poll time.Duration, client bot.HttpClient, options ...bot.Option) (*bot.Bot, error) {
	options = append([]bot.Option{
		bot.WithServerURL(a.cfg.APIURL), bot.WithHTTPClient(poll, client), bot.WithSkipGetMe(),
		bot.WithErrorsHandler(func(error) {}), bot.WithDebugHandler(func(string, ...any) {}),
	}, options...)
	b, err := bot.New(a.cfg.Token.Reveal(), options...)
	if err != nil {
		return nil, fmt.Errorf("telegram library: %w", err)
	}
	return b, nil
}

// caller is the HTTP client under every call but getUpdates. Whatever is not a
// plain success leaves it as a *bots.Error, so that the library, which repeats
// whole bodies in its errors, has nothing to repeat.
type caller struct{ client *outbound.Client }

// Do sends one call once.
func (c *caller) Do(req *http.Request) (*http.Response, error) {
	// The library writes the form through a pipe. As bytes it can be written
	// again by the transport when a connection that had gone stale took none.
	form, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, refuse("the form of a call cannot be made")
	}
	var reached atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }}
	next := req.Clone(httptrace.WithClientTrace(req.Context(), trace))
	next.ContentLength = int64(len(form))
	next.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	next.Body, _ = next.GetBody()

	resp, err := c.client.Do(next)
	if err != nil {
		return nil, lost(reached.Load(), err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, lost(true, err)
	}
	result, err := read(resp.StatusCode, raw)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(result))
	return resp, nil
}

// reply is the frame of every answer of the Bot API.
type reply struct {
	OK     *bool           `json:"ok"`
	Result json.RawMessage `json:"result"`
	Code   int             `json:"error_code"`
	Why    string          `json:"description"`
	Params struct {
		RetryAfter int   `json:"retry_after"`
		NewChat    int64 `json:"migrate_to_chat_id"`
	} `json:"parameters"`
}

// read returns what the library may see of a good answer. Of a message that is
// its number alone: the rest was ours to begin with, and a field that a newer
// Bot API adds to it would make a message that was sent look lost.
func read(status int, raw []byte) ([]byte, error) {
	var r reply
	if err := json.Unmarshal(raw, &r); err != nil || r.OK == nil {
		return nil, notTelegram(status)
	}
	if !*r.OK {
		return nil, r.failure()
	}
	var message struct {
		ID int64 `json:"message_id"`
	}
	if json.Unmarshal(r.Result, &message) == nil && message.ID != 0 {
		return fmt.Appendf(nil, `{"ok":true,"result":{"message_id":%d}}`, message.ID), nil
	}
	return raw, nil
}

// download opens a link that holds the token.
func (a *account) download(ctx context.Context, link string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, link, nil)
	if err != nil { // the error repeats the link
		return nil, refuse("Telegram named a file that has no address")
	}
	resp, err := a.files.Do(req)
	if err != nil {
		return nil, &bots.Error{Class: bots.ClassTemporary, Err: err}
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	_ = resp.Body.Close() // nothing was read
	class := bots.ClassTemporary
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusBadRequest {
		class = bots.ClassRejected
	}
	return nil, &bots.Error{Class: class, Err: fmt.Errorf("download a file: answer %d", resp.StatusCode)}
}

// self returns the bot's name, which Telegram is asked for once.
func (a *account) self(ctx context.Context) (string, error) {
	a.asking.Lock()
	defer a.asking.Unlock()
	if a.name != "" {
		return a.name, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callWait)
	defer cancel()
	me, err := a.bot.GetMe(ctx)
	if err != nil {
		return "", failed("getMe", err)
	}
	if me.Username == "" {
		return "", errors.New("getMe: a bot without a name")
	}
	a.name = me.Username
	return a.name, nil
}
