//go:build kill

package kill

import (
	"testing"
	"time"

	"shaoying/test/world"
)

// TestStop proves that a stop by SIGTERM in the middle of traffic costs nothing:
// no reply is missing and none is doubled.
func TestStop(t *testing.T) {
	t.Parallel()
	s := newScene(t, play{bin: bench.real, processes: 2})
	var slowest time.Duration
	for range bench.size.stops {
		s.says(5)
		s.wait(time.Duration(s.rand.Int64N(int64(500 * time.Millisecond))))
		took, err := s.house.any(s.rand).restart(t.Context())
		world.Must(t, err)
		s.stops++
		slowest = max(slowest, took)
	}
	v := s.judge()
	s.report(v, "SIGTERM", "R3", map[string]float64{"slowest stop, seconds": slowest.Round(time.Millisecond).Seconds()})
	v.require(t, 0)
	if v.doubled > 0 {
		t.Errorf("R3: %d replies were doubled by %d stops (seed %d)", v.doubled, s.stops, bench.seed)
	}
}
