//go:build kill

package kill

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/jackc/pgx/v5"

	"shaoying/test/world"
)

// echo is a dialogue that says what it is told, published as a clerk would.
const echo = `flow: welcome
title: 回声
vars: [text]
steps:
  - say: "{{text}}"
`

// TestOrder proves R8: what one sender says is taken and answered in its order,
// by two processes that are killed in between. The program has no limit on how
// fast one sender may write; otherwise it is the product.
func TestOrder(t *testing.T) {
	// Not side by side with others: it goes as fast as the machine does.
	s := newScene(t, play{bin: bench.altered, alter: "no-limits", processes: 2, before: publishEcho})
	s.fake.Calm() // at full speed
	s.fake.RedeliverShare(redelivered / 100.)
	size := bench.size
	total := size.inputs * size.senders
	// The kills are spread over the answers, not over time, which passes
	// differently on every machine.
	kills := make([]int, size.orderKills)
	for i := range kills {
		from, to := i*total/size.orderKills, (i+1)*total/size.orderKills
		kills[i] = from + s.rand.IntN(to-from)
	}
	said := map[string][]string{}
	for i := range size.inputs {
		for sender := range size.senders {
			m := marked(s.made)
			s.made++
			u := s.fake.User(int64(firstUser+sender), "居民")
			chat := strconv.FormatInt(u.Chat(), 10)
			s.ledger.says(m, chat)
			said[chat] = append(said[chat], m)
			u.Says("记号" + m)
		}
		// Every sender is at most this many messages ahead of the answers.
		const ahead = 10
		s.answered((i + 1 - ahead) * size.senders)
		for len(kills) > 0 && s.fake.Calls("sendMessage") >= kills[0] {
			s.kill()
			kills = kills[1:]
		}
	}
	for range kills {
		s.kill()
	}
	s.settle()
	b, err := s.db.read(context.Background())
	world.Must(t, err)
	v := s.ledger.judge(b, s.shown())
	steps, answers := 0, 0
	for chat, want := range said {
		if got := b.order[chat]; !slices.Equal(got, want) {
			steps += inversions(got)
			t.Errorf("R8: chat %s took %d of %d inputs, %d out of order (seed %d)", chat, len(got), len(want), inversions(got), bench.seed)
		}
		var got []string
		for _, g := range v.shown[chat] {
			if m := mark.FindStringSubmatch(g.text); m != nil {
				got = append(got, m[1])
			}
		}
		if n := inversions(got); n > 0 {
			answers += n
			t.Errorf("R8: chat %s was answered out of order %d times (seed %d)", chat, n, bench.seed)
		}
		if distinct := slices.Compact(got); len(distinct) != len(want) {
			t.Errorf("R3: chat %s got %d of %d answers (seed %d)", chat, len(distinct), len(want), bench.seed)
		}
	}
	// These messages make no tickets: R1 and R2 are the comparison of steps.
	v.lost, v.double, v.unanswered = nil, nil, nil
	s.report(v, "order", "R8 R11", map[string]float64{"senders": float64(size.senders), "inversions of steps": float64(steps), "inversions of replies": float64(answers)})
	// Without the network's pace as many are in the air as the sender allows,
	// one for each chat, and a kill may double them all.
	v.require(t, size.senders*len(s.ledger.kills))
}

// answered waits until the network was given n messages.
func (s *scene) answered(n int) {
	s.t.Helper()
	if !s.fake.Await(patience, func() bool { return s.fake.Calls("sendMessage") >= n }) {
		s.t.Fatalf("%d of %d answers came (seed %d)", s.fake.Calls("sendMessage"), n, bench.seed)
	}
}

// inversions counts the places at which a later mark stands before an earlier
// one; marks count up.
func inversions(marks []string) (n int) {
	for i := 1; i < len(marks); i++ {
		if marks[i] < marks[i-1] {
			n++
		}
	}
	return n
}

// publishEcho lays the dialogue into the definitions before anything starts.
func publishEcho(t *testing.T, d *database) {
	t.Helper()
	world.Must(t, d.look(t.Context(), func(c *pgx.Conn) error {
		_, err := c.Exec(t.Context(), `insert into definition (kind, name, version, sha, body, source)
			select 'flow', 'welcome', max(version) + 1, sha256(convert_to($1, 'UTF8')), $1, 'console'
			from definition where kind = 'flow' and name = 'welcome'`, echo)
		return err
	}))
}
