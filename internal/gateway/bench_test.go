package gateway

import (
	"fmt"
	"sync"
	"testing"

	"shaoying/bots"
)

// BenchmarkTurn measures a mid-dialogue answer stored, stepped and its reply
// queued, 8 senders, one transaction each (design 10, first row). Every seventh
// message begins the dialogue anew.
func BenchmarkTurn(b *testing.B) {
	const senders = 8
	r := newRig(b, func(c *Config, _ *Deps) { c.FloodPerMinute = 1 << 30 })
	for i := range senders {
		r.says(bots.UserID(fmt.Sprint("s", i)), "您好")
	}
	b.ResetTimer()
	begun := r.Clock.Wall()
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			user := bots.UserID(fmt.Sprint("s", i))
			for n := i; n < b.N; n += senders {
				text := "是的"
				if n/senders%7 == 0 { // six answers, then from the beginning
					text = "六问"
				}
				ev := bots.Event{
					Key: fmt.Sprint("bench-", n), Channel: web, Chat: bots.ChatID(user), Kind: bots.KindText,
					From: bots.Identity{User: user, Trust: bots.TrustSession}, Text: text,
				}
				if err := r.Sink(b.Context(), []bots.Event{ev}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/r.Clock.Since(begun).Seconds(), "turns/s")
}
