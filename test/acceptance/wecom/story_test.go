//go:build acceptance

package wecom

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots/wecom/wecomfake"
	"shaoying/test/world"
)

var (
	handles  = regexp.MustCompile(`【(\d+)】`)
	whistles = regexp.MustCompile(`【哨(\d+)】`)
)

// TestWeCom tells all stories in one city, whose clock only goes forward.
func TestWeCom(t *testing.T) {
	c := town(t)
	t.Run("a resident over Customer Service", func(t *testing.T) { resident(t, c) })
	t.Run("staff over the application", func(t *testing.T) { staff(t, c) })
	t.Run("a whistle", func(t *testing.T) { whistle(t, c) })
	t.Run("the week's chart", func(t *testing.T) { monday(t, c) })
	t.Run("channels check", func(t *testing.T) { check(t, c) })
	if n := one[int](t, c, `select count(*) from inbox where state in ('waiting', 'dead')`); n != 0 {
		t.Errorf("%d events were not done", n)
	}
}

// until moves the clock from due thing to due thing until p is shown a line.
func until(t *testing.T, c *city, p *world.Phone, parts ...string) world.Line {
	t.Helper()
	for range 40 {
		c.server.Next(t)
		var line world.Line
		if world.Soon(func() (ok bool) { line, ok = p.Comes(parts...); return ok }) {
			return line
		}
	}
	return p.Expect(t, parts...)
}

// staff: a clerk joins by invite, a resident reports on the web page, the card
// comes with buttons; a reminder, taking, contact, the morning's figures,
// finishing with a photo.
func staff(t *testing.T, c *city) {
	clerk := c.member("li.shifu")
	story := world.Story{Staff: clerk, Trouble: world.Trouble{What: "楼下水井盖有些松动，走上去会响", Unit: "urban_management"}, Where: "昌盛小区3栋"}
	story.Join(t, c.World, "李师傅")

	r := c.server.Resident(t)
	r.Say(story.What)
	r.Expect("什么地方")
	r.Say(story.Where)
	r.Expect("照片")
	r.Say("跳过")
	r.Tap(r.Expect("对吗", story.Where), "对")
	said := r.Expect("已受理", "编号")
	story.Told(t, world.Line{Text: said.Text})

	card := clerk.Expect(t, story.Number)
	h := handles.FindStringSubmatch(card.Text)
	if h == nil {
		t.Fatalf("no handle in %q", card.Text)
	}
	clerk.Tap(t, card, "接单")
	clerk.Expect(t, "接好了", "【"+h[1]+"】")

	clerk.Say("联系 " + h[1])
	clerk.Tap(t, clerk.Expect(t, "怎么联系"), "转告")
	clerk.Expect(t, "问居民什么")
	clerk.Say("井盖在楼的哪一边？")
	clerk.Expect(t, "转过去了")
	r.Expect("井盖在楼的哪一边")

	until(t, c, clerk, "早上好", "手上")
	until(t, c, clerk, story.Number, "时间已用")

	clerk.Say("办 " + h[1] + " 换了新井盖，请放心")
	clerk.Tap(t, clerk.Expect(t, "结果是"), "办好了")
	clerk.Expect(t, "照片")
	clerk.Photo(world.Photo(320, 240))
	clerk.Expect(t, story.Number, "办结了")
	r.Expect("换了新井盖")
	photos(t, c, story.Number, 1)
	if s := one[string](t, c, `select state from address where channel = 'wc' and chat = 'li.shifu'`); s != "active" {
		t.Errorf("the clerk's address is %q", s)
	}
}

// whistle: the card of a whistle comes to the unit's clerk, who answers it by
// its button.
func whistle(t *testing.T, c *city) {
	clerk := c.member("wang.gong")
	story := world.Story{Staff: clerk, Trouble: world.Trouble{Unit: "housing"}}
	story.Join(t, c.World, "王工")
	worker, head := c.server.Staff(t, "worker-360313001010001"), c.server.Staff(t, "head-360313001")
	desk := c.server.Staff(t, "dispatcher-360313")
	worker.Say("提哨 楼道里堆满杂物，几家单位都要来")
	worker.Tap(worker.Expect("哪一种哨"), "应急处置哨")
	worker.Tap(worker.Expect("从哪里来"), "巡查看到的")
	worker.Expect("什么地方")
	worker.Say("昌盛小区3栋")
	m := whistles.FindStringSubmatch(worker.Expect("提上去了").Text)
	if m == nil {
		t.Fatal("the whistle has no number")
	}
	head.Say("吹哨 " + m[1])
	head.Tap(head.Expect("楼道里堆满杂物", "吹吗"), "是")
	head.Expect("吹响了")
	desk.Say("分哨 " + m[1] + " 住建局")
	desk.Expect("分给住房和城乡建设局了")
	clerk.Tap(t, clerk.Expect(t, "【哨"+m[1]+"】", "请住房和城乡建设局报到"), "应哨")
	clerk.Expect(t, "应了")
}

