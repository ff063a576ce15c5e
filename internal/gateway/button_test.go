package gateway

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"shaoying/bots"
)

const staleText = "这个按钮已经过时了。"

func TestAButtonIsAnAnswerOnceAndOnlyToItsQuestion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.says("li", "选一选")
	blue := q[0].Choices[2].Data
	if q[0].Choices[2].Label != "蓝的" {
		t.Fatalf("choices %v", q[0].Choices)
	}
	r.want(r.taps("li", blue), "选了蓝的。")
	r.want(r.taps("li", blue), staleText) // twice
	again := r.says("li", "选一选")
	r.want(r.taps("li", blue), staleText) // the same question, asked another time
	r.want(r.taps("li", again[0].Choices[1].Data), "选了红的。")
	if n := len(r.acts.named("poll.take")); n != 2 {
		t.Fatalf("taken %d times, want 2", n)
	}
}

func TestAButtonOfSomebodyElse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.says("li", "选一选")
	r.says("wang", "选一选")
	r.want(r.taps("wang", q[0].Choices[2].Data), staleText)
	if f := r.flow("wang"); f != "poll" {
		t.Fatal("a foreign button moved the dialogue")
	}
}

func TestAnExpiredButton(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	q := r.says("li", "选一选")
	r.advance(answerLife + time.Hour)
	r.want(r.taps("li", q[0].Choices[2].Data), staleText)
	if f := r.flow("li"); f != "poll" {
		t.Fatal("an expired button moved the dialogue")
	}
}

func TestACommandButtonIsForTheStaff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.hire("wang")
	r.says("li", "您好")
	now := r.now()
	button := func(user bots.UserID, command string) string {
		return r.Gateway.button(buttonBind(web, user), 0, 0, 0, CommandPrefix+command, now)
	}
	r.want(r.taps("wang", button("wang", "take 123")), "接下了。")
	if c := r.acts.named("card.take"); len(c) != 1 || c[0].args["card_id"] != "123" {
		t.Fatalf("called %v", c)
	}
	r.want(r.taps("li", button("li", "take 123")), staleText)
	r.want(r.taps("wang", button("li", "take 123")), staleText)
	r.want(r.taps("wang", button("wang", "unknown 1")), staleText)
	r.exec(`update staff set ended_at = now()`)
	r.want(r.taps("wang", button("wang", "take 123")), staleText) // left the service
	if n := len(r.acts.named("card.take")); n != 1 {
		t.Fatalf("taken %d times, want 1", n)
	}
}

// Nothing that was not signed for this user, this question and this time has
// any effect, whatever was done to it (S12).
func TestNoForgedButtonDoesAnything(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *Config, _ *Deps) { c.FloodPerMinute = 1 << 20 })
	r.hire("wang")
	q := r.says("li", "选一选")
	r.says("wang", "选一选")
	good := q[0].Choices[2].Data
	before := r.count(`select count(*) from trail`)
	turn := r.count(`select question_turn from outbox where chat = 'li' order by id desc limit 1`)
	now := r.now()
	rng := rand.New(rand.NewPCG(1, 2))
	sign := func(kind byte, user bots.UserID, life time.Duration, numbers ...uint64) string {
		var b []byte
		for _, n := range numbers {
			b = binary.AppendUvarint(b, n)
		}
		return r.Keys.Sign(kind, b, now.Add(life), buttonBind(web, user))
	}
	forge := []func() string{
		func() string { // one byte of a good one changed
			b := []byte(good)
			i := rng.IntN(len(b))
			b[i] = byte('a' + rng.IntN(26))
			if string(b) == good {
				b[i]++
			}
			return string(b)
		},
		func() string { return good[:rng.IntN(len(good)-1)+1] },
		func() string {
			b := make([]byte, 1+rng.IntN(100))
			for i := range b {
				b[i] = byte(33 + rng.IntN(94))
			}
			return string(b)
		},
		func() string { return sign(buttonAnswer, "wang", time.Hour, uint64(turn), 0, 2) },
		func() string { return sign(buttonAnswer, "li", -time.Hour, uint64(turn), 0, 2) },
		func() string { return sign(buttonAnswer, "li", time.Hour, uint64(turn)+1+uint64(rng.IntN(9)), 0, 2) },
		func() string { return sign(buttonAnswer, "li", time.Hour, uint64(turn), 1+rng.Uint64N(99), 2) },
		func() string { return sign(buttonAnswer, "li", time.Hour, uint64(turn), 0, 3+rng.Uint64()) },
		func() string { return sign(buttonAnswer, "li", time.Hour, uint64(turn)) },
		func() string { return sign(buttonCommand, "li", time.Hour, rng.Uint64()) },
		func() string { return sign(byte(rng.IntN(90)), "li", time.Hour, uint64(turn), 0, 2) },
	}
	n := 5000
	if testing.Short() {
		n = 500
	}
	for i := range n {
		ev := r.event("li", bots.KindChoice)
		ev.Choice = forge[i%len(forge)]()
		r.send(ev)
	}
	stale := r.count(`select count(*) from outbox where chat = 'li' and text_key = 'choice.stale'`)
	if all := r.count(`select count(*) - 1 from outbox where chat = 'li'`); stale != int64(n) || all != stale {
		t.Fatalf("%d answers to %d taps, %d of them that the button is stale", all, n, stale)
	}
	if after := r.count(`select count(*) from trail`); after != before {
		t.Fatalf("%d actions ran", after-before)
	}
	r.seen["li"] = r.count(`select max(id) from outbox`)
	r.want(r.taps("li", good), "选了蓝的。") // and the real one still works
}
