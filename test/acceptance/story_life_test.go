//go:build acceptance

package acceptance

import (
	"fmt"
	"testing"
	"time"

	"shaoying/test/world"
)

// office opens the chat of a role of the county in which a ticket lies.
func office(t *testing.T, role, number string) *world.Chat {
	t.Helper()
	return staff(t, role+"-"+one[string](t, `select left(division, 6) from ticket where number = $1`, plain(number)))
}

// comes waits for a line that nothing but the night can hold up.
func comes(t *testing.T, c *world.Chat, parts ...string) world.Item {
	t.Helper()
	if c.Await(5*time.Second, func([]world.Item) bool { return c.Comes(parts...) }) {
		return c.Expect(parts...)
	}
	return until(t, c, parts...)
}

func state(t *testing.T, number string) string {
	t.Helper()
	return one[string](t, `select state from ticket where number = $1`, plain(number))
}

// Five neighbours report one thing. Each keeps a number, is told once that it is
// handled together, hears the result and is called back; one that turns out to be
// another matter goes its own way.
func TestFiveReportersMergedOneUnmerged(t *testing.T) {
	residents, numbers := make([]*world.Chat, 5), make([]string, 5)
	for i := range residents {
		residents[i] = server.Resident(t)
		numbers[i] = report(t, residents[i], fmt.Sprintf("昌盛小区%d栋楼下水井盖有些松动，走上去会响", 11+i))
	}
	master := numbers[0]
	clerk := office(t, "dispatcher", master)
	for _, n := range numbers[1:] {
		clerk.Say("并单 " + n + " 到 " + master)
		clerk.Tap(clerk.Expect(n, master, "对吗"), "是")
		clerk.Expect(n, "并好了")
	}
	for i, n := range numbers[1:] {
		comes(t, residents[i+1], n, "并在一起办")
	}
	clerk.Say("拆单 " + numbers[4])
	clerk.Expect(numbers[4], "拆出来了")
	workOff(t, master, "井盖全部换了新的")
	for i, n := range numbers[1:4] {
		comes(t, residents[i+1], n, "井盖全部换了新的")
		if s := state(t, n); s != "handled" {
			t.Errorf("%s is %s", n, s)
		}
	}
	for i, n := range numbers[:4] {
		asked := comes
		if i == 0 { // all are asked at the same time
			asked = until
		}
		residents[i].Tap(asked(t, residents[i], n, "联系过您吗"), "联系了")
		residents[i].Tap(residents[i].Expect("解决了吗"), "解决了")
		residents[i].Say("满意")
		residents[i].Expect("谢谢您")
	}
	for i, want := range []string{"closed", "closed", "closed", "closed", "dispatched"} {
		if s := state(t, numbers[i]); s != want && !(i == 4 && s == "signed") {
			t.Errorf("%s is %s, want %s", numbers[i], s, want)
		}
	}
	for i, n := range numbers[1:] {
		told := 0
		for _, item := range residents[i+1].Items() {
			if world.Holds(item.Text, n, "并在一起办") {
				told++
			}
		}
		if told != 1 {
			t.Errorf("the reporter of %s was told %d times", n, told)
		}
	}
}

// What is redone twice in vain goes to the next level, and the resident knows.
func TestRedoTwiceThenEscalated(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区17栋楼下水井盖有些松动，走上去会响")
	clerk, workers := office(t, "callback-clerk", number), map[string]*world.Chat{}
	for round := range 3 {
		at := holder(t, number)
		if workers[at] == nil {
			workers[at] = staff(t, at)
		}
		workAt(t, workers[at], number, fmt.Sprintf("第%d次去看过", round+1))
		r.Tap(until(t, r, number, "联系过您吗"), "联系了")
		r.Tap(r.Expect("解决了吗"), "没解决")
		r.Say("不满意")
		r.Tap(r.Expect("对吗"), "是")
		r.Expect("哪里没办好")
		r.Say("还是响")
		r.Expect("专人")
		task := clerk.Expect(number, "裁定")
		clerk.Say(judging.FindString(task.Text))
		clerk.Tap(clerk.Expect("怎么定"), "有理")
		clerk.Expect("理由")
		clerk.Say("要到现场换新的")
		if round < 2 {
			clerk.Expect(number, "定了：要重办")
			continue
		}
		clerk.Expect("提到上一级重新派单")
	}
	r.Expect(number, "提到上一级")
	if s := state(t, number); s != "received" {
		t.Errorf("the ticket is %s", s)
	}
	if level := one[int](t, `select level from ticket where number = $1`, plain(number)); level != 1 {
		t.Errorf("it was raised to level %d", level)
	}
	if n := one[int](t, `select count(*) from task k join ticket t on t.id = k.ticket_id where t.number = $1 and k.state = 'open' and k.kind in ('dispatch', 'escalated')`, plain(number)); n != 2 {
		t.Errorf("%d open tasks, want the dispatcher's and the level's", n)
	}
}
