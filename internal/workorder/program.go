package workorder

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
)

// ChannelAPI is under which the addresses of persons lie whom programs file for.
// No adapter has it and its addresses are stopped: nobody is written to there.
const ChannelAPI = "api"

// ByProgram reports whether a program filed the ticket. It hears of what becomes
// of it by itself, and tells the reporter.
func ByProgram(ctx context.Context, t *gateway.Turn, o *Order) (bool, error) {
	channel, err := t.ChannelOfConversation(ctx, o.ConversationID)
	if err != nil {
		return false, fmt.Errorf("look by which channel a ticket came: %w", err)
	}
	return channel == ChannelAPI, nil
}
