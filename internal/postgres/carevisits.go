package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/care"
)

// visitRow is a visit as jsonb_populate_recordset reads it: a set of visits is
// one statement with one parameter.
type visitRow struct {
	ID          int64           `json:"id"`
	BedID       int64           `json:"bed_id"`
	ItemID      int64           `json:"item_id"`
	Slot        int             `json:"slot"`
	Kind        string          `json:"kind"`
	State       care.VisitState `json:"state"`
	Reason      string          `json:"reason"`
	Version     int             `json:"version"`
	Day         string          `json:"day"`
	Starts      int             `json:"starts"`
	Ends        int             `json:"ends"`
	Minutes     int             `json:"minutes"`
	StaffID     int64           `json:"staff_id"`
	Grid        string          `json:"grid"`
	Nominal     string          `json:"nominal"`
	Earliest    string          `json:"earliest"`
	Latest      string          `json:"latest"`
	Told        bool            `json:"told"`
	AskedAt     *time.Time      `json:"asked_at"`
	ConfirmedBy int64           `json:"confirmed_by"`
	Crowded     bool            `json:"crowded"`
	Off         bool            `json:"off"`
	MakeUps     int             `json:"make_ups"`
	Moves       int             `json:"moves"`
	Noted       bool            `json:"noted"`
	Present     int64           `json:"present"`
	MadeAt      time.Time       `json:"made_at"`
	ChangedAt   *time.Time      `json:"changed_at"`
	ChangedBy   int64           `json:"changed_by"`
	StateAt     time.Time       `json:"state_at"`
	LeftAt      *time.Time      `json:"left_at"`
	ArrivedAt   *time.Time      `json:"arrived_at"`
	DoneAt      *time.Time      `json:"done_at"`
	HelpAt      *time.Time      `json:"help_at"`
	CodeAt      *time.Time      `json:"code_at"`
}

func rowOf(v care.Visit) visitRow {
	return visitRow{
		ID: v.ID, BedID: v.BedID, ItemID: v.ItemID, Slot: v.Slot, Kind: v.Kind, State: v.State, Reason: v.Reason, Version: v.Version,
		Day: v.Date.String(), Starts: int(v.Window.From), Ends: int(v.Window.To), Minutes: v.Minutes, StaffID: v.Staff, Grid: v.Grid,
		Nominal: v.Nominal.String(), Earliest: v.Earliest.String(), Latest: v.Latest.String(), Told: v.Told, AskedAt: at(v.AskedAt),
		ConfirmedBy: v.ConfirmedBy, Crowded: v.Full, Off: v.Off, MakeUps: v.MakeUps, Moves: v.Moves, Noted: v.Noted, Present: v.Present,
		MadeAt: v.MadeAt, ChangedAt: at(v.ChangedAt), ChangedBy: v.ChangedBy, StateAt: v.StateAt, LeftAt: at(v.LeftAt),
		ArrivedAt: at(v.ArrivedAt), DoneAt: at(v.DoneAt), HelpAt: at(v.HelpAt), CodeAt: at(v.CodeAt),
	}
}

// The columns that change; the others say which slot it is.
const (
	visitKey     = `bed_id, item_id, slot, kind, made_at`
	visitChanges = `state, reason, version, day, starts, ends, minutes, staff_id, grid, nominal, earliest, latest, told, asked_at, confirmed_by,
  crowded, off, make_ups, moves, noted, present, changed_at, changed_by, state_at, left_at, arrived_at, done_at, help_at, code_at`

	newVisitIDs = `select nextval(pg_get_serial_sequence('visit', 'id')) from generate_series(1, $1::int)`

	insertVisits = `insert into visit (id, ` + visitKey + `, ` + visitChanges + `) overriding system value
select id, ` + visitKey + `, ` + visitChanges + ` from jsonb_populate_recordset(null::visit, $1)`

	updateVisits = `update visit v set (` + visitChanges + `) = (select ` + visitChanges + ` from (select n.*) c)
from jsonb_populate_recordset(null::visit, $1) n where v.id = n.id`
)

// InsertVisits writes new visits, each in a slot that has none, and sets their
// ids in the order given.
func (t *Tx) InsertVisits(ctx context.Context, visits []*care.Visit) error {
	if len(visits) == 0 {
		return nil
	}
	rows, err := t.conn.Query(ctx, newVisitIDs, len(visits))
	if err != nil {
		return fmt.Errorf("draw ids of visits: %w", err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("draw ids of visits: %w", err)
	}
	for i, v := range visits {
		v.ID = ids[i]
	}
	return t.putVisits(ctx, insertVisits, visits)
}

// UpdateVisits writes visits whose beds are locked.
func (t *Tx) UpdateVisits(ctx context.Context, visits []*care.Visit) error {
	return t.putVisits(ctx, updateVisits, visits)
}

func (t *Tx) putVisits(ctx context.Context, statement string, visits []*care.Visit) error {
	if len(visits) == 0 {
		return nil
	}
	set := make([]visitRow, len(visits))
	for i, v := range visits {
		set[i] = rowOf(*v)
	}
	body, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("pack visits: %w", err)
	}
	tag, err := t.conn.Exec(ctx, statement, json.RawMessage(body))
	if err != nil {
		return fmt.Errorf("write visits: %w", err)
	}
	if int(tag.RowsAffected()) != len(visits) {
		return fmt.Errorf("write visits: %d of %d rows were there", tag.RowsAffected(), len(visits))
	}
	return nil
}

// insertSkips writes down slots that had no visit. A slot that is there stands.
const insertSkips = `insert into visit_skip (item_id, slot, bed_id, nominal, reason)
select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::date[], $5::text[]) on conflict do nothing`

// AddSkips writes down the slots of a bed for which there was no visit, and why.
func (t *Tx) AddSkips(ctx context.Context, bed int64, skips []care.Skip) error {
	if len(skips) == 0 {
		return nil
	}
	items, slots, beds := make([]int64, len(skips)), make([]int32, len(skips)), make([]int64, len(skips))
	days, reasons := make([]time.Time, len(skips)), make([]string, len(skips))
	for i, s := range skips {
		items[i], slots[i], beds[i], days[i], reasons[i] = s.ItemID, int32(s.Slot), bed, DayOf(s.Nominal), s.Reason
	}
	if _, err := t.conn.Exec(ctx, insertSkips, items, slots, beds, days, reasons); err != nil {
		return fmt.Errorf("write down skipped slots: %w", err)
	}
	return nil
}
