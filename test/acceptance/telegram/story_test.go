//go:build acceptance

package telegram

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"shaoying/test/world"
)

// TestStoryUnderEveryFault: the same story over as many bots as there are
// troubles, by polls and by webhook, all at once in one city. Everybody comes to
// the end of it, every event is done, and there are as many tickets as reports.
func TestStoryUnderEveryFault(t *testing.T) {
	w, server, accounts := city(t, troubles())
	before := one(t, w, `select count(*) from ticket`)
	for _, a := range accounts {
		if a.trouble.from != nil {
			a.trouble.from(a.net)
		}
	}
	part(t, "the staff joins", accounts, func(t *testing.T, a *account) {
		a.story.Join(t, w, "李师傅"+a.id)
	})
	part(t, "the residents report", accounts, func(t *testing.T, a *account) {
		a.story.Ask(t)
		if a.trouble.cut != nil {
			a.trouble.cut(t, a)
		} else {
			a.story.Confirm(t)
		}
	})
	part(t, "the staff works", accounts, func(t *testing.T, a *account) { a.story.Work(t) })
	callback(t, server, accounts)
	part(t, "the residents rate", accounts, func(t *testing.T, a *account) { a.story.Rate(t) })

	for _, a := range accounts {
		if !a.net.Await(world.Patience, func() bool { return a.net.Waiting() == 0 }) {
			t.Errorf("%s: %d updates were never taken", a.id, a.net.Waiting())
		}
		if a.trouble.faulty && a.net.Faults() == 0 {
			t.Errorf("%s: nothing went wrong, so nothing was proven", a.id)
		}
		if answered, taps := a.net.Answered(); a.trouble.name != "polls and taps fail" && answered != taps {
			t.Errorf("%s: %d of %d taps were answered", a.id, answered, taps)
		}
	}
	for what, c := range map[string]struct {
		query string
		want  int
	}{
		"tickets":               {`select count(*) from ticket`, before + len(accounts)},
		"tickets rated well":    {`select count(*) from ticket where state = 'closed' and satisfied = 'satisfied'`, len(accounts)},
		"events that wait":      {`select count(*) from inbox where state in ('waiting', 'dead')`, 0},
		"photos of the result":  {`select count(*) from blob where kind = 'photo' and body is not null`, len(accounts)},
		"messages given up":     {`select count(*) from outbox where state in ('failed', 'unknown') and channel not in (` + blocked(accounts) + `)`, 0},
		"accounts nobody heard": {fmt.Sprintf(`select %d - count(distinct channel) from outbox where state = 'sent' and channel like 'tg-%%'`, len(accounts)), 0},
	} {
		if n := one(t, w, c.query); n != c.want {
			t.Errorf("%s: %d, want %d", what, n, c.want)
		}
	}
	checked(t, w, accounts)
}

// checked runs `channels check` beside the server: all is well, and then one
// account's webhook is somebody else's.
func checked(t *testing.T, w *world.World, accounts []*account) {
	t.Helper()
	for _, a := range accounts {
		a.net.Calm()
	}
	out, err := w.Run("channels", "check", "--json")
	if n := strings.Count(out, `"ok": true`); err != nil || n != len(accounts)+1 {
		t.Errorf("channels check: %v, %d accounts are well:\n%s", err, n, out)
	}
	accounts[1].net.SetWebhook("https://other.example/x", "")
	out, err = w.Run("channels", "check")
	if err == nil || !strings.Contains(out, accounts[1].id+" (telegram): WRONG") || !strings.Contains(out, "other.example") {
		t.Errorf("channels check over a foreign webhook: %v\n%s", err, out)
	}
	for _, a := range accounts {
		if strings.Contains(out, a.net.Token()) {
			t.Error("channels check prints a token")
		}
	}
}

// blocked lists, for SQL, the accounts whose resident had blocked us for a while.
func blocked(accounts []*account) string {
	var ids []string
	for _, a := range accounts {
		if a.trouble.name == "blocked and back" {
			ids = append(ids, "'"+a.id+"'")
		}
	}
	return strings.Join(ids, ", ")
}

// callback moves the clock from due thing to due thing until everybody was
// called back.
func callback(t *testing.T, server *world.Server, accounts []*account) {
	t.Helper()
	called := func() bool {
		for _, a := range accounts {
			if !a.story.Called() {
				return false
			}
		}
		return true
	}
	for range 60 {
		server.Next(t)
		if accounts[0].net.Await(300*time.Millisecond, called) || called() {
			return
		}
	}
	for _, a := range accounts {
		if !a.story.Called() {
			t.Errorf("%s was not called back", a.id)
		}
	}
	t.FailNow()
}
