//go:build acceptance

// Package officialaccount proves the whole program over our own fake of WeChat:
// residents who follow the account, report, are asked and answer by taps; what
// happens behind the push window; what `channels check` says.
package officialaccount

import (
	"context"
	"fmt"
	"testing"
	"time"

	"shaoying/bots/officialaccount/officialaccountfake"
	"shaoying/bots/sms/kannel/kannelfake"
	"shaoying/bots/telegram/telegramfake"
	"shaoying/test/world"
)

// city is one demo city with everything that a story needs.
type city struct {
	*world.World
	server *world.Server
	// safe and plain are Official Accounts in both modes.
	safe, plain *officialaccountfake.Server
	sms         *kannelfake.Server
	staff       *telegramfake.Server
}

const (
	smsToken = "callback-token-of-the-tests-0123456789"
	ours     = "10690123"
	// asked is the first question of the callback, as a notice names its text.
	asked = "flow:callback/collect.contacted.ask"
)

func newCity(t *testing.T) *city {
	t.Helper()
	w := world.Found(t, world.Build)

	c := &city{
		World: w, safe: officialaccountfake.New(), plain: officialaccountfake.New(), sms: kannelfake.New(smsToken),
		staff: telegramfake.New(telegramfake.Config{}),
	}
	t.Cleanup(c.safe.Close)
	t.Cleanup(c.plain.Close)
	t.Cleanup(c.sms.Close)
	t.Cleanup(c.staff.Close)
	c.safe.Safe = true
	for id, net := range map[string]*officialaccountfake.Server{"oa-safe": c.safe, "oa-plain": c.plain} {
		net.Listen("http://" + w.Addr + "/bots/" + id)
		net.Approve("sub-1", officialaccountfake.Form{Subscribe: true, Content: "编号:{{character_string1.DATA}}\n事项:{{thing2.DATA}}\n请您:{{phrase3.DATA}}"})
	}
	c.sms.Listen("http://" + w.Addr + "/bots/sms")

	account := `  - {id: %s, kind: officialaccount, api_url: %q, app_id: ` + officialaccountfake.AppID + `, secret_env: OA_SECRET, token_env: OA_TOKEN%s,
     notices: {"` + asked + `": {kind: subscribe, template_id: sub-1, fields: {character_string1: ticket.number, thing2: ticket.matter, phrase3: =来评一评}}}}
`
	config := "privacy: {cross_border_assessment: nobody is real here}\nchannels:\n  - {id: web, kind: webchat}\n" +
		fmt.Sprintf(account, "oa-safe", c.safe.URL(), ", aes_key_env: OA_KEY") + fmt.Sprintf(account, "oa-plain", c.plain.URL(), "") +
		fmt.Sprintf("  - {id: sms, kind: kannel, send_url: %q, username: %s, password_env: SMS_PASSWORD, from: %q, extension_digits: 2, signature: 萍乡哨应, callback_url: %q, callback_token_env: SMS_TOKEN}\n",
			c.sms.SendURL(), kannelfake.Username, ours, "http://"+w.Addr+"/bots/sms") +
		fmt.Sprintf("  - {id: tg, kind: telegram, mode: poll, api_url: %q, token_env: TG_TOKEN}\n", c.staff.URL())
	w.Configure(t, config, "OA_SECRET="+officialaccountfake.Secret, "OA_TOKEN="+officialaccountfake.Token,
		"OA_KEY="+officialaccountfake.AESKey, "SMS_PASSWORD="+kannelfake.Password, "SMS_TOKEN="+smsToken, "TG_TOKEN="+c.staff.Token())

	c.server = w.Serve(t, "--demo")
	return c
}

// one reads one number from the database beside the running server.
func (c *city) one(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	ctx := context.Background()
	d, err := c.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	world.Must(t, d.Scan(ctx, query, args, &n))
	return n
}

// until waits for something that must come.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.After(world.Patience)
	for !ok() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%s never came", what)
		}
	}
}

// phone is that of somebody with WeChat.
func phone(u *officialaccountfake.User) *world.Phone {
	return &world.Phone{
		Say: u.Says, Photo: u.SendsPhoto,
		Lines: func() (out []world.Line) {
			for i, m := range u.Sees() {
				line := world.Line{Message: int64(i), Text: m.Text}
				for _, it := range m.Items {
					line.Buttons = append(line.Buttons, it.Content)
				}
				out = append(out, line)
			}
			return out
		},
		Press: func(message int64, label string) bool {
			for _, it := range u.Sees()[message].Items {
				if it.Content == label {
					return u.Tap(it)
				}
			}
			return false
		},
	}
}

// mobile is a feature phone that Kannel reaches.
func (c *city) mobile(number string) *world.Phone {
	return &world.Phone{
		Say: func(text string) { c.sms.Say(number, ours, text) },
		Lines: func() (out []world.Line) {
			for _, s := range c.sms.Sent() {
				if s.To == number {
					out = append(out, world.Line{Message: int64(len(out)), Text: s.Body})
				}
			}
			return out
		},
	}
}

// answers writes to the number, extension included, of the last text to a phone.
func (c *city) answers(t *testing.T, number, text string) {
	t.Helper()
	from := ""
	for _, s := range c.sms.Sent() {
		if s.To == number {
			from = s.From
		}
	}
	if from == "" {
		t.Fatal("no text was sent")
	}
	c.sms.Say(number, from, text)
}
