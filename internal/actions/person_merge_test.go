package actions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

// atDesk runs f as somebody at the desk page.
func (r *rig) atDesk(f func(context.Context, *gateway.Turn) error) error {
	staff := one[int64](r, `select id from staff where slug = 'wang'`)
	return r.Desk(r.t.Context(), staff, one[int64](r, `select person_id from staff where slug = 'wang'`), f)
}

func (r *rig) merge(into, other int64) error {
	return r.atDesk(func(ctx context.Context, t *gateway.Turn) error {
		_, err := r.set.Orders.MergePersons(ctx, t, into, other, "同一个电话")
		return err
	})
}

func (r *rig) part(id int64) error {
	return r.atDesk(func(ctx context.Context, t *gateway.Turn) error {
		return r.set.Orders.UnmergePerson(ctx, t, id, "认错了")
	})
}

func (r *rig) personOf(user string) int64 {
	r.t.Helper()
	return one[int64](r, `select person_id from address where user_id = $1`, user)
}

// Merging and parting in any order: everybody's root is what the merges that stand
// say, and when none stands all is as before.
func TestMergesAreTakenBackInAnyOrder(t *testing.T) {
	r := newRig(t)
	var ids []int64
	for range 6 {
		ids = append(ids, one[int64](r, `insert into person default values returning id`))
	}
	rapid.Check(t, func(t *rapid.T) {
		r.exec(`delete from person_merge`)
		r.exec(`update person set merged_into = null`)
		into := map[int64]int64{} // the merges that stand
		root := func(id int64) int64 {
			for into[id] != 0 {
				id = into[id]
			}
			return id
		}
		judge := func() {
			for _, id := range ids {
				want := root(id)
				if got := one[int64](r, `select coalesce(merged_into, id) from person where id = $1`, id); got != want {
					t.Fatalf("%d is %d, want %d; the merges are %v", id, got, want, into)
				}
			}
		}
		part := func(id int64) {
			err := r.part(id)
			if (into[id] == 0) != errors.Is(err, people.ErrNotMerged) || into[id] != 0 && err != nil {
				t.Fatalf("parting %d: %v; the merges are %v", id, err, into)
			}
			delete(into, id)
		}
		for range rapid.IntRange(1, 14).Draw(t, "steps") {
			a, b := rapid.SampledFrom(ids).Draw(t, "a"), rapid.SampledFrom(ids).Draw(t, "b")
			if rapid.IntRange(0, 2).Draw(t, "part") == 0 {
				part(a)
			} else if err := r.merge(a, b); root(a) == root(b) {
				if !errors.Is(err, people.ErrSame) {
					t.Fatalf("merging one person with itself: %v", err)
				}
			} else if err != nil {
				t.Fatalf("merging %d into %d: %v", b, a, err)
			} else {
				into[root(b)] = root(a)
			}
			judge()
		}
		for id := range maps.Clone(into) {
			part(id)
			judge()
		}
	})
}

// Two residents were taken for one by mistake. What each said meanwhile is theirs
// afterwards: tickets, the stop, the monthly question, the language.
func TestPartingGivesBackWhatWasSaid(t *testing.T) {
	r := newRig(t)
	r.report("li", "昌盛小区3栋楼道灯坏了")
	before := r.number()
	r.report("zhao", "昌盛小区的垃圾没人收")
	r.exec(`update address set trust = 'verified' where user_id in ('li', 'zhao')`)
	li, zhao := r.personOf("li"), r.personOf("zhao")
	if err := r.merge(zhao, li); err != nil {
		t.Fatal(err)
	}
	r.report("li", "昌盛小区3栋楼下水井盖松动")
	during := r.number()
	r.expect("zhao", "我的工单", before, during) // one person now
	r.expect("li", "参与调查")
	r.says("li", "1")
	r.expect("li", "退订", "")
	r.expect("li", "english", "English")
	if own := one[int64](r, `select count(*) from ticket where reporter_id = $1`, li); own != 2 {
		t.Errorf("%d tickets were kept with who filed them", own)
	}
	opted := func(id int64) bool {
		stopped, err := r.DB.OptedOut(t.Context(), id, []string{topicAll})
		if err != nil {
			t.Fatal(err)
		}
		return stopped
	}
	if !opted(zhao) || !opted(li) {
		t.Error("the stop of one is not that of both")
	}

	if err := r.part(li); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(r.says("zhao", "我的工单"), ""); strings.Contains(got, before) || strings.Contains(got, during) {
		t.Errorf("zhao still sees what is li's: %s", got)
	}
	if got := strings.Join(r.says("li", "我的工单"), ""); !strings.Contains(got, during) {
		t.Errorf("li does not see what was filed meanwhile: %s", got)
	}
	if opted(zhao) || !opted(li) {
		t.Error("the stop went to the wrong one")
	}
	if lang := one[string](r, `select lang from person where id = $1`, zhao); lang != "zh-Hans" {
		t.Errorf("zhao is spoken to in %s", lang)
	}
	if n := one[int64](r, `select count(*) from consent where person_id = $1 and withdrawn_at is null`, zhao); n != 0 {
		t.Error("zhao is asked every month")
	}
	for _, kind := range []string{"person.merged", "person.unmerged"} {
		if by := one[string](r, `select actor from trail where kind = $1`, kind); !strings.HasPrefix(by, "staff:") {
			t.Errorf("%s is by %s", kind, by)
		}
	}
}

