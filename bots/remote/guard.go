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
	from     time.Time // since when its processor time is averaged, and what it was then
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
	// On the average: being nice, it gets what others leave, now much, now little.
	if over := now.Sub(g.from); over >= l.CPUFor {
		share := float64(cpu-g.cpu) / float64(over)
		g.from, g.cpu = now, cpu
		if share > l.CPUShare {
			return fmt.Errorf("the agent spins: it used %.0f %% of a processor over %s, at most %.0f %%", 100*share, over.Round(time.Second), 100*l.CPUShare)
		}
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
