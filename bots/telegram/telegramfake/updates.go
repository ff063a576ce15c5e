package telegramfake

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// update is one thing that happened, until the bot confirmed it.
type update struct {
	id      int64
	chat    int64
	kind    string // message, callback_query, …
	body    object
	busy    bool // a webhook request is under way
	fails   int
	notYet  time.Time
	repeats bool // a second delivery of something that was confirmed
}

func (u *update) whole() object { return object{"update_id": u.id, u.kind: u.body} }

// publish queues an update; the lock is held.
func (s *Server) publish(chat int64, kind string, body object) {
	s.updates = append(s.updates, &update{id: s.nextID, chat: chat, kind: kind, body: body})
	s.nextID++
	s.wake()
}

// confirmed notes that the bot took an update, and delivers it once more when
// chance says so; the lock is held.
func (s *Server) confirmed(u *update) {
	s.last = u
	if !u.repeats && s.again > 0 && s.rand.Float64() < s.again {
		s.redeliver(u)
	}
}

// redeliver queues what was confirmed under a new update id, as after a week
// of silence; a webhook gets the old id, as after an answer that was lost.
func (s *Server) redeliver(u *update) {
	again := &update{id: u.id, chat: u.chat, kind: u.kind, body: u.body, repeats: true}
	if s.webhook.url == "" {
		again.id = s.nextID
		s.nextID++
	}
	s.updates = append(s.updates, again)
	s.repeated++
	s.wake()
}

// Redelivered is how many updates were delivered once more after they had been
// confirmed.
func (s *Server) Redelivered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repeated
}

// Redeliver delivers the update that was confirmed last once more, and reports
// whether there is one.
func (s *Server) Redeliver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		return false
	}
	s.redeliver(s.last)
	return true
}

// RedeliverShare makes a share of all updates come twice.
func (s *Server) RedeliverShare(share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = share
}

// Waiting is how many updates the bot has not confirmed.
func (s *Server) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates)
}

// getUpdates waits for updates from offset on. What lies before it is
// confirmed and forgotten.
func (s *Server) getUpdates(r *http.Request, p params) reply {
	var allowed []string
	if err := p.into("allowed_updates", &allowed); err != nil {
		return bad(err.Error())
	}
	limit := int(p.number("limit"))
	if limit < 1 || limit > 100 {
		limit = 100
	}
	s.mu.Lock()
	if s.webhook.url != "" {
		s.mu.Unlock()
		return failure(http.StatusConflict, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first")
	}
	if s.poll != nil {
		close(s.poll) // the older of two polls is the one that is cut off
	}
	mine := make(chan struct{})
	s.poll = mine
	s.confirmBefore(p.number("offset"))
	s.mu.Unlock()

	timeout := time.NewTimer(time.Duration(min(p.number("timeout"), 50)) * time.Second)
	defer timeout.Stop()
	for {
		s.mu.Lock()
		batch := s.batch(limit, allowed)
		changed, current := s.changed, s.poll == mine
		if len(batch) > 0 && current {
			s.poll = nil
			s.mu.Unlock()
			return success(batch)
		}
		s.mu.Unlock()
		if !current {
			return failure(http.StatusConflict, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")
		}
		select {
		case <-changed:
			continue
		case <-mine:
			continue
		case <-timeout.C:
		case <-r.Context().Done():
		case <-s.quit:
		}
		s.mu.Lock()
		if s.poll == mine {
			s.poll = nil
		}
		s.mu.Unlock()
		return success([]object{})
	}
}

// confirmBefore forgets every update below offset; the lock is held.
func (s *Server) confirmBefore(offset int64) {
	if offset < 0 && -offset < int64(len(s.updates)) {
		offset = s.updates[int64(len(s.updates))+offset].id
	}
	var done []*update
	s.updates = slices.DeleteFunc(s.updates, func(u *update) bool {
		if u.id < offset {
			done = append(done, u)
		}
		return u.id < offset
	})
	for _, u := range done {
		s.confirmed(u)
	}
	if len(done) > 0 {
		s.wake()
	}
}

// batch is what a poll is answered with; what the bot did not ask for is
// thrown away, as Telegram does not store it. The lock is held.
func (s *Server) batch(limit int, allowed []string) []object {
	if len(allowed) > 0 {
		s.updates = slices.DeleteFunc(s.updates, func(u *update) bool { return !slices.Contains(allowed, u.kind) })
	}
	var out []object
	for _, u := range s.updates[:min(limit, len(s.updates))] {
		out = append(out, maps.Clone(u.whole()))
	}
	return out
}
