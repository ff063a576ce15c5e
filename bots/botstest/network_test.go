package botstest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
)

const (
	testSecret = "s3cret-of-the-test-network"
	groupChat  = "group"
)

// act is one thing that a user of the test network did.
type act struct {
	ID    int
	User  int
	Group bool
	Self  bool
	Kind  bots.Kind
	Text  string
	Lat   float64
	Lon   float64
	File  []byte
}

// network is a fake network with both ways of delivery: it answers polls, or
// posts to a webhook. It is the rig of its own adapter.
type network struct {
	mu       sync.Mutex
	acts     []act // not acknowledged, in order
	last     *act  // acknowledged last
	files    map[string][]byte
	ids      int
	sent     []Sent
	fail     bots.Class
	down     bool
	requests int
	log      bytes.Buffer
	wake     chan struct{}
	faults   faults
	adapter  bots.Adapter

	hook   bool
	url    string
	quit   chan struct{}
	posted sync.WaitGroup
	client *http.Client
}

func newNetwork(f faults, hook bool) *network {
	n := &network{
		files: map[string][]byte{}, wake: make(chan struct{}, 1), faults: f, hook: hook, quit: make(chan struct{}),
		client: &http.Client{Transport: &http.Transport{}},
	}
	n.Restart()
	if hook {
		n.posted.Add(1)
		go n.post()
	}
	return n
}

func (n *network) Adapter() bots.Adapter { return n.adapter }

func (n *network) Restart() {
	a := &poller{n: n, faults: n.faults}
	n.adapter = a
	if n.hook {
		n.adapter = &hooked{poller: a}
	}
}

func (n *network) Close() {
	close(n.quit)
	n.posted.Wait()
	n.client.CloseIdleConnections()
}

func (n *network) Listen(url string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.url = url
}

func (n *network) Address(user int) bots.Address {
	return bots.Address{Channel: "test", Chat: bots.ChatID(fmt.Sprintf("chat-%d", user))}
}

func (n *network) did(a act) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ids++
	a.ID = n.ids
	if a.File != nil {
		n.files[fmt.Sprint(a.ID)] = a.File
		a.File = nil
	}
	n.acts = append(n.acts, a)
	n.poke()
	return true
}

func (n *network) poke() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

func (n *network) Notice() bots.Message {
	return bots.Message{Key: "1", Text: "x", Template: approved}
}

func (n *network) UserSays(user int, text string) bool {
	return n.did(act{User: user, Kind: bots.KindText, Text: text})
}

func (n *network) UserTaps(user, i int) bool {
	for _, s := range n.Sent() {
		if s.User == user && i < len(s.Choices) {
			return n.did(act{User: user, Kind: bots.KindChoice, Text: s.Choices[i].Data})
		}
	}
	return false
}

func (n *network) UserSendsPlace(user int, lat, lon float64, label string) bool {
	return n.did(act{User: user, Kind: bots.KindPlace, Lat: lat, Lon: lon, Text: label})
}

func (n *network) UserSendsPhoto(user int, jpeg []byte, caption string) bool {
	return n.did(act{User: user, Kind: bots.KindPhoto, File: jpeg, Text: caption})
}

func (n *network) UserSendsVoice(user int, amr []byte) bool {
	return n.did(act{User: user, Kind: bots.KindVoice, File: amr})
}

func (n *network) UserAnswers(user int, text string) bool { return n.UserSays(user, text) }
func (n *network) Reports(int, bots.ReportState) bool     { return false } // it never says

func (n *network) GroupSays(user int, text string) bool {
	return n.did(act{User: user, Group: true, Kind: bots.KindText, Text: text})
}

func (n *network) Echo() bool {
	return n.did(act{User: 0, Self: true, Kind: bots.KindText, Text: "我们说的话"})
}

func (n *network) Redeliver() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last != nil {
		n.acts = append([]act{*n.last}, n.acts...)
		n.poke()
	}
}

func (n *network) Waiting() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.acts)
}

func (n *network) Sent() []Sent {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]Sent(nil), n.sent...)
}

func (n *network) Fail(c bots.Class) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.fail = c
	return true
}

func (n *network) Down(down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = down
	n.poke()
}

func (n *network) Requests() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.requests
}

func (n *network) Secrets() []string { return []string{testSecret} }

func (n *network) Log() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.log.String()
}

func (n *network) logf(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(&n.log, format+"\n", args...)
}

// head returns the first act that waits.
func (n *network) head() (a act, ok, down bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests++
	if n.down || len(n.acts) == 0 {
		return act{}, false, n.down
	}
	return n.acts[0], true, false
}

// ack is the network being told that act id was taken.
func (n *network) ack(id int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, a := range n.acts {
		if a.ID == id {
			n.last = &a
			n.acts = append(n.acts[:i:i], n.acts[i+1:]...)
			return
		}
	}
}

// post delivers to the webhook until the network closes.
func (n *network) post() {
	defer n.posted.Done()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		select {
		case <-n.quit:
			return
		case <-again.C:
		}
		a, ok, _ := n.head()
		n.mu.Lock()
		url := n.url
		n.mu.Unlock()
		if !ok || url == "" {
			continue
		}
		body, err := json.Marshal(a)
		if err != nil {
			panic(err)
		}
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			panic(err)
		}
		req.Header.Set("X-Secret", testSecret)
		if resp, err := n.client.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				n.ack(a.ID)
			}
		}
	}
}

func (n *network) Forgeries() []Forgery {
	if !n.hook {
		return nil
	}
	with := func(name, method, header, secret string, body string) Forgery {
		return Forgery{Name: name, Make: func(url string) (*http.Request, error) {
			req, err := http.NewRequest(method, url, strings.NewReader(body))
			if err == nil && header != "" {
				req.Header.Set(header, secret)
			}
			return req, err
		}}
	}
	all := []Forgery{
		with("too large", http.MethodPost, "X-Secret", testSecret, strings.Repeat("x", 1<<20)),
		with("wrong method", http.MethodGet, "X-Secret", testSecret, ""),
	}
	for i := range 10 {
		all = append(all, with(fmt.Sprintf("wrong secret %d", i), http.MethodPost, "X-Secret", strings.Repeat("s", i), `{"ID":1,"Kind":"text","Text":"x"}`))
	}
	return all
}
