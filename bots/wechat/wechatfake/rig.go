package wechatfake

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
)

// Rig is the remote control of the network for botstest.Run. It scans every code,
// so that tests wait for nobody.
type Rig struct {
	Net   *Server
	State *botstest.State

	// Open makes an adapter for the account at api from what is kept in state, and
	// what throws it away. Login says how the account stands. Chat is
	// wechat.ChatOf.
	open func(api string, state bots.State, log *slog.Logger) (adapter bots.Adapter, shut func())
	chat func(self, name string) bots.ChatID

	log     botstest.Log
	adapter bots.Adapter
	shut    func()
	online  bool
	group   *Person
}

// NewRig makes a network with 20 people, a group of them, and an adapter.
func NewRig(open func(api string, state bots.State, log *slog.Logger) (bots.Adapter, func()), chat func(self, name string) bots.ChatID) *Rig {
	r := &Rig{Net: New(), State: &botstest.State{}, open: open, chat: chat}
	r.Net.AutoLogin(true)
	var all []*Person
	for n := range 20 {
		all = append(all, r.person(n))
	}
	r.group = r.Net.Group("昌盛小区3栋", all...)
	r.Restart()
	return r
}

func (r *Rig) person(n int) *Person { return r.Net.Person(fmt.Sprintf("居民%d", n)) }

// Adapter implements botstest.Rig.
func (r *Rig) Adapter() bots.Adapter { return r.adapter }

// Restart implements botstest.Rig.
func (r *Rig) Restart() {
	if r.shut != nil {
		r.shut()
	}
	r.adapter, r.shut = r.open(r.Net.URL(), r.State, slog.New(slog.NewTextHandler(&r.log, nil)))
	r.online = false
}

// Close implements botstest.Rig.
func (r *Rig) Close() {
	r.shut()
	r.Net.Close()
}

// Listen implements botstest.Rig; WeChat calls nobody.
func (r *Rig) Listen(string) {}

// Address implements botstest.Rig. Whom an address names is settled by the login,
// so it waits for that once.
func (r *Rig) Address(user int) bots.Address {
	r.wait()
	return bots.Address{Channel: "wx", Chat: r.chat(r.Net.Self(), r.person(user).Name())}
}

// wait waits until the account is logged in: nobody can be written to before.
func (r *Rig) wait() {
	login, ok := r.adapter.(bots.Login)
	if r.online || !ok {
		return
	}
	r.online = true // whatever comes of it: the case will say
	limit, look := time.NewTimer(10*time.Second), time.NewTicker(2*time.Millisecond)
	defer limit.Stop()
	defer look.Stop()
	for {
		if st, err := login.Standing(context.Background()); err == nil && st.State == bots.StandingOnline {
			return
		}
		select {
		case <-look.C:
		case <-limit.C:
			return
		}
	}
}

// UserSays implements botstest.Rig.
func (r *Rig) UserSays(user int, text string) bool {
	r.wait()
	r.person(user).Says(text)
	return true
}

// UserTaps implements botstest.Rig; there are no buttons.
func (r *Rig) UserTaps(int, int) bool { return false }

// UserSendsPlace implements botstest.Rig.
func (r *Rig) UserSendsPlace(user int, lat, lon float64, label string) bool {
	r.wait()
	r.person(user).SendsPlace(lat, lon, label, false)
	return true
}

// UserSendsPhoto implements botstest.Rig; pictures have no caption.
func (r *Rig) UserSendsPhoto(user int, jpeg []byte, _ string) bool {
	r.wait()
	r.person(user).SendsPhoto(jpeg)
	return true
}

// UserSendsVoice implements botstest.Rig.
func (r *Rig) UserSendsVoice(user int, amr []byte) bool {
	r.wait()
	r.person(user).SendsVoice(amr)
	return true
}

// UserAnswers implements botstest.Rig.
func (r *Rig) UserAnswers(user int, text string) bool { return r.UserSays(user, text) }

// Reports implements botstest.Rig; WeChat never does.
func (r *Rig) Reports(int, bots.ReportState) bool { return false }

// GroupSays implements botstest.Rig.
func (r *Rig) GroupSays(user int, text string) bool {
	r.wait()
	r.person(user).SaysIn(r.group, text)
	return true
}

// Echo implements botstest.Rig.
func (r *Rig) Echo() bool { return r.Net.Echo() }

// Redeliver implements botstest.Rig.
func (r *Rig) Redeliver() { r.wait(); r.Net.Redeliver() }

// Waiting implements botstest.Rig.
func (r *Rig) Waiting() int { return r.Net.Waiting() }

// Sent implements botstest.Rig. A picture and the words behind it are one message.
func (r *Rig) Sent() []botstest.Sent {
	var out []botstest.Sent
	sent := r.Net.Sent()
	for i, m := range sent {
		if i > 0 && m.Photo == nil && sent[i-1].Photo != nil && sent[i-1].To == m.To {
			out[len(out)-1].Text = m.Text
			continue
		}
		user := -1
		_, _ = fmt.Sscanf(m.To.Nick(), "居民%d", &user)
		out = append(out, botstest.Sent{User: user, Text: m.Text, Photo: m.Photo})
	}
	return out
}

// Fail implements botstest.Rig.
func (r *Rig) Fail(class bots.Class) bool {
	f, ok := map[bots.Class]Fault{
		bots.ClassTemporary: {Ret: -1},
		bots.ClassThrottled: {Ret: 1205},
		bots.ClassGone:      {Ret: 1},
		bots.ClassLoggedOut: {Ret: 1101},
		bots.ClassUnknown:   {Drop: true},
	}[class]
	if ok {
		r.wait()
		r.Net.FailSend(f)
	}
	return ok
}

// Down implements botstest.Rig.
func (r *Rig) Down(down bool) { r.wait(); r.Net.Down(down) }

// Requests implements botstest.Rig.
func (r *Rig) Requests() int { return r.Net.Requests() }

// Forgeries implements botstest.Rig; there is no webhook.
func (r *Rig) Forgeries() []botstest.Forgery { return nil }

// Secrets implements botstest.Rig.
func (r *Rig) Secrets() []string { return r.Net.Secrets() }

// Log implements botstest.Rig.
func (r *Rig) Log() string { return r.log.String() }
