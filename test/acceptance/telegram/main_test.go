//go:build acceptance

// Package telegram proves the whole program over our own fake of Telegram, by
// polls and by webhook, under every fault that the fake has.
package telegram

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"shaoying/bots/telegram/telegramfake"
	"shaoying/test/world"
)

// The people of a story wait for one another most of the time, so all of the
// stories can be told at once, however few processors there are.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// account is one bot of the city, on a Telegram of its own.
type account struct {
	id      string
	mode    string
	city    *world.World
	net     *telegramfake.Server
	story   world.Story
	trouble trouble
}

// city starts a demo city in which every mode has an account for every trouble.
func city(t *testing.T, troubles []trouble) (*world.World, *world.Server, []*account) {
	t.Helper()
	w := world.Found(t, world.Build)

	var accounts []*account
	// channels check is not told that it is the demo.
	config := "privacy: {cross_border_assessment: nobody is real here}\nchannels:\n  - {id: web, kind: webchat}\n"
	for i, tr := range troubles {
		for _, mode := range []string{"poll", "webhook"} {
			n := len(accounts)
			a := &account{
				id: fmt.Sprintf("tg-%d-%s", i, mode), mode: mode, trouble: tr, city: w,
				net: telegramfake.New(telegramfake.Config{
					Seed: uint64(n + 1), Token: fmt.Sprintf("70000000%02d:AAFake-Token_of_a_test_bot-0123456789", n),
				}),
			}
			t.Cleanup(a.net.Close)
			a.net.Balance("http://" + w.Addr)
			a.story = world.Story{
				Resident: world.OnFake(a.net.User(5001, "居民 王")), Staff: world.OnFake(a.net.User(6001, "李师傅")),
				Where: fmt.Sprintf("昌盛小区%d栋", n+1), Trouble: world.Troubles()[n%len(world.Troubles())],
			}
			accounts = append(accounts, a)
			config += fmt.Sprintf("  - {id: %s, kind: telegram, mode: %s, api_url: %q, token_env: TOKEN_%d", a.id, mode, a.net.URL(), n)
			if mode == "webhook" {
				config += fmt.Sprintf(", webhook_url: %q, webhook_secret_env: SECRET", "https://city.example/bots/"+a.id)
			}
			config += "}\n"
			w.Env = append(w.Env, fmt.Sprintf("TOKEN_%d=%s", n, a.net.Token()))
		}
	}
	w.Configure(t, config, "SECRET=webhook-secret-of-the-city-0123")

	s := w.Serve(t, "--demo")
	return w, s, accounts
}

// one reads one number from the database beside the running server.
func one(t *testing.T, w *world.World, query string) (n int) {
	t.Helper()
	ctx := context.Background()
	d, err := w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	world.Must(t, d.Scan(ctx, query, nil, &n))
	return n
}

// part tells one part of every account's story at once and waits for all.
func part(t *testing.T, name string, accounts []*account, tell func(*testing.T, *account)) {
	t.Helper()
	began := time.Now()
	t.Run(name, func(t *testing.T) {
		for _, a := range accounts {
			t.Run(strings.ReplaceAll(a.trouble.name, " ", "-")+"/"+a.mode, func(t *testing.T) {
				t.Parallel()
				tell(t, a)
			})
		}
	})
	t.Logf("%s: %s", name, time.Since(began).Round(time.Millisecond))
	if t.Failed() {
		t.FailNow()
	}
}
