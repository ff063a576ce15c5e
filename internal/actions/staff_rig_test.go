package actions

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
	"shaoying/scheduler/jobs"
)

// office is the rig with the staff at their chats, and a runner that lays
// cards and calls single actions.
type office struct {
	*rig
	runner *gateway.Runner
	acts   map[string]gateway.Action
	// got is what the last call of an action returned.
	got result
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{rig: newRig(t)}
	o.acts = o.set.All()
	quiet, err := scheduler.NewQuiet(must(t, "policies/hours.yaml", scheduler.ParseHours), o.set.Orders.Work.Location())
	if err != nil {
		t.Fatal(err)
	}
	due := jobs.Deps{Orders: o.set.Orders, Library: o.set.Library, Quiet: quiet}
	deps := o.Deps
	deps.Kinds = []gateway.Kind{jobs.Card(due), jobs.CardEdit(due), jobs.Members(due), jobs.Line(due), jobs.Tell(due), jobs.Supervised(due), o.callKind()}
	deps.Kinds = append(deps.Kinds, jobs.WhistleCall(due), jobs.WhistleCard(due), jobs.WhistleLate(due), jobs.WhistleNudge(due), jobs.WhistleTell(due))
	g, err := gateway.New(gateway.Config{FloodPerMinute: 1000}, deps)
	if err != nil {
		t.Fatal(err)
	}
	o.runner = gateway.NewRunner(g)
	for _, u := range o.set.Units.All() {
		o.exec(`insert into unit (code, name, kind) values ($1, $2, $3)`, u.Code, u.Name, string(u.Kind))
	}
	o.exec(`insert into place (kind, name, village, grid) values ('estate', '昌盛小区', $1, $2)`, village, grid)
	o.exec(`insert into grid (id, village, name) values ($1, $2, '昌盛二网格')`, grid2, village)
	o.hire("li", people.RoleGridWorker, people.AreaGrid, grid2)
	o.hire("qiu", people.RoleHandler, people.AreaUnit, "urban_management")
	o.hire("hou", people.RoleHandler, people.AreaUnit, "housing")
	o.hire("pai", people.RoleDispatcher, people.AreaCounty, "360313")
	o.hire("cai", people.RoleDispatcher, people.AreaCity, workorder.CityCode)
	o.hire("wen", people.RoleClerk, people.AreaCity, workorder.CityCode)
	o.hire("hui", people.RoleCallbackClerk, people.AreaCounty, "360313")
	o.hire("hua", people.RoleCallbackClerk, people.AreaCity, workorder.CityCode)
	o.hire("ling", people.RoleLeader, people.AreaCity, workorder.CityCode)
	o.hire("far", people.RoleGridLeader, people.AreaVillage, bridge2)
	for _, slug := range []string{"wang", "li", "qiu", "hou", "pai", "cai", "wen", "hui", "hua", "ling", "far"} {
		o.seat(slug, "verified")
	}
	return o
}

// grid2 lies beside grid.
const grid2 = "360313001001002"

// seat gives a member of the staff a chat.
func (o *office) seat(slug, trust string) {
	o.exec(`with a as (insert into address (channel, user_id, chat, person_id, trust)
			select 'web', $1, $1, person_id, $2 from staff where slug = $1 returning id)
		insert into conversation (channel, chat, user_id, address_id) select 'web', $1, $1, id from a`, slug, trust)
}

// callKind calls one action in the conversation of a user.
func (o *office) callKind() gateway.Kind {
	return gateway.Kind{
		Name: "test.call",
		Target: func(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
			return strconv.ParseInt(strings.TrimPrefix(due.Subject, "conversation:"), 10, 64)
		},
		Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			var args map[string]any
			if err := json.Unmarshal(due.Data, &args); err != nil {
				return gateway.Outcome{}, err
			}
			name, _, _ := strings.Cut(due.Key, "#")
			got, err := o.acts[name](ctx, t, args)
			o.got = got
			return gateway.Done, err
		},
	}
}

// cards lays whatever cards are due and returns what a user then sees.
func (o *office) laid(user bots.UserID) []string {
	o.t.Helper()
	for {
		n, err := o.runner.Once(o.t.Context())
		if err != nil {
			o.t.Fatal(err)
		}
		if n == 0 {
			return o.heard(user)
		}
	}
}

// call runs one action as a user would by a dialogue.
func (o *office) call(user bots.UserID, name string, args map[string]any) result {
	o.t.Helper()
	o.keys++
	o.got = nil
	body, err := json.Marshal(args)
	if err != nil {
		o.t.Fatal(err)
	}
	o.exec(`insert into due (kind, subject, key, data, due_at)
		select 'test.call', 'conversation:' || id, $2, $3, product_now() from conversation where user_id = $1`,
		string(user), fmt.Sprintf("%s#%d", name, o.keys), body)
	o.laid(user)
	if state := one[string](o.rig, `select state || ' ' || reason from due where kind = 'test.call' order by id desc limit 1`); state != "done " {
		o.t.Fatalf("%s as %s: %s", name, user, state)
	}
	return o.got
}

// grants lets a dispatcher or supervisor decide on what a desk asks for.
func (o *office) grants(user bots.UserID, verdict string) {
	o.t.Helper()
	o.expect(user, "审核 "+o.task("review"), "怎么定？")
	o.expect(user, verdict, "写句话")
	o.expect(user, "跳过", "承办那边告诉了")
}

// task is the number of the open task of a kind.
func (o *office) task(kind string) string {
	o.t.Helper()
	return strconv.FormatInt(one[int64](o.rig, `select coalesce(max(id), 0) from task where kind = $1 and state = 'open'`, kind), 10)
}

// photo is an event with a picture.
func (o *office) photo(user bots.UserID, caption string) bots.Event {
	ev := o.event(user, bots.KindPhoto, caption)
	ev.Files = []bots.File{{MIME: "image/jpeg", Data: []byte("picture")}}
	return ev
}

// state is where the last ticket stands.
func (o *office) state() string {
	o.t.Helper()
	return one[string](o.rig, `select state from ticket order by id desc limit 1`)
}

func (o *office) is(state string) {
	o.t.Helper()
	if got := o.state(); got != state {
		o.t.Fatalf("the ticket is %s, not %s", got, state)
	}
}

// voiceOf adds a recording to an event.
func voiceOf(ev bots.Event) bots.Event {
	ev.Files = []bots.File{{MIME: "audio/webm", Data: []byte("sound")}}
	return ev
}
