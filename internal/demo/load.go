package demo

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"shaoying/bots"
	"shaoying/internal/city"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// Setting marks the databases that were made for the demo.
const Setting = "demo"

// ErrNotDemo: the database holds people or places and was not made by Load.
var ErrNotDemo = errors.New("this database holds people or places that the demo did not make: set SHAOYING_DATA or DATABASE_URL to an empty one")

// Loader lays the demo city into a database.
type Loader struct {
	DB    *postgres.DB
	Keys  *privacy.Keys
	Units *ticket.Units
	// Web is the channel account over which staff chat.
	Web bots.ChannelID
}

// Load lays the city, seats its staff before the web page and sets the product
// clock to the demo's beginning. It reports false, and does nothing, when the
// database was laid before. Error: ErrNotDemo.
func (l Loader) Load(ctx context.Context) (laid bool, err error) {
	known, err := l.known(ctx)
	if err != nil || known {
		return false, err
	}
	plan, err := ReadPlan()
	if err != nil {
		return false, err
	}
	start, err := plan.start()
	if err != nil {
		return false, err
	}
	c, err := Generate(plan, l.Units)
	if err != nil {
		return false, fmt.Errorf("lay the demo city: %w", err)
	}
	err = l.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := tx.DatabaseNow(ctx)
		if err != nil {
			return fmt.Errorf("read the clock: %w", err)
		}
		// The clock first, so that what is written bears the demo's time.
		if err := tx.SetClockShift(ctx, start.Sub(now).Seconds()); err != nil {
			return fmt.Errorf("set the clock: %w", err)
		}
		if err := l.write(ctx, tx, c); err != nil {
			return err
		}
		if err := tx.PutSetting(ctx, Setting, "1"); err != nil {
			return fmt.Errorf("mark the database: %w", err)
		}
		return tx.WakePlaces(ctx)
	})
	if err != nil {
		return false, fmt.Errorf("load the demo city: %w", err)
	}
	return true, l.DB.SyncClock(ctx)
}

// known reports whether the city is there already.
func (l Loader) known(ctx context.Context) (bool, error) {
	mark, err := l.DB.Setting(ctx, Setting)
	if err == nil && mark != "" {
		return true, nil
	}
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return false, fmt.Errorf("look for the demo's mark: %w", err)
	}
	used, err := l.DB.HasPeopleOrPlaces(ctx)
	if err != nil {
		return false, fmt.Errorf("look whether the database is empty: %w", err)
	}
	if used {
		return false, ErrNotDemo
	}
	return false, nil
}

func (l Loader) write(ctx context.Context, tx *postgres.Tx, c City) error {
	q := tx.Queries
	if _, err := city.PutDivisions(ctx, q, c.Divisions); err != nil {
		return err
	}
	if _, err := city.PutGrids(ctx, q, c.Grids); err != nil {
		return err
	}
	if _, err := city.PutPlaces(ctx, q, c.Places); err != nil {
		return err
	}
	if err := city.PutUnits(ctx, q, l.Units); err != nil {
		return err
	}
	if _, err := city.PutClinics(ctx, q, c.Clinics); err != nil {
		return err
	}
	if _, err := city.PutStaff(ctx, q, c.Staff); err != nil {
		return err
	}
	if err := l.seat(ctx, tx, c.Staff); err != nil {
		return err
	}
	if err := q.AnalyzeCity(ctx); err != nil {
		return fmt.Errorf("analyze what was written: %w", err)
	}
	return nil
}

// seat gives each member of the staff an address and a conversation, so that
// cards reach them before anybody has opened their page.
func (l Loader) seat(ctx context.Context, tx *postgres.Tx, staff []people.StaffRow) error {
	slugs, seats := make([]string, len(staff)), make([]string, len(staff))
	for i, s := range staff {
		slugs[i], seats[i] = s.Slug, string(seatOf(l.Keys, s.Slug))
	}
	if _, err := tx.FillAddresses(ctx, string(l.Web), slugs, seats); err != nil {
		return fmt.Errorf("give the staff their addresses: %w", err)
	}
	if _, err := tx.FillConversations(ctx, string(l.Web)); err != nil {
		return fmt.Errorf("give the staff their conversations: %w", err)
	}
	return nil
}

// seatOf derives the chat of a member of the staff on the web page from the
// key, so that the same link is always the same person and no resident's
// session can be one. 130 bits, as long as a session's chat.
func seatOf(keys *privacy.Keys, slug string) bots.ChatID {
	return bots.ChatID(strings.ToLower(base32.StdEncoding.EncodeToString(keys.Index("demo.seat", slug))[:26]))
}
