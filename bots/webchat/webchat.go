// Package webchat is the channel that needs no network but our own: a page on
// which a resident writes, taps, photographs and speaks, and reads the answers.
//
// # The contract with the page
//
//	GET  /               the page; its files are below chat/assets/
//	POST /chat/session   sets the session cookie; 200 {"chat"}
//	POST /chat/messages  JSON {"id","text"} | {"id","choice"} | {"id","place"},
//	                     or multipart with id and photo or voice; 202 {"id","at"}
//	                     after the sink returned nil
//	GET  /chat/events    server-sent events: id is the number of the item in its
//	                     chat, data is {"id","text","choices","at","photo"};
//	                     resumes after Last-Event-ID
//	GET  /chat/photo/N   the photo of item N of this chat
//
// The id of a message is a UUID that the page makes once and repeats at every
// try, so a message that was sent twice is one event. What goes wrong is told
// as RFC 9457 problem JSON in plain words, which the page shows as they are.
//
// # Who somebody is
//
// A random token in an HttpOnly cookie. Chat and user are a hash of it, so
// neither database nor logs ever hold what would open the session. Where a
// [Mount] brings its own Visitor, that decides and there is no cookie of ours.
//
// # States, clocks, failure
//
// The channel holds no state but the open streams. Words out live in the
// [Mailbox], which gives them their numbers; a page that was away asks from the
// number it knows. Send is the delivery into the mailbox: the key makes it
// idempotent, so a failed one may always be tried again. A page whose message
// is not answered with 202 keeps it and tries again. Product time stamps the
// items; wall time bounds a write to a slow client.
package webchat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// Config is one page of a city.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// HTTPS says that residents reach the page by https (also when a proxy in
	// front ends it): the cookie is then Secure.
	HTTPS bool `yaml:"https"`
	// Demo marks every page 演示 and links to the demo console.
	Demo bool `yaml:"-"`
	// Location is the city's zone, in which times are shown.
	Location *time.Location `yaml:"-"`
	Limits   Limits         `yaml:"-"`
	Texts    Texts          `yaml:"-"`
}

// Limits is configs/policies/webchat.yaml.
type Limits struct {
	// MaxText is the longest message either way, in runes.
	MaxText int `yaml:"max_text"`
	// MaxLabel is the longest typed name of a place, in runes.
	MaxLabel int `yaml:"max_label"`
	// MaxFile is the largest upload and MaxPhotoOut the largest photo that
	// staff or system may show, in bytes.
	MaxFile     int `yaml:"max_file_bytes"`
	MaxPhotoOut int `yaml:"max_photo_out_bytes"`
	// MaxChoices is how many buttons one message may carry.
	MaxChoices int `yaml:"max_choices"`
	// MaxStreams is how many pages may be open at once in one process.
	MaxStreams int `yaml:"max_streams"`
	// Ping is the pause after which a silent stream shows that it is alive.
	Ping time.Duration `yaml:"ping"`
	// Session is how long a cookie lasts.
	Session time.Duration `yaml:"session"`
	// Redelivers is how long a page may be counted on to try again.
	Redelivers time.Duration `yaml:"redelivers"`
	Source     string        `yaml:"source"`
}

// choiceBytes is the longest Choice.Data; what signs buttons keeps to 64.
const choiceBytes = 64

// Validate returns an error that names the first limit that is missing.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"max_text", int64(l.MaxText)},
		{"max_label", int64(l.MaxLabel)},
		{"max_file_bytes", int64(l.MaxFile)},
		{"max_photo_out_bytes", int64(l.MaxPhotoOut)},
		{"max_choices", int64(l.MaxChoices)},
		{"max_streams", int64(l.MaxStreams)},
		{"ping", int64(l.Ping)},
		{"session", int64(l.Session)},
		{"redelivers", int64(l.Redelivers)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("webchat limits: %s must be above 0", f.name)
		}
	}
	return nil
}

// Deps is what the channel stands on.
type Deps struct {
	Mailbox Mailbox
	Photos  *privacy.PhotoCleaner
	Clock   *clock.Clock
	Log     *slog.Logger
}

