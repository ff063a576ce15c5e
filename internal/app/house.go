// Package app is the only wiring: which channels, actions and due kinds there
// are, and in which order everything starts and stops.
//
// # Start
//
// Private PostgreSQL (or DATABASE_URL), schema, keys, definitions, calendar,
// gateway, bus, due runner, planner, drainer, trail sealer, channels, HTTP. The
// ready line is printed when the port answers.
//
// # Stop
//
// In the reverse order, each stage waited for: no new HTTP requests, open ones
// finish; what is due is finished; sends in flight are finished and marked;
// then the database is left, and stopped by its last user. Whatever is not
// done by then lies in the database and is done by the next start.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"shaoying/configs"
	"shaoying/flows/words"
	"shaoying/internal/api"
	"shaoying/internal/city"
	"shaoying/internal/clock"
	"shaoying/internal/figures"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/managed"
	"shaoying/internal/privacy"
	"shaoying/internal/spool"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
	"shaoying/internal/webhook"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// House is everything that stands before a gateway does: the database, the
// keys and the policies. Commands that need no gateway use it alone.
type House struct {
	Env      Env
	Process  configs.Process
	Location *time.Location
	Log      *slog.Logger
	Clock    *clock.Clock
	DB       *postgres.DB
	Bus      *postgres.Bus
	Keys     *privacy.Keys
	Library  *gateway.Library
	Words    *words.Lexicon
	Safety   *words.Safety
	Hours    scheduler.HoursPolicy
	Quiet    scheduler.Quiet
	Work     *scheduler.WorkTime
	Matters  *ticket.Matters
	Units    *ticket.Units
	Rights   people.Rights
	Privacy  privacy.Policy
	Photos   *privacy.PhotoCleaner
	Rules    *ticket.Rules
	Orders   *workorder.Service
	Care     *homecare.Service
	Places   *city.Places
	API      api.Policy
	Hooks    *webhook.Hooks
	Sender   *webhook.Sender
	Figures  figures.Policy
	Tally    *tally.Tally
	Spool    *spool.Spool

	server *managed.Server
}

// settingFingerprint is where the database keeps which key it is sealed with.
const settingFingerprint = "key_fingerprint"

// Open brings the house up to where commands can work: database, schema, keys,
// definitions, policies. Close must be called.
func Open(ctx context.Context, env Env, log *slog.Logger) (*House, error) {
	h := &House{Env: env, Log: log, Clock: clock.New()}
	if err := h.open(ctx); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (h *House) open(ctx context.Context) error {
	var err error
	if h.Process, err = h.Env.process(); err != nil {
		return err
	}
	if h.Location, err = h.Process.Location(); err != nil {
		return err
	}
	if err := h.openDatabase(ctx); err != nil {
		return err
	}
	if err := h.openKeys(ctx); err != nil {
		return err
	}
	if err := h.readPolicies(); err != nil {
		return err
	}
	if err := h.Privacy.Validate(); err != nil {
		return fmt.Errorf("policies/privacy.yaml: %w", err)
	}
	if h.Photos, err = privacy.NewPhotoCleaner(h.Privacy.Photo); err != nil {
		return fmt.Errorf("policies/privacy.yaml: %w", err)
	}
	if err := h.openCalendar(ctx); err != nil {
		return err
	}
	if h.Rules, err = h.readRules(); err != nil {
		return err
	}
	whistles, err := h.readWhistles()
	if err != nil {
		return err
	}
	h.Orders = &workorder.Service{Whistles: whistles, Rules: h.Rules, Matters: h.Matters, Rights: h.Rights, Keys: h.Keys, Work: h.Work}
	if h.Care, err = homecare.New(h.Orders, h.Quiet); err != nil {
		return err
	}
	if err := h.openHooks(ctx); err != nil {
		return err
	}
	h.Tally = &tally.Tally{Policy: h.Figures, Work: h.Work, Units: h.Units, Matters: h.Matters}
	if err := read("policies/topics.yaml", ticket.ParseTopicPolicy, &h.Orders.Topics); err != nil {
		return err
	}
	err = h.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error { return city.PutUnits(ctx, tx.Queries, h.Units) })
	if err != nil {
		return fmt.Errorf("write the units of configs/units.yaml: %w", err)
	}
	if h.Places, err = city.NewPlaces(ctx, h.DB, h.Bus, h.Log); err != nil {
		return err
	}
	h.Library, err = gateway.LoadLibrary(ctx, h.DB, configs.FS(), "embedded")
	return err
}

// DSN is where the database is.
func (h *House) DSN() string {
	if h.Env.DSN != "" {
		return h.Env.DSN
	}
	return h.server.DSN(managed.Database)
}

