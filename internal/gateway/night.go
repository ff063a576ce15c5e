package gateway

import (
	"context"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// A push is put into the outbox only while it may disturb (inTheWay). It can lie
// there into the night all the same: a carrier is away, a pace is slow, another
// network reports late that it did not deliver. To a telephone it does not go then,
// nor does it wait at night for an account that is logged out, which may be back at
// any hour. The row ends, so that it holds up no reply behind it, and a due row queues its
// words anew when quiet hours are over.

// KindMorning is the due kind that queues a push anew: subject "outbox:ID".
const KindMorning = "send.morning"

// atNight reports whether a row must not go out now, and when it may. Of its class
// the outbox knows the rank: what is urgent goes, a code above all.
func (c *Channel) atNight(caps bots.Caps, row db.ClaimOutboxRow) (time.Time, bool) {
	_, out := c.login.outFor(c.g.Clock.Wall())
	if !caps.Phone && (!out || row.Edits != 0) || row.Class != "push" || row.Rank == 0 {
		return time.Time{}, false
	}
	class := scheduler.Normal
	if row.Rank > rankOf(class) {
		class = scheduler.Survey
	}
	at, verdict := c.g.Quiet.Shift(row.At, time.Time{}, class, scheduler.QuietLater)
	return at, verdict == scheduler.Moved
}

// MorningKind is the due kind that the sender brings for it. One worker keeps the
// order of a number.
func MorningKind() Kind {
	return Kind{Name: KindMorning, Workers: 1, Run: func(ctx context.Context, t *Turn, due Due) (Outcome, error) {
		id, err := due.SubjectID("outbox")
		if err != nil {
			return Outcome{}, err
		}
		rows, err := t.EndedOutbox(ctx, []int64{id})
		if err != nil {
			return Outcome{}, fmt.Errorf("load what was put off: %w", err)
		}
		if len(rows) == 0 || rows[0].AddressState == "stopped" {
			return Dropped("it is wanted no more"), nil
		}
		if _, err := t.PassOn(ctx, rows[0].Params, id, rows[0].ConversationID); err != nil {
			return Outcome{}, fmt.Errorf("queue what was put off: %w", err)
		}
		t.Wake(topicOutbox(bots.ChannelID(rows[0].Channel)))
		return Done, nil
	}}
}
