package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"shaoying/bots/sms/smpp"
)

// Pieces of long texts are kept sealed, once, until they are dropped.
func TestPartsAreKept(t *testing.T) {
	h := open(t, external(t))
	ctx := t.Context()
	p := &parts{channel: "sms", db: h.DB, keys: h.Keys}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(number int, body string) smpp.Group {
		t.Helper()
		g, err := p.Put(ctx, smpp.Part{Group: "g", Chat: "c", Number: number, Total: 3, Body: []byte(body)})
		must(err)
		return g
	}
	first := put(2, "二")
	put(1, "一")
	g := put(2, "another")
	if g.ID != "g" || g.Chat != "c" || g.Taken || !g.Started.Equal(first.Started) || len(g.Parts) != 2 || string(g.Parts[0].Body) != "一" || string(g.Parts[1].Body) != "二" {
		t.Errorf("%+v", g)
	}
	raw, err := h.DB.PartsOf(ctx, "sms", "g")
	must(err)
	for _, r := range raw {
		if strings.ContainsAny(string(r.Body), "一二") {
			t.Error("a piece is not sealed")
		}
	}
	must(p.Taken(ctx, "g"))
	if g, err = p.Group(ctx, "g"); err != nil || !g.Taken {
		t.Errorf("%+v, %v", g, err)
	}
	if other, err := (&parts{channel: "other", db: h.DB, keys: h.Keys}).Group(ctx, "g"); err != nil || len(other.Parts) != 0 {
		t.Errorf("another account sees %+v, %v", other, err)
	}
	if stale, err := p.Stale(ctx, time.Hour); err != nil || len(stale) != 0 {
		t.Errorf("%+v, %v", stale, err)
	}
	if stale, err := p.Stale(ctx, -time.Hour); err != nil || len(stale) != 1 || stale[0].ID != "g" || stale[0].Chat != "c" {
		t.Errorf("%+v, %v", stale, err)
	}
	must(p.Drop(ctx, "g"))
	if g, err = p.Group(ctx, "g"); err != nil || len(g.Parts) != 0 {
		t.Errorf("%+v, %v", g, err)
	}
}

func TestSMPPAccount(t *testing.T) {
	for _, c := range []struct {
		want, keys string
		demo       bool
	}{
		{"", "addr: 'smsc.example:2775', system_id: a, password_env: SMPP_PASSWORD, from: '10690'", false},
		{"--demo talks to this machine only", "addr: 'smsc.example:2775', system_id: a, password_env: SMPP_PASSWORD, from: '10690'", true},
		{"", "addr: '127.0.0.1:2775', system_id: a, password_env: SMPP_PASSWORD, from: '10690', extension_digits: 2, long: sar", true},
		{"password_env", "addr: '127.0.0.1:2775', system_id: a, from: '10690'", false},
		{"host and port", "addr: smsc, system_id: a, password_env: SMPP_PASSWORD, from: '10690'", false},
		{`unknown key "windw"`, "addr: '127.0.0.1:2775', windw: 3", false},
	} {
		e := external(t)
		e.Demo = c.demo
		e.Config = filepath.Join(t.TempDir(), "shaoying.yaml")
		body := "channels:\n  - {id: web, kind: webchat}\n  - {id: sms, kind: smpp, " + c.keys + "}\n"
		if err := os.WriteFile(e.Config, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("SMPP_PASSWORD", "secret08")
		_, err := open(t, e).build()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.keys, err, c.want)
		}
	}
}
