//go:build kill

package kill

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"shaoying/bots/telegram/telegramfake"
	"shaoying/test/world"
)

const (
	// account is the channel account of every run.
	account = "tg"
	// secret is what the network shows when it calls the webhook.
	secret = "kill-webhook-secret"
	// firstUser is the id of the first resident.
	firstUser = 5_000_000_000
	// eachSays is how many messages one resident of a run with bursts sends,
	// one in a burst.
	eachSays = 4
	// moments is how long after the beginning of a burst its kills come.
	moments = 4 * time.Second
	// patience is how long everything that must happen is waited for; only
	// failing tests wait that long.
	patience = 4 * time.Minute
)

// answerAfter is how long the network takes for each message: while it does,
// a kill finds messages in the air.
const answerAfter = 50 * time.Millisecond

// words are what a resident reports: a danger, with its place, so that one
// message makes one ticket at once and is answered by its number.
func words(mark string) string {
	return "东大街街道张家大屋居委会煤气味很重，记号" + mark
}

// scene is one run: a network, a database, processes, and the ledger.
type scene struct {
	t      *testing.T
	db     *database
	fake   *telegramfake.Server
	gate   *gate // nil where nothing stands before the network
	house  *house
	ledger *ledger
	rand   *rand.Rand
	began  time.Time
	api    string   // where processes find the network
	vars   []string // the environment of every process
	made   int
	crash  int
	stops  int
}

// play is what a run differs in.
type play struct {
	bin       string
	alter     string // KILL_ALTER
	poll      bool
	processes int
	crashes   bool // the run crashes its database
	gated     bool // a gate stands before the network
	// before, where it is set, prepares the database.
	before func(*testing.T, *database)
}

// newScene starts everything.
func newScene(t *testing.T, p play) *scene {
	t.Helper()
	s := &scene{t: t, ledger: newLedger(), rand: chance(t.Name()), began: time.Now()}
	s.db = newDatabase(t, p.crashes)
	if p.before != nil {
		p.before(t, s.db)
	}
	s.fake = telegramfake.New(telegramfake.Config{Seed: s.rand.Uint64()})
	t.Cleanup(s.fake.Close)
	s.fake.Chance("sendMessage", 1, telegramfake.Fault{Kind: telegramfake.Slow, Delay: answerAfter})
	s.fake.RedeliverShare(redelivered / 100.)
	s.api = s.fake.URL()
	if p.gated {
		s.gate = newGate(t, strings.TrimPrefix(s.api, "http://"))
		s.api = "http://" + s.gate.addr
	}
	s.vars = s.env(p)
	s.house = newHouse(t, p.bin, p.processes, s.vars)
	s.fake.Balance(s.house.urls()...)
	return s
}

// env leads a program to the database and the network of this scene.
func (s *scene) env(p play) []string {
	s.t.Helper()
	name := filepath.Join(s.t.TempDir(), "shaoying.yaml")
	world.Must(s.t, os.WriteFile(name, []byte(s.config(p)), 0o600))
	return append(environment(s.db.dsn), "SHAOYING_CONFIG="+name, "KILL_ALTER="+p.alter,
		"KILL_TOKEN="+s.fake.Token(), "KILL_WEBHOOK_SECRET="+secret)
}

// says lets n new residents tell of a danger, each in an own chat.
func (s *scene) says(n int) {
	for range n {
		s.tells(s.made, "")
	}
}

// tells lets one resident tell of a danger, with more behind it.
func (s *scene) tells(resident int, more string) (mark string) {
	mark = marked(s.made)
	s.made++
	user := s.fake.User(int64(firstUser+resident), "居民")
	s.ledger.says(mark, strconv.FormatInt(user.Chat(), 10))
	user.Says(words(mark) + more)
	return mark
}

// acknowledged waits until the network has nothing left to deliver: everything
// that was said has been acknowledged then.
func (s *scene) acknowledged() {
	s.t.Helper()
	if !s.fake.Await(patience, func() bool { return s.fake.Waiting() == 0 }) {
		s.t.Fatalf("%d messages were not acknowledged within %s (seed %d)", s.fake.Waiting(), patience, bench.seed)
	}
}

