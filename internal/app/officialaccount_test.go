package app

import (
	"os"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/officialaccount/officialaccountfake"
)

const officialAccount = `{id: oa, kind: officialaccount, api_url: URL, app_id: ` + officialaccountfake.AppID + `, secret_env: OA_SECRET, token_env: OA_TOKEN, aes_key_env: OA_KEY,
     notices: {notice.handled: {kind: subscribe, template_id: sub-1, fields: {thing2: words}}}}`

func officialSecrets(t *testing.T) {
	t.Setenv("OA_SECRET", officialaccountfake.Secret)
	t.Setenv("OA_TOKEN", officialaccountfake.Token)
	t.Setenv("OA_KEY", officialaccountfake.AESKey)
}

func TestOfficialAccount(t *testing.T) {
	officialSecrets(t)
	net := officialaccountfake.New()
	defer net.Close()
	net.Approve("sub-1", officialaccountfake.Form{Subscribe: true, Content: "{{thing2.DATA}}"})
	h := open(t, external(t))
	start := func(change, to string) (bots.Adapter, error) {
		return h.channel(accounts(t, strings.ReplaceAll(strings.ReplaceAll(officialAccount, change, to), "URL", net.URL()))[1])
	}
	h.Env.Demo = true
	a, err := start("\x00", "")
	if err != nil {
		t.Fatal(err)
	}
	caps := a.Caps()
	noticer, ok := a.(bots.Noticer)
	if _, hook := a.(bots.Webhook); !hook || !ok || caps.Window == 0 || caps.Redelivers == 0 || !noticer.HasNotice(bots.Template{Source: "texts:notice", Key: "notice.handled"}) {
		t.Errorf("%+v", caps)
	}
	for what, want := range map[string][2]string{
		"OA_SECRET":  {"OA_NOTHING", "secret_env or secret_file"},
		"OA_TOKEN":   {"OA_NOTHING", "token_env or token_file"},
		"OA_KEY":     {"OA_NOTHING", "aes_key_env or aes_key_file"},
		"URL":        {"https://api.weixin.qq.com", "--demo talks to this machine only"},
		"kind: offi": {"colour: red, kind: offi", `unknown key "colour"`},
		"subscribe":  {"mail", "write subscribe or template"},
	} {
		if _, err := start(what, want[0]); err == nil || !strings.Contains(err.Error(), want[1]) {
			t.Errorf("%s: %v, want %q", what, err, want[1])
		}
	}
	// In the mainland: nobody's assessment is asked for.
	h.Env.Demo, h.Process.Privacy.CrossBorderAssessment = false, ""
	if _, err := start("URL", "https://api.weixin.qq.com"); err != nil {
		t.Error(err)
	}
	// The token of a check is nobody's: the owner's, in the database, is left alone.
	h.Process.Channels = accounts(t, strings.ReplaceAll(officialAccount, "URL", net.URL()))
	if r := h.CheckChannels(t.Context())[1]; !r.OK {
		t.Errorf("%+v", r)
	}
	if kept, err := h.stateOf("oa").Load(t.Context(), "access_token"); err != nil || kept != nil {
		t.Errorf("%q %v", kept, err)
	}
	net.Unlist()
	if r := h.CheckChannels(t.Context())[1]; r.OK || !strings.Contains(strings.Join(r.Wrong, "\n"), "203.0.113.7") {
		t.Errorf("%+v", r)
	}
}

// The account in the guide for counties starts as it stands there, and its notices
// name texts that there are.
func TestTheGuideOfTheOfficialAccountStarts(t *testing.T) {
	guide, err := os.ReadFile("../../docs/zh/officialaccount.md")
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, external(t))
	t.Setenv("SHAOYING_OA_SECRET", officialaccountfake.Secret)
	t.Setenv("SHAOYING_OA_TOKEN", officialaccountfake.Token)
	t.Setenv("SHAOYING_OA_AESKEY", officialaccountfake.AESKey)
	_, block, _ := strings.Cut(string(guide), "```yaml\n")
	block, _, _ = strings.Cut(block, "```")
	block = strings.TrimPrefix(strings.TrimSpace(block[strings.Index(block, "  - id: "):]), "- ")
	c := accounts(t, block)[1]
	if _, err := h.channel(c); err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, s := range h.Library.Said() {
		said[s.Name()] = true
	}
	for _, name := range []string{"flow:callback/collect.contacted.ask", "flow:survey/collect.rating.ask", "notice.handled", "notice.relay"} {
		if !strings.Contains(string(guide), name) || !said[name] {
			t.Errorf("the guide names %s: %v; there is such a text: %v", name, strings.Contains(string(guide), name), said[name])
		}
	}
}
