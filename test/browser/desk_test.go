//go:build browser

package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"shaoying/test/world"
)

// narrow is the width of a common phone.
const narrow = 375

// at opens the desk page of a member of the staff of the demo.
func (c *chrome) at(slug string, width int64) *tab {
	c.t.Helper()
	return c.open(server.URL+"/demo/as/"+slug+"/desk", width, deskHigh)
}

// fill writes into fields of a form: a selector and a value each.
func (p *tab) fill(fields ...string) {
	p.t.Helper()
	for i := 0; i < len(fields); i += 2 {
		set := fmt.Sprintf(`(() => {
			const f = document.querySelector(%s);
			if (!f) return "";
			if (f.type === "checkbox" || f.type === "radio") f.checked = true; else f.value = %s;
			return f.type || "?";
		})()`, quote(fields[i]), quote(fields[i+1]))
		kind, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](set))
		world.Must(p.t, err)
		if kind == "" {
			p.t.Fatalf("no field %s", fields[i])
		}
	}
}

// send presses a button and waits for the page that follows.
func (p *tab) send(button, then string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](`window.old = true`), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector(%s).click()`, quote(button))))
	p.wait(`!window.old && document.readyState === "complete"`)
	if text := p.read(`document.body.innerText`); !strings.Contains(text, then) {
		p.t.Fatalf("after %s there is no %q:\n%s", button, then, text)
	}
}

// deed sends the form of a deed on the page of a ticket.
func (p *tab) deed(name, then string, fields ...string) {
	p.t.Helper()
	form := fmt.Sprintf(`form[action$="/do/%s"] `, name)
	for i := 0; i < len(fields); i += 2 {
		fields[i] = form + fields[i]
	}
	p.fill(fields...)
	p.send(form+"button", then)
}

func (p *tab) read(expression string) string {
	p.t.Helper()
	s, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](expression))
	world.Must(p.t, err)
	return s
}

// visit goes to another page of the desk.
func (p *tab) visit(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(server.URL + path))
}

// TestDesk is a ticket on the desk page: a clerk takes it down on the
// telephone, a dispatcher sends it to two desks and reviews an objection, a
// callback clerk rings. No page has a script.
func TestDesk(t *testing.T) {
	c := newChrome(t)
	clerk := c.at("clerk-360313", narrow)
	clerk.visit("/desk/new")
	clerk.fill(`[name=words]`, "路口的路灯坏了三盏，晚上看不见", `[name=place]`, "说不清，靠近老街")
	clerk.send(`[value=look]`, "地点没有找到")
	clerk.fits()
	clerk.fill(`[name=unplaced]`, "1", `[name=phone]`, "13800138000", `[name=name]`, "李先生")
	clerk.send(`[value=file]`, "登记好了")
	clerk.fits()
	number := clerk.read(`document.querySelector(".spoken").innerText`)

	dispatcher := c.at("dispatcher-360313", desk)
	dispatcher.fill(`[name=q]`, number)
	dispatcher.send(`.search button`, number)
	dispatcher.visit("/desk?tab=dispatcher")
	dispatcher.fits()
	open := fmt.Sprintf(`[...document.querySelectorAll(".lines a")].find((a) => a.innerText.includes(%s)).getAttribute("href")`, quote(number))
	dispatcher.visit(dispatcher.read(open))
	dispatcher.fill(`[name=desk]`, "unit|urban_management|0", `[name=co][value="unit|transport|0"]`, "")
	dispatcher.send(`main form[action^="/desk/task"] button`, "派单")

	ticket := dispatcherTicket(dispatcher, number)
	handler := c.at("urban-management-1", narrow)
	handler.visit(ticket)
	handler.deed("object", "退单审核中", `[name=reason]`, "not_our_duty", `[name=words]`, "这几盏是物业的")
	handler.fits()
	dispatcher.visit(ticket)
	dispatcher.deed("decide", "已派单", `[name=granted]`, "no", `[name=words]`, "权责清单写明是城管")
	dispatcher.shot("desk-ticket-1280", desk, deskHigh)

	helper := c.at("transport-1", desk)
	helper.visit(ticket)
	helper.deed("co_reply", "已答复", `[name=words]`, "护栏已经移开")
	handler.visit(ticket)
	handler.deed("take", "已签收")
	handler.deed("contact", "已签收", `[name=via]`, "phone", `[name=reached]`, "yes")
	handler.deed("finish", "已办结", `[name=result]`, "resolved", `[name=reply]`, "三盏都换了新灯", `[name=internal]`, "用了库存")

	for _, x := range [][2]string{
		{"楼道里的垃圾堆了三天没人清", "昌盛小区3栋"}, {"厨房煤气味很大，头晕", "昌盛小区5栋"}, {"小区门口的路坑坑洼洼，老人摔了一跤", "昌盛小区"},
	} {
		clerk.visit("/desk/new")
		clerk.fill(`[name=words]`, x[0], `[name=place]`, x[1], `[name=phone]`, "13800138001", `[name=name]`, "王女士")
		clerk.send(`[value=look]`, "来电人电话")
		if clerk.read(`String(!!document.querySelector("[name=warned]"))`) == "true" {
			clerk.shot("desk-danger-375", narrow, deskHigh)
			clerk.fill(`[name=warned]`, "1")
		}
		clerk.send(`[value=file]`, "登记好了")
	}
	supervisor := c.at("supervisor-360313", desk)
	supervisor.visit("/desk?tab=supervisor")
	supervisor.visit(supervisor.read(`[...document.querySelectorAll(".lines a")].find((a) => a.innerText.includes("昌盛小区")).getAttribute("href")`))
	supervisor.fill(`form[action$="/do/supervise"] [name=reason]`, "media")
	supervisor.do(chromedp.Evaluate[chromedp.Void](`document.querySelector('form[action$="/do/supervise"] [name=desk]').selectedIndex = 1`))
	supervisor.send(`form[action$="/do/supervise"] button`, "督办单")
	supervisor.visit("/desk?tab=supervisor")
	if text := supervisor.read(`document.body.innerText`); !strings.Contains(text, "督办") || !strings.Contains(text, "危险") {
		t.Errorf("the marks are missing: %s", text)
	}
	supervisor.shot("desk-list-1280", desk, deskHigh)
	supervisor.shot("desk-list-375", narrow, deskHigh)

	caller := c.at("callback-clerk-360313", narrow)
	caller.visit(caller.read(open))
	caller.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("p.script").scrollIntoView()`))
	caller.shot("desk-call-375", narrow, deskHigh)
	caller.fill(`[name=reached][value=yes]`, "", `[name=contacted][value=yes]`, "", `[name=solved][value=yes]`, "", `[name=satisfied][value=satisfied]`, "")
	caller.send(`main form[action^="/desk/task"] button`, "回访")
	caller.visit(ticket)
	if text := caller.read(`document.body.innerText`); !strings.Contains(text, "已结案") || !strings.Contains(text, "护栏已经移开") {
		t.Fatalf("the story of the ticket is not told: %s", text)
	}
	if n := caller.read(`String(document.scripts.length)`); n != "0" {
		t.Errorf("the page has %s scripts", n)
	}
}

