package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

var listed = regexp.MustCompile(`(?s)<li( class="over")?><a href="/desk/(ticket|task|whistle)/(\d+)">.*?</li>`)

// lines are the rows of a list: "ticket 3", with "!" where one is overdue.
func (r *rig) lines(c *http.Client, path string) (rows []string, more string) {
	r.t.Helper()
	status, body := r.get(c, path)
	if status != http.StatusOK {
		r.t.Fatalf("%s: %d", path, status)
	}
	for _, m := range listed.FindAllStringSubmatch(body, -1) {
		row := m[2] + " " + m[3]
		if m[1] != "" {
			row += "!"
		}
		rows = append(rows, row)
	}
	if _, rest, ok := strings.Cut(body, `<a class="way" href="/desk?after=`); ok {
		more, _, _ = strings.Cut(rest, `"`)
		more = strings.ReplaceAll("/desk?after="+more, "&amp;", "&")
	}
	return rows, more
}

// TestOneListForEachRole: each role has its work, what is overdue first.
func TestOneListForEachRole(t *testing.T) {
	r := newRig(t)
	o := r.office()
	lamp := r.file(nil)
	unclear := r.file(func(c *ticket.Content) { c.Place = ticket.PlaceRef{Division: "360313001"}; c.Matter = "other" })
	late := r.file(func(c *ticket.Content) { c.Matter = "manhole"; c.Urgency = ticket.Urgent })
	r.exec(`update ticket set deadline = product_now() - interval '1 hour' where id = $1`, late.ID)
	task := r.number(`select id from task where kind = 'dispatch' and ticket_id = $1`, unclear.ID)
	lampRow, lateRow := fmt.Sprintf("ticket %d", lamp.ID), fmt.Sprintf("ticket %d!", late.ID)
	for name, x := range map[string]struct {
		who  *http.Client
		path string
		want string
	}{
		"dispatcher":                   {o.dispatcher, "/desk", fmt.Sprintf("task %d", task)},
		"dispatcher of another matter": {o.dispatcher, "/desk?tab=dispatcher&matter=manhole", ""},
		"all, overdue first":           {o.dispatcher, "/desk?tab=all", lateRow + "," + fmt.Sprintf("ticket %d", unclear.ID) + "," + lampRow},
		"all of a matter":              {o.dispatcher, "/desk?tab=all&matter=street_light", lampRow},
		"all of a state":               {o.dispatcher, "/desk?tab=all&state=received", fmt.Sprintf("ticket %d", unclear.ID)},
		"all of another township":      {o.dispatcher, "/desk?tab=all&area=360313002", ""},
		"all of another county":        {o.dispatcher, "/desk?tab=all&area=360302", ""},
		"all that is over":             {o.dispatcher, "/desk?tab=all&state=closed", ""},
		"supervisor":                   {o.supervisor, "/desk?tab=supervisor", lateRow + "," + lampRow},
		"handler of the unit":          {o.handler, "/desk", lateRow + "," + lampRow},
		"handler of another unit":      {o.helper, "/desk", ""},
		"callback clerk":               {o.caller, "/desk", ""},
		"by number":                    {o.handler, "/desk?q=" + string(lamp.Number), lampRow},
		"by a number not theirs":       {o.helper, "/desk?q=" + string(lamp.Number) + "&tab=grid", ""},
	} {
		rows, _ := r.lines(x.who, x.path)
		if got := strings.Join(rows, ","); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
	if _, body := r.get(o.dispatcher, ticketURL(lamp.ID)); strings.Contains(body, "<script>") || !strings.Contains(body, "&lt;script&gt;") {
		t.Error("words of a resident are markup")
	}
	if status, _ := r.get(o.dispatcher, "/desk?tab=all&area=x"); status != http.StatusUnprocessableEntity {
		t.Errorf("an area that is none: %d", status)
	}
	if status, _ := r.get(o.dispatcher, "/desk?after=x"); status != http.StatusUnprocessableEntity {
		t.Errorf("a page that is none: %d", status)
	}
}

// TestPagesOfAList reads a long list page by page: every row once, in order.
func TestPagesOfAList(t *testing.T) {
	r := newRig(t)
	c := r.browser(r.hire("city", people.RoleDispatcher, people.AreaCity, "3603"))
	one := r.file(nil)
	r.exec(`insert into ticket (number, state, claim, matter, urgency, division, grid, words, reporter_id, address_id, conversation_id, version, received_at, deadline)
		select 'n' || i, case i % 3 when 0 then 'signed' when 1 then 'dispatched' else 'redo' end, 'help', 'street_light', 'general',
			case i % 4 when 0 then '' when 1 then '3603' else division end, '', words, reporter_id, address_id, conversation_id, 2,
			received_at, received_at + make_interval(hours => (i * 7919) % 50) from ticket, generate_series(1, 120) i where id = $1`, one.ID)
	seen := map[string]int{}
	path, pages := "/desk?tab=all", 0
	var order []string
	for path != "" && pages < 10 {
		rows, more := r.lines(c, path)
		for _, row := range rows {
			seen[row]++
			order = append(order, strings.TrimSuffix(strings.TrimPrefix(row, "ticket "), "!"))
		}
		path, pages = more, pages+1
	}
	if len(seen) != 121 || pages != 3 {
		t.Errorf("%d of 121 tickets on %d pages", len(seen), pages)
	}
	for row, n := range seen {
		if n != 1 {
			t.Errorf("%s is listed %d times", row, n)
		}
	}
	want := r.text(`select string_agg(id::text, ',' order by coalesce(deadline, dispatch_due, received_at), id) from ticket`)
	if strings.Join(order, ",") != want {
		t.Error("the list is not by deadline")
	}
}

// TestTabsOfSeveralRoles: who holds two roles has two lists and no third.
func TestTabsOfSeveralRoles(t *testing.T) {
	r := newRig(t)
	id := r.hire("both", people.RoleHandler, people.AreaUnit, unit)
	r.exec(`insert into staff_role (staff_id, role, area_kind, area) values ($1, 'callback_clerk', 'county', '360313')`, id)
	_, body := r.get(r.browser(id), "/desk")
	for tab, there := range map[string]bool{"callback": true, "handler": true, "all": true, "dispatcher": false, "clerk": false, "grid": false} {
		if strings.Contains(body, `href="/desk?tab=`+tab+`"`) != there {
			t.Errorf("tab %s: want %v", tab, there)
		}
	}
}

// TestPrivateTicketsStayPrivate: a confidential ticket is in no list of those
// who are not named.
func TestPrivateTicketsStayPrivate(t *testing.T) {
	r := newRig(t)
	o := r.office()
	secret := r.file(func(c *ticket.Content) { c.Confidential = true })
	for name, c := range map[string]*http.Client{"handler of another unit": o.helper, "worker": o.worker, "supervisor": o.supervisor} {
		rows, _ := r.lines(c, "/desk")
		if len(rows) != 0 {
			t.Errorf("%s sees %v", name, rows)
		}
		if status, _ := r.get(c, ticketURL(secret.ID)); status != http.StatusNotFound {
			t.Errorf("%s opens it: %d", name, status)
		}
	}
}

// TestMarks: what presses stands in the line of a ticket, for who may know.
func TestMarks(t *testing.T) {
	r := newRig(t)
	o := r.office()
	k := r.file(func(c *ticket.Content) { c.Danger = "gas"; c.Urgency = ticket.Urgent; c.Matter = "manhole" })
	r.exec(`update assignment set desk_kind = 'unit', desk = $1, desk_staff = 0 where role = 'lead'`, unit)
	r.do(o.dispatcher, k.ID, "involve", url.Values{"co": {"unit|transport|0"}})
	r.do(o.supervisor, k.ID, "supervise", url.Values{"desk": {"unit|" + unit + "|0"}, "reason": {"safety"}})
	r.do(o.supervisor, k.ID, "escalate", url.Values{"reason": {"safety"}})
	r.exec(`update ticket set state = 'redo', redos = 1, deadline = product_now() - interval '1 hour' where id = $1`, k.ID)
	r.exec(`update assignment set due = product_now() - interval '1 hour'`)
	marks := regexp.MustCompile(`<i class="mark[ a-z]*">([^<]*)</i>`)
	for name, x := range map[string]struct {
		who  *http.Client
		path string
		want string
	}{
		"the desk":          {o.handler, "/desk", "危险 急事 重办 督办 提级"},
		"a desk that helps": {o.helper, "/desk", "协办 危险 急事 重办 督办 提级"},
		"the supervisor":    {o.supervisor, "/desk?tab=supervisor", "危险 急事 重办 督办 提级"},
		"all":               {o.dispatcher, "/desk?tab=all", "危险 急事 重办 督办 提级"},
	} {
		_, body := r.get(x.who, x.path)
		row := listed.FindString(body[max(strings.Index(body, `href="`+ticketURL(k.ID)), 40)-40:])
		var got []string
		for _, m := range marks.FindAllStringSubmatch(row, -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != x.want || !strings.Contains(row, "已超时") {
			t.Errorf("%s: %v, want %s", name, got, x.want)
		}
	}
}

// TestListIsOneByDeadline reads tasks, whistles and tickets of one role in the
// order of their deadlines, over several pages.
func TestListIsOneByDeadline(t *testing.T) {
	r := newRig(t)
	o := r.office()
	one := r.file(nil)
	r.exec(`insert into ticket (number, state, claim, matter, urgency, division, grid, words, reporter_id, address_id, conversation_id, version, received_at, deadline)
		select 'n' || i, 'signed', 'help', 'street_light', 'general', division, '', words, reporter_id, address_id, conversation_id, 2,
			received_at, received_at + make_interval(mins => i * 10) from ticket, generate_series(1, 90) i where id = $1`, one.ID)
	r.exec(`insert into task (kind, subject, ticket_id, role, area_kind, area, due_at)
		select 'exclusion', 'x' || id, id, 'supervisor', 'county', '360313', deadline + interval '5 minutes' from ticket where number like 'n%'`)
	r.exec(`insert into whistle (kind, source, state, division, grid, private, against, against_staff, version, level, proposed_by, proposed_at, changed_at, deadline)
		select 'major', 'grid', 'assigned', $1, '', false, '{}', '{}', 3, 3, 1, product_now(), product_now(), product_now() + make_interval(mins => i * 60 + 3)
		from generate_series(1, 12) i`, village)
	byline := regexp.MustCompile(`(?s)<li[^>]*><a href="/desk/(\w+)/\d+">.*?期限 ([^<]*)</small></li>`)
	path, pages, last := "/desk?tab=supervisor", 0, time.Time{}.AddDate(-2, 0, 0)
	kinds := map[string]int{}
	for path != "" && pages < 10 {
		_, body := r.get(o.supervisor, path)
		for _, m := range byline.FindAllStringSubmatch(body, -1) {
			kinds[m[1]]++
			at := ok[time.Time](t)(time.Parse("1月2日 15:04", m[2]))
			if at.Before(last) {
				t.Fatalf("%s comes after %s", m[2], last)
			}
			last = at
		}
		_, path = r.lines(o.supervisor, path)
		pages++
	}
	if kinds["ticket"] != 91 || kinds["task"] != 90 || kinds["whistle"] != 12 || pages != 4 {
		t.Errorf("%v on %d pages", kinds, pages)
	}
}
