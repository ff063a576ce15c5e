package gateway

import (
	"context"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/postgres"
)

// moveChat lets a chat go on under another id and writes that down. Both ways in
// which it becomes known lead here: a send that was answered with the new id,
// and an event that says so. Each may come first, and more than once.
func (g *Gateway) moveChat(ctx context.Context, tx *postgres.Tx, channel bots.ChannelID, from, to bots.ChatID) error {
	if from == to || to == "" {
		return nil
	}
	moved, err := tx.MoveChat(ctx, string(channel), string(from), string(to))
	if err != nil {
		return fmt.Errorf("move a chat: %w", err)
	}
	if len(moved.Conversations) == 0 {
		return nil
	}
	data := map[string]any{"channel": channel, "conversations": moved.Conversations, "merged": moved.Merged, "lines": moved.Lines}
	return Record(ctx, tx, g.Keys, "system", "chat.moved", postgres.Subject("conversation", moved.Conversations[0]), data, "")
}

// moveChats moves the chats of rows that were answered with a new id, before the
// rows go back into the queue: conversations are locked before outbox rows.
func (c *Channel) moveChats(ctx context.Context, batch []outcome) error {
	for _, o := range batch {
		if o.chat == "" {
			continue
		}
		err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			return c.g.moveChat(ctx, tx, c.id, bots.ChatID(o.row.Chat), bots.ChatID(o.chat))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// moved does the event of a chat that goes on elsewhere. Nobody said anything,
// so no dialogue hears of it; but the turn leaves the dialogue that its
// conversation may have taken over.
func (t *Turn) moved(ctx context.Context, ev bots.Event) error {
	t.Wake(topicOutbox(t.Channel))
	if err := t.g.moveChat(ctx, t.Tx, t.Channel, ev.Chat, ev.NewChat); err != nil {
		return err
	}
	d, err := t.DialogueOf(ctx, t.Conversation)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // it became a part of an older one
	}
	if err != nil {
		return fmt.Errorf("load the dialogue of a chat that moved: %w", err)
	}
	t.row.Flow, t.row.State, t.row.Turn = d.Flow, d.State, d.Turn
	return nil
}