// Channel is the web page as a channel account. It is safe for use by many
// goroutines.
type Channel struct {
	cfg Config
	Deps
	page    *page
	streams atomic.Int64
	closed  chan struct{}
	close   func()
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Webhook = (*Channel)(nil)
)

// New checks the configuration and returns the channel.
func New(cfg Config, deps Deps) (*Channel, error) {
	if cfg.ID == "" || cfg.Location == nil {
		return nil, errors.New("webchat: channel id and time zone are needed")
	}
	if deps.Mailbox == nil || deps.Photos == nil || deps.Clock == nil || deps.Log == nil {
		return nil, errors.New("webchat: mailbox, photo cleaner, clock and log are all needed")
	}
	if err := cfg.Limits.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.Texts.Validate(); err != nil {
		return nil, err
	}
	page, err := loadPage()
	if err != nil {
		return nil, err
	}
	closed := make(chan struct{})
	return &Channel{
		cfg: cfg, Deps: deps, page: page,
		closed: closed, close: sync.OnceFunc(func() { close(closed) }),
	}, nil
}

// Caps says what the page can do.
func (c *Channel) Caps() bots.Caps {
	return bots.Caps{
		MaxText: c.cfg.Limits.MaxText, TextUnit: bots.Runes,
		Choices: c.cfg.Limits.MaxChoices, ChoiceBytes: choiceBytes,
		PlaceIn: true, PhotoIn: true, VoiceIn: true,
		PhotoOut:   c.cfg.Limits.MaxPhotoOut,
		Trust:      bots.TrustSession,
		Redelivers: c.cfg.Limits.Redelivers,
	}
}

// Run waits for ctx: everything that comes in comes through Handler.
func (c *Channel) Run(ctx context.Context, _ bots.Sink) error {
	<-ctx.Done()
	return nil
}

// Close ends every open stream, so that a server can drain. It belongs into
// http.Server.RegisterOnShutdown; pages come back to the next process and go on
// where they were.
func (c *Channel) Close() { c.close() }

// Send delivers m into the mailbox of its chat. A mailbox that fails is
// ClassTemporary even though the item may be there: the same key delivered
// again is the same item.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if err := c.check(to, m); err != nil {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassRejected, Err: err}
	}
	item := Item{Text: m.Text, Choices: m.Choices, At: c.Clock.Now()}
	if m.Photo != nil {
		item.Photo, item.HasPhoto = m.Photo.Data, true
	}
	seq, err := c.Mailbox.Deliver(ctx, to.Chat, m.Key, item)
	if err != nil {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("deliver into the web mailbox: %w", err)}
	}
	return bots.Receipt{ID: fmt.Sprint(seq)}, nil
}

// check refuses what Caps denies.
func (c *Channel) check(to bots.Address, m bots.Message) error {
	l := c.cfg.Limits
	switch {
	case to.Channel != c.cfg.ID:
		return errors.New("the address belongs to another channel")
	case to.Chat == "" || m.Key == "":
		return errors.New("a message needs a chat and a key")
	case m.Text == "" && m.Photo == nil:
		return errors.New("a message needs a text or a photo")
	case !utf8.ValidString(m.Text) || utf8.RuneCountInString(m.Text) > l.MaxText:
		return fmt.Errorf("text is not UTF-8 or longer than %d runes", l.MaxText)
	case len(m.Choices) > l.MaxChoices:
		return fmt.Errorf("%d choices, at most %d", len(m.Choices), l.MaxChoices)
	case m.Photo != nil && (len(m.Photo.Data) == 0 || len(m.Photo.Data) > l.MaxPhotoOut):
		return fmt.Errorf("photo of %d bytes, at most %d", len(m.Photo.Data), l.MaxPhotoOut)
	}
	for _, ch := range m.Choices {
		if ch.Label == "" || ch.Data == "" || len(ch.Data) > choiceBytes {
			return fmt.Errorf("a choice needs a label and 1 to %d bytes of data", choiceBytes)
		}
	}
	return nil
}

// Fetch always fails: the page hands over its files with the event.
func (c *Channel) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return nil, &bots.Error{Class: bots.ClassRejected, Err: errors.New("files of the web page come with their event")}
}
