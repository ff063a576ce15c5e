package app

import (
	"os"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/wecom"
	"shaoying/bots/wecom/wecomfake"
)

// Both accounts in the guide for counties start as they stand there, and are
// well in `channels check` where WeCom says so.
func TestTheWeComGuideStarts(t *testing.T) {
	guide, err := os.ReadFile("../../docs/zh/wecom.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"SHAOYING_WC_SECRET": wecomfake.Secret, "SHAOYING_WC_TOKEN": wecomfake.Token, "SHAOYING_WC_AES_KEY": wecomfake.AESKey,
		"SHAOYING_KF_SECRET": wecomfake.Secret, "SHAOYING_KF_TOKEN": wecomfake.Token, "SHAOYING_KF_AES_KEY": wecomfake.AESKey,
	} {
		t.Setenv(name, value)
	}
	net := wecomfake.New()
	defer net.Close()
	h := open(t, external(t))
	var kinds []string
	for _, block := range strings.Split(string(guide), "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		block = strings.TrimPrefix(strings.TrimSpace(block[strings.Index(block, "  - id: "):]), "- ")
		c := accounts(t, block)[1]
		h.Env.Demo = false
		a, err := h.channel(c)
		if err != nil {
			t.Fatalf("the account of the guide: %v", err)
		}
		if _, hook := a.(bots.Webhook); !hook || a.Caps().Trust != bots.TrustStable || a.Caps().Redelivers == 0 {
			t.Errorf("%+v", a.Caps())
		}
		switch a.(type) {
		case *wecom.App:
			kinds = append(kinds, "app")
		case *wecom.KF:
			kinds = append(kinds, "kf")
		}
		h.Env.Demo = true
		if _, err := h.channel(c); err == nil || !strings.Contains(err.Error(), "--demo talks to this machine only") {
			t.Errorf("in the demo: %v", err)
		}
		h.Process.Channels = accounts(t, block+"\n    api_url: "+net.URL())
		if r := h.CheckChannels(t.Context())[1]; !r.OK || len(r.Notes) == 0 {
			t.Errorf("channels check: %+v", r)
		}
		h.Process.Channels = accounts(t, strings.Replace(block, "corp_id", "corp_key", 1))
		if r := h.CheckChannels(t.Context())[1]; r.OK || !strings.Contains(strings.Join(r.Wrong, ""), `unknown key "corp_key"`) {
			t.Errorf("a wrong key: %+v", r)
		}
	}
	if got := strings.Join(kinds, " "); got != "app kf" {
		t.Errorf("the guide shows %s", got)
	}
}
