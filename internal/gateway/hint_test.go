package gateway

import (
	"testing"

	"shaoying/bots"
)

const wx = bots.ChannelID("wx")

// contacts is a rig with a network whose ids change at every login.
func contacts(t *testing.T) *manyRig {
	n := newNetwork()
	m := newManyRig(t, func(_ *Config, d *Deps) { d.Channels[wx] = n })
	own, err := m.DB.TryOwn(t.Context(), string(wx))
	if err != nil || own == nil {
		t.Fatal(own, err)
	}
	t.Cleanup(own.Release)
	c, err := NewChannel(m.Gateway, wx)
	if err != nil {
		t.Fatal(err)
	}
	m.nets[wx], m.posts[wx] = n, &post{c, own.Epoch}
	return m
}

// writes sends words of a contact with its hints.
func (m *manyRig) writes(user bots.UserID, words string, hints ...string) {
	m.t.Helper()
	ev := on(wx, m.text(user, words))
	ev.From.Trust, ev.From.Hints = bots.TrustNone, hints
	m.send(ev)
}

func (m *manyRig) rootOf(user string) int64 {
	m.t.Helper()
	return m.count(`select coalesce(p.merged_into, p.id) from address a join person p on p.id = a.person_id where a.user_id = $1`, user)
}

// After a new login the contact has another id. It is who it was, what came by the
// old id is answered at the new one, and it is believed for nothing.
func TestAHintLeadsBack(t *testing.T) {
	t.Parallel()
	m := contacts(t)
	m.writes("@old", "您好", "r:7a", "avatar:1")
	m.writes("@other", "您好", "r:8b", "avatar:1")
	m.exec(`update person set lang = 'en' where id = (select person_id from address where user_id = '@old')`)
	old := m.rootOf("@old")
	m.writes("@new", "您好", "r:7a", "avatar:1")
	m.writes("@newer", "您好", "r:7a")
	if m.rootOf("@new") != old || m.rootOf("@newer") != old || m.rootOf("@other") == old {
		t.Fatalf("the contacts are %d %d %d %d", old, m.rootOf("@new"), m.rootOf("@newer"), m.rootOf("@other"))
	}
	if got := one[string](m.rig, `select string_agg(trust || ' ' || state, ', ' order by id) from address where user_id in ('@old', '@new', '@newer')`); got != "none gone, none gone, none active" {
		t.Errorf("the addresses are %s", got)
	}
	if lang := one[string](m.rig, `select p.lang from address a join person p on p.id = a.person_id where a.user_id = '@newer'`); lang != "en" {
		t.Errorf("it is spoken to in %s", lang)
	}
	// What is about a matter of the old id is said at the new one.
	list, err := Reach(t.Context(), m.DB.Queries, []int64{old}, m.count(`select id from address where user_id = '@old'`))
	if err != nil || len(list) != 1 || list[0].UserID != "@newer" {
		t.Errorf("it is reached at %+v, %v", list, err)
	}
	// What is about something else is not: an address that proves nothing.
	if list, err = Reach(t.Context(), m.DB.Queries, []int64{old}, 0); err != nil || len(list) != 0 {
		t.Errorf("it is reached at %+v, %v", list, err)
	}
	if n := m.count(`select count(*) from trail where kind = 'address.followed'`); n != 2 {
		t.Errorf("%d rows in the trail", n)
	}
	if n := m.count(`select count(*) from address_hint`); n != 2 {
		t.Errorf("%d hints are kept", n)
	}
}

// Who has proven something under the new id stays who they are; nobody becomes
// staff; on other networks hints are nothing.
func TestAHintMergesNobodyWhoProved(t *testing.T) {
	t.Parallel()
	m := contacts(t)
	m.writes("@old", "您好", "r:7a")
	old := m.rootOf("@old")
	m.writes("@proven", "您好")
	m.also("@proven", sms, "number", bots.TrustVerified)
	m.writes("@proven", "您好", "r:7a")
	if m.rootOf("@proven") == old {
		t.Error("a hint merged a person with a verified number")
	}
	m.writes("@clerk", "您好", "r:9c")
	m.exec(`insert into staff (person_id, slug, name) select person_id, 'c', 'c' from address where user_id = '@clerk'`)
	clerk := m.rootOf("@clerk")
	m.writes("@thief", "您好", "r:9c")
	if m.rootOf("@thief") == clerk {
		t.Error("a hint made somebody staff")
	}
	m.nets[wx].caps.Trust = bots.TrustStable
	m.writes("@a", "您好", "r:1")
	m.writes("@b", "您好", "r:1")
	if m.rootOf("@a") == m.rootOf("@b") {
		t.Error("a network with lasting ids followed a hint")
	}
}

// Staff part what a hint put together wrongly, and nothing goes astray.
func TestAHintIsTakenBack(t *testing.T) {
	t.Parallel()
	m := contacts(t)
	m.writes("@old", "您好", "r:7a")
	old := m.rootOf("@old")
	m.writes("@new", "您好", "r:7a")
	id := m.count(`select person_id from address where user_id = '@new'`)
	if _, err := m.DB.UndoMerge(t.Context(), "staff:1", id); err != nil {
		t.Fatal(err)
	}
	if err := m.DB.PartPersons(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	list, err := Reach(t.Context(), m.DB.Queries, []int64{old}, m.count(`select id from address where user_id = '@old'`))
	if err != nil || len(list) != 0 {
		t.Errorf("it is still reached at %+v, %v", list, err)
	}
	m.writes("@new", "您好", "r:7a")
	if m.rootOf("@new") == old {
		t.Error("the same hint put them together again")
	}
}
