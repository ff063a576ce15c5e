package postgres

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/postgres/db"
)

// Moved says what a chat took along to its new id.
type Moved struct {
	// Conversations are those that go on under the new id, Merged those that
	// were there already and are now one of them.
	Conversations, Merged []int64
	// Addresses and Lines are how many addresses, and messages that wait to be
	// sent, went along.
	Addresses, Lines int64
}

// Nothing reports whether there was nothing to move.
func (m Moved) Nothing() bool { return len(m.Conversations) == 0 && m.Addresses == 0 && m.Lines == 0 }

// MoveChat lets a chat of a channel account go on under another id: its
// conversations with all that hangs on them, the addresses whose chat it is, and
// what waits to be sent, in its order. It may be called any number of times.
//
// The new chat may have been heard before the move was told. A user who has a
// conversation in both then keeps the older one, because tickets, cards and
// bindings hang on its id; what the younger one brought becomes a part of it.
func (t *Tx) MoveChat(ctx context.Context, channel, from, to string) (Moved, error) {
	var m Moved
	rows, err := t.LockChats(ctx, channel, []string{from, to})
	if err != nil {
		return m, fmt.Errorf("lock the conversations of a chat: %w", err)
	}
	keep := map[string]int64{}
	for _, r := range rows { // the lowest id first
		moves := slices.ContainsFunc(rows, func(o db.LockChatsRow) bool { return o.UserID == r.UserID && o.Chat == from })
		if !moves {
			continue
		}
		if older, ok := keep[r.UserID]; ok {
			if err := t.mergeConversation(ctx, channel, []string{from, to}, older, r.ID); err != nil {
				return m, fmt.Errorf("make conversation %d a part of %d: %w", r.ID, older, err)
			}
			m.Merged = append(m.Merged, r.ID)
			continue
		}
		keep[r.UserID] = r.ID
		m.Conversations = append(m.Conversations, r.ID)
	}
	for _, id := range m.Conversations {
		if err := t.RenameChat(ctx, id, to); err != nil {
			return m, fmt.Errorf("move conversation %d: %w", id, err)
		}
	}
	if m.Addresses, err = t.RenameAddresses(ctx, to, channel, from); err != nil {
		return m, fmt.Errorf("move the addresses of a chat: %w", err)
	}
	if m.Lines, err = t.RenameOutbox(ctx, to, channel, from); err != nil {
		return m, fmt.Errorf("move what waits for a chat: %w", err)
	}
	return m, nil
}

// mergeConversation makes one conversation of a user's two and drops the
// younger.
func (t *Tx) mergeConversation(ctx context.Context, channel string, chats []string, keep, give int64) error {
	clocks := func(ctx context.Context, keep, give int64) error {
		if err := t.AdoptDue(ctx, Subject("conversation", keep), Subject("conversation", give)); err != nil {
			return err
		}
		_, err := t.ClearDue(ctx, "the chat moved", Subject("conversation", give), nil)
		return err
	}
	lines := func(ctx context.Context, keep, give int64) error {
		return t.AdoptOutbox(ctx, db.AdoptOutboxParams{Keep: keep, Channel: channel, Chats: chats, Give: give})
	}
	for _, step := range []func(ctx context.Context, keep, give int64) error{
		t.AdoptDialogue, t.AdoptTickets, t.AdoptCards, t.AdoptPrompts, t.AdoptMessages, t.AdoptWaiting, t.AdoptDead, clocks, lines,
	} {
		if err := step(ctx, keep, give); err != nil {
			return err
		}
	}
	return t.DropConversation(ctx, give)
}