// bursts lets residents speak in bursts. The kills and crashes of a burst come
// at random instants within its first moments; in every other burst the first
// kill comes at the very instant at which its last message was acknowledged. The
// next burst begins when this one was acknowledged, whatever else is still to be
// done.
func (s *scene) bursts(messages, kills, crashes int, within time.Duration) {
	s.t.Helper()
	n := messages / bench.size.burst
	residents := max(messages/eachSays, bench.size.burst)
	for i := range n {
		for range bench.size.burst {
			s.tells(s.made%residents, "")
		}
		deadly := share(kills, i, n)
		if i%2 == 0 && deadly > 0 {
			s.acknowledged()
			s.kill()
			deadly--
		}
		acts := make([]func(), deadly, deadly+1)
		for k := range acts {
			acts[k] = s.kill
		}
		if share(crashes, i, n) > 0 {
			acts = slices.Insert(acts, s.rand.IntN(len(acts)+1), s.crashDatabase)
		}
		s.scatter(acts, within)
		s.acknowledged()
	}
}

// share is how many of total things fall to part i of n.
func share(total, i, n int) int { return (i+1)*total/n - i*total/n }

// scatter does acts in their order at random instants.
func (s *scene) scatter(acts []func(), within time.Duration) {
	began := time.Now()
	at := make([]time.Duration, len(acts))
	for i := range at {
		at[i] = time.Duration(s.rand.Int64N(int64(within)))
	}
	slices.Sort(at)
	for i, act := range acts {
		s.wait(at[i] - time.Since(began))
		act()
	}
}

// wait lets time pass: a kill at a random instant is what is tested.
func (s *scene) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.t.Context().Done():
	}
}

func (s *scene) kill() {
	s.t.Helper()
	at, err := s.house.any(s.rand).kill(s.t.Context())
	world.Must(s.t, err)
	s.ledger.killed(at)
}

func (s *scene) crashDatabase() {
	s.t.Helper()
	world.Must(s.t, s.db.cluster.crash())
	s.crash++
}

// settle waits until everything is acknowledged, done and sent, and until the
// network has been given nothing for a second: a broken program may still hold
// something in memory.
func (s *scene) settle() {
	s.t.Helper()
	s.acknowledged()
	world.Must(s.t, s.db.rest(s.t.Context(), patience))
	for before := -1; before != s.fake.Calls("sendMessage"); {
		before = s.fake.Calls("sendMessage")
		s.wait(time.Second)
	}
	world.Must(s.t, s.db.rest(s.t.Context(), patience))
}

// judge settles and compares.
func (s *scene) judge() verdict {
	s.t.Helper()
	s.settle()
	b, err := s.db.read(context.Background())
	world.Must(s.t, err)
	return s.ledger.judge(b, s.shown())
}

// shown is what the network showed to people.
func (s *scene) shown() []given {
	var all []given
	for _, v := range s.fake.Seen() {
		if !v.Edit {
			all = append(all, given{chat: strconv.FormatInt(v.Chat, 10), text: v.Text, at: v.At})
		}
	}
	return all
}

// report puts a run into the table.
func (s *scene) report(v verdict, name, promises string, notes map[string]float64) {
	f := v.figure(name, promises, s.ledger, s.began)
	f.Again = s.fake.Redelivered()
	f.Crashes, f.Stops, f.Notes = s.crash, s.stops, notes
	bench.figures.add(f)
}

func (s *scene) config(p play) string {
	mode := "poll"
	if !p.poll {
		// The load balancer before the processes takes the path only.
		mode = "webhook\n    webhook_url: http://127.0.0.1/bots/" + account + "\n    webhook_secret_env: KILL_WEBHOOK_SECRET"
	}
	return fmt.Sprintf(`privacy: {cross_border_assessment: "nobody is real here"}
channels:
  - id: web
    kind: webchat
  - id: %s
    kind: telegram
    api_url: %s
    token_env: KILL_TOKEN
    mode: %s
`, account, s.api, mode)
}
