package people

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Status says how a search ended.
type Status string

// The outcomes of a search.
const (
	Found     Status = "found"
	Ambiguous Status = "ambiguous" // ask which of Options
	Unknown   Status = "unknown"   // a dispatcher decides; Within may narrow it
)

// Match is one place or village.
type Match struct {
	PlaceID  int64 // 0 for a village as a whole
	Kind     PlaceKind
	Village  DivisionCode
	Township DivisionCode
	Grid     GridCode // "" when unknown or shared by several grids
	Name     string   // as the gazetteer spells it
	Detail   string   // building, unit or group that the speaker added: "9栋"
	// TownshipName and CountyName tell apart what shares a name; empty when
	// the division is not known.
	TownshipName string
	CountyName   string
}

// Label is the name with what was added, for the ticket.
func (m Match) Label() string { return m.Name + m.Detail }

// FullLabel puts county and township before the label, for a choice between
// places of one name.
func (m Match) FullLabel() string { return m.CountyName + m.TownshipName + m.Label() }

// Resolution is the answer to a search.
type Resolution struct {
	Status  Status
	Match   Match   // when Found
	Options []Match // when Ambiguous, at most maxOptions
	// More says that there were more than maxOptions: ask for the township
	// rather than for one of them.
	More bool
	// Within is the township or county that was named, when nothing below it
	// was: enough for the dispatcher to know whose it is.
	Within DivisionCode
}

const (
	// maxOptions is how many places can be offered on a feature phone's screen
	// and be remembered by who hears them read out.
	maxOptions = 6
	// maxQueryRunes bounds the part of a message that is searched; a place
	// stands at its beginning.
	maxQueryRunes = 600
	// nearMetres is how far from a place a position still means that place:
	// phone positions in streets are off by some tens of metres.
	nearMetres = 150
	// sameMetres is how much nearer than the next candidate of one name a
	// place must be to be taken without asking.
	sameMetres = 2000
)

// hit is one name found in the query.
type hit struct {
	from, to int // bytes of the normalised query
	key      *key
}

// Find resolves what a resident wrote, with a position when one was sent.
func (g *Gazetteer) Find(text string, near *LatLon) Resolution {
	query := normalizePlace(clip(text))
	hits := g.hits(query)
	within := narrowest(hits)
	candidates, spot := g.candidates(hits)
	if len(candidates) == 0 {
		return g.nearest(near, within)
	}
	agreeing := slices.DeleteFunc(slices.Clone(candidates), func(t target) bool { return !g.agrees(t, hits, spot) })
	contradicted := len(agreeing) == 0
	if !contradicted {
		candidates = agreeing
	}
	if near != nil {
		candidates = g.closest(candidates, *near)
	}
	detail := ""
	if spot.to > spot.from {
		detail = detailAfter(query[spot.to:])
	}
	matches := make([]Match, 0, min(len(candidates), maxOptions))
	for _, t := range candidates {
		if len(matches) == maxOptions {
			break
		}
		matches = append(matches, g.match(t, detail))
	}
	if len(candidates) == 1 && !contradicted {
		return Resolution{Status: Found, Match: matches[0]}
	}
	return Resolution{Status: Ambiguous, Options: matches, More: len(candidates) > len(matches), Within: within}
}

func clip(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxQueryRunes {
			return text[:i]
		}
	}
	return text
}

// hits finds all names, drops those inside a longer one and weak ones without
// support. They come in the order of the text.
func (g *Gazetteer) hits(query string) []hit {
	var all []hit
	for from := 0; from < len(query); {
		_, size := utf8.DecodeRuneInString(query[from:])
		for _, length := range g.lengths[prefix(query[from:])] {
			to := from + length
			if to > len(query) {
				break
			}
			if k, ok := g.keys[query[from:to]]; ok && !cutsNumber(query, from, to) {
				all = append(all, hit{from, to, k})
			}
		}
		from += size
	}
	supported := func(h hit) bool {
		if !h.key.weak || h.from == 0 && h.to == len(query) {
			return true
		}
		return slices.ContainsFunc(all, func(o hit) bool { return o.to == h.from && above(o, h) || h.to == o.from && above(h, o) })
	}
	kept := slices.DeleteFunc(slices.Clone(all), func(h hit) bool { return !supported(h) })
	return slices.DeleteFunc(slices.Clone(kept), func(h hit) bool {
		return slices.ContainsFunc(kept, func(o hit) bool {
			return o.from <= h.from && h.to <= o.to && o.to-o.from > h.to-h.from
		})
	})
}

// cutsNumber reports whether the span would cut a number in two: 昌盛小区1
// is not in 昌盛小区13.
func cutsNumber(query string, from, to int) bool {
	digit := func(i int) bool { return i >= 0 && i < len(query) && '0' <= query[i] && query[i] <= '9' }
	return digit(from-1) && digit(from) || digit(to-1) && digit(to)
}

// above reports whether something that a names lies over something b names.
func above(a, b hit) bool {
	return slices.ContainsFunc(a.key.targets, func(x target) bool {
		return x.place < 0 && slices.ContainsFunc(b.key.targets, func(y target) bool {
			return len(y.division) > len(x.division) && strings.HasPrefix(string(y.division), string(x.division)) || y.place >= 0 && y.division == x.division
		})
	})
}

