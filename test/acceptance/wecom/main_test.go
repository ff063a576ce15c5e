//go:build acceptance

// Package wecom proves the whole program over our own fake of WeCom: staff with
// an application, a resident with Customer Service.
package wecom

import (
	"context"
	"fmt"
	"testing"

	"shaoying/bots/wecom/wecomfake"
	"shaoying/test/world"
)

// city is the demo city that all tests share, served by server; app and kf are
// the two WeComs that it is connected to.
type city struct {
	*world.World
	server  *world.Server
	app, kf *wecomfake.Server
}

// town starts a demo city with an application and a Customer Service account.
func town(t *testing.T) *city {
	t.Helper()
	w := world.Found(t, world.Build)
	c := &city{World: w, app: wecomfake.New(), kf: wecomfake.New()}
	t.Cleanup(c.app.Close)
	t.Cleanup(c.kf.Close)
	c.app.Impatient()
	c.kf.Strict()
	c.app.Listen("http://" + w.Addr + "/bots/wc")
	c.kf.Listen("http://" + w.Addr + "/bots/kf")
	common := fmt.Sprintf("kind: wecom, corp_id: %s, secret_env: WC_SECRET, token_env: WC_TOKEN, aes_key_env: WC_AES_KEY", wecomfake.CorpID)
	config := fmt.Sprintf("channels:\n  - {id: web, kind: webchat}\n  - {id: wc, mode: app, agent_id: %d, api_url: %q, %s}\n  - {id: kf, mode: kf, open_kfid: %s, api_url: %q, %s}\n",
		wecomfake.AgentID, c.app.URL(), common, wecomfake.OpenKFID, c.kf.URL(), common)
	w.Configure(t, config, "WC_SECRET="+wecomfake.Secret, "WC_TOKEN="+wecomfake.Token, "WC_AES_KEY="+wecomfake.AESKey)
	c.server = w.Serve(t, "--demo")
	return c
}

// one reads one value from the database beside the running server.
func one[T any](t *testing.T, c *city, query string, args ...any) (v T) {
	t.Helper()
	ctx := context.Background()
	d, err := c.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	world.Must(t, d.Scan(ctx, query, args, &v))
	return v
}

// phone is somebody with WeCom or WeChat. A line is one message; a card below a
// text of its own counts as the buttons of that text.
func phone(sees func() []wecomfake.Sent, say func(string), photo func([]byte), tap func(wecomfake.Sent, string) bool) *world.Phone {
	return &world.Phone{
		Lines: func() (out []world.Line) {
			for i, s := range sees() {
				line := world.Line{Message: int64(i), Text: s.Text}
				for _, b := range s.Buttons {
					line.Buttons = append(line.Buttons, b.Label)
				}
				if last := len(out) - 1; s.Text == pointer && last >= 0 && len(out[last].Buttons) == 0 {
					out[last].Message, out[last].Buttons = line.Message, line.Buttons
					continue
				}
				out = append(out, line)
			}
			return out
		},
		Say: say, Photo: photo,
		Press: func(message int64, label string) bool { return tap(sees()[message], label) },
	}
}

// pointer is what a card says whose words stand above it.
const pointer = "请点下面的按钮"

func (c *city) member(id string) *world.Phone {
	m := c.app.Member(id)
	return phone(m.Sees, m.Says, m.SendsPhoto, m.Taps)
}

func (c *city) customer(id string) *world.Phone {
	u := c.kf.Customer(id)
	return phone(u.Sees, u.Says, u.SendsPhoto, u.Taps)
}
