package officialaccount

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/internal/clock"
)

// A reply that goes as the answer to a push counts in no quota, so the first one
// is worth a moment of waiting.
//
// A push takes a seat before the sink is called: the sender may be faster than the
// handler. Send, which runs in the process of the owner alone, gives plain words
// to the push of that chat that has waited longest. Taking a seat away, by words
// or by the end of the wait, is one step under one lock: either the push has the
// words and writes them, or Send sends them as a customer message. Of two pushes
// of one person the first gets the first reply. A first reply that is no plain words
// ends the wait of its push: what follows it goes the same way, behind it.
//
// Send hears that the words were written, that surely nothing was (the push broke
// off, or the sink did not take it), or that nobody can know. A push that WeChat
// repeats though it was answered, for it did not hear us, gets the same words
// again.

// answers hands words of Send to pushes that wait for them. It is safe for use by
// many goroutines.
type answers struct {
	clock *clock.Clock
	keep  time.Duration // how long an answer is remembered

	mu    sync.Mutex
	owned bool
	seats map[bots.ChatID][]*seat // in the order of their arrival
	said  []said                  // in the order of time
}

// seat is a push that may take words along.
type seat struct {
	chat bots.ChatID
	// words gets its one value under the lock, when the seat is taken out of the
	// list.
	words chan words
}

type words struct {
	text string
	// done is told what came of it, once: nil, or why it was not written; nobody
	// asks where it is nil.
	done chan error
}

func (w words) end(err error) {
	if w.done != nil {
		w.done <- err
	}
}

// said is what a push was answered.
type said struct {
	key, text string
	until     time.Time
}

// maxSaid bounds the memory of answers.
const maxSaid = 4096

// errNotWritten: surely nobody saw the words.
var errNotWritten = errors.New("the push was not answered")

func newAnswers(clk *clock.Clock, keep time.Duration) *answers {
	return &answers{clock: clk, keep: keep, seats: map[bots.ChatID][]*seat{}}
}

// open says whether this process sends. Nobody waits where nothing can come.
func (a *answers) open(open bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owned = open
}

// sit takes a seat for a push of a chat, nil where there is nothing to wait for.
// Who sits must leave.
func (a *answers) sit(chat bots.ChatID) *seat {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.owned {
		return nil
	}
	s := &seat{chat: chat, words: make(chan words, 1)}
	a.seats[chat] = append(a.seats[chat], s)
	return s
}

// leave gives a seat up, and returns what was given to it.
func (a *answers) leave(s *seat) (w words, given bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.seats[s.chat], s); i >= 0 {
		a.drop(s.chat, i)
	}
	select {
	case w = <-s.words:
		return w, true
	default:
		return words{}, false
	}
}

// drop takes a seat out of the list; the lock is held.
func (a *answers) drop(chat bots.ChatID, i int) {
	if a.seats[chat] = slices.Delete(a.seats[chat], i, i+1); len(a.seats[chat]) == 0 {
		delete(a.seats, chat)
	}
}

// wait waits at most limit for words, and leaves.
func (a *answers) wait(ctx context.Context, s *seat, limit time.Duration) (w words, given bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case w := <-s.words: // the seat is out of the list
		return w, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return a.leave(s)
}

// give gives words to the push of a chat that has waited longest, and waits until
// they were written. Nothing was given where it returns errNotWritten.
func (a *answers) give(ctx context.Context, chat bots.ChatID, text string) error {
	w := words{text: text, done: make(chan error, 1)}
	if !a.hand(chat, w) {
		return errNotWritten
	}
	select {
	case err := <-w.done:
		return err
	case <-ctx.Done():
		return &bots.Error{Class: bots.ClassUnknown, Err: errors.New("the answer to a push was not finished in time")}
	}
}

// dismiss ends the wait of the push of a chat that has waited longest.
func (a *answers) dismiss(chat bots.ChatID) { a.hand(chat, words{}) }

// hand gives words to the push of a chat that has waited longest, and reports
// whether there was one.
func (a *answers) hand(chat bots.ChatID, w words) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seats[chat]) == 0 {
		return false
	}
	s := a.seats[chat][0]
	a.drop(chat, 0)
	s.words <- w
	return true
}

// remember keeps what a push was answered.
func (a *answers) remember(key, text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Wall()
	old := 0
	for old < len(a.said) && (now.After(a.said[old].until) || len(a.said)-old >= maxSaid) {
		old++
	}
	a.said = append(slices.Delete(a.said, 0, old), said{key, text, now.Add(a.keep)})
}

// again is what a push was answered when it came before.
func (a *answers) again(key string) (text string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.clock.Wall()
	for _, s := range slices.Backward(a.said) {
		if s.key == key && !now.After(s.until) {
			return s.text, true
		}
	}
	return "", false
}
