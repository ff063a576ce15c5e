//go:build kill

package kill

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"shaoying/bots/telegram/telegramfake"
	"shaoying/test/world"
)

// TestUnknownOutcomes proves R4: a send whose connection is cut, before or
// after the network took the message, or which a proxy answers with an error of
// its own, is recorded as unknown; one for which no connection could be made as
// temporary; and what costs nothing is sent again. One process, never killed, so
// that its counters tell of every try.
func TestUnknownOutcomes(t *testing.T) {
	t.Parallel()
	s := newScene(t, play{bin: bench.real, processes: 1, gated: true})
	s.fake.Calm()
	s.fake.RedeliverShare(0)
	for _, kind := range []telegramfake.FaultKind{
		telegramfake.DropBefore, telegramfake.DropAfter, telegramfake.BadGateway, telegramfake.Internal,
	} {
		s.fake.Chance("sendMessage", 0.12, telegramfake.Fault{Kind: kind})
	}
	// Three replies for each message, of which more than every third send goes
	// wrong.
	s.says(bench.size.faults)
	s.settle()
	faults := s.fake.Faults()
	s.fake.Calm()
	if faults < bench.size.faults {
		t.Errorf("only %d faults were provoked", faults)
	}
	if got := s.counted("unknown"); got != faults {
		t.Errorf("R4: %d connections cut or answered by a proxy, %d sends recorded as unknown (seed %d)", faults, got, bench.seed)
	}
	// Then nobody can be reached at all, until some have tried.
	n := bench.size.faults / 10
	world.Must(t, s.gate.shut())
	s.says(n)
	for again := 0; s.counted("temporary") < n && again < 600; again++ {
		s.wait(100 * time.Millisecond)
	}
	s.gate.open(t)
	v := s.judge()
	refused := s.counted("temporary")
	if refused < n {
		t.Errorf("R4: nobody could be reached, and %d sends are recorded as temporary (seed %d)", refused, bench.seed)
	}
	notes := map[string]float64{"cut or answered by a proxy": float64(faults), "of these recorded as unknown": float64(s.counted("unknown")), "refused and recorded as temporary": float64(refused)}
	tries, sent, given := 0, 0, 0
	for _, r := range v.books.replies {
		tries += r.tries
		switch r.state {
		case "sent":
			sent++
		case "unknown":
			given++
			if r.class != "unknown" || r.tries != 3 {
				t.Errorf("R4: reply %d was given up after %d tries as %q (seed %d)", r.id, r.tries, r.class, bench.seed)
			}
		default:
			t.Errorf("R4: reply %d ended as %s %s (seed %d)", r.id, r.state, r.class, bench.seed)
		}
	}
	if tries-sent != faults+refused {
		t.Errorf("R4: %d tries for %d replies that were sent, though %d went wrong (seed %d)", tries, sent, faults+refused, bench.seed)
	}
	s.lostTasks(v)
	v.unanswered = nil // some numbers were given up; people have a task for each
	notes["given up as unknown"] = float64(given)
	s.report(v, "faults", "R4", notes)
	v.breach(t, "R1: acknowledged and lost", v.lost)
	v.breach(t, "R2: more than one ticket", v.double)
	if len(v.missing) > 0 {
		t.Errorf("R3: %d replies count as sent and were never given to the network (seed %d)", len(v.missing), bench.seed)
	}
}

// lostTasks holds that every conversation with a message that was given up
// lies before people.
func (s *scene) lostTasks(v verdict) {
	s.t.Helper()
	chats := map[string]bool{}
	for _, r := range v.unfinished {
		chats[r.chat] = true
	}
	tasks := s.tasks("lost")
	if tasks != len(chats) {
		s.t.Errorf("R16: messages to %d chats were given up, %d tasks say so (seed %d)", len(chats), tasks, bench.seed)
	}
}

// counted is how many sends the processes counted under a class.
func (s *scene) counted(class string) (n int) {
	s.t.Helper()
	line := regexp.MustCompile(`(?m)^shaoying_sends_total\{channel="` + account + `",class="` + class + `",state="\w+"\} (\d+)$`)
	for _, url := range s.house.urls() {
		body, err := get(url + "/metrics")
		world.Must(s.t, err)
		for _, m := range line.FindAllStringSubmatch(body, -1) {
			v, err := strconv.Atoi(m[1])
			world.Must(s.t, err)
			n += v
		}
	}
	return n
}

func get(url string) (string, error) {
	res, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, res.Status)
	}
	return string(body), err
}
