// Package tally keeps the figures: it folds the tickets that have changed, rolls
// days up into months, and reads rates, stars and worries.
//
// # Right also after late events
//
// A turn that changes a ticket only appends the ticket's number to
// figure_dirty (a trigger: no round trip, no index, nothing to wait for).
// Refresh folds such tickets anew from their trail and takes from the months
// what their old rows had added. Every reader refreshes first, so what it reads
// is what the trail says now, whenever the ticket counts.
//
// # Time
//
// A row counts from its own instant on: a ticket that nobody touches becomes
// overdue by itself. Rows before rolled_until are added up in figure_month; the
// rest is today's tail. Roll moves rolled_until on, a day or a month at a time, and may
// stop after any of them.
//
// # Concurrency
//
// Whoever folds or rolls holds one advisory lock to the end of the transaction.
package tally

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/figures"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// Tally is immutable and safe for use by many goroutines.
type Tally struct {
	Policy  figures.Policy
	Work    *scheduler.WorkTime
	Units   *ticket.Units
	Matters *ticket.Matters
}

// chunk is how many changes one fold takes.
const chunk = 500

func (t *Tally) folder() figures.Folder { return figures.Folder{Policy: t.Policy, Calendar: t.Work} }

// Refresh folds what has changed. most bounds how many changes are taken, 0 for
// all; done says that none is left.
func (t *Tally) Refresh(ctx context.Context, tx *postgres.Tx, most int) (done bool, err error) {
	if err := tx.LockFigures(ctx); err != nil {
		return false, fmt.Errorf("wait for the figures: %w", err)
	}
	for n := 0; most == 0 || n < most; n += chunk {
		ids, err := tx.TakeDirty(ctx, chunk)
		if err != nil {
			return false, fmt.Errorf("take changed tickets: %w", err)
		}
		if len(ids) == 0 {
			return true, nil
		}
		if err := t.fold(ctx, tx, ids); err != nil {
			return false, err
		}
	}
	return false, nil
}

// fold replaces the rows of tickets.
func (t *Tally) fold(ctx context.Context, tx *postgres.Tx, ids []int64) error {
	until, err := tx.FiguresRolledUntil(ctx)
	if err != nil {
		return fmt.Errorf("read how far figures are rolled up: %w", err)
	}
	rolled := func(at time.Time) bool { return until != nil && at.Before(*until) }
	months := cells{}
	old, err := tx.DropFigures(ctx, ids)
	if err != nil {
		return fmt.Errorf("drop old figures: %w", err)
	}
	for _, r := range old {
		if rolled(r.At) {
			var back figures.Sums
			back.Sub(figures.Of(r.M))
			months.add(r.Month, r.Unit, r.Area, r.Matter, back)
		}
	}
	tickets, err := load(ctx, tx, ids)
	if err != nil {
		return err
	}
	var rows []figures.Row
	folder := t.folder()
	for _, k := range tickets {
		rows = append(rows, folder.Fold(k)...)
	}
	for _, r := range rows {
		if rolled(r.At) {
			months.add(r.Month, r.Unit, r.Area, r.Matter, r.Sums)
		}
	}
	if err := markOwn(ctx, tx, rows); err != nil {
		return err
	}
	if err := tx.AddFigures(ctx, rows); err != nil {
		return err
	}
	return months.save(ctx, tx)
}

// markOwn marks the ratings by who signed for the ticket.
func markOwn(ctx context.Context, tx *postgres.Tx, rows []figures.Row) error {
	var tickets, addresses []int64
	for _, r := range rows {
		if r.RatedBy != 0 {
			tickets, addresses = append(tickets, r.Ticket), append(addresses, r.RatedBy)
		}
	}
	if len(tickets) == 0 {
		return nil
	}
	own, err := tx.OwnRatings(ctx, tickets, addresses)
	if err != nil {
		return fmt.Errorf("find ratings by handlers: %w", err)
	}
	for i, r := range rows {
		rows[i].RatedOwn = r.RatedBy != 0 && slices.Contains(own, r.Ticket)
	}
	return nil
}

// load reads tickets with their trails.
func load(ctx context.Context, tx *postgres.Tx, ids []int64) ([]figures.Ticket, error) {
	rows, err := tx.FigureTickets(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load tickets for figures: %w", err)
	}
	list := make([]figures.Ticket, len(rows))
	index := make(map[string]int, len(rows))
	subjects := make([]string, len(rows))
	for i, r := range rows {
		list[i] = figures.Ticket{
			ID: r.ID, Area: string(people.DivisionCode(r.Division).At(people.LevelTownship)),
			Matter: r.Matter, Claim: r.Claim, Finding: r.Finding, Rating: r.Rating,
		}
		if r.RatedAt != nil {
			list[i].RatedAt, list[i].RatedBy = *r.RatedAt, r.AddressID
		}
		subjects[i] = postgres.Subject("ticket", r.ID)
		index[subjects[i]] = i
	}
	trail, err := tx.FigureTrail(ctx, subjects)
	if err != nil {
		return nil, fmt.Errorf("load trails for figures: %w", err)
	}
	for _, r := range trail {
		kind, ours := strings.CutPrefix(r.Kind, "ticket.")
		if !ours {
			continue
		}
		e, ok, err := event(kind, r.At, r.Data)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", r.Kind, r.Subject, err)
		}
		if ok {
			k := &list[index[r.Subject]]
			k.Events = append(k.Events, e)
		}
	}
	return list, nil
}