// dispatcherTicket finds the page of a ticket by its number.
func dispatcherTicket(p *tab, number string) string {
	p.t.Helper()
	p.visit("/desk?tab=all&q=" + strings.ReplaceAll(number, " ", ""))
	return p.read(`document.querySelector(".lines a").getAttribute("href")`)
}

// TestDeskWhistle is a whistle on the desk page, proposed in chat; the head of
// the township comes in by the link that the chat sends.
func TestDeskWhistle(t *testing.T) {
	c := newChrome(t)
	worker := c.open(server.URL+"/demo/as/worker-360313001010001/", phone, phoneHigh)
	worker.say("提哨 门口夜市占道，几家单位都要来")
	worker.bot("哪一种哨")
	worker.tap("综合执法哨")
	worker.bot("从哪里来")
	worker.tap("巡查看到的")
	worker.bot("什么地方")
	worker.say("昌盛小区3栋")
	number := match(t, regexp.MustCompile(`【哨(\d+)】`), worker.bot("提上去了"))
	page := "/desk/whistle/" + number

	head := c.open(server.URL+"/demo/as/head-360313001/", narrow, deskHigh)
	head.say("桌面")
	link := match(t, regexp.MustCompile(`(/desk/in/\w+)`), head.bot("/desk/in/"))
	head.visit(link)
	head.send(`main button`, "哨应 · 桌面")
	head.visit(head.read(fmt.Sprintf(`document.querySelector('.lines a[href=%q]').getAttribute("href")`, page)))
	head.whistle("whistle_blow", "等县区分哨")

	dispatcher := c.at("dispatcher-360313", desk)
	dispatcher.visit(page)
	dispatcher.whistle("whistle_assign", "单位在办", `[name=desk]`, "unit|urban_management|0", `[name=co][value="unit|market_supervision|0"]`, "")
	for i, slug := range []string{"urban-management-1", "market-supervision-1"} {
		unit := c.at(slug, narrow)
		unit.visit(page)
		unit.whistle("whistle_answer", "已应哨")
		file := filepath.Join(t.TempDir(), "photo.jpg")
		world.Must(t, os.WriteFile(file, world.Photo(640, 480), 0o600))
		unit.do(chromedp.SetUploadFiles(`form[action$="/do/whistle_arrive"] [name=photo]`, []string{file}, chromedp.NodeReady))
		unit.whistle("whistle_arrive", "已报到", `[name=where]`, "夜市东口")
		if i == 0 {
			unit.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details")[0].open = true`))
			unit.shot("desk-whistle-375", narrow, deskHigh)
		}
		unit.whistle("whistle_handle", "已办结", `[name=words]`, "占道的摊位都劝走了")
	}
	head.visit(page)
	for _, unit := range []string{"unit|urban_management|0", "unit|market_supervision|0"} {
		head.whistle("whistle_appraise", "已评哨", `[name=unit]`, unit, `[name=speed]`, "good", `[name=quality]`, "excellent")
	}
	head.fits()
	head.whistle("whistle_close", "已销哨", `[name=solved]`, "yes")
}

// whistle sends the form of a step on the page of a whistle.
func (p *tab) whistle(name, then string, fields ...string) {
	p.t.Helper()
	p.fits()
	p.deed(name, then, fields...)
}
