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

func newPace(caps bots.Caps, now func() time.Time) *pace {
	all := limiter(caps.Rate.PerSecond, time.Second)
	// A bucket of a whole second would let two seconds' worth go within one,
	// and a new owner of the account begins with a full one.
	all.SetBurst(byRate(caps.Rate))
	return &pace{now: now, limits: caps.Rate, all: all, chats: map[bots.ChatID]*chatPace{}}
}

// inFlight is how many chats of an account are sent to at once: what the network
// says, else what its pace needs.
func inFlight(caps bots.Caps) int {
	if caps.InFlight > 0 {
		return caps.InFlight
	}
	return byRate(caps.Rate)
}

// byRate is how many sends the pace of a network needs in the air. What is there
// when the process is killed is sent again by the next owner (R3), so it is no
// more than that: a quarter of a second's worth, which is as long as a send takes.
func byRate(r bots.Rate) int {
	if r.PerSecond <= 0 {
		return maxInFlight
	}
	return min(max(int(r.PerSecond/4), 4), maxInFlight)
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

// room is how many messages, at most most, the pace of the account lets go now
// and, where that is none, after how long one may. What is not claimed needs not
// be given back. A pause is no matter of room: what waits for it is claimed and
// put off, once, so that it can go to another address instead.
func (p *pace) room(most int) (n int, next time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.all.Limit() == rate.Inf || now.Before(p.until) {
		return most, 0
	}
	tokens := p.all.TokensAt(now)
	if tokens >= 1 {
		return min(most, int(tokens)), 0
	}
	// A moment more, for a token counts when it is whole.
	return 0, time.Duration((1-tokens)/float64(p.all.Limit())*float64(time.Second)) + time.Millisecond
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