// Who takes a stop back does so for everybody who is one with them, and only as long
// as they are.
func TestPartingGivesBackTheStop(t *testing.T) {
	r := newRig(t)
	r.says("li", "退订")
	r.says("zhao", "您好")
	li, zhao := r.personOf("li"), r.personOf("zhao")
	stopped := func(when string, person int64, want bool) {
		t.Helper()
		if got, err := r.DB.OptedOut(t.Context(), person, []string{topicAll}); err != nil || got != want {
			t.Errorf("%s: stopped %v, %v", when, got, err)
		}
		if list, err := r.DB.OptOutsOf(t.Context(), []int64{person}); err != nil || len(list) > 0 != want {
			t.Errorf("%s: stops %v, %v", when, list, err)
		}
	}
	if err := r.merge(zhao, li); err != nil {
		t.Fatal(err)
	}
	stopped("merged", zhao, true)
	r.says("zhao", "恢复")
	stopped("taken back", zhao, false)
	stopped("taken back", li, false)
	r.says("li", "退订")
	stopped("stopped again", zhao, true)
	r.says("zhao", "恢复")
	if err := r.part(li); err != nil {
		t.Fatal(err)
	}
	stopped("parted", zhao, false)
	stopped("parted", li, true)
	r.says("li", "恢复")
	stopped("taken back by oneself", li, false)
}

// What waits to be sent to the other one about somebody's ticket is not sent.
func TestPartingTakesBackWhatWaits(t *testing.T) {
	r := newRig(t)
	r.report("li", "昌盛小区3栋楼道灯坏了")
	r.report("zhao", "昌盛小区的垃圾没人收")
	if err := r.merge(r.personOf("zhao"), r.personOf("li")); err != nil {
		t.Fatal(err)
	}
	r.exec(`insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang, params, subject)
		select a.channel, a.chat, c.id, a.id, 'push', 'texts:notice', 'notice.handled', 1, 'zh-Hans', '', 'ticket:' || k.id
		from address a join conversation c on c.address_id = a.id, ticket k where a.user_id in ('li', 'zhao')`)
	if err := r.part(r.personOf("li")); err != nil {
		t.Fatal(err)
	}
	wrong := `from outbox o join address a on a.id = o.address_id join ticket k on o.subject = 'ticket:' || k.id where o.params = '' and o.state = `
	if stale := one[int64](r, `select count(*) filter (where a.person_id <> k.reporter_id) * 10 + count(*) `+wrong+`'stale'`); stale != 22 {
		t.Errorf("taken back: %d", stale)
	}
	if waits := one[int64](r, `select count(*) filter (where a.person_id = k.reporter_id) * 10 + count(*) `+wrong+`'queued'`); waits != 22 {
		t.Errorf("left: %d", waits)
	}
}

// A question about somebody's ticket that waits with the other one is over.
func TestPartingClosesForeignQuestions(t *testing.T) {
	r := newRig(t)
	r.report("li", "昌盛小区3栋楼道灯坏了")
	r.push("callback")
	r.report("zhao", "昌盛小区的垃圾没人收")
	r.push("callback")
	r.exec(`update prompt set address_id = (select id from address where user_id = 'zhao') , extension = '7' where conversation_id = (select id from conversation where user_id = 'li')`)
	if err := r.merge(r.personOf("zhao"), r.personOf("li")); err != nil {
		t.Fatal(err)
	}
	if err := r.part(r.personOf("li")); err != nil {
		t.Fatal(err)
	}
	if got := one[string](r, `select string_agg(outcome, ' ' order by id) from prompt`); strings.TrimSpace(got) != "parted" {
		t.Errorf("the questions ended as %q", got)
	}
}

func TestNobodyAtADeskMakesStaff(t *testing.T) {
	r := newRig(t)
	r.report("li", "昌盛小区3栋楼道灯坏了")
	wang := one[int64](r, `select person_id from staff where slug = 'wang'`)
	for _, pair := range [][2]int64{{wang, r.personOf("li")}, {r.personOf("li"), wang}} {
		if err := r.merge(pair[0], pair[1]); !errors.Is(err, people.ErrIsStaff) {
			t.Errorf("merging %v: %v", pair, err)
		}
	}
}

// Two at two desks merge the same two, each into the other: one of them does.
func TestTwoMergesAtOnce(t *testing.T) {
	r := newRig(t)
	for range 8 {
		a := one[int64](r, `insert into person default values returning id`)
		b := one[int64](r, `insert into person default values returning id`)
		done := make(chan error, 2)
		for _, pair := range [][2]int64{{a, b}, {b, a}} {
			go func() { done <- r.merge(pair[0], pair[1]) }()
		}
		failed := errors.Join(<-done, <-done)
		if n := one[int64](r, `select count(*) from person where id in ($1, $2) and merged_into is null`, a, b); n != 1 || failed == nil {
			t.Fatalf("%d roots, %v", n, failed)
		}
	}
}

// A number that belongs to two persons finds both roots, and each once.
func TestANumberFindsRoots(t *testing.T) {
	r := newRig(t)
	index := r.Keys.Index(gateway.IndexPhone, "+8613800000001")
	a := one[int64](r, `insert into person (phone_index) values ($1) returning id`, index)
	b := one[int64](r, `insert into person default values returning id`)
	if err := r.merge(b, a); err != nil {
		t.Fatal(err)
	}
	got, err := r.DB.PersonsByPhone(t.Context(), index)
	if err != nil || fmt.Sprint(got) != fmt.Sprint([]int64{b}) {
		t.Errorf("found %v, %v", got, err)
	}
}
