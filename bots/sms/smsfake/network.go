// Package smsfake is what the fakes of carriers share: phones that are written
// to and write back, pushes that come again until they are taken, faults, and
// the remote control that botstest asks for. A fake of one carrier adds its
// protocol.
package smsfake

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"

	"shaoying/bots"
)

// Text is a message of ours as a phone got it.
type Text struct {
	ID, Key string
	// From is the number that the phone shows, To the phone, E.164.
	From, To string
	// Body is what is shown, the signature with it; Parts how many parts came.
	Body  string
	Parts int
	// Callback is where reports on it go, where the request said so.
	Callback string
}

// Word is a message that a phone sent.
type Word struct {
	ID       string
	From, To string
	Body     string
	At       time.Time
}

// Protocol is how a carrier speaks.
type Protocol interface {
	http.Handler
	// Says makes the push of a word to the adapter at base.
	Says(base string, w Word) (*http.Request, error)
	// Tells makes the push of a report, nil where the carrier never says that.
	Tells(base string, t Text, state bots.ReportState) (*http.Request, error)
	// Took reports whether an answer means that the push was taken.
	Took(status int, body []byte) bool
}

// Network is one carrier with all of its phones. It is safe for use by many
// goroutines.
type Network struct {
	protocol Protocol
	server   *httptest.Server
	client   *http.Client

	mu       sync.Mutex
	base     string
	down     bool
	fault    string
	requests int
	serial   int
	sent     []Text
	lanes    map[string]*lane
	last     *push
	refusals []string
	quit     chan struct{}
	senders  sync.WaitGroup
}

// push is what the carrier wants to tell us, made anew for each try.
type push struct {
	lane string
	make func(base string) (*http.Request, error)
}

type lane struct {
	queue   []*push
	running bool
}

// Start starts a network.
func Start(p Protocol) *Network {
	n := &Network{
		protocol: p, client: &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second},
		lanes: map[string]*lane{}, quit: make(chan struct{}),
	}
	n.server = httptest.NewServer(http.HandlerFunc(n.serve))
	return n
}

// URL is where the carrier listens.
func (n *Network) URL() string { return n.server.URL }

// Close ends it.
func (n *Network) Close() {
	close(n.quit)
	n.senders.Wait()
	n.client.CloseIdleConnections()
	n.server.CloseClientConnections()
	n.server.Close()
}

func (n *Network) serve(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.requests++
	down := n.down
	n.mu.Unlock()
	if down {
		Cut(w)
		return
	}
	n.protocol.ServeHTTP(w, r)
}

// Cut ends a connection without an answer.
func Cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

// Listen says where the adapter is.
func (n *Network) Listen(base string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.base = base
}

// Down cuts the carrier off, or back on.
func (n *Network) Down(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
}

// Requests is how many requests reached for the carrier.
func (n *Network) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

// FailNext makes the next send fail in a way that the protocol names.
func (n *Network) FailNext(fault string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fault = fault
}

// Fault is how this send is to fail; empty for none.
func (n *Network) Fault() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	fault := n.fault
	n.fault = ""
	return fault
}

// Serial is a number that was never given before.
func (n *Network) Serial() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.serial++
	return strconv.Itoa(9000000 + n.serial)
}

// Deliver shows a text on its phone.
func (n *Network) Deliver(t Text) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent = append(n.sent, t)
}

// Sent is what phones showed, in order.
func (n *Network) Sent() []Text {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Text(nil), n.sent...)
}

// Say makes a phone write. Nobody writes twice within a second.
func (n *Network) Say(from, to, body string) {
	n.mu.Lock()
	n.serial++
	w := Word{ID: strconv.Itoa(9000000 + n.serial), From: from, To: to, Body: body, At: time.Unix(1_772_413_200+int64(n.serial), 0)}
	n.mu.Unlock()
	n.enqueue(&push{lane: from, make: func(base string) (*http.Request, error) { return n.protocol.Says(base, w) }})
}

// Report makes the carrier report on a text; false where it never does.
func (n *Network) Report(t Text, state bots.ReportState) bool {
	if req, err := n.protocol.Tells("http://nowhere.example", t, state); req == nil || err != nil {
		return false
	}
	n.enqueue(&push{lane: t.To, make: func(base string) (*http.Request, error) { return n.protocol.Tells(base, t, state) }})
	return true
}

// Redeliver pushes once more what was taken last.
func (n *Network) Redeliver() {
	n.mu.Lock()
	last := n.last
	n.mu.Unlock()
	if last != nil {
		n.enqueue(last)
	}
}

// Waiting is how many pushes were not taken.
func (n *Network) Waiting() (waiting int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.lanes {
		waiting += len(l.queue)
	}
	return waiting
}

// Refusals are the answers by which honest pushes were refused for good.
func (n *Network) Refusals() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.refusals...)
}

func (n *Network) enqueue(p *push) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := n.lanes[p.lane]
	if l == nil {
		l = &lane{}
		n.lanes[p.lane] = l
	}
	l.queue = append(l.queue, p)
	if !l.running {
		l.running = true
		n.senders.Add(1)
		go n.work(l)
	}
}

// again is how long the carrier waits before it pushes once more.
const again = 5 * time.Millisecond

// work pushes what a lane holds, in order, each until it is taken.
func (n *Network) work(l *lane) {
	defer n.senders.Done()
	for {
		n.mu.Lock()
		if len(l.queue) == 0 {
			l.running = false
			n.mu.Unlock()
			return
		}
		head, base := l.queue[0], n.base
		n.mu.Unlock()
		if taken := n.try(head, base); !taken {
			wait := time.NewTimer(again)
			select {
			case <-n.quit:
				wait.Stop()
				return
			case <-wait.C:
			}
			continue
		}
		n.mu.Lock()
		l.queue, n.last = l.queue[1:], head
		n.mu.Unlock()
	}
}

// try pushes once and reports whether it was taken. What is refused for good is
// noted and not tried again.
func (n *Network) try(p *push, base string) bool {
	if base == "" {
		return false
	}
	req, err := p.make(base)
	if err != nil {
		return false
	}
	resp, err := n.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return false
	}
	if resp.StatusCode/100 == 4 {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.refusals = append(n.refusals, resp.Status+" "+string(bytes.TrimSpace(body)))
		return true
	}
	return n.protocol.Took(resp.StatusCode, body)
}
