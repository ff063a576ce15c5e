package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"shaoying/bots"
)

// bare is a channel whose agents do nothing; it returns how the first finds the
// door.
func bare(t *testing.T, lim Limits) (*house, Contact) {
	t.Helper()
	at := make(chan Contact, 100)
	h := openHouse(t, lim, func(c Contact) *inside {
		at <- c
		return start(func(ctx context.Context) error { <-ctx.Done(); return nil })
	})
	return h, <-at
}

// knock makes one request to the door.
func knock(t *testing.T, at Contact, token, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, at.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(said)
}

const goodEvent = `[{"Key":"k","Channel":"wx","Chat":"a","From":{"User":"u"},"Kind":"text","Text":"你好"}]`

// Nobody without the token of this life is heard, before anything of the request
// is believed; what the token's owner says is held against the contract.
func TestForgeries(t *testing.T) {
	h, at := bare(t, limits(t))
	right := bearer + at.Token.Reveal()
	forged := map[string]struct{ token, method, path, body string }{
		"no token":            {"", "POST", "/events", goodEvent},
		"empty token":         {bearer, "POST", "/events", goodEvent},
		"wrong token":         {bearer + "wrong", "POST", "/events", goodEvent},
		"part of the token":   {right[:len(right)-1], "POST", "/events", goodEvent},
		"more than the token": {right + "x", "POST", "/events", goodEvent},
		"token in lower case": {strings.ToLower(right), "POST", "/events", goodEvent},
		"basic":               {"Basic " + at.Token.Reveal(), "POST", "/events", goodEvent},
		"no scheme":           {at.Token.Reveal(), "POST", "/events", goodEvent},
		"token in the query":  {"", "POST", "/events?token=" + at.Token.Reveal(), goodEvent},
		"large body":          {"", "POST", "/events", strings.Repeat("x", 20<<20)},
		"asks for work":       {"", "GET", "/jobs", ""},
		"answers a job":       {"", "POST", "/jobs/x", "{}"},
		"sends a file":        {"", "PUT", "/files/x", "x"},
		"reads what is kept":  {"", "GET", "/state/cookies", ""},
		"writes what is kept": {"", "PUT", "/state/cookies", "x"},
		"says how it stands":  {"", "PUT", "/standing", `{"state":"online"}`},
		"no such place":       {"", "GET", "/metrics", ""},
	}
	for name, f := range forged {
		// A body that is not read may cut the connection before the answer.
		if status, said := knock(t, at, f.token, f.method, f.path, f.body); status != http.StatusUnauthorized && !(status == 0 && len(f.body) > 1<<20) {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	change := func(old, new string) string { return strings.Replace(goodEvent, old, new, 1) }
	for name, f := range map[string]struct {
		method, path, body string
		want               int
	}{
		"too large":          {"POST", "/events", strings.Repeat(" ", 8<<20) + goodEvent, 413},
		"large state":        {"PUT", "/state/cookies", strings.Repeat("x", 1<<20+1), 413},
		"no JSON":            {"POST", "/events", "<xml/>", 422},
		"no events":          {"POST", "/events", "[]", 422},
		"two values":         {"POST", "/events", goodEvent + goodEvent, 422},
		"another account":    {"POST", "/events", change(`"wx"`, `"web"`), 422},
		"trust":              {"POST", "/events", change(`"User":"u"`, `"User":"u","Trust":2`), 422},
		"verified":           {"POST", "/events", change(`"User":"u"`, `"User":"u","Trust":3`), 422},
		"a number":           {"POST", "/events", change(`"User":"u"`, `"User":"u","Phone":"+8613800138000"`), 422},
		"a due thing":        {"POST", "/events", change(`"text"`, `"due"`), 422},
		"no key":             {"POST", "/events", change(`"k"`, `""`), 422},
		"unknown field":      {"POST", "/events", change(`"Key"`, `"Staff":1,"Key"`), 422},
		"no such standing":   {"PUT", "/standing", `{"state":"verified"}`, 422},
		"a code when online": {"PUT", "/standing", `{"state":"online","qr":"x"}`, 422},
		"a long code":        {"PUT", "/standing", `{"state":"scan","qr":"` + strings.Repeat("x", 600) + `"}`, 422},
		"another's state":    {"PUT", "/state/..%2Fstanding", "x", 422},
		"nobody's lease":     {"POST", "/jobs/none", "{}", 410},
		"nobody's file":      {"PUT", "/files/none", "x", 410},
		"wrong method":       {"DELETE", "/events", "", 405},
	} {
		if status, said := knock(t, at, right, f.method, f.path, f.body); status != f.want || strings.Contains(said, "13800138000") {
			t.Errorf("%s: %d %s, want %d", name, status, said, f.want)
		}
	}
	if n := h.sink.Calls(); n != 0 {
		t.Errorf("%d of them reached the sink", n)
	}
	if status, said := knock(t, at, right, "POST", "/events", goodEvent); status != http.StatusNoContent || len(h.sink.Rows()) != 1 {
		t.Errorf("an honest event: %d %s", status, said)
	}
	if said := h.log.String(); strings.Contains(said, at.Token.Reveal()) || strings.Contains(said, "你好") {
		t.Error("the token or somebody's words stand in the log")
	}
}

// An event that was not taken is no 2xx.
func TestNotTakenIsNotAnswered(t *testing.T) {
	h, at := bare(t, limits(t))
	right := bearer + at.Token.Reveal()
	for _, c := range []struct {
		err  error
		want int
	}{{errors.New("no database"), 503}, {bots.ErrFlood, 429}, {nil, 204}} {
		h.sink.Before(func(context.Context, int, []bots.Event) error { return c.err })
		if status, _ := knock(t, at, right, "POST", "/events", goodEvent); status != c.want {
			t.Errorf("%v: %d, want %d", c.err, status, c.want)
		}
	}
	h.sink.Before(func(context.Context, int, []bots.Event) error { panic("poison") })
	if status, _ := knock(t, at, right, "POST", "/events", goodEvent); status != 503 {
		t.Errorf("a panic: %d", status)
	}
}

// The token of a life ends with it, and its door as well.
func TestEveryLifeHasItsOwnDoor(t *testing.T) {
	at := make(chan Contact, 100)
	h := openHouse(t, limits(t), func(c Contact) *inside {
		at <- c
		return start(func(ctx context.Context) error { <-ctx.Done(); return errors.New("killed") })
	})
	first, child := <-at, <-h.starts
	child.cancel()
	second := <-at
	if first.URL == second.URL || first.Token.Reveal() == second.Token.Reveal() {
		t.Error("two lives share a door or a token")
	}
	if status, _ := knock(t, second, bearer+first.Token.Reveal(), "POST", "/events", goodEvent); status != http.StatusUnauthorized {
		t.Errorf("the token of the dead: %d", status)
	}
	if status, _ := knock(t, first, bearer+first.Token.Reveal(), "POST", "/events", goodEvent); status != 0 {
		t.Errorf("the door of the dead: %d", status)
	}
	if h.sink.Calls() != 0 {
		t.Error("the dead are heard")
	}
}

// A spin costs as many requests as the pace and is ended; others are not held up
// meanwhile, and the account comes back.
func TestSpin(t *testing.T) {
	lim := limits(t)
	lim.PerSecond, lim.Burst, lim.Requests = 50, 20, 8
	lim.LookEvery, lim.SpinsAfter = 20*time.Millisecond, 400*time.Millisecond
	var served atomic.Int64
	at := make(chan Contact, 100)
	h := openHouse(t, lim, func(c Contact) *inside {
		at <- c
		return start(func(ctx context.Context) error {
			for range 50 {
				go func() {
					client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
					for ctx.Err() == nil {
						req, _ := http.NewRequestWithContext(ctx, "POST", c.URL+"/events", strings.NewReader("[]"))
						req.Header.Set("Authorization", bearer+c.Token.Reveal())
						if resp, err := client.Do(req); err == nil {
							resp.Body.Close()
							served.Add(1)
						}
					}
				}()
			}
			<-ctx.Done()
			return nil
		})
	})
	<-at
	began := time.Now()
	<-at // the next life
	took := time.Since(began)
	if most := int64(lim.Burst) + int64(took.Seconds()*lim.PerSecond) + 60; served.Load() > most {
		t.Errorf("%d requests were answered in %s, at most %d", served.Load(), took, most)
	}
	if !strings.Contains(h.log.String(), "spins") {
		t.Errorf("the log does not say why: %s", h.log.String())
	}
	t.Logf("50 loops: %d requests answered in %s", served.Load(), took.Round(time.Millisecond))
}

// An agent that ends at once is started with growing pauses, one that does not
// end when it is asked is ended.
func TestRestarts(t *testing.T) {
	h := openHouse(t, limits(t), func(Contact) *inside {
		return start(func(context.Context) error { return errors.New("exit status 2") })
	})
	limit := time.NewTimer(2 * time.Second)
	defer limit.Stop()
	<-limit.C
	if n := len(h.starts); n < 2 || n > 6 {
		t.Errorf("%d starts in 2 s", n)
	}
	h.close()

	deaf := openHouse(t, limits(t), func(Contact) *inside {
		c := start(func(ctx context.Context) error { <-ctx.Done(); return nil })
		c.deaf = true
		return c
	})
	<-deaf.starts
	deaf.close() // within a second
}

// TestGuard: what is wrong for long enough ends an agent, what is wrong for a
// moment does not.
func TestGuard(t *testing.T) {
	lim := limits(t)
	now := time.Date(2026, 3, 3, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		// each look changes the child and the life
		step func(n int, l *life, c *inside, now time.Time)
		want string
	}{
		{"works", func(n int, l *life, c *inside, now time.Time) {
			l.heard.Store(now.UnixNano())
			c.cpu += lim.LookEvery / 10
			c.memory = 50 << 20
		}, ""},
		{"busy for a moment", func(n int, l *life, c *inside, now time.Time) {
			l.heard.Store(now.UnixNano())
			if n%10 < 2 {
				c.cpu += lim.LookEvery
			}
		}, ""},
		{"computes on a busy machine", func(n int, l *life, c *inside, now time.Time) {
			l.heard.Store(now.UnixNano())
			if n%5 < 2 {
				c.cpu += lim.LookEvery
			}
		}, "processor"},
		{"computes", func(n int, l *life, c *inside, now time.Time) {
			l.heard.Store(now.UnixNano())
			c.cpu += lim.LookEvery
		}, "processor"},
		{"grows", func(n int, l *life, c *inside, now time.Time) {
			l.heard.Store(now.UnixNano())
			c.memory += 16 << 20
		}, "MB"},
		{"hangs", func(n int, l *life, c *inside, now time.Time) {}, "hangs"},
		{"spins", func(n int, l *life, c *inside, now time.Time) {
			l.heard.Store(now.UnixNano())
			l.crowded.Store(true)
		}, "spins"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := testLife(lim)
			if err != nil {
				t.Fatal(err)
			}
			child := &inside{}
			l.heard.Store(now.UnixNano())
			g := guard{life: l, child: child, from: now}
			said := ""
			for n := range 100 {
				at := now.Add(time.Duration(n) * lim.LookEvery)
				c.step(n, l, child, at)
				if err := g.look(at); err != nil {
					said = err.Error()
					break
				}
			}
			if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
				t.Errorf("said %q, want %q", said, c.want)
			}
		})
	}
}

