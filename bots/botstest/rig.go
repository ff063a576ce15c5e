// Package botstest is the conformance suite that every channel passes before a
// resident meets it.
//
// A channel's test builds a [Rig]: its adapter, pointed at a fake of its
// network, and the remote control of that fake. [Run] then plays residents,
// a bad network and a failing gateway, in 22 cases (reference/chat-channels
// 6.3). Nothing is skipped: what Caps denies is proven to be refused.
//
// # Who plays what
//
// The rig is the network: it keeps what users said until the adapter
// acknowledged it, and delivers again until then, as the real one does. The
// suite is the gateway: its [Recorder] takes events once by key, and can fail,
// panic or block. Each case gets a new rig. Cases check for goroutines left
// behind, so tests that call Run must not run in parallel with others.
package botstest

import (
	"net/http"

	"shaoying/bots"
)

// Rig is an adapter and the remote control of its fake network. Users are
// numbers from 0; each has a private chat with the bot. Acts of users return at
// once with whether the network has such an act at all; the network then
// delivers it, in order per chat, and again until it is acknowledged.
type Rig interface {
	// Adapter is the adapter under test; after Restart it is a new one.
	Adapter() bots.Adapter
	// Listen tells the network where the adapter's webhook is served. Called
	// before each Run when the adapter is a bots.Webhook.
	Listen(url string)
	// Address is the private chat of a user as events will name it.
	Address(user int) bots.Address

	UserSays(user int, text string) bool
	// UserTaps taps button n, from 0, of the last message sent to the user.
	UserTaps(user, n int) bool
	// UserSendsPlace sends a position; lat and lon are WGS-84, and a network
	// that speaks another datum converts them first.
	UserSendsPlace(user int, lat, lon float64, label string) bool
	UserSendsPhoto(user int, jpeg []byte, caption string) bool
	// UserSendsVoice sends a recording (an AMR file).
	UserSendsVoice(user int, amr []byte) bool
	// UserAnswers says something to the number, extension code included, from
	// which the user's last message came. Where there are no such codes it is
	// UserSays.
	UserAnswers(user int, text string) bool
	// Reports makes the network report on message n, from 0, of Sent; false
	// where the network never reports, or never that.
	Reports(n int, state bots.ReportState) bool
	// GroupSays speaks in the one group that all users share with the bot.
	GroupSays(user int, text string) bool
	// Echo hands the adapter its own last message back, where a network does
	// that.
	Echo() bool

	// Redeliver delivers the last acknowledged act once more.
	Redeliver()
	// Waiting is how many acts the network holds that were not acknowledged.
	Waiting() int
	// Sent is what users saw, in order.
	Sent() []Sent
	// Fail makes the next send fail in the network's own way for the class;
	// false when the network has no such failure.
	Fail(bots.Class) bool
	// Down cuts the network off (true) or back on.
	Down(bool)
	// Requests is how many requests of the adapter reached for the network,
	// answered or not.
	Requests() int

	// Forgeries are requests to the webhook that somebody else might make; at
	// least 12, among them a body far too large.
	Forgeries() []Forgery
	// Secrets are strings that must never appear in a log or an error.
	Secrets() []string
	// Log is what the adapter wrote to its log so far.
	Log() string
	// Restart throws the adapter away and makes a new one from what the old
	// one had made durable, as after a kill. The network lives on.
	Restart()
	// Close ends the fake network and everything that it started.
	Close()
}

// Sent is one message as a user saw it.
type Sent struct {
	User    int
	Text    string
	Choices []bots.Choice
	Photo   []byte
	// Parts is in how many pieces it came, 0 where networks have none.
	Parts int
}

// Forgery is a request that must be refused before its body is believed.
type Forgery struct {
	Name string
	// Make builds the request to the webhook at url.
	Make func(url string) (*http.Request, error)
}
