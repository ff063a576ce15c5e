//go:build acceptance

package acceptance

import (
	"regexp"
	"testing"

	"shaoying/test/world"
)

var (
	reviewing = regexp.MustCompile(`审核 \d+`)
	sending   = regexp.MustCompile(`派 (\d+)`)
)

// desk is somebody who holds a role somewhere in the demo city, the first by
// name.
func desk(t *testing.T, role, area string) *world.Chat {
	t.Helper()
	return staff(t, one[string](t, `select min(s.slug) from staff s join staff_role r on r.staff_id = s.id
		where r.role = $1 and r.area = $2 and s.ended_at is null and s.on_duty`, role, area))
}

// sentTo takes a fresh ticket back from its grid and sends it where words say.
// It returns the dispatcher's chat.
func sentTo(t *testing.T, number, words string) *world.Chat {
	t.Helper()
	holder(t, number)
	dispatcher := desk(t, "dispatcher", "360313")
	dispatcher.Say("收回 " + number)
	// Typed, not tapped: the chat of a desk still holds what others asked.
	dispatcher.Say("事项分错了")
	dispatcher.Say("跳过")
	dispatcher.Expect(number, "收回来了")
	task := sending.FindStringSubmatch(dispatcher.Expect(number, "派单").Text)
	dispatcher.Say("派 " + task[1] + " " + words)
	dispatcher.Expect(number, "派给城市管理局")
	return dispatcher
}

// finished lets who signed report without a photo.
func finished(t *testing.T, lead *world.Chat, number, h, words string) {
	t.Helper()
	lead.Say("办 " + h + " " + words)
	lead.Say("没办成")
	lead.Expect(number, "办结了")
}

// Issue 4, done means 4: three units with a silent co-handler. The silent one is
// supervised, not the lead; the resident reads nothing of what they write to
// each other.
func TestThreeUnitsWithASilentCoHandler(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区5栋楼下水井盖有些松动，走上去会响")
	lead, prompt, silent := desk(t, "handler", "urban_management"), desk(t, "handler", "transport"), desk(t, "handler", "housing")
	sentTo(t, number, "城管局 协办 交通局 住建局")
	card := lead.Expect(number, "协办交通运输局", "协办住房和城乡建设局")
	h := handle(t, card)
	lead.Tap(card, "接单")
	lead.Expect("接好了")
	co := prompt.Expect(number, "协办：", "主办：城市管理局")
	prompt.Tap(co, "接协办")
	prompt.Expect("接好了", "前答复主办")
	prompt.Say("协办答复 " + handle(t, co) + " 井座归我们，周五换")
	prompt.Expect(number, "答复给主办了")
	lead.Expect(number, "协办答复来了", "井座归我们，周五换")
	silent.Expect(number, "协办：")
	server.Advance(t, one[string](t, `select (ceil(extract(epoch from max(a.deadline) - product_now()) / 60) + 1)::bigint || 'm' from assignment a
		join ticket k on k.id = a.ticket_id where k.number = $1 and a.role = 'co'`, plain(number)))
	silent.Expect(number, "主办在等您这边的协办答复")
	if got := one[string](t, `select coalesce(string_agg(v.desk || ' ' || v.reason, ', ' order by v.id), '') from supervision v
		join ticket k on k.id = v.ticket_id where k.number = $1`, plain(number)); got != "housing co_silent" {
		t.Errorf("supervised: %q", got)
	}
	finished(t, lead, number, h, "围起来了，等井座。内部说明：催住建局")
	r.Expect(number, "围起来了")
	for _, item := range r.Items() {
		for _, secret := range []string{"井座归我们", "催住建局"} {
			if world.Holds(item.Text, secret) {
				t.Errorf("the resident reads %q", item.Text)
			}
		}
	}
}

// Issue 4, done means 4: an objection is refused; the clock ran on, the desk
// hears why, signs and does it.
func TestObjectionRefused(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区6栋楼下水井盖有些松动，走上去会响")
	lead := desk(t, "handler", "urban_management")
	dispatcher := sentTo(t, number, "城管局")
	card := lead.Expect(number, "待接单")
	deadline := one[string](t, `select deadline::text from ticket where number = $1`, plain(number))
	lead.Tap(card, "退单")
	lead.Tap(lead.Expect("为什么退"), "事情不归我们管")
	lead.Expect("依据")
	lead.Say("三定方案里没有井盖")
	lead.Expect(number, "期限不停")
	task := dispatcher.Expect(number, "等您审核")
	dispatcher.Say(reviewing.FindString(task.Text))
	dispatcher.Tap(dispatcher.Expect("要退单", "依据：三定方案里没有井盖", "怎么定"), "不同意")
	dispatcher.Say("权责清单第8条归城管")
	dispatcher.Expect(number, "没有同意")
	lead.Expect(number, "退单没有同意", "权责清单第8条归城管")
	h := handle(t, card)
	lead.Say("退 " + h)
	lead.Expect("已经退过一次单")
	lead.Say("接 " + h)
	lead.Expect("接好了")
	if got := one[string](t, `select deadline::text from ticket where number = $1`, plain(number)); got != deadline {
		t.Errorf("the deadline moved from %s to %s", deadline, got)
	}
	finished(t, lead, number, h, "换了新井盖")
}
