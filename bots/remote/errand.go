package remote

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"sync"

	"shaoying/internal/clock"
)

// errand is a job on its way: who asked waits for came.
type errand struct {
	job   job
	limit context.Context
	came  chan reply // holds one
	// taken holds when the life is over that took it; over is that, once known.
	taken chan (<-chan struct{})
	over  <-chan struct{}
	// forget takes it off the list: answers that come later are 410.
	forget func()
}

// reply is what the agent says to an errand: what it came to, or a file that
// comes while it is read.
type reply struct {
	result result
	file   *io.PipeReader
}

// errands are those that an agent may answer.
type errands struct {
	mu   sync.Mutex
	list map[string]*errand
}

func (s *errands) add(ctx context.Context, j job) *errand {
	j.Lease = rand.Text()
	e := &errand{job: j, limit: ctx, came: make(chan reply, 1), taken: make(chan (<-chan struct{}), 1), forget: func() { s.drop(j.Lease) }}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list[j.Lease] = e
	return e
}

// drop takes an errand off the list. A file that came and was not opened is closed:
// who sends it would wait for a reader for ever.
func (s *errands) drop(lease string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.list[lease]
	if e == nil {
		return
	}
	delete(s.list, lease)
	select {
	case r := <-e.came:
		if r.file != nil {
			r.file.CloseWithError(errors.New("nobody reads it"))
		}
	default:
	}
}

// answer gives a reply to who waits; false where nobody does, or not any more.
func (s *errands) answer(lease string, r reply) bool {
	s.mu.Lock()
	defer s.mu.Unlock() // to the end: who takes the errand off the list finds the reply
	e := s.list[lease]
	if e == nil || e.limit.Err() != nil {
		return false
	}
	select {
	case e.came <- r:
		return true
	default:
		return false // it was answered before
	}
}

// remains is how many milliseconds somebody still waits for it, at most most.
func (e *errand) remains(c *clock.Clock, most int64) int64 {
	if end, ok := e.limit.Deadline(); ok {
		return min(most, end.Sub(c.Wall()).Milliseconds())
	}
	return most
}
