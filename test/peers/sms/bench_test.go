//go:build peers

package sms

import (
	"errors"
	"log/slog"
	"testing"

	"shaoying/internal/app"
	"shaoying/internal/bench"
	"shaoying/test/world"
)

// The bench at its smallest: it fails by itself where a text is lost.
func TestBenchSMS(t *testing.T) {
	newCentre(t) // or the test is left out
	log := slog.New(slog.DiscardHandler)
	r, err := bench.SMS(t.Context(), bench.SMSConfig{
		Config: bench.Config{Rounds: 1, Seconds: 1, Log: log}, Texts: 200, Number: 4, Urgent: 5,
	}, app.Bench(log))
	if errors.Is(err, bench.ErrNoPgbench) {
		t.Skip(err)
	}
	world.Must(t, err)
	if r.Out.PerSecond <= 0 || r.Urgent.Count != 5 || r.Disorder != 0 {
		t.Errorf("%+v", r)
	}
}
