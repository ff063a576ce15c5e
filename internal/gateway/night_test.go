package gateway

import (
	"slices"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

func nights(t *testing.T) (scheduler.Quiet, *time.Location) {
	t.Helper()
	zone := time.FixedZone("CST", 8*3600)
	hours, err := scheduler.ParseHours("hours.yaml", configFile(t, "policies/hours.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	quiet, err := scheduler.NewQuiet(hours, zone)
	if err != nil {
		t.Fatal(err)
	}
	return quiet, zone
}

// An account that is logged out in the evening and logged in again in the night
// wakes nobody up either.
func TestWhatWaitedForAnAccountComesInTheMorning(t *testing.T) {
	t.Parallel()
	quiet, zone := nights(t)
	m, _, _ := logins(t, LoginPolicy{Move: time.Hour, Alarm: time.Hour}, func(_ *Config, d *Deps) { d.Quiet = quiet })
	if err := m.DB.SetProductTime(t.Context(), time.Date(2026, 3, 3, 20, 0, 0, 0, zone)); err != nil {
		t.Fatal(err)
	}
	m.fails(web, bots.ClassLoggedOut)
	m.plan("tell", "li", "灯修好了", time.Time{})
	m.due()
	m.plan("tell", "li", "水通了", time.Time{})
	m.due()
	m.round()
	if got := m.ends(); !slices.Equal(got, []string{"web:queued", "web:queued"}) {
		t.Fatalf("in the evening: rows %q", got)
	}
	m.advance(3 * time.Hour)
	m.round()
	m.round()
	m.nets[web].on(nil)
	before := len(m.nets[web].to("li"))
	m.says("li", "您好") // a reply goes at any hour
	m.round()
	m.round()
	if got := m.nets[web].to("li"); len(got) != before+1 {
		t.Fatalf("in the night came %q; rows %q", got[before:], m.ends())
	}
	m.advance(9*time.Hour + time.Minute)
	m.due()
	m.flush()
	if got := m.nets[web].to("li")[before+1:]; !slices.Equal(sorted(got), sorted([]string{"通知：灯修好了", "通知：水通了"})) {
		t.Errorf("in the morning came %q; rows %q", got, m.ends())
	}
}

// A carrier that is away in the evening and back in the night wakes nobody up, and
// what is put off holds up no reply.
func TestATelephoneDoesNotRingAtNight(t *testing.T) {
	t.Parallel()
	quiet, zone := nights(t)
	m := phoneRig(t, func(_ *Config, d *Deps) { d.Quiet = quiet })
	evening := time.Date(2026, 3, 3, 20, 0, 0, 0, zone)
	if err := m.DB.SetProductTime(t.Context(), evening); err != nil {
		t.Fatal(err)
	}
	m.texts("n1", "您好", "")
	m.says("li", "您好")
	m.flush()
	m.plan("tell", "n1", "灯修好了", time.Time{})
	m.due()
	m.plan("ask.survey", "n1", "a", time.Time{})
	m.plan("tell", "li", "灯修好了", time.Time{})
	m.due()
	m.exec(`insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, reason, rank, subject)
		select channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, 'code', 0, $1
		from outbox where class = 'push' and channel = 'sms' order by id limit 1`, postgres.Subject("address", m.count(`select id from address where user_id = 'n1'`)))
	m.advance(3 * time.Hour)
	m.texts("n1", "您好", "")
	m.flush()
	// li reads on a page; to the telephone go the code and the reply.
	want := []string{"sms:sent", "web:sent", "sms:stale", "sms:stale", "web:sent", "sms:sent", "sms:sent"}
	if got := m.ends(); !slices.Equal(sorted(got), sorted(want)) || got[2] == got[len(got)-1] {
		t.Fatalf("rows %q, want %q", got, want)
	}
	before := len(m.nets[sms].to("n1"))
	m.advance(9*time.Hour + time.Minute)
	m.due()
	m.flush()
	got := m.nets[sms].to("n1")
	if len(got) != before+2 || got[before] != "通知：灯修好了" {
		t.Fatalf("in the morning came %q", got[before:])
	}
	m.texts("n1", "满意", "1")
	m.wantRecorded("a=good")
	m.advance(24 * time.Hour)
	m.due()
	m.flush()
	if n := len(m.nets[sms].to("n1")); n > before+3 { // with the thanks
		t.Fatalf("it came %d times", n)
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}
