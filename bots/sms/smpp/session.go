package smpp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"shaoying/bots/sms/smpp/pdu"
	"shaoying/internal/clock"
)

var (
	// errUnsent: the request surely did not reach the centre whole.
	errUnsent = errors.New("not sent")
	// errUnanswered: the request was written, and nothing was heard of it.
	errUnanswered = errors.New("no answer from the centre")
)

// session is one bound connection. Requests may come from many goroutines; one
// goroutine reads, hands responses to who waits for them and requests to
// handle, and is never kept waiting by either.
type session struct {
	conn   net.Conn
	clock  *clock.Clock
	answer time.Duration // how long the centre has for any answer
	silent time.Duration // how long it may say nothing at all
	began  time.Time
	nonce  string
	// handle takes a request of the centre; it must not wait.
	handle func(*session, pdu.PDU)

	window chan struct{}
	ended  chan struct{} // closed when the connection is given up
	quiet  chan struct{} // closed when the reader has gone

	writing sync.Mutex
	buf     []byte

	mu      sync.Mutex
	next    uint32
	pending map[uint32]*request
	why     error           // of the end
	taken   map[string]bool // contents that the centre knows we took, while they may be doubtful
}

// request is one that was, or is about to be, written.
type request struct {
	answered chan pdu.PDU
	// late, once set, takes an answer that nobody waits for any more.
	late func(pdu.PDU)
}

// close gives the connection up; the first reason stays.
func (s *session) close(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return
	}
	s.why = why
	close(s.ended)
	_ = s.conn.Close() // nothing more is said on it
}

// over reports whether the connection was given up.
func (s *session) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// end waits until the session has ended with its reader, and says why.
func (s *session) end() error {
	<-s.ended
	<-s.quiet
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.why
}

// read takes PDUs off the connection until it ends, and closes the session.
func (s *session) read() {
	defer close(s.quiet)
	in := bufio.NewReaderSize(s.conn, 16<<10)
	for {
		if err := s.conn.SetReadDeadline(s.clock.Wall().Add(s.silent)); err != nil {
			s.close(err)
			return
		}
		p, err := pdu.Read(in)
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errors.New("the centre closed the connection")
			}
			s.close(err)
			return
		}
		switch {
		case p.Command.IsResponse():
			s.settle(p)
		case p.Command == pdu.EnquireLink:
			s.reply(p, pdu.OK, nil)
		case p.Command == pdu.Unbind:
			s.reply(p, pdu.OK, nil)
			s.close(errors.New("the centre unbound us"))
			return
		default:
			s.handle(s, p)
		}
	}
}

// settle hands a response to its request. One that belongs to none is dropped:
// its sequence number is all that it says.
func (s *session) settle(p pdu.PDU) {
	s.mu.Lock()
	r := s.pending[p.Sequence]
	delete(s.pending, p.Sequence)
	var late func(pdu.PDU)
	if r != nil {
		if late = r.late; late == nil {
			r.answered <- p
		}
	}
	s.mu.Unlock()
	if late != nil {
		late(p)
	}
}

// reply answers a request of the centre. The error says that it surely was not
// heard.
func (s *session) reply(to pdu.PDU, status pdu.Status, body []byte) error {
	return s.write(pdu.PDU{Command: to.Command.Response(), Status: status, Sequence: to.Sequence, Body: body})
}

// write puts one PDU on the connection. After an error part of it may be
// written, so that nothing more can be: the session ends, and the centre never
// saw that PDU whole.
func (s *session) write(p pdu.PDU) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.conn.SetWriteDeadline(s.clock.Wall().Add(s.answer)); err != nil {
		s.close(err)
		return err
	}
	s.buf = p.Append(s.buf[:0])
	if _, err := s.conn.Write(s.buf); err != nil {
		s.close(fmt.Errorf("write: %w", err))
		return err
	}
	return nil
}

// ask sends a request when the window has room and waits for its answer. The
// request is recorded before it is written: a fast answer finds it. The error
// wraps errUnsent or errUnanswered; after the latter late, where it is given, is
// called if the answer comes after all.
func (s *session) ask(ctx context.Context, c pdu.Command, body []byte, late func(pdu.PDU)) (pdu.PDU, error) {
	select {
	case s.window <- struct{}{}:
	case <-s.ended:
		return pdu.PDU{}, fmt.Errorf("%w: the connection ended", errUnsent)
	case <-ctx.Done():
		return pdu.PDU{}, fmt.Errorf("%w: %w while waiting for the window", errUnsent, ctx.Err())
	}
	defer func() { <-s.window }()
	return s.exchange(ctx, c, body, late)
}

// exchange is ask without the window, for what must get through a full one.
func (s *session) exchange(ctx context.Context, c pdu.Command, body []byte, late func(pdu.PDU)) (pdu.PDU, error) {
	r := &request{answered: make(chan pdu.PDU, 1)}
	s.mu.Lock()
	s.next = s.next%0x7FFFFFFF + 1 // 5.1.4
	seq := s.next
	s.pending[seq] = r
	s.mu.Unlock()
	if err := s.write(pdu.PDU{Command: c, Sequence: seq, Body: body}); err != nil {
		s.forget(seq)
		return pdu.PDU{}, fmt.Errorf("%w: %w", errUnsent, err)
	}
	limit := time.NewTimer(s.answer)
	defer limit.Stop()
	var why error
	select {
	case p := <-r.answered:
		return p, nil
	case <-s.ended:
		why = errors.New("the connection ended")
	case <-ctx.Done():
		why = ctx.Err()
	case <-limit.C:
		why = fmt.Errorf("nothing within %s", s.answer)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case p := <-r.answered: // it came in this moment
		return p, nil
	default:
	}
	r.late = func(pdu.PDU) {}
	if late != nil {
		r.late = late
	}
	return pdu.PDU{}, fmt.Errorf("%w: %w", errUnanswered, why)
}

func (s *session) forget(seq uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.pending, seq)
}

// watch asks every so often whether the centre is there, and ends the session
// when it is not.
func (s *session) watch(every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-s.ended:
			return
		case <-tick.C:
			if _, err := s.exchange(context.Background(), pdu.EnquireLink, nil, nil); err != nil {
				s.close(fmt.Errorf("enquire_link: %w", err))
				return
			}
		}
	}
}

// bye says unbind and gives the connection up; requests under way get until
// ctx ends.
func (s *session) bye(ctx context.Context) {
	for range cap(s.window) { // whoever holds a place gives it back when it is answered
		select {
		case s.window <- struct{}{}:
			continue
		case <-s.ended:
		case <-ctx.Done():
		}
		break
	}
	_, err := s.exchange(ctx, pdu.Unbind, nil, nil)
	if err != nil {
		err = fmt.Errorf("unbind: %w", err)
	} else {
		err = errors.New("we unbound")
	}
	s.close(err)
}
