package bots

import "time"

// TextUnit is the unit in which a network counts the length of a text.
type TextUnit int

const (
	// Runes counts Unicode code points.
	Runes TextUnit = iota
	// UTF16 counts UTF-16 code units (Telegram).
	UTF16
	// Bytes counts UTF-8 bytes (WeChat).
	Bytes
)

// Caps is what a channel account can do. It is data: the gateway renders to
// it, the operations page shows it, botstest proves it.
type Caps struct {
	// MaxText is the longest text of one message in TextUnit. The gateway
	// splits longer texts at grapheme ends.
	MaxText  int
	TextUnit TextUnit
	// Choices is how many buttons one message may carry; 0 means that
	// choices are written as a numbered list.
	Choices int
	// ChoiceBytes is the longest Choice.Data.
	ChoiceBytes int
	PlaceIn     bool
	PhotoIn     bool
	VoiceIn     bool
	// PhotoOut is the largest photo in bytes, 0 when none can be sent.
	PhotoOut int
	Group    bool
	// SendOnly is a network that never brings events (group robots).
	SendOnly bool
	// Digest is true where few messages are allowed and nobody answers them: what
	// waits for one chat goes out together, as much as MaxText holds.
	Digest bool
	// Window is how long after the user's last message we may write; 0 means
	// any time. WindowQuota is how many messages then, 0 means any number.
	Window      time.Duration
	WindowQuota int
	// Paid is true where each message costs money and the network does not
	// de-duplicate: an unknown outcome is then never resent by itself.
	Paid bool
	Rate Rate
	// Trust is the highest trust that the network's own id deserves.
	Trust Trust
	// Redelivers is how long the network goes on delivering an event that
	// was not acknowledged. Short ones are spooled when the database is away.
	Redelivers time.Duration
	// Phone is true where user ids stand for phone numbers: every event then
	// names Identity.Phone, such an id proves nothing (TrustNone), and may be
	// given to somebody else after a silence.
	Phone bool
	// Extensions is how many codes may be set behind our number, 0 for none.
	Extensions int
	// InFlight is how many sends may be under way at once; 0 means what the
	// gateway thinks right for any network.
	InFlight int
}

// Rate is a network's own limit on what we send; zero values mean no limit.
type Rate struct {
	PerSecond        float64
	PerChatPerSecond float64
	// PerGroupPerMinute holds in chats of more than one user, beside the rest.
	PerGroupPerMinute float64
}
