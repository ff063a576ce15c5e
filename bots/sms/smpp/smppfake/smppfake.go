// Package smppfake is a short message service centre for tests. It shares no
// code with the channel: its bytes are written by hand from the tables of SMPP
// 3.4. It keeps what users said until that is acknowledged, and has switches
// for the ways in which centres fail.
package smppfake

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Fault is what happens to the next submit_sm.
type Fault struct {
	// Status, if not 0, is the answer.
	Status uint32
	// Cut takes the message and closes the connection instead of answering;
	// Mute takes it and does not answer; Late answers that much later.
	Cut, Mute bool
	Late      time.Duration
}

// Shown is one message as a user saw it.
type Shown struct {
	From, To, Text string
	Parts          int
	IDs            []string
	// Coding and Headers are those of each part, Registered whether it asked
	// for a receipt.
	Coding     []byte
	Registered []byte
}

// act is something that the centre has to deliver.
type act struct {
	body  []byte
	seq   uint32 // of the delivery under way, 0 for none
	after time.Time
	acked bool
}

// Server is the centre. It is safe for use by many goroutines.
type Server struct {
	listener net.Listener

	mu        sync.Mutex
	cond      *sync.Cond
	password  string
	conns     map[*conn]bool
	acts      []*act
	last      *act
	faults    []Fault
	ids       int
	nextID    int
	shown     []Shown
	partial   map[string]*Shown
	texts     map[string][]string
	states    map[string]byte
	requests  int
	down      bool
	silent    bool
	closed    bool
	seq       uint32
	refusals  int
	bindError uint32
	early     bool
	wg        sync.WaitGroup
}

// New starts a centre on a free port of loopback.
func New(password string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &Server{
		listener: l, password: password, conns: map[*conn]bool{}, partial: map[string]*Shown{}, texts: map[string][]string{}, states: map[string]byte{},
	}
	s.cond = sync.NewCond(&s.mu)
	s.wg.Go(s.accept)
	s.wg.Go(s.pump)
	return s, nil
}

// Addr is host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Close ends the centre and its connections.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.cut()
	s.cond.Broadcast()
	s.mu.Unlock()
	_ = s.listener.Close()
	s.wg.Wait()
}

// cut closes every connection; the lock is held. What was not acknowledged is
// to be delivered again.
func (s *Server) cut() {
	for c := range s.conns {
		_ = c.net.Close()
		delete(s.conns, c)
	}
	for _, a := range s.acts {
		a.seq = 0
	}
}

// Cut breaks every connection.
func (s *Server) Cut() { s.with(s.cut) }

// Down refuses connections (true) or takes them again.
func (s *Server) Down(down bool) {
	s.with(func() {
		s.down = down
		if down {
			s.cut()
		}
	})
}

// Silence makes the centre say nothing more, on connections that stay open.
func (s *Server) Silence(silent bool) { s.with(func() { s.silent = silent }) }

// Fail adds a fault.
func (s *Server) Fail(f Fault) { s.with(func() { s.faults = append(s.faults, f) }) }

// RefuseBinds answers binds with a status; 0 lets them in.
func (s *Server) RefuseBinds(status uint32) { s.with(func() { s.bindError = status }) }

// EarlyReceipts reports a message delivered before its submit is answered.
func (s *Server) EarlyReceipts(early bool) { s.with(func() { s.early = early }) }

// SetState is what query_sm says of an id.
func (s *Server) SetState(id string, state byte) { s.with(func() { s.states[id] = state }) }

func (s *Server) with(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	s.cond.Broadcast()
}

// Requests is how many connections and submits reached for the centre.
func (s *Server) Requests() (n int) {
	s.with(func() { n = s.requests })
	return n
}

// Refusals is how many deliveries were not taken.
func (s *Server) Refusals() (n int) {
	s.with(func() { n = s.refusals })
	return n
}

// Waiting is how many deliveries are not acknowledged.
func (s *Server) Waiting() (n int) {
	s.with(func() {
		for _, a := range s.acts {
			if !a.acked {
				n++
			}
		}
	})
	return n
}

// Shown is what users saw, in order.
func (s *Server) Shown() (out []Shown) {
	s.with(func() { out = append(out, s.shown...) })
	return out
}

// Redeliver delivers what was acknowledged last once more.
func (s *Server) Redeliver() {
	s.with(func() {
		if s.last != nil {
			s.acts = append(s.acts, &act{body: s.last.body})
		}
	})
}

