package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// busEvery is the shortest time between two NOTIFYs of one process: at most
// 20 a second, however many turns commit. What a NOTIFY loses, the pollers
// behind it find within a second.
const busEvery = 50 * time.Millisecond

// Bus carries wake-ups: at once inside the process, coalesced by NOTIFY to
// the other processes. A wake-up says "look again"; it never carries state.
type Bus struct {
	db   *DB
	log  *slog.Logger
	mu   sync.Mutex
	subs map[string]map[chan struct{}]struct{}
	out  map[string]struct{}
	kick chan struct{}
}

// NewBus makes a bus over the database. Run must run for wake-ups to cross
// processes.
func NewBus(d *DB, log *slog.Logger) *Bus {
	return &Bus{
		db: d, log: log,
		subs: map[string]map[chan struct{}]struct{}{}, out: map[string]struct{}{},
		kick: make(chan struct{}, 1),
	}
}

// Wake wakes everybody who subscribed to topic, here and in other processes.
func (b *Bus) Wake(topic string) {
	b.wakeHere(topic)
	b.mu.Lock()
	b.out[topic] = struct{}{}
	b.mu.Unlock()
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

func (b *Bus) wakeHere(topic string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for c := range b.subs[topic] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (b *Bus) wakeAll() {
	b.mu.Lock()
	topics := make([]string, 0, len(b.subs))
	for t := range b.subs {
		topics = append(topics, t)
	}
	b.mu.Unlock()
	for _, t := range topics {
		b.wakeHere(t)
	}
}

// Subscribe returns a channel that gets a value after each Wake of topic
// (several may become one) and a function that ends the subscription.
func (b *Bus) Subscribe(topic string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.subs[topic] == nil {
		b.subs[topic] = map[chan struct{}]struct{}{}
	}
	b.subs[topic][c] = struct{}{}
	return c, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.subs[topic], c)
		if len(b.subs[topic]) == 0 {
			delete(b.subs, topic)
		}
	}
}

// Run sends and receives NOTIFYs until ctx ends.
func (b *Bus) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { b.send(ctx) })
	wg.Go(func() { b.receive(ctx) })
	wg.Wait()
	return nil
}

func (b *Bus) send(ctx context.Context) {
	tick := time.NewTicker(busEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.kick:
		}
		b.mu.Lock()
		topics := make([]string, 0, len(b.out))
		for t := range b.out {
			topics = append(topics, t)
		}
		clear(b.out)
		b.mu.Unlock()
		for _, payload := range payloads(topics) {
			if _, err := b.db.pool.Exec(ctx, `select pg_notify('shaoying', $1)`, payload); err != nil && ctx.Err() == nil {
				b.log.Warn("wake other processes", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// payloads joins topics into NOTIFY payloads, which PostgreSQL limits to 8000
// bytes.
func payloads(topics []string) []string {
	var all []string
	var sb strings.Builder
	for _, t := range topics {
		if sb.Len()+len(t) > 7900 {
			all = append(all, sb.String())
			sb.Reset()
		}
		if sb.Len() > 0 {
			sb.WriteByte('\n')
		}
		sb.WriteString(t)
	}
	if sb.Len() > 0 {
		all = append(all, sb.String())
	}
	return all
}

func (b *Bus) receive(ctx context.Context) {
	for ctx.Err() == nil {
		if err := b.listen(ctx); err != nil && ctx.Err() == nil {
			b.log.Warn("listen for wake-ups", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (b *Bus) listen(ctx context.Context) error {
	conn, err := pgx.ConnectConfig(ctx, b.db.pool.Config().ConnConfig.Copy())
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen shaoying"); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	// What was said while nobody listened is made up for by waking all.
	b.wakeAll()
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		for topic := range strings.SplitSeq(n.Payload, "\n") {
			b.wakeHere(topic)
		}
	}
}
