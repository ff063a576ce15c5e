package gateway

import (
	"context"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/postgres"
)

// edit changes the message that stands in the chat. Doing it twice is doing it
// once, so every outcome but one is that of a send: where the network will not
// change the message (it is too old, or was taken away), the short text says
// what is new.
func (c *Channel) edit(ctx context.Context, o outcome) outcome {
	to := bots.Address{Channel: c.id, Chat: bots.ChatID(o.row.Chat)}
	send, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	err := c.adapter.(bots.Editor).Edit(send, to, bots.Receipt{ID: o.row.Standing}, o.messages[0])
	cancel()
	if err == nil {
		o.state, o.receipt, o.text = "sent", o.row.Standing, o.messages[0].Text
		return o
	}
	if bots.ClassOf(err) != bots.ClassRejected {
		return c.failed(o, err)
	}
	if o = c.instead(o, c.adapter.Caps()); o.state != "" {
		return o
	}
	return c.transmit(ctx, o)
}

// instead makes the short text what is sent, where a message cannot be changed.
func (c *Channel) instead(o outcome, caps bots.Caps) outcome {
	short, err := c.g.short(o.row, caps)
	if err != nil {
		return o.rejected(err)
	}
	if len(short) == 0 {
		o.state, o.err = "stale", "the message cannot be changed"
		return o
	}
	o.messages = short
	return o
}

// groupLost plans a look at a group that a message could not be delivered to:
// what lies there must not lie there alone.
func (g *Gateway) groupLost(ctx context.Context, tx *postgres.Tx, o outcome) error {
	if !o.row.IsGroup || o.state != "failed" && o.state != "unknown" {
		return nil
	}
	t := &Turn{Tx: tx, Now: o.row.At, g: g}
	if err := t.LookAtMembers(ctx, o.row.ConversationID); err != nil {
		return fmt.Errorf("look at a group that cannot be written to: %w", err)
	}
	g.Bus.Wake(topicDue)
	return nil
}
