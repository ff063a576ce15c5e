package console_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// TestDispatchWithHelp: the dispatcher names who leads and who helps, from the
// task; the helper signs and replies to the lead.
func TestDispatchWithHelp(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(func(c *ticket.Content) { c.Place = ticket.PlaceRef{Division: "360313001"} })
	page := taskURL(r.number(`select id from task where kind = 'dispatch'`))
	form := url.Values{"form": {"task"}, "desk": {"unit|" + unit + "|0"}, "co": {"unit|transport|0"}, "once": {"d1"}}
	for range 2 { // the second time leads where the first one led
		if status, body := r.post(o.dispatcher, page, form); status != http.StatusOK {
			t.Fatalf("%d %s", status, trouble(body))
		}
	}
	if r.number(`select count(*) from assignment where ended_at is null`) != 2 || r.number(`select count(*) from task where state = 'open'`) != 0 {
		t.Fatal("the ticket lies on other desks, or the task is open")
	}
	if got := r.offers(o.helper, k.ID); got != "co_sign co_reply" {
		t.Errorf("the helper is offered %q", got)
	}
	r.do(o.helper, k.ID, "co_sign", nil)
	if status, body := r.try(o.helper, k.ID, "co_reply", url.Values{"words": {""}}); status == http.StatusOK {
		t.Errorf("a reply without words: %d %s", status, trouble(body))
	}
	r.do(o.helper, k.ID, "co_reply", url.Values{"words": {"护栏是我们的，已经修了"}})
	if _, body := r.get(o.handler, ticketURL(k.ID)); !strings.Contains(body, "护栏是我们的，已经修了") {
		t.Error("the lead does not read the reply")
	}
	r.do(o.dispatcher, k.ID, "involve", url.Values{"co": {"unit|housing|0"}})
	if r.number(`select count(*) from assignment where ended_at is null and role = 'co'`) != 2 {
		t.Error("nobody was involved")
	}
}

// TestObjectionIsReviewed: a granted one goes to the next desk at once, a
// refused one comes back and is final.
func TestObjectionIsReviewed(t *testing.T) {
	r := newRig(t)
	o := r.office()
	for _, granted := range []string{"yes", "no"} {
		k := r.file(nil)
		if status, body := r.try(o.handler, k.ID, "object", url.Values{"reason": {"not_our_duty"}}); status != http.StatusConflict || trouble(body) == "" {
			t.Errorf("an objection without a basis: %d", status)
		}
		r.do(o.handler, k.ID, "object", url.Values{"reason": {"not_our_duty"}, "words": {"灯是物业的"}})
		_, body := r.get(o.dispatcher, ticketURL(k.ID))
		if r.state(k.ID) != "disputed" || !strings.Contains(body, "灯是物业的") || !strings.Contains(r.offers(o.dispatcher, k.ID), "decide") {
			t.Fatalf("the dispatcher has nothing to decide: %s", r.state(k.ID))
		}
		if status, _ := r.try(o.dispatcher, k.ID, "decide", url.Values{"granted": {granted}}); status != http.StatusUnprocessableEntity {
			t.Errorf("a decision without a reason: %d", status)
		}
		r.do(o.dispatcher, k.ID, "decide", url.Values{"granted": {granted}, "words": {"看过权责清单"}, "desk": {"unit|housing|0"}})
		desk := r.text(`select desk from assignment where ticket_id = $1 and role = 'lead' and ended_at is null`, k.ID)
		want := map[string]string{"yes": "housing", "no": unit}[granted]
		if desk != want || r.state(k.ID) != "dispatched" {
			t.Errorf("granted %s: %s at %s", granted, r.state(k.ID), desk)
		}
		if granted == "no" {
			if status, body := r.try(o.handler, k.ID, "object", url.Values{"reason": {"not_our_duty"}, "words": {"还是物业的"}}); status != http.StatusConflict || !strings.Contains(body, "还是物业的") {
				t.Errorf("a second objection: %d", status)
			}
		}
	}
}

