//go:build kill

package kill

import "testing"

// TestNothingIsLost is the main run: R1, R2, R3, R5, R9 and R11 by webhook, two
// processes, bursts, kills and database crashes.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	s := newScene(t, play{bin: bench.real, processes: 2, crashes: true})
	s.bursts(bench.size.messages, bench.size.kills, bench.size.crashes, moments)
	v := s.judge()
	s.report(v, "webhook", "R1 R2 R3 R5 R9 R11", nil)
	v.require(t, perKill*len(s.ledger.kills))
}
