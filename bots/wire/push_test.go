package wire

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"shaoying/bots"
)

// What one person wrote in quick succession reaches the sink one at a time, in
// the order in which it came; others do not wait.
func TestLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Lanes{}
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for n := range 20 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				leave, err := l.enter(t.Context(), []bots.Event{{Chat: "a"}, {Chat: "b"}, {Chat: "a"}})
				if err != nil {
					t.Error(err)
					return
				}
				defer leave()
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				order = append(order, n)
			}()
			synctest.Wait()
		}
		leave, err := l.enter(t.Context(), []bots.Event{{Chat: "c"}})
		if err != nil {
			t.Fatal(err)
		}
		leave()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		if _, err := l.enter(ctx, []bots.Event{{Chat: "c"}, {Chat: "b"}}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited longer than the request: %v", err)
		}
		wg.Wait()
		for i, n := range order {
			if i != n {
				t.Fatalf("order %v", order)
			}
		}
		if len(order) != 20 || len(l.taken) != 0 {
			t.Errorf("%d went through, %d lanes are left", len(order), len(l.taken))
		}
	})
}
