package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/flows/words"
	"shaoying/internal/actions"
	"shaoying/internal/api"
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
	"shaoying/internal/webhook"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
	"shaoying/scheduler/jobs"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

const (
	village, grid = "360313001001", "360313001001001"
	county        = "360313"
)

// rig is the API over a database of its own.
type rig struct {
	*gateway.Gateway
	t      testing.TB
	sql    *pgxpool.Pool
	orders *workorder.Service
	hooks  *webhook.Hooks
	sender *webhook.Sender
	runner *gateway.Runner
	server *httptest.Server
	log    *buffer
	keys   int
}

// buffer is what was logged.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func ok[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func must[T any](t testing.TB, name string, parse func(string, []byte) (T, error)) T {
	t.Helper()
	return ok[T](t)(parse(name, ok[[]byte](t)(configs.Read(name))))
}

func newRig(t testing.TB, tune ...func(*api.Deps)) *rig {
	t.Helper()
	return newRigPosting(t, must(t, "policies/webhook.yaml", webhook.ParsePolicy), tune...)
}

func newRigPosting(t testing.TB, posts webhook.Policy, tune ...func(*api.Deps)) *rig {
	t.Helper()
	ctx, dsn := t.Context(), gatewaytest.DSN(t)
	r := &rig{t: t, sql: ok[*pgxpool.Pool](t)(pgxpool.New(ctx, dsn+" pool_max_conns=2")), log: &buffer{}}
	t.Cleanup(r.sql.Close)
	d := ok[*postgres.DB](t)(postgres.Open(ctx, dsn, clock.New(), postgres.Options{MaxConns: 8, AllowUnsafe: true}))
	t.Cleanup(d.Close)
	if err := d.SetProductTime(ctx, time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	keys := ok[*privacy.Keys](t)(privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef")))
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	library := gatewaytest.Library(t, d)
	units := must(t, "units.yaml", ticket.ParseUnits)
	r.orders = service(t, keys, units)
	r.exec(`insert into division (code, level, name) values ('3603', 'city', '萍乡市'), ($2, 'county', '湘东区'), ('360313001', 'township', '峡山口街道'), ($1, 'village', '砚田居委会')`, village, county)
	r.exec(`insert into division (code, level, name) values ('360302', 'county', '安源区'), ('360302001', 'township', '凤凰街道'), ('360302001001', 'village', '凤凰居委会')`)
	r.exec(`insert into grid (id, village, name) values ($1, $2, '第一网格')`, grid, village)
	for _, u := range units.All() {
		r.exec(`insert into unit (code, name, kind) values ($1, $2, $3)`, u.Code, u.Name, u.Kind)
	}
	places := people.NewGazetteer(
		[]people.Division{{Code: village, Level: people.LevelVillage, Name: "砚田居委会", Parent: "360313001"}},
		[]people.Grid{{Code: grid, Village: village}},
		[]people.Place{{ID: 7, Kind: people.PlaceEstate, Name: "昌盛小区", Village: village, Grid: grid}})
	set := &actions.Set{
		Orders: r.orders, Units: units, Places: func() *people.Gazetteer { return places }, Library: library,
		Words: must(t, "words.yaml", words.ParseLexicon), Safety: must(t, "safety.yaml", words.ParseSafety),
		Policy: must(t, "policies/intake.yaml", actions.ParsePolicy),
	}
	bus := postgres.NewBus(d, log)
	r.sender = ok[*webhook.Sender](t)(webhook.NewSender(webhook.Config{Policy: posts, AllowLoopback: true}, clock.New()))
	r.hooks = ok[*webhook.Hooks](t)(webhook.Load(ctx, d, bus, log))
	r.orders.Announce = r.hooks.Announce
	due := jobs.Deps{Orders: r.orders, Hooks: r.sender}
	r.Gateway = ok[*gateway.Gateway](t)(gateway.New(gateway.Config{}, gateway.Deps{
		DB: d, Bus: bus, Clock: clock.New(), Keys: keys, Library: library, Words: set.Words, Safety: set.Safety,
		Channels: map[bots.ChannelID]bots.Adapter{}, Actions: map[string]gateway.Action{},
		Kinds: []gateway.Kind{jobs.Webhook(due), jobs.Notice(due)}, Log: log,
	}))
	r.runner = gateway.NewRunner(r.Gateway)
	deps := api.Deps{
		Gateway: r.Gateway, Orders: r.orders, Care: careOf(t, r.orders), Units: units, Safety: set.Safety, Places: set.Places, Filing: set.Filing,
		Hooks: r.sender, Policy: must(t, "policies/api.yaml", api.ParsePolicy),
		Photos: ok[*privacy.PhotoCleaner](t)(privacy.NewPhotoCleaner(must(t, "policies/privacy.yaml", parsePrivacy).Photo)),
		Tally:  &tally.Tally{Policy: must(t, "policies/figures.yaml", figures.ParsePolicy), Work: r.orders.Work, Units: units, Matters: r.orders.Matters},
	}
	deps.Policy.Requests.PerSecond, deps.Policy.Requests.Burst = 1e6, 1e6
	for _, f := range tune {
		f(&deps)
	}
	a := ok[*api.API](t)(api.New(deps))
	mux := http.NewServeMux()
	a.Routes(mux)
	r.server = httptest.NewServer(mux)
	t.Cleanup(r.server.Close)
	return r
}

func parsePrivacy(name string, body []byte) (p privacy.Policy, err error) {
	return p, configs.Decode(name, body, &p)
}

func service(t testing.TB, keys *privacy.Keys, units *ticket.Units) *workorder.Service {
	cal := ok[*scheduler.Calendar](t)(scheduler.NewCalendar(must(t, "calendars/cn.csv", scheduler.ParseCalendarCSV)))
	zone := ok[*time.Location](t)(time.LoadLocation("Asia/Shanghai"))
	work := ok[*scheduler.WorkTime](t)(scheduler.NewWorkTime(cal, must(t, "policies/hours.yaml", scheduler.ParseHours).Work.Spans, zone))
	rules := ok[*ticket.Rules](t)(ticket.NewRules(must(t, "policies/tickets.yaml", ticket.ParsePolicy), must(t, "policies/callbacks.yaml", ticket.ParseCallbackPolicy), work))
	matters := must(t, "matters.yaml", func(name string, body []byte) (*ticket.Matters, error) {
		return ticket.ParseMatters(name, body, units)
	})
	return &workorder.Service{
		Rules: rules, Matters: matters, Rights: must(t, "policies/rights.yaml", people.ParseRights), Keys: keys, Work: work,
		Whistles: ok[*ticket.WhistleRules](t)(ticket.NewWhistleRules(must(t, "policies/whistle.yaml", ticket.ParseWhistlePolicy), work)),
		Topics:   must(t, "policies/topics.yaml", ticket.ParseTopicPolicy),
	}
}

func careOf(t testing.TB, orders *workorder.Service) *homecare.Service {
	t.Helper()
	quiet, err := scheduler.NewQuiet(must(t, "policies/hours.yaml", scheduler.ParseHours), orders.Work.Location())
	if err != nil {
		t.Fatal(err)
	}
	return ok[*homecare.Service](t)(homecare.New(orders, quiet))
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.sql.Exec(r.t.Context(), sql, args...); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
}

// number runs a query for one number, text for one text.
func (r *rig) number(sql string, args ...any) (n int64) {
	r.t.Helper()
	if err := r.sql.QueryRow(r.t.Context(), sql, args...).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func (r *rig) text(sql string, args ...any) (s string) {
	r.t.Helper()
	if err := r.sql.QueryRow(r.t.Context(), sql, args...).Scan(&s); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return s
}

// program is a client with a token.
type program struct {
	r     *rig
	token string
}

// program makes a token with one grant.
func (r *rig) program(role people.Role, kind people.AreaKind, area string) *program {
	r.t.Helper()
	g := people.Grant{Role: role, Area: people.Area{Kind: kind, Code: area}}
	token, err := api.CreateToken(r.t.Context(), r.DB, r.Keys, r.orders.Rights, string(role)+" of "+area, g, time.Time{})
	if err != nil {
		r.t.Fatal(err)
	}
	return &program{r, token}
}

type object = map[string]any

// answer is what came back.
type answer struct {
	Status int
	Header http.Header
	Raw    string
	Body   object
}

// send sends a request; a body makes it a write with the given key.
func (p *program) send(method, path, key string, body any) answer {
	p.r.t.Helper()
	var in io.Reader
	if body != nil {
		raw, isText := body.(string)
		if !isText {
			raw = string(ok[[]byte](p.r.t)(json.Marshal(body)))
		}
		in = strings.NewReader(raw)
	}
	req := ok[*http.Request](p.r.t)(http.NewRequestWithContext(context.Background(), method, p.r.server.URL+"/api/v1"+path, in))
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.r.t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode, Header: resp.Header, Raw: string(ok[[]byte](p.r.t)(io.ReadAll(resp.Body)))}
	if strings.Contains(resp.Header.Get("Content-Type"), "json") {
		if err := json.Unmarshal([]byte(a.Raw), &a.Body); err != nil {
			p.r.t.Fatalf("%s %s: %q: %v", method, path, a.Raw, err)
		}
	}
	return a
}

func (p *program) get(path string) answer { p.r.t.Helper(); return p.send("GET", path, "", nil) }

// post is a write with a key of its own.
func (p *program) post(path string, body any) answer {
	p.r.t.Helper()
	p.r.keys++
	return p.send("POST", path, "key-number-"+strconv.Itoa(p.r.keys), body)
}

// do gives a command that must be taken, and returns the ticket.
func (p *program) do(number, command string, body any) object {
	p.r.t.Helper()
	a := p.post("/tickets/"+number+"/commands/"+command, body)
	if a.Status != http.StatusOK {
		p.r.t.Fatalf("%s: %d %s", command, a.Status, a.Raw)
	}
	return a.Body
}

// file files a report and returns its number.
func (p *program) file(body object) string {
	p.r.t.Helper()
	a := p.post("/tickets", body)
	if a.Status != http.StatusCreated {
		p.r.t.Fatalf("file: %d %s", a.Status, a.Raw)
	}
	return a.Body["number"].(string)
}

// problem wants a problem document of a code.
func (a answer) problem(t testing.TB, status int, code string) {
	t.Helper()
	if a.Status != status || a.Body["code"] != code || a.Header.Get("Content-Type") != "application/problem+json" ||
		a.Body["type"] != "urn:shaoying:problem:"+code || a.Body["status"] != float64(status) || a.Body["title"] == "" {
		t.Fatalf("want problem %s with %d, got %d %s %s", code, status, a.Status, a.Header.Get("Content-Type"), a.Raw)
	}
}

func items(t testing.TB, a answer) (list []object) {
	t.Helper()
	if a.Status != http.StatusOK {
		t.Fatalf("%d %s", a.Status, a.Raw)
	}
	for _, item := range a.Body["items"].([]any) {
		list = append(list, item.(object))
	}
	return list
}

func path(number string, rest ...string) string {
	return fmt.Sprintf("/tickets/%s%s", number, strings.Join(rest, ""))
}

var report = object{"words": "昌盛小区3栋楼下路灯不亮，晚上看不见路", "place": object{"text": "昌盛小区"}, "reporter": object{"name": "钟小明", "phone": "138 0013 8000"}}
