// Package bots is the contract between Shaoying and a message network.
//
// # Who does what
//
// An adapter only translates. It turns what its network sent into Events and
// hands them to a Sink; it turns a Message into one call of its network. It
// holds no business rule, no SQL and no retry: inbox, outbox, order, push
// windows, rate limits and identity belong to internal/gateway.
//
// # When an event counts as received
//
// When Sink returned nil, and not before. An adapter tells its network
// "received" (HTTP 2xx, next getUpdates offset, a saved cursor) only then. If
// Sink returns an error the network must be left to deliver again. Sink is
// idempotent by (Channel, Event.Key), so delivering twice is always safe.
//
// # What a send may come to
//
// Send tries once. It returns a Receipt, or an *Error of a closed set of
// classes, each of which says whether a retry makes sense and what staff are
// told. A send whose outcome the adapter cannot know is ClassUnknown; it is
// never guessed.
//
// The package depends on the standard library alone. Every package below
// bots (except botstest) must call botstest.Run; a test there holds that.
package bots

import (
	"context"
	"io"
	"net/http"
	"time"
)

type (
	// ChannelID names a configured channel account ("web", "tg-main"), not a
	// protocol: a city may run two Telegram bots.
	ChannelID string
	// ChatID names where to send inside a channel account: a chat, an openid,
	// a web session. It is opaque outside the adapter that made it.
	ChatID string
	// UserID names who spoke inside a channel account. In a private chat it is
	// often equal to the ChatID; in a group it is not.
	UserID string
)

// Address is one place that a message can be sent to.
type Address struct {
	Channel ChannelID
	Chat    ChatID
}

// Trust says how far a network's user id may be believed over time. The
// gateway raises it to TrustVerified; an adapter never does.
type Trust int

const (
	// TrustNone is an id that proves nothing: an SMS sender number, an
	// openwechat UserName that changes at every login.
	TrustNone Trust = iota
	// TrustSession holds as long as a cookie or login does (web page).
	TrustSession
	// TrustStable is the network's own lasting id (Telegram, openid, userid).
	TrustStable
	// TrustVerified is an address bound to a person by Shaoying: a one-time
	// code, a staff invite.
	TrustVerified
)

// String returns the word used in logs and in the trust column.
func (t Trust) String() string {
	switch t {
	case TrustNone:
		return "none"
	case TrustSession:
		return "session"
	case TrustStable:
		return "stable"
	case TrustVerified:
		return "verified"
	}
	return "invalid"
}

// Identity is who the network says spoke.
type Identity struct {
	User  UserID
	Trust Trust
	// Name is for display only and never a key.
	Name string
	// Hints help a person to re-bind a lost id (remark name, avatar number).
	// They never authorise anything.
	Hints []string
	// Phone is the number in E.164 form where the network's ids are phone
	// numbers (Caps.Phone), else empty. User and Chat are then pseudonyms of
	// it: a number stands in no column and no log.
	Phone string
}

// Kind says what an Event carries.
type Kind string

// The kinds of Event. KindDue never comes from a network: it is a push that
// the gateway runs through the same turn as an inbound message.
const (
	KindText   Kind = "text"
	KindVoice  Kind = "voice"
	KindPhoto  Kind = "photo"
	KindPlace  Kind = "place"
	KindChoice Kind = "choice"
	KindJoin   Kind = "join"
	KindLeave  Kind = "leave"
	// KindMoved says that a group goes on under another id, Event.NewChat.
	KindMoved Kind = "moved"
	// KindOther is something that a user sent and we cannot read, such as a
	// sticker. It is answered with how to write to us, and changes nothing.
	KindOther Kind = "other"
	KindDue   Kind = "due"
	// KindReport is no word of a user: the network says what became of a
	// message that we sent (Event.Report).
	KindReport Kind = "report"
)

// Event is one thing that a user did, as the network told it.
type Event struct {
	// Key is the network's dedupe key: unique in the channel account and the
	// same at every redelivery. At most 128 bytes.
	Key     string
	Channel ChannelID
	Chat    ChatID
	// Group is true when Chat has more than one user.
	Group bool
	// Overheard is true for words in a group that were not meant for us:
	// neither a command, a mention of us nor a reply to us.
	Overheard bool
	From      Identity
	// At is the network's own time of the event, or zero where it gives none.
	At   time.Time
	Kind Kind
	// Text is the message, the caption of a photo, or the network's own
	// transcript of a voice message. Valid UTF-8, not trimmed.
	Text string
	// Choice is Choice.Data of the tapped button (KindChoice only).
	Choice string
	Place  *Place
	Files  []File
	// ReplyTo is the Receipt.ID of our message that the user answered, if any.
	ReplyTo string
	// NewChat is where the group Chat goes on (KindMoved only).
	NewChat ChatID
	// Extension is the code behind our number to which the user wrote, as
	// Message.Extension gave it; empty for the number itself and for networks
	// without such codes.
	Extension string
	// Repeat is for a network without ids of its own that may be repeating
	// itself, because the connection broke before it heard that we took a
	// message. It is a prefix of Key: the event is a copy of an earlier one
	// whose key begins with it and which was taken within the last RepeatWithin.
	// Empty wherever Key alone decides.
	Repeat string
	// Report is what became of a message of ours (KindReport only). Chat and
	// From name who it was sent to. Reports come in any order, and also before
	// Send has returned.
	Report *Report
}

