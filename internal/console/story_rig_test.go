package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

const unit = "urban_management"

// file makes a ticket of a resident of the web page.
func (r *rig) file(change func(*ticket.Content)) *workorder.Order {
	r.t.Helper()
	person := r.number(`insert into person (kind) values ('resident') returning id`)
	user := fmt.Sprintf("u%d", person)
	address := r.number(`insert into address (channel, user_id, chat, person_id, trust) values ('web', $1, $1, $2, 'session') returning id`, user, person)
	conv := r.number(`insert into conversation (channel, chat, user_id, address_id) values ('web', $1, $1, $2) returning id`, user, address)
	content := ticket.Content{
		Claim: "help", Matter: "street_light", Urgency: ticket.General, Place: ticket.PlaceRef{Division: village, Grid: grid, Label: "昌盛小区"},
	}
	if change != nil {
		change(&content)
	}
	var o *workorder.Order
	r.desk(0, person, func(ctx context.Context, t *gateway.Turn) (err error) {
		t.Address, t.Conversation, t.Trust = address, conv, bots.TrustSession
		o, err = r.orders.File(ctx, t, workorder.Filing{
			Words: "楼下路灯坏了 <script>alert(1)</script>", Content: content, By: ticket.Actor{As: ticket.AsReporter, Person: person},
		})
		return err
	})
	return o
}

// office is one browser for each role of a story.
type office struct {
	clerk, dispatcher, caller, supervisor, handler, helper, worker *http.Client
}

func (r *rig) office() office {
	r.t.Helper()
	hire := func(slug string, role people.Role, kind people.AreaKind, area string) *http.Client {
		return r.browser(r.hire(slug, role, kind, area))
	}
	return office{
		clerk:      hire("clerk", people.RoleClerk, people.AreaCounty, "360313"),
		dispatcher: hire("dispatcher", people.RoleDispatcher, people.AreaCounty, "360313"),
		caller:     hire("caller", people.RoleCallbackClerk, people.AreaCounty, "360313"),
		supervisor: hire("supervisor", people.RoleSupervisor, people.AreaCounty, "360313"),
		handler:    hire("handler", people.RoleHandler, people.AreaUnit, unit),
		helper:     hire("helper", people.RoleHandler, people.AreaUnit, "transport"),
		worker:     hire("worker", people.RoleGridWorker, people.AreaGrid, grid),
	}
}

// do sends a form of a ticket's page and fails unless it is taken.
func (r *rig) do(c *http.Client, id int64, deed string, form url.Values) string {
	r.t.Helper()
	status, body := r.try(c, id, deed, form)
	if status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", deed, status, trouble(body))
	}
	return body
}

func (r *rig) try(c *http.Client, id int64, deed string, form url.Values) (int, string) {
	r.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("form", deed)
	return r.post(c, fmt.Sprintf("/desk/ticket/%d/do/%s", id, deed), form)
}

var (
	inTrouble = regexp.MustCompile(`id="trouble">([^<]*)<`)
	offered   = regexp.MustCompile(`/do/(\w+)"`)
	numbered  = regexp.MustCompile(`class="spoken">([\d ]+)<`)
)

// trouble is why a form was not taken.
func trouble(body string) string {
	if m := inTrouble.FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

// offers are the forms of a ticket's page.
func (r *rig) offers(c *http.Client, id int64) string {
	r.t.Helper()
	status, body := r.get(c, fmt.Sprintf("/desk/ticket/%d", id))
	if status != http.StatusOK {
		return strconv.Itoa(status)
	}
	var names []string
	for _, m := range offered.FindAllStringSubmatch(body, -1) {
		names = append(names, m[1])
	}
	return strings.Join(names, " ")
}

func (r *rig) state(id int64) (s string) {
	r.t.Helper()
	if err := r.sql.QueryRow(r.t.Context(), `select state from ticket where id = $1`, id).Scan(&s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func ticketURL(id int64) string { return fmt.Sprintf("/desk/ticket/%d", id) }
func taskURL(id int64) string   { return fmt.Sprintf("/desk/task/%d", id) }
