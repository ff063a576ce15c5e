package remote

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// handler serves the agent of one life.
func (l *life) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathEvents, l.events)
	mux.HandleFunc("GET "+pathJobs, l.nextJob)
	mux.HandleFunc("POST "+pathResult, l.result)
	mux.HandleFunc("PUT "+pathFile, l.file)
	mux.HandleFunc("GET "+pathState, l.loadState)
	mux.HandleFunc("PUT "+pathState, l.saveState)
	mux.HandleFunc("PUT "+pathStanding, l.standing)
	// Hashes have one length, so comparing them takes one time.
	want := sha256.Sum256([]byte(bearer + l.token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := sha256.Sum256([]byte(r.Header.Get("Authorization")))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", strings.TrimSpace(bearer))
			wire.Refused(w, http.StatusUnauthorized)
			return
		}
		if !l.paced(w, r) {
			return
		}
		l.lives()
		defer func() { l.lives(); <-l.room }()
		mux.ServeHTTP(w, r)
	})
}

// paced lets a request in when its time has come. Who asks too often waits, so a
// spin costs the gateway as many requests as its pace and no more.
func (l *life) paced(w http.ResponseWriter, r *http.Request) bool {
	select {
	case l.room <- struct{}{}:
	default:
		l.crowded.Store(true)
		// Not at once: who is answered at once asks at once.
		select {
		case l.room <- struct{}{}:
		case <-r.Context().Done():
			return false
		case <-l.over:
			wire.Refused(w, http.StatusServiceUnavailable)
			return false
		}
	}
	if l.pace.Wait(r.Context()) != nil {
		<-l.room
		wire.Refused(w, http.StatusServiceUnavailable)
		return false
	}
	return true
}

// body reads the body of a request that holds JSON.
func body[T any](w http.ResponseWriter, r *http.Request, most int64, read func([]byte) (T, error)) (v T, ok bool) {
	raw, ok := wire.Body(w, r, most)
	if !ok {
		return v, false
	}
	v, err := read(raw)
	if err != nil {
		http.Error(w, wire.Plain(err.Error()), http.StatusUnprocessableEntity)
		return v, false
	}
	return v, true
}

// events answers only after the sink.
func (l *life) events(w http.ResponseWriter, r *http.Request) {
	events, ok := body(w, r, l.Limits.MaxEvents, func(raw []byte) ([]bots.Event, error) {
		return decodeEvents(raw, l.channel.cfg.ID, l.channel.Caps())
	})
	if !ok {
		return
	}
	err := l.lanes.Deliver(r.Context(), l.sink, events)
	switch {
	case errors.Is(err, bots.ErrFlood):
		wire.Refused(w, http.StatusTooManyRequests)
	case err != nil:
		l.channel.log.Warn("what the agent brought was not taken and will come again", "error", err)
		wire.Refused(w, http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// nextJob waits for something to do.
func (l *life) nextJob(w http.ResponseWriter, r *http.Request) {
	limit := time.NewTimer(l.Limits.LongPoll)
	defer limit.Stop()
	for {
		select {
		case e := <-l.channel.jobs:
			e.taken <- l.over
			if e.limit.Err() != nil {
				continue // nobody waits for it any more
			}
			e.job.Within = e.remains(l.channel.deps.Clock, l.Limits.Call.Milliseconds())
			l.hand(w, e)
			return
		case <-limit.C:
		case <-r.Context().Done():
		case <-l.over:
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
}

// hand writes a job. Whether it arrived only its answer says: what was written may
// lie with an agent that has just died.
func (l *life) hand(w http.ResponseWriter, e *errand) {
	w.Header().Set("Content-Type", "application/json")
	err := json.NewEncoder(w).Encode(e.job)
	if err == nil {
		err = http.NewResponseController(w).Flush()
	}
	if err != nil {
		l.channel.log.Warn("a job did not reach the agent", "error", err)
	}
}

func (l *life) result(w http.ResponseWriter, r *http.Request) {
	v, ok := body(w, r, l.Limits.MaxState, decodeResult)
	if !ok {
		return
	}
	l.answered(w, l.channel.errands.answer(r.PathValue("lease"), reply{result: v}))
}

func (l *life) answered(w http.ResponseWriter, ok bool) {
	if !ok {
		wire.Refused(w, http.StatusGone)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// file passes the bytes of a file on while they come.
func (l *life) file(w http.ResponseWriter, r *http.Request) {
	out, in := io.Pipe()
	if !l.channel.errands.answer(r.PathValue("lease"), reply{file: out}) {
		l.answered(w, false)
		return
	}
	_, err := io.Copy(in, http.MaxBytesReader(w, r.Body, l.Limits.MaxFile))
	if err != nil {
		err = errors.New("the file broke off, or is too large")
	}
	in.CloseWithError(err) // nil is the end of the file
	l.answered(w, err == nil)
}

func (l *life) loadState(w http.ResponseWriter, r *http.Request) {
	name, ok := l.named(w, r)
	if !ok {
		return
	}
	value, err := l.channel.deps.State.Load(r.Context(), name)
	switch {
	case err != nil:
		l.stateless(w, err)
	case value == nil:
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write(value)
	}
}

func (l *life) saveState(w http.ResponseWriter, r *http.Request) {
	name, ok := l.named(w, r)
	if !ok {
		return
	}
	value, ok := wire.Body(w, r, l.Limits.MaxState)
	if !ok {
		return
	}
	if err := l.channel.deps.State.Save(r.Context(), name, value); err != nil {
		l.stateless(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (l *life) named(w http.ResponseWriter, r *http.Request) (string, bool) {
	name := r.PathValue("name")
	if !stateName.MatchString(name) {
		wire.Refused(w, http.StatusUnprocessableEntity)
		return "", false
	}
	return agentState + name, true
}

func (l *life) stateless(w http.ResponseWriter, err error) {
	l.channel.log.Warn("what the agent remembers cannot be reached", "error", err)
	wire.Refused(w, http.StatusServiceUnavailable)
}

func (l *life) standing(w http.ResponseWriter, r *http.Request) {
	s, ok := body(w, r, l.Limits.MaxState, decodeStanding)
	if !ok {
		return
	}
	if err := l.channel.stand(r.Context(), s); err != nil {
		l.stateless(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// serve answers the agent until the life is over, and then nothing more.
func (l *life) serve(ctx context.Context) {
	l.server = &http.Server{
		Handler: l.handler(), ReadHeaderTimeout: l.Limits.Call, ErrorLog: quiet,
	}
	l.serving.Go(func() {
		if err := l.server.Serve(l.listener); !errors.Is(err, http.ErrServerClosed) && ctx.Err() == nil {
			l.channel.log.Error("the agent cannot be served", "error", err)
		}
	})
}