// RepeatWithin is how far back Event.Repeat looks.
const RepeatWithin = 2 * time.Minute

// Report is what a network says of a message that we sent.
type Report struct {
	// ID is the Receipt.ID of the message, Key its Message.Key. A network gives
	// one of them back, or both; one that gives neither (the answer to the send
	// was lost, and the report names an id that we never saw) sets its own id.
	ID, Key string
	State   ReportState
	// Code is the network's word for it, for staff: "UNDELIV 001". It holds no
	// phone number.
	Code string
}

// ReportState is a closed set; a message only ever moves forward in it.
type ReportState string

const (
	// ReportBuffered: the next network on the way has it and keeps trying.
	ReportBuffered ReportState = "buffered"
	// ReportDelivered: the user's device has it.
	ReportDelivered ReportState = "delivered"
	// ReportFailed: it surely will not be delivered (expired, switched off for
	// too long, refused).
	ReportFailed ReportState = "failed"
)

// Datum is the coordinate system of a Place as the network gave it. Chinese
// maps use GCJ-02, browsers and Telegram WGS-84; adapters convert to WGS-84
// once, at the edge, so that everything behind them sees DatumWGS84.
type Datum string

// The only datum behind the edge.
const DatumWGS84 Datum = "wgs84"

// Place is a position. Label is the network's or the user's own words for it.
type Place struct {
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Datum Datum   `json:"datum"`
	Label string  `json:"label,omitempty"`
}

// File is an attachment of an Event.
type File struct {
	// Key is what Fetch needs to get the bytes. Empty when Data is set.
	Key  string
	MIME string
	Name string
	// Size in bytes as the network says, 0 when unknown.
	Size int64
	// Data holds the bytes when the network handed them over with the event
	// itself (the web page does). The gateway then stores them in the
	// transaction of the event. Otherwise nil, and the gateway calls Fetch
	// later; a ticket never waits for that.
	Data []byte
}

// Choice is one answer offered with a Message. Data comes back as
// Event.Choice when it is tapped. Where Caps.Choices is 0 the gateway writes
// the choices as a numbered list into the text and understands the number, so
// flows never learn which channel they run on.
type Choice struct {
	Label string `json:"label"`
	Data  string `json:"data"`
}

// Message is one thing to send.
type Message struct {
	// Key is the outbox id. A network that de-duplicates gets it as its
	// idempotency key.
	Key string
	// Text is plain text. The adapter escapes what its network would read as
	// markup: user text is never markup.
	Text    string
	Choices []Choice
	Photo   *Photo
	// ReplyTo is the Receipt.ID of a message in the same chat, or empty.
	ReplyTo string
	// Extension is the code, "1" to Caps.Extensions, that is set behind our
	// number so that an answer finds its question; empty for none.
	Extension string
	// Template names Text before it was rendered. Networks that take approved
	// templates alone send by it; the others send Text.
	Template Template
}

// Photo is a picture to send, at most Caps.PhotoOut bytes: JPEG, or PNG where it
// was drawn.
type Photo struct {
	Name string
	Data []byte
}

// File is what the picture is called where a network wants a file, and its MIME
// type, both by its bytes: networks look at one or the other.
func (p Photo) File() (name, mime string) {
	if http.DetectContentType(p.Data) == "image/png" {
		return "photo.png", "image/png"
	}
	return "photo.jpg", "image/jpeg"
}

// Receipt is what the network said when it took a Message.
type Receipt struct {
	// ID is the network's own id of the message.
	ID string
	// Took is how many of the messages of Caps.WindowQuota it cost, 0 where the
	// network counts none: there is no quota, or the words went as the answer to a
	// push.
	Took int
}

// Sink takes events durably, all or none. An adapter must not acknowledge to
// its network before Sink returned nil. It may be called from several
// goroutines at once; the order of events of one chat is kept only inside one
// call and between calls that do not overlap.
type Sink func(ctx context.Context, events []Event) error

