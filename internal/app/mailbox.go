package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
)

// mailbox keeps the items of one web channel account in PostgreSQL, sealed.
type mailbox struct {
	channel bots.ChannelID
	db      *postgres.DB
	bus     *postgres.Bus
	keys    *privacy.Keys
}

const (
	sealItem  = "mailbox.item"
	sealPhoto = "mailbox.photo"
)

// Deliver implements webchat.Mailbox. The chat's numbers are given by the
// owner of the channel account, which sends one message per chat at a time; a
// lost race is tried again.
func (m *mailbox) Deliver(ctx context.Context, chat bots.ChatID, key string, item webchat.Item) (int64, error) {
	body, err := json.Marshal(item)
	if err != nil {
		return 0, fmt.Errorf("pack a mailbox item: %w", err)
	}
	p := db.DeliverParams{
		Channel: string(m.channel), Chat: string(chat), Key: key, Item: m.keys.Seal(body, sealItem),
	}
	if item.Photo != nil {
		p.Photo = m.keys.Seal(item.Photo, sealPhoto)
	}
	seq, err := m.db.Deliver(ctx, p)
	if postgres.IsDuplicate(err) {
		seq, err = m.db.Deliver(ctx, p)
	}
	if err != nil {
		return 0, fmt.Errorf("put an item into a mailbox: %w", err)
	}
	m.bus.Wake(m.topic(chat))
	return seq, nil
}

// After implements webchat.Mailbox.
func (m *mailbox) After(ctx context.Context, chat bots.ChatID, seq int64, limit int) ([]webchat.Item, error) {
	rows, err := m.db.MailboxAfter(ctx, db.MailboxAfterParams{
		Channel: string(m.channel), Chat: string(chat), After: seq, MaxRows: int32(limit),
	})
	if err != nil {
		return nil, fmt.Errorf("read a mailbox: %w", err)
	}
	items := make([]webchat.Item, len(rows))
	for i, r := range rows {
		plain, err := m.keys.Open(r.Item, sealItem)
		if err != nil {
			return nil, fmt.Errorf("open a mailbox item: %w", err)
		}
		if err := json.Unmarshal(plain, &items[i]); err != nil {
			return nil, fmt.Errorf("read a mailbox item: %w", err)
		}
		items[i].Seq, items[i].At = r.Seq, r.At
	}
	return items, nil
}

// Photo implements webchat.Mailbox.
func (m *mailbox) Photo(ctx context.Context, chat bots.ChatID, seq int64) ([]byte, error) {
	sealed, err := m.db.MailboxPhoto(ctx, string(m.channel), string(chat), seq)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, webchat.ErrNoPhoto
	}
	if err != nil {
		return nil, fmt.Errorf("read a photo: %w", err)
	}
	data, err := m.keys.Open(sealed, sealPhoto)
	if err != nil {
		return nil, fmt.Errorf("open a photo: %w", err)
	}
	return data, nil
}

// Watch implements webchat.Mailbox.
func (m *mailbox) Watch(chat bots.ChatID) (<-chan struct{}, func()) {
	return m.bus.Subscribe(m.topic(chat))
}

func (m *mailbox) topic(chat bots.ChatID) string {
	return "mailbox/" + string(m.channel) + "/" + string(chat)
}
