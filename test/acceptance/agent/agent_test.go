//go:build acceptance

// Package agent proves that what happens to the process which holds a WeChat
// account happens to that account alone: it is killed, frozen, it panics, spins,
// burns and grows, and residents on the page do not notice.
package agent

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"shaoying/bots/wechat/wechatfake"
	"shaoying/test/world"
)

// late is after how long an answer on another channel comes too late (issue 6,
// done 4).
const late = time.Second

// harm is something that befalls an agent.
type harm struct {
	name string
	// signal is sent to it, or mood is what it is told to do.
	signal syscall.Signal
	mood   string
	// why is what the log says of its end, within as long as limit.
	why   string
	limit time.Duration
}

func harms() []harm {
	return []harm{
		{name: "killed", signal: syscall.SIGKILL, why: "signal: killed", limit: 15 * time.Second},
		{name: "aborted", signal: syscall.SIGABRT, why: "exit status 2", limit: 15 * time.Second},
		{name: "panics", mood: "panic", why: "exit status 2", limit: 15 * time.Second},
		{name: "grows", mood: "grow", why: " MB, at most", limit: 30 * time.Second},
		{name: "spins", mood: "spin", why: "the agent spins: it asked", limit: 40 * time.Second},
		{name: "burns", mood: "burn", why: "the agent spins: it used", limit: 90 * time.Second},
	}
}

// account is one of the two that the city has: one that is harmed in every way, one
// behind the other, and one that is frozen meanwhile, which takes the longest to see.
type account struct {
	id  string
	net *wechatfake.Server
}

// house is a demo city whose agents can be harmed.
type house struct {
	w              *world.World
	server         *world.Server
	harmed, frozen account
}

func build(t *testing.T) *house {
	t.Helper()
	h := &house{harmed: account{"wx", wechatfake.New()}, frozen: account{"cold", wechatfake.New()}}
	h.w = world.Found(t, func(dir string) (string, error) { return world.Compile(dir, "test/acceptance/agent/altered") })
	config := "channels:\n  - {id: web, kind: webchat}\n"
	for _, a := range []account{h.harmed, h.frozen} {
		t.Cleanup(a.net.Close)
		a.net.AutoLogin(true)
		config += fmt.Sprintf("  - {id: %s, kind: wechat, api_url: %q}\n", a.id, a.net.URL())
	}
	h.w.Configure(t, config, "SECRET_OF_ANOTHER_CHANNEL=not-for-the-agent")
	var err error
	h.server, err = h.w.Start()
	world.Must(t, err)
	return h
}

