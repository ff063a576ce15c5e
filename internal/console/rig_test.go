package console_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/flows/words"
	"shaoying/internal/actions"
	"shaoying/internal/clock"
	"shaoying/internal/console"
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

const village, grid = "360313001001", "360313001001001"

// rig is the desk page over a database of its own.
type rig struct {
	*gateway.Gateway
	t      *testing.T
	sql    *pgxpool.Pool
	orders *workorder.Service
	care   *homecare.Service
	server *httptest.Server
}

func ok[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func must[T any](t *testing.T, name string, parse func(string, []byte) (T, error)) T {
	t.Helper()
	return ok[T](t)(parse(name, ok[[]byte](t)(configs.Read(name))))
}

func newRig(t *testing.T) *rig {
	t.Helper()
	ctx, dsn := t.Context(), gatewaytest.DSN(t)
	r := &rig{t: t, sql: ok[*pgxpool.Pool](t)(pgxpool.New(ctx, dsn+" pool_max_conns=2"))}
	t.Cleanup(r.sql.Close)
	d := ok[*postgres.DB](t)(postgres.Open(ctx, dsn, clock.New(), postgres.Options{MaxConns: 6, AllowUnsafe: true}))
	t.Cleanup(d.Close)
	if err := d.SetProductTime(ctx, time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	keys := ok[*privacy.Keys](t)(privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef")))
	units := must(t, "units.yaml", ticket.ParseUnits)
	r.orders = service(t, keys, units)
	safety := must(t, "safety.yaml", words.ParseSafety)
	quiet := ok[scheduler.Quiet](t)(scheduler.NewQuiet(must(t, "policies/hours.yaml", scheduler.ParseHours), time.UTC))
	r.care = ok[*homecare.Service](t)(homecare.New(r.orders, quiet))
	r.Gateway = ok[*gateway.Gateway](t)(gateway.New(gateway.Config{}, gateway.Deps{
		DB: d, Bus: postgres.NewBus(d, slog.New(slog.DiscardHandler)), Clock: clock.New(), Keys: keys,
		Library: gatewaytest.Library(t, d),
		Words:   must(t, "words.yaml", words.ParseLexicon), Safety: safety,
		Channels: map[bots.ChannelID]bots.Adapter{}, Actions: map[string]gateway.Action{}, Log: slog.New(slog.DiscardHandler),
	}))
	r.exec(`insert into division (code, level, name) values ('3603', 'city', '萍乡市'), ('360313', 'county', '湘东区'), ('360313001', 'township', '峡山口街道'), ($1, 'village', '砚田居委会')`, village)
	r.exec(`insert into grid (id, village, name) values ($1, $2, '第一网格')`, grid, village)
	places := people.NewGazetteer(
		[]people.Division{{Code: village, Level: people.LevelVillage, Name: "砚田居委会", Parent: "360313001"}},
		[]people.Grid{{Code: grid, Village: village}},
		[]people.Place{{ID: 7, Kind: people.PlaceEstate, Name: "昌盛小区", Village: village, Grid: grid}})
	set := &actions.Set{
		Orders: r.orders, Units: units, Places: func() *people.Gazetteer { return places }, Library: r.Library,
		Words: must(t, "words.yaml", words.ParseLexicon), Safety: safety, Policy: must(t, "policies/intake.yaml", actions.ParsePolicy),
	}
	private := must(t, "policies/privacy.yaml", func(name string, body []byte) (p privacy.Policy, err error) { return p, configs.Decode(name, body, &p) })
	c := ok[*console.Console](t)(console.New(console.Deps{
		Gateway: r.Gateway, Orders: r.orders, Care: r.care, Tally: &tally.Tally{Policy: must(t, "policies/figures.yaml", figures.ParsePolicy), Work: r.orders.Work, Units: units, Matters: r.orders.Matters}, Phone: "sms", Units: units, Places: set.Places, Demo: true, Guess: set.Guess, Filing: set.Filing,
		Safety: safety, Photos: ok[*privacy.PhotoCleaner](t)(privacy.NewPhotoCleaner(private.Photo)),
	}))
	mux := http.NewServeMux()
	c.Routes(mux)
	r.server = httptest.NewServer(mux)
	t.Cleanup(r.server.Close)
	return r
}

func service(t *testing.T, keys *privacy.Keys, units *ticket.Units) *workorder.Service {
	cal := ok[*scheduler.Calendar](t)(scheduler.NewCalendar(must(t, "calendars/cn.csv", scheduler.ParseCalendarCSV)))
	work := ok[*scheduler.WorkTime](t)(scheduler.NewWorkTime(cal, must(t, "policies/hours.yaml", scheduler.ParseHours).Work.Spans, time.UTC))
	rules := ok[*ticket.Rules](t)(ticket.NewRules(must(t, "policies/tickets.yaml", ticket.ParsePolicy), must(t, "policies/callbacks.yaml", ticket.ParseCallbackPolicy), work))
	matters := must(t, "matters.yaml", func(name string, body []byte) (*ticket.Matters, error) {
		return ticket.ParseMatters(name, body, units)
	})
	whistles := ok[*ticket.WhistleRules](t)(ticket.NewWhistleRules(must(t, "policies/whistle.yaml", ticket.ParseWhistlePolicy), work))
	return &workorder.Service{Whistles: whistles, Rules: rules, Matters: matters, Rights: must(t, "policies/rights.yaml", people.ParseRights), Keys: keys, Work: work}
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.sql.Exec(r.t.Context(), sql, args...); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
}

// number runs a query for one number.
func (r *rig) number(sql string, args ...any) (n int64) {
	r.t.Helper()
	if err := r.sql.QueryRow(r.t.Context(), sql, args...).Scan(&n); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// hire makes a member of the staff with one grant.
func (r *rig) hire(slug string, role people.Role, kind people.AreaKind, area string) int64 {
	r.t.Helper()
	person := r.number(`insert into person (kind) values ('staff') returning id`)
	id := r.number(`insert into staff (person_id, slug, name) values ($1, $2, $2) returning id`, person, slug)
	r.exec(`insert into staff_role (staff_id, role, area_kind, area) values ($1, $2, $3, $4)`, id, role, kind, area)
	return id
}

// desk runs f as a turn of somebody.
func (r *rig) desk(staff, person int64, f func(ctx context.Context, t *gateway.Turn) error) {
	r.t.Helper()
	if err := r.Desk(r.t.Context(), staff, person, f); err != nil {
		r.t.Fatal(err)
	}
}

// browser is a browser whose session was opened by a link from the chat.
func (r *rig) browser(staff int64) *http.Client {
	r.t.Helper()
	var path string
	r.desk(staff, 0, func(ctx context.Context, t *gateway.Turn) (err error) {
		path, err = console.Link(ctx, t, r.Keys)
		return err
	})
	c := &http.Client{Jar: ok[*cookiejar.Jar](r.t)(cookiejar.New(nil))}
	if status, _ := r.post(c, path, nil); status != http.StatusOK {
		r.t.Fatalf("entering: %d", status)
	}
	if status, _ := r.post(&http.Client{}, path, nil); status != http.StatusForbidden {
		r.t.Fatalf("a link that was used opens again: %d", status)
	}
	return c
}

// text runs a query for one text.
func (r *rig) text(sql string, args ...any) (s string) {
	r.t.Helper()
	if err := r.sql.QueryRow(r.t.Context(), sql, args...).Scan(&s); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return s
}
