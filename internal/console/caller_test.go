package console_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

func caller(more url.Values) url.Values {
	form := url.Values{
		"form": {"new"}, "go": {"file"}, "once": {"w1"}, "words": {"楼下路灯坏了三盏"}, "place": {"昌盛小区"}, "matter": {"street_light"},
		"claim": {"help"}, "phone": {"138 0013 8000"}, "name": {"李大爷"},
	}
	for k, v := range more {
		form[k] = v
	}
	return form
}

// TestCallersTicket takes a ticket down, once however often the form is sent,
// and rings the caller when it is handled.
func TestCallersTicket(t *testing.T) {
	r := newRig(t)
	o := r.office()
	status, body := r.post(o.clerk, "/desk/new", caller(url.Values{"go": {"look"}, "matter": {""}, "claim": {""}}))
	if status != http.StatusOK || !strings.Contains(body, `value="street_light" selected`) || !strings.Contains(body, "138 0013 8000") {
		t.Fatalf("look: %d, the matter is not guessed or what was typed is lost", status)
	}
	for range 2 {
		if status, body = r.post(o.clerk, "/desk/new", caller(nil)); status != http.StatusOK {
			t.Fatalf("file: %d %s", status, trouble(body))
		}
	}
	n := numbered.FindStringSubmatch(body)
	if n == nil || r.number(`select count(*) from ticket`) != 1 || r.number(`select count(*) from ticket where number = $1`, strings.ReplaceAll(n[1], " ", "")) != 1 {
		t.Fatalf("a form that was sent twice made %d tickets, number %v", r.number(`select count(*) from ticket`), n)
	}
	if r.number(`select count(*) from address a join ticket t on t.address_id = a.id and t.reporter_id = a.person_id where a.channel = 'phone' and a.trust = 'none' and a.state = 'gone'`) != 1 {
		t.Error("the caller is not the reporter, or is trusted, or would be written to")
	}
	// A second call from the same number is the same person's.
	r.post(o.clerk, "/desk/new", caller(url.Values{"once": {"w2"}, "words": {"路灯又坏了"}}))
	if r.number(`select count(distinct reporter_id) from ticket`) != 1 {
		t.Error("who rang twice became two people")
	}
	id := r.number(`select min(id) from ticket`)
	r.do(o.handler, id, "take", nil)
	r.do(o.handler, id, "contact", url.Values{"via": {"phone"}, "reached": {"yes"}})
	r.do(o.handler, id, "finish", url.Values{"result": {"partly"}, "reply": {"换了两盏"}, "internal": {"第三盏缺件"}})
	if r.number(`select count(*) from task where kind = 'phone' and state = 'open' and due_at is not null`) != 1 {
		t.Error("nobody is to ring the caller")
	}
	if status, body := r.get(o.dispatcher, ticketURL(id)); !strings.Contains(body, "第三盏缺件") || strings.Contains(body, "13800138000") {
		t.Errorf("the page of a handled ticket: %d", status)
	}
}

func TestCallersTicketAsksFirst(t *testing.T) {
	r := newRig(t)
	c := r.office().clerk
	for name, x := range map[string]struct {
		more   url.Values
		status int
		says   string
	}{
		"danger comes first": {url.Values{"words": {"家里煤气味很大，头晕"}, "phone": {""}}, http.StatusOK, `class="danger"`},
		"an unknown place":   {url.Values{"place": {"哪里都不是"}}, http.StatusOK, "unplaced"},
		"no number":          {url.Values{"phone": {"12"}}, http.StatusUnprocessableEntity, "请写来电人的电话"},
		"no matter":          {url.Values{"matter": {"nothing"}}, http.StatusUnprocessableEntity, "楼下路灯坏了三盏"},
		"no words":           {url.Values{"words": {" "}}, http.StatusUnprocessableEntity, "昌盛小区"},
	} {
		if status, body := r.post(c, "/desk/new", caller(x.more)); status != x.status || !strings.Contains(body, x.says) {
			t.Errorf("%s: %d %s", name, status, trouble(body))
		}
	}
	if n := r.number(`select count(*) from ticket`); n != 0 {
		t.Fatalf("%d tickets were filed", n)
	}
	if n := r.number(`select count(*) from desk_once`); n != 0 {
		t.Errorf("%d forms count as sent that were only asked about", n)
	}
	danger := caller(url.Values{"words": {"家里煤气味很大，头晕"}, "phone": {""}, "warned": {"1"}, "place": {""}})
	if status, body := r.post(c, "/desk/new", danger); status != http.StatusOK || r.number(`select count(*) from ticket where danger <> '' and urgency = 'urgent'`) != 1 {
		t.Errorf("a danger that the caller was warned of: %d %s", status, trouble(body))
	}
}

