package gateway

import (
	"context"
	"testing"
	"time"

	"shaoying/bots"
)

// Complaint 11 of reference family-bed 4: failed sends retried for ever, unseen
// (Simple ADR 017: reminders that failed were sent again daily, thousands for one
// appointment). A reminder that no network takes is tried a fixed number of times,
// then stands as failed with its class, and people hear of it once; neither the
// clock nor whoever plans the same reminder again wakes it.
func TestComplaint11FailedSendsAreNotRetriedForEver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		class bots.Class
		sends int
	}{
		{bots.ClassTemporary, maxSendTries},
		{bots.ClassRejected, 1},
		{bots.ClassGone, 1},
	} {
		t.Run(c.class.String(), func(t *testing.T) {
			t.Parallel()
			r := pushRig(t)
			r.says("li", "您好")
			stop := r.sender()
			r.until("the reply is out", r.outboxEmpty)
			sends := 0
			r.net.on(func(context.Context, bots.Address, bots.Message) error {
				r.net.mu.Lock()
				defer r.net.mu.Unlock()
				sends++
				return &bots.Error{Class: c.class, Err: errBroken}
			})
			for day := range 7 {
				r.plan("tell", "li", "visit 9", time.Time{})
				r.due()
				r.until("it ended", func() bool { r.hurry(); return r.outboxEmpty() })
				if row := r.outbox("li"); row.State != "failed" || row.ErrorClass != c.class.String() {
					t.Fatalf("on day %d the row is %s, class %q", day, row.State, row.ErrorClass)
				}
				r.advance(24 * time.Hour)
			}
			stop()
			if rows := r.count(`select count(*) from outbox where chat = 'li' and text_key = 'note.told'`); rows != 1 || sends != c.sends {
				t.Errorf("%d messages and %d sends in a week, want 1 and %d", rows, sends, c.sends)
			}
			if got := r.lost.all(); len(got) != 1 || got[0] != c.class.String() {
				t.Errorf("people heard %q, want it once", got)
			}
		})
	}
}
