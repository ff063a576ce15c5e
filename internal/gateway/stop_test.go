package gateway

import (
	"testing"

	"shaoying/bots"
)

// A number stops one topic: what is on its way there does not go out, what is new
// looks for another address, and other topics go on.
func TestANumberStopsATopic(t *testing.T) {
	t.Parallel()
	m, p := paidRig(t, func(_ *Config, d *Deps) {
		d.Topics = map[string]string{"news": "survey", "tell": "progress"}
	})
	m.greet("li", "wu")
	p.caps.Phone = true
	m.also("wu", tg, "wu-tg", bots.TrustStable)
	stop := func(user bots.UserID, topic string) {
		if _, err := m.DB.StopTopic(t.Context(), one[int64](m.rig, `select id from address where user_id = $1`, string(user)), topic); err != nil {
			t.Fatal(err)
		}
	}
	stop("li", "survey")
	if got := m.queue("news", 1, "li", "wu"); ended(got, "stale") != 1 || ended(got, "sent") != 1 {
		t.Errorf("texts of a topic that one of two stopped ended %q", got)
	}
	if got := m.queue("other", 1, "li"); ended(got, "sent") != 1 {
		t.Errorf("another topic ended %q", got)
	}
	// The turn of a push sees it as well, and puts nothing into the outbox.
	stop("li", "progress")
	if got := m.queue("tell", 1, "li"); len(got) != 0 {
		t.Errorf("a push was queued: %q", got)
	}
	// What another address did not take does not come to a number that stopped it.
	stop("wu", "survey")
	list, err := ReachFor(t.Context(), m.DB.Queries, "survey", []int64{one[int64](m.rig, `select person_id from address where user_id = 'wu'`)}, 0)
	if err != nil || len(list) != 1 || list[0].UserID != "wu-tg" {
		t.Errorf("a survey would go to %v, %v", list, err)
	}
}
