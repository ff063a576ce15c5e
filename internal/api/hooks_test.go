package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/internal/api"
	"shaoying/internal/people"
	"shaoying/internal/webhook"
)

// receiver is another program that is posted to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []posted
}

type posted struct {
	header http.Header
	body   string
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{status: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, posted{req.Header, string(body)})
		if r.status == http.StatusFound {
			w.Header().Set("Location", "http://169.254.169.254/")
		}
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status, r.got = status, nil
}

func (r *receiver) taken() []posted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got
}

// hook makes a webhook and returns its id and secret.
func (p *program) hook(body object) (id, secret string) {
	p.r.t.Helper()
	a := p.post("/webhooks", body)
	if a.Status != http.StatusCreated {
		p.r.t.Fatalf("%d %s", a.Status, a.Raw)
	}
	if err := p.r.hooks.Reload(p.r.t.Context()); err != nil {
		p.r.t.Fatal(err)
	}
	return a.Body["id"].(string), a.Body["secret"].(string)
}

// run does what is due until nothing is.
func (r *rig) run() {
	r.t.Helper()
	for {
		n, err := r.runner.Once(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

func TestEventsArePostedSigned(t *testing.T) {
	r := newRig(t)
	admin, clerk := r.program(people.RoleAdmin, people.AreaCity, "3603"), r.program(people.RoleClerk, people.AreaCity, "3603")
	clerk.file(report)
	if n := r.number(`select count(*) from due where kind = 'webhook'`); n != 0 {
		t.Fatalf("%d deliveries while nobody listens", n)
	}
	to := newReceiver(t)
	id, secret := admin.hook(object{"url": to.URL + "/in?k=very-secret", "events": []string{"ticket.filed", "ticket.withdrawn"}})
	list := items(t, admin.get("/webhooks"))
	if len(list) != 1 || strings.Contains(admin.get("/webhooks").Raw, "very-secret") || list[0]["secret"] != nil {
		t.Fatalf("listed: %v", list)
	}
	if n := r.number(`select count(*) from webhook where url::text like '%secret%' or secret::text like '%whsec%'`); n != 0 {
		t.Error("address or secret lie open")
	}
	number := clerk.file(report)
	r.run()
	got := to.taken()
	if len(got) != 1 {
		t.Fatalf("%d posts, want one", len(got))
	}
	h, body := got[0].header, got[0].body
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, h.Get("Shaoying-Timestamp")+"."+body)
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); h.Get("Shaoying-Signature") != want || h.Get("Content-Type") != "application/json" {
		t.Fatalf("headers %v do not sign %s", h, body)
	}
	var e struct {
		ID, Kind, Ticket string
		At               time.Time
		Data             map[string]string
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatal(err)
	}
	if e.ID != h.Get("Shaoying-Event-Id") || e.Kind != "ticket.filed" || e.Ticket != number || e.Data["matter"] == "" || e.At.Year() != 2026 {
		t.Fatalf("posted %s", body)
	}
	if strings.Contains(body, "路灯") || strings.Contains(body, "钟") {
		t.Errorf("words are posted: %s", body)
	}
	// Private tickets and those about who reads along are posted to nobody.
	to.answers(http.StatusNoContent)
	clerk.file(object{"words": "举报楼上聚众赌博，请保密", "place": object{"text": "昌盛小区"}, "confidential": true})
	r.run()
	if n := len(to.taken()); n != 0 {
		t.Errorf("%d posts about a private ticket", n)
	}
	// What became private before it was sent stays here.
	clerk.file(report)
	r.exec(`update ticket set sensitive = true where id = (select max(id) from ticket)`)
	r.run()
	if n := len(to.taken()); n != 0 {
		t.Errorf("%d posts about a ticket that became private", n)
	}
	// No more after its end.
	if a := admin.send("DELETE", "/webhooks/"+id, "", nil); a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	clerk.file(report) // this process has not heard of it yet
	r.run()
	if n := len(to.taken()); n != 0 {
		t.Errorf("%d posts after the end", n)
	}
	admin.send("DELETE", "/webhooks/"+id, "", nil).problem(t, http.StatusNotFound, "not_found")
}

func TestAHookHearsOfItsAreaAlone(t *testing.T) {
	r := newRig(t)
	admin, clerk := r.program(people.RoleAdmin, people.AreaCity, "3603"), r.program(people.RoleClerk, people.AreaCity, "3603")
	other, grids := newReceiver(t), newReceiver(t)
	admin.hook(object{"url": other.URL, "area": "county:360302"})
	admin.hook(object{"url": grids.URL, "area": "grid:" + grid})
	clerk.file(report)
	clerk.file(object{"words": "投诉网格员态度恶劣，骂人", "place": object{"text": "昌盛小区"}, "claim": "complaint"})
	r.run()
	if n := len(other.taken()); n != 0 {
		t.Errorf("another county hears %d events", n)
	}
	for _, p := range grids.taken() {
		if strings.Contains(p.body, "complaint") {
			t.Errorf("a grid hears of a complaint about itself: %s", p.body)
		}
	}
	if len(grids.taken()) == 0 {
		t.Error("the grid hears nothing")
	}
}

// What a receiver does not take is tried again, then lies in the dead letters,
// and is posted anew when somebody says so, under the same id.
func TestRetriesAndDeadLetters(t *testing.T) {
	r := newRig(t)
	admin, clerk := r.program(people.RoleAdmin, people.AreaCity, "3603"), r.program(people.RoleClerk, people.AreaCity, "3603")
	to := newReceiver(t)
	to.answers(http.StatusFound) // is not followed
	id, _ := admin.hook(object{"url": to.URL, "events": []string{"ticket.filed"}})
	clerk.file(report)
	clerk.file(report)
	r.run()
	if n := len(to.taken()); n != 1 {
		t.Errorf("a receiver that failed was asked %d times at once", n)
	}
	if n := r.number(`select count(*) from due where kind = 'webhook' and state = 'planned' and due_at > product_now()`); n != 2 {
		t.Fatalf("%d deliveries wait", n)
	}
	// The tries are over, wherever the clock is.
	for range 12 {
		r.exec(`update due set due_at = product_now() where kind = 'webhook' and state = 'planned'`)
		r.run()
	}
	dead := items(t, admin.get("/webhooks/"+id+"/dead"))
	if len(dead) != 2 || dead[0]["tries"].(float64) != 10 {
		t.Fatalf("dead letters: %v", dead)
	}
	event := dead[0]["event"].(object)["id"].(string)
	to.answers(http.StatusOK)
	a := admin.post("/webhooks/"+id+"/dead/replay", object{"events": []string{event}})
	if a.Status != http.StatusOK || a.Body["count"].(float64) != 1 {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	r.run()
	if got := to.taken(); len(got) != 1 || got[0].header.Get("Shaoying-Event-Id") != event {
		t.Fatalf("replayed: %v", got)
	}
	if n := len(items(t, admin.get("/webhooks/"+id+"/dead?limit=1"))); n != 1 {
		t.Errorf("%d dead letters are left", n)
	}
	// Who is not trusted any more hears nothing either.
	if err := api.RevokeToken(t.Context(), r.DB, r.Keys, r.number(`select created_by from webhook where id = $1::bigint`, id)); err != nil {
		t.Fatal(err)
	}
	if n := r.number(`select count(*) from webhook where ended_at is null`); n != 0 {
		t.Errorf("%d webhooks of a revoked token go on", n)
	}
	to.answers(http.StatusOK)
	clerk.file(report)
	r.run()
	if n := len(to.taken()); n != 0 {
		t.Errorf("a revoked program was told %d times", n)
	}
}

// A receiver that fails once is posted to again, under the same id and signed
// anew; one that never answers is given up after the limit of the policy, and
// holds nobody else up.
func TestAReceiverThatFailsAndOneThatNeverAnswers(t *testing.T) {
	posts := must(t, "policies/webhook.yaml", webhook.ParsePolicy)
	posts.Timeout = time.Second
	r := newRigPosting(t, posts)
	admin, clerk := r.program(people.RoleAdmin, people.AreaCity, "3603"), r.program(people.RoleClerk, people.AreaCity, "3603")
	to := newReceiver(t)
	to.answers(http.StatusInternalServerError)
	id, secret := admin.hook(object{"url": to.URL, "events": []string{"ticket.filed"}})
	gone := make(chan struct{}, 1)
	deaf := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // the connection's end is seen only after the body
		<-req.Context().Done()
		gone <- struct{}{}
	}))
	t.Cleanup(deaf.Close)
	silent, _ := admin.hook(object{"url": deaf.URL, "events": []string{"ticket.filed"}})
	clerk.file(report)
	r.run()
	<-gone // we left, not the receiver
	failed := to.taken()
	if len(failed) != 1 {
		t.Fatalf("%d posts", len(failed))
	}
	if why := r.text(`select reason from due where kind = 'webhook' and subject = 'webhook:' || $1`, silent); !strings.Contains(why, "deadline exceeded") && !strings.Contains(why, "imeout") {
		t.Errorf("put off because of %q", why)
	}
	if n := r.number(`select count(*) from due where kind = 'webhook' and state = 'planned' and due_at > product_now() and tries = 1`); n != 2 {
		t.Errorf("%d deliveries wait", n)
	}
	to.answers(http.StatusOK)
	r.sender.Forgive(ok[int64](t)(strconv.ParseInt(id, 10, 64))) // the silence after a failure is over
	r.exec(`update due set due_at = product_now() where kind = 'webhook' and subject = 'webhook:' || $1`, id)
	r.run()
	got := to.taken()
	if len(got) != 1 || got[0].body != failed[0].body || got[0].header.Get("Shaoying-Event-Id") != failed[0].header.Get("Shaoying-Event-Id") {
		t.Fatalf("posted again: %v", got)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, got[0].header.Get("Shaoying-Timestamp")+"."+got[0].body)
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); got[0].header.Get("Shaoying-Signature") != want {
		t.Error("the second post is not signed")
	}
	if n := r.number(`select count(*) from due where kind = 'webhook' and state = 'done'`); n != 1 {
		t.Errorf("%d deliveries are done", n)
	}
}

