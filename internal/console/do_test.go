package console_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// TestUnhappyAnswerIsJudged lays a handled ticket before the callback clerk,
// who rings, hears that nothing was solved, and sends it back.
func TestUnhappyAnswerIsJudged(t *testing.T) {
	r := newRig(t)
	o, _ := r.recording()
	r.exec(`update ticket set state = 'handled', division = $1, grid = $2, handled_at = product_now(), dispatched_at = product_now() where id = $3`, village, grid, o.ID)
	r.exec(`insert into assignment (ticket_id, role, desk_kind, desk, state, dispatched_at) values ($1, 'lead', 'grid', $2, 'finished', product_now())`, o.ID, grid)
	r.desk(0, 0, func(ctx context.Context, tu *gateway.Turn) error {
		o, err := r.orders.Load(ctx, tu, o.ID, true)
		if err != nil {
			return err
		}
		return r.orders.AddTask(ctx, tu, o, workorder.TaskPhone, people.RoleCallbackClerk, nil)
	})
	c := r.browser(r.hire("caller", people.RoleCallbackClerk, people.AreaCity, "3603"))
	phone := fmt.Sprintf("/desk/task/%d", r.number(`select id from task where kind = 'phone'`))
	if status, _ := r.get(c, phone); status != 200 {
		t.Fatalf("phone task: %d", status)
	}
	if status, body := r.post(c, phone, url.Values{"reached": {"yes"}, "contacted": {"yes"}, "solved": {"no"}, "satisfied": {"dissatisfied"}, "words": {"还是不亮"}}); status != 200 {
		t.Fatalf("answer: %d %s", status, body)
	}
	judge := fmt.Sprintf("/desk/task/%d", r.number(`select id from task where kind = 'judge' and state = 'open'`))
	if status, _ := r.get(c, judge); status != 200 {
		t.Fatalf("judge task: %d", status)
	}
	if status, _ := r.post(c, judge, url.Values{"verdict": {"redo"}}); status != 422 {
		t.Errorf("a verdict without words: %d", status)
	}
	if status, body := r.post(c, judge, url.Values{"verdict": {"redo"}, "words": {"灯还是坏的"}}); status != 200 {
		t.Fatalf("redo: %d %s", status, body)
	}
	if n := r.number(`select count(*) from ticket where state = 'redo'`); n != 1 {
		t.Error("the ticket was not sent back")
	}
	// Looking at a telephone number needs a reason and leaves a trace.
	look := fmt.Sprintf("/desk/ticket/%d/phone", o.ID)
	if status, _ := r.post(c, look, nil); status != 422 {
		t.Errorf("a look without a reason: %d", status)
	}
	if status, _ := r.post(c, look, url.Values{"reason": {"回访"}}); status != 200 {
		t.Errorf("a look with a reason: %d", status)
	}
	if n := r.number(`select count(*) from trail where kind = 'look.phone'`); n != 1 {
		t.Errorf("the look was written down %d times", n)
	}
}

func TestDispatcherChoosesTheDesk(t *testing.T) {
	r := newRig(t)
	o, _ := r.recording()
	r.exec(`update ticket set state = 'received' where id = $1`, o.ID)
	r.desk(0, 0, func(ctx context.Context, tu *gateway.Turn) error {
		o, err := r.orders.Load(ctx, tu, o.ID, true)
		if err != nil {
			return err
		}
		return r.orders.AddTask(ctx, tu, o, workorder.TaskDispatch, people.RoleDispatcher, nil)
	})
	c := r.browser(r.hire("dispatcher", people.RoleDispatcher, people.AreaCity, "3603"))
	page := fmt.Sprintf("/desk/task/%d", r.number(`select id from task where kind = 'dispatch'`))
	if status, _ := r.get(c, page); status != 200 {
		t.Fatalf("task: %d", status)
	}
	if status, _ := r.post(c, page, url.Values{"desk": {"unit|nowhere|0"}}); status != 422 {
		t.Errorf("an unknown unit: %d", status)
	}
	if status, body := r.post(c, page, url.Values{"desk": {"unit|village|0"}}); status != 200 {
		t.Fatalf("dispatch: %d %s", status, body)
	}
	if n := r.number(`select count(*) from ticket where state = 'dispatched'`); n != 1 {
		t.Error("the ticket was not dispatched")
	}
}

// What is suggested about several tickets is decided in chat, where they are
// shown: the desk page names it and ends nothing.
func TestWhatIsSuggestedIsDecidedInChat(t *testing.T) {
	r := newRig(t)
	c := r.browser(r.hire("dispatcher", people.RoleDispatcher, people.AreaCity, "3603"))
	for _, kind := range []string{workorder.TaskMerge, workorder.TaskTopic} {
		r.desk(0, 0, func(ctx context.Context, tu *gateway.Turn) error {
			return r.orders.AddCityTask(ctx, tu, kind, kind+"/1", people.RoleDispatcher, time.Time{}, nil)
		})
		page := fmt.Sprintf("/desk/task/%d", r.number(`select id from task where kind = $1`, kind))
		status, body := r.get(c, page)
		if status != 200 || strings.Contains(body, "<button class=\"main\">") || !strings.Contains(body, "请在聊天里回") {
			t.Errorf("%s: %d %s", kind, status, body)
		}
		if status, _ := r.post(c, page, url.Values{"words": {"好了"}}); status != 422 {
			t.Errorf("%s was taken: %d", kind, status)
		}
	}
	if n := r.number(`select count(*) from task where state = 'open'`); n != 2 {
		t.Errorf("%d tasks are open", n)
	}
}

// TestRaisedGoesToItsLevel: what was raised to a township is instructed there,
// and by nobody above; who has the ticket is told the words.
func TestRaisedGoesToItsLevel(t *testing.T) {
	r := newRig(t)
	o := r.office()
	head := r.browser(r.hire("head", people.RoleLeader, people.AreaTownship, "360313001"))
	county := r.browser(r.hire("chief", people.RoleLeader, people.AreaCounty, "360313"))
	k := r.file(nil)
	r.do(o.supervisor, k.ID, "escalate", url.Values{"reason": {"leader"}})
	if at := r.text(`select area from task where kind = 'escalated' and state = 'open'`); at != "360313001" {
		t.Fatalf("it lies at %s", at)
	}
	page := taskURL(r.number(`select id from task where kind = 'escalated'`))
	words := url.Values{"form": {"task"}, "words": {"两家一起去"}}
	if status, _ := r.post(county, page, words); status != 404 {
		t.Errorf("the county instructs: %d", status)
	}
	if rows, _ := r.lines(county, "/desk"); len(rows) != 0 {
		t.Errorf("the county has %v on its list", rows)
	}
	if status, body := r.post(head, page, words); status != 200 {
		t.Fatalf("the township: %d %s", status, trouble(body))
	}
	if n := r.number(`select count(*) from due where kind = 'staff.tell' and data->>'key' = 'tell.instructed'`); n != 1 {
		t.Errorf("%d are told", n)
	}
}
