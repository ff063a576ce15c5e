//go:build peers

// Package sms speaks with programs of others: npm smpp 0.5.1 as a short message
// service centre, and Debian's Kannel 1.4.5. What we believe of their protocols
// is so compared with what somebody else believes.
package sms

import (
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"shaoying/internal/bench/smsc"
	"shaoying/test/world"
)

// centre is a centre of node-smpp that can be killed and comes back on its port
// with what users said and nobody took: a real one keeps that on disk.
type centre struct {
	t    *testing.T
	dir  string
	port int

	mu      sync.Mutex
	running *smsc.Centre
	bound   int
	submits []smsc.Event
	waiting []map[string]any
	named   int
	reading sync.WaitGroup
}

var account = smsc.Account{SystemID: "shaoying", Password: "pass-08!"}

// newCentre starts one. Without node the test is left out by name, in CI it
// fails.
func newCentre(t *testing.T) *centre {
	t.Helper()
	dir, err := smsc.Install(t.Context())
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("left out: ", err)
	}
	c := &centre{t: t, dir: dir}
	c.start()
	t.Cleanup(func() {
		world.Must(t, c.running.Stop())
		c.reading.Wait()
	})
	return c
}

func (c *centre) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)) }

func (c *centre) start() {
	c.t.Helper()
	running, err := smsc.Start(c.dir, account, c.port, false)
	world.Must(c.t, err)
	_, port, err := net.SplitHostPort(running.Addr)
	world.Must(c.t, err)
	c.port, err = strconv.Atoi(port)
	world.Must(c.t, err)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = running
	for _, order := range c.waiting {
		world.Must(c.t, running.Do(order))
	}
	c.reading.Go(func() {
		for e := range running.Events {
			c.note(e)
		}
	})
}

func (c *centre) note(e smsc.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch e.Event {
	case "bound":
		c.bound++
	case "submit":
		c.submits = append(c.submits, e)
	case "taken":
		for i, order := range c.waiting {
			if order["name"] == e.Name {
				c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
				break
			}
		}
	}
}

// kill ends the centre as a power cut would.
func (c *centre) kill() {
	c.t.Helper()
	world.Must(c.t, c.running.Kill())
	c.reading.Wait()
}

func (c *centre) order(o map[string]any) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	world.Must(c.t, c.running.Do(o))
}

// deliver gives the centre a deliver_sm to make until it is taken.
func (c *centre) deliver(parameters map[string]any) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.named++
	order := map[string]any{"do": "deliver", "name": strconv.Itoa(c.named), "parameters": parameters}
	c.waiting = append(c.waiting, order)
	_ = c.running.Do(order) // of a dead one: it is said again at its next start
}

func (c *centre) says(from, to, text string) {
	c.t.Helper()
	c.deliver(map[string]any{"source_addr": from, "destination_addr": to, "data_coding": 8, "short_message": text})
}

// saysLong says a text in pieces, as phones and networks do.
func (c *centre) saysLong(from, to, text, how string) {
	c.t.Helper()
	if how == "payload" {
		c.deliver(map[string]any{"source_addr": from, "destination_addr": to, "data_coding": 8, "payload": text})
		return
	}
	units := utf16.Encode([]rune(text))
	const size = 60
	total := (len(units) + size - 1) / size
	for i := range total {
		head := []byte{5, 0, 3, 0x42, byte(total), byte(i + 1)}
		if how == "16 bit" {
			head = []byte{6, 8, 4, 0x12, 0x42, byte(total), byte(i + 1)}
		}
		part := units[i*size : min((i+1)*size, len(units))]
		c.deliver(map[string]any{
			"source_addr": from, "destination_addr": to, "data_coding": 8, "udh": hex.EncodeToString(head), "short_message": string(utf16.Decode(part)),
		})
	}
}

// report gives the receipt of a submit.
func (c *centre) report(e smsc.Event, state int, word string) {
	c.t.Helper()
	c.deliver(map[string]any{
		"source_addr": e.To, "destination_addr": e.From, "esm_class": 4, "receipted_message_id": e.ID, "message_state": state,
		"short_message": fmt.Sprintf("id:%s sub:001 dlvrd:001 submit date:2603020900 done date:2603020901 stat:%s err:000 text:", e.ID, word),
	})
}

// sent are the submits that hold a text, in order.
func (c *centre) sent(part string) (out []smsc.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.submits {
		if strings.Contains(e.Text, part) {
			out = append(out, e)
		}
	}
	return out
}

func (c *centre) left() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting)
}

func (c *centre) binds() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bound
}

// until waits until ok holds.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	look, limit := time.NewTicker(10*time.Millisecond), time.NewTimer(world.Patience)
	defer look.Stop()
	defer limit.Stop()
	for !ok() {
		select {
		case <-look.C:
		case <-limit.C:
			t.Fatal(what, " did not come about")
		}
	}
}
