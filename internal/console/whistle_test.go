package console_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// propose lays a whistle over a ticket before the head of the township.
func (r *rig) propose(o *workorder.Order) int64 {
	r.t.Helper()
	id, person := r.number(`select id from staff where slug = 'worker'`), r.number(`select person_id from staff where slug = 'worker'`)
	var w *workorder.Whistle
	r.desk(id, person, func(ctx context.Context, t *gateway.Turn) (err error) {
		w, err = r.orders.ProposeWhistle(ctx, t, workorder.Proposal{
			Order: o, Kind: ticket.WhistleEnforcement, Source: ticket.SourceTicket, Words: "占道经营，要几家一起清",
			By: ticket.Actor{As: ticket.AsProposer, Person: person, Staff: id},
		})
		return err
	})
	return w.ID
}

func whistleURL(id int64) string { return fmt.Sprintf("/desk/whistle/%d", id) }

// blow sends a form of a whistle's page.
func (r *rig) blow(c *http.Client, id int64, deed string, form url.Values) (int, string) {
	r.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("form", deed)
	return r.post(c, whistleURL(id)+"/do/"+deed, form)
}

func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWhistleOnTheDesk takes a whistle from its approval to its end by forms:
// each step stands on the list of who has to do it, and on nobody else's.
func TestWhistleOnTheDesk(t *testing.T) {
	r := newRig(t)
	o := r.office()
	head := r.browser(r.hire("head", people.RoleLeader, people.AreaTownship, "360313001"))
	other := r.browser(r.hire("other_head", people.RoleLeader, people.AreaTownship, "360313002"))
	k := r.file(nil)
	id := r.propose(k)
	row := fmt.Sprintf("whistle %d", id)
	everybody := map[string]*http.Client{
		"head": head, "other head": other, "dispatcher": o.dispatcher, "handler": o.handler, "helper": o.helper, "caller": o.caller,
	}
	waits := func(step string, who ...string) {
		t.Helper()
		for name, c := range everybody {
			rows, _ := r.lines(c, "/desk")
			has := strings.Contains(strings.Join(rows, ",")+",", row+",") || strings.Contains(strings.Join(rows, ",")+",", row+"!,")
			if want := strings.Contains(strings.Join(who, ",")+",", name+","); has != want {
				t.Errorf("%s: on the list of %s: %v", step, name, has)
			}
		}
	}
	step := func(c *http.Client, deed string, form url.Values) {
		t.Helper()
		if status, body := r.blow(c, id, deed, form); status != http.StatusOK {
			t.Fatalf("%s: %d %s", deed, status, trouble(body))
		}
	}
	refused := func(c *http.Client, deed string, form url.Values, want int, say string) {
		t.Helper()
		if status, body := r.blow(c, id, deed, form); status != want || !strings.Contains(body, say) {
			t.Errorf("%s: %d %q, want %d with %q", deed, status, trouble(body), want, say)
		}
	}
	waits("proposed", "head")
	if status, _ := r.get(other, whistleURL(id)); status != http.StatusNotFound {
		t.Errorf("the head of another township sees it: %d", status)
	}
	if status, body := r.get(head, ticketURL(k.ID)); status != http.StatusOK || !strings.Contains(body, whistleURL(id)) {
		t.Errorf("the ticket does not lead to its whistle: %d", status)
	}
	if task := r.number(`select id from task where kind = 'whistle_blow'`); task != 0 {
		if status, _ := r.post(head, taskURL(task), url.Values{"words": {"好"}}); status != http.StatusNotFound {
			t.Errorf("the task was ended with words: %d", status)
		}
	}
	refused(o.dispatcher, "whistle_blow", nil, http.StatusConflict, "不归您")
	refused(o.caller, "whistle_blow", nil, http.StatusNotFound, "")
	refused(head, "whistle_appraise", nil, http.StatusConflict, "")
	step(head, "whistle_blow", nil)
	refused(head, "whistle_blow", nil, http.StatusConflict, "现在可以")

	waits("blown", "dispatcher")
	refused(o.dispatcher, "whistle_blow", nil, http.StatusConflict, "现在可以：分哨、退哨")
	refused(o.dispatcher, "whistle_assign", url.Values{"co": {"unit|transport|0"}}, http.StatusUnprocessableEntity, "")
	step(o.dispatcher, "whistle_assign", url.Values{"desk": {"unit|" + unit + "|0"}, "co": {"unit|transport|0"}})

	waits("assigned", "handler", "helper")
	step(o.handler, "whistle_answer", nil)
	refused(o.handler, "whistle_handle", url.Values{"words": {"还没到呢"}}, http.StatusConflict, "报到")
	form := url.Values{"form": {"whistle_arrive"}, "where": {"老街路口"}}
	if status, body := r.uploadTo(o.handler, whistleURL(id)+"/do/whistle_arrive", form, []byte("no picture")); status != http.StatusUnprocessableEntity || !strings.Contains(body, "老街路口") {
		t.Errorf("a picture that is none: %d", status)
	}
	if status, body := r.uploadTo(o.handler, whistleURL(id)+"/do/whistle_arrive", form, picture(t)); status != http.StatusOK {
		t.Fatalf("arrive: %d %s", status, trouble(body))
	}
	refused(o.handler, "whistle_handle", url.Values{"words": {""}}, http.StatusUnprocessableEntity, "")
	step(o.handler, "whistle_handle", url.Values{"words": {"摊位都清走了"}})
	waits("one unit is through", "head", "helper")

	step(o.helper, "whistle_misuse", url.Values{"reason": {"own_powers"}})
	step(head, "whistle_appraise", url.Values{"unit": {"unit|" + unit + "|0"}, "speed": {"excellent"}, "quality": {"good"}})
	refused(head, "whistle_appraise", url.Values{"unit": {"unit|transport|0"}, "speed": {"good"}, "quality": {"good"}}, http.StatusConflict, "还不能评")
	step(o.helper, "whistle_arrive", nil)
	step(o.helper, "whistle_handle", url.Values{"words": {"护栏修好了"}})
	waits("handled", "head")
	refused(head, "whistle_close", url.Values{"solved": {"yes"}}, http.StatusConflict, "还有1家")
	step(head, "whistle_appraise", url.Values{"unit": {"unit|transport|0"}, "speed": {"fair"}, "quality": {"good"}, "words": {"来得晚"}})

	_, body := r.get(head, whistleURL(id))
	for _, part := range []string{"老街路口", "摊位都清走了", "护栏修好了", "占道经营", "销哨"} {
		if !strings.Contains(body, part) {
			t.Errorf("%q is not on the page", part)
		}
	}
	file := regexp.MustCompile(`/desk/whistle/\d+/file/[\w-]+`).FindString(body)
	for c, want := range map[*http.Client]int{head: http.StatusOK, other: http.StatusNotFound} {
		if status, _ := r.get(c, file); file == "" || status != want {
			t.Errorf("the picture of the arrival: %d, want %d", status, want)
		}
	}
	step(head, "whistle_close", url.Values{"solved": {"yes"}})
	waits("closed")
	if strings.Contains(body, "console.") || strings.Contains(body, "whistle.button") {
		t.Errorf("a word is missing on the page: %s", body)
	}
	want := "proposed blown assigned answered arrived handled misuse_marked appraised arrived handled appraised closed"
	if got := r.text(`select string_agg(substr(kind, 9), ' ' order by id) from trail where kind like 'whistle.%'`); got != want {
		t.Errorf("the trail says %q", got)
	}
}

