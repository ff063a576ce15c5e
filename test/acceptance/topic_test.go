//go:build acceptance

package acceptance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"shaoying/test/world"
)

// A special topic: twelve people report the same kind of thing, one of them by
// following another's ticket and one of them twice; a dispatcher opens a topic
// and closes it; each of the twelve is told once.
func TestATopicIsToldToEverybodyOnce(t *testing.T) {
	const outcome = "整个小区换成了每天收两次，以后不会再堆"
	reporters := make([]*world.Chat, 12)
	for i := range reporters {
		reporters[i] = server.Resident(t)
		report(t, reporters[i], fmt.Sprintf("昌盛小区%d栋垃圾堆了半个月没人收", i%11+1))
	}
	report(t, reporters[0], "昌盛小区12栋垃圾堆了半个月没人收")
	// Whoever means a ticket that is known is put behind it; the twelfth said no.
	follower := reporters[11]
	follower.Say("昌盛小区1栋垃圾堆了半个月没人收")
	for {
		item := follower.Expect()
		if strings.Contains(item.Text, "是不是这件事") {
			follower.Tap(item, "跟进")
			break
		}
		if strings.Contains(item.Text, "照片") {
			follower.Say("跳过")
		}
	}
	numberIn(t, follower.Expect("已受理").Text)

	server.Advance(t, "24h") // past the morning on which it is looked
	slug := one[string](t, `select s.slug from task k join staff_role r on r.role = k.role and r.area = k.area join staff s on s.id = r.staff_id
		where k.kind = 'topic' and k.state = 'open' order by s.id limit 1`)
	dispatcher := staff(t, slug)
	proposal := dispatcher.Expect("垃圾清运", "要不要立专项")
	dispatcher.Say(regexp.MustCompile(`立项 \d+`).FindString(proposal.Text))
	dispatcher.Tap(dispatcher.Expect("要立专项吗"), "立专项")
	dispatcher.Expect("谁来牵头")
	dispatcher.Say("1")
	dispatcher.Expect("打算怎么办")
	dispatcher.Say("和保洁公司重新定收运次数")
	opened := dispatcher.Expect("14件、12人")
	states := one[string](t, `select string_agg(state, ',' order by id) from ticket`)
	dispatcher.Say(regexp.MustCompile(`专项办结 \d+`).FindString(opened.Text))
	dispatcher.Expect("告诉居民")
	dispatcher.Say(outcome)
	dispatcher.Tap(dispatcher.Expect("发给12位", "对吗"), "对")
	dispatcher.Expect("告诉12位居民")
	if h := one[int](t, `select extract(hour from product_now() at time zone 'Asia/Shanghai')::int`); h < 8 || h >= 20 {
		server.Advance(t, "12h") // quiet hours bind what is told
	}
	for _, r := range reporters {
		r.Expect(outcome)
	}
	if after := one[string](t, `select string_agg(state, ',' order by id) from ticket`); after != states {
		t.Errorf("the topic moved tickets: %s, were %s", after, states)
	}
	server.Advance(t, "1h")
	for i, r := range reporters {
		n := 0
		for _, item := range r.Items() {
			if strings.Contains(item.Text, outcome) {
				n++
			}
		}
		if n != 1 {
			t.Errorf("reporter %d was told %d times", i, n)
		}
	}
}