// comes waits until something is so.
func comes(t *testing.T, what string, limit time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); {
		if world.Soon(is) {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

// agents are the processes that hold accounts.
func (h *house) agents(t *testing.T) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	world.Must(t, err)
	for _, file := range all {
		line, err := os.ReadFile(file)
		if err != nil || string(line) != h.w.Bin+"\x00wechat-agent\x00" {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		world.Must(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// agent is the process that holds an account, once there is one.
func (h *house) agent(t *testing.T, a account) (pid int) {
	t.Helper()
	comes(t, "an agent of "+a.id, world.Patience, func() bool {
		raw, err := os.ReadFile(h.beside(a, "pid"))
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(string(raw))
		return err == nil && slices.Contains(h.agents(t), pid)
	})
	return pid
}

// beside is a file by which this test and an agent tell each other something.
func (h *house) beside(a account, what string) string { return h.w.Bin + "." + a.id + "." + what }

// logged reports whether the log says something of an account behind a place.
func (h *house) logged(a account, from int, what string) bool {
	for line := range strings.Lines(h.w.Logs()[from:]) {
		if strings.Contains(line, what) && strings.Contains(line, `"channel":"`+a.id+`"`) {
			return true
		}
	}
	return false
}

// answered has somebody write to an account, and waits for the answer.
func (h *house) answered(t *testing.T, a account, name string) {
	t.Helper()
	p := a.net.Person(name)
	p.Says("帮助")
	comes(t, name+" is answered over WeChat", 2*world.Patience, func() bool { return a.wrote(p) })
}

// wrote reports whether the account wrote to somebody.
func (a account) wrote(p *wechatfake.Person) bool {
	return slices.ContainsFunc(a.net.Sent(), func(m wechatfake.Sent) bool { return m.To == p })
}

// talks has residents of the page write one after the other until stop is closed.
// It returns how often, and how long the slowest answer took.
func talks(t *testing.T, residents []*world.Chat, stop <-chan struct{}) (n int, slowest time.Duration) {
	t.Helper()
	for ; ; n++ {
		select {
		case <-stop:
			return n, slowest
		default:
		}
		r := residents[n%len(residents)]
		before := len(r.Items())
		began := time.Now()
		r.Say("我的工单")
		if !r.Await(world.Patience, func(items []world.Item) bool {
			for _, i := range items[before:] {
				if strings.Contains(i.Text, "还没有") {
					return true
				}
			}
			return false
		}) {
			t.Error("a resident of the page was not answered")
			return n, slowest
		}
		slowest = max(slowest, time.Since(began))
	}
}

// during has residents of the page write while something befalls an agent, and
// looks that none of them waits for longer than a second.
func (h *house) during(t *testing.T, residents []*world.Chat, befalls func()) {
	t.Helper()
	type figures struct {
		n       int
		slowest time.Duration
	}
	measure := func(while func()) figures {
		ended, came := make(chan struct{}), make(chan figures, 1)
		go func() {
			n, slowest := talks(t, residents, ended)
			came <- figures{n, slowest}
		}()
		stop := sync.OnceFunc(func() { close(ended) })
		defer stop() // also where the test ends in between
		while()
		stop()
		return <-came
	}
	began := time.Now()
	got := measure(befalls)
	took := time.Since(began)
	t.Logf("%4d answers on the page in %s, the slowest after %s", got.n, took.Round(10*time.Millisecond), got.slowest.Round(time.Millisecond))
	if got.slowest <= late {
		return
	}
	// Is it the machine that is slow? Then it is as slow when no agent is harmed.
	usual := measure(func() { <-time.After(min(took, 20*time.Second)) })
	t.Logf("%4d answers with nothing harmed, the slowest after %s", usual.n, usual.slowest.Round(time.Millisecond))
	if got.slowest > 3*usual.slowest {
		t.Errorf("a message of another channel was answered after %s", got.slowest)
	}
}

// TestAgentHurtsNobody: for every harm, the page answers within a second all the
// while, the log says what was the matter, and the account comes back with every
// message that was written to it.
func TestAgentHurtsNobody(t *testing.T) {
	h := build(t)
	defer func() {
		took, err := h.server.Stop()
		world.Must(t, err)
		t.Logf("stopping took %s", took.Round(time.Millisecond))
		if left := h.agents(t); len(left) > 0 {
			t.Errorf("agents outlive the gateway: %v", left)
		}
	}()
	t.Run("the code on the desk", h.codeOnTheDesk)
	h.alone(t)
	var residents []*world.Chat
	for range 4 {
		residents = append(residents, h.server.Resident(t))
	}
	h.answered(t, h.frozen, "钱伯")
	ice := h.harm(t, h.frozen, harm{name: "frozen", signal: syscall.SIGSTOP, why: "the agent hangs", limit: 2 * time.Minute})

	for _, harm := range harms() {
		t.Run(harm.name, func(t *testing.T) {
			h.during(t, residents, func() { h.harm(t, h.harmed, harm)(t) })
		})
	}
	t.Run("frozen", func(t *testing.T) {
		h.during(t, residents, func() { ice(t) })
	})
	if strings.Contains(h.w.Logs(), "not-for-the-agent") {
		t.Error("a secret stands in the log")
	}

	t.Run("the gateway is killed", func(t *testing.T) {
		world.Must(t, h.server.Kill())
		comes(t, "the agents go with it", 5*time.Second, func() bool { return len(h.agents(t)) == 0 })
		var err error
		h.server, err = h.w.Start()
		world.Must(t, err)
		h.answered(t, h.harmed, "赵叔")
	})
}

// harm does something to the agent of an account. What it returns waits until that
// was seen, and the account is back with everything that was written to it.
func (h *house) harm(t *testing.T, a account, harm harm) (back func(*testing.T)) {
	t.Helper()
	pid, from := h.agent(t, a), len(h.w.Logs())
	early := a.net.Person("早说的" + harm.name)
	if harm.signal != 0 {
		world.Must(t, syscall.Kill(pid, harm.signal))
	} else {
		mood := h.beside(a, "mood")
		world.Must(t, os.WriteFile(mood+".new", []byte(harm.mood), 0o600))
		world.Must(t, os.Rename(mood+".new", mood))
	}
	early.Says("帮助") // it lies there until somebody is well enough to take it
	began := time.Now()
	return func(t *testing.T) {
		t.Helper()
		says := func() bool { return h.logged(a, from, harm.why) }
		if starved, ok := starvation[harm.mood]; ok {
			h.takes(t, pid, harm.limit, says, starved)
		} else {
			comes(t, "the log says why", harm.limit, says)
		}
		took := time.Since(began)
		h.answered(t, a, "后说的"+harm.name)
		comes(t, "what was written before is answered", world.Patience, func() bool { return a.wrote(early) })
		t.Logf("ended after %s, the account answers again after %s", took.Round(10*time.Millisecond), time.Since(began).Round(10*time.Millisecond))
	}
}

// starvation says of what an agent takes whether it came to less than what it is
// ended for: it is nice, and where others want the processors it gets what they leave.
// share is that of a processor, memory in bytes.
var starvation = map[string]func(share float64, memory int64) bool{
	"grow": func(_ float64, memory int64) bool { return memory < 256<<20 }, // memory_bytes of configs/policies/agent.yaml
	"spin": func(share float64, _ int64) bool { return share < 0.1 },       // [J]: a few dozen requests a second cost less
	"burn": func(share float64, _ int64) bool { return share < 0.3 },       // cpu_share
}

// takes waits until an agent that takes too much is ended. One that is starved is
// killed here.
func (h *house) takes(t *testing.T, pid int, limit time.Duration, says func() bool, starved func(float64, int64) bool) {
	t.Helper()
	began := time.Now()
	for time.Since(began) < limit {
		if world.Soon(says) {
			return
		}
	}
	// It does nothing else since it began, but for its start.
	share := float64(stat(t, pid, 11, 12)) / 100 / time.Since(began).Seconds()
	memory := stat(t, pid, 21) * int64(os.Getpagesize())
	if !starved(share, memory) {
		t.Fatalf("it takes %.0f %% of a processor and %d MB and is not ended", 100*share, memory>>20)
	}
	t.Logf("the machine is busy: being nice, it got %.0f %% of a processor and %d MB, and nobody had to end it", 100*share, memory>>20)
	world.Must(t, syscall.Kill(pid, syscall.SIGKILL))
}

// stat is the sum of numbers of /proc/PID/stat behind the name (proc(5)).
func stat(t *testing.T, pid int, fields ...int) (sum int64) {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	world.Must(t, err)
	all := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
	for _, f := range fields {
		n, err := strconv.ParseInt(all[f], 10, 64)
		world.Must(t, err)
		sum += n
	}
	return sum
}

// alone: the agent has nothing that is not its own.
func (h *house) alone(t *testing.T) {
	t.Helper()
	pid := h.agent(t, h.harmed)
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	world.Must(t, err)
	for _, secret := range []string{"SECRET", "DATABASE_URL", "SHAOYING_CONFIG"} {
		if strings.Contains(string(env), secret) {
			t.Errorf("the agent finds %s in its environment", secret)
		}
	}
	if nice := stat(t, pid, 16); nice != 10 {
		t.Errorf("its niceness is %d", nice)
	}
	if stat(t, pid, 2) != int64(pid) {
		t.Error("it has no process group of its own")
	}
}

// send makes one request of a browser.
func send(t *testing.T, browser *http.Client, req *http.Request) (int, string) {
	t.Helper()
	resp, err := browser.Do(req)
	world.Must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	world.Must(t, err)
	return resp.StatusCode, string(body)
}

// hire makes an administrator, of whom the demo city has none.
func (h *house) hire(t *testing.T) (slug string) {
	t.Helper()
	ctx := context.Background()
	d, err := h.w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	world.Must(t, d.Scan(ctx, `with p as (insert into person (kind) values ('staff') returning id),
		s as (insert into staff (person_id, slug, name) select id, 'admin', '管理员' from p returning id, slug),
		r as (insert into staff_role (staff_id, role, area_kind, area) select id, 'admin', 'city', '3603' from s)
		select slug from s`, nil, &slug))
	return slug
}

var picture = regexp.MustCompile(`/desk/channels/wx/code\.png\?look=[A-Za-z0-9_-]+`)

// codeOnTheDesk throws the account out. An administrator is shown its code, and a
// scan there brings it back.
func (h *house) codeOnTheDesk(t *testing.T) {
	comes(t, "the account is in", world.Patience, func() bool {
		_, ready := h.server.Get(t, "/readyz")
		return strings.Contains(ready, "login wx: online")
	})
	h.harmed.net.AutoLogin(false)
	defer h.harmed.net.AutoLogin(true)
	codes := h.harmed.net.Codes()
	h.harmed.net.Kick(1101)
	comes(t, "a code", world.Patience, func() bool { return h.harmed.net.Codes() > codes })
	jar, err := cookiejar.New(nil)
	world.Must(t, err)
	browser := &http.Client{Jar: jar}
	get := func(path string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, h.server.URL+path, nil)
		world.Must(t, err)
		return send(t, browser, req)
	}
	get("/demo/as/" + h.hire(t) + "/desk")
	comes(t, "the desk offers the code", world.Patience, func() bool { _, body := get("/desk/channels"); return strings.Contains(body, "打开二维码") })
	req, err := http.NewRequest(http.MethodPost, h.server.URL+"/desk/channels/wx", strings.NewReader("once=x"))
	world.Must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, page := send(t, browser, req)
	at := picture.FindString(page)
	if status, body := get(at); at == "" || status != http.StatusOK || !strings.HasPrefix(body, "\x89PNG") {
		t.Fatalf("the code: %d", status)
	}
	if status, ready := get("/readyz"); status != http.StatusOK || !strings.Contains(ready, "login wx: scan") {
		t.Errorf("readyz: %d %s", status, ready)
	}
	h.harmed.net.Scan(wechatfake.Confirmed)
	// Both are in: what is written to an account before that is not for this login.
	comes(t, "the desk says that it is in", world.Patience, func() bool { _, body := get("/desk/channels"); return strings.Count(body, "已登录") == 2 })
	h.answered(t, h.harmed, "王阿姨")
}
