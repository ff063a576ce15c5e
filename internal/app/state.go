package app

import (
	"context"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
)

// channelState keeps what a channel account remembers in PostgreSQL, sealed for
// this account and name.
type channelState struct {
	channel bots.ChannelID
	db      *postgres.DB
	keys    *privacy.Keys
}

// stateOf is the memory of a channel account.
func (h *House) stateOf(id bots.ChannelID) *channelState {
	return &channelState{channel: id, db: h.DB, keys: h.Keys}
}

// Load implements bots.State.
func (s *channelState) Load(ctx context.Context, name string) ([]byte, error) {
	sealed, err := s.db.ChannelState(ctx, string(s.channel), name)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s of a channel: %w", name, err)
	}
	value, err := s.keys.Open(sealed, s.aad(name))
	if err != nil {
		return nil, fmt.Errorf("open %s of a channel: %w", name, err)
	}
	return value, nil
}

// Save implements bots.State.
func (s *channelState) Save(ctx context.Context, name string, value []byte) error {
	if err := s.db.SaveChannelState(ctx, string(s.channel), name, s.keys.Seal(value, s.aad(name))); err != nil {
		return fmt.Errorf("keep %s of a channel: %w", name, err)
	}
	return nil
}

func (s *channelState) aad(name string) string { return "channel/" + string(s.channel) + "/" + name }
