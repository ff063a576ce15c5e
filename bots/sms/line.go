package sms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
	"shaoying/internal/privacy"
)

// Deps is what a carrier stands on.
type Deps struct {
	Clock *clock.Clock
	Log   *slog.Logger
	Keys  *privacy.Keys
	// Observe, if set, is told of every exchange with the carrier.
	Observe func(outbound.Exchange)
}

// Line is what the carriers over HTTP have in common. It is safe for use by
// many goroutines.
type Line struct {
	Account
	Limits Limits
	Book   Book
	Log    *slog.Logger
	Clock  *clock.Clock

	extensions Extensions
	client     *outbound.Client
	lanes      lanes
}

// maxAnswer is the longest answer to a call; a page of 100 replies is the
// longest that is asked for.
const maxAnswer = 1 << 20

// NewLine checks what is common and makes the client for calls to a server.
func NewLine(kind string, a Account, l Limits, server Endpoint, deps Deps) (*Line, error) {
	if deps.Clock == nil || deps.Log == nil || deps.Keys == nil {
		return nil, fmt.Errorf("%s: clock, log and keys are needed", kind)
	}
	if err := errors.Join(a.Validate(), l.Validate()); err != nil {
		return nil, err
	}
	if a.MaxParts > 0 {
		l.MaxParts = a.MaxParts
	}
	if a.PerSecond > 0 {
		l.PerSecond = a.PerSecond
	}
	cfg := outbound.Config{Purpose: kind + ".call", Timeout: l.Call, MaxBody: maxAnswer, AllowLoopback: server.Local(), Observe: deps.Observe}
	if inside := server.inside(); inside.IsValid() {
		cfg.Allow = []netip.Prefix{inside}
	}
	client, err := outbound.New(cfg, deps.Clock)
	if err != nil {
		return nil, err
	}
	return &Line{
		Account: a, Limits: l, Clock: deps.Clock, Log: deps.Log.With("channel", string(a.ID)),
		Book:       Book{Keys: deps.Keys, Countries: a.Countries},
		extensions: a.extensions(), client: client,
	}, nil
}

// Caps is what short messages can do over this account.
func (l *Line) Caps() bots.Caps {
	return bots.Caps{
		MaxText: Longest(l.Limits.MaxParts, l.Signature), TextUnit: bots.UTF16,
		Paid: true, Phone: true, Trust: bots.TrustNone, Extensions: l.extensions.Count(),
		Rate:       bots.Rate{PerSecond: l.Limits.PerSecond, PerChatPerSecond: l.Limits.PerChatPerSecond},
		Redelivers: l.Limits.Redelivers,
	}
}

// Fetch has nothing to open: short messages carry words alone.
func (l *Line) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return nil, Refuse("short messages carry no files")
}

// Run waits for the end: the carrier calls us.
func (l *Line) Run(ctx context.Context, _ bots.Sink) error {
	<-ctx.Done()
	l.Close()
	return nil
}

// Close drops the connections that nobody uses; the line goes on working.
func (l *Line) Close() { l.client.Close() }

// Recipient refuses what no short message can be, and returns the number of the
// chat. Errors are *bots.Error.
func (l *Line) Recipient(to bots.Address, m bots.Message) (string, error) {
	most := l.Caps().MaxText
	switch {
	case to.Channel != l.ID:
		return "", Refuse("the address belongs to another channel")
	case len(m.Choices) > 0:
		return "", Refuse("short messages have no buttons")
	case m.Photo != nil:
		return "", Refuse("short messages carry no photos")
	case strings.TrimSpace(m.Text) == "":
		return "", Refuse("a message needs words")
	case !utf8.ValidString(m.Text) || UCS2.length(m.Text) > most:
		return "", Refuse("text is not UTF-8 or longer than %d UTF-16 units", most)
	}
	return l.Book.Number(to.Chat)
}

// Number is the number from which a message with an extension code goes out.
func (l *Line) Number(code string) (string, error) { return l.extensions.Number(code) }

// Code reads the extension code from the number to which somebody wrote.
func (l *Line) Code(number string) string { return l.extensions.Code(number) }

// Extend is a code as carriers want it that put it behind the number themselves.
func (l *Line) Extend(code string) (string, error) {
	return Extensions{Digits: l.ExtensionDigits}.Number(code)
}

// Extended reads the code from what such a carrier says was written to: the
// whole number, or what stands behind it.
func (l *Line) Extended(said string) string {
	if code := (Extensions{Digits: l.ExtensionDigits}).Code(said); code != "" {
		return code
	}
	if l.From == "" {
		return ""
	}
	return l.Code(said)
}

// Call sends a request once and reads its answer. Without an answer the error
// is temporary when surely nothing was written, else unknown.
func (l *Line) Call(req *http.Request) (status int, body []byte, err error) {
	var reached atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }}
	resp, err := l.client.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err != nil {
		if reached.Load() {
			return 0, nil, &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("no answer: %w", err)}
		}
		return 0, nil, &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("no connection: %w", err)}
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil, &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("the answer broke off: %w", err)}
	}
	return resp.StatusCode, body, nil
}
