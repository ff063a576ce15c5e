package gateway

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"shaoying/bots"
)

// network is a message network that does as it is told.
type network struct {
	mu   sync.Mutex
	caps bots.Caps
	// fault decides about each send before it is kept; nil sends all.
	fault func(ctx context.Context, to bots.Address, m bots.Message) error
	sent  []delivery
	// flying counts the sends in flight of each chat; most is the highest
	// count ever.
	flying map[bots.ChatID]int
	most   int
	runs   int
	// free is in the words that the network counts in no quota.
	free string
}

type delivery struct {
	chat bots.ChatID
	key  string
	text string
	m    bots.Message
}

func newNetwork() *network {
	return &network{
		caps:   bots.Caps{MaxText: 2000, Choices: 8, ChoiceBytes: 128, PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: 1 << 20},
		flying: map[bots.ChatID]int{},
	}
}

func (n *network) Caps() bots.Caps { return n.caps }

func (n *network) Run(ctx context.Context, _ bots.Sink) error {
	n.mu.Lock()
	n.runs++
	n.mu.Unlock()
	<-ctx.Done()
	return nil
}

func (n *network) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), nil
}

func (n *network) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	n.mu.Lock()
	n.flying[to.Chat]++
	n.most = max(n.most, n.flying[to.Chat])
	fault := n.fault
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.flying[to.Chat]--
		n.mu.Unlock()
	}()
	if fault != nil {
		if err := fault(ctx, to, m); err != nil {
			return bots.Receipt{}, err
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, delivery{to.Chat, m.Key, m.Text, m})
	took := 1
	if m.Photo != nil {
		took++ // words under a picture are a message of their own
	}
	if n.free != "" && strings.Contains(m.Text, n.free) {
		took = 0
	}
	return bots.Receipt{ID: fmt.Sprint("r", len(n.sent)), Took: took}, nil
}

func (n *network) on(fault func(ctx context.Context, to bots.Address, m bots.Message) error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = fault
}

// all returns what arrived, in order.
func (n *network) all() []delivery {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]delivery(nil), n.sent...)
}

// to returns the texts that arrived in one chat.
func (n *network) to(chat bots.ChatID) []string {
	var list []string
	for _, d := range n.all() {
		if d.chat == chat {
			list = append(list, d.text)
		}
	}
	return list
}

// editing is a network that can change what it sent.
type editing struct {
	*network
	// refuse decides about each change; nil makes all.
	refuse func(r bots.Receipt) error
	edits  []edited
}

type edited struct {
	receipt, text string
	choices       int
}

func (n *editing) Edit(_ context.Context, _ bots.Address, r bots.Receipt, m bots.Message) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.refuse != nil {
		if err := n.refuse(r); err != nil {
			return err
		}
	}
	n.edits = append(n.edits, edited{r.ID, m.Text, len(m.Choices)})
	return nil
}

func (n *editing) changed() []edited {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]edited(nil), n.edits...)
}