// candidates returns what the most telling name stands for, and that name:
// places before villages, then the longest, then the first.
func (g *Gazetteer) candidates(hits []hit) ([]target, hit) {
	var best []target
	var spot hit
	bestPlace := false
	for _, h := range hits {
		targets, place := tellings(h)
		if len(targets) == 0 || bestPlace && !place {
			continue
		}
		if len(best) == 0 || place && !bestPlace || h.to-h.from > spot.to-spot.from {
			best, spot, bestPlace = targets, h, place
		}
	}
	return best, spot
}

// tellings returns the places of a hit, or else its villages.
func tellings(h hit) (targets []target, place bool) {
	for _, t := range h.key.targets {
		if t.place >= 0 {
			targets = append(targets, t)
		}
	}
	if len(targets) > 0 {
		return targets, true
	}
	for _, t := range h.key.targets {
		if len(t.division) == villageDigits {
			targets = append(targets, t)
		}
	}
	return targets, false
}

// agrees reports whether every other division named in the text may hold the
// target.
func (g *Gazetteer) agrees(t target, hits []hit, spot hit) bool {
	for _, h := range hits {
		if h == spot {
			continue
		}
		divisions, under := 0, false
		for _, o := range h.key.targets {
			if o.place < 0 {
				divisions++
				under = under || strings.HasPrefix(string(t.division), string(o.division))
			}
		}
		if divisions == len(h.key.targets) && !under {
			return false
		}
	}
	return true
}

// narrowest returns the lowest township or county named without doubt.
func narrowest(hits []hit) DivisionCode {
	var code DivisionCode
	for _, h := range hits {
		if t := h.key.targets[0]; len(h.key.targets) == 1 && t.place < 0 && len(t.division) < villageDigits && len(t.division) > len(code) {
			code = t.division
		}
	}
	return code
}

// closest keeps the one candidate that the position clearly means, or all.
func (g *Gazetteer) closest(candidates []target, near LatLon) []target {
	type ranked struct {
		t target
		d float64
	}
	var list []ranked
	for _, t := range candidates {
		if t.place < 0 || g.places[t.place].At == nil {
			return candidates
		}
		list = append(list, ranked{t, Metres(near, *g.places[t.place].At)})
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.d, b.d) })
	if len(list) > 1 && list[0].d+sameMetres > list[1].d {
		return candidates
	}
	return []target{list[0].t}
}

// nearest answers a bare position: the place it lies at, if there is one.
func (g *Gazetteer) nearest(near *LatLon, within DivisionCode) Resolution {
	best, distance := -1, float64(nearMetres)
	if near != nil {
		for i, p := range g.places {
			if p.At == nil || math.Abs(p.At.Lat-near.Lat) > 0.01 {
				continue
			}
			if d := Metres(*near, *p.At); d <= distance {
				best, distance = i, d
			}
		}
	}
	if best < 0 {
		return Resolution{Status: Unknown, Within: within}
	}
	return Resolution{Status: Found, Match: g.match(target{g.places[best].Village, best}, "")}
}

// Metres is the distance on a sphere flattened around a; good to a per cent
// over the size of a city.
func Metres(a, b LatLon) float64 {
	const perDegree = 111_320.0 // metres of a degree of latitude
	dy := (a.Lat - b.Lat) * perDegree
	dx := (a.Lon - b.Lon) * perDegree * math.Cos(a.Lat*math.Pi/180)
	return math.Hypot(dx, dy)
}

// detailAfter returns the building, unit, group or door that directly follows
// a name, as far as it goes: "9栋2单元" of "9栋2单元楼道灯坏了".
func detailAfter(rest string) string {
	runes := []rune(rest)
	i := 0
	for {
		n, _ := number(runes[i:])
		if n == 0 || i+n >= len(runes) {
			return string(runes[:i])
		}
		word := 0
		for _, w := range []string{"栋", "单元", "组", "号", "室", "期", "楼"} {
			if hasPrefix(runes[i+n:], w) {
				word = len([]rune(w))
				break
			}
		}
		if word == 0 {
			return string(runes[:i])
		}
		i += n + word
	}
}

// match describes a target.
func (g *Gazetteer) match(t target, detail string) Match {
	m := Match{Village: t.division, Township: t.division.At(LevelTownship), Detail: detail}
	m.TownshipName = g.divisions[m.Township].Name
	m.CountyName = g.divisions[t.division.At(LevelCounty)].Name
	if t.place < 0 {
		m.Name = spoken(g.divisions[t.division].Name)
		if grids := g.grids[t.division]; len(grids) == 1 {
			m.Grid = grids[0].Code
		}
		return m
	}
	p := g.places[t.place]
	m.PlaceID, m.Kind, m.Name, m.Grid = p.ID, p.Kind, p.Name, p.Grid
	return m
}

// spoken shortens an official village name to what people say.
func spoken(name string) string {
	if strong, _ := villageNames(name); len(strong) > 0 {
		if stem, ok := strings.CutSuffix(strong[0], "村村"); ok {
			return stem + "村"
		}
		return strong[0]
	}
	return name
}

// Around lists the places that lie within a distance in metres of a place, that
// place included. A place without a position is alone; one that is not known has
// nobody around it.
func (g *Gazetteer) Around(id int64, within float64) []Place {
	at := slices.IndexFunc(g.places, func(p Place) bool { return p.ID == id })
	if id == 0 || at < 0 {
		return nil
	}
	here := g.places[at]
	if here.At == nil {
		return []Place{here}
	}
	var around []Place
	for _, p := range g.places {
		if p.ID == id || p.At != nil && Metres(*here.At, *p.At) <= within {
			around = append(around, p)
		}
	}
	return around
}
