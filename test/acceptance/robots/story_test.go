//go:build acceptance

// Package robots proves the whole program over group robots of three brands, on
// fakes that keep to the networks' limits: what a desk's group is shown from the
// card to the chart on Monday.
package robots

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/bots/robots/robotsfake"
	"shaoying/test/world"
)

// group is a robot in its group.
type group struct {
	*robotsfake.Network
	id   string
	seen int
}

// expect waits for a message that holds every part; those before it are past.
func (g *group) expect(t *testing.T, parts ...string) robotsfake.Post {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.After(2 * world.Patience)
	for {
		posts := g.Posts()
		for i := g.seen; i < len(posts); i++ {
			if world.Holds(posts[i].Text, parts...) {
				g.seen = i // several things may stand in one message
				return posts[i]
			}
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("%s never said %q; it said %q", g.id, parts, posts[g.seen:])
		}
	}
}

// town is a demo city with a robot of each brand.
func town(t *testing.T) (*world.World, *world.Server, map[string]*group) {
	t.Helper()
	w := world.Found(t, world.Build)
	config := "desk: {url: 'https://desk.example'}\nchannels:\n  - {id: web, kind: webchat}\n"
	groups := map[string]*group{}
	for brand, unit := range map[string]string{"wecom": "urban_management", "dingtalk": "housing", "feishu": "360313001"} {
		r := robotsfake.Robot{Brand: brand, Key: "key-of-the-robot-of-" + brand, PerMinute: 20}
		id, secret := "robot-"+brand, ""
		if brand != "wecom" {
			r.Secret = "SECsecret-of-the-robot-of-" + brand
			secret = ", secret_env: SECRET_" + brand
			w.Env = append(w.Env, "SECRET_"+brand+"="+r.Secret)
		}
		g := &group{Network: robotsfake.New(r), id: id}
		t.Cleanup(g.Close)
		groups[brand] = g
		config += fmt.Sprintf("  - {id: %s, kind: robots, brand: %s, api_url: %q, key_env: KEY_%s, unit: '%s'%s}\n", id, brand, g.URL(), brand, unit, secret)
		w.Env = append(w.Env, "KEY_"+brand+"="+r.Key)
	}
	w.Configure(t, config)
	s := w.Serve(t, "--demo")
	return w, s, groups
}

var (
	spoken  = regexp.MustCompile(`编号 ?(\d{3,4}(?: \d{1,4})+)`)
	handle  = regexp.MustCompile(`【(\d+)】`)
	whistle = regexp.MustCompile(`【哨(\d+)】`)
)

const act = "这里回了收不到。要办，请私聊哨应，或打开 https://desk.example/desk"

// TestStaffStory: card, what became of it, reminder, whistle, the morning's
// figures, the week's chart. Nobody can answer a robot, so the work is done in the
// chats beside it.
func TestStaffStory(t *testing.T) {
	w, server, groups := town(t)
	board, housing, township := groups["wecom"], groups["dingtalk"], groups["feishu"]

	resident := server.Resident(t)
	resident.Say("楼下水井盖有些松动，走上去会响")
	resident.Expect("什么地方")
	resident.Say("昌盛小区3栋")
	resident.Expect("照片")
	resident.Say("跳过")
	resident.Tap(resident.Expect("对吗"), "对")
	number := spoken.FindStringSubmatch(resident.Expect("已受理").Text)[1]

	handler := server.Staff(t, "urban-management-1")
	card := board.expect(t, number, "待接单")
	if strings.Contains(card.Text, "1 接") || strings.Count(card.Text, act) != 1 || !strings.HasSuffix(card.Text, act) {
		t.Errorf("the card in the robot's group: %q", card.Text)
	}
	m := handle.FindStringSubmatch(handler.Expect(number).Text)
	if m == nil {
		t.Fatal("the handler's own card has no handle")
	}
	handler.Say("接 " + m[1])
	handler.Expect("接好了")
	board.expect(t, "在办")

	n := blow(t, server)
	board.expect(t, "【哨"+n+"】", "请城市管理局报到")
	housing.expect(t, "【哨"+n+"】", "请住房和城乡建设局报到")
	township.expect(t, "【哨"+n+"】", "住房和城乡建设局")

	server.Advance(t, "2h30m")
	housing.expect(t, "哨"+n, "到场")
	server.Advance(t, "21h")
	board.expect(t, "城市管理局早上好。手上")
	server.Advance(t, "48h")
	board.expect(t, number, "还没联系报事的人")

	handler.Say("办 " + m[1] + " 修好了，请放心")
	handler.Tap(handler.Expect("结果是"), "办好了")
	handler.Expect("照片")
	handler.File("photo", world.Photo(320, 240))
	handler.Expect("办结了")
	board.expect(t, "井盖与地下管网", "办了，等回访")

	server.Advance(t, "73h") // Monday
	weekly := board.expect(t, "城市管理局", "计入", "满意率")
	line := township.expect(t, "计入", "月份　响应率")
	if weekly.Photo != nil == !world.Draws(t) {
		t.Errorf("of %d bytes of chart, with a font: %v", len(weekly.Photo), world.Draws(t))
	}
	if !strings.Contains(line.Text, "3月　") || line.Photo != nil {
		t.Errorf("the township's week: %q", line.Text)
	}
	head := server.Staff(t, "head-360313001")
	if ten := head.Expect("周一简报"); ten.Photo != "" != world.Draws(t) {
		t.Errorf("the leader's chart is %q, with a font: %v", ten.Photo, world.Draws(t))
	}
	if to := os.Getenv("SHAOYING_TEST_CHART"); to != "" {
		world.Must(t, os.WriteFile(to, weekly.Photo, 0o600))
	}

	settled(t, w, groups)
}

