package remote

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/wechat"
	"shaoying/bots/wechat/wechatfake"
	"shaoying/internal/clock"
)

// TestConformance plays the suite over the personal WeChat account in its agent:
// what an adapter promises holds over two processes as well.
func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig {
		return wechatfake.NewRig(func(api string, state bots.State, log *slog.Logger) (bots.Adapter, func()) {
			return channelOver(t, api, state, log), func() {}
		}, wechat.ChatOf)
	})
}

// channelOver is a channel whose agents hold a WeChat account at api.
func channelOver(t testing.TB, api string, state bots.State, log *slog.Logger) *Channel {
	t.Helper()
	body, err := os.ReadFile("../../configs/policies/wechat.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg := wechat.Config{ID: "wx", APIURL: api}
	if err := yaml.Unmarshal(body, &cfg.Limits); err != nil {
		t.Fatal(err)
	}
	mine := Config{ID: "wx", Limits: limits(t)}
	c, err := New(mine, Deps{
		Clock: clock.New(), Log: log, State: state, Caps: cfg.Limits.Caps(),
		Start: func(at Contact) (Child, error) {
			a, err := NewAgent(mine, at, AgentDeps{Clock: clock.New(), Log: log})
			if err != nil {
				return nil, err
			}
			adapter, err := wechat.New(cfg, wechat.Deps{Clock: clock.New(), Log: log, State: a.State(), Show: a.Show})
			if err != nil {
				return nil, err
			}
			return start(func(ctx context.Context) error { return a.Run(ctx, adapter) }), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}
