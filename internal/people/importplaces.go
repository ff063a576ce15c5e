package people

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Places is what a file of places holds: grids and the places in them.
type Places struct {
	Grids  []Grid
	Places []Place
}

// kindGrid marks a row that is a grid rather than a place.
const kindGrid = "grid"

// ParsePlaces reads places and grids:
//
//	kind,name,village,grid,lat,lon,aliases,party_group
//
// kind is one of PlaceKinds or "grid". A grid's own code stands in the column
// grid; for a place it is the grid it lies in, empty when several share it.
// lat and lon are WGS-84 degrees, both or neither. Aliases are separated by |.
// Divisions and grids that are in the database already are passed in; a grid
// may be repeated with the same code (it is then replaced), a place may not.
func ParsePlaces(f File, divisions []Division, grids []Grid) (Places, error) {
	t, err := readTable(f.Name, f.Body, []string{"kind", "name", "village"}, []string{"grid", "lat", "lon", "aliases", "party_group"})
	if err != nil {
		return Places{}, err
	}
	villages := make(map[DivisionCode]bool)
	for _, d := range divisions {
		villages[d.Code] = d.Level == LevelVillage
	}
	knownGrids := make(map[GridCode]bool)
	for _, g := range grids {
		knownGrids[g.Code] = true
	}
	var out Places
	first := make(map[string]int)
	for _, r := range t.rows { // grids first: a place may stand above its grid
		if r.get("kind") == kindGrid {
			if g, ok := t.grid(r, villages, first); ok {
				out.Grids = append(out.Grids, g)
				knownGrids[g.Code] = true
			}
		}
	}
	for _, r := range t.rows {
		if r.get("kind") != kindGrid {
			if p, ok := t.place(r, villages, knownGrids, first); ok {
				out.Places = append(out.Places, p)
			}
		}
	}
	if err := t.err(); err != nil {
		return Places{}, err
	}
	return out, nil
}

func (t *table) village(r row, villages map[DivisionCode]bool) (DivisionCode, bool) {
	v := DivisionCode(r.get("village"))
	if !villages[v] {
		t.fail(r.line, fmt.Sprintf("village %q is unknown; import the divisions first", v))
	}
	return v, villages[v]
}

func (t *table) once(r row, first map[string]int, what string) bool {
	if line, ok := first[what]; ok {
		t.fail(r.line, fmt.Sprintf("%s stands twice, first in line %d", what, line))
		return false
	}
	first[what] = r.line
	return true
}

func (t *table) grid(r row, villages map[DivisionCode]bool, first map[string]int) (Grid, bool) {
	name := t.checkName(r, "name")
	v, ok := t.village(r, villages)
	code := GridCode(r.get("grid"))
	if code.Village() != v || !code.Valid() {
		t.fail(r.line, fmt.Sprintf("grid %q is no code of village %s: that and three digits", code, v))
		ok = false
	}
	ok = t.once(r, first, "grid "+string(code)) && ok
	return Grid{Code: code, Village: v, Name: name, PartyGroup: r.get("party_group")}, ok
}

func (t *table) place(r row, villages map[DivisionCode]bool, grids map[GridCode]bool, first map[string]int) (Place, bool) {
	before := len(t.bad)
	p := Place{Kind: PlaceKind(r.get("kind")), Name: t.checkName(r, "name"), Grid: GridCode(r.get("grid"))}
	if !slices.Contains(PlaceKinds(), p.Kind) {
		t.fail(r.line, fmt.Sprintf("kind %q is not one of %v or grid", p.Kind, PlaceKinds()))
	}
	p.Village, _ = t.village(r, villages)
	switch {
	case p.Grid == "":
	case !grids[p.Grid]:
		t.fail(r.line, fmt.Sprintf("grid %q is unknown", p.Grid))
	case p.Grid.Village() != p.Village:
		t.fail(r.line, fmt.Sprintf("grid %s does not lie in village %s", p.Grid, p.Village))
	}
	t.once(r, first, fmt.Sprintf("place %s in %s", normalizePlace(p.Name), p.Village))
	p.At = t.position(r)
	for alias := range strings.SplitSeq(r.get("aliases"), "|") {
		alias = strings.TrimSpace(alias)
		switch {
		case alias == "" || slices.Contains(p.Aliases, alias):
		case utf8.RuneCountInString(normalizePlace(alias)) < minKeyRunes || utf8.RuneCountInString(alias) > maxNameRunes:
			t.fail(r.line, fmt.Sprintf("alias %q must have %d to %d characters", alias, minKeyRunes, maxNameRunes))
		default:
			p.Aliases = append(p.Aliases, alias)
		}
	}
	if utf8.RuneCountInString(normalizePlace(p.Name)) < minKeyRunes && p.Name != "" {
		t.fail(r.line, fmt.Sprintf("name %q is too short to be found in a sentence", p.Name))
	}
	return p, len(t.bad) == before
}

// position reads lat and lon. China lies between 3 and 54 degrees north and 73
// and 136 degrees east; anything else is a swapped or projected pair.
func (t *table) position(r row) *LatLon {
	lat, lon := r.get("lat"), r.get("lon")
	if lat == "" && lon == "" {
		return nil
	}
	y, errY := strconv.ParseFloat(lat, 64)
	x, errX := strconv.ParseFloat(lon, 64)
	if errY != nil || errX != nil || !(3 < y && y < 54 && 73 < x && x < 136) {
		t.fail(r.line, fmt.Sprintf("lat %q and lon %q are no position in China in WGS-84 degrees", lat, lon))
		return nil
	}
	return &LatLon{y, x}
}