// Adapter is what every channel must be.
type Adapter interface {
	// Caps is constant for the life of the adapter. What it allows works,
	// what it denies gives ClassRejected: botstest checks both.
	Caps() Caps
	// Run receives until ctx ends and returns nil within a second after
	// that, with no goroutine left behind. It is called by the process that
	// owns the channel account, and only once at a time. Another error means
	// that the adapter cannot go on; the owner starts it again with backoff.
	// An adapter that only has webhooks just waits for ctx.
	Run(ctx context.Context, sink Sink) error
	// Send tries once to deliver m; ctx carries the time limit. Called only
	// by the owner of the channel account, never twice at once for one chat.
	Send(ctx context.Context, to Address, m Message) (Receipt, error)
	// Fetch opens a file of an Event that came without Data. Called by a
	// background worker of any process. The caller closes the reader and
	// limits what it reads.
	Fetch(ctx context.Context, f File) (io.ReadCloser, error)
}

// Webhook is an optional capability: the network calls us. Handler serves
// everything below the channel's mount point in every process, owner or not.
// It authenticates the request before it parses the body (401 or 403), keeps
// the body limit (413), answers 2xx only after sink returned nil and 503 when
// sink failed.
type Webhook interface {
	Handler(sink Sink) http.Handler
}

// Editor is an optional capability: a message that was sent can be changed
// (the card of a ticket shows who took it). Called under the same rules as
// Send.
type Editor interface {
	Edit(ctx context.Context, to Address, r Receipt, m Message) error
}

// Checker is an optional capability: the adapter asks its network how the
// account is set up there. It changes nothing and may be called anywhere.
type Checker interface {
	Check(ctx context.Context) []Finding
}

// Metered is an optional capability of a paid channel: a message costs as many
// parts as Parts says, before it is sent. It is pure.
type Metered interface {
	Parts(m Message) int
}

// Settler is an optional capability: the network can be asked what became of a
// message whose outcome is unknown. key is its Message.Key, r its Receipt or
// empty where the answer was lost, sent when it was tried. It changes nothing
// and is called under the same rules as Send. ErrNoReport says that the network
// knows nothing (yet).
type Settler interface {
	Settle(ctx context.Context, to Address, key string, r Receipt, sent time.Time) (Report, error)
}

// Noticer is an optional capability of a network with a push window: a template
// that it approved gets through when the window is shut. The gateway sends a
// notice when it knows that the window is shut, or when Send said ClassClosed.
type Noticer interface {
	// HasNotice reports whether there is such a template for a text. It is pure.
	HasNotice(t Template) bool
	// Notice sends m by its template; m.Text, choices and photo are left out.
	// Called under the same rules as Send, with the same errors: ClassClosed
	// where the user did not agree to be sent this notice, ClassRejected where the
	// notice itself is bad. The words then go to the reader's next address.
	Notice(ctx context.Context, to Address, m Message) (Receipt, error)
}

// Login is an optional capability of a network into which a person has to log an
// account in. It is safe for use by many goroutines, in any process.
type Login interface {
	// Standing is how the account stands now.
	Standing(ctx context.Context) (Standing, error)
}

// Standing is how an account that a person logs in stands.
type Standing struct {
	State StandingState `json:"state"`
	// Since is when it came to stand so, by the clock of the database or of this
	// machine; zero where nobody knows.
	Since time.Time `json:"since"`
	// QR is what the code to be scanned says (StandingScan only). Whoever scans
	// it gives the account away: it is for the staff page and the terminal alone.
	QR string `json:"qr,omitempty"`
	// Why is the network's reason for being offline, in plain English, without
	// secrets.
	Why string `json:"why,omitempty"`
}

// StandingState is a closed set.
type StandingState string

const (
	// StandingStarting: it is being brought up, or nobody runs it.
	StandingStarting StandingState = "starting"
	// StandingScan: somebody has to scan Standing.QR with the account's phone.
	StandingScan StandingState = "scan"
	// StandingConfirm: it was scanned, the phone asks for a tap.
	StandingConfirm StandingState = "confirm"
	// StandingOnline: it receives and sends.
	StandingOnline StandingState = "online"
	// StandingOut: the network ended the login or refuses it; people have to act.
	StandingOut StandingState = "out"
)

// State keeps what an adapter must remember between its lives and processes: a
// cursor, a token, cookies. Names are constants of the adapter; values are
// sealed where they are kept, and the owner of the channel account alone writes.
type State interface {
	// Load returns nil where nothing was saved.
	Load(ctx context.Context, name string) ([]byte, error)
	// Save has made value durable when it returns nil.
	Save(ctx context.Context, name string, value []byte) error
}

// Finding is one thing that an operator should know of an account, in plain
// words and without secrets.
type Finding struct {
	// Wrong is true where something has to be done.
	Wrong bool
	What  string
}
