package demo

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/webchat"
	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// pigeonhole is a mailbox in which nothing ever lies.
type pigeonhole struct{}

func (pigeonhole) Deliver(context.Context, bots.ChatID, string, webchat.Item) (int64, error) {
	return 1, nil
}

func (pigeonhole) After(context.Context, bots.ChatID, int64, int) ([]webchat.Item, error) {
	return nil, nil
}

func (pigeonhole) Photo(context.Context, bots.ChatID, int64) ([]byte, error) {
	return nil, webchat.ErrNoPhoto
}
func (pigeonhole) Watch(bots.ChatID) (<-chan struct{}, func()) { return nil, func() {} }

// site is a console on an HTTP server, and what came through its chat pages.
type site struct {
	*httptest.Server
	t     *testing.T
	db    *postgres.DB
	diary *diary
	keys  *privacy.Keys
	mu    sync.Mutex
	heard []bots.Event
}

func decode(t testing.TB, name string, into any) {
	t.Helper()
	body, err := configs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := configs.Decode(name, body, into); err != nil {
		t.Fatal(err)
	}
}

func newSite(t *testing.T, d *postgres.DB) *site {
	t.Helper()
	s := &site{t: t, db: d, keys: testKeys(t), diary: &diary{db: d}}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	cfg := webchat.Config{ID: "web", Demo: true, Location: zone}
	decode(t, "policies/webchat.yaml", &cfg.Limits)
	decode(t, "pages/webchat.yaml", &cfg.Texts)
	var policy privacy.Policy
	decode(t, "policies/privacy.yaml", &policy)
	photos, err := privacy.NewPhotoCleaner(policy.Photo)
	if err != nil {
		t.Fatal(err)
	}
	web, err := webchat.New(cfg, webchat.Deps{Mailbox: pigeonhole{}, Photos: photos, Clock: clock.New(), Log: quietLog()})
	if err != nil {
		t.Fatal(err)
	}
	deps := Deps{
		DB: d, Bus: postgres.NewBus(d, quietLog()), Clock: clock.New(), Keys: s.keys, Log: quietLog(),
		Planner: &calendar{db: d, note: s.diary.note, last: start.Add(-30 * time.Minute)}, Runner: s.diary, Poster: s.diary, Drainer: s.diary,
		Web: web, Account: "web", Location: zone,
	}
	if _, err := New(deps); err == nil {
		t.Fatal("a console without a sink")
	}
	deps.Sink = func(_ context.Context, events []bots.Event) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard = append(s.heard, events...)
		return nil
	}
	c, err := New(deps)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	c.Routes(mux)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		web.Close()
		s.Close()
	})
	return s
}

// ask sends a request and returns the answer with its body.
func (s *site) ask(method, path, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := s.Client().Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(all)
}

// page fails the test unless the page shows all the words.
func (s *site) page(path string, words ...string) string {
	s.t.Helper()
	answer, body := s.ask("GET", path, "")
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s %s", path, answer.Status, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			s.t.Errorf("%s does not show %q", path, w)
		}
	}
	return body
}

const cast = "worker-360313001010001"

