package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/remote"
)

// withWeChat is an environment whose configuration has a personal account.
func withWeChat(t *testing.T, keys string) Env {
	t.Helper()
	e := external(t)
	e.Config = filepath.Join(t.TempDir(), "shaoying.yaml")
	if err := os.WriteFile(e.Config, []byte("channels:\n  - {id: web, kind: webchat}\n  - {id: wx, kind: wechat"+keys+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return e
}

// A personal account is made over its agent, which nothing starts before its owner
// runs it; how it stands is told in words.
func TestWeChatIsHeldByAnAgent(t *testing.T) {
	h := open(t, withWeChat(t, ""))
	s, err := h.build()
	if err != nil {
		t.Fatal(err)
	}
	account, ok := s.gateway.Channels["wx"].(*remote.Channel)
	if !ok || account.Caps().Trust != bots.TrustNone || account.Caps().MaxText == 0 {
		t.Fatalf("the account is a %T", s.gateway.Channels["wx"])
	}
	r := h.CheckChannels(t.Context())[1]
	if r.OK || len(r.Wrong) != 1 || !strings.Contains(r.Wrong[0], "not up") {
		t.Errorf("nobody runs it: %+v", r)
	}
	if err := h.stateOf("wx").Save(t.Context(), "standing", []byte(`{"state":"scan","qr":"secret-code"}`)); err != nil {
		t.Fatal(err)
	}
	r = h.CheckChannels(t.Context())[1]
	if r.OK || !strings.Contains(r.Wrong[0], "/desk/channels") || strings.Contains(r.Wrong[0], "secret") {
		t.Errorf("somebody has to scan: %+v", r)
	}
	if lines := s.logins(t.Context()); len(lines) != 1 || lines[0] != "login wx: scan" {
		t.Errorf("readyz says %q", lines)
	}
	if err := h.stateOf("wx").Save(t.Context(), "standing", []byte(`{"state":"online"}`)); err != nil {
		t.Fatal(err)
	}
	if r = h.CheckChannels(t.Context())[1]; !r.OK || len(r.Notes) != 1 {
		t.Errorf("it is in: %+v", r)
	}
}

func TestABadWeChatAccountIsNamed(t *testing.T) {
	for keys, want := range map[string]string{
		`, token_env: X`:                       `unknown key "token_env"`,
		`, api_url: "http://wx.example"`:       "write https",
		`, api_url: "not an address at all :"`: "api_url",
	} {
		if _, err := open(t, withWeChat(t, keys)).build(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to say %q", keys, err, want)
		}
	}
	e := withWeChat(t, "")
	e.Demo = true
	if _, err := open(t, e).build(); err == nil || !strings.Contains(err.Error(), "--demo talks to this machine only") {
		t.Errorf("the demo logs into WeChat: %v", err)
	}
}

// The command is for the program itself: a person is told so.
func TestAgentIsStartedByServe(t *testing.T) {
	for _, said := range []string{"", "hello\n"} {
		if err := Agent(t.Context(), strings.NewReader(said), os.Stdout, nil); err == nil || !strings.Contains(err.Error(), "started by serve") {
			t.Errorf("%q: %v", said, err)
		}
	}
}
