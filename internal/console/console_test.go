package console_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

func (r *rig) get(c *http.Client, path string) (int, string) {
	r.t.Helper()
	resp := ok[*http.Response](r.t)(c.Get(r.server.URL + path))
	defer resp.Body.Close()
	return resp.StatusCode, string(ok[[]byte](r.t)(io.ReadAll(resp.Body)))
}

func (r *rig) post(c *http.Client, path string, form url.Values) (int, string) {
	r.t.Helper()
	resp := ok[*http.Response](r.t)(c.PostForm(r.server.URL+path, form))
	defer resp.Body.Close()
	return resp.StatusCode, string(ok[[]byte](r.t)(io.ReadAll(resp.Body)))
}

// recording is a draft that waits for somebody to listen.
func (r *rig) recording() (order *workorder.Order, task int64) {
	r.t.Helper()
	person := r.number(`insert into person (kind) values ('resident') returning id`)
	address := r.number(`insert into address (channel, user_id, chat, person_id, trust) values ('web', 'u', 'u', $1, 'session') returning id`, person)
	conv := r.number(`insert into conversation (channel, chat, user_id, address_id) values ('web', 'u', 'u', $1) returning id`, address)
	r.desk(0, person, func(ctx context.Context, t *gateway.Turn) (err error) {
		t.Address, t.Conversation, t.Trust = address, conv, bots.TrustSession
		if err := t.AddBlob(ctx, db.AddBlobParams{ID: "v1", Kind: "voice", Mime: "audio/ogg", Size: 9, Body: r.Keys.Seal([]byte("recording"), "blob.body"), ConversationID: &conv}); err != nil {
			return err
		}
		order, err = r.orders.File(ctx, t, workorder.Filing{Incomplete: true, Voices: []string{"v1"}, By: ticket.Actor{As: ticket.AsReporter, Person: person}})
		if err != nil {
			return err
		}
		return r.orders.AddTask(ctx, t, order, workorder.TaskVoice, people.RoleClerk, nil)
	})
	return order, r.number(`select id from task where kind = 'voice'`)
}

func TestClerkWritesARecordingDown(t *testing.T) {
	r := newRig(t)
	o, task := r.recording()
	c := r.browser(r.hire("clerk", people.RoleClerk, people.AreaCity, "3603"))
	page := fmt.Sprintf("/desk/task/%d", task)
	if status, body := r.get(c, "/desk"); status != 200 || !strings.Contains(body, page) || !strings.Contains(body, "演示") {
		t.Fatalf("list: %d %s", status, body)
	}
	if status, body := r.get(c, page); status != 200 || !strings.Contains(body, "<audio") {
		t.Fatalf("task: %d %s", status, body)
	}
	claim := r.orders.Matters.Claims()[0].Code
	if status, _ := r.post(c, page, url.Values{"form": {"task"}, "words": {"昌盛小区路灯坏了"}, "matter": {"other"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a claim that nobody chose: %d", status)
	}
	status, body := r.post(c, page, url.Values{"form": {"task"}, "words": {"昌盛小区路灯坏了"}, "matter": {"other"}, "claim": {claim}, "place": {"不知道哪里"}})
	if status != 200 || !strings.Contains(body, "unplaced") || !strings.Contains(body, "昌盛小区路灯坏了") {
		t.Fatalf("an unknown place must be asked again, with what was typed: %d %s", status, body)
	}
	form := url.Values{"form": {"task"}, "words": {"昌盛小区路灯坏了"}, "matter": {"other"}, "claim": {claim}, "place": {"昌盛小区"}}
	if status, body := r.post(c, page, form); status != 200 {
		t.Fatalf("complete: %d %s", status, body)
	}
	if n := r.number(`select count(*) from ticket where grid = $1 and state <> 'draft'`, grid); n != 1 {
		t.Error("the draft was not completed")
	}
	if n := r.number(`select count(*) from task where kind in ('voice', 'complete') and state = 'open'`); n != 0 {
		t.Errorf("%d tasks of the clerk are still open", n)
	}
	if status, _ := r.post(c, page, form); status != http.StatusNotFound {
		t.Errorf("a task that is done was done again: %d", status)
	}
	if status, body := r.get(c, "/desk?q=路灯"); status != 200 || !strings.Contains(body, o.Number.Spoken()) {
		t.Errorf("search by words: %d %s", status, body)
	}
	if status, _ := r.get(c, fmt.Sprintf("/desk/ticket/%d", o.ID)); status != 200 {
		t.Errorf("ticket: %d", status)
	}
}

func TestRecordingIsServedInRanges(t *testing.T) {
	r := newRig(t)
	o, _ := r.recording()
	c := r.browser(r.hire("clerk", people.RoleClerk, people.AreaCity, "3603"))
	req := ok[*http.Request](t)(http.NewRequest("GET", fmt.Sprintf("%s/desk/file/%d/v1", r.server.URL, o.ID), nil))
	req.Header.Set("Range", "bytes=0-2")
	resp := ok[*http.Response](t)(c.Do(req))
	defer resp.Body.Close()
	if body := ok[[]byte](t)(io.ReadAll(resp.Body)); resp.StatusCode != http.StatusPartialContent || string(body) != "rec" {
		t.Errorf("got %d %q", resp.StatusCode, body)
	}
}

// TestDefaultDeny tries every route as somebody without a session and as
// staff who have nothing to do with the ticket.
func TestDefaultDeny(t *testing.T) {
	r := newRig(t)
	o, task := r.recording()
	routes := []struct{ method, path string }{
		{"GET", fmt.Sprintf("/desk/task/%d", task)},
		{"POST", fmt.Sprintf("/desk/task/%d", task)},
		{"GET", fmt.Sprintf("/desk/ticket/%d", o.ID)},
		{"POST", fmt.Sprintf("/desk/ticket/%d/phone", o.ID)},
		{"GET", fmt.Sprintf("/desk/file/%d/v1", o.ID)},
	}
	try := func(c *http.Client, method, path string) int {
		if method == "GET" {
			status, _ := r.get(c, path)
			return status
		}
		status, _ := r.post(c, path, url.Values{"words": {"x"}, "reason": {"x"}, "matter": {"other"}})
		return status
	}
	for _, x := range append(routes, struct{ method, path string }{"GET", "/desk"}) {
		if status := try(&http.Client{}, x.method, x.path); status != http.StatusUnauthorized {
			t.Errorf("%s %s without a session: %d", x.method, x.path, status)
		}
	}
	for _, role := range people.Roles() {
		kind, area := people.AreaGrid, "360302001002001" // another county
		if role == people.RoleClerk || role == people.RoleDispatcher || role == people.RoleCallbackClerk || role == people.RoleSupervisor {
			kind, area = people.AreaCounty, "360302"
		}
		c := r.browser(r.hire(string(role), role, kind, area))
		for _, x := range routes {
			if status := try(c, x.method, x.path); status != http.StatusNotFound {
				t.Errorf("%s: %s %s: %d", role, x.method, x.path, status)
			}
		}
	}
}
