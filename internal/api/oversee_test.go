package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/internal/api"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// desks is a city whose desks all have a program.
type desks struct {
	*rig
	clerk, dispatcher, unit, other, supervisor, callback *program
}

func newDesks(t testing.TB, tune ...func(*api.Deps)) *desks {
	r := newRig(t, tune...)
	return &desks{
		r, r.program(people.RoleClerk, people.AreaCity, "3603"), r.program(people.RoleDispatcher, people.AreaCity, "3603"),
		r.program(people.RoleHandler, people.AreaUnit, "urban_management"), r.program(people.RoleHandler, people.AreaUnit, "housing"),
		r.program(people.RoleSupervisor, people.AreaCity, "3603"), r.program(people.RoleCallbackClerk, people.AreaCity, "3603"),
	}
}

// refused gives a command that a rule must refuse, and returns what it says is
// allowed.
func (p *program) refused(number, command, rule string, body any) []string {
	p.r.t.Helper()
	a := p.post(path(number, "/commands/"+command), body)
	a.problem(p.r.t, http.StatusConflict, "refused")
	if a.Body["rule"] != rule {
		p.r.t.Fatalf("%s is refused by %v, want %s: %s", command, a.Body["rule"], rule, a.Raw)
	}
	return texts(a.Body["allowed"])
}

