//go:build kill

package kill

import "testing"

// TestBrokenControls runs two programs that break a promise on purpose, under
// the same network, bursts and kills as everything else. A ledger that does not
// see messages lost and replies missing here sees nothing: the whole run is
// void then.
func TestBrokenControls(t *testing.T) {
	for _, c := range []struct {
		alter, why string
		caught     func(verdict) int
	}{
		{"ack-first", "acknowledging before the commit lost no message", func(v verdict) int { return len(v.lost) }},
		{"mark-first", "marking as sent before sending made no reply go missing", func(v verdict) int { return len(v.missing) }},
	} {
		t.Run(c.alter, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, play{bin: bench.altered, alter: c.alter, processes: 2})
			s.bursts(bench.size.control, bench.size.controlKills, 0, moments)
			v := s.judge()
			s.report(v, "broken: "+c.alter, "the run is void unless this loses", nil)
			if c.caught(v) == 0 {
				t.Errorf("VOID: %s (seed %d); what the other tests say proves nothing", c.why, bench.seed)
			}
		})
	}
}
