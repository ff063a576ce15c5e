package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"log/slog"
	"strings"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/audit"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/scheduler/jobs"
)

func TestSealerChainsWithoutGaps(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	r.files("li", ticket.Content{})
	sealer := jobs.NewSealer(r.DB, slog.New(slog.DiscardHandler))
	written := one[int64](r, `select count(*) from trail`)
	if written == 0 {
		t.Fatal("filing left no trail")
	}
	seal := func() {
		t.Helper()
		// Rows at or above the oldest open transaction wait; another test of
		// this server may hold one for a moment.
		for deadline := t.Context(); deadline.Err() == nil; {
			if _, err := sealer.Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left, err := r.DB.TrailTail(t.Context()); err != nil || left == 0 {
				return
			}
		}
	}
	seal()
	r.files("li", ticket.Content{})
	// A link that is refused leaves no gap behind.
	_ = r.DB.InTx(t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		if err := tx.LinkTrail(ctx, []int64{1000}, []int64{1 << 40}, [][]byte{{1}}); err != nil {
			return err
		}
		return errors.New("rolled back")
	})
	seal()
	if total, linked := one[int64](r, `select count(*) from trail`), one[int64](r, `select max(position) from trail_link`); total != linked {
		t.Errorf("%d rows, last position %d", total, linked)
	}
	report, err := audit.Verify(r.chain(), audit.Head{})
	if err != nil || !report.OK() || len(report.Gaps) != 0 {
		t.Errorf("verify: %+v, %v", report, err)
	}
	r.exec(`update trail set actor = 'staff:99' where id = (select min(id) from trail)`)
	if report, err = audit.Verify(r.chain(), audit.Head{}); err != nil || report.OK() || report.Faults != 1 {
		t.Errorf("after a row was altered: %+v, %v", report, err)
	}
}

// chain reads the trail as it was sealed.
func (r *rig) chain() func(func(audit.Entry, error) bool) {
	return func(yield func(audit.Entry, error) bool) {
		rows, err := r.DB.TrailChain(r.t.Context(), 0, 10000)
		if err != nil {
			yield(audit.Entry{}, err)
			return
		}
		for _, row := range rows {
			record := &audit.Record{ID: row.TrailID, At: *row.At, Actor: *row.Actor, Kind: *row.Kind, Subject: *row.Subject, Data: row.Data, Digest: row.Digest}
			if !yield(audit.Entry{Position: row.Position, RecordID: row.TrailID, Hash: row.Hash, Record: record}, nil) {
				return
			}
		}
	}
}

