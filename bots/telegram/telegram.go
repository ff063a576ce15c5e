// Package telegram is the channel to Telegram's Bot API, by long polls or by
// webhook, over github.com/go-telegram/bot.
//
// # When Telegram is told "received"
//
// The library hands updates to its handlers after it has decided to confirm
// them, in goroutines of their own. So its handlers do nothing here: the HTTP
// client under it sinks the whole answer of a getUpdates, chats in parallel and
// in order inside a chat, before the library sees the answer, and then shows it
// nothing but the number that confirms them. When the sink fails, the library
// gets an error and the same updates come again. A webhook is answered 200
// after the sink, 503 when it failed; the library's own handler, which answers
// 200 to everything, is not used.
//
// # What an event is called
//
// "chat:message", "chat:message:edit" for a changed message, "cb:id" for a tap:
// what stays the same at every delivery. The update id does not; after a week
// of silence it begins anew at random.
//
// # What a message becomes
//
// Words, photos, voices and positions are themselves; every photo of an album
// is an event. A picture sent as a file is a photo, a sound file a voice, and
// of a video its still is kept as a photo: less than was sent, but what the
// desk can see. A contact is its number as words. What is left (stickers,
// polls, other files) counts as its caption, or else as bots.KindOther, after
// which people are told how to write: silence would look deaf. A message that
// was changed afterwards comes again; a position does not, for live ones change
// by themselves.
//
// In groups Overheard marks what was neither a command nor a mention of us nor
// a reply to us. Leading slashes and our name are taken off the words. Posts of
// channels, of bots and of anonymous admins are not from anybody whom we could
// know, and are no events.
//
// # States, clocks, failure
//
// The channel holds no state but its own name, asked once. It waits on no
// clock but pauses between failed requests, from 0.2 to 5 s. How a failed send
// is classed stands in errors.go.
package telegram

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-telegram/bot"

	"shaoying/bots"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
)

// Deps is what the channel stands on.
type Deps struct {
	Clock *clock.Clock
	Log   *slog.Logger
	// Observe, if set, is told of every exchange with Telegram.
	Observe func(outbound.Exchange)
}

// account is what both ways of receiving share. It is safe for use by many
// goroutines.
type account struct {
	cfg    Config
	log    *slog.Logger
	bot    *bot.Bot
	calls  *outbound.Client
	polls  *outbound.Client
	files  *outbound.Client
	invite *regexp.Regexp

	asking sync.Mutex
	name   string      // of the bot, once known
	isSet  atomic.Bool // the webhook was set by this process
}

// New checks the configuration and returns a *Poller or a *Hook.
func New(cfg Config, deps Deps) (bots.Adapter, error) {
	if cfg.Mode == "" {
		cfg.Mode = ModePoll
	}
	if cfg.APIURL == "" {
		cfg.APIURL = defaultAPI
	}
	cfg.APIURL = strings.TrimRight(cfg.APIURL, "/")
	if deps.Clock == nil || deps.Log == nil {
		return nil, errors.New("telegram: clock and log are needed")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.Limits.Validate(); err != nil {
		return nil, err
	}
	a := &account{cfg: cfg, log: deps.Log.With("channel", string(cfg.ID)), invite: regexp.MustCompile(cfg.Limits.InvitePayload)}
	if err := a.connect(deps); err != nil {
		return nil, err
	}
	if cfg.Mode == ModeWebhook {
		return &Hook{a}, nil
	}
	return &Poller{a}, nil
}

// Caps says what Telegram can do.
func (a *account) Caps() bots.Caps {
	l := a.cfg.Limits
	return bots.Caps{
		MaxText: l.MaxText, TextUnit: bots.UTF16, Choices: l.MaxChoices, ChoiceBytes: choiceBytes,
		PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: l.MaxPhotoOut, Group: true,
		Rate:  bots.Rate{PerSecond: l.PerSecond, PerChatPerSecond: l.PerChatPerSecond, PerGroupPerMinute: l.PerGroupPerMinute},
		Trust: bots.TrustStable, Redelivers: l.Redelivers,
	}
}

// Fetch opens a photo or a voice. The link that Telegram gives holds the token
// and goes no further than the request.
func (a *account) Fetch(ctx context.Context, f bots.File) (io.ReadCloser, error) {
	if f.Key == "" {
		return nil, refuse("a file without a key")
	}
	if f.Size > a.cfg.Limits.MaxFile {
		return nil, refuse("a file of %d bytes, Telegram hands over at most %d", f.Size, a.cfg.Limits.MaxFile)
	}
	file, err := a.bot.GetFile(ctx, &bot.GetFileParams{FileID: f.Key})
	if err != nil {
		return nil, failed("getFile", err)
	}
	return a.download(ctx, a.bot.FileDownloadLink(file))
}
