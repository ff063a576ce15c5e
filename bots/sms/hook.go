package sms

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"shaoying/bots"
)

// Push is one way in which a carrier calls us.
type Push struct {
	Method string
	// Decode reads a request of at most Limits.MaxBody bytes. What cannot be
	// read of it is an error, which the carrier is told; what nobody can answer
	// is left out.
	Decode func(r *http.Request, body []byte) ([]bots.Event, error)
	// Type and Answer are what the carrier wants to hear once all was taken.
	Type, Answer string
}

// Hook serves pushes at /{name}/{token}, for carriers that sign nothing: the
// token ends the path that only the carrier was told.
func (l *Line) Hook(sink bots.Sink, pushes map[string]Push) http.Handler {
	want := sha256.Sum256([]byte(l.CallbackToken.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, token, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		got := sha256.Sum256([]byte(token)) // hashes have one length, so comparing them takes one time
		push, ok := pushes[name]
		switch {
		case subtle.ConstantTimeCompare(got[:], want[:]) != 1:
			refused(w, http.StatusUnauthorized)
		case !l.MayCall(r.RemoteAddr):
			refused(w, http.StatusForbidden)
		case !ok:
			refused(w, http.StatusNotFound)
		default:
			l.Serve(w, r, sink, push)
		}
	})
}

// MayCall reports whether pushes may come from an address (Account.CallbackFrom).
func (l *Line) MayCall(remote string) bool {
	if len(l.CallbackFrom) == 0 {
		return true
	}
	addr, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(l.CallbackFrom, func(p netip.Prefix) bool { return p.Contains(addr.Addr().Unmap()) })
}

// Serve takes one push of a carrier that has proven who it is.
func (l *Line) Serve(w http.ResponseWriter, r *http.Request, sink bots.Sink, push Push) {
	if r.Method != push.Method {
		w.Header().Set("Allow", push.Method)
		refused(w, http.StatusMethodNotAllowed)
		return
	}
	body, ok := l.Body(w, r)
	if !ok {
		return
	}
	events, err := push.Decode(r, body)
	if err != nil {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // behind it stands the token
		l.Log.Error("a push cannot be read and was refused", "route", name, "error", err)
		refused(w, http.StatusBadRequest)
		return
	}
	if err := l.Deliver(r.Context(), sink, events); err != nil {
		l.Log.Warn("a push was not taken and will come again", "error", err)
		refused(w, http.StatusServiceUnavailable)
		return
	}
	if push.Type != "" {
		w.Header().Set("Content-Type", push.Type)
	}
	_, _ = io.WriteString(w, push.Answer) // the carrier sends it again if it did not hear us
}

// Body reads a push, or answers why it was not read.
func (l *Line) Body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, l.Limits.MaxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		refused(w, http.StatusRequestEntityTooLarge)
		return nil, false
	}
	if err != nil {
		refused(w, http.StatusBadRequest)
		return nil, false
	}
	return body, true
}

// Deliver hands events to the sink, after those of the same chats that came
// before, and makes an error of a panic there.
func (l *Line) Deliver(ctx context.Context, sink bots.Sink, events []bots.Event) (err error) {
	if len(events) == 0 {
		return nil
	}
	leave, err := l.lanes.enter(ctx, events)
	if err != nil {
		return err
	}
	defer leave()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the sink panicked: %T", p) // the value may hold what was said
		}
	}()
	return sink(ctx, events)
}

func refused(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) }

// lanes let one push of a chat at a time through to the sink: carriers push what
// one person wrote in quick succession at once. Who waits is let in in order.
type lanes struct {
	mu    sync.Mutex
	taken map[bots.ChatID]*lane
}

type lane struct {
	turn chan struct{} // holds one token while the lane is free
	used int           // by whom it is held or waited for
}

// enter waits for the lanes of the chats of some events, in one order for
// everybody, and returns what leaves them.
func (l *lanes) enter(ctx context.Context, events []bots.Event) (leave func(), err error) {
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

func (l *lanes) join(chat bots.ChatID) <-chan struct{} {
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

func (l *lanes) release(chat bots.ChatID, held bool) {
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
