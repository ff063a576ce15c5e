//go:build kill

package kill

import "testing"

// TestPolling is the main run's promises where we ask the network for its
// messages: what it may forget is confirmed by the next question only.
func TestPolling(t *testing.T) {
	t.Parallel()
	s := newScene(t, play{bin: bench.real, processes: 2, poll: true})
	s.bursts(bench.size.polled, bench.size.pollKills, 0, moments)
	v := s.judge()
	s.report(v, "polling", "R1 R2 R3 R9 R11", nil)
	v.require(t, perKill*len(s.ledger.kills))
}
