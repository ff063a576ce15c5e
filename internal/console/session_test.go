package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shaoying/internal/console"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

// door is the path of a link that a member of the staff got in the chat.
func (r *rig) door(staff int64) (path string) {
	r.t.Helper()
	r.desk(staff, 0, func(ctx context.Context, t *gateway.Turn) (err error) {
		path, err = console.Link(ctx, t, r.Keys)
		return err
	})
	return path
}

// TestLinks: a link is one person's, works once, not after its time, and not for
// who only looks at it. Its cookie is for the desk alone and out of the reach of
// scripts. A session ends by itself, at the exit, and with the job.
func TestLinks(t *testing.T) {
	r := newRig(t)
	id := r.hire("wang", people.RoleClerk, people.AreaCounty, "360313")
	r.desk(0, 0, func(ctx context.Context, tu *gateway.Turn) error {
		if path, err := console.Link(ctx, tu, r.Keys); err == nil {
			t.Errorf("somebody who is not of the staff got %s", path)
		}
		return nil
	})
	late := r.door(id)
	if strings.Contains(r.text(`select string_agg(hash::text, ' ') from desk_link`), strings.TrimPrefix(late, "/desk/in/")) {
		t.Error("a link lies readable in the database")
	}
	r.exec(`update desk_link set expires_at = now() - interval '1 second'`)
	for path, want := range map[string]int{late: http.StatusForbidden, "/desk/in/guessed": http.StatusForbidden} {
		if status, _ := r.post(&http.Client{}, path, nil); status != want {
			t.Errorf("%s: %d", path, status)
		}
	}
	if n := r.number(`select extract(epoch from expires_at - now())::bigint from desk_link where staff_id = $1 order by 1 limit 1`, id); n > 0 {
		t.Errorf("the link is good for %d s more", n)
	}
	path := r.door(id)
	if n := r.number(`select round(extract(epoch from max(expires_at) - now()))::bigint from desk_link`); n < 590 || n > 600 {
		t.Errorf("a link is good for %d s", n)
	}
	for range 2 { // a preview of the chat opens the page and uses nothing up
		if status, _ := r.get(&http.Client{}, path); status != http.StatusOK {
			t.Fatalf("looking at a link: %d", status)
		}
	}
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp := ok[*http.Response](t)(stay.PostForm(r.server.URL+path, url.Values{}))
	resp.Body.Close()
	if len(resp.Cookies()) != 1 {
		t.Fatalf("cookies: %v", resp.Cookies())
	}
	k := resp.Cookies()[0]
	if !k.HttpOnly || k.SameSite != http.SameSiteLaxMode || k.Path != "/desk" || k.MaxAge != 0 || k.Secure {
		t.Errorf("the cookie is %v", k)
	}
	try := func(want int, when string) {
		t.Helper()
		req := ok[*http.Request](t)(http.NewRequest("GET", r.server.URL+"/desk", nil))
		req.AddCookie(k)
		resp := ok[*http.Response](t)(http.DefaultClient.Do(req))
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", when, resp.StatusCode, want)
		}
	}
	try(http.StatusOK, "a session")
	r.exec(`update desk_session set seen_at = now() - interval '29 minutes'`)
	try(http.StatusOK, "after 29 minutes")
	r.exec(`update desk_session set seen_at = now() - interval '31 minutes'`)
	try(http.StatusUnauthorized, "after 31 minutes")

	c := r.browser(id)
	if _, body := r.get(c, "/desk"); !strings.Contains(body, "<span>wang</span>") {
		t.Error("the page does not say whose it is")
	}
	r.exec(`update staff_role set role = 'dispatcher' where staff_id = $1`, id)
	if _, body := r.get(c, "/desk"); !strings.Contains(body, "tab=dispatcher") || strings.Contains(body, "tab=clerk") {
		t.Error("a role that was taken away still counts")
	}
	if status, _ := r.post(c, "/desk/out", nil); status != http.StatusOK {
		t.Errorf("going out: %d", status)
	}
	if status, _ := r.get(c, "/desk"); status != http.StatusUnauthorized || r.number(`select count(*) from desk_session where staff_id = $1 and seen_at > now() - interval '1 minute'`, id) != 0 {
		t.Errorf("after going out: %d", status)
	}
	c = r.browser(id)
	r.exec(`update staff set ended_at = product_now() where id = $1`, id)
	if status, _ := r.get(c, "/desk"); status != http.StatusNotFound {
		t.Errorf("who left the staff: %d", status)
	}
}