// event reads a row of the trail. Rows that do not move the ticket, such as
// added words, have no state and are none.
func event(kind string, at time.Time, body json.RawMessage) (figures.Event, bool, error) {
	var all map[string]any
	if err := json.Unmarshal(body, &all); err != nil {
		return figures.Event{}, false, fmt.Errorf("read the trail: %w", err)
	}
	e := figures.Event{Kind: kind, At: at, Data: make(map[string]string, len(all))}
	for k, v := range all {
		switch v := v.(type) {
		case string:
			e.Data[k] = v
		case float64:
			e.Data[k] = strconv.FormatInt(int64(v), 10)
		}
	}
	for key, to := range map[string]*time.Time{"sign_due": &e.SignDue, "contact_due": &e.ContactDue, "deadline": &e.Deadline} {
		if v := e.Data[key]; v != "" {
			micros, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return e, false, fmt.Errorf("read %s: %w", key, err)
			}
			*to = time.UnixMicro(micros)
		}
	}
	e.To = e.Data["to"]
	return e, e.To != "", nil
}

// Roll adds a day to the months, once it is over, and after a long absence what
// is left of a month at once; done says that all days before today are in.
func (t *Tally) Roll(ctx context.Context, tx *postgres.Tx, now time.Time) (done bool, err error) {
	if err := tx.LockFigures(ctx); err != nil {
		return false, fmt.Errorf("wait for the figures: %w", err)
	}
	loc := t.Work.Location()
	today := scheduler.DateOf(now.In(loc)).At(0, loc)
	until, err := tx.FiguresRolledUntil(ctx)
	if err != nil {
		return false, fmt.Errorf("read how far figures are rolled up: %w", err)
	}
	since := time.Unix(0, 0)
	if until != nil {
		since = *until
	}
	// Days on which nothing counts are skipped.
	from, err := tx.FirstFigureAt(ctx, since, today)
	if errors.Is(err, postgres.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("find the next figure: %w", err)
	}
	first := scheduler.DateOf(from.In(loc))
	next := first.AddDays(1).At(0, loc)
	if end := (scheduler.Date{Year: first.Year, Month: first.Month + 1, Day: 1}).AddDays(0).At(0, loc); !end.After(today) {
		next = end
	}
	rows, err := tx.FiguresBetween(ctx, since, next)
	if err != nil {
		return false, fmt.Errorf("read a day of figures: %w", err)
	}
	months := cells{}
	for _, r := range rows {
		months.add(r.Month, r.Unit, r.Area, r.Matter, figures.Of(r.M))
	}
	if err := months.save(ctx, tx); err != nil {
		return false, err
	}
	if err := tx.SetFiguresRolledUntil(ctx, &next); err != nil {
		return false, fmt.Errorf("note how far figures are rolled up: %w", err)
	}
	return !next.Before(today), nil
}

// side says by which two of unit, area and matter a cell is added up; the third
// is empty.
type side string

const (
	byUnit       side = "unit"        // and area
	byMatter     side = "matter"      // and area
	byUnitMatter side = "unit_matter" // of a unit wherever it works
)

// cell is one place in the months.
type cell struct {
	side               side
	month              time.Time
	unit, area, matter string
}

type cells map[cell]*figures.Sums

// add adds to all sides of a place.
func (c cells) add(month time.Time, unit, area, matter string, s figures.Sums) {
	month = month.UTC()
	for _, at := range []cell{
		{side: byUnit, month: month, unit: unit, area: area},
		{side: byMatter, month: month, area: area, matter: matter},
		{side: byUnitMatter, month: month, unit: unit, matter: matter},
	} {
		if c[at] == nil {
			c[at] = &figures.Sums{}
		}
		c[at].Add(s)
	}
}

// save adds the cells to the months.
func (c cells) save(ctx context.Context, tx *postgres.Tx) error {
	var p db.AddFigureCellsParams
	for at, s := range c {
		if *s == (figures.Sums{}) {
			continue
		}
		p.Sides, p.Months = append(p.Sides, string(at.side)), append(p.Months, at.month)
		p.Units, p.Areas, p.Matters = append(p.Units, at.unit), append(p.Areas, at.area), append(p.Matters, at.matter)
		p.Sums = append(p.Sums, array(s[:]))
	}
	if len(p.Months) == 0 {
		return nil
	}
	if err := tx.AddFigureCells(ctx, p); err != nil {
		return fmt.Errorf("add to the months: %w", err)
	}
	return nil
}

// array writes numbers as PostgreSQL reads an array.
func array(list []int32) string {
	b := []byte{'{'}
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, int64(v), 10)
	}
	return string(append(b, '}'))
}