// TestUnknownCaller: nobody learns who an anonymous caller is, the database
// least of all.
func TestUnknownCaller(t *testing.T) {
	r := newRig(t)
	c := r.office().clerk
	if status, body := r.post(c, "/desk/new", caller(url.Values{"anonymous": {"1"}})); status != http.StatusOK {
		t.Fatalf("%d %s", status, trouble(body))
	}
	if r.number(`select count(*) from ticket where anonymous`) != 1 || r.number(`select count(*) from person where kind = 'resident' and (name is not null or phone is not null)`) != 0 {
		t.Error("something of an anonymous caller was kept")
	}
}

// TestNobodyIsGuessed: a number that two people share names neither.
func TestSharedNumber(t *testing.T) {
	r := newRig(t)
	index := r.Keys.Index("phone", "+8613800138000")
	r.exec(`insert into person (kind, phone_index) values ('resident', $1), ('resident', $1)`, index)
	if status, _ := r.post(r.office().clerk, "/desk/new", caller(nil)); status != http.StatusOK {
		t.Fatal(status)
	}
	if r.number(`select count(*) from ticket t join person p on p.id = t.reporter_id where p.phone is not null`) != 1 {
		t.Error("the caller was taken for one of two people")
	}
}

// TestCallersTicketElsewhere: a township's clerk takes down what lies in it.
func TestCallersTicketElsewhere(t *testing.T) {
	r := newRig(t)
	c := r.browser(r.hire("far", people.RoleClerk, people.AreaCounty, "360302"))
	if status, body := r.post(c, "/desk/new", caller(nil)); status != http.StatusUnprocessableEntity || r.number(`select count(*) from ticket`) != 0 {
		t.Errorf("%d %s", status, trouble(body))
	}
}

func TestPhoneCallbackTries(t *testing.T) {
	r := newRig(t)
	o := r.office()
	r.post(o.clerk, "/desk/new", caller(nil))
	id := r.number(`select id from ticket`)
	r.do(o.handler, id, "take", nil)
	r.do(o.handler, id, "contact", url.Values{"via": {"phone"}, "reached": {"yes"}})
	r.do(o.handler, id, "finish", url.Values{"result": {"unresolved"}, "reply": {"要等配件"}})
	page := taskURL(r.number(`select id from task where kind = 'phone'`))
	unreached := url.Values{"form": {"task"}, "reached": {"no"}}
	if status, body := r.post(o.caller, page, unreached); status != http.StatusOK || !strings.Contains(body, "已经问了 1 次") {
		t.Fatalf("first try: %d %s", status, trouble(body))
	}
	if status, body := r.post(o.caller, page, unreached); status != http.StatusConflict || trouble(body) == "" {
		t.Errorf("a try in the same half-day counts: %d", status)
	}
	for range 2 {
		r.desk(0, 0, func(ctx context.Context, t *gateway.Turn) error {
			next, err := r.orders.NextTry(t.Now)
			if err != nil {
				return err
			}
			return r.DB.SetProductTime(ctx, next)
		})
		if status, body := r.post(o.caller, page, unreached); status != http.StatusOK {
			t.Fatalf("next try: %d %s", status, trouble(body))
		}
	}
	if r.state(id) != string(ticket.Closed) || r.number(`select count(*) from callback where via = 'phone' and ended = 'unreached'`) != 3 {
		t.Errorf("after three tries the ticket is %s", r.state(id))
	}
}
