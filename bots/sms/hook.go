package sms

import (
	"crypto/sha256"
	"crypto/subtle"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"shaoying/bots"
	"shaoying/bots/wire"
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
			wire.Refused(w, http.StatusUnauthorized)
		case !l.MayCall(r.RemoteAddr):
			wire.Refused(w, http.StatusForbidden)
		case !ok:
			wire.Refused(w, http.StatusNotFound)
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
		wire.Refused(w, http.StatusMethodNotAllowed)
		return
	}
	body, ok := wire.Body(w, r, l.Limits.MaxBody)
	if !ok {
		return
	}
	events, err := push.Decode(r, body)
	if err != nil {
		name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/") // behind it stands the token
		l.Log.Error("a push cannot be read and was refused", "route", name, "error", err)
		wire.Refused(w, http.StatusBadRequest)
		return
	}
	if err := l.Lanes.Deliver(r.Context(), sink, events); err != nil {
		l.Log.Warn("a push was not taken and will come again", "error", err)
		wire.Refused(w, http.StatusServiceUnavailable)
		return
	}
	if push.Type != "" {
		w.Header().Set("Content-Type", push.Type)
	}
	_, _ = io.WriteString(w, push.Answer) // the carrier sends it again if it did not hear us
}
