package telegramfake

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"
)

// FaultKind is one way in which a call can go wrong.
type FaultKind string

// The faults. All but DropAfter and Slow leave the call undone.
const (
	TooMany      FaultKind = "429"          // retry_after seconds
	Blocked      FaultKind = "blocked"      // 403: the user blocked the bot
	Kicked       FaultKind = "kicked"       // 403: thrown out of the group
	Muted        FaultKind = "muted"        // 400: no right to write in the group
	Migrated     FaultKind = "migrated"     // 400 with migrate_to_chat_id
	Unauthorized FaultKind = "unauthorized" // 401: the token was revoked
	Conflict     FaultKind = "conflict"     // 409: another program polls
	BadGateway   FaultKind = "502"          // HTML of a proxy
	Internal     FaultKind = "500"          // Telegram's own, as JSON
	Slow         FaultKind = "slow"         // answered after Delay
	DropBefore   FaultKind = "drop before"  // cut before the call is accepted
	DropAfter    FaultKind = "drop after"   // accepted, and cut without an answer
)

// Fault is one fault with its numbers.
type Fault struct {
	Kind FaultKind
	// RetryAfter in seconds (TooMany).
	RetryAfter int
	// Delay of the answer (Slow).
	Delay time.Duration
	// NewChat is where the group went (Migrated).
	NewChat int64
	// Chat, where it is set, is the only chat that the fault is for.
	Chat int64
}

type chance struct {
	method string
	share  float64
	fault  Fault
}

// first makes the first try of every nth message go wrong.
type first struct {
	method string
	every  int
	fault  Fault
	met    map[string]bool
}

// Fail makes the next calls of method go wrong, one fault for each call.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.planned[method] = append(s.planned[method], faults...)
}

// Chance makes a share of all calls of method go wrong; the empty method is
// every one. Several chances are drawn one after the other.
func (s *Server) Chance(method string, share float64, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chances = append(s.chances, chance{method, share, f})
}

// FailFirst makes the first try of every nth different call of method go wrong;
// trying the same again succeeds. Unlike a chance it hits no message twice.
func (s *Server) FailFirst(method string, every int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.firsts = append(s.firsts, &first{method, every, f, map[string]bool{}})
}

// hits reports whether this is the first try of a message whose turn it is.
func (f *first) hits(method string, p params) bool {
	call := fmt.Sprint(p.values) // maps are printed in the order of their keys
	if f.method != method || f.met[call] {
		return false
	}
	f.met[call] = true
	return len(f.met)%f.every == 0
}

// Calm takes back every fault that has not happened yet, and the dead network.
func (s *Server) Calm() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.planned)
	s.chances, s.firsts, s.again, s.down = nil, nil, 0, false
	s.wake()
}

// Faults is how many calls went wrong on purpose so far.
func (s *Server) Faults() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.injected
}

// fault draws what goes wrong with a call of method, nil for nothing.
func (s *Server) fault(method string, p params) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, next := range s.planned[method] {
		if next.Chat == 0 || next.Chat == p.number("chat_id") {
			s.planned[method] = slices.Delete(slices.Clone(s.planned[method]), i, i+1)
			s.injected++
			s.wake()
			return &next
		}
	}
	for _, f := range s.firsts {
		if f.hits(method, p) {
			s.injected++
			return &f.fault
		}
	}
	for _, c := range s.chances {
		if (c.method == "" || c.method == method) && s.rand.Float64() < c.share {
			s.injected++
			return &c.fault
		}
	}
	return nil
}

// early does what a fault does before the call, and reports whether that was
// the answer.
func (f *Fault) early(w http.ResponseWriter, r *http.Request, quit <-chan struct{}) bool {
	switch f.Kind {
	case DropAfter:
		return false
	case Slow:
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
		case <-quit:
		}
		return false
	case DropBefore:
		panic(http.ErrAbortHandler)
	}
	if f.Kind == BadGateway {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center>"+
			"<!-- "+r.URL.Path+" --></body></html>") // proxies like to repeat the request
		return true
	}
	answer(w, f.reply())
	return true
}

func (f *Fault) reply() reply {
	switch f.Kind {
	case TooMany:
		out := failure(http.StatusTooManyRequests, "Too Many Requests: retry after")
		return out.with("retry_after", max(f.RetryAfter, 1))
	case Blocked:
		return failure(http.StatusForbidden, "Forbidden: bot was blocked by the user")
	case Kicked:
		return failure(http.StatusForbidden, "Forbidden: bot was kicked from the group chat")
	case Muted:
		return bad("not enough rights to send text messages to the chat")
	case Migrated:
		return bad("group chat was upgraded to a supergroup chat").with("migrate_to_chat_id", f.NewChat)
	case Unauthorized:
		return failure(http.StatusUnauthorized, "Unauthorized")
	case Conflict:
		return failure(http.StatusConflict, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
	}
	return failure(http.StatusInternalServerError, "Internal Server Error")
}
