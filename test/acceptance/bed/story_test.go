//go:build acceptance

// Package bed proves the whole program on a family bed: the family's web page and
// its SMS, the clinic's desk page, doctor and nurse in chat. The SMS gateway is our
// own; test/peers/sms tells the same story through Kannel.
package bed

import (
	"fmt"
	"testing"

	"shaoying/bots/sms/kannel/kannelfake"
	"shaoying/test/world"
)

const (
	ours  = "10690123"
	token = "callback-token-of-the-tests-0001"
	hers  = "13800138000"
)

// Issue 7, done means 4.
func TestFamilyBed(t *testing.T) {
	w := world.Found(t, world.Build)
	net := kannelfake.New(token)
	t.Cleanup(net.Close)
	base := "http://" + w.Addr + "/bots/kannel"
	net.Listen(base)
	w.Configure(t, fmt.Sprintf(`channels:
  - {id: web, kind: webchat}
  - {id: kannel, kind: kannel, send_url: %q, username: %s, password_env: KANNEL_PASSWORD, from: %q, extension_digits: 2, callback_url: %q, callback_token_env: KANNEL_TOKEN}
`, net.SendURL(), kannelfake.Username, ours, base), "KANNEL_PASSWORD="+kannelfake.Password, "KANNEL_TOKEN="+token)
	server := w.Serve(t, "--demo")
	story := &world.BedStory{World: w, Server: server, Daughter: server.Resident(t), Number: hers}
	story.Son, story.Answer = phone(net), func(text string) {
		all := net.Sent()
		net.Say("+86"+hers, all[len(all)-1].From, text)
	}
	story.Tell(t)
}

// phone is what was sent to the son.
func phone(net *kannelfake.Server) *world.Phone {
	return &world.Phone{Lines: func() []world.Line {
		var out []world.Line
		for i, m := range net.Sent() {
			out = append(out, world.Line{Message: int64(i + 1), Text: m.Body})
		}
		return out
	}}
}
