//go:build browser

package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"shaoying/test/world"
)

// Sizes of the pages: a small phone and a desk.
const (
	phone, phoneHigh = 360, 740
	desk, deskHigh   = 1280, 800
)

// chrome is one running browser; each tab has cookies of its own.
type chrome struct {
	t   *testing.T
	ctx context.Context
}

func newChrome(t *testing.T) *chrome {
	t.Helper()
	ctx, cancel := chromedp.NewExecAllocator(t.Context(),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.UserDataDir(t.TempDir()),
	)
	t.Cleanup(cancel)
	ctx, cancelBrowser := chromedp.NewContext(ctx)
	t.Cleanup(cancelBrowser)
	// The first action starts the browser, which then lives as long as ctx.
	world.Must(t, chromedp.Do(ctx, chromedp.Navigate("about:blank")))
	return &chrome{t, ctx}
}

// tab is one open page.
type tab struct {
	t    *testing.T
	ctx  context.Context
	seen int // bot lines before it are past
}

// open opens a page with cookies of its own in a window as wide as given.
func (c *chrome) open(url string, width, height int64) *tab {
	c.t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext())
	c.t.Cleanup(cancel)
	p := &tab{t: c.t, ctx: ctx}
	p.do(chromedp.EmulateViewport(width, height), chromedp.Navigate(url))
	return p
}

// do runs steps and gives up after world.Patience.
func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	world.Must(p.t, p.within(chromedp.Steps(steps...)))
}

func (p *tab) within(a chromedp.Action[chromedp.Void]) error {
	// The first action makes the tab, which must outlive the limit.
	if _, err := chromedp.Run(p.ctx, chromedp.Location()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(p.ctx, world.Patience)
	defer cancel()
	return chromedp.Do(ctx, a)
}

// say types into the box and presses send.
func (p *tab) say(text string) {
	p.t.Helper()
	p.node(chromedp.SendKeys("#text", text))
	p.node(chromedp.Click("#send"))
}

// node does something with one node of the page. Just after a change of page
// the browser may still name a node of the old one, which is gone: nothing was
// done then, and it is found anew.
func (p *tab) node(a chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	limit := time.After(world.Patience)
	for {
		err := p.within(a)
		if err == nil || !strings.Contains(err.Error(), "Could not find node") {
			world.Must(p.t, err)
			return
		}
		select {
		case <-limit:
			p.t.Fatal(err)
		default:
		}
	}
}

// bot waits for a line of the other side that holds part and was not waited for
// yet; lines before it are past.
func (p *tab) bot(part string) string {
	p.t.Helper()
	part = quote(part)
	find := fmt.Sprintf(`(() => {
		const all = [...document.querySelectorAll("#log li.bot")];
		const i = all.findIndex((li, i) => i >= %d && li.textContent.includes(%s));
		return i < 0 ? null : {next: i + 1, text: all[i].innerText};
	})()`, p.seen, part)
	type line struct {
		Next int    `json:"next"`
		Text string `json:"text"`
	}
	got, err := chromedp.Run(p.ctx, chromedp.Poll[line](find, chromedp.WithPollingTimeout(world.Patience)))
	if err != nil {
		all, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.getElementById("log").innerText`))
		p.t.Fatalf("no line with %s: %v\n%s", part, err, all)
	}
	p.seen = got.Next
	return got.Text
}

// tap presses the button of the last line that was waited for.
func (p *tab) tap(label string) {
	p.t.Helper()
	press := fmt.Sprintf(`(() => {
		const row = document.querySelectorAll("#log li.bot")[%d];
		const button = [...row.querySelectorAll(".choices button")].find((b) => b.innerText.includes(%s));
		if (!button || button.disabled) return false;
		button.scrollIntoView();
		button.click();
		return true;
	})()`, p.seen-1, quote(label))
	ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](press))
	world.Must(p.t, err)
	if !ok {
		p.t.Fatalf("no button %q under the last line", label)
	}
}

// photo hands a picture to the album button.
func (p *tab) photo(data []byte) {
	p.t.Helper()
	file := filepath.Join(p.t.TempDir(), "photo.jpg")
	world.Must(p.t, os.WriteFile(file, data, 0o600))
	p.node(chromedp.SetUploadFiles("#from-album", []string{file}, chromedp.NodeReady))
}

// wait waits until an expression of the page is true, also over a change of
// page, at which the browser forgets what it was waiting for.
func (p *tab) wait(expression string) {
	p.t.Helper()
	limit := time.After(world.Patience)
	for {
		_, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(world.Patience)))
		if err == nil {
			return
		}
		select {
		case <-limit:
			p.t.Fatalf("never true: %s: %v", expression, err)
		default:
		}
	}
}

// fits fails when the page is wider than its window or, where it is a chat,
// can be pushed out of it: only the lines may scroll.
func (p *tab) fits() {
	p.t.Helper()
	wide, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	world.Must(p.t, err)
	if wide > 0 {
		p.t.Errorf("the page is %d px wider than its window", wide)
	}
	high, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](
		`document.getElementById("log") ? document.documentElement.scrollHeight - document.documentElement.clientHeight : 0`))
	world.Must(p.t, err)
	if high > 0 {
		p.t.Errorf("the chat is %d px higher than its window", high)
	}
}

// shot keeps a picture of the page in docs/img when SHAOYING_SHOTS=1, at which
// a person must look.
func (p *tab) shot(name string, width, height int64) {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(width, height))
	p.fits()
	if os.Getenv("SHAOYING_SHOTS") != "1" {
		return
	}
	// A frame after the change of size, so that the page has been laid out.
	p.do(chromedp.Sleep(200 * time.Millisecond))
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	world.Must(p.t, err)
	root, err := world.Root()
	world.Must(p.t, err)
	world.Must(p.t, os.WriteFile(filepath.Join(root, "docs", "img", name+".png"), picture, 0o644))
}

// quote makes a JavaScript string.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always packs
	}
	return string(b)
}
