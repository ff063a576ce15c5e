//go:build peers

package sms

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"shaoying/bots/telegram/telegramfake"
	"shaoying/test/world"
)

// phone is somebody with a feature phone on a centre: what was sent to her
// number, its parts joined.
func (c *centre) phone(number string) *world.Phone {
	return &world.Phone{
		Say: func(text string) { c.says(number, ours, text) },
		Lines: func() []world.Line {
			var out []world.Line
			var pending string
			for _, e := range c.sent("") {
				if e.To != number {
					continue
				}
				pending += e.Text
				if total, n := joined(e.UDH); n < total {
					continue
				}
				out = append(out, world.Line{Message: int64(len(out) + 1), Text: pending})
				pending = ""
			}
			return out
		},
	}
}

// joined reads total and number out of a user data header.
func joined(udh string) (total, n int) {
	if len(udh) < 4 {
		return 1, 1
	}
	if _, err := fmt.Sscanf(udh[len(udh)-4:], "%02x%02x", &total, &n); err != nil {
		return 1, 1
	}
	return total, n
}

// answers says something to the number, extension included, of the last text
// to a phone.
func (c *centre) answers(number, text string) {
	c.t.Helper()
	all := c.sent("")
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].To == number {
			c.says(number, all[i].From, text)
			return
		}
	}
	c.t.Fatal("no text was sent")
}

// post stands between Kannel and the program: it can make copies of what a
// resident wrote, and remembers who wrote what.
type post struct {
	*httptest.Server
	to string

	mu     sync.Mutex
	copies int
	wrote  map[string]string // Kannel's id: the words
}

func newPost(t *testing.T) *post {
	p := &post{copies: 1, wrote: map[string]string{}}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *post) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	copies := 1
	if strings.Contains(r.URL.Path, "/mo/") {
		copies = p.copies
		p.wrote[r.URL.Query().Get("id")] = string(body)
	}
	p.mu.Unlock()
	status := make([]int, copies)
	var wg sync.WaitGroup
	for i := range copies {
		wg.Go(func() { status[i] = p.pass(r, body) })
	}
	wg.Wait()
	for _, s := range status {
		if s/100 != 2 {
			w.WriteHeader(s)
			return
		}
	}
	w.WriteHeader(status[0])
}

func (p *post) pass(r *http.Request, body []byte) int {
	req, err := http.NewRequest(r.Method, p.to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return http.StatusBadGateway
	}
	req.Header = r.Header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return http.StatusBadGateway
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body) // an answer to a push is empty
	return resp.StatusCode
}

// configuration is one account at each foreign program.
func configuration(c *centre, k *gateway, p *post, more string) string {
	return fmt.Sprintf(`channels:
  - {id: web, kind: webchat}
  - {id: direct, kind: smpp, addr: %q, system_id: %s, password_env: SMPP_PASSWORD, from: %q, extension_digits: 2, user_message_reference: false}
  - {id: kannel, kind: kannel, send_url: %q, username: %s, password_env: KANNEL_PASSWORD, from: %q, extension_digits: 2, callback_url: %q, callback_token_env: KANNEL_TOKEN}
%s`, c.addr(), account.SystemID, ours, k.send, user, ours, p.URL+"/bots/kannel", more)
}

func secrets() []string {
	return []string{"SMPP_PASSWORD=" + account.Password, "KANNEL_PASSWORD=" + userPass, "KANNEL_TOKEN=" + callbackToken}
}

// TestWholeProgram plays residents on both foreign programs against the real
// program: one demo city for all.
func TestWholeProgram(t *testing.T) {
	needKannel(t)
	direct, behind, p := newCentre(t), newCentre(t), newPost(t)
	k := startKannel(t, p.URL+"/bots/kannel", behind)
	w := world.Found(t, world.Build)
	p.to = "http://" + w.Addr
	net := telegramfake.New(telegramfake.Config{})
	t.Cleanup(net.Close)
	config := configuration(direct, k, p, fmt.Sprintf("  - {id: tg, kind: telegram, mode: poll, api_url: %q, token_env: TG_TOKEN}\n", net.URL()))
	w.Configure(t, config, append(secrets(), "TG_TOKEN="+net.Token())...)
	server := w.Serve(t, "--demo")
	troubles := world.Troubles()
	for i, c := range []struct {
		name   string
		centre *centre
		number string
	}{{"smpp", direct, "8613800138000"}, {"kannel", behind, "8613800138001"}} {
		t.Run(c.name, func(t *testing.T) {
			c.centre.t = t
			story := &world.Story{
				Resident: c.centre.phone(c.number), Staff: world.OnFake(net.User(int64(7001+i), "师傅")), Where: "昌盛小区3栋", Trouble: troubles[i],
			}
			storyBySMS(t, w, server, c.centre, c.number, story)
		})
	}
	t.Run("twenty copies", func(t *testing.T) { copies(t, w, behind, p) })
	t.Run("no number in the clear", func(t *testing.T) { unseen(t, w) })
}

