package sms

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/wire"
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

	// Client calls the carrier.
	*wire.Client
	// Lanes keep the order of pushes.
	Lanes      wire.Lanes
	extensions Extensions
}

// maxAnswer is the longest answer to a call; a page of 100 replies is the
// longest that is asked for.
const maxAnswer = 1 << 20

// NewLine checks what is common and makes the client for calls to a server.
func NewLine(kind string, a Account, l Limits, server wire.Endpoint, deps Deps) (*Line, error) {
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
	client, err := server.NewClient(wire.Limits{Purpose: kind + ".call", Timeout: l.Call, MaxBody: maxAnswer}, deps.Clock, deps.Observe)
	if err != nil {
		return nil, err
	}
	return &Line{
		Account: a, Limits: l, Clock: deps.Clock, Log: deps.Log.With("channel", string(a.ID)),
		Book:       Book{Keys: deps.Keys, Countries: a.Countries},
		extensions: a.extensions(), Client: client,
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
	return nil, wire.Refuse("short messages carry no files")
}

// Run waits for the end: the carrier calls us.
func (l *Line) Run(ctx context.Context, _ bots.Sink) error {
	<-ctx.Done()
	l.Close()
	return nil
}

// Recipient refuses what no short message can be, and returns the number of the
// chat. Errors are *bots.Error.
func (l *Line) Recipient(to bots.Address, m bots.Message) (string, error) {
	most := l.Caps().MaxText
	switch {
	case to.Channel != l.ID:
		return "", wire.Refuse("the address belongs to another channel")
	case len(m.Choices) > 0:
		return "", wire.Refuse("short messages have no buttons")
	case m.Photo != nil:
		return "", wire.Refuse("short messages carry no photos")
	case strings.TrimSpace(m.Text) == "":
		return "", wire.Refuse("a message needs words")
	case !utf8.ValidString(m.Text) || UCS2.length(m.Text) > most:
		return "", wire.Refuse("text is not UTF-8 or longer than %d UTF-16 units", most)
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
