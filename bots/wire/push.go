package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"shaoying/bots"
)

// Body reads what a network posted, at most most bytes, or answers why it was
// not read.
func Body(w http.ResponseWriter, r *http.Request, most int64) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		Refused(w, http.StatusRequestEntityTooLarge)
		return nil, false
	}
	if err != nil {
		Refused(w, http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// Refused answers with a status and its words.
func Refused(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

// Hand hands events to the sink and makes an error of a panic there.
func Hand(ctx context.Context, sink bots.Sink, events []bots.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the sink panicked: %T", p) // the value may hold what was said
		}
	}()
	return sink(ctx, events)
}

// Lanes let one push of a chat at a time through to the sink: networks push what
// one person wrote in quick succession at once. Who waits is let in in order. The
// zero value is ready.
type Lanes struct {
	mu    sync.Mutex
	taken map[bots.ChatID]*lane
}

type lane struct {
	turn chan struct{} // holds one token while the lane is free
	used int           // by whom it is held or waited for
}

// Deliver hands events to the sink, after those of the same chats that came
// before.
func (l *Lanes) Deliver(ctx context.Context, sink bots.Sink, events []bots.Event) error {
	if len(events) == 0 {
		return nil
	}
	leave, err := l.enter(ctx, events)
	if err != nil {
		return err
	}
	defer leave()
	return Hand(ctx, sink, events)
}

// enter waits for the lanes of the chats of some events, in one order for
// everybody, and returns what leaves them.
func (l *Lanes) enter(ctx context.Context, events []bots.Event) (leave func(), err error) {
	var chats []bots.ChatID
	for _, ev := range events {
		chats = append(chats, ev.Chat)
	}
	slices.Sort(chats)
	chats = slices.Compact(chats)
	var held []bots.ChatID
	leave = func() {
		for _, chat := range held {
			l.release(chat, true)
		}
	}
	for _, chat := range chats {
		select {
		case <-l.join(chat):
			held = append(held, chat)
		case <-ctx.Done():
			l.release(chat, false)
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}

func (l *Lanes) join(chat bots.ChatID) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.taken == nil {
		l.taken = map[bots.ChatID]*lane{}
	}
	one := l.taken[chat]
	if one == nil {
		one = &lane{turn: make(chan struct{}, 1)}
		one.turn <- struct{}{}
		l.taken[chat] = one
	}
	one.used++
	return one.turn
}

func (l *Lanes) release(chat bots.ChatID, held bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.taken[chat]
	if held {
		one.turn <- struct{}{}
	}
	if one.used--; one.used == 0 {
		delete(l.taken, chat)
	}
}
