//go:build kill

package kill

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"shaoying/test/world"
)

// poison is the word on which the altered program panics.
const poison = "毒丸"

// apology is the beginning of what a resident hears of a dead letter.
const apology = "对不起，您上一条没有办成"

// TestPoison proves R13: a message on which the turn panics stops nobody. It is
// tried five times and becomes a dead letter, the resident hears an apology and
// the staff get a task, while everybody else is served; a healthy program
// repairs it by `shaoying replay`.
func TestPoison(t *testing.T) {
	t.Parallel()
	s := newScene(t, play{bin: bench.altered, alter: "poison", processes: 2})
	var bad []string
	for i := range bench.size.poisoned {
		if i%100 != 50 {
			s.says(1)
			continue
		}
		bad = append(bad, s.tells(s.made, "，"+poison))
	}
	v := s.judge()
	for _, m := range bad {
		chat := s.ledger.said[m]
		if v.books.dead[m] != 5 || len(v.books.tickets[m]) > 0 {
			t.Errorf("R13: 记号%s was tried %d times and has tickets %q, want a dead letter after 5 (seed %d)", m, v.books.dead[m], v.books.tickets[m], bench.seed)
		}
		if len(v.shown[chat]) != 1 || !strings.HasPrefix(v.shown[chat][0].text, apology) {
			t.Errorf("R13: whose message died heard %+v, want the apology once (seed %d)", v.shown[chat], bench.seed)
		}
	}
	if len(v.books.dead) != len(bad) {
		t.Errorf("R13: %d dead letters, want %d (seed %d)", len(v.books.dead), len(bad), bench.seed)
	}
	if n := s.tasks("dead"); n != len(bad) {
		t.Errorf("R13: %d tasks tell of %d dead letters (seed %d)", n, len(bad), bench.seed)
	}
	v.require(t, 0)

	// The keeper noted any process that ended by itself.
	s.house.stop()
	s.house = newHouse(t, bench.real, 2, s.vars)
	s.fake.Balance(s.house.urls()...)
	if out, err := s.house.processes[0].world.Run("replay", "--all"); err != nil {
		t.Fatalf("replay: %v\n%s", err, out)
	}
	v = s.judge()
	s.report(v, "poison", "R13", map[string]float64{"dead letters": float64(len(bad)), "dead after replay": float64(len(v.books.dead))})
	if len(v.books.dead) > 0 {
		t.Errorf("R13: %d dead letters after the replay (seed %d)", len(v.books.dead), bench.seed)
	}
	v.require(t, 0)
}

// tasks counts the open tasks of a kind.
func (s *scene) tasks(kind string) (n int) {
	s.t.Helper()
	world.Must(s.t, s.db.look(s.t.Context(), func(c *pgx.Conn) error {
		return c.QueryRow(s.t.Context(), `select count(*) from task where kind = $1 and state = 'open'`, kind).Scan(&n)
	}))
	return n
}