func TestExtensionAndSuspension(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(nil)
	r.do(o.handler, k.ID, "take", nil)
	until := func(days int) string {
		return r.text(`select to_char((deadline + make_interval(days => $2)) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI') from ticket where id = $1`, k.ID, days)
	}
	deadline := until(0)
	if status, _ := r.try(o.handler, k.ID, "ask_extension", url.Values{"reason": {"materials"}, "until": {"soon"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a day that is none: %d", status)
	}
	r.do(o.handler, k.ID, "ask_extension", url.Values{"reason": {"materials"}, "until": {until(2)}, "words": {"等灯头"}})
	r.do(o.dispatcher, k.ID, "decide", url.Values{"granted": {"yes"}, "words": {"可以"}})
	if until(0) == deadline {
		t.Error("the deadline did not move")
	}
	// The second one is the supervisor's to grant.
	r.do(o.handler, k.ID, "ask_extension", url.Values{"reason": {"weather"}, "until": {until(1)}})
	if status, body := r.try(o.dispatcher, k.ID, "decide", url.Values{"granted": {"yes"}, "words": {"再等等"}}); status != http.StatusConflict || !strings.Contains(body, "再等等") || !strings.Contains(trouble(body), "督办员") {
		t.Errorf("a dispatcher grants a second one: %d %s", status, trouble(body))
	}
	r.do(o.supervisor, k.ID, "decide", url.Values{"granted": {"no"}, "words": {"不行"}})
	r.do(o.handler, k.ID, "ask_suspension", url.Values{"reason": {"works"}, "until": {until(3)}})
	r.do(o.dispatcher, k.ID, "decide", url.Values{"granted": {"yes"}, "words": {"等施工"}})
	if r.state(k.ID) != "suspended" {
		t.Fatalf("the ticket is %s", r.state(k.ID))
	}
	r.do(o.handler, k.ID, "resume", nil)
	if r.state(k.ID) != "signed" {
		t.Errorf("the ticket is %s", r.state(k.ID))
	}
}

func TestSupervisionIsSigned(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(nil)
	r.do(o.supervisor, k.ID, "supervise", url.Values{"desk": {"unit|" + unit + "|0"}, "reason": {"media"}, "words": {"电视台问了"}})
	r.do(o.supervisor, k.ID, "escalate", url.Values{"reason": {"safety"}})
	n := r.text(`select number from supervision`)
	answer := url.Values{"supervision": {n}, "words": {"今晚修好"}, "signed": {"somebody else"}}
	if status, body := r.try(o.handler, k.ID, "answer_supervision", answer); status != http.StatusUnprocessableEntity || !strings.Contains(body, "今晚修好") {
		t.Errorf("signed with another name: %d %s", status, trouble(body))
	}
	if got := r.offers(o.helper, k.ID); strings.Contains(got, "answer_supervision") {
		t.Errorf("another unit may answer: %s", got)
	}
	answer.Set("signed", "handler")
	r.do(o.handler, k.ID, "answer_supervision", answer)
	if _, body := r.get(o.supervisor, ticketURL(k.ID)); !strings.Contains(body, "今晚修好") || !strings.Contains(body, "签名：handler") {
		t.Error("the supervisor does not read the signed answer")
	}
	if r.number(`select level from ticket where id = $1`, k.ID) == 0 {
		t.Error("the ticket was not raised")
	}
}

func TestMergeByNumber(t *testing.T) {
	r := newRig(t)
	o := r.office()
	master, child := r.file(nil), r.file(nil)
	far := r.file(func(c *ticket.Content) { c.Place = ticket.PlaceRef{Division: "360302001001"} })
	for _, wrong := range []string{"123", "0000000000", string(far.Number)} {
		if status, _ := r.try(o.dispatcher, child.ID, "merge", url.Values{"master": {wrong}}); status != http.StatusUnprocessableEntity {
			t.Errorf("merged into %s: %d", wrong, status)
		}
	}
	r.do(o.dispatcher, child.ID, "merge", url.Values{"master": {master.Number.Spoken()}})
	if _, body := r.get(o.dispatcher, ticketURL(child.ID)); !strings.Contains(body, "并入的主单") {
		t.Error("the master is not shown")
	}
	if _, body := r.get(o.dispatcher, ticketURL(master.ID)); !strings.Contains(body, "并进来的单 1 件") {
		t.Error("the child is not shown")
	}
	r.do(o.dispatcher, child.ID, "unmerge", nil)
	if r.state(child.ID) != "dispatched" {
		t.Errorf("the child is %s", r.state(child.ID))
	}
}

// TestEndsWithoutADesk: answered, referred, rejected, withdrawn.
func TestEndsWithoutADesk(t *testing.T) {
	r := newRig(t)
	o := r.office()
	for deed, x := range map[string]struct {
		form  url.Values
		claim string
		state ticket.State
	}{
		"answer":   {url.Values{"reply": {"带身份证到大厅办"}}, "consultation", ticket.Answered},
		"refer":    {url.Values{"to": {"12315"}}, "complaint", ticket.Referred},
		"reject":   {url.Values{"reason": {"litigation"}}, "complaint", ticket.Rejected},
		"withdraw": {url.Values{"words": {"本人来电说不办了"}}, "help", ticket.Withdrawn},
	} {
		k := r.file(func(c *ticket.Content) {
			c.Place = ticket.PlaceRef{Division: "360313001"}
			c.Claim = x.claim
			c.Matter = "other"
		})
		r.do(o.dispatcher, k.ID, deed, x.form)
		if r.state(k.ID) != string(x.state) {
			t.Errorf("%s: the ticket is %s", deed, r.state(k.ID))
		}
		if r.number(`select count(*) from task where ticket_id = $1 and state = 'open'`, k.ID) != 0 {
			t.Errorf("%s leaves a task open", deed)
		}
	}
}

func TestExclusionIsReviewed(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(nil)
	r.do(o.handler, k.ID, "take", nil)
	r.exec(`update ticket set state = 'closed', closed_at = product_now(), outcome = 'explained', solved = 'no' where id = $1`, k.ID)
	r.exec(`update assignment set ended_at = product_now(), state = 'finished' where ticket_id = $1`, k.ID)
	r.do(o.handler, k.ID, "ask_exclusion", url.Values{"reason": {"beyond_law"}, "words": {"诉求没有依据"}})
	if got := r.offers(o.dispatcher, k.ID); strings.Contains(got, "decide_exclusion") {
		t.Errorf("the dispatcher reviews: %s", got)
	}
	r.do(o.supervisor, k.ID, "decide_exclusion", url.Values{"granted": {"yes"}, "words": {"依据充分"}})
	if r.text(`select exclusion from ticket where id = $1`, k.ID) != "granted" {
		t.Error("nothing was decided")
	}
}

// TestFormIsKept: what is refused changes nothing, says what is possible
// instead, and keeps every word.
func TestFormIsKept(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(func(c *ticket.Content) { c.Matter = "manhole" })
	r.exec(`update assignment set desk_kind = 'unit', desk = $1, desk_staff = 0 where role = 'lead'`, unit)
	r.do(o.handler, k.ID, "take", nil)
	form := url.Values{"result": {"resolved"}, "reply": {"井盖换好了"}, "internal": {"用了库存"}, "once": {"f1"}}
	status, body := r.try(o.handler, k.ID, "finish", form)
	if status != http.StatusConflict || trouble(body) == "" || !strings.Contains(body, "井盖换好了") || !strings.Contains(body, "用了库存") || !strings.Contains(body, `value="resolved" selected`) {
		t.Fatalf("a report without a picture: %d %s", status, trouble(body))
	}
	if status, body := r.try(o.handler, k.ID, "take", nil); status != http.StatusConflict || !strings.Contains(trouble(body), "现在可以") {
		t.Errorf("taken twice: %d %s", status, trouble(body))
	}
	if status, body := r.try(o.supervisor, k.ID, "finish", form); status != http.StatusConflict || !strings.Contains(trouble(body), "现在可以：督办、提级") {
		t.Errorf("a supervisor finishes it: %d %s", status, trouble(body))
	}
	if status, _ := r.try(o.worker, k.ID, "finish", form); status == http.StatusOK {
		t.Error("somebody of another desk finishes it")
	}
	if status, _ := r.try(o.handler, k.ID, "nothing", nil); status != http.StatusNotFound {
		t.Errorf("a deed that is none: %d", status)
	}
	if status, body := r.upload(o.handler, k.ID, form, []byte("no picture")); status != http.StatusUnprocessableEntity || !strings.Contains(body, "井盖换好了") {
		t.Errorf("a picture that is none: %d", status)
	}
	if status, body := r.upload(o.handler, k.ID, form, picture(t)); status != http.StatusOK || r.state(k.ID) != "handled" {
		t.Fatalf("with a picture: %d %s", status, trouble(body))
	}
	blob := r.text(`select blob_id from ticket_file where use = 'evidence'`)
	resp := ok[*http.Response](t)(o.handler.Get(r.server.URL + fmt.Sprintf("/desk/file/%d/%s", k.ID, blob)))
	defer resp.Body.Close()
	if data := ok[[]byte](t)(io.ReadAll(resp.Body)); resp.Header.Get("Content-Type") != "image/jpeg" || len(data) == 0 {
		t.Error("the evidence is not there to see")
	}
}

// upload sends the report of a desk with a picture.
func (r *rig) upload(c *http.Client, id int64, form url.Values, picture []byte) (int, string) {
	r.t.Helper()
	return r.uploadTo(c, fmt.Sprintf("/desk/ticket/%d/do/finish", id), form, picture)
}

func (r *rig) uploadTo(c *http.Client, path string, form url.Values, picture []byte) (int, string) {
	r.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name := range form {
		if err := w.WriteField(name, form.Get(name)); err != nil {
			r.t.Fatal(err)
		}
	}
	part := ok[io.Writer](r.t)(w.CreateFormFile("photo", "photo.png"))
	if _, err := part.Write(picture); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	resp := ok[*http.Response](r.t)(c.Post(r.server.URL+path, w.FormDataContentType(), &body))
	defer resp.Body.Close()
	return resp.StatusCode, string(ok[[]byte](r.t)(io.ReadAll(resp.Body)))
}

// TestOffersByRole: who may do what, in the states of a ticket's life.
func TestOffersByRole(t *testing.T) {
	r := newRig(t)
	o := r.office()
	other := r.browser(r.hire("far", people.RoleDispatcher, people.AreaCounty, "360302"))
	k := r.file(nil)
	check := func(when string, want map[string]string) {
		t.Helper()
		for name, c := range map[string]*http.Client{
			"clerk": o.clerk, "dispatcher": o.dispatcher, "caller": o.caller, "supervisor": o.supervisor, "handler": o.handler, "helper": o.helper, "far": other,
		} {
			if got := r.offers(c, k.ID); got != want[name] {
				t.Errorf("%s, %s: %q, want %q", when, name, got, want[name])
			}
		}
	}
	check("dispatched", map[string]string{
		"handler": "take transfer object", "dispatcher": "transfer return involve merge withdraw escalate", "supervisor": "supervise escalate",
		"helper": "404", "far": "404",
	})
	r.do(o.handler, k.ID, "take", nil)
	check("signed", map[string]string{
		"handler": "contact finish transfer object ask_extension ask_suspension", "dispatcher": "transfer return involve merge withdraw escalate",
		"supervisor": "supervise escalate", "helper": "404", "far": "404",
	})
	r.do(o.dispatcher, k.ID, "return", url.Values{"reason": {"wrong_matter"}})
	check("received", map[string]string{
		"handler": "404", "dispatcher": "dispatch merge refer reject withdraw escalate", "clerk": "refer reject", "supervisor": "escalate", "helper": "404", "far": "404",
	})
}

// TestNotesAndAnswersAreShown: remarks, callbacks and surveys stand on the page
// of a ticket, for those who may read them.
func TestNotesAndAnswersAreShown(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(nil)
	note := url.Values{"form": {"note"}, "words": {"问过物业，下午来人"}, "once": {"n1"}}
	for range 2 {
		if status, body := r.post(o.dispatcher, ticketURL(k.ID)+"/note", note); status != http.StatusOK {
			t.Fatalf("%d %s", status, trouble(body))
		}
	}
	if r.number(`select count(*) from ticket_note`) != 1 {
		t.Error("a note that was sent twice is there twice")
	}
	r.exec(`insert into survey (kind, person_id, ticket_id, answer) values ('still_fine', $1, $2, 'yes')`, k.ReporterID, k.ID)
	r.exec(`insert into callback (ticket_id, try, via, ended, solved, satisfied) values ($1, 1, 'chat', 'answered', 'partly', 'fairly_satisfied')`, k.ID)
	_, body := r.get(o.caller, ticketURL(k.ID))
	for _, part := range []string{"问过物业，下午来人", "还好吗", "一部分", "基本满意", "记了一条备注", "派单 城市管理局"} {
		if !strings.Contains(body, part) {
			t.Errorf("%q is not on the page", part)
		}
	}
	if strings.Contains(body, "console.") {
		t.Errorf("a word is missing: %s", body[strings.Index(body, "console."):][:40])
	}
	if status, _ := r.post(o.helper, ticketURL(k.ID)+"/note", note); status != http.StatusNotFound {
		t.Errorf("somebody else writes a note: %d", status)
	}
}

func TestDeadLetters(t *testing.T) {
	r := newRig(t)
	o := r.office()
	city := r.browser(r.hire("city", people.RoleClerk, people.AreaCity, "3603"))
	k := r.file(nil)
	r.exec(`insert into inbox (channel, event_key, conversation_id, kind, state, tries, error) values ('web', 'k1', $1, 'text', 'dead', 5, 'panic')`, k.ConversationID)
	id := r.number(`select id from inbox where state = 'dead'`)
	if status, _ := r.get(o.clerk, "/desk/dead"); status != http.StatusNotFound {
		t.Errorf("a county's clerk: %d", status)
	}
	if status, body := r.get(city, "/desk/dead"); status != http.StatusOK || !strings.Contains(body, "panic") {
		t.Fatalf("list: %d", status)
	}
	page := fmt.Sprintf("/desk/dead/%d", id)
	if status, _ := r.post(o.dispatcher, page, nil); status != http.StatusNotFound {
		t.Errorf("somebody else replays: %d", status)
	}
	if status, body := r.post(city, page, nil); status != http.StatusOK || r.number(`select count(*) from inbox where state = 'waiting'`) != 1 {
		t.Fatalf("replay: %d %s", status, body)
	}
	if r.number(`select count(*) from trail where kind = 'message.replayed'`) != 1 {
		t.Error("nobody knows who replayed it")
	}
	if status, _ := r.post(city, page, nil); status != http.StatusNotFound {
		t.Errorf("replayed twice: %d", status)
	}
}

// TestForeignFormsAreRefused: another site cannot send a form.
func TestForeignFormsAreRefused(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(nil)
	for _, path := range []string{ticketURL(k.ID) + "/do/take", "/desk/whistle/1/do/whistle_blow", ticketURL(k.ID) + "/note", "/desk/new", "/desk/dead/1", "/desk/task/1", "/desk/channels/wx"} {
		req := ok[*http.Request](t)(http.NewRequest("POST", r.server.URL+path, strings.NewReader("words=x")))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		resp := ok[*http.Response](t)(o.handler.Do(req))
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	if r.state(k.ID) != "dispatched" {
		t.Error("it was taken")
	}
}
