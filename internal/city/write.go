package city

import (
	"context"
	"fmt"
	"math"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// PutDivisions writes divisions over those of the same codes, parents first,
// and returns how many that changed. Divisions whose name is their code do not
// replace a known name.
func PutDivisions(ctx context.Context, q *db.Queries, all []people.Division) (int64, error) {
	var p db.FillDivisionsParams
	for _, d := range all {
		p.Codes = append(p.Codes, string(d.Code))
		p.Levels = append(p.Levels, string(d.Level))
		p.Names = append(p.Names, d.Name)
		p.Parents = append(p.Parents, string(d.Parent))
	}
	n, err := q.FillDivisions(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("write the divisions: %w", err)
	}
	return n, nil
}

// PutGrids writes grids over those of the same codes and returns how many that
// changed. A grid never moves to another village: its code names the village.
func PutGrids(ctx context.Context, q *db.Queries, all []people.Grid) (int64, error) {
	var p db.FillGridsParams
	for _, g := range all {
		p.Ids = append(p.Ids, string(g.Code))
		p.Villages = append(p.Villages, string(g.Village))
		p.Names = append(p.Names, g.Name)
		p.Groups = append(p.Groups, g.PartyGroup)
	}
	n, err := q.FillGrids(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("write the grids: %w", err)
	}
	return n, nil
}

// PutPlaces writes places over those of the same village and name, accepts
// their aliases and returns how many rows that changed. Aliases that are there
// already stay.
func PutPlaces(ctx context.Context, q *db.Queries, all []people.Place) (int64, error) {
	var p db.FillPlacesParams
	var villages, names, aliases []string
	for _, place := range all {
		at := people.LatLon{Lat: math.NaN(), Lon: math.NaN()}
		if place.At != nil {
			at = *place.At
		}
		p.Kinds = append(p.Kinds, string(place.Kind))
		p.Names = append(p.Names, place.Name)
		p.Villages = append(p.Villages, string(place.Village))
		p.Grids = append(p.Grids, string(place.Grid))
		p.Lats = append(p.Lats, at.Lat)
		p.Lons = append(p.Lons, at.Lon)
		for _, alias := range place.Aliases {
			villages, names, aliases = append(villages, string(place.Village)), append(names, place.Name), append(aliases, alias)
		}
	}
	n, err := q.FillPlaces(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("write the places: %w", err)
	}
	m, err := q.FillAliases(ctx, villages, names, aliases)
	if err != nil {
		return 0, fmt.Errorf("write the aliases: %w", err)
	}
	return n + m, nil
}

// PutUnits writes the units of configs/units.yaml, so that staff can be given
// to them and reports can name them. It is run at every start.
func PutUnits(ctx context.Context, q *db.Queries, units *ticket.Units) error {
	var codes, names, kinds []string
	for _, u := range units.All() {
		codes, names, kinds = append(codes, u.Code), append(names, u.Name), append(kinds, string(u.Kind))
	}
	if _, err := q.FillUnits(ctx, codes, names, kinds); err != nil {
		return fmt.Errorf("write the units: %w", err)
	}
	return nil
}

// PutStaff writes staff over those of the same slugs: name, phone, substitute
// and all grants become what the rows say. New ones get a person. It returns
// how many rows that changed.
func PutStaff(ctx context.Context, q *db.Queries, all []people.StaffRow) (int64, error) {
	p, err := staffParams(ctx, q, all)
	if err != nil {
		return 0, err
	}
	changed, err := q.FillStaff(ctx, p)
	if err != nil {
		return 0, fmt.Errorf("write the staff: %w", err)
	}
	substitutes := make([]string, len(all))
	var g db.FillGrantsParams
	for i, s := range all {
		substitutes[i] = s.Substitute
		for _, grant := range s.Grants {
			g.Slugs = append(g.Slugs, s.Slug)
			g.Roles = append(g.Roles, string(grant.Role))
			g.Kinds = append(g.Kinds, string(grant.Area.Kind))
			g.Areas = append(g.Areas, grant.Area.Code)
		}
	}
	moved, err := q.FillSubstitutes(ctx, p.Slugs, substitutes)
	if err != nil {
		return 0, fmt.Errorf("write who stands in for whom: %w", err)
	}
	given, err := q.FillGrants(ctx, g)
	if err != nil {
		return 0, fmt.Errorf("write the grants: %w", err)
	}
	taken, err := q.DropOtherGrants(ctx, db.DropOtherGrantsParams{
		Slugs: p.Slugs, GrantSlugs: g.Slugs, Roles: g.Roles, Kinds: g.Kinds, Areas: g.Areas,
	})
	if err != nil {
		return 0, fmt.Errorf("take back grants: %w", err)
	}
	return changed + moved + given + taken, nil
}

// staffParams gives each row its person: its own, or a new one.
func staffParams(ctx context.Context, q *db.Queries, all []people.StaffRow) (db.FillStaffParams, error) {
	var p db.FillStaffParams
	for _, s := range all {
		p.Slugs = append(p.Slugs, s.Slug)
		p.Names = append(p.Names, s.Name)
		p.Phones = append(p.Phones, s.Phone)
	}
	known, err := q.StaffIDs(ctx, p.Slugs)
	if err != nil {
		return p, fmt.Errorf("look for known staff: %w", err)
	}
	person := make(map[string]int64, len(all))
	for _, k := range known {
		person[k.Slug] = k.PersonID
	}
	fresh, err := q.NewPersons(ctx, int32(len(all)-len(known)))
	if err != nil {
		return p, fmt.Errorf("make persons for new staff: %w", err)
	}
	for _, slug := range p.Slugs {
		id, ok := person[slug]
		if !ok {
			id, fresh = fresh[0], fresh[1:]
		}
		p.Persons = append(p.Persons, id)
	}
	return p, nil
}
