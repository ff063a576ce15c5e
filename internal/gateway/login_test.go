package gateway

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"shaoying/bots"
)

func TestLoginPolicyIsChecked(t *testing.T) {
	t.Parallel()
	good := string(configFile(t, "policies/logins.yaml"))
	if _, err := ParseLoginPolicy("logins.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "move: 5m\nalarm: 5m\ngive_up: 1m\nlook: 1s\nsource: x", "move: 1m\nalarm: 0s\ngive_up: 1h\nlook: 1s\nsource: x", good + "\nmore: 1"} {
		if _, err := ParseLoginPolicy("logins.yaml", []byte(bad)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

// account is a network into which somebody has to log in.
type account struct {
	*network
	standing bots.Standing
}

func (a *account) Standing(context.Context) (bots.Standing, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.standing, nil
}

func (a *account) stands(s bots.StandingState) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.standing.State = s
}

// logins is greeted with hooks that write down what people were told.
func logins(t *testing.T, p LoginPolicy, change ...func(*Config, *Deps)) (*manyRig, *account, *notes) {
	told := &notes{}
	a := &account{network: newNetwork()}
	m := greeted(t, append(change, func(_ *Config, d *Deps) {
		d.Logins, d.Channels[web] = p, a
		d.LoggedOut = func(ctx context.Context, t *Turn, a Account) error {
			return told.hook(ctx, t, fmt.Sprint(a.Channel, " out ", a.Out, " scan ", a.Scan))
		}
	})...)
	m.nets[web] = a.network
	return m, a, told
}

// round sends once what waits, everywhere.
func (m *manyRig) round() {
	m.t.Helper()
	m.hurry()
	for _, id := range []bots.ChannelID{web, tg, sms} {
		m.posts[id].once(m.t)
	}
}

func TestALoggedOutAccountIsToldOnce(t *testing.T) {
	t.Parallel()
	m, a, told := logins(t, LoginPolicy{Move: time.Hour})
	m.fails(web, bots.ClassLoggedOut)
	m.plan("tell", "li", "灯修好了", time.Time{})
	m.due()
	for range 5 {
		m.round()
	}
	if got := told.all(); !slices.Equal(got, []string{"web out true scan true"}) {
		t.Fatalf("people heard %q", got)
	}
	if got := m.ends(); !slices.Equal(got, []string{"web:queued"}) || len(m.lost.all()) != 0 {
		t.Fatalf("rows %q, lost %q: it is not time to go another way", got, m.lost.all())
	}
	// Another process that owns it tells nobody again.
	next, err := NewChannel(m.Gateway, web)
	if err != nil {
		t.Fatal(err)
	}
	next.login.set(m.Clock.Wall().Add(-time.Minute))
	next.stands(t.Context(), m.posts[web].epoch, false)
	if got := told.all(); len(got) != 1 {
		t.Fatalf("people heard %q", got)
	}
	// The next outage is another one.
	a.on(nil)
	m.round()
	m.posts[web].stands(t.Context(), m.posts[web].epoch, false)
	if got := told.all(); len(got) != 3 || got[1] != "web out false scan true" || got[2] != got[0] {
		t.Fatalf("people heard %q", got)
	}
}

func TestABackAccountIsToldAndDoublesNothing(t *testing.T) {
	t.Parallel()
	m, a, told := logins(t, LoginPolicy{})
	m.fails(web, bots.ClassLoggedOut)
	m.plan("tell", "li", "灯修好了", time.Time{})
	m.plan("ask.survey", "li", "ticket:5", time.Time{})
	m.due()
	for range 4 {
		m.round()
	}
	if got := m.nets[tg].to("li-tg"); len(got) != 2 {
		t.Fatalf("the other address got %q; rows %q", got, m.ends())
	}
	if n := m.count(`select count(*) from prompt where closed_at is null and conversation_id = $1`, m.conversation("li-tg")); n != 1 {
		t.Error("the prompt stayed behind")
	}
	m.nets[web].on(nil)
	a.sent = nil
	m.says("li", "您好")
	m.flush()
	if got := a.to("li"); len(got) != 1 { // the answer to the greeting alone
		t.Errorf("after the login the account sent %q", got)
	}
	if got := told.all(); !slices.Equal(got, []string{"web out true scan true", "web out false scan true"}) {
		t.Errorf("people heard %q", got)
	}
	if n := m.count(`select count(*) from channel_owner where out_since is not null`); n != 0 {
		t.Error("it is still out")
	}
}

// Nobody else to send it: it waits for the account, and no people are called until
// it is old.
func TestWhatCannotGoAnotherWayWaits(t *testing.T) {
	t.Parallel()
	m, _, _ := logins(t, LoginPolicy{GiveUp: time.Hour})
	m.exec(`update address set trust = 'none' where user_id = 'li-tg'`)
	m.fails(web, bots.ClassLoggedOut)
	m.plan("ask.survey", "li", "ticket:5", time.Time{})
	m.due()
	for range 3 {
		m.round()
	}
	if got := m.ends(); !slices.Equal(got, []string{"web:queued"}) || len(m.lost.all()) != 0 {
		t.Fatalf("rows %q, lost %q", got, m.lost.all())
	}
	if n := m.count(`select count(*) from due where kind = $1 and state = 'planned'`, KindExpire); n != 0 {
		t.Errorf("%d clocks of a question that nobody saw", n)
	}
	m.nets[web].on(nil)
	m.round()
	if got := m.ends(); !slices.Equal(got, []string{"web:sent"}) {
		t.Fatalf("rows %q", got)
	}
	m.fails(web, bots.ClassLoggedOut)
	m.plan("tell", "li", "灯修好了", time.Time{})
	m.due()
	m.exec(`update outbox set created_at = now() - interval '2 hours' where state = 'queued'`)
	m.round()
	if got := m.lost.all(); !slices.Equal(got, []string{"logged_out"}) {
		t.Fatalf("people heard %q; rows %q", got, m.ends())
	}
}

// An account that says how it stands is missed while nothing is to be sent.
func TestAQuietAccountIsMissed(t *testing.T) {
	t.Parallel()
	m, a, told := logins(t, LoginPolicy{})
	p := m.posts[web]
	for _, s := range []bots.StandingState{bots.StandingOnline, bots.StandingScan, bots.StandingScan, bots.StandingOut, bots.StandingConfirm, bots.StandingOnline, bots.StandingOnline} {
		a.stands(s)
		p.lookLogin(t.Context(), p.epoch)
	}
	if got := told.all(); !slices.Equal(got, []string{"web out true scan true", "web out false scan true"}) {
		t.Fatalf("people heard %q", got)
	}
	// The patience is over later, and nobody tried to send.
	m.posts[tg].g.Logins.Alarm = 0
	m.posts[tg].lookLogin(t.Context(), m.posts[tg].epoch)
	if len(told.all()) != 2 {
		t.Error("an account that is in was told of")
	}
}

func TestAnAlarmHasPatience(t *testing.T) {
	t.Parallel()
	m, a, told := logins(t, LoginPolicy{Alarm: time.Hour})
	a.stands(bots.StandingScan)
	p := m.posts[web]
	p.lookLogin(t.Context(), p.epoch)
	if got := told.all(); len(got) != 0 {
		t.Fatalf("people heard %q", got)
	}
	m.exec(`update channel_owner set out_since = now() - interval '2 hours'`)
	own, err := m.DB.TryOwn(t.Context(), "elsewhere")
	if err != nil {
		t.Fatal(err)
	}
	own.Release()
	own.Out, own.OutFor = true, 2*time.Hour
	p.knows(own)
	p.lookLogin(t.Context(), p.epoch)
	p.lookLogin(t.Context(), p.epoch)
	if got := told.all(); len(got) != 1 {
		t.Fatalf("people heard %q", got)
	}
	a.stands(bots.StandingOnline)
	p.lookLogin(t.Context(), p.epoch)
	if got := told.all(); len(got) != 2 {
		t.Fatalf("people heard %q", got)
	}
}
