package tally_test

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"shaoying/internal/figures"
	"shaoying/internal/postgres"
	"shaoying/internal/tally"
)

// rated adds a closed ticket that an address rated.
func (r *rig) rated(id, address int64, at time.Time) {
	number := string(testNumber(id))
	r.exec(`insert into ticket (id, number, state, claim, matter, urgency, words, reporter_id, address_id, conversation_id, version, received_at)
		overriding system value values ($1, $2, 'closed', 'help', 'road', 'general', 'x', 1, 1, 1, 1, $3)`, id, number, at)
	for i, m := range []struct{ kind, data string }{
		{"filed", `{"to": "received"}`},
		{"dispatched", `{"to": "dispatched", "desk": "housing"}`},
		{"handled", `{"to": "handled", "result": "resolved"}`},
		{"answered", `{"to": "closed", "contacted": "yes", "solved": "yes", "satisfied": "satisfied", "address": ` + strconv.FormatInt(address, 10) + `}`},
	} {
		r.exec(`insert into trail (at, actor, kind, subject, data) values ($1, 'system', 'ticket.' || $2::text, $3, $4::jsonb)`,
			at.Add(time.Duration(i-3)*time.Hour), m.kind, postgres.Subject("ticket", id), m.data)
	}
}

func TestRatingsThatLookLikeGamingAreListed(t *testing.T) {
	r := newRig(t)
	at := time.Date(2026, 3, 4, 2, 0, 0, 0, time.UTC)
	// A colleague signs; the second address belongs to the colleague's other
	// person, with the same telephone.
	r.exec(`insert into person (kind, phone_index) values ('staff', '\x01'), ('resident', '\x01')`)
	r.exec(`insert into address (channel, user_id, chat, person_id, trust) values ('web', 'v', 'v', 3, 'session')`)
	r.exec(`insert into staff (person_id, slug, name) values (2, 'wang', 'wang')`)
	for i := range int64(3) {
		r.rated(i+1, 1, at.Add(time.Duration(i*30)*time.Second)) // three within the minute
	}
	r.rated(4, 1, at.Add(10*time.Minute))
	r.rated(5, 2, at) // by the handler's telephone
	r.rated(6, 2, at) // one that the handler has nothing to do with
	for _, id := range []int64{4, 5} {
		signed := map[int64]int64{4: 0, 5: 1}[id]
		r.exec(`insert into assignment (ticket_id, role, desk_kind, desk, state, signed_by, dispatched_at) values ($1, 'lead', 'unit', 'housing', 'signed', $2, $3)`, id, signed, at)
	}
	flagged := func(want, own []int64) {
		t.Helper()
		r.tx(func(ctx context.Context, tx *postgres.Tx) error {
			if _, err := r.tally.Refresh(ctx, tx, 0); err != nil {
				return err
			}
			list, err := r.tally.Flags(ctx, tx, tally.Scope{From: month("2026-03"), To: month("2026-03")})
			var got []int64
			for _, f := range list {
				got = append(got, f.Ticket)
				if f.Own != slices.Contains(own, f.Ticket) || f.Number != testNumber(f.Ticket) {
					t.Errorf("%+v", f)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("flagged %v", got)
			}
			return err
		})
	}
	flagged([]int64{1, 2, 3, 5}, []int64{5})
	// Later the first address turns out to be the colleague's too, who had the
	// fourth ticket.
	r.exec(`update assignment set signed_by = 1 where ticket_id = 4`)
	r.exec(`update person set merged_into = 2 where id = 1`)
	flagged([]int64{1, 2, 3, 4, 5}, []int64{4, 5})
}

// What a resident answered stays as it was; only the words are forgotten.
func TestCallbacksAreAppendOnly(t *testing.T) {
	r := newRig(t)
	r.rated(1, 1, time.Date(2026, 3, 4, 2, 0, 0, 0, time.UTC))
	r.exec(`insert into callback (ticket_id, try, via) values (1, 1, 'chat')`)
	r.exec(`update callback set solved = 'no', satisfied = 'dissatisfied', words = 'x', ended = 'answered'`)
	for _, sql := range []string{
		`update callback set satisfied = 'very_satisfied'`, `update callback set solved = 'yes', ended = ''`,
		`update callback set ended = 'unanswered'`, `update callback set ticket_id = 2`, `delete from callback`,
	} {
		_, err := r.sql.Exec(t.Context(), sql)
		if pg := (*pgconn.PgError)(nil); !asPg(err, &pg) || !strings.Contains(pg.Message, "is kept") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	r.exec(`update callback set words = null`)
}

func asPg(err error, to **pgconn.PgError) bool {
	e, ok := err.(*pgconn.PgError)
	*to = e
	return ok
}

// Stars stand on 30 tickets at least, are compared inside a band, and are capped
// while a supervision is unanswered past its deadline.
func TestStars(t *testing.T) {
	r := newRig(t)
	now := time.Date(2026, 3, 20, 2, 0, 0, 0, time.UTC)
	unit := func(code string, n int32) {
		var s figures.Sums
		s[figures.N], s[figures.Reachable], s[figures.Responded], s[figures.Asked], s[figures.SolvedHalves], s[figures.RatedSatisfied] = n, n, n, n, 2*n, n
		r.exec(`insert into figure_month values ('unit', '2026-03-01', $1, '360313001', '', $2)`, code, s[:])
	}
	unit("housing", 40)
	unit("urban_management", 40)
	unit("health", 29)
	r.rated(1, 1, now)
	r.exec(`insert into supervision (number, ticket_id, desk_kind, desk, reason, opened_at, deadline) values ('1', 1, 'unit', 'housing', 'leader', $1, $2)`, now.AddDate(0, 0, -9), now.AddDate(0, 0, -4))
	r.exec(`insert into supervision (number, ticket_id, desk_kind, desk, reason, opened_at, deadline) values ('2', 1, 'unit', 'urban_management', 'leader', $1, $2)`, now.AddDate(0, 0, -1), now.AddDate(0, 0, 2))
	got := map[string]tally.UnitStars{}
	r.tx(func(ctx context.Context, tx *postgres.Tx) error {
		list, err := r.tally.Stars(ctx, tx, tally.Scope{From: month("2026-03"), To: month("2026-03")}, now)
		for _, u := range list {
			got[u.Unit] = u
		}
		return err
	})
	if u := got["housing"]; u.Count != 2 || !u.Capped || u.Band != "department_large" {
		t.Errorf("a supervision without an answer: %+v", u.Stars)
	}
	if u := got["urban_management"]; u.Count != 5 || u.Capped || math.Abs(u.Total-100) > 1e-9 {
		t.Errorf("a supervision that still runs: %+v", u.Stars)
	}
	if u := got["health"]; !u.Thin || u.Count != 0 || u.N != 29 {
		t.Errorf("29 tickets: %+v", u.Stars)
	}
}
