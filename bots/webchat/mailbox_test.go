package webchat

import (
	"context"
	"errors"
	"sync"

	"shaoying/bots"
)

// memory is a Mailbox in memory, with a switch to make it fail.
type memory struct {
	mu      sync.Mutex
	items   map[bots.ChatID][]Item
	keys    map[bots.ChatID]map[string]int64
	watches map[chan struct{}]bots.ChatID
	broken  error
	// failing is how many more deliveries fail; calls is how many were tried.
	failing, calls int
	order          []delivered
}

// delivered is one item by its place, in the order of all chats together.
type delivered struct {
	chat bots.ChatID
	seq  int64
}

var errAway = errors.New("the mailbox is away")

func newMemory() *memory {
	return &memory{
		items: map[bots.ChatID][]Item{}, keys: map[bots.ChatID]map[string]int64{},
		watches: map[chan struct{}]bots.ChatID{},
	}
}

func (m *memory) Deliver(_ context.Context, chat bots.ChatID, key string, item Item) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.broken != nil {
		return 0, m.broken
	}
	if m.failing > 0 {
		m.failing--
		return 0, errAway
	}
	if seq := m.keys[chat][key]; seq != 0 {
		return seq, nil
	}
	item.Seq = int64(len(m.items[chat])) + 1
	m.items[chat] = append(m.items[chat], item)
	m.order = append(m.order, delivered{chat, item.Seq})
	if m.keys[chat] == nil {
		m.keys[chat] = map[string]int64{}
	}
	m.keys[chat][key] = item.Seq
	for wake, of := range m.watches {
		if of == chat {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
	}
	return item.Seq, nil
}

func (m *memory) After(_ context.Context, chat bots.ChatID, seq int64, limit int) ([]Item, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	var out []Item
	for _, item := range m.items[chat] {
		if item.Seq > seq && len(out) < limit {
			item.Photo = nil
			out = append(out, item)
		}
	}
	return out, nil
}

func (m *memory) Photo(_ context.Context, chat bots.ChatID, seq int64) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	if seq < 1 || seq > int64(len(m.items[chat])) || !m.items[chat][seq-1].HasPhoto {
		return nil, ErrNoPhoto
	}
	return m.items[chat][seq-1].Photo, nil
}

func (m *memory) Watch(chat bots.ChatID) (<-chan struct{}, func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	wake := make(chan struct{}, 1)
	m.watches[wake] = chat
	return wake, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watches, wake)
	}
}

// fail makes every call fail with err; nil mends it.
func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) watching() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.watches)
}