// What desks ask for, help with and owe goes through the API as through chat and
// desk page: the same rows are left behind.
func TestEveryCommandOfAWorkOrder(t *testing.T) {
	d := newDesks(t)
	number := d.clerk.file(report) // lies on the desk of urban_management
	if allowed := d.unit.refused(number, "finish", "state", object{"result": "resolved", "reply": "路灯已修好"}); !slices.Contains(allowed, "take") || slices.Contains(allowed, "decide") {
		t.Errorf("instead the unit may %v", allowed)
	}
	d.dispatcher.refused(number, "answer", "state", object{"words": "可以"})

	// 退单: the words of the objection lie sealed with the desk, the decision with the ticket.
	d.unit.refused(number, "object", "reason", object{"reason": "lazy", "basis": "不归我们管"})
	got := d.unit.do(number, "object", object{"reason": "not_our_duty", "basis": "照明由住建部门管"})
	if got["state"] != "disputed" || got["request"] != "objection" {
		t.Fatalf("objected: %v", got)
	}
	if d.number(`select count(*) from assignment where basis is not null`) != 1 {
		t.Error("the basis is not kept")
	}
	if allowed := texts(d.dispatcher.get(path(number)).Body["allowed"]); !slices.Contains(allowed, "decide") {
		t.Fatalf("the dispatcher may %v", allowed)
	}
	d.unit.post(path(number, "/commands/decide"), object{"granted": true}).problem(t, http.StatusForbidden, "forbidden")
	got = d.dispatcher.do(number, "decide", object{"granted": false, "words": "照明归城管"})
	if got["state"] != "dispatched" || d.number(`select count(*) from trail where kind = 'ticket.objection_refused'`) != 1 {
		t.Fatalf("decided: %v", got)
	}
	if d.number(`select count(*) from task where kind = 'review' and state = 'open'`) != 0 {
		t.Error("the decision still lies before somebody")
	}
	d.dispatcher.refused(number, "decide", "state", object{"granted": true})

	// 协办, 延期, 挂起.
	d.dispatcher.do(number, "involve", object{"desks": []any{object{"kind": "unit", "code": "housing"}}})
	d.unit.do(number, "take", object{})
	d.dispatcher.refused(number, "decide", "nothing_asked", object{"granted": true})
	d.other.do(number, "co_sign", object{})
	d.other.refused(number, "co_reply", "no_reply", object{"words": "  "})
	d.other.do(number, "co_reply", object{"words": "楼道灯已查"})
	if d.number(`select count(*) from assignment where role = 'co' and reply is not null`) != 1 {
		t.Error("the reply of who helps is not kept")
	}
	deadline, err := time.Parse(time.RFC3339, d.unit.get(path(number)).Body["deadline"].(string))
	if err != nil {
		t.Fatal(err)
	}
	d.unit.refused(number, "ask_extension", "extend_span", object{"until": deadline.AddDate(1, 0, 0), "reason": "materials"})
	d.unit.do(number, "ask_extension", object{"until": deadline.Add(24 * time.Hour), "reason": "materials"})
	d.unit.refused(number, "ask_suspension", "asked", object{"until": deadline, "reason": "weather"})
	got = d.dispatcher.do(number, "decide", object{"granted": true, "words": "同意"})
	if got["deadline"] != deadline.Add(24*time.Hour).Format(time.RFC3339) {
		t.Errorf("extended: %v", got["deadline"])
	}
	d.unit.do(number, "ask_suspension", object{"until": deadline.Add(24 * time.Hour), "reason": "weather"})
	if got = d.dispatcher.do(number, "decide", object{"granted": true}); got["state"] != "suspended" {
		t.Fatalf("suspended: %v", got)
	}
	if got = d.dispatcher.do(number, "resume", object{}); got["state"] != "signed" {
		t.Fatalf("resumed: %v", got)
	}

	// 督办 of the desk that helps: it answers, signed, and nobody else can.
	d.supervisor.do(number, "supervise", object{"reason": "media", "desk": object{"kind": "unit", "code": "housing"}})
	d.unit.post(path(number, "/commands/answer_supervision"), object{"words": "已派人处理"}).problem(t, http.StatusForbidden, "forbidden")
	d.other.do(number, "answer_supervision", object{"words": "已派人处理"})
	if d.number(`select count(*) from supervision where words is not null and signed_by is not null`) != 1 ||
		d.number(`select count(*) from ticket_note n join ticket k on k.id = n.ticket_id where k.number = $1 and n.author in (select 'token:' || id from api_token where area = 'housing')`, number) != 0 {
		t.Error("the answer is not the signed answer of the supervision")
	}
	if got = d.supervisor.do(number, "escalate", object{"reason": "leader", "words": "请县里过问"}); got["level"] == nil {
		t.Fatalf("escalated: %v", got)
	}
	d.unit.do(number, "contact", object{"via": "phone", "reached": true})
	d.unit.do(number, "finish", object{"result": "resolved", "reply": "路灯已修好"})
	d.callback.do(number, "callback_result", object{"contacted": "yes", "solved": "no", "satisfied": "dissatisfied", "words": "还是不亮"})
	d.callback.do(number, "judge", object{"verdict": "explain", "words": "灯具已更换，夜间自动点亮"})

	// 剔除: decided by who neither dispatched nor handled it.
	d.unit.refused(number, "ask_exclusion", "reason", object{"reason": "lazy", "evidence": "x x"})
	d.unit.do(number, "ask_exclusion", object{"reason": "false_report", "evidence": "现场灯是亮的"})
	if allowed := texts(d.supervisor.get(path(number)).Body["allowed"]); !slices.Contains(allowed, "decide_exclusion") {
		t.Fatalf("the supervisor may %v", allowed)
	}
	d.supervisor.refused(number, "decide_exclusion", "no_basis", object{"granted": true})
	got = d.supervisor.do(number, "decide_exclusion", object{"granted": true, "words": "查明属实"})
	if got["exclusion"] != "granted" || d.number(`select count(*) from task where kind = 'exclusion' and state = 'open'`) != 0 {
		t.Fatalf("excluded: %v", got)
	}

	// 并单, 拆单.
	one, two := d.clerk.file(report), d.clerk.file(report)
	got = d.dispatcher.do(two, "merge", object{"master": one})
	if got["state"] != "merged" || got["master"] != one {
		t.Fatalf("merged: %v", got)
	}
	if allowed := d.dispatcher.refused(two, "merge", "state", object{"master": one}); !slices.Contains(allowed, "unmerge") {
		t.Errorf("a merged ticket allows %v", allowed)
	}
	d.dispatcher.post(path(one, "/commands/merge"), object{"master": "2000000000"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	if got = d.dispatcher.do(two, "unmerge", object{}); got["state"] != "dispatched" {
		t.Fatalf("unmerged: %v", got)
	}

	// 直接答复, 转介, 不予受理: before any desk has it.
	question := d.clerk.file(object{"words": "请问公租房什么时候可以申请", "claim": "consultation", "matter": "street_light"})
	d.exec(`update ticket set state = 'received' where number = $1`, question)
	if got = d.clerk.do(question, "answer", object{"words": "每年三月"}); got["state"] != "answered" || got["reply"] != "每年三月" {
		t.Fatalf("answered: %v", got)
	}
	d.clerk.refused(question, "refer", "state", object{"to": "110"})
	sale := d.clerk.file(object{"words": "希望在桥头加一盏灯"})
	d.exec(`update ticket set state = 'received' where number = $1`, sale)
	d.dispatcher.refused(sale, "answer", "no_question", object{"words": "好的"})
	a := d.dispatcher.post(path(sale, "/commands/refer"), object{"to": "911"})
	a.problem(t, http.StatusConflict, "refused")
	if got = d.dispatcher.do(sale, "refer", object{"to": "12315"}); got["state"] != "referred" || got["referred_to"] != "12315" {
		t.Fatalf("referred: %v", got)
	}
	if n := d.number(`select count(*) from trail where kind like 'ticket.%' and actor !~ '^(token:|system|due)'`); n != 0 {
		t.Errorf("%d steps do not name their token", n)
	}
	// Words that stay here are handed on, a note is not.
	d.unit.post(path(one, "/commands/take"), object{})
	d.unit.post(path(one, "/commands/contact"), object{"via": "relay"}).problem(t, http.StatusUnprocessableEntity, "invalid")
	d.unit.do(one, "contact", object{"via": "relay", "words": "请问是几号楼"})
	if n := d.number(`select count(*) from due where kind = 'notice' and data->>'key' = 'notice.relay'`); n != 1 {
		t.Errorf("%d words are handed on", n)
	}
}

// Whatever staff can do with a ticket, a program can.
func TestTheDescriptionHasEveryCommand(t *testing.T) {
	r := newRig(t)
	doc := (&program{r: r}).get("/openapi.json")
	paths := doc.Body["paths"].(object)
	staff := []ticket.Capacity{
		ticket.AsHandler, ticket.AsCoHandler, ticket.AsDispatcher, ticket.AsCompleter, ticket.AsSupervisor, ticket.AsSupervised, ticket.AsCallback, ticket.AsReviewer,
	}
	for _, row := range ticket.Transitions() {
		if row.Command == ticket.CmdFile || row.Command == ticket.CmdAsk { // POST /tickets; a conversation's own
			continue
		}
		byStaff := slices.ContainsFunc(row.By, func(c ticket.Capacity) bool { return slices.Contains(staff, c) })
		if offered := paths["/tickets/{number}/commands/"+string(row.Command)] != nil; offered != byStaff {
			t.Errorf("%s: staff give it is %v, a program may is %v", row.Command, byStaff, offered)
		}
	}
	for _, want := range []string{
		"/tickets", "/tickets/{number}", "/tickets/{number}/events", "/tickets/{number}/photos", "/tickets/{number}/photos/{photo}", "/events",
		"/whistles", "/whistles/{id}", "/topics", "/topics/{id}", "/figures", "/figures/stars", "/figures/worries", "/figures/whistles",
		"/units", "/matters", "/webhooks", "/webhooks/{id}", "/webhooks/{id}/dead", "/webhooks/{id}/dead/replay",
	} {
		if paths[want] == nil {
			t.Errorf("%s is not described", want)
		}
	}
	if doc.Status != http.StatusOK || doc.Body["openapi"] != "3.1.0" {
		t.Errorf("%d %.200s", doc.Status, doc.Raw)
	}
	if strings.Contains(doc.Raw, "$schema") || (&program{r: r}).get("/docs").Status != http.StatusNotFound {
		t.Error("there is a page of documentation")
	}
}
