package clock

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestNowFollowsTheOffset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		if got, want := c.Now(), c.Wall().Round(0); !got.Equal(want) {
			t.Fatalf("without an offset product time is %v, want wall time %v", got, want)
		}
		c.SetOffset(36 * time.Hour)
		if got := c.Now().Sub(c.Wall()); got != 36*time.Hour {
			t.Fatalf("product time is %v ahead, want 36h", got)
		}
		time.Sleep(90 * time.Minute) // the bubble's clock, not a wait
		if got := c.Now().Sub(c.Wall()); got != 36*time.Hour {
			t.Fatalf("product time drifted: %v ahead, want 36h", got)
		}
		c.SetOffset(0)
		if got := c.Now().Sub(c.Wall()); got != 0 {
			t.Fatalf("offset taken back, still %v ahead", got)
		}
	})
}

func TestWallIsNeverMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New()
		start := c.Wall()
		c.SetOffset(-400 * 24 * time.Hour)
		time.Sleep(time.Second)
		if got := c.Since(start); got != time.Second {
			t.Fatalf("Since = %v after one second and a moved offset", got)
		}
		if got := c.Wall().Sub(start); got != time.Second {
			t.Fatalf("Wall moved by %v, want 1s", got)
		}
	})
}

func TestNowSurvivesTheDatabase(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := New()
		c.SetOffset(time.Duration(rapid.Int64Range(-1<<55, 1<<55).Draw(t, "offset")))
		now := c.Now()
		// What PostgreSQL gives back for a timestamptz.
		back := time.UnixMicro(now.UnixMicro()).UTC()
		if now != back {
			t.Fatalf("%v came back as %v", now, back)
		}
	})
}

func TestOffsetFromManyGoroutines(t *testing.T) {
	c := New()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 1000 {
				c.SetOffset(time.Duration(i) * time.Hour)
				_ = c.Now()
			}
		})
	}
	wg.Wait()
	if c.Offset()%time.Hour != 0 {
		t.Fatalf("offset %v was never set", c.Offset())
	}
}