func (h *House) openDatabase(ctx context.Context) error {
	if h.Env.DSN == "" {
		server, err := managed.Open(ctx, managed.Config{Dir: h.Env.Data, Log: h.Log})
		if err != nil {
			return fmt.Errorf("private PostgreSQL: %w", err)
		}
		h.server = server
	}
	if err := postgres.Migrate(ctx, h.DSN()); err != nil {
		return err
	}
	db, err := postgres.Open(ctx, h.DSN(), h.Clock, postgres.Options{AllowUnsafe: h.Env.unsafe})
	if err != nil {
		return err
	}
	h.DB, h.Bus = db, postgres.NewBus(db, h.Log)
	return db.SyncClock(ctx)
}

// openKeys finds the master key that this database was made with. A key is
// made only for a private database that was never sealed with another one.
func (h *House) openKeys(ctx context.Context) error {
	known, err := h.DB.Setting(ctx, settingFingerprint)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return fmt.Errorf("read the key fingerprint: %w", err)
	}
	h.Keys, err = privacy.LoadOrCreateKey(h.Env.Data, h.Env.DSN == "" && known == "")
	if err != nil {
		return err
	}
	if known == "" {
		return h.DB.PutSetting(ctx, settingFingerprint, h.Keys.Fingerprint())
	}
	for _, f := range h.Keys.Fingerprints() {
		if f == known {
			return nil
		}
	}
	return fmt.Errorf("the secret key is not the one that this database was sealed with: set %s to the right one", privacy.KeyVariable)
}

func (h *House) readPolicies() error {
	return errors.Join(
		read("words.yaml", words.ParseLexicon, &h.Words),
		read("safety.yaml", words.ParseSafety, &h.Safety),
		read("policies/hours.yaml", scheduler.ParseHours, &h.Hours),
		read("policies/rights.yaml", people.ParseRights, &h.Rights),
		decodeInto("policies/privacy.yaml", &h.Privacy),
		read("policies/figures.yaml", figures.ParsePolicy, &h.Figures),
		read("units.yaml", ticket.ParseUnits, &h.Units),
		read("matters.yaml", func(name string, body []byte) (*ticket.Matters, error) {
			return ticket.ParseMatters(name, body, h.Units)
		}, &h.Matters),
	)
}

func (h *House) readRules() (*ticket.Rules, error) {
	var policy ticket.Policy
	var callbacks ticket.CallbackPolicy
	err := errors.Join(
		read("policies/tickets.yaml", ticket.ParsePolicy, &policy),
		read("policies/callbacks.yaml", ticket.ParseCallbackPolicy, &callbacks),
	)
	if err != nil {
		return nil, err
	}
	return ticket.NewRules(policy, callbacks, h.Work)
}

func (h *House) readWhistles() (*ticket.WhistleRules, error) {
	var policy ticket.WhistlePolicy
	if err := read("policies/whistle.yaml", ticket.ParseWhistlePolicy, &policy); err != nil {
		return nil, err
	}
	return ticket.NewWhistleRules(policy, h.Work)
}

// read parses an embedded file into v.
func read[T any](name string, parse func(string, []byte) (T, error), v *T) error {
	body, err := configs.Read(name)
	if err != nil {
		return fmt.Errorf("read embedded %s: %w", name, err)
	}
	*v, err = parse(name, body)
	return err
}

// openCalendar reads the working calendar from the database; an empty table
// gets the embedded years first.
func (h *House) openCalendar(ctx context.Context) error {
	days, err := h.calendarDays(ctx)
	if err != nil {
		return err
	}
	cal, err := scheduler.NewCalendar(days)
	if err != nil {
		return fmt.Errorf("working calendar: %w", err)
	}
	if h.Work, err = scheduler.NewWorkTime(cal, h.Hours.Work.Spans, h.Location); err != nil {
		return fmt.Errorf("working hours: %w", err)
	}
	if h.Quiet, err = scheduler.NewQuiet(h.Hours, h.Location); err != nil {
		return fmt.Errorf("quiet hours: %w", err)
	}
	return nil
}

// stopLimit is how long the private server may take to write its last
// checkpoint: a slow disk needs most of a minute after a busy hour.
const stopLimit = time.Minute

// Close leaves the database and stops the private server when this is its
// last user.
func (h *House) Close() error {
	var err error
	if h.Spool != nil {
		err = h.Spool.Close()
	}
	if h.DB != nil {
		h.DB.Close()
	}
	if h.server == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	return errors.Join(err, h.server.Stop(ctx))
}

// openSpool opens the folder in which messages wait while the database is away.
func (h *House) openSpool() error {
	var policy spool.Policy
	if err := decodeInto("policies/spool.yaml", &policy); err != nil {
		return err
	}
	var err error
	h.Spool, err = spool.Open(filepath.Join(h.Env.Data, "spool"), policy, spool.Deps{Keys: h.Keys, Clock: h.Clock, Log: h.Log})
	return err
}
