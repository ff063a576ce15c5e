//go:build peers

package sms

import (
	"fmt"
	"testing"

	"shaoying/test/world"
)

// TestFamilyBedThroughKannel tells the story of a family bed (issue 7, done means
// 4) with a son whose telephone hangs on node-smpp behind Kannel: what he reads
// and answers goes over both.
func TestFamilyBedThroughKannel(t *testing.T) {
	needKannel(t)
	c, p := newCentre(t), newPost(t)
	k := startKannel(t, p.URL+"/bots/kannel", c)
	w := world.Found(t, world.Build)
	p.to = "http://" + w.Addr
	w.Configure(t, fmt.Sprintf(`channels:
  - {id: web, kind: webchat}
  - {id: kannel, kind: kannel, send_url: %q, username: %s, password_env: KANNEL_PASSWORD, from: %q, extension_digits: 2, callback_url: %q, callback_token_env: KANNEL_TOKEN}
`, k.send, user, ours, p.URL+"/bots/kannel"), secrets()...)
	server := w.Serve(t, "--demo")
	const number = "8613800138001"
	story := &world.BedStory{
		World: w, Server: server, Daughter: server.Resident(t), Number: number[2:], Son: c.phone(number),
		Answer: func(text string) { c.answers(number, text) },
	}
	story.Tell(t)
}
