package wecomfake

import "strings"

// Fault is what goes wrong with the next call that shows somebody something.
type Fault int

// The faults.
const (
	none      Fault = iota
	Busy            // -1
	Throttled       // 45009
	Gone            // 81013, or 84061 for a customer
	TooMany         // 95001
	TooLate         // 95002
	Lost            // it is done, and the answer is lost
)

type faults struct {
	failing Fault
	after   int // sends that go well before it
	foreign bool
	lostBy  int
}

// FailNext makes the next send fail.
func (s *Server) FailNext(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = f
}

// FailAt makes the nth send from now on fail.
func (s *Server) FailAt(n int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing, s.after = f, n-1
}

// Down cuts the network off, or back on.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Foreign makes the caller's address one that is not trusted (60020).
func (s *Server) Foreign(foreign bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.foreign = foreign
}

// Expire makes the access token invalid before its time.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens++
}

// LoseCallbacks makes the next n callbacks of Customer Service get lost.
func (s *Server) LoseCallbacks(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lostBy = n
}

// fault takes the fault that is set, if the path shows somebody something.
func (s *Server) fault(path string) Fault {
	if !strings.HasSuffix(path, "message/send") && !strings.Contains(path, "kf/send_msg") {
		return none
	}
	if s.failing != none && s.after > 0 {
		s.after--
		return none
	}
	f := s.failing
	s.failing = none
	return f
}

// refuses is the errcode of a fault in which nothing is done.
func (f Fault) refuses() (code int, says string, ok bool) {
	switch f {
	case Busy:
		return -1, "system busy", true
	case Throttled:
		return 45009, "reach max api daily quota limit", true
	case Gone:
		return 81013, "user & party & tag all invalid", true
	case TooMany:
		return 95001, "send msg count limit", true
	case TooLate:
		return 95002, "send msg time limit", true
	}
	return 0, "", false
}