// unseen: who wrote stands in no table, no log and no metric, after all that was
// said and done (P5, P6).
func unseen(t *testing.T, w *world.World) {
	ctx := context.Background()
	d, err := w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	resp, err := http.Get("http://" + w.Addr + "/metrics")
	world.Must(t, err)
	defer resp.Body.Close()
	metrics, err := io.ReadAll(resp.Body)
	world.Must(t, err)
	for _, number := range []string{"13800138000", "13800138001", "13800138009"} {
		tables, err := d.Shows(ctx, number)
		world.Must(t, err)
		if len(tables) > 0 {
			t.Errorf("%s stands in tables %v", number, tables)
		}
		if strings.Contains(w.Logs(), number) || bytes.Contains(metrics, []byte(number)) {
			t.Errorf("%s stands in a log or a metric", number)
		}
	}
	// The search itself finds what does stand in the clear.
	if tables, err := d.Shows(ctx, "昌盛小区"); err != nil || len(tables) == 0 {
		t.Errorf("nothing is found that stands there: %v", err)
	}
}

// storyBySMS is a report, its number, the work, the question by SMS, its answer.
func storyBySMS(t *testing.T, w *world.World, server *world.Server, c *centre, number string, story *world.Story) {
	story.Join(t, w, "李师傅"+number[len(number)-1:])
	story.Resident.Say(story.Where + story.What)
	story.Told(t, story.Resident.Expect(t, "已受理", "编号"))
	story.Work(t)
	asked := func() bool {
		for _, line := range story.Resident.Lines() {
			if world.Holds(line.Text, story.Number, "您满意吗") {
				return true
			}
		}
		return false
	}
	for range 25 {
		if asked() {
			break
		}
		server.Next(t)
		world.Soon(asked)
	}
	if !asked() {
		t.Fatalf("nobody asked: %+v", story.Resident.Lines())
	}
	c.answers(number, "1")
	ctx := context.Background()
	d, err := w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	var state, satisfied string
	until(t, "the answer in the ticket", func() bool {
		world.Must(t, d.Scan(ctx, `select state, coalesce(satisfied, '') from ticket where number = $1`, []any{world.Plain(story.Number)}, &state, &satisfied))
		return state == "closed" && satisfied == "satisfied"
	})
	// Every part that the centre has was answered, so nothing is unknown.
	var unknown int
	world.Must(t, d.Scan(ctx, `select count(*) from outbox where state = 'unknown'`, nil, &unknown))
	if unknown != 0 {
		t.Errorf("%d texts are unknown", unknown)
	}
}

// copies: one text, twenty times at once under one id, is one ticket.
func copies(t *testing.T, w *world.World, c *centre, p *post) {
	ctx := context.Background()
	d, err := w.Look(ctx)
	world.Must(t, err)
	defer func() { world.Must(t, d.Close(ctx)) }()
	tickets := func() (n int) {
		world.Must(t, d.Scan(ctx, `select count(*) from ticket`, nil, &n))
		return n
	}
	before := tickets()
	p.mu.Lock()
	p.copies = 20
	p.mu.Unlock()
	const number = "8613800138009"
	c.says(number, ours, "昌盛小区5栋楼下总有人乱停车，堵住消防通道")
	phone := c.phone(number)
	phone.Expect(t, "编号")
	p.mu.Lock()
	p.copies = 1
	p.mu.Unlock()
	c.says(number, ours, "谢谢")
	until(t, "quiet", func() bool {
		var left int
		world.Must(t, d.Scan(ctx, `select (select count(*) from inbox where state = 'waiting') + (select count(*) from outbox where state in ('queued', 'sending'))`, nil, &left))
		return left == 0 && c.left() == 0
	})
	if got := tickets() - before; got != 1 {
		t.Errorf("20 copies are %d tickets", got)
	}
}
