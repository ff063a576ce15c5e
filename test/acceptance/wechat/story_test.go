//go:build acceptance

package wechat

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"shaoying/bots/wechat/wechatfake"
	"shaoying/test/world"
)

var (
	spoken   = regexp.MustCompile(`编号 ?(\d{3,4}(?: \d{1,4})+)`)
	code     = regexp.MustCompile(`验证码(\d{6})`)
	standing = regexp.MustCompile(`login wx: (\w+)`)
	invite   = regexp.MustCompile(`加入 (\S+ \S+)`)
)

// TestStory: one account, from the first scan until it is thrown out.
func TestStory(t *testing.T) {
	net := wechatfake.New()
	t.Cleanup(net.Close)
	sms := newCarrier(t)
	w, server := city(t, net, sms)
	t.Cleanup(func() {
		_, err := server.Stop()
		world.Must(t, err)
	})
	li, wang := net.Person("李师傅"), net.Person("王阿姨")
	story := world.Story{
		Resident: phone(net, wang, nil), Staff: phone(net, li, nil),
		Where: "昌盛小区3栋", Trouble: world.Troubles()[0],
	}

	step(t, "scan", func(t *testing.T) {
		comes(t, "a login code", func() bool { return net.Codes() > 0 })
		net.Scan(wechatfake.Scanned)
		net.Scan(wechatfake.Confirmed)
		comes(t, "a login", net.Alive)
		story.Join(t, w, "李师傅")
	})
	step(t, "in private", func(t *testing.T) {
		story.Report(t)
		story.Work(t)
		comes(t, "a remark for the next scan", func() bool { return strings.HasPrefix(li.Remark(), "r:") })
	})
	step(t, "in a group", func(t *testing.T) { group(t, w, net, story.Where) })
	step(t, "a picture over a restart", func(t *testing.T) {
		_, err := server.Stop()
		world.Must(t, err)
		zhao := net.Person("赵叔")
		reporter := phone(net, zhao, nil)
		reporter.Say(story.What)
		server, err = w.Start("--demo")
		world.Must(t, err)
		reporter.Expect(t, "什么地方")
		reporter.Say("昌盛小区5栋")
		reporter.Expect(t, "照片")
		zhao.SendsPhoto(world.Photo(320, 240))
		reporter.Tap(t, reporter.Expect(t, "对吗", "昌盛小区5栋"), "对")
		reporter.Expect(t, "已受理", "编号")
		story.Staff.Expect(t, picture)
		if n := net.Codes(); n != 1 {
			t.Errorf("%d codes were shown for one scan", n)
		}
	})
	texts := sms.phone()
	step(t, "bound to a number", func(t *testing.T) { bind(t, story.Resident, texts) })
	step(t, "thrown out", func(t *testing.T) {
		_, err := server.Stop()
		world.Must(t, err)
		w.Bin, err = world.Compile(filepath.Dir(w.Bin), "test/acceptance/wechat/hurried")
		world.Must(t, err)
		server, err = w.Start()
		world.Must(t, err)
		comes(t, "a login without a scan", func() bool { return stands(t, server) == "online" })
		net.Kick(1101)
		comes(t, "a new code", func() bool { return net.Codes() > 1 && stands(t, server) == "scan" })
		asked := false
		for range 40 {
			server.Next(t)
			if asked = world.Soon(func() bool { _, ok := texts.Comes(story.Number, "联系过您吗"); return ok }); asked {
				break
			}
		}
		if !asked {
			texts.Expect(t, story.Number, "联系过您吗")
		}
		comes(t, "an alarm", func() bool { return one[int](t, w, openAlarms) == 1 })
	})
	step(t, "scanned again", func(t *testing.T) {
		net.Scan(wechatfake.Confirmed)
		comes(t, "the end of the alarm", func() bool { return one[int](t, w, openAlarms) == 0 })
		// Who is known by a remark alone reads nothing; a code makes it theirs again.
		before := len(story.Resident.Lines())
		story.Resident.Say("我的工单")
		comes(t, "an answer", func() bool { return len(story.Resident.Lines()) > before })
		for _, line := range story.Resident.Lines()[before:] {
			if strings.Contains(line.Text, story.Number) || strings.Contains(line.Text, story.What) {
				t.Errorf("somebody who has proven nothing reads %q", line.Text)
			}
		}
		bind(t, story.Resident, texts)
		story.Resident.Say("我的工单")
		story.Resident.Expect(t, story.Number)
	})
}

// bind proves by a text that a phone number is a resident's.
func bind(t *testing.T, resident, texts *world.Phone) {
	t.Helper()
	resident.Say("绑定")
	resident.Expect(t, "手机号")
	resident.Say("13800000000")
	resident.Expect(t, "验证码已")
	m := code.FindStringSubmatch(texts.Expect(t, "验证码").Text)
	if m == nil {
		t.Fatal("no code in the text")
	}
	resident.Say(m[1])
	resident.Expect(t, "绑定好了")
}

const openAlarms = `select count(*) from task where kind = 'login' and state = 'open'`

// stands is how /readyz says that the account stands.
func stands(t *testing.T, s *world.Server) string {
	t.Helper()
	_, page := s.Get(t, "/readyz")
	m := standing.FindStringSubmatch(page)
	if m == nil {
		return page
	}
	return m[1]
}

// step tells a part of the story; the others make no sense without it.
func step(t *testing.T, name string, tell func(*testing.T)) {
	t.Helper()
	if !t.Run(name, tell) {
		t.FailNow()
	}
}

// group: a grid worker binds the group of a building; a neighbour reports there.
// What is said to others stays unheard.
func group(t *testing.T, w *world.World, net *wechatfake.Server, where string) {
	worker, neighbour := net.Person("网格员小陈"), net.Person("三楼的刘")
	hall := net.Group("昌盛小区3栋", worker, neighbour)
	out, err := w.Run("staff", "invite", "--name", "小陈", "--role", "grid_worker", "--area", "grid:360313001010001")
	m := invite.FindStringSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("invite: %v\n%s", err, out)
	}
	private, said, heard := phone(net, worker, nil), phone(net, worker, hall), phone(net, neighbour, hall)
	private.Say("加入 " + m[1])
	private.Expect(t, "加入好了")
	said.Say("@" + wechatfake.SelfNick + "\u2005绑定居民群")
	said.Expect(t, "绑好了")
	heard.Say("今天菜价又涨了")
	heard.Say("@" + wechatfake.SelfNick + "\u2005" + where + "的路灯坏了，晚上看不见路")
	heard.Tap(t, heard.Expect(t, "对吗", where), "对")
	if m := spoken.FindStringSubmatch(heard.Expect(t, "编号").Text); m == nil {
		t.Error("no number")
	}
}