// TestWhistleThatRoseIsSupervised: the supervisor reads what runs and ends the
// task with words; a unit that the claim is about sees nothing.
func TestWhistleThatRoseIsSupervised(t *testing.T) {
	r := newRig(t)
	o := r.office()
	head := r.browser(r.hire("head", people.RoleLeader, people.AreaTownship, "360313001"))
	k := r.file(func(c *ticket.Content) { c.Against = []string{"transport"} })
	id := r.propose(k)
	for deed, c := range map[string]*http.Client{"whistle_blow": head} {
		if status, body := r.blow(c, id, deed, nil); status != http.StatusOK {
			t.Fatalf("%s: %d %s", deed, status, trouble(body))
		}
	}
	if _, body := r.get(o.dispatcher, whistleURL(id)); strings.Contains(body, "unit|transport|0") || !strings.Contains(body, `value="unit|housing|0"`) {
		t.Error("the unit that the claim is about is offered")
	}
	for _, co := range []string{"unit|transport|0", "unit|nowhere|0"} {
		if status, _ := r.blow(o.dispatcher, id, "whistle_assign", url.Values{"desk": {"unit|" + unit + "|0"}, "co": {co}}); status == http.StatusOK {
			t.Errorf("%s was called", co)
		}
	}
	if status, body := r.blow(o.dispatcher, id, "whistle_assign", url.Values{"desk": {"unit|" + unit + "|0"}}); status != http.StatusOK {
		t.Fatalf("assign: %d %s", status, trouble(body))
	}
	if status, body := r.blow(head, id, "whistle_raise", url.Values{"reason": {"no_answer"}}); status != http.StatusOK {
		t.Fatalf("raise: %d %s", status, trouble(body))
	}
	task := r.number(`select id from task where kind = 'whistle_raised' and state = 'open'`)
	rows, _ := r.lines(o.supervisor, "/desk?tab=supervisor")
	list := strings.Join(rows, ",")
	if !strings.Contains(list, fmt.Sprintf("whistle %d", id)) || !strings.Contains(list, fmt.Sprintf("task %d", task)) {
		t.Errorf("the supervisor's list is %s", list)
	}
	if _, body := r.get(o.supervisor, taskURL(task)); !strings.Contains(body, whistleURL(id)) || strings.Contains(body, "console.") {
		t.Error("the task does not lead to its whistle, or lacks a word")
	}
	for name, c := range map[string]*http.Client{"the unit it is about": o.helper, "a callback clerk": o.caller} {
		if status, _ := r.get(c, whistleURL(id)); status != http.StatusNotFound {
			t.Errorf("%s sees the whistle: %d", name, status)
		}
		if status, _ := r.get(c, taskURL(task)); status != http.StatusNotFound {
			t.Errorf("%s sees the task: %d", name, status)
		}
	}
	if status, body := r.post(o.supervisor, taskURL(task), url.Values{"form": {"task"}, "words": {"已经催了"}}); status != http.StatusOK || r.number(`select count(*) from task where id = $1 and state = 'open'`, task) != 0 {
		t.Errorf("the task: %d %s", status, trouble(body))
	}
}
