package actions

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/flows"
	"shaoying/flows/words"
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
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// rig is the whole way of a message over a database of its own: gateway,
// dialogues as they are embedded, actions, and a small city.
type rig struct {
	*gateway.Gateway
	t    testing.TB
	sql  *pgxpool.Pool
	set  *Set
	keys int
	seen map[bots.UserID]int64
	ask  *gateway.Runner
}

const (
	web = bots.ChannelID("web")
	// The city of the tests: one village with a grid, two of one name.
	village, grid    = "360313001001", "360313001001001"
	bridge1, bridge2 = "360313103001", "360321102001"
)

// tuesday is a workday, as in the demo (2026-03-03, 09:00 in Pingxiang).
func tuesday() time.Time { return time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC) }

func newRig(t testing.TB) *rig {
	t.Helper()
	ctx := t.Context()
	dsn := gatewaytest.DSN(t)
	r := &rig{t: t, seen: map[bots.UserID]int64{}}
	var err error
	if r.sql, err = pgxpool.New(ctx, dsn+" pool_max_conns=2"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sql.Close)
	d, err := postgres.Open(ctx, dsn, clock.New(), postgres.Options{MaxConns: 6, AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.SetProductTime(ctx, tuesday()); err != nil {
		t.Fatal(err)
	}
	library := gatewaytest.Library(t, d)
	keys, err := privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	r.layCity()
	r.set = newSet(t, keys, library)
	acts := r.set.All()
	g, err := gateway.New(gateway.Config{FloodPerMinute: 1000, Silent: r.set.Orders.Rights.Trust.Silent}, gateway.Deps{
		DB: d, Bus: postgres.NewBus(d, slog.New(slog.DiscardHandler)), Clock: clock.New(), Keys: keys, Library: library,
		Words: r.set.Words, Safety: r.set.Safety, Worse: must(t, "worsening.yaml", words.ParseSafety), Channels: map[bots.ChannelID]bots.Adapter{web: network{}, sms: texter{}}, Actions: acts, Topics: r.set.Stopping.ByReason(),
		Kinds: append(r.asking(), r.askingVisits()...), Fresh: map[string]gateway.Fresh{}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Gateway, r.ask = g, gateway.NewRunner(g)
	return r
}

// network takes whatever is sent.
type network struct{}

func (network) Caps() bots.Caps {
	return bots.Caps{MaxText: 2000, Choices: 8, ChoiceBytes: 128, PlaceIn: true, PhotoIn: true, VoiceIn: true}
}
func (network) Run(ctx context.Context, _ bots.Sink) error { <-ctx.Done(); return nil }
func (network) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("")), nil
}

func (network) Send(context.Context, bots.Address, bots.Message) (bots.Receipt, error) {
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

// must parses an embedded file.
func must[T any](t testing.TB, name string, parse func(string, []byte) (T, error)) T {
	t.Helper()
	v, err := parse(name, config(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newSet(t testing.TB, keys *privacy.Keys, library *gateway.Library) *Set {
	t.Helper()
	cal, err := scheduler.NewCalendar(must(t, "calendars/cn.csv", scheduler.ParseCalendarCSV))
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	hours := must(t, "policies/hours.yaml", scheduler.ParseHours)
	work, err := scheduler.NewWorkTime(cal, hours.Work.Spans, zone)
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
	matters := must(t, "matters.yaml", func(name string, body []byte) (*ticket.Matters, error) {
		return ticket.ParseMatters(name, body, units)
	})
	places := gazetteer()
	set := &Set{
		Orders: &workorder.Service{Whistles: whistles, Topics: must(t, "policies/topics.yaml", ticket.ParseTopicPolicy), Rules: rules, Matters: matters, Rights: must(t, "policies/rights.yaml", people.ParseRights), Keys: keys, Work: work},
		Tally:  &tally.Tally{Policy: must(t, "policies/figures.yaml", figures.ParsePolicy), Work: work, Units: units, Matters: matters},
		Units:  units, Places: func() *people.Gazetteer { return places }, Library: library,
		Words: must(t, "words.yaml", words.ParseLexicon), Safety: must(t, "safety.yaml", words.ParseSafety),
		Policy: must(t, "policies/intake.yaml", ParsePolicy), Stopping: must(t, "policies/stopping.yaml", ParseStopping),
	}
	quiet, err := scheduler.NewQuiet(hours, zone)
	if err != nil {
		t.Fatal(err)
	}
	if set.Care, err = homecare.New(set.Orders, quiet); err != nil {
		t.Fatal(err)
	}
	return set
}

func divisions() []people.Division {
	return []people.Division{
		{Code: "3603", Level: people.LevelCity, Name: "萍乡市"},
		{Code: "360313", Level: people.LevelCounty, Name: "湘东区", Parent: "3603"},
		{Code: "360321", Level: people.LevelCounty, Name: "莲花县", Parent: "3603"},
		{Code: "360313001", Level: people.LevelTownship, Name: "峡山口街道", Parent: "360313"},
		{Code: "360313103", Level: people.LevelTownship, Name: "东桥镇", Parent: "360313"},
		{Code: "360321102", Level: people.LevelTownship, Name: "坊楼镇", Parent: "360321"},
		{Code: village, Level: people.LevelVillage, Name: "昌盛社区居委会", Parent: "360313001"},
		{Code: bridge1, Level: people.LevelVillage, Name: "桥头村委会", Parent: "360313103"},
		{Code: bridge2, Level: people.LevelVillage, Name: "桥头村委会", Parent: "360321102"},
	}
}

func gazetteer() *people.Gazetteer {
	at := &people.LatLon{Lat: 27.64, Lon: 113.73}
	return people.NewGazetteer(divisions(), []people.Grid{{Code: grid, Village: village, Name: "昌盛小区网格"}}, []people.Place{
		{ID: 1, Kind: people.PlaceEstate, Name: "昌盛小区", Village: village, Grid: grid, At: at},
		{ID: 2, Kind: people.PlaceBuilding, Name: "昌盛小区3栋", Village: village, Grid: grid},
	})
}

// layCity writes the city with one grid worker and one handler.
func (r *rig) layCity() {
	for _, d := range divisions() {
		r.exec(`insert into division (code, level, name, parent) values ($1, $2, $3, nullif($4, ''))`, string(d.Code), string(d.Level), d.Name, string(d.Parent))
	}
	r.exec(`insert into grid (id, village, name) values ($1, $2, '昌盛小区网格')`, grid, village)
	r.hire("wang", people.RoleGridWorker, people.AreaGrid, grid)
}

func (r *rig) hire(slug string, role people.Role, kind people.AreaKind, area string) {
	r.exec(`with p as (insert into person (kind) values ('staff') returning id),
		s as (insert into staff (person_id, slug, name) select id, $1, $1 from p returning id)
		insert into staff_role (staff_id, role, area_kind, area) select id, $2, $3, $4 from s`, slug, string(role), string(kind), area)
}

// asking is a due kind that starts a pushed dialogue about a ticket.
func (r *rig) asking() []gateway.Kind {
	return []gateway.Kind{{
		Name: "test.ask", Opens: true,
		Target: func(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
			id, err := due.SubjectID("ticket")
			if err != nil {
				return 0, err
			}
			o, err := d.GetTicket(ctx, id)
			return o.ConversationID, err
		},
		Run: func(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
			return gateway.Done, t.Ask(ctx, due, gateway.Ask{
				Flow: due.Key, Subject: due.Subject, Reason: "test.ask", Until: t.Now.Add(24 * time.Hour),
				Vars: map[string]any{
					"ticket": map[string]any{"number": "1", "matter": "井盖"},
					"visit":  map[string]any{"id": "7", "when": "明天上午9点", "who": "王护士"},
				},
			})
		},
	}}
}

// push starts a pushed dialogue about the last ticket.
func (r *rig) push(flow string) {
	r.t.Helper()
	r.exec(`insert into due (kind, subject, key, due_at) values ('test.ask', 'ticket:' || (select max(id) from ticket), $1, product_now())`, flow)
	if n, err := r.ask.Once(r.t.Context()); err != nil || n == 0 {
		r.t.Fatalf("the push did not run: %d, %v", n, err)
	}
}

func (r *rig) event(user bots.UserID, kind bots.Kind, text string) bots.Event {
	r.keys++
	return bots.Event{
		Key: fmt.Sprintf("%s-%d", user, r.keys), Channel: web, Chat: bots.ChatID(user), Kind: kind, Text: text,
		From: bots.Identity{User: user, Trust: bots.TrustSession},
	}
}

// says sends a text and returns what is answered.
func (r *rig) says(user bots.UserID, text string) []string {
	r.t.Helper()
	return r.send(r.event(user, bots.KindText, text))
}

func (r *rig) send(ev bots.Event) []string {
	r.t.Helper()
	if err := r.Sink(r.t.Context(), []bots.Event{ev}); err != nil {
		r.t.Fatal(err)
	}
	if n := one[int64](r, `select count(*) from inbox where state <> 'done'`); n != 0 {
		r.t.Fatalf("%q could not be run: %s", ev.Text, one[string](r, `select error from inbox where state <> 'done' limit 1`))
	}
	return r.heard(ev.From.User)
}

// heard renders what was said to a user since the last call.
func (r *rig) heard(user bots.UserID) []string {
	r.t.Helper()
	rows, err := r.sql.Query(r.t.Context(), `select id, source, text_key, text_version, lang, params from outbox where chat = $1 and id > $2 order by id`, string(user), r.seen[user])
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
	for _, o := range p.Options {
		text += " [" + o.Label + "]"
	}
	return text
}

// expect says something and wants these pieces in the answers, in order.
func (r *rig) expect(user bots.UserID, said string, want ...string) []string {
	r.t.Helper()
	got := r.says(user, said)
	r.holds(got, want...)
	return got
}

func (r *rig) holds(got []string, want ...string) {
	r.t.Helper()
	all := strings.Join(got, "\n")
	rest := all
	for _, w := range want {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			r.t.Fatalf("%q is missing in:\n%s", w, all)
		}
		rest = after
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

func (r *rig) tickets() int64 { r.t.Helper(); return one[int64](r, `select count(*) from ticket`) }

func (r *rig) advance(d time.Duration) {
	r.t.Helper()
	now, err := r.DB.ProductNow(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.DB.SetProductTime(r.t.Context(), now.Add(d)); err != nil {
		r.t.Fatal(err)
	}
}

// number is the number of the last ticket, as it is told.
func (r *rig) number() string {
	r.t.Helper()
	return ticket.Number(one[string](r, `select number from ticket order by id desc limit 1`)).Spoken()
}

// open reads one JSON column.
func (r *rig) open(sql string, v any) {
	r.t.Helper()
	if err := json.Unmarshal(one[[]byte](r, sql), v); err != nil {
		r.t.Fatal(err)
	}
}
