package jobs_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
)

// instant takes whatever is sent at once. It says when all of the bulk is out,
// and of each message to somebody else that it came.
type instant struct {
	network
	bulk  atomic.Int64
	until int64
	done  chan struct{}
	other chan bots.ChatID
}

func (*instant) Caps() bots.Caps {
	return bots.Caps{MaxText: 2000, Paid: true, TextUnit: bots.UTF16, InFlight: 256}
}

func (*instant) Parts(bots.Message) int { return 2 }

func (n *instant) Send(_ context.Context, to bots.Address, _ bots.Message) (bots.Receipt, error) {
	if !strings.HasPrefix(string(to.Chat), "b") {
		n.other <- to.Chat
	} else if n.bulk.Add(1) == n.until {
		close(n.done)
	}
	return bots.Receipt{ID: "1"}, nil
}

// BenchmarkSender measures rows through the sender of a paid channel whose
// network answers at once: half are ratings, half callbacks, each with a prompt,
// read again before it goes, counted, sent, marked, kept and its clock started.
// Meanwhile a resident writes, again and again: how long the answers take on their
// way out is the p99. Run it with -benchtime 20000x.
func BenchmarkSender(b *testing.B) {
	r := newRig(b, "2026-03-03 09:00")
	net := &instant{until: int64(b.N), done: make(chan struct{}), other: make(chan bots.ChatID, 1)}
	// Two texts as they are asked; everybody gets a copy.
	r.handles(r.files("li", ticket.Content{}))
	r.until("2026-03-04 10:00")
	r.exec(`delete from outbox where text_key not like '%.ask' or prompt_id = 0`)
	r.copies(b.N)
	r.deps.Money.All.Parts, r.deps.Money.Campaign.Parts, r.deps.Money.Number.Parts = 1<<40, 1<<40, 1<<40
	r.Money.Policy = r.deps.Money
	r.Channels[web] = net
	c, err := gateway.NewChannel(r.Gateway, web)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	b.ResetTimer()
	begun := r.Clock.Wall()
	go func() { ended <- c.Run(ctx) }()
	var waited []time.Duration
	for out := false; !out; {
		asked := r.Clock.Wall()
		for range r.says("li", "您好") {
			<-net.other
		}
		waited = append(waited, r.Clock.Since(asked))
		select {
		case <-net.done:
			out = true
		default:
		}
	}
	cancel() // what is in the air is marked before Run returns
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/r.Clock.Since(begun).Seconds(), "rows/s")
	slices.Sort(waited)
	b.ReportMetric(float64(waited[len(waited)*99/100].Milliseconds()), "p99-ms")
	if n := one[int64](r, `select count(*) from outbox where state = 'sent' and chat like 'b%'`); n != int64(b.N) {
		b.Fatalf("%d rows sent, want %d", n, b.N)
	}
	if n := one[int64](r, `select count(*) from message where outbox_id is not null and direction = 'out'`); n < int64(b.N) {
		b.Fatalf("%d messages kept", n)
	}
}

// copies makes n residents, each with a ticket of their own, and lays the last
// question that was asked before them.
func (r *rig) copies(n int) {
	r.t.Helper()
	columns := one[string](r, `select string_agg('t.' || column_name, ', ') from information_schema.columns
		where table_name = 'ticket' and column_name not in ('id', 'number', 'reporter_id', 'address_id', 'conversation_id')`)
	r.exec(`create table one as select * from outbox order by id desc limit 1`)
	r.exec(`truncate outbox`)
	r.exec(`insert into person (kind) select 'resident' from generate_series(1, $1)`, n)
	r.exec(`insert into address (channel, user_id, chat, person_id, trust, last_inbound_at)
		select 'web', 'b' || p.id, 'b' || p.id, p.id, 'session', product_now() from person p order by id desc limit $1`, n)
	r.exec(`insert into conversation (channel, chat, user_id, address_id) select 'web', chat, chat, id from address where chat like 'b%' order by id`)
	r.exec(`insert into ticket (number, reporter_id, address_id, conversation_id, ` + strings.ReplaceAll(columns, "t.", "") + `)
		select lpad((1000000 + c.id)::text, 10, '9'), a.person_id, a.id, c.id, ` + columns + `
		from conversation c join address a on a.id = c.address_id and a.chat like 'b%', (select * from ticket limit 1) t order by c.id`)
	r.exec(`insert into prompt (address_id, conversation_id, due_id, flow, state, codes, subject, subject_version, open_until)
		select t.address_id, t.conversation_id, 0, p.flow, p.state, p.codes, 'ticket:' || t.id, t.version, product_now() + interval '1 day'
		from ticket t join address a on a.id = t.address_id and a.chat like 'b%', (select * from prompt limit 1) p order by t.id`)
	r.exec(`insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, reason, subject,
			subject_version, question_turn, prompt_id, nudge_seconds, expire_seconds, rank)
		select 'web', c.chat, c.id, c.address_id, 'push', o.source, o.text_key, o.text_version, o.lang, o.params,
			case when p.id % 2 = 0 then 'callback' else 'rating' end, p.subject, p.subject_version, 1, p.id, 0, 3600, 2
		from prompt p join conversation c on c.id = p.conversation_id and c.chat like 'b%', one o order by p.id`)
	r.exec(`update ticket set state = case when id in (select substr(subject, 8)::bigint from outbox where reason = 'rating') then 'closed' else 'callback' end`)
	r.exec(`analyze`)
}
