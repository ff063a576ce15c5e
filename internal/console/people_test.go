package console_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// resident makes a resident with a number, an address and a ticket.
func (r *rig) resident(phone, name, user string) int64 {
	r.t.Helper()
	id := r.number(`insert into person (name, phone, phone_index) values ($1, $2, $3) returning id`,
		r.Keys.Seal([]byte(name), workorder.SealName), r.Keys.Seal([]byte(phone), workorder.SealPhone), r.Keys.Index(gateway.IndexPhone, phone))
	r.exec(`insert into address (channel, user_id, chat, person_id, trust, last_inbound_at) values ('oa', $1, $1, $2, 'stable', product_now())`, user, id)
	return id
}

// A callback clerk looks two numbers up, sees both masked, makes them one and parts
// them again; each step leaves its trace and its reason.
func TestPersonsAreMergedAndParted(t *testing.T) {
	r := newRig(t)
	li, zhao := r.resident("+8613800000001", "李小明", "u1"), r.resident("+8613800000002", "赵大伯", "u2")
	c := r.browser(r.hire("caller", people.RoleCallbackClerk, people.AreaCity, "3603"))
	if status, body := r.get(c, "/desk"); status != 200 || !strings.Contains(body, "/desk/people") {
		t.Fatalf("the desk: %d, without the way to it", status)
	}
	if status, _ := r.post(c, "/desk/people", url.Values{"one": {"13800000001"}}); status != 422 {
		t.Errorf("a look without a reason: %d", status)
	}
	_, body := r.post(c, "/desk/people", url.Values{"one": {"13800000001"}, "other": {"138 0000 0002"}, "reason": {"本人来电"}})
	for _, want := range []string{"李**", "赵**", "138****0001", "138****0002", "固定账号"} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not shown", want)
		}
	}
	for _, secret := range []string{"13800000001", "李小明", "u1<"} {
		if strings.Contains(strings.ReplaceAll(body, `value="13800000001"`, ""), secret) {
			t.Errorf("%s is shown", secret)
		}
	}
	merge := url.Values{"one": {fmt.Sprint(li)}, "other": {fmt.Sprint(zhao)}, "once": {"a"}}
	if status, _ := r.post(c, "/desk/people/merge", merge); status != 422 {
		t.Errorf("a merge without a reason: %d", status)
	}
	merge.Set("reason", "两个号都是他的")
	for range 2 { // sent twice it counts once
		if status, body := r.post(c, "/desk/people/merge", merge); status != 200 || !strings.Contains(body, "两个号都是他的") || !strings.Contains(body, "赵**") {
			t.Fatalf("merge: %d %s", status, body)
		}
	}
	if n := r.number(`select count(*) from person where merged_into = $1`, li); n != 1 {
		t.Fatalf("%d persons are merged", n)
	}
	again := url.Values{"one": {fmt.Sprint(zhao)}, "other": {fmt.Sprint(li)}, "once": {"b"}, "reason": {"再来"}}
	if status, body := r.post(c, "/desk/people/merge", again); status != 422 || !strings.Contains(body, "已经是同一个人") {
		t.Errorf("merging one person: %d", status)
	}
	part := fmt.Sprintf("/desk/person/%d/part", zhao)
	if status, _ := r.post(c, part, url.Values{"once": {"c"}, "reason": {"合错了"}}); status != 200 {
		t.Fatalf("part: %d", status)
	}
	if n := r.number(`select count(*) from person where merged_into is not null`); n != 0 {
		t.Error("they are still one")
	}
	if status, body := r.post(c, part, url.Values{"once": {"d"}, "reason": {"合错了"}}); status != 422 || !strings.Contains(body, "不用分") {
		t.Errorf("parting who is alone: %d", status)
	}
	if n := r.number(`select count(*) from trail where kind in ('person.merged', 'person.unmerged')`); n != 2 {
		t.Errorf("%d changes in the trail", n)
	}
	if n := r.number(`select count(distinct subject) from trail where kind = 'look.person'`); n != 2 {
		t.Errorf("%d persons were looked at", n)
	}
}

func TestWhoMayMerge(t *testing.T) {
	r := newRig(t)
	li := r.resident("+8613800000001", "李小明", "u1")
	for _, role := range []people.Role{people.RoleGridWorker, people.RoleSupervisor, people.RoleAdmin} {
		kind, area := people.AreaCity, "3603"
		if role == people.RoleGridWorker {
			kind, area = people.AreaGrid, grid
		}
		c := r.browser(r.hire(string(role), role, kind, area))
		for _, path := range []string{"/desk/people", fmt.Sprintf("/desk/person/%d", li)} {
			if status, body := r.get(c, path); status != 404 || strings.Contains(body, "李") {
				t.Errorf("%s at %s: %d", role, path, status)
			}
		}
		for _, path := range []string{"/desk/people", "/desk/people/merge", fmt.Sprintf("/desk/person/%d/part", li)} {
			if status, _ := r.post(c, path, url.Values{"one": {"13800000001"}, "other": {"1"}, "reason": {"x"}, "once": {path}}); status != 404 {
				t.Errorf("%s posts %s: %d", role, path, status)
			}
		}
	}
	if n := r.number(`select count(*) from trail where kind like 'look.%'`); n != 0 {
		t.Errorf("%d were looked at", n)
	}
}

// Who reported anonymously is found by no number of a ticket.
func TestAnAnonymousReporterIsNotFound(t *testing.T) {
	r := newRig(t)
	o, _ := r.recording()
	r.exec(`update ticket set reporter_id = $1, division = $2, grid = $3, anonymous = true, state = 'handled' where id = $4`,
		r.resident("+8613800000001", "李小明", "u1"), village, grid, o.ID)
	c := r.browser(r.hire("caller", people.RoleCallbackClerk, people.AreaCity, "3603"))
	_, body := r.post(c, "/desk/people", url.Values{"one": {string(o.Number)}, "reason": {"查"}})
	if strings.Contains(body, "李") || !strings.Contains(body, "没有找到") {
		t.Errorf("the page shows %s", body)
	}
	r.exec(`update ticket set anonymous = false where id = $1`, o.ID)
	_, body = r.post(c, "/desk/people", url.Values{"one": {string(o.Number)}, "reason": {"查"}})
	if !strings.Contains(body, "李**") {
		t.Errorf("of an open one nobody is found: %s", body)
	}
}