// conn is one connection.
type conn struct {
	net     net.Conn
	bound   bool
	writing sync.Mutex
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.requests++
		if s.down || s.closed {
			s.mu.Unlock()
			_ = c.Close()
			continue
		}
		one := &conn{net: c}
		s.conns[one] = true
		s.mu.Unlock()
		s.wg.Go(func() { s.serve(one) })
	}
}

func (s *Server) serve(c *conn) {
	defer c.net.Close()
	defer s.with(func() {
		if s.conns[c] {
			delete(s.conns, c)
			for _, a := range s.acts {
				a.seq = 0
			}
		}
	})
	in := bufio.NewReader(c.net)
	for {
		head := make([]byte, 16)
		if _, err := io.ReadFull(in, head); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head)
		if size < 16 || size > 1<<17 {
			return
		}
		body := make([]byte, size-16)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		id, status, seq := binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:]), binary.BigEndian.Uint32(head[12:])
		var silent bool
		s.with(func() { silent = s.silent })
		if silent {
			continue
		}
		if !s.command(c, id, status, seq, body) {
			return
		}
	}
}

// command does one PDU; false ends the connection.
func (s *Server) command(c *conn, id, status, seq uint32, body []byte) bool {
	switch id {
	case 0x00000009, 0x00000002: // bind_transceiver, bind_transmitter
		return s.bind(c, id, seq, body)
	case 0x00000004: // submit_sm
		return s.submit(c, seq, body)
	case 0x00000003: // query_sm
		name, _ := cstring(body)
		var state byte
		s.with(func() { state = s.states[name] })
		if state == 0 {
			return c.write(0x80000003, 0x67, seq, nil)
		}
		return c.write(0x80000003, 0, seq, append(append([]byte(name), 0, 0), state, 0))
	case 0x00000015: // enquire_link
		return c.write(0x80000015, 0, seq, nil)
	case 0x00000006: // unbind
		c.write(0x80000006, 0, seq, nil)
		return false
	case 0x80000005: // deliver_sm_resp
		s.with(func() { s.delivered(seq, status) })
		return true
	}
	return id >= 0x80000000 || c.write(0x80000000, 3, seq, nil)
}

func (s *Server) bind(c *conn, id, seq uint32, body []byte) bool {
	_, rest := cstring(body)
	password, _ := cstring(rest)
	var status uint32
	s.with(func() { status = s.bindError })
	if password != s.password {
		status = 0x0E
	}
	if status != 0 {
		c.write(id|0x80000000, status, seq, []byte{0})
		return false
	}
	if !c.write(id|0x80000000, 0, seq, []byte("fake\x00")) {
		return false
	}
	s.with(func() { c.bound = id == 0x00000009 })
	return true
}

// delivered notes an answer to a delivery; the lock is held.
func (s *Server) delivered(seq, status uint32) {
	for _, a := range s.acts {
		if a.seq != seq {
			continue
		}
		a.seq = 0
		if status == 0 {
			a.acked, s.last = true, a
		} else if status == 0x66 { // rejected for good
			a.acked = true
			s.refusals++
		} else {
			s.refusals++
			a.after = time.Now().Add(5 * time.Millisecond)
			time.AfterFunc(6*time.Millisecond, func() { s.with(func() {}) })
		}
		return
	}
}

// pump delivers what waits, in order, over any bound connection.
func (s *Server) pump() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed {
		c := s.receiver()
		if c == nil || s.silent {
			s.cond.Wait()
			continue
		}
		sent := false
		now := time.Now()
		for _, a := range s.acts {
			if a.acked || a.seq != 0 || a.after.After(now) {
				continue
			}
			s.seq++
			a.seq = s.seq
			sent = true
			if !c.write(0x00000005, 0, a.seq, a.body) {
				break
			}
		}
		if !sent {
			s.cond.Wait()
		}
	}
}

func (s *Server) receiver() *conn {
	for c := range s.conns {
		if c.bound {
			return c
		}
	}
	return nil
}

func (c *conn) write(id, status, seq uint32, body []byte) bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	out := make([]byte, 16, 16+len(body))
	binary.BigEndian.PutUint32(out, uint32(16+len(body)))
	binary.BigEndian.PutUint32(out[4:], id)
	binary.BigEndian.PutUint32(out[8:], status)
	binary.BigEndian.PutUint32(out[12:], seq)
	_, err := c.net.Write(append(out, body...))
	return err == nil
}

func cstring(b []byte) (string, []byte) {
	for i, c := range b {
		if c == 0 {
			return string(b[:i]), b[i+1:]
		}
	}
	return string(b), nil
}
