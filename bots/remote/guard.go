package remote

import (
	"fmt"
	"time"
)

// guard says when an agent must be ended.
type guard struct {
	life  *life
	child Child

	spinning time.Time // since when it asks too much
	hot      time.Time // since when it computes too much
	at       time.Time // of the last look, with the processor time then
	cpu      time.Duration
}

// look returns why the agent must be ended, nil where it may live.
func (g *guard) look(now time.Time) error {
	l := g.life
	if silent := now.Sub(time.Unix(0, l.heard.Load())); silent > l.SilentAfter {
		return fmt.Errorf("the agent hangs: nothing was heard of it for %s", silent.Round(time.Second))
	}
	crowded := l.crowded.Swap(false)
	if since(&g.spinning, now, crowded || l.pace.TokensAt(now) < 1) > l.SpinsAfter {
		return fmt.Errorf("the agent spins: it asked for more than %.0f times a second over %s", l.PerSecond, l.SpinsAfter)
	}
	cpu, memory, err := g.child.Usage()
	if err != nil {
		return nil // it has just ended, or nobody can tell here
	}
	if memory > l.Memory {
		return fmt.Errorf("the agent holds %d MB, at most %d", memory>>20, l.Memory>>20)
	}
	busy := !g.at.IsZero() && float64(cpu-g.cpu) > l.CPUShare*float64(now.Sub(g.at))
	g.at, g.cpu = now, cpu
	if since(&g.hot, now, busy) > l.CPUFor {
		return fmt.Errorf("the agent spins: it used more than %.0f %% of a processor over %s", 100*l.CPUShare, l.CPUFor)
	}
	return nil
}

// since is for how long something holds without a break.
func since(start *time.Time, now time.Time, holds bool) time.Duration {
	if !holds {
		*start = time.Time{}
		return 0
	}
	if start.IsZero() {
		*start = now
	}
	return now.Sub(*start)
}
