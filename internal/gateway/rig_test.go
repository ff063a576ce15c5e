package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.uber.org/goleak"

	"shaoying/bots"
	"shaoying/flows/words"
	"shaoying/internal/clock"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/postgres/pgtest"
	"shaoying/internal/privacy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pgtest.Wrap(m)) }

// web is the channel account of all tests here.
const web = bots.ChannelID("web")

// limit is how long a test waits for what should come at once.
const limit = time.Minute

// rig is a gateway over a database of its own, with a network that does as it
// is told and actions that leave a trace.
type rig struct {
	*Gateway
	t    testing.TB
	dsn  string
	sql  *pgxpool.Pool
	net  *network
	acts *actions
	keys int
	seen map[bots.UserID]int64
	// dead and lost are what the two hooks were told.
	dead, lost *notes
	// capped are the days of limits of money that people were told of.
	capped *notes
}

// newRig makes a rig. change may alter what the gateway is built of.
func newRig(t testing.TB, change ...func(*Config, *Deps)) *rig {
	t.Helper()
	r := &rig{
		t: t, dsn: pgtest.DSN(t, furnished), net: newNetwork(), acts: newActions(), seen: map[bots.UserID]int64{},
		dead: &notes{}, lost: &notes{}, capped: &notes{},
	}
	var err error
	if r.sql, err = pgxpool.New(t.Context(), r.dsn+" pool_max_conns=2"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.sql.Close)
	r.Gateway = r.another(change...)
	return r
}

// furnished makes the template of all test databases: the schema and the test
// dialogues.
func furnished(ctx context.Context, dsn string) error {
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return err
	}
	d, err := postgres.Open(ctx, dsn, clock.New(), postgres.Options{AllowUnsafe: true})
	if err != nil {
		return err
	}
	defer d.Close()
	_, err = LoadLibrary(ctx, d, os.DirFS("testdata"), "embedded")
	return err
}

// another makes one more gateway on the same database, as a second process
// would.
func (r *rig) another(change ...func(*Config, *Deps)) *Gateway {
	r.t.Helper()
	ctx := r.t.Context()
	clk := clock.New()
	d, err := postgres.Open(ctx, r.dsn, clk, postgres.Options{MaxConns: 6, AllowUnsafe: true})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(d.Close)
	library, err := LoadLibrary(ctx, d, os.DirFS("testdata"), "embedded")
	if err != nil {
		r.t.Fatal(err)
	}
	keys, err := privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		r.t.Fatal(err)
	}
	cfg := Config{}
	deps := Deps{
		DB: d, Bus: postgres.NewBus(d, slog.New(slog.DiscardHandler)), Clock: clk, Keys: keys, Library: library,
		Words: lexicon(r.t), Safety: safety(r.t), Channels: map[bots.ChannelID]bots.Adapter{web: r.net},
		Actions: r.acts.all(), Kinds: append(QuestionKinds(), SettleKind(), MorningKind()), Fresh: map[string]Fresh{},
		Dead: r.dead.hook, Undeliverable: r.undeliverable, Log: slog.New(slog.DiscardHandler),
		Reports: reportPolicy(r.t), Money: &Money{Policy: moneyPolicy(r.t), Zone: time.FixedZone("CST", 8*3600)},
	}
	for _, f := range change {
		f(&cfg, &deps)
	}
	g, err := New(cfg, deps)
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

func configFile(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile("../../configs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var lexicon = once(func(t testing.TB) (*words.Lexicon, error) {
	return words.ParseLexicon("words.yaml", configFile(t, "words.yaml"))
})

var safety = once(func(t testing.TB) (*words.Safety, error) {
	return words.ParseSafety("safety.yaml", configFile(t, "safety.yaml"))
})

var reportPolicy = once(func(t testing.TB) (ReportPolicy, error) {
	return ParseReportPolicy("reports.yaml", configFile(t, "policies/reports.yaml"))
})

var moneyPolicy = once(func(t testing.TB) (MoneyPolicy, error) {
	return ParseMoneyPolicy("money.yaml", configFile(t, "policies/money.yaml"))
})

