//go:build acceptance

// Package wechat proves the whole program over our own fake of Web WeChat: the
// account in its own process, a scan, residents in private and in a group, a
// restart, and the end of the login.
package wechat

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"shaoying/bots/wechat/wechatfake"
	"shaoying/test/world"
)

// numbered is a choice in a text, to be answered by its number.
var numbered = regexp.MustCompile(`(?m)^(\d+) (.+)$`)

// phone is what a person sees of the account, in private or in a group, and does
// there.
func phone(net *wechatfake.Server, p, group *wechatfake.Person) *world.Phone {
	chat := p
	if group != nil {
		chat = group
	}
	say := func(text string) {
		if group != nil {
			p.SaysIn(group, text)
			return
		}
		p.Says(text)
	}
	lines := func() []world.Line {
		var out []world.Line
		for i, m := range net.Sent() {
			if m.To != chat {
				continue
			}
			line := world.Line{Message: int64(i), Text: m.Text}
			if m.Photo != nil {
				line.Text = picture
			}
			for _, c := range numbered.FindAllStringSubmatch(m.Text, -1) {
				line.Buttons = append(line.Buttons, c[2])
			}
			out = append(out, line)
		}
		return out
	}
	return &world.Phone{
		Lines: lines, Say: say, Photo: p.SendsPhoto,
		Press: func(message int64, label string) bool {
			for _, line := range lines() {
				if line.Message != message {
					continue
				}
				for _, c := range numbered.FindAllStringSubmatch(line.Text, -1) {
					if c[2] == label {
						say(c[1])
						return true
					}
				}
			}
			return false
		},
	}
}

// picture stands for a picture in a line.
const picture = "[图片]"

// carrier takes texts as Kannel does.
type carrier struct {
	*httptest.Server
	mu    sync.Mutex
	texts []string
}

func newCarrier(t *testing.T) *carrier {
	c := &carrier{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.FormValue("to") != "" {
			c.texts = append(c.texts, r.FormValue("text"))
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "0: Accepted for delivery")
	}))
	t.Cleanup(c.Close)
	return c
}

// phone is the phone that all texts go to.
func (c *carrier) phone() *world.Phone {
	return &world.Phone{Lines: func() []world.Line {
		c.mu.Lock()
		defer c.mu.Unlock()
		var out []world.Line
		for i, text := range c.texts {
			out = append(out, world.Line{Message: int64(i), Text: text})
		}
		return out
	}}
}

// city is a demo city with a personal account and a carrier.
func city(t *testing.T, net *wechatfake.Server, sms *carrier) (*world.World, *world.Server) {
	t.Helper()
	w := world.Found(t, world.Build)
	w.Configure(t, `channels:
  - {id: web, kind: webchat}
  - {id: wx, kind: wechat, api_url: "`+net.URL()+`"}
  - {id: sms, kind: kannel, send_url: "`+sms.URL+`/cgi-bin/sendsms", username: gov, password_env: KANNEL_PASSWORD, from: "10690123", extension_digits: 2, callback_url: "http://`+w.Addr+`/bots/sms", callback_token_env: KANNEL_TOKEN}
`, "KANNEL_PASSWORD=gov-pass-0123456789", "KANNEL_TOKEN=callback-token-of-the-tests-0123456789")
	s, err := w.Start("--demo")
	world.Must(t, err)
	return w, s
}

// one reads one value from the database beside the running server.
func one[T any](t *testing.T, w *world.World, query string, args ...any) T {
	t.Helper()
	ctx := context.Background()
	d, err := w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	var v T
	world.Must(t, d.Scan(ctx, query, args, &v))
	return v
}

// comes waits until something is so.
func comes(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range int(world.Patience.Milliseconds() / 300) {
		if world.Soon(is) {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}
