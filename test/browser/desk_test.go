//go:build browser

package browser

import (
	"fmt"
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
	clerk.shot("desk-new-375", narrow, deskHigh)
	clerk.fill(`[name=unplaced]`, "1", `[name=phone]`, "13800138000", `[name=name]`, "李先生")
	clerk.send(`[value=file]`, "登记好了")
	number := clerk.read(`document.querySelector(".spoken").innerText`)

	dispatcher := c.at("dispatcher-360313", desk)
	dispatcher.fill(`[name=q]`, number)
	dispatcher.send(`.search button`, number)
	dispatcher.visit("/desk?tab=dispatcher")
	dispatcher.shot("desk-list-1280", desk, deskHigh)
	dispatcher.shot("desk-list-375", narrow, deskHigh)
	dispatcher.do(chromedp.EmulateViewport(desk, deskHigh))
	open := fmt.Sprintf(`[...document.querySelectorAll(".lines a")].find((a) => a.innerText.includes(%s)).getAttribute("href")`, quote(number))
	dispatcher.visit(dispatcher.read(open))
	dispatcher.fill(`[name=desk]`, "unit|urban_management|0", `[name=co][value="unit|transport|0"]`, "")
	dispatcher.send(`main form[action^="/desk/task"] button`, "派单")

	ticket := dispatcherTicket(dispatcher, number)
	handler := c.at("urban-management-1", narrow)
	handler.visit(ticket)
	handler.deed("object", "退单审核中", `[name=reason]`, "not_our_duty", `[name=words]`, "这几盏是物业的")
	handler.shot("desk-ticket-375", narrow, deskHigh)
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

	caller := c.at("callback-clerk-360313", narrow)
	caller.visit(caller.read(open))
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