// once parses a file for all tests: both results are never changed.
func once[T any](parse func(testing.TB) (T, error)) func(testing.TB) T {
	var do sync.Once
	var v T
	var err error
	return func(t testing.TB) T {
		t.Helper()
		do.Do(func() { v, err = parse(t) })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// event is one that a user of the web channel sent, with a key of its own.
func (r *rig) event(user bots.UserID, kind bots.Kind) bots.Event {
	r.keys++
	return bots.Event{
		Key: fmt.Sprintf("%s-%d", user, r.keys), Channel: web, Chat: bots.ChatID(user), Kind: kind,
		From: bots.Identity{User: user, Trust: bots.TrustSession},
	}
}

func (r *rig) text(user bots.UserID, s string) bots.Event {
	ev := r.event(user, bots.KindText)
	ev.Text = s
	return ev
}

// send gives an event to the gateway, which must take it.
func (r *rig) send(ev bots.Event) {
	r.t.Helper()
	if err := r.Sink(r.t.Context(), []bots.Event{ev}); err != nil {
		r.t.Fatalf("Sink: %v", err)
	}
}

// says sends a text and returns what the gateway then has to say.
func (r *rig) says(user bots.UserID, s string) []said {
	r.t.Helper()
	r.send(r.text(user, s))
	return r.heard(user)
}

// taps sends a tap of a button.
func (r *rig) taps(user bots.UserID, data string) []said {
	r.t.Helper()
	ev := r.event(user, bots.KindChoice)
	ev.Choice = data
	r.send(ev)
	return r.heard(user)
}

// said is one outbox row as its reader will see it.
type said struct {
	ID      int64
	Key     string
	Text    string
	Choices []bots.Choice
	Row     db.Outbox
}

// heard returns the outbox rows of a user since the last call, rendered.
func (r *rig) heard(user bots.UserID) []said {
	r.t.Helper()
	rows, err := r.sql.Query(r.t.Context(), `select id from outbox where chat = $1 and id > $2 order by id`, string(user), r.seen[user])
	if err != nil {
		r.t.Fatal(err)
	}
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			r.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var all []said
	for _, id := range ids {
		all = append(all, r.row(id))
		r.seen[user] = id
	}
	return all
}

func (r *rig) row(id int64) said {
	r.t.Helper()
	row, err := r.DB.LoadOutbox(r.t.Context(), id)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := r.DB.Conversation(r.t.Context(), row.ConversationID)
	if err != nil {
		r.t.Fatal(err)
	}
	claimed := db.ClaimOutboxRow{
		ID: row.ID, Channel: row.Channel, Chat: row.Chat, Source: row.Source, TextKey: row.TextKey, TextVersion: row.TextVersion,
		Lang: row.Lang, Params: row.Params, QuestionTurn: row.QuestionTurn, PromptID: row.PromptID, UserID: c.UserID, At: r.now(),
		ConversationID: row.ConversationID, InGroup: c.InGroup, IsGroup: c.IsGroup,
	}
	messages, _, err := r.render(claimed, r.net.caps)
	if err != nil {
		r.t.Fatalf("render outbox row %d: %v", id, err)
	}
	return said{ID: id, Key: row.TextKey, Text: messages[0].Text, Choices: messages[0].Choices, Row: row}
}

// now is product time.
func (r *rig) now() time.Time {
	r.t.Helper()
	now, err := r.DB.ProductNow(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return now
}

// advance moves the product clock.
func (r *rig) advance(d time.Duration) {
	r.t.Helper()
	if err := r.DB.SetProductTime(r.t.Context(), r.now().Add(d)); err != nil {
		r.t.Fatal(err)
	}
}

// exec runs a statement past the gateway and returns the rows changed.
func (r *rig) exec(sql string, args ...any) int64 {
	r.t.Helper()
	tag, err := r.sql.Exec(r.t.Context(), sql, args...)
	if err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return tag.RowsAffected()
}

// count runs a query for one number.
func (r *rig) count(sql string, args ...any) int64 {
	r.t.Helper()
	return one[int64](r, sql, args...)
}

// one runs a query for one value.
func one[T any](r *rig, sql string, args ...any) T {
	r.t.Helper()
	var v T
	if err := r.sql.QueryRow(r.t.Context(), sql, args...).Scan(&v); err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func (r *rig) conversation(user bots.UserID) int64 {
	r.t.Helper()
	return r.count(`select id from conversation where user_id = $1`, string(user))
}

// flow is the dialogue that a user is in, "" for none.
func (r *rig) flow(user bots.UserID) string {
	r.t.Helper()
	return one[string](r, `select flow from conversation where user_id = $1`, string(user))
}

// hire makes a user a member of the staff.
func (r *rig) hire(user bots.UserID) {
	r.t.Helper()
	r.says(user, "在吗")
	r.exec(`insert into staff (person_id, slug, name) select a.person_id, $1, $1 from address a where a.user_id = $1`, string(user))
	r.heard(user)
}

// until waits for something that other goroutines bring about.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			r.t.Fatalf("waited %v in vain: %s", limit, what)
		case <-look.C:
		}
	}
}

// start runs f until the test or stop ends it, and waits for it.
func (r *rig) start(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f(ctx); err != nil {
			r.t.Errorf("run: %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	r.t.Cleanup(stop)
	return stop
}

// drain tries the waiting events until nothing changes any more. The pauses
// between tries are taken away: they are the database's time, which no test
// can move.
func (r *rig) drain(tries int) {
	r.t.Helper()
	d := NewDrainer(r.Gateway)
	for range tries {
		r.exec(`update inbox set next_try = now() - interval '1 second' where state = 'waiting'`)
		if _, err := d.Once(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// due runs what is due until nothing is.
func (r *rig) due() {
	r.t.Helper()
	runner := NewRunner(r.Gateway)
	for {
		n, err := runner.Once(r.t.Context())
		if err != nil {
			r.t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// want compares what was said with the texts expected.
func (r *rig) want(got []said, texts ...string) {
	r.t.Helper()
	if fmt.Sprint(textsOf(got)) != fmt.Sprint(texts) {
		r.t.Fatalf("said %q, want %q", textsOf(got), texts)
	}
}

func textsOf(list []said) []string {
	all := []string{}
	for _, s := range list {
		all = append(all, s.Text)
	}
	return all
}

// notes collects what a hook was told.
type notes struct {
	mu   sync.Mutex
	list []string
	err  error
}

func (n *notes) hook(ctx context.Context, t *Turn, why string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.list = append(n.list, why)
	return n.err
}

func (r *rig) undeliverable(ctx context.Context, t *Turn, what Undelivered) error {
	if what.Capped != "" {
		return r.capped.hook(ctx, t, what.Capped)
	}
	return r.lost.hook(ctx, t, what.Class)
}

func (n *notes) all() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.list...)
}

// actions are the actions of the test dialogues. Each writes a trail row
// before it does what it was told, so that a rollback can be seen.
type actions struct {
	mu    sync.Mutex
	calls []call
	fault map[string]func(context.Context, *Turn) error
	n     int
}

type call struct {
	name    string
	args    map[string]any
	subject string
}

func newActions() *actions { return &actions{fault: map[string]func(context.Context, *Turn) error{}} }

func (a *actions) all() map[string]Action {
	m := map[string]Action{}
	for _, name := range []string{
		"ticket.file", "ticket.file_incomplete", "ticket.place", "address.stop", "desk.call", "desk.handover", "poll.take",
		"survey.record", "visit.answer", "card.take", "card.reply", "prompt.answer", ActionVoice,
	} {
		m[name] = func(ctx context.Context, t *Turn, args map[string]any) (map[string]any, error) {
			return a.do(ctx, t, name, args)
		}
	}
	return m
}

func (a *actions) do(ctx context.Context, t *Turn, name string, args map[string]any) (map[string]any, error) {
	a.mu.Lock()
	a.calls = append(a.calls, call{name, args, t.PromptSubject})
	fault := a.fault[name]
	a.n++
	number := strconv.Itoa(1000 + a.n)
	a.mu.Unlock()
	if err := t.Record(ctx, "called", name, nil, ""); err != nil {
		return nil, err
	}
	if fault != nil {
		if err := fault(ctx, t); err != nil {
			return nil, err
		}
	}
	if name == "prompt.answer" {
		picked, _ := args["prompt"].(string)
		text, _ := args["text"].(string)
		if open, err := t.Answer(ctx, picked, text); err != nil || !open {
			return map[string]any{"fail": "prompt.over"}, err
		}
	}
	return map[string]any{"number": number}, nil
}

// on makes an action do f; nil takes that back.
func (a *actions) on(name string, f func(context.Context, *Turn) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault[name] = f
}

// named returns the calls of one action.
func (a *actions) named(name string) []call {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []call
	for _, c := range a.calls {
		if c.name == name {
			list = append(list, c)
		}
	}
	return list
}

// errBroken is the error of actions that were told to fail.
var errBroken = errors.New("broken on purpose")

func broken(context.Context, *Turn) error { return errBroken }
