package jobs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/actions"
	"shaoying/internal/clock"
	"shaoying/internal/figures"
	"shaoying/internal/gateway"
	"shaoying/internal/gateway/gatewaytest"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/pgtest"
	"shaoying/internal/privacy"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
	"shaoying/scheduler/jobs"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	web           = bots.ChannelID("web")
	work          = bots.ChannelID("work") // the staff's own network, for what goes by no other
	village, grid = "360313001001", "360313001001001"
	limit         = 30 * time.Second
)

// at reads a time of Pingxiang.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", s, zone(t))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func zone(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// rig is the whole product behind a network that takes everything, on a
// database of its own whose clock only the test moves.
type rig struct {
	*gateway.Gateway
	t       testing.TB
	set     *actions.Set
	sql     *pgxpool.Pool
	deps    jobs.Deps
	runner  *gateway.Runner
	planner *gateway.Planner
	keys    int
	seen    map[string]int64
	mu      sync.Mutex
	work    map[string]func(context.Context, *gateway.Turn) error
	net     *network
}

func newRig(t testing.TB, start string) *rig {
	t.Helper()
	ctx := t.Context()
	dsn := gatewaytest.DSN(t)
	r := &rig{t: t, seen: map[string]int64{}, work: map[string]func(context.Context, *gateway.Turn) error{}, net: &network{}}
	var err error
	if r.sql, err = pgxpool.New(ctx, dsn+" pool_max_conns=2"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sql.Close)
	d, err := postgres.Open(ctx, dsn, clock.New(), postgres.Options{MaxConns: 8, AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.SetProductTime(ctx, at(t, start)); err != nil {
		t.Fatal(err)
	}
	library := gatewaytest.Library(t, d)
	keys, err := privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r.layCity()
	set := newSet(t, keys, library)
	r.set = set
	quiet, err := scheduler.NewQuiet(must(t, "policies/hours.yaml", scheduler.ParseHours), zone(t))
	if err != nil {
		t.Fatal(err)
	}
	if set.Care, err = homecare.New(set.Orders, quiet); err != nil {
		t.Fatal(err)
	}
	channels := map[bots.ChannelID]bots.Adapter{web: r.net, work: r.net}
	r.deps = jobs.Deps{Log: slog.New(slog.DiscardHandler), Orders: set.Orders, Care: set.Care, Library: library, Quiet: quiet, Channels: channels, Kinds: map[bots.ChannelID]string{web: "webchat", work: "wecom"}, WarnDays: 45, Tally: set.Tally}
	if err := configs.Decode("privacy.yaml", config(t, "policies/privacy.yaml"), &r.deps.Privacy); err != nil {
		t.Fatal(err)
	}
	r.deps.Reports = must(t, "policies/reports.yaml", gateway.ParseReportPolicy)
	r.deps.Money = must(t, "policies/money.yaml", gateway.ParseMoneyPolicy)
	if r.deps.Photos, err = privacy.NewPhotoCleaner(r.deps.Privacy.Photo); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(failing{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	r.Gateway, err = gateway.New(gateway.Config{FloodPerMinute: 1000}, gateway.Deps{
		DB: d, Bus: postgres.NewBus(d, log), Clock: clock.New(), Keys: keys, Library: library, Words: set.Words, Safety: set.Safety,
		Quiet: quiet, Channels: channels, Actions: set.All(), Kinds: append(jobs.All(r.deps), r.doing()),
		Fresh: jobs.Fresh(r.deps), Carry: jobs.Carry(r.deps), Carries: jobs.Carries(r.deps), Undeliverable: jobs.Undelivered(r.deps), Overspent: jobs.Overspent(r.deps), Log: log,
		Reports: r.deps.Reports, Money: &gateway.Money{Policy: r.deps.Money, Zone: zone(t)},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.runner = gateway.NewRunner(r.Gateway)
	// The figures of the running day are counted eight times a day, and no test here
	// is about them.
	schedules := slices.DeleteFunc(must(t, "schedules.yaml", scheduler.ParseSchedules), func(s scheduler.Schedule) bool { return s.Name == "figures.tail" })
	if r.planner, err = gateway.NewPlanner(r.Gateway, schedules, set.Orders.Work.Calendar(), jobs.Slots(r.deps)); err != nil {
		t.Fatal(err)
	}
	r.drain()
	return r
}

// failing turns what is logged as an error into a failure of the test.
type failing struct{ t testing.TB }

func (f failing) Write(line []byte) (int, error) {
	f.t.Errorf("logged: %s", line)
	return len(line), nil
}

// network takes whatever is sent and hands out one file.
type network struct {
	file []byte
	err  error
}

func (*network) Caps() bots.Caps {
	return bots.Caps{MaxText: 2000, Choices: 8, ChoiceBytes: 128, PlaceIn: true, PhotoIn: true, VoiceIn: true}
}
func (*network) Run(ctx context.Context, _ bots.Sink) error { <-ctx.Done(); return nil }
func (n *network) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(n.file))), n.err
}

func (*network) Send(context.Context, bots.Address, bots.Message) (bots.Receipt, error) {
	return bots.Receipt{ID: "1"}, nil
}

func config(t testing.TB, name string) []byte {
	t.Helper()
	body, err := configs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func must[T any](t testing.TB, name string, parse func(string, []byte) (T, error)) T {
	t.Helper()
	v, err := parse(name, config(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newSet(t testing.TB, keys *privacy.Keys, library *gateway.Library) *actions.Set {
	t.Helper()
	cal, err := scheduler.NewCalendar(must(t, "calendars/cn.csv", scheduler.ParseCalendarCSV))
	if err != nil {
		t.Fatal(err)
	}
	work, err := scheduler.NewWorkTime(cal, must(t, "policies/hours.yaml", scheduler.ParseHours).Work.Spans, zone(t))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := ticket.NewRules(must(t, "policies/tickets.yaml", ticket.ParsePolicy), must(t, "policies/callbacks.yaml", ticket.ParseCallbackPolicy), work)
	if err != nil {
		t.Fatal(err)
	}
	whistles, err := ticket.NewWhistleRules(must(t, "policies/whistle.yaml", ticket.ParseWhistlePolicy), work)
	if err != nil {
		t.Fatal(err)
	}
	units := must(t, "units.yaml", ticket.ParseUnits)
	matters := must(t, "matters.yaml", func(name string, body []byte) (*ticket.Matters, error) { return ticket.ParseMatters(name, body, units) })
	places := people.NewGazetteer(nil, nil, nil)
	count := &tally.Tally{Policy: must(t, "policies/figures.yaml", figures.ParsePolicy), Work: work, Units: units, Matters: matters}
	return &actions.Set{
		Orders: &workorder.Service{Whistles: whistles, Topics: must(t, "policies/topics.yaml", ticket.ParseTopicPolicy), Rules: rules, Matters: matters, Rights: must(t, "policies/rights.yaml", people.ParseRights), Keys: keys, Work: work},
		Tally:  count,
		Units:  units, Places: func() *people.Gazetteer { return places }, Library: library,
		Words: must(t, "words.yaml", words.ParseLexicon), Safety: must(t, "safety.yaml", words.ParseSafety),
		Policy: must(t, "policies/intake.yaml", actions.ParsePolicy),
	}
}

// layCity hires a grid worker, a dispatcher, a supervisor and a callback clerk,
// each with a chat, and lets one resident in.
func (r *rig) layCity() {
	r.hire("wang", people.RoleGridWorker, people.AreaGrid, grid)
	r.hire("pai", people.RoleDispatcher, people.AreaCity, workorder.CityCode)
	r.hire("du", people.RoleSupervisor, people.AreaCounty, "360313")
	r.hire("hui", people.RoleCallbackClerk, people.AreaCity, workorder.CityCode)
	r.move("li", "resident")
}

// hire makes a member of the staff who has a chat.
func (r *rig) hire(slug string, role people.Role, kind people.AreaKind, area string) {
	r.move(slug, "staff")
	r.exec(`with s as (insert into staff (person_id, slug, name) select person_id, $1, $1 from address where user_id = $1 returning id)
		insert into staff_role (staff_id, role, area_kind, area) select id, $2, $3, $4 from s`, slug, string(role), string(kind), area)
}

// move lets a person in, with an address and a chat.
func (r *rig) move(user, kind string) {
	r.exec(`with p as (insert into person (kind) values ($2) returning id),
		a as (insert into address (channel, user_id, chat, person_id, trust) select 'web', $1, $1, id, case $2 when 'staff' then 'verified' else 'session' end from p returning id)
		insert into conversation (channel, chat, user_id, address_id) select 'web', $1, $1, id from a`, user, kind)
}

// doing is a due kind that does what a test wants as somebody's turn.
func (r *rig) doing() gateway.Kind {
	return gateway.Kind{
		Name: "test.do",
		Target: func(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
			return due.SubjectID("conversation")
		},
		Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			r.mu.Lock()
			f := r.work[due.Key]
			r.mu.Unlock()
			return gateway.Done, f(ctx, t)
		},
	}
}

// do runs f as a turn of a user's chat.
func (r *rig) do(user string, f func(context.Context, *gateway.Turn) error) {
	r.t.Helper()
	r.keys++
	key := strconv.Itoa(r.keys)
	r.mu.Lock()
	r.work[key] = f
	r.mu.Unlock()
	r.exec(`insert into due (kind, subject, key, due_at) select 'test.do', 'conversation:' || id, $2, product_now() from conversation where user_id = $1 and not in_group`, user, key)
	r.drain()
	if state := one[string](r, `select state from due where kind = 'test.do' and key = $1`, key); state != "done" {
		r.t.Fatalf("the turn of %s is %s: %s", user, state, one[string](r, `select reason from due where kind = 'test.do' and key = $1`, key))
	}
}

// files makes a ticket of a resident and returns its id.
func (r *rig) files(user string, c ticket.Content) (id int64) {
	r.t.Helper()
	c.Claim, c.Place = "help", ticket.PlaceRef{Division: village, Grid: grid, Label: "昌盛小区3栋"}
	if c.Matter == "" {
		c.Matter = r.gridMatter()
	}
	if c.Urgency == "" {
		c.Urgency = ticket.General
	}
	r.do(user, func(ctx context.Context, t *gateway.Turn) error {
		o, err := r.deps.Orders.File(ctx, t, workorder.Filing{
			Words: "楼道的灯不亮", Content: c, By: ticket.Actor{As: ticket.AsReporter, Person: t.Person},
		})
		if err == nil {
			id = o.ID
		}
		return err
	})
	return id
}

// gridMatter is a matter that the grid handles first and that is not sensitive.
func (r *rig) gridMatter() string {
	for _, m := range r.deps.Orders.Matters.All() {
		if m.GridFirst && !m.Sensitive && !m.Photo {
			return m.Code
		}
	}
	r.t.Fatal("no matter is for the grid")
	return ""
}

// handles finishes a ticket as the grid worker, who takes it first where nobody
// has signed.
func (r *rig) handles(id int64) {
	r.t.Helper()
	r.do("wang", func(ctx context.Context, t *gateway.Turn) error {
		by := ticket.Actor{As: ticket.AsHandler, Staff: t.Staff, Desk: ticket.Desk{Kind: ticket.DeskGrid, Code: grid}}
		commands := []ticket.Command{ticket.Finish{Result: ticket.UnitResolved, HasReply: true, Photos: 1}}
		if one[string](r, `select state from ticket where id = $1`, id) != "signed" {
			commands = append([]ticket.Command{ticket.Take{}}, commands...)
		}
		for _, c := range commands {
			if _, err := r.deps.Orders.Do(ctx, t, id, by, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// drain runs planner and due runner until nothing is left at this instant.
func (r *rig) drain() {
	r.t.Helper()
	for ran := -1; ran != 0; {
		if _, err := r.planner.Once(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		ran = 0
		for {
			n, err := r.runner.Once(r.t.Context())
			if err != nil {
				r.t.Fatal(err)
			}
			if n == 0 {
				break
			}
			ran += n
		}
	}
}

// until moves the clock to each instant at which something is due, and to the
// end.
func (r *rig) until(end string) {
	r.t.Helper()
	ctx := r.t.Context()
	last := at(r.t, end)
	for {
		next := last
		if due := one[time.Time](r, `select coalesce(min(due_at), $1::timestamptz) from due where state = 'planned'`, last); due.Before(next) {
			next = due
		}
		if slot, ok, err := r.planner.Next(ctx); err != nil {
			r.t.Fatal(err)
		} else if ok && slot.Before(next) {
			next = slot
		}
		if now := r.now(); next.After(now) {
			if err := r.DB.SetProductTime(ctx, next); err != nil {
				r.t.Fatal(err)
			}
		}
		r.drain()
		if !next.Before(last) {
			return
		}
	}
}

// away is until without the days between: nothing runs until the end, and what is
// too late by then is left out.
func (r *rig) away(end string) {
	r.t.Helper()
	if err := r.DB.SetProductTime(r.t.Context(), at(r.t, end)); err != nil {
		r.t.Fatal(err)
	}
	r.drain()
}

func (r *rig) now() time.Time {
	r.t.Helper()
	now, err := r.DB.ProductNow(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return now
}

// says sends a text of a user and returns what is answered.
func (r *rig) says(user, text string) []string {
	r.t.Helper()
	r.keys++
	ev := bots.Event{
		Key: fmt.Sprintf("%s-%d", user, r.keys), Channel: web, Chat: bots.ChatID(user), Kind: bots.KindText, Text: text,
		From: bots.Identity{User: bots.UserID(user), Trust: bots.TrustSession},
	}
	if err := r.Sink(r.t.Context(), []bots.Event{ev}); err != nil {
		r.t.Fatal(err)
	}
	if n := one[int64](r, `select count(*) from inbox where state <> 'done'`); n != 0 {
		r.t.Fatalf("%q could not be run: %s", text, one[string](r, `select error from inbox where state <> 'done' limit 1`))
	}
	return r.heard(user)
}

// heard renders what was queued for a user since the last call.
func (r *rig) heard(user string) []string {
	r.t.Helper()
	rows, err := r.sql.Query(r.t.Context(), `select id, source, text_key, text_version, lang, params from outbox where chat = $1 and id > $2 order by id`, user, r.seen[user])
	if err != nil {
		r.t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var id int64
		var version int
		var source, key, lang string
		var sealed []byte
		if err := rows.Scan(&id, &source, &key, &version, &lang, &sealed); err != nil {
			r.t.Fatal(err)
		}
		r.seen[user] = id
		all = append(all, r.render(source, key, version, lang, sealed))
	}
	return all
}

func (r *rig) render(source, key string, version int, lang string, sealed []byte) string {
	r.t.Helper()
	plain, err := r.Keys.Open(sealed, "outbox.params")
	if err != nil {
		r.t.Fatal(err)
	}
	var p struct {
		Params  map[string]string `json:"p"`
		Options []flows.Option    `json:"o"`
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		r.t.Fatal(err)
	}
	template, err := r.Library.Template(source, key, version, lang)
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := flows.Render(template, p.Params)
	if err != nil {
		r.t.Fatal(err)
	}
	return text
}

// holds wants one message for each piece, in order, and no other.
func (r *rig) holds(got []string, want ...string) {
	r.t.Helper()
	if len(got) != len(want) {
		r.t.Fatalf("%d messages %q, want %d like %q", len(got), got, len(want), want)
	}
	for i, w := range want {
		if !strings.Contains(got[i], w) {
			r.t.Errorf("message %d is %q, want it to hold %q", i, got[i], w)
		}
	}
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.sql.Exec(r.t.Context(), sql, args...); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
}

func one[T any](r *rig, sql string, args ...any) T {
	r.t.Helper()
	var v T
	if err := r.sql.QueryRow(r.t.Context(), sql, args...).Scan(&v); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return v
}
