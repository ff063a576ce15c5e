//go:build browser

// Package browser drives the product in Chromium as a newcomer does: the
// resident in one tab, the staff in another, the demo's clock in a third.
package browser

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"shaoying/test/world"
)

// soon is how long a line may take after the clock has moved.
const soon = 500 * time.Millisecond

// server is the demo city that all tests share.
var server *world.Server

func TestMain(m *testing.M) {
	os.Exit(world.Main(m, func(_ *world.World, s *world.Server) { server = s }, func() *world.Server { return server }))
}

var (
	spoken  = regexp.MustCompile(`编号 ?(\d{3,4}(?: \d{1,4})+)`)
	judging = regexp.MustCompile(`(裁定 \d+)`)
	handles = regexp.MustCompile(`【(\d+)】`)
)

func match(t *testing.T, re *regexp.Regexp, text string) string {
	t.Helper()
	m := re.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s is not in %q", re, text)
	}
	return m[1]
}

// report says what is wrong and answers what is asked.
func report(r *tab, words string) string {
	r.t.Helper()
	r.say(words)
	for {
		text := r.bot("")
		switch {
		case strings.Contains(text, "照片"):
			r.photo(world.Photo(640, 480))
		case strings.Contains(text, "这属于哪一类"):
			r.say("1")
		case strings.Contains(text, "是不是这件事"):
			r.tap("不是")
		case strings.Contains(text, "对吗"):
			r.tap("对")
		case strings.Contains(text, "已受理"):
			return match(r.t, spoken, text)
		}
	}
}

// holderOf reads on the demo's page who holds the ticket, and opens their page.
func holderOf(c *chrome, demo *tab, part string) *tab {
	c.t.Helper()
	link := fmt.Sprintf(`[...document.querySelectorAll(".holding li")].find((li) => li.textContent.includes(%s))?.querySelector("a").href`, quote(part))
	// The page reads itself again while nobody has a finger on it.
	href, err := chromedp.Run(demo.ctx, chromedp.Poll[string](link, chromedp.WithPollingTimeout(world.Patience)))
	if err != nil {
		c.t.Fatalf("the demo's page shows nobody who holds %q: %v", part, err)
	}
	return c.open(href, phone, phoneHigh)
}

// next presses the demo's button until the resident's page has part.
func next(demo, r *tab, part string) {
	r.t.Helper()
	has := fmt.Sprintf(`[...document.querySelectorAll("#log li.bot")].slice(%d).some((li) => li.textContent.includes(%s))`, r.seen, quote(part))
	for range 25 {
		demo.do(chromedp.Evaluate[chromedp.Void](`window.pressed = true`))
		demo.node(chromedp.Click(`button[value="next"]`))
		demo.wait(`!window.pressed && document.readyState === "complete"`)
		ok, err := chromedp.Run(r.ctx, chromedp.Poll[bool](has, chromedp.WithPollingTimeout(soon)))
		if err == nil && ok {
			return
		}
	}
	r.t.Fatalf("the clock went on and on, and %q never came", part)
}

// workOff takes and finishes the ticket from the card, by buttons and words.
func workOff(w *tab, number, words string) {
	w.t.Helper()
	handle := match(w.t, handles, w.bot(number))
	w.tap("接单")
	w.bot("接好了")
	w.say("办 " + handle + " " + words)
	w.bot("结果是")
	w.tap("办好了")
	w.bot("照片")
	w.photo(world.Photo(640, 480))
	w.bot("办结了")
}

func TestWholeStory(t *testing.T) {
	c := newChrome(t)
	r := c.open(server.URL+"/", phone, phoneHigh)
	r.shot("resident-start-360", phone, phoneHigh)
	number := report(r, "昌盛小区3栋楼下水井盖有些松动，走上去会响")
	r.shot("resident-filed-360", phone, phoneHigh)
	r.shot("resident-filed-1280", desk, deskHigh)
	r.do(chromedp.EmulateViewport(phone, phoneHigh))

	demo := c.open(server.URL+"/demo", desk, deskHigh)
	worker := holderOf(c, demo, number)
	demo.shot("demo-1280", desk, deskHigh)
	demo.shot("demo-360", phone, phoneHigh)
	workOff(worker, number, "看过了，没有问题")
	worker.shot("staff-360", phone, phoneHigh)
	worker.shot("staff-1280", desk, deskHigh)

	// Unhappy, judged, done again.
	next(demo, r, "联系过您吗")
	r.bot("联系过您吗")
	r.tap("没联系")
	r.bot("解决了吗")
	r.tap("没解决")
	r.bot("您满意吗")
	r.tap("不满意")
	r.bot("对吗")
	r.tap("是")
	r.bot("哪里没办好")
	r.say("井盖还是响，没人来过")
	r.bot("专人")
	clerk := holderOf(c, demo, "不满意")
	clerk.say(match(t, judging, clerk.bot("裁定")))
	clerk.bot("怎么定")
	clerk.tap("有理")
	clerk.bot("理由")
	clerk.say("没人到过现场，重新去换")
	clerk.bot("重办")
	clerk.shot("clerk-360", phone, phoneHigh)

	again := holderOf(c, demo, number)
	again.bot("办结了") // the first time; what follows is new
	workOff(again, number, "换了新井盖，走上去不响了")
	next(demo, r, "联系过您吗")
	r.bot("联系过您吗")
	r.tap("联系了")
	r.bot("解决了吗")
	r.tap("解决了")
	r.bot("您满意吗")
	r.say("满意")
	r.bot("谢谢您")
	r.shot("resident-rated-360", phone, phoneHigh)
	r.say("我的工单")
	r.bot(number)
}

func TestReloadAndOffline(t *testing.T) {
	c := newChrome(t)
	r := c.open(server.URL+"/", phone, phoneHigh)
	r.say("你好")
	r.bot("要办什么")
	r.do(chromedp.Reload())
	r.wait(`document.querySelectorAll("#log li.bot").length > 0 && document.querySelectorAll("#log li.me").length === 1`)
	r.wait(`document.querySelector("#log li.me .bubble").textContent.includes("你好")`)
	// Choices still work after the reload.
	r.seen = 0
	r.bot("要办什么")
	r.tap("看我的工单")
	r.bot("还没有")
}

func TestEnglish(t *testing.T) {
	c := newChrome(t)
	r := c.open(server.URL+"/", phone, phoneHigh)
	r.do(chromedp.Click("a.language"))
	r.wait(`document.documentElement.lang === "en"`)
	r.say("english")
	r.bot("English from now on")
	r.shot("resident-english-360", phone, phoneHigh)
}