func TestConsole(t *testing.T) {
	ctx, d := t.Context(), open(t)
	if _, err := loader(t, d).Load(ctx); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, d)

	t.Run("page", func(t *testing.T) {
		s.t = t
		body := s.page("/demo", "演示 · 人物均为虚构", "2026年3月3日 星期二 09:0", "没有未办的工单", "/demo/as/"+cast+"/", "昌盛小区网格", "网格员", "到下一件到期的事")
		if strings.Contains(body, "<no value>") || strings.Contains(body, "刚才快进") {
			t.Error(body)
		}
		s.page("/demo/", "演示台", "/demo/as/family-1/", "/demo/as/clinic-desk-changsheng/desk")
		s.page("/demo?q=城市管理局", "urban-management-2", "承办人")
		s.page("/demo?q=团和", "团和居委会")
		s.page("/demo?q="+url.QueryEscape("<b>没有的"), "没有找到", "&lt;b&gt;")
		if live := s.page("/demo/live", "演示时间"); strings.Contains(live, "<html") {
			t.Error("the live part is a whole page")
		}
		for _, asset := range []string{"demo.css", "demo.js"} {
			s.page("/demo/assets/"+asset, "")
		}
	})
	t.Run("chat as staff", func(t *testing.T) { s.t = t; s.chat() })
	t.Run("who holds what", func(t *testing.T) { s.t = t; s.holding() })
	t.Run("codes", func(t *testing.T) {
		s.t = t
		data, err := json.Marshal(map[string][]byte{"digits": s.keys.Seal([]byte("482913"), workorder.SealCode)})
		if err != nil {
			t.Fatal(err)
		}
		now, err := d.ProductNow(ctx)
		if err != nil {
			t.Fatal(err)
		}
		err = d.ReplanDue(ctx, db.ReplanDueParams{Kind: workorder.DueCode, Subject: "address:1", Key: "1", Data: data, DueAt: now.Add(1000 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		s.page("/demo", "482913", "刚发出的验证码")
	})
	t.Run("clock", func(t *testing.T) { s.t = t; s.clock() })
	t.Run("refused", func(t *testing.T) { s.t = t; s.refused() })
}

// chat speaks as the grid worker of 昌盛小区.
func (s *site) chat() {
	body := s.page("/demo/as/"+cast+"/", "网格员", "演示")
	if !strings.Contains(body, "·") {
		s.t.Error("the page does not say whose it is")
	}
	answer, text := s.ask("POST", "/demo/as/"+cast+"/chat/messages", `{"id":"6f2a1c1e-8d58-4b7c-9f6e-0d8a5b3c1e2f","text":"接 1"}`, "Content-Type", "application/json")
	if answer.StatusCode != http.StatusAccepted {
		s.t.Fatalf("%s %s", answer.Status, text)
	}
	if len(s.heard) != 1 || s.heard[0].Chat != seatOf(s.keys, cast) || string(s.heard[0].From.User) != string(s.heard[0].Chat) || s.heard[0].Text != "接 1" {
		s.t.Errorf("%+v", s.heard)
	}
	s.page("/demo/as/family-1/", "易小满", "演示")
	for _, slug := range []string{"nobody", "worker-999", "%00", "..%2f"} {
		if answer, _ := s.ask("GET", "/demo/as/"+slug+"/", ""); answer.StatusCode == http.StatusOK {
			s.t.Errorf("%s: %s", slug, answer.Status)
		}
	}
	if answer, _ := s.ask("POST", "/demo/as/nobody/chat/messages", `{"id":"6f2a1c1e-8d58-4b7c-9f6e-0d8a5b3c1e2e","text":"好"}`, "Content-Type", "application/json"); answer.StatusCode != http.StatusUnauthorized {
		s.t.Errorf("nobody spoke: %s", answer.Status)
	}
}

// chatOf is where a member of the staff is written to.
func (s *site) chatOf(person int64) db.ReachRow {
	list, err := gateway.Reach(s.t.Context(), s.db.Queries, []int64{person}, 0)
	if err != nil || len(list) == 0 {
		s.t.Fatalf("person %d has no chat: %v", person, err)
	}
	return list[0]
}

// holding lays a ticket before its worker and one who is only informed, and a
// task, and sees on the page who has to act.
func (s *site) holding() {
	ctx := s.t.Context()
	staff, err := s.db.StaffBySlug(ctx, cast)
	if err != nil {
		s.t.Fatal(err)
	}
	chat := s.chatOf(staff.PersonID)
	number, err := ticket.NewNumber(strings.NewReader(strings.Repeat("482109", 20)))
	if err != nil {
		s.t.Fatal(err)
	}
	leader, err := s.db.StaffBySlug(ctx, "leader-360313001010001")
	if err != nil {
		s.t.Fatal(err)
	}
	informed := s.chatOf(leader.PersonID)
	err = s.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o := &postgres.SealedTicket{Words: []byte("sealed"), Ticket: ticket.Ticket{
			Number: number, State: ticket.Received, Claim: "help", Matter: "manhole", Urgency: ticket.General, Version: 1,
			ReporterID: staff.PersonID, AddressID: chat.AddressID, ConversationID: chat.ID, ReceivedAt: start,
			Assignments: []ticket.Assignment{
				{Role: ticket.RoleLead, State: ticket.AssignmentWaiting, DispatchedAt: start, Desk: ticket.Desk{Kind: ticket.DeskGrid, Code: "360313001010001", Staff: staff.ID}},
				{Role: ticket.RoleInformed, State: ticket.AssignmentWaiting, DispatchedAt: start, Desk: ticket.Desk{Kind: ticket.DeskGrid, Code: "360313001010001", Staff: leader.ID}},
			},
		}}
		if err := tx.CreateTicket(ctx, o, nil); err != nil {
			return err
		}
		for _, c := range []int64{chat.ID, informed.ID} {
			if _, err := tx.PutCard(ctx, c, o.ID, 1); err != nil {
				return err
			}
		}
		_, err := tx.AddTask(ctx, db.AddTaskParams{
			Kind: "judge", Subject: postgres.Subject("ticket", o.ID), TicketID: &o.ID, Role: string(people.RoleCallbackClerk),
			AreaKind: "county", Area: "360313", Data: []byte("sealed"),
		})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	body := s.page("/demo/live", "工单 "+number.Spoken()+" 在 "+staff.Name+"（网格员）手里", "待判断的不满意", "/demo/as/callback-clerk-360313/")
	if strings.Contains(body, leader.Slug) {
		s.t.Error("who is only informed seems to hold the ticket")
	}
}

// clock moves the clock by both of its doors.
func (s *site) clock() {
	ctx := s.t.Context()
	now, err := s.db.ProductNow(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	for key, after := range map[string]time.Duration{"a": 30 * time.Minute, "b": 20 * time.Hour} {
		if err := plan(ctx, s.db.Queries, "plain", key, now.Add(after)); err != nil {
			s.t.Fatal(err)
		}
	}
	answer, body := s.ask("POST", "/api/v1/demo/clock", `{"next":true}`)
	var j Journey
	if err := json.Unmarshal([]byte(body), &j); err != nil || answer.StatusCode != http.StatusOK || !j.Arrived || len(j.Stops) != 1 {
		s.t.Fatalf("%s %s %v", answer.Status, body, err)
	}
	// The page's own button goes on, and comes back to the page.
	answer, body = s.ask("POST", "/demo/clock", "go=24h", "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	if answer.StatusCode != http.StatusOK || answer.Request.URL.Path != "/demo" {
		s.t.Fatalf("%s %s", answer.Status, answer.Request.URL)
	}
	for _, want := range []string{"2026年3月4日 星期三 09:3", "刚才快进时发生的事", "其他到期的事"} {
		if !strings.Contains(body, want) {
			s.t.Errorf("the page does not show %q", want)
		}
	}
	if got := s.diary.text(); !strings.Contains(got, "plain a") || !strings.Contains(got, "plain b") || !strings.Contains(got, "morning") {
		s.t.Error(got)
	}
	if answer, body = s.ask("POST", "/api/v1/demo/clock", `{"advance":"36h"}`); answer.StatusCode != http.StatusOK {
		s.t.Errorf("%s %s", answer.Status, body)
	}
}

// refused sends what must be refused, and nothing moves.
func (s *site) refused() {
	before, err := s.db.ProductNow(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	const api = "/api/v1/demo/clock"
	for _, tc := range []struct {
		name, path, body string
		header           []string
		status           int
	}{
		{"empty", api, "", nil, 400},
		{"not JSON", api, "tomorrow", nil, 400},
		{"neither", api, "{}", nil, 400},
		{"both", api, `{"advance":"1h","next":true}`, nil, 400},
		{"unknown member", api, `{"advance":"1h","back":true}`, nil, 400},
		{"something behind", api, `{"advance":"1h"}{}`, nil, 400},
		{"too large", api, `{"advance":"` + strings.Repeat("1", 5000) + `h"}`, nil, 400},
		{"no duration", api, `{"advance":"a while"}`, nil, 422},
		{"backwards", api, `{"advance":"-1h"}`, nil, 422},
		{"not at all", api, `{"advance":"0s"}`, nil, 422},
		{"too far", api, `{"advance":"9000h"}`, nil, 422},
		{"from another site", api, `{"advance":"1h"}`, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a foreign form", "/demo/clock", "go=1h", []string{"Origin", "http://evil.example", "Content-Type", "application/x-www-form-urlencoded"}, 403},
		{"by another name", api, `{"advance":"1h"}`, []string{"Host", "evil.example"}, 403},
		{"chat by another name", "/demo/as/" + cast + "/chat/messages", `{}`, []string{"Host", "evil.example:8080"}, 403},
		{"a form that wants something else", "/demo/clock", "go=back", []string{"Content-Type", "application/x-www-form-urlencoded"}, 400},
	} {
		answer, body := s.ask("POST", tc.path, tc.body, tc.header...)
		if answer.StatusCode != tc.status || !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") || !strings.Contains(body, "detail") {
			s.t.Errorf("%s: %s %s", tc.name, answer.Status, body)
		}
	}
	for _, path := range []string{"/demo?q=" + strings.Repeat("长", 31), "/demo?q=%00", "/demo?q=%ff", "/demo/assets/page.html", "/demo/assets/none.css"} {
		if answer, body := s.ask("GET", path, ""); answer.StatusCode < 400 || answer.StatusCode > 499 {
			s.t.Errorf("%s: %s %s", path, answer.Status, body)
		}
	}
	if after, err := s.db.ProductNow(s.t.Context()); err != nil || after.Sub(before) > time.Minute {
		s.t.Errorf("the clock moved from %v to %v, %v", before, after, err)
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:1": true, "[::1]:8080": true, "localhost:8080": true, "localhost": true, "127.0.0.1": true, "[::1]": true,
		"": false, "192.168.1.4:80": false, "localhost.evil.example": false, "127.0.0.1.evil.example:80": false, "0.0.0.0:80": false, "evil.example": false,
	} {
		if loopback(addr) != want {
			t.Errorf("%q: %v", addr, !want)
		}
	}
}

func FuzzReadOrder(f *testing.F) {
	for _, s := range []string{`{"advance":"36h"}`, `{"next":true}`, `{}`, `[]`, `{"next":true}x`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		o, err := readOrder(strings.NewReader(body))
		if err == nil && o.Next == (o.Advance != "") {
			t.Errorf("%q gave %+v", body, o)
		}
	})
}

func TestTexts(t *testing.T) {
	texts, err := readTexts()
	if err != nil {
		t.Fatal(err)
	}
	plan, c := generated(t)
	never := plan.Never
	known := map[string]bool{}
	for _, s := range c.Staff {
		known[s.Slug] = true
	}
	families, err := ReadCarePlan()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families.Families {
		known[f.Slug] = true
		if slices.Contains(never, f.Name) || slices.Contains(never, f.Patient) {
			t.Errorf("%+v may not be met here", f)
		}
	}
	for _, p := range slices.Concat(texts.Care, texts.Cast) {
		if !known[p.Slug] || p.Why == "" {
			t.Errorf("nobody of the cast is %+v", p)
		}
	}
	delete(texts.Texts, "title")
	delete(texts.Tasks, other)
	texts.Texts["idle"] = "x"
	texts.Texts["weekdays"] = "一二三"
	err = texts.validate()
	for _, want := range []string{"title is missing", "entry other", "idle is used nowhere", "seven letters"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
