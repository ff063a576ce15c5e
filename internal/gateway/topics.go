package gateway

import "shaoying/bots"

// The topics of the bus.
const (
	topicDue     = "due"
	topicWaiting = "waiting"
	// TopicDefinitions is woken when a definition was published.
	TopicDefinitions = "definitions"
	// TopicClock is woken when the demo moved the product clock.
	TopicClock = "clock"
)

func topicOutbox(c bots.ChannelID) string { return "outbox/" + string(c) }

// topicReports is woken when a network said what became of a message.
func topicReports(c bots.ChannelID) string { return "reports/" + string(c) }

// topicSettle is woken when a network is to be asked about unknown outcomes.
func topicSettle(c bots.ChannelID) string { return "settle/" + string(c) }

// The associated data under which columns are sealed: a value cut from one
// column does not open in another.
const (
	aadOutbox  = "outbox.params"
	aadState   = "conversation.state"
	aadPrompt  = "prompt.state"
	aadEvent   = "inbox.event"
	aadMessage = "message.body"
	aadTrail   = "trail.words"
	aadBlob    = "blob.body"
)

// The dialogues that the routing itself needs.
const (
	flowDefault      = "welcome"
	flowDanger       = "danger"
	flowStop         = "stop"
	flowReport       = "report"
	flowWhich        = "which"
	flowWorse        = "care_worse"
	flowStaffDefault = "staff_help"
	staffFlowPrefix  = "staff_"
)