// monday: a leader has the ten lines of the week, below their chart as a picture.
func monday(t *testing.T, c *city) {
	leader := c.member("zhang.zhuren")
	leader.Join(t, c.World, "张主任", "leader", "township:360313001")
	var sees []wecomfake.Sent
	at := -1
	for range 7 {
		c.server.Advance(t, "24h")
		if world.Soon(func() bool {
			sees = c.app.Member("zhang.zhuren").Sees()
			at = slices.IndexFunc(sees, func(s wecomfake.Sent) bool { return strings.Contains(s.Text, "周一简报") })
			return at >= 0
		}) {
			break
		}
	}
	if at < 0 {
		t.Fatalf("no Monday came in a week: %+v", sees)
	}
	if !world.Draws(t) {
		if !strings.Contains(sees[at].Text, "月份　响应率") {
			t.Errorf("without a font there is no table: %q", sees[at].Text)
		}
		return
	}
	if at == 0 || sees[at-1].Type != "image" || !bytes.HasPrefix(sees[at-1].Photo, []byte("\x89PNG")) {
		t.Errorf("no chart stands above the lines: %+v", sees[:at])
	}
}

// resident: a link is opened and greeted, words and a photo come by WeChat, the
// number goes back, five answers to one message at most.
func resident(t *testing.T, c *city) {
	who := c.kf.Customer("wmAJ2GCAAAme1XQRC-NI-q0_ZM9ukoAw")
	p := c.customer(who.ID)
	who.Opens()
	p.Expect(t, "您好")
	story := world.Story{Resident: p, Trouble: world.Trouble{What: "楼下水井盖有些松动，走上去会响"}, Where: "昌盛小区8栋"}
	p.Say(story.What)
	p.Expect(t, "什么地方")
	p.Say(story.Where)
	p.Expect(t, "照片")
	who.SendsPhoto(world.Photo(320, 240))
	story.Confirm(t)
	p.Say("我的工单")
	p.Expect(t, story.Number)
	if n := one[int](t, c, `select count(*) from task where kind = 'lost'`); n != 0 {
		t.Errorf("%d messages were laid before people", n)
	}
	photos(t, c, story.Number, 1)
	if n := one[int](t, c, `select count(*) from outbox where channel = 'kf' and state <> 'sent'`); n != 0 {
		t.Errorf("%d answers were not sent", n)
	}
}

// photos waits until a ticket has n photos that were fetched.
func photos(t *testing.T, c *city, number string, n int) {
	t.Helper()
	again, limit := time.NewTicker(50*time.Millisecond), time.After(world.Patience)
	defer again.Stop()
	for one[int](t, c, `select count(*) from blob b join ticket_file p on p.blob_id = b.id join ticket k on k.id = p.ticket_id
		where k.number = $1 and b.body is not null`, world.Plain(number)) != n {
		select {
		case <-limit:
			t.Fatalf("ticket %s never had %d photos", number, n)
		case <-again.C:
		}
	}
}

// check: both accounts are well; an address that WeCom does not trust is named.
func check(t *testing.T, c *city) {
	out, err := c.Run("channels", "check", "--json")
	if n := strings.Count(out, `"ok": true`); err != nil || n != 3 {
		t.Errorf("channels check: %v, %d accounts are well:\n%s", err, n, out)
	}
	c.app.Foreign(true)
	defer c.app.Foreign(false)
	out, err = c.Run("channels", "check")
	if err == nil || !strings.Contains(out, "wc (wecom): WRONG") || !strings.Contains(out, "203.0.113.7") {
		t.Errorf("channels check from an address that is not trusted: %v\n%s", err, out)
	}
}
