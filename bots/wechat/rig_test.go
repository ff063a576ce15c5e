package wechat

import (
	"log/slog"
	"os"
	"testing"

	"github.com/goccy/go-yaml"

	"shaoying/bots"
	"shaoying/bots/botstest"
	"shaoying/bots/wechat/wechatfake"
	"shaoying/internal/clock"
)

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig {
		return wechatfake.NewRig(func(api string, state bots.State, log *slog.Logger) (bots.Adapter, func()) {
			a := open(t, settings(t, api), Deps{Clock: clock.New(), Log: log, State: state})
			return a, a.client.Close
		}, ChatOf)
	})
}

// settings are what serve would use, for the account at api.
func settings(t testing.TB, api string) Config {
	t.Helper()
	body, err := os.ReadFile("../../configs/policies/wechat.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{ID: "wx", APIURL: api}
	if err := yaml.Unmarshal(body, &cfg.Limits); err != nil {
		t.Fatal(err)
	}
	return cfg
}

func open(t testing.TB, cfg Config, deps Deps) *Adapter {
	t.Helper()
	a, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
