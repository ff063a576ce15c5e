//go:build kill

package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/ticket"
)

// given is one message as the network showed it to somebody.
type given struct {
	chat, text string
	at         time.Time
}

// reply is a row of the outbox with the words that were sent for it.
type reply struct {
	id                       int64
	chat, state, class, text string
	tries                    int
}

// books is what the database says when everything has come to rest, by the
// mark that every message carries.
type books struct {
	heard   map[string]int      // turns that took the message
	dead    map[string]int      // dead letters, with the tries they had
	tickets map[string][]string // spoken numbers
	order   map[string][]string // chat -> marks, in the order of their turns
	replies []reply
}

// mark is how a message is known again wherever its words turn up.
var mark = regexp.MustCompile(`记号([a-z]+)`)

// marked makes a mark of letters alone: digits could be read as a house number.
func marked(n int) string {
	var b []byte
	for range 6 {
		b = append(b, byte('a'+n%26))
		n /= 26
	}
	slices.Reverse(b)
	return string(b)
}

// read opens the books.
func (d *database) read(ctx context.Context) (*books, error) {
	b := &books{heard: map[string]int{}, dead: map[string]int{}, tickets: map[string][]string{}, order: map[string][]string{}}
	return b, d.look(ctx, func(c *pgx.Conn) error {
		for _, part := range []func(context.Context, *pgx.Conn, *books) error{d.readHeard, d.readDead, d.readTickets, d.readReplies} {
			if err := part(ctx, c, b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *database) readHeard(ctx context.Context, c *pgx.Conn, b *books) error {
	var chat string
	var body []byte
	return each(ctx, c, `select c.chat, m.body from message m join conversation c on c.id = m.conversation_id
		where m.direction = 'in' order by m.id`, []any{&chat, &body}, func() error {
		var said struct {
			Text string `json:"t"`
		}
		if err := d.open(body, "message.body", &said); err != nil {
			return err
		}
		if m := mark.FindStringSubmatch(said.Text); m != nil {
			b.heard[m[1]]++
			b.order[chat] = append(b.order[chat], m[1])
		}
		return nil
	})
}

func (d *database) readDead(ctx context.Context, c *pgx.Conn, b *books) error {
	var tries int
	var event []byte
	return each(ctx, c, `select tries, event from inbox where state = 'dead'`, []any{&tries, &event}, func() error {
		var ev struct{ Text string }
		if err := d.open(event, "inbox.event", &ev); err != nil {
			return err
		}
		if m := mark.FindStringSubmatch(ev.Text); m != nil {
			b.dead[m[1]] = tries
		}
		return nil
	})
}

func (d *database) readTickets(ctx context.Context, c *pgx.Conn, b *books) error {
	var number string
	var words []byte
	return each(ctx, c, `select number, words from ticket`, []any{&number, &words}, func() error {
		plain, err := d.keys.Open(words, "ticket.words")
		if err != nil {
			return fmt.Errorf("open the words of a ticket: %w", err)
		}
		for _, m := range mark.FindAllStringSubmatch(string(plain), -1) {
			b.tickets[m[1]] = append(b.tickets[m[1]], ticket.Number(number).Spoken())
		}
		return nil
	})
}

func (d *database) readReplies(ctx context.Context, c *pgx.Conn, b *books) error {
	var r reply
	var body []byte
	return each(ctx, c, `select o.id, o.chat, o.state, o.error_class, o.tries, m.body from outbox o
		left join message m on m.outbox_id = o.id and m.direction = 'out' where o.channel = $1 order by o.id`,
		[]any{&r.id, &r.chat, &r.state, &r.class, &r.tries, &body}, func() error {
			r.text = ""
			if body != nil {
				plain, err := d.keys.Open(body, "message.body")
				if err != nil {
					return fmt.Errorf("open what was said: %w", err)
				}
				r.text = string(plain)
			}
			b.replies = append(b.replies, r)
			return nil
		}, account)
}

// open opens sealed JSON.
func (d *database) open(sealed []byte, as string, v any) error {
	plain, err := d.keys.Open(sealed, as)
	if err != nil {
		return fmt.Errorf("open %s: %w", as, err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("read %s: %w", as, err)
	}
	return nil
}

func each(ctx context.Context, c *pgx.Conn, query string, into []any, f func() error, args ...any) error {
	rows, err := c.Query(ctx, query, args...)
	if err == nil {
		_, err = pgx.ForEachRow(rows, into, f)
	}
	if err != nil {
		return fmt.Errorf("read the books: %w", err)
	}
	return nil
}

// ledger knows what the network was told.
type ledger struct {
	mu    sync.Mutex
	said  map[string]string // mark -> chat
	kills []time.Time
}

func newLedger() *ledger { return &ledger{said: map[string]string{}} }

func (l *ledger) says(mark, chat string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.said[mark] = chat
}

func (l *ledger) killed(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kills = append(l.kills, at)
}

// perKill is how many duplicate replies a kill may cost on average.
const perKill = 3

// verdict is what the comparison comes to.
type verdict struct {
	lost, double, unanswered []string // marks
	missing, unfinished      []reply
	doubled, copies          int
	resumed                  []time.Duration
	books                    *books
	shown                    map[string][]given
}

// judge compares what was acknowledged (everything that was said, once the
// network has nothing left to deliver), what is in the books and what was
// given out.
func (l *ledger) judge(b *books, out []given) verdict {
	v := verdict{books: b, shown: map[string][]given{}}
	copies := map[[2]string]int{}
	for _, g := range out {
		v.shown[g.chat] = append(v.shown[g.chat], g)
		copies[[2]string{g.chat, g.text}]++
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for m, chat := range l.said {
		switch n := len(b.tickets[m]); {
		case b.dead[m] > 0:
		case n == 0 || b.heard[m] == 0:
			v.lost = append(v.lost, m)
		case n > 1 || b.heard[m] > 1:
			v.double = append(v.double, m)
		case !slices.ContainsFunc(v.shown[chat], func(g given) bool { return strings.Contains(g.text, b.tickets[m][0]) }):
			v.unanswered = append(v.unanswered, m)
		}
	}
	rows := map[[2]string][]reply{}
	for _, r := range b.replies {
		if r.state == "sent" {
			key := [2]string{r.chat, r.text}
			rows[key] = append(rows[key], r)
		} else {
			v.unfinished = append(v.unfinished, r)
		}
	}
	for key, same := range rows {
		n := copies[key]
		for i := n; i < len(same); i++ {
			v.missing = append(v.missing, same[i])
		}
		v.doubled += max(0, n-len(same))
		// One text twice in a chat: which copy is whose cannot be told.
		v.copies = max(v.copies, n-len(same)+1)
	}
	v.resumed = resumed(l.kills, out)
	return v
}

// resumed is how long after each kill the network was given a message again.
func resumed(kills []time.Time, out []given) []time.Duration {
	at := make([]time.Time, len(out))
	for i, g := range out {
		at[i] = g.at
	}
	slices.SortFunc(at, time.Time.Compare)
	var all []time.Duration
	for _, k := range kills {
		i, _ := slices.BinarySearchFunc(at, k, time.Time.Compare)
		if i < len(at) {
			all = append(all, at[i].Sub(k))
		}
	}
	return all
}

// figure puts the verdict into the report.
func (v verdict) figure(name, promises string, l *ledger, began time.Time) figure {
	return figure{
		Run: name, Promises: promises, Messages: len(l.said), Kills: len(l.kills),
		Lost: len(v.lost), Double: len(v.double), Replies: len(v.books.replies),
		Missing: len(v.missing) + len(v.unanswered), Doubled: v.doubled, MaxCopies: v.copies,
		Seconds: time.Since(began).Seconds(), ResumeP50: quantile(v.resumed, .5), ResumeP99: quantile(v.resumed, .99),
	}
}

// require fails the test when R1, R2, R3 or R9 is broken, and shows what is
// known of the first messages that broke it. Twice is how many replies may have
// been given to the network twice.
func (v verdict) require(t *testing.T, twice int) {
	t.Helper()
	v.breach(t, "R1: acknowledged and lost", v.lost)
	v.breach(t, "R2: more than one ticket", v.double)
	v.breach(t, "R3: the number was never told", v.unanswered)
	if n := len(v.missing); n > 0 {
		t.Errorf("R3: %d replies count as sent and were never given to the network: %+v", n, v.missing[:min(n, 5)])
	}
	if n := len(v.unfinished); n > 0 {
		t.Errorf("R3: %d replies were not sent: %+v", n, v.unfinished[:min(n, 5)])
	}
	if v.doubled > twice {
		t.Errorf("R3: %d duplicate replies, more than %d", v.doubled, twice)
	}
	if v.copies > 4 {
		t.Errorf("R3: %d copies of one reply", v.copies)
	}
	if p99 := quantile(v.resumed, .99); p99 > 35 {
		t.Errorf("R9: %.1f s from a kill to the next reply (p99), more than 35", p99)
	}
	if t.Failed() {
		t.Logf("repeat with SHAOYING_KILL_SEED=%d", bench.seed)
	}
}

func (v verdict) breach(t *testing.T, what string, marks []string) {
	t.Helper()
	if len(marks) == 0 {
		return
	}
	t.Errorf("%s: %d messages (seed %d)", what, len(marks), bench.seed)
	for _, m := range marks[:min(len(marks), 5)] {
		t.Logf("记号%s: turns %d, dead %d, tickets %q", m, v.books.heard[m], v.books.dead[m], v.books.tickets[m])
		for chat, all := range v.books.order {
			if !slices.Contains(all, m) {
				continue
			}
			for _, r := range v.books.replies {
				if r.chat == chat {
					t.Logf("  outbox %d %s %s tries %d: %q", r.id, r.state, r.class, r.tries, r.text)
				}
			}
			for _, g := range v.shown[chat] {
				t.Logf("  shown %s: %q", g.at.Format("15:04:05.000"), g.text)
			}
		}
	}
}