func TestS8WebhooksThatAreRefused(t *testing.T) {
	r := newRig(t)
	admin := r.program(people.RoleAdmin, people.AreaCity, "3603")
	for _, url := range []string{"https://192.168.0.1/hook", "http://12345.example.gov.cn/", "https://169.254.169.254/", "gopher://x.example/"} {
		a := admin.post("/webhooks", object{"url": url})
		a.problem(t, http.StatusUnprocessableEntity, "invalid")
		if strings.Contains(a.Raw, url) {
			t.Errorf("the address comes back: %s", a.Raw)
		}
	}
	admin.post("/webhooks", object{"url": "https://x.example/", "events": []string{"ticket.eaten"}}).problem(t, http.StatusUnprocessableEntity, "invalid")
	admin.post("/webhooks", object{"url": "https://x.example/", "area": "moon:1"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	admin.get("/webhooks/77/dead").problem(t, http.StatusNotFound, "not_found")
	admin.get("/webhooks/x/dead").problem(t, http.StatusNotFound, "not_found")
	// A name that leads inside is refused when the connection is made, and the
	// event is a dead letter at once.
	id, _ := admin.hook(object{"url": "https://inside.example/", "events": []string{"ticket.filed"}})
	r.exec(`update webhook set url = $1`, r.Keys.Seal([]byte("http://10.0.0.1/"), webhook.SealURL))
	r.program(people.RoleClerk, people.AreaCity, "3603").file(report)
	r.run()
	dead := items(t, admin.get("/webhooks/"+id+"/dead"))
	if len(dead) != 1 || dead[0]["tries"].(float64) != 1 || !strings.Contains(dead[0]["reason"].(string), "inside") {
		t.Fatalf("dead letters: %v", dead)
	}
}
