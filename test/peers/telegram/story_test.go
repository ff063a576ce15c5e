//go:build peers

// Package telegram plays the story over a Telegram that was written by others:
// npm telegram-test-api 4.2.1, untouched. What we believe of the Bot API is so
// compared with what somebody else believes. The emulator gives each update
// once, so nothing about redelivery can be learned here; our own fake is for
// that.
package telegram

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"shaoying/test/world"
)

func TestStoryOverTheEmulator(t *testing.T) {
	e := startEmulator(t)
	proxy := httptest.NewServer(e.translator())
	defer proxy.Close()
	w, server := city(t, e, proxy.URL)

	story := world.Story{
		Resident: e.phone(t, 5001, "王阿姨"), Staff: e.phone(t, 6001, "李师傅"), Where: "昌盛小区3栋", Trouble: world.Troubles()[0],
	}
	story.Join(t, w, "李师傅")
	story.Report(t)
	story.Work(t)
	called := func() bool {
		return story.Called()
	}
	for range 25 {
		if server.Next(t); world.Soon(called) {
			break
		}
	}
	story.Rate(t)

	ctx := context.Background()
	d, err := w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	var tickets int
	var state, satisfied string
	world.Must(t, d.Scan(ctx, `select count(*) from ticket`, nil, &tickets))
	world.Must(t, d.Scan(ctx, `select state, satisfied from ticket where number = $1`, []any{world.Plain(story.Number)}, &state, &satisfied))
	if tickets != 1 || state != "closed" || satisfied != "satisfied" {
		t.Errorf("%d tickets; ours is %s and %s", tickets, state, satisfied)
	}
}

// city starts a demo city with one account, whose Telegram is at api.
func city(t *testing.T, e *emulator, api string) (*world.World, *world.Server) {
	t.Helper()
	w := world.Found(t, world.Build)
	config := fmt.Sprintf("channels:\n  - {id: web, kind: webchat}\n  - {id: tg, kind: telegram, mode: poll, api_url: %q, token_env: TOKEN}\n", api)
	w.Configure(t, config, "TOKEN="+e.token)
	s := w.Serve(t, "--demo")
	return w, s
}
