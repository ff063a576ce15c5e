package officialaccount

import (
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/bots/botstest"
	fake "shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/internal/privacy"
)

// said is what the check says, wrong things marked.
func checked(t *testing.T, c *Channel) string {
	var out strings.Builder
	for _, f := range c.Check(t.Context()) {
		if f.Wrong {
			out.WriteString("WRONG ")
		}
		out.WriteString(f.What + "\n")
	}
	return out.String()
}

func TestCheck(t *testing.T) {
	menu := `{"is_menu_open":1,"selfmenu_info":{"button":[{"type":"click","name":"我要报事","key":"报事"},
		{"name":"更多","sub_button":{"list":[{"type":"view","name":"网站","url":"http://x"},{"type":"click","name":"查进度","key":"我的工单"}]}}]}}`
	for name, c := range map[string]struct {
		do   func(*rig)
		want []string
		not  []string
	}{
		"well": {
			func(r *rig) { r.net.SetMenu(menu) },
			[]string{"AppSecret are right", `我要报事 says "报事"`, `查进度 says "我的工单"`, "somebody writes to the account"},
			[]string{"WRONG", "网站"},
		},
		"no menu":       {func(*rig) {}, []string{"has no menu"}, []string{"WRONG"}},
		"wrong secret":  {func(r *rig) { r.net.SetSecret("other") }, []string{"WRONG the AppSecret is wrong"}, []string{"errcode"}},
		"not listed":    {func(r *rig) { r.net.Unlist() }, []string{"WRONG WeChat saw this machine as 203.0.113.7", "IP white list"}, nil},
		"no network":    {func(r *rig) { r.net.Down(true) }, []string{"WRONG WeChat cannot be asked"}, nil},
		"no right":      {func(r *rig) { r.net.Right("/cgi-bin/message/custom/send", 48001) }, []string{"WRONG residents cannot be answered"}, nil},
		"banned":        {func(r *rig) { r.net.Right("/cgi-bin/message/custom/send", 48004) }, []string{"WRONG residents cannot be answered", "banned"}, nil},
		"no templates":  {func(r *rig) { r.net.Right("/wxaapi/newtmpl/gettemplate", 48001) }, []string{"WRONG the templates of kind subscribe cannot be looked at"}, nil},
		"fields differ": {func(r *rig) { r.net.Approve("tpl-1", fake.Form{Content: "{{thing2.DATA}}{{time9.DATA}}"}) }, []string{"has a field time9 that is not filled", "has no field character_string1"}, nil},
		"not approved": {func(r *rig) {
			n := r.cfg.Notices["ticket.done"]
			n.ID = "tpl-9"
			r.cfg.Notices = map[string]Notice{"ticket.done": n}
			r.Restart()
		}, []string{"WRONG the account has no template tpl-9 (notices: ticket.done)"}, nil},
		"no notices": {func(r *rig) { r.cfg.Notices = nil; r.Restart() }, []string{"there are no notices"}, []string{"WRONG"}},
	} {
		r := newRig(t, name != "no menu")
		c.do(r)
		said := checked(t, r.adapter)
		for _, want := range c.want {
			if !strings.Contains(said, want) {
				t.Errorf("%s: %q is not said:\n%s", name, want, said)
			}
		}
		for _, not := range append(c.not, fake.Secret, "access-token") {
			if strings.Contains(said, not) {
				t.Errorf("%s: %q is said:\n%s", name, not, said)
			}
		}
		if plain := strings.Contains(said, "plain mode"); name == "no menu" && !plain || name == "well" && plain {
			t.Errorf("%s: plain mode is spoken of: %v", name, plain)
		}
		if len(r.state.Values()) != 0 || len(r.net.Sent()) != 0 {
			t.Errorf("%s: the check kept %v, sent %v", name, r.state.Values(), r.net.Sent())
		}
		r.Close()
	}
}

func TestConfig(t *testing.T) {
	good := settings(t, "https://api.weixin.qq.com", true)
	deps := Deps{Clock: newLine(t, nil).c.deps.Clock, Log: newLine(t, nil).c.deps.Log, State: &botstest.State{}}
	if _, err := New(good, deps); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Config){
		"a channel id is needed":      func(c *Config) { c.ID = "" },
		"app_id: copy it":             func(c *Config) { c.AppID = "gh_1" },
		"the AppSecret is missing":    func(c *Config) { c.Secret = privacy.Secret{} },
		"the Token must be":           func(c *Config) { c.Token = privacy.NewSecret("a b") },
		"the 43 letters":              func(c *Config) { c.AESKey = privacy.NewSecret("short") },
		"write https":                 func(c *Config) { c.APIURL = "http://api.weixin.qq.com" },
		"api_url is no address":       func(c *Config) { c.APIURL = "weixin" },
		"write subscribe or template": func(c *Config) { c.Notices = map[string]Notice{"a": {Kind: "sms", ID: "1"}} },
		"has no template_id":          func(c *Config) { c.Notices = map[string]Notice{"a": {Kind: "template"}} },
		"write fields as {field":      func(c *Config) { c.Notices = map[string]Notice{"a": {Kind: "template", ID: "1"}} },
		"write fields as {thing1": func(c *Config) {
			c.Notices = map[string]Notice{"a": {Kind: "template", ID: "1", Fields: map[string]string{"Thing": "x"}}}
		},
		"url must begin": func(c *Config) {
			c.Notices = map[string]Notice{"a": {Kind: "template", ID: "1", Fields: map[string]string{"thing1": "x"}, URL: "x"}}
		},
		"max_text_bytes must be given": func(c *Config) { c.Limits.MaxText = 0 },
		"passive_wait must be shorter": func(c *Config) { c.Limits.PassiveWait = c.Limits.AnswerWithin },
		"invite_payload":               func(c *Config) { c.Limits.InvitePayload = "(" },
		"notice_fields: thing":         func(c *Config) { c.Limits.NoticeFields = map[string]FieldLimit{"thing": {}} },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(cfg, deps); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), fake.Secret) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	c := newLine(t, nil).c.Caps()
	if c.Window == 0 || c.WindowQuota != 5 || c.TextUnit != bots.Bytes || c.Trust != bots.TrustStable || c.Redelivers == 0 {
		t.Errorf("%+v", c)
	}
}