func FuzzDecoders(f *testing.F) {
	f.Fuzz(func(t *testing.T, raw []byte) {
		if events, err := decodeEvents(raw, "wx", caps); err == nil {
			for _, ev := range events {
				if ev.Validate() != nil || ev.Channel != "wx" || ev.From.Trust != bots.TrustNone {
					t.Errorf("taken: %+v", ev)
				}
			}
		}
		if s, err := decodeStanding(raw); err == nil && (len(s.QR) > maxQR || s.State == "" || s.QR != "" && s.State != bots.StandingScan) {
			t.Errorf("taken: %+v", s)
		}
		if r, err := decodeResult(raw); err == nil && r.Failure != nil && bots.ClassOf(r.Failure.err()) == 0 {
			t.Errorf("taken: %+v", r)
		}
		if j, err := decodeJob(raw); err == nil && (j.Lease == "" || j.Send == nil && j.Fetch == nil) {
			t.Errorf("taken: %+v", j)
		}
	})
}

// TestLimits: what is missing is named.
func TestLimits(t *testing.T) {
	if err := (Limits{}).Validate(); err == nil || !strings.Contains(err.Error(), "max_events_bytes") {
		t.Errorf("nothing given: %v", err)
	}
	for _, change := range []func(*Limits){
		func(l *Limits) { l.SilentAfter = l.LongPoll },
		func(l *Limits) { l.Farewell = time.Second },
		func(l *Limits) { l.Niceness = 20 },
	} {
		l := limits(t)
		change(&l)
		if l.Validate() == nil {
			t.Errorf("taken: %s", fmt.Sprint(l))
		}
	}
}
