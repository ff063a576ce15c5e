package smpp

import (
	"slices"
	"sync"

	"shaoying/bots"
)

// maxTracked is how many messages are remembered for their receipts; about
// 15 MB. A receipt of an older one is reported by its own id alone.
const maxTracked = 50_000

// sent remembers messages until their receipts came: which ids the parts of one
// got, and which message a receipt means that is faster than the answer to its
// submit. It is lost with the process; a report then names the id that the
// centre named, which for the last part is the Receipt.ID.
type sent struct {
	mu   sync.Mutex
	byID map[string]*outgoing
	// open are those with a part whose answer is not here (yet).
	open map[bots.ChatID][]*outgoing
	// partly are those of which some parts were taken and then one was not,
	// by Message.Key: another try goes on where it stopped.
	partly map[string]*outgoing
	refs   map[bots.ChatID]byte
	age    []*outgoing
}

func newSent() *sent {
	return &sent{
		byID: map[string]*outgoing{}, open: map[bots.ChatID][]*outgoing{}, partly: map[string]*outgoing{}, refs: map[bots.ChatID]byte{},
	}
}

// outgoing is one message on its way.
type outgoing struct {
	chat   bots.ChatID
	key    string
	total  int
	ref    byte
	ids    []string // of the parts that were answered, in order
	states map[string]bots.ReportState
}

// begin starts a message, or takes up one whose earlier try stopped half way.
func (s *sent) begin(chat bots.ChatID, key string, total int) *outgoing {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.partly[key]
	delete(s.partly, key)
	if o == nil || o.chat != chat || o.total != total {
		o = &outgoing{chat: chat, key: key, total: total, states: map[string]bots.ReportState{}}
		if total > 1 {
			if len(s.refs) >= maxTracked {
				clear(s.refs)
			}
			s.refs[chat]++
			o.ref = s.refs[chat]
		}
		s.remember(o)
	}
	s.open[chat] = append(s.open[chat], o)
	return o
}

// remember drops the oldest where there are too many; the lock is held.
func (s *sent) remember(o *outgoing) {
	s.age = append(s.age, o)
	if len(s.age) > maxTracked {
		s.forget(s.age[0])
		s.age = s.age[1:]
	}
}

// forget takes a message out of every list but that of ages; the lock is held.
func (s *sent) forget(o *outgoing) {
	for id := range o.states {
		if s.byID[id] == o {
			delete(s.byID, id)
		}
	}
	s.shut(o)
	if s.partly[o.key] == o {
		delete(s.partly, o.key)
	}
}

// shut takes a message out of those that wait for an answer; the lock is held.
func (s *sent) shut(o *outgoing) {
	var rest []*outgoing
	for _, other := range s.open[o.chat] {
		if other != o {
			rest = append(rest, other)
		}
	}
	if len(rest) == 0 {
		delete(s.open, o.chat)
	} else {
		s.open[o.chat] = rest
	}
}

// answered notes the id of the next part and reports whether it was the last.
func (s *sent) answered(o *outgoing, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.ids = append(o.ids, id)
	if o.states[id] == "" {
		o.states[id] = bots.ReportBuffered
		s.byID[id] = o
	}
	if len(o.ids) < o.total {
		return false
	}
	s.shut(o)
	s.settled(o)
	return true
}

// stopped ends a try that failed. Where it may have reached the centre all the
// same, its receipt is still waited for.
func (s *sent) stopped(o *outgoing, certain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !certain:
	case len(o.ids) == 0:
		s.forget(o)
	default:
		s.shut(o)
		s.partly[o.key] = o
	}
}

// settled forgets a message when every part has come to its end, also one whose
// answers never came; the lock is held.
func (s *sent) settled(o *outgoing) {
	if len(o.states) < o.total {
		return
	}
	for _, state := range o.states {
		if state == bots.ReportBuffered {
			return
		}
	}
	s.forget(o)
}

// report says what a receipt of one part means for its message: delivered when
// all parts are, failed when one has. ok is false as long as it says nothing of
// the whole: while parts are missing that never had an answer or a receipt, a
// message whose outcome is unknown must not pass for sent.
//
// A receipt of an unknown id belongs to the only message to that number that has
// no answer, if there is one. Of a message of one part the gateway finds that
// better: it knows the receipts of earlier messages too. The report then names
// the id alone.
func (s *sent) report(chat bots.ChatID, id string, state bots.ReportState) (r bots.Report, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.byID[id]
	if o == nil && len(s.open[chat]) == 1 {
		o = s.open[chat][0]
		s.byID[id] = o
	}
	if o == nil {
		return bots.Report{ID: id, State: state}, true
	}
	if old := o.states[id]; old == "" || old == bots.ReportBuffered {
		o.states[id] = state
	}
	defer s.settled(o)
	if o.total == 1 && !slices.Contains(o.ids, id) {
		return bots.Report{ID: id, State: state}, true
	}
	r = bots.Report{ID: id, Key: o.key, State: o.state()}
	if len(o.ids) == o.total {
		r.ID = o.ids[o.total-1]
	}
	return r, r.State == bots.ReportFailed || len(o.states) >= o.total
}

// state is what became of a message as a whole.
func (o *outgoing) state() bots.ReportState {
	delivered := 0
	for _, state := range o.states {
		switch state {
		case bots.ReportFailed:
			return bots.ReportFailed
		case bots.ReportDelivered:
			delivered++
		}
	}
	if delivered == o.total {
		return bots.ReportDelivered
	}
	return bots.ReportBuffered
}
