package gateway

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"shaoying/bots"
)

// pace keeps one channel account inside its network's limits. It lives in the
// owner of the account; after a change of owner a few messages may come early,
// which the network answers with ClassThrottled. A pause that the network asked
// for lies in the database and binds the next owner too.
type pace struct {
	mu     sync.Mutex
	now    func() time.Time
	limits bots.Rate
	all    *rate.Limiter
	chats  map[bots.ChatID]*chatPace
	until  time.Time
}

type chatPace struct{ second, minute *rate.Limiter }

// maxPacedChats is when the memory of quiet chats is dropped.
const maxPacedChats = 10_000

func newPace(r bots.Rate, now func() time.Time) *pace {
	return &pace{now: now, limits: r, all: limiter(r.PerSecond, time.Second), chats: map[bots.ChatID]*chatPace{}}
}

func limiter(n float64, per time.Duration) *rate.Limiter {
	if n <= 0 {
		return rate.NewLimiter(rate.Inf, 1)
	}
	return rate.NewLimiter(rate.Limit(n/per.Seconds()), max(int(n), 1))
}

// wait returns how long the next message to chat must wait, 0 when it may go.
// Nobody sleeps under a claim: a row that must wait is given back. A group has
// a limit of its own beside that of every chat.
func (p *pace) wait(chat bots.ChatID, group bool) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if now.Before(p.until) {
		return p.until.Sub(now)
	}
	need := []*rate.Limiter{p.all}
	if p.limits.PerChatPerSecond > 0 || p.limits.PerGroupPerMinute > 0 {
		if len(p.chats) > maxPacedChats {
			clear(p.chats)
		}
		c := p.chats[chat]
		if c == nil {
			c = &chatPace{limiter(p.limits.PerChatPerSecond, time.Second), limiter(p.limits.PerGroupPerMinute, time.Minute)}
			p.chats[chat] = c
		}
		need = append(need, c.second)
		if group {
			need = append(need, c.minute)
		}
	}
	var taken []*rate.Reservation
	var longest time.Duration
	for _, l := range need {
		r := l.ReserveN(now, 1)
		taken = append(taken, r)
		longest = max(longest, r.DelayFrom(now))
	}
	if longest > 0 {
		for _, r := range taken {
			r.CancelAt(now)
		}
	}
	return longest
}

// pause holds the whole account for d: the network said so. It never shortens
// a pause that is on.
func (p *pace) pause(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := p.now().Add(d); until.After(p.until) {
		p.until = until
	}
}
