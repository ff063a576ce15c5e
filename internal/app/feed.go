package app

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"shaoying/flows"
	"shaoying/internal/homecare"
)

// The calendars of visitors. Phones come for one every hour or so; anybody may guess,
// so all of them together are bounded, and what is not there has one answer.
const (
	feedTimeout   = 5 * time.Second
	feedPerSecond = 20
	feedBurst     = 100
)

// feeds mounts GET /feed/{token}.ics.
func (s *server) feeds(mux *http.ServeMux) {
	limit := rate.NewLimiter(feedPerSecond, feedBurst)
	mux.HandleFunc("GET "+homecare.FeedPath+"{name}", func(w http.ResponseWriter, r *http.Request) {
		if !limit.Allow() {
			w.Header().Set("Retry-After", "60")
			http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
			return
		}
		token, ok := strings.CutSuffix(r.PathValue("name"), homecare.FeedExt)
		ctx, cancel := context.WithTimeout(r.Context(), feedTimeout)
		defer cancel()
		body, err := s.feed(ctx, token)
		switch {
		case !ok || errors.Is(err, homecare.ErrNoFeed):
			http.NotFound(w, r)
			return
		case err != nil:
			s.Log.Error("write a calendar", "error", err)
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/calendar; charset=utf-8")
		h.Set("Cache-Control", "private, no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		w.Write(body)
	})
}

func (s *server) feed(ctx context.Context, token string) ([]byte, error) {
	now, err := s.DB.ProductNow(ctx)
	if err != nil {
		return nil, err
	}
	text := func(key string, params map[string]string) (string, error) {
		return s.Library.Text(key, flows.BaseLang, params)
	}
	return s.Care.Feed(ctx, s.DB, token, text, now)
}