func TestRetentionForgetsWordsAndKeepsFigures(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	id := r.files("li", ticket.Content{})
	r.says("li", "你好")
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'resolved', satisfied = 'satisfied'`)
	r.exec(`update assignment set basis = 'x', reply = 'x'`)
	r.exec(`update due set state = 'cleared', done_at = product_now()`)
	r.exec(`update outbox set state = 'sent'`)
	r.exec(`insert into report (channel, event_key, chat, receipt, outbox_id, state, code, at)
		select 'web', n::text, 'li', '', 0, 'delivered', '', now() - make_interval(days => n) from generate_series(10, 20) n`)
	r.exec(`insert into spend (scope, name, since, count) select 'all', '', product_now() - make_interval(days => n), 1 from generate_series(395, 405) n`)
	r.exec(`insert into mailbox (channel, chat, seq, key, item) select 'web', 'li', n, n::text, 'x' from generate_series(1, 3) n`)
	keys := one[int64](r, `select count(*) from inbox`)

	retain := func() {
		t.Helper()
		job := jobs.Retention(r.deps)
		cursor := ""
		for done := false; !done; {
			r.do("li", func(ctx context.Context, t *gateway.Turn) (err error) {
				cursor, done, err = job.Run(ctx, t, gateway.Slot{}, cursor)
				return err
			})
		}
	}
	retain()
	if n := one[int64](r, `select (select count(*) from report) * 100 + (select count(*) from spend)`); n != 405 { // younger than 14 and than 400 days
		t.Errorf("%d, want 4 reports and 5 counters left", n)
	}
	if n := one[int64](r, `select count(*) from message where kind = 'text'`); n == 0 {
		t.Fatal("forgot what is young")
	}
	if err := r.DB.SetProductTime(t.Context(), r.now().AddDate(3, 0, 10)); err != nil {
		t.Fatal(err)
	}
	retain()
	if n := one[int64](r, `select count(*) from message where at < product_now() - interval '1 day'`); n != 0 {
		t.Errorf("%d old messages are left", n)
	}
	if n := one[int64](r, `select count(*) from trail_words w join trail t on t.id = w.trail_id where t.at < product_now() - interval '1 day'`); n != 0 {
		t.Errorf("%d old words of the trail are left", n)
	}
	if n := one[int64](r, `select count(*) from mailbox`); n != 1 {
		t.Errorf("%d items in the mailbox, want the last one", n)
	}
	if n := one[int64](r, `select count(*) from inbox`); n < keys {
		t.Errorf("%d keys of %d are left: they are kept by database time, which has not moved", n, keys)
	}
	if n := one[int64](r, `select count(*) from trail where subject = $1`, "ticket:1"); n == 0 {
		t.Error("the trail of the ticket is gone")
	}
	r.do("li", func(ctx context.Context, t *gateway.Turn) error {
		o, err := r.deps.Orders.Load(ctx, t, id, false)
		if err != nil {
			return err
		}
		words, err := r.deps.Orders.Words(o)
		if words != "" || o.Place.Label != "" || o.Outcome != ticket.OutcomeResolved || o.Place.Grid != grid {
			r.t.Errorf("after erasing: words %q, label %q, outcome %s, grid %s", words, o.Place.Label, o.Outcome, o.Place.Grid)
		}
		return err
	})
	if n := one[int64](r, `select count(*) from assignment where basis is not null or reply is not null`); n != 0 {
		t.Errorf("the words of %d desks are left", n)
	}
	erased := one[[]byte](r, `select words from ticket`)
	retain()
	if again := one[[]byte](r, `select words from ticket`); !bytes.Equal(erased, again) {
		t.Error("what is erased is erased again every night")
	}
}

func TestMediaFetchesCleansAndRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 09:00")
	var good bytes.Buffer
	if err := png.Encode(&good, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, kind string
		file       []byte
		err        error
		want       string
	}{
		{"photo", "photo", good.Bytes(), nil, "done"},
		{"voice", "voice", []byte("AMR"), nil, "done"},
		{"notphoto", "photo", []byte("<html>"), nil, "dropped"},
		{"huge", "voice", bytes.Repeat([]byte{1}, r.deps.Privacy.Photo.MaxBytesIn+1), nil, "dropped"},
		{"refused", "voice", nil, &bots.Error{Class: bots.ClassRejected, Err: errors.New("file is too big")}, "dropped"},
	} {
		r.net.file, r.net.err = c.file, c.err
		r.do("li", func(ctx context.Context, t *gateway.Turn) error {
			_, err := r.sql.Exec(ctx, `insert into blob (id, kind, mime, size, pending, conversation_id) values ($1, $2, 'audio/amr', 0, $3, $4)`,
				c.name, c.kind, t.Seal("blob.body", `{"Key":"k"}`), t.Conversation)
			return err
		})
		r.exec(`insert into due (kind, subject, key, due_at) values ('media', 'blob:' || $1::text, 'fetch', product_now())`, c.name)
		r.drain()
		if got := one[string](r, `select state from due where subject = 'blob:' || $1::text`, c.name); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if filled := one[bool](r, `select body is not null and pending is null from blob where id = $1`, c.name); filled != (c.want == "done") {
			t.Errorf("%s: filled %t", c.name, filled)
		}
	}
	if mime := one[string](r, `select mime from blob where id = 'photo'`); mime != "image/jpeg" {
		t.Errorf("a photo is kept as %s", mime)
	}
}

func TestDigestOnWorkdaysForWhoHasSomething(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-06 12:00") // a Friday
	r.files("li", ticket.Content{Urgency: ticket.Utilities})
	r.heard("wang")
	r.exec(`update due set state = 'cleared' where state = 'planned'`)
	r.until("2026-03-08 20:00")
	r.holds(r.heard("wang"))
	r.until("2026-03-09 08:30")
	r.holds(r.heard("wang"), "手上1件，今天到期0件，已超时1件")
	r.holds(r.heard("hui"))
}

func TestCalendarWarnsBeforeItEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-11-01 09:00")
	r.hire("guan", "admin", "city", "3603")
	r.until("2026-11-09 09:05") // a Monday, 52 days before the end of the year
	r.holds(r.heard("guan"))
	r.until("2026-11-16 09:05")
	r.holds(r.heard("guan"), "2026-12-31")
}

func TestCodeGoesOutAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, "2026-03-03 23:00")
	r.do("li", func(ctx context.Context, t *gateway.Turn) error {
		return t.PlanDue(ctx, gateway.Plan{
			Kind: "code", Subject: postgres.Subject("address", t.Address), Key: "code:1", At: t.Now, NotAfter: t.Now.Add(5 * time.Minute),
			Data: map[string]any{"digits": t.Seal("due.code", "483920")},
		})
	})
	if got := r.heard("li"); len(got) != 1 || !strings.Contains(got[0], "483920") {
		t.Errorf("heard %q", got)
	}
}
