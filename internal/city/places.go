package city

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Places holds the gazetteer as it is now. It is safe for use by many
// goroutines.
type Places struct {
	db  *postgres.DB
	bus *postgres.Bus
	log *slog.Logger
	now atomic.Pointer[people.Gazetteer]
}

// NewPlaces reads the rows and builds the first gazetteer.
func NewPlaces(ctx context.Context, d *postgres.DB, bus *postgres.Bus, log *slog.Logger) (*Places, error) {
	p := &Places{db: d, bus: bus, log: log}
	return p, p.Reload(ctx)
}

// Current returns the gazetteer. It stays as it is; ask again for a newer one.
func (p *Places) Current() *people.Gazetteer { return p.now.Load() }

// Reload builds the gazetteer from the rows.
func (p *Places) Reload(ctx context.Context) error {
	g, err := readGazetteer(ctx, p.db.Queries)
	if err != nil {
		return err
	}
	p.now.Store(g)
	return nil
}

// Run reloads after every change, by whichever process, until ctx ends.
func (p *Places) Run(ctx context.Context) error {
	changed, stop := p.bus.Subscribe(TopicPlaces)
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		if err := p.Reload(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("the gazetteer stays as it was", "error", err)
		}
	}
}

func readGazetteer(ctx context.Context, q *db.Queries) (*people.Gazetteer, error) {
	divisions, err := divisions(ctx, q)
	if err != nil {
		return nil, err
	}
	grids, err := grids(ctx, q)
	if err != nil {
		return nil, err
	}
	rows, err := q.Places(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the places: %w", err)
	}
	named, err := q.Aliases(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the aliases: %w", err)
	}
	aliases := make(map[int64][]string, len(named))
	for _, a := range named {
		aliases[a.PlaceID] = append(aliases[a.PlaceID], a.Alias)
	}
	places := make([]people.Place, len(rows))
	for i, r := range rows {
		places[i] = people.Place{
			ID: r.ID, Kind: people.PlaceKind(r.Kind), Name: r.Name, Village: people.DivisionCode(r.Village),
			Grid: people.GridCode(r.Grid), Aliases: aliases[r.ID],
		}
		if !math.IsNaN(r.Lat) && !math.IsNaN(r.Lon) {
			places[i].At = &people.LatLon{Lat: r.Lat, Lon: r.Lon}
		}
	}
	return people.NewGazetteer(divisions, grids, places), nil
}

func divisions(ctx context.Context, q *db.Queries) ([]people.Division, error) {
	rows, err := q.Divisions(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the divisions: %w", err)
	}
	all := make([]people.Division, len(rows))
	for i, r := range rows {
		all[i] = people.Division{
			Code: people.DivisionCode(r.Code), Level: people.DivisionLevel(r.Level), Name: r.Name, Parent: people.DivisionCode(r.Parent),
		}
	}
	return all, nil
}

func grids(ctx context.Context, q *db.Queries) ([]people.Grid, error) {
	rows, err := q.Grids(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the grids: %w", err)
	}
	all := make([]people.Grid, len(rows))
	for i, r := range rows {
		all[i] = people.Grid{Code: people.GridCode(r.ID), Village: people.DivisionCode(r.Village), Name: r.Name, PartyGroup: r.PartyGroup}
	}
	return all, nil
}
