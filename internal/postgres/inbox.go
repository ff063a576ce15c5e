package postgres

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/postgres/db"
)

// StoreWaitingEvent keeps an event that could not be run now. A duplicate is
// no error: somebody has it already.
func (t *Tx) StoreWaitingEvent(ctx context.Context, e Incoming, conversation int64, sealed []byte, why string) error {
	_, err := t.StoreWaiting(ctx, db.StoreWaitingParams{
		Channel: e.Channel, EventKey: e.Key, ConversationID: conversation, Kind: e.Kind, Event: sealed, Error: why,
	})
	if err != nil && !errors.Is(err, ErrNoRows) {
		return fmt.Errorf("store a waiting event: %w", err)
	}
	return nil
}
