package remote

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// gateway is a door that answers everything with one status.
func gateway(t *testing.T, status int) (at Contact, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(status)
	}))
	t.Cleanup(s.Close)
	return Contact{URL: s.URL, Token: privacy.NewSecret("token-of-a-test")}, requests
}

func newAgent(t *testing.T, at Contact) *Agent {
	t.Helper()
	a, err := NewAgent(Config{ID: "wx", Limits: limits(t)}, at, AgentDeps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// While the gateway is away it is asked with growing pauses, and the agent ends at
// once when it has to.
func TestAgentIsPatient(t *testing.T) {
	at, requests := gateway(t, http.StatusServiceUnavailable)
	a := newAgent(t, at)
	a.Show(bots.Standing{State: bots.StandingOnline})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, &stub{}) }()
	outage := time.NewTimer(2 * time.Second)
	defer outage.Stop()
	<-outage.C
	if n := requests.Load(); n < 4 || n >= 20 {
		t.Errorf("%d requests in 2 s", n)
	}
	cancel()
	limit := time.NewTimer(time.Second)
	defer limit.Stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-limit.C:
		t.Error("it did not end within a second")
	}
}

// Who is not known any more ends, and so does one whose adapter cannot go on.
func TestAgentEnds(t *testing.T) {
	at, requests := gateway(t, http.StatusUnauthorized)
	if err := newAgent(t, at).Run(t.Context(), &stub{}); !errors.Is(err, ErrReplaced) {
		t.Errorf("replaced: %v", err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("%d requests with a token that is over", n)
	}
	at, _ = gateway(t, http.StatusServiceUnavailable)
	broke := errors.New("no memory of the login")
	if err := newAgent(t, at).Run(t.Context(), &stub{run: func(context.Context, bots.Sink) error { return broke }}); !errors.Is(err, broke) {
		t.Errorf("an adapter that cannot go on: %v", err)
	}
	if err := newAgent(t, at).Run(t.Context(), &stub{run: func(context.Context, bots.Sink) error { return nil }}); err == nil {
		t.Error("an adapter that ends by itself is no error")
	}
}

// The sink says what the gateway said: a flood is one, the rest is for later.
func TestAgentSink(t *testing.T) {
	for status, flood := range map[int]bool{http.StatusTooManyRequests: true, http.StatusServiceUnavailable: false, http.StatusUnprocessableEntity: false, http.StatusUnauthorized: false} {
		at, _ := gateway(t, status)
		err := newAgent(t, at).sink(t.Context(), []bots.Event{{Key: "k"}})
		if err == nil || errors.Is(err, bots.ErrFlood) != flood {
			t.Errorf("%d: %v", status, err)
		}
	}
	at, _ := gateway(t, http.StatusNoContent)
	if err := newAgent(t, at).sink(t.Context(), []bots.Event{{Key: "k"}}); err != nil {
		t.Error(err)
	}
	if _, err := NewAgent(Config{ID: "wx", Limits: limits(t)}, Contact{URL: "http://gateway.example"}, AgentDeps{Clock: clock.New(), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("the door may be on another machine, over plain http")
	}
}