// blow lets a township blow a whistle for two units and returns its number.
func blow(t *testing.T, server *world.Server) string {
	t.Helper()
	worker, head, desk := server.Staff(t, "worker-360313001010001"), server.Staff(t, "head-360313001"), server.Staff(t, "dispatcher-360313")
	worker.Say("提哨 门口夜市占道，几家单位都要来")
	worker.Tap(worker.Expect("哪一种哨"), "应急处置哨")
	worker.Tap(worker.Expect("从哪里来"), "巡查看到的")
	worker.Expect("什么地方")
	worker.Say("昌盛小区3栋")
	m := whistle.FindStringSubmatch(worker.Expect("提上去了").Text)
	if m == nil {
		t.Fatal("the whistle has no number")
	}
	head.Expect("哨"+m[1], "请定吹不吹")
	head.Say("吹哨 " + m[1])
	head.Tap(head.Expect("夜市占道", "吹吗"), "是")
	head.Expect("吹响了")
	desk.Expect("哨"+m[1], "请分给单位")
	desk.Say("分哨 " + m[1] + " 城管局、住建局")
	desk.Expect("分给城市管理局、住房和城乡建设局了")
	return m[1]
}

// settled: everything for the robots is out, within the networks' limits, and the
// accounts are well.
func settled(t *testing.T, w *world.World, groups map[string]*group) {
	t.Helper()
	one := func(query string) (n int) {
		ctx := context.Background()
		d, err := w.Look(ctx)
		world.Must(t, err)
		defer func() { world.Must(t, d.Close(ctx)) }()
		world.Must(t, d.Scan(ctx, query, nil, &n))
		return n
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	limit := time.After(2 * world.Patience)
	for waiting := true; waiting; {
		waiting = one(`select count(*) from outbox where channel like 'robot-%' and state in ('queued', 'sending')`) > 0
		select {
		case <-again.C:
		case <-limit:
			t.Fatal("something waits for the robots for ever")
		}
	}
	if n := one(`select count(*) from outbox where channel like 'robot-%' and state in ('failed', 'unknown')`); n != 0 {
		t.Errorf("%d messages were given up", n)
	}
	rows, posts := one(`select count(*) from outbox where channel like 'robot-%' and state = 'sent'`), 0
	for _, g := range groups {
		posts += len(g.Posts())
		if codes := g.Refused(); len(codes) != 0 {
			t.Errorf("%s refused with %v", g.id, codes)
		}
	}
	if posts > rows {
		t.Errorf("%d rows were said in %d messages", rows, posts)
	}
	t.Logf("%d rows were said in %d messages", rows, posts)
	out, err := w.Run("channels", "check", "--json")
	if n := strings.Count(out, `"ok": true`); err != nil || n != len(groups)+1 {
		t.Errorf("channels check: %v\n%s", err, out)
	}
	for brand := range groups {
		for _, secret := range []string{"key-of-the-robot-of-" + brand, "SECsecret-of-the-robot-of-" + brand} {
			if strings.Contains(w.Logs()+out, secret) {
				t.Errorf("a secret of %s stands in the logs", brand)
			}
		}
	}
}
