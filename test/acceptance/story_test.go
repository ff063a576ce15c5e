//go:build acceptance

package acceptance

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/test/world"
)

var (
	holding = regexp.MustCompile(`<li><span>([^<]*)</span> <a class="button" href="/demo/as/([^/]+)/"`)
	judging = regexp.MustCompile(`裁定 \d+`)
	handles = regexp.MustCompile(`【(\d+)】`)
)

// holder waits until the demo's page shows in whose hands something is; every
// part must be in its line. The page is what a newcomer looks at, and has no
// stream: it is asked again.
func holder(t *testing.T, parts ...string) string {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	limit := time.After(world.Patience)
	for {
		_, page := server.Get(t, "/demo/live")
		for _, m := range holding.FindAllStringSubmatch(page, -1) {
			if world.Holds(m[1], parts...) {
				return m[2]
			}
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("nobody holds %q:\n%s", parts, page)
		}
	}
}

// handle is the short number in a card or a task.
func handle(t *testing.T, item world.Item) string {
	t.Helper()
	m := handles.FindStringSubmatch(item.Text)
	if m == nil {
		t.Fatalf("no handle in %q", item.Text)
	}
	return m[1]
}

// until moves the clock from due thing to due thing until c gets a line with
// every part.
func until(t *testing.T, c *world.Chat, parts ...string) world.Item {
	t.Helper()
	for range 25 {
		server.Next(t)
		if c.Await(300*time.Millisecond, func([]world.Item) bool { return c.Comes(parts...) }) {
			break
		}
	}
	return c.Expect(parts...)
}

// workOff lets the desk that has the ticket take and finish it.
func workOff(t *testing.T, number, words string) {
	t.Helper()
	workAt(t, staff(t, holder(t, number)), number, words)
}

// workAt is workOff in an open chat, which knows what it has seen before.
func workAt(t *testing.T, worker *world.Chat, number, words string) {
	t.Helper()
	card := worker.Expect(number)
	h := handle(t, card)
	worker.Say("接 " + h)
	worker.Expect("接好了")
	worker.Say("办 " + h + " " + words)
	result := worker.Expect("结果是")
	worker.Tap(result, "办好了")
	worker.Expect("照片")
	worker.File("photo", world.Photo(320, 240))
	worker.Expect(number, "办结了")
}

func plain(number string) string { return strings.ReplaceAll(number, " ", "") }

func TestStory(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区3栋楼下水井盖有些松动，走上去会响")
	workOff(t, number, "已更换井盖，走上去不响了")
	contacted := until(t, r, number, "联系过您吗")
	r.Tap(contacted, "联系了")
	r.Tap(r.Expect("解决了吗"), "解决了")
	r.Say("满意")
	r.Expect("谢谢您")
	if s := one[string](t, `select state from ticket where number = $1`, plain(number)); s != "closed" {
		t.Errorf("the ticket is %s", s)
	}
	if s := one[string](t, `select satisfied from ticket where number = $1`, plain(number)); s != "satisfied" {
		t.Errorf("the ticket is rated %q", s)
	}
}

func TestUnhappyIsJudgedAndDoneAgain(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区7栋楼下水井盖有些松动，走上去会响")
	workOff(t, number, "看过了，没有问题")
	r.Tap(until(t, r, number, "联系过您吗"), "没联系")
	r.Tap(r.Expect("解决了吗"), "没解决")
	r.Say("不满意")
	r.Tap(r.Expect("对吗"), "是")
	r.Expect("哪里没办好")
	r.Say("井盖还是响，没人来过")
	r.Expect("专人")
	clerk := staff(t, holder(t, "不满意"))
	task := clerk.Expect(number, "裁定")
	clerk.Say(judging.FindString(task.Text))
	clerk.Tap(clerk.Expect("怎么定"), "有理")
	clerk.Expect("理由")
	clerk.Say("居民说没人来过，要到现场换")
	clerk.Expect("重办")
	if n := one[int](t, `select redos from ticket where number = $1`, plain(number)); n != 1 {
		t.Errorf("the ticket was to be done again %d times", n)
	}
	workOff(t, number, "这次换了新井盖")
}

func TestDangerInTheMiddleOfACallback(t *testing.T) {
	r := server.Resident(t)
	number := report(t, r, "昌盛小区9栋楼下水井盖有些松动，走上去会响")
	workOff(t, number, "已更换井盖")
	r.Tap(until(t, r, number, "联系过您吗"), "联系了")
	r.Expect("解决了吗")
	r.Say("昌盛小区9栋一楼着火了，有人困在里面")
	r.Expect("119")
	if urgent := numberIn(t, r.Expect("编号").Text); urgent == number {
		t.Error("the danger has no ticket of its own")
	}
}

func TestStaffJoinByInvite(t *testing.T) {
	out, err := city.Run("staff", "invite", "--name", "新来的", "--role", "dispatcher", "--area", "county:360313")
	if err != nil {
		t.Fatalf("invite: %v\n%s", err, out)
	}
	m := regexp.MustCompile(`加入 (\S+ \S+)`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no code in %q", out)
	}
	code := m[1]
	joins := server.Resident(t)
	joins.Say("加入 " + code)
	joins.Expect("新来的", "加入好了")
	late := server.Resident(t)
	late.Say("加入 " + code)
	if item := late.Expect(); strings.Contains(item.Text, "加入好了") {
		t.Error("a code works twice")
	}
}
