package people

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Gazetteer finds places in sentences. Immutable, safe for concurrent use.
type Gazetteer struct {
	divisions map[DivisionCode]Division
	grids     map[DivisionCode][]Grid // by village
	places    []Place
	keys      map[string]*key
	// lengths holds, under the first two runes of every name, the lengths in
	// bytes that such names have. So each position of a sentence costs one
	// look-up, and where a name may begin a few more, however many there are.
	lengths map[[2]rune][]int
}

// key is one way to write one or several things.
type key struct {
	text string
	// weak names are everyday words too (桥头, 新村): they count only as the
	// whole query or right behind the name of a division above.
	weak    bool
	targets []target
}

// target is a division or a place.
type target struct {
	division DivisionCode
	place    int // index, -1 for a division
}

// minKeyRunes is the shortest name that is looked for in a sentence.
const minKeyRunes = 2

// NewGazetteer builds the index. It is rebuilt after every import.
func NewGazetteer(divisions []Division, grids []Grid, places []Place) *Gazetteer {
	g := &Gazetteer{
		divisions: make(map[DivisionCode]Division, len(divisions)),
		grids:     make(map[DivisionCode][]Grid),
		places:    slices.Clone(places),
		lengths:   make(map[[2]rune][]int),
	}
	for _, grid := range grids {
		g.grids[grid.Village] = append(g.grids[grid.Village], grid)
	}
	names := newNames()
	for _, d := range divisions {
		g.divisions[d.Code] = d
		strong, weak := divisionNames(d)
		for _, n := range strong {
			names.add(n, false, target{d.Code, -1})
		}
		for _, n := range weak {
			names.add(n, true, target{d.Code, -1})
		}
	}
	estates := g.estates()
	for i, p := range g.places {
		for _, n := range placeNames(p, estates[p.Village]) {
			names.add(n, false, target{p.Village, i})
		}
	}
	g.keys = names
	for text := range names {
		first := prefix(text)
		if !slices.Contains(g.lengths[first], len(text)) {
			g.lengths[first] = append(g.lengths[first], len(text))
		}
	}
	for _, list := range g.lengths {
		slices.Sort(list)
	}
	return g
}

// names collects keys while the index is built.
type names map[string]*key

func newNames() names { return make(names) }

func (n names) add(name string, weak bool, t target) {
	text := normalizePlace(name)
	if utf8.RuneCountInString(text) < minKeyRunes {
		return
	}
	k, ok := n[text]
	if !ok {
		k = &key{text: text, weak: weak}
		n[text] = k
	}
	k.weak = k.weak && weak
	if !slices.Contains(k.targets, t) {
		k.targets = append(k.targets, t)
	}
}

// prefix returns the first two runes of a key.
func prefix(text string) [2]rune {
	a, n := utf8.DecodeRuneInString(text)
	b, _ := utf8.DecodeRuneInString(text[n:])
	return [2]rune{a, b}
}

// estates lists the estates of each village, the longest name first.
func (g *Gazetteer) estates() map[DivisionCode][]Place {
	by := make(map[DivisionCode][]Place)
	for _, p := range g.places {
		if p.Kind == PlaceEstate {
			by[p.Village] = append(by[p.Village], p)
		}
	}
	for _, list := range by {
		slices.SortFunc(list, func(a, b Place) int { return cmp.Compare(len(b.Name), len(a.Name)) })
	}
	return by
}

// placeNames returns the ways to write a place: its name, its aliases and, for
// a building, what its estate is called with the number behind it (昌盛3栋 for
// 昌盛小区3栋).
func placeNames(p Place, estates []Place) []string {
	all := append([]string{p.Name}, p.Aliases...)
	if p.Kind == PlaceEstate {
		return all
	}
	for _, e := range estates {
		rest, ok := strings.CutPrefix(normalizePlace(p.Name), normalizePlace(e.Name))
		if !ok || rest == "" {
			continue
		}
		for _, alias := range e.Aliases {
			all = append(all, alias+rest)
		}
		if stem, ok := strings.CutSuffix(e.Name, "小区"); ok {
			all = append(all, stem+rest)
		}
		break
	}
	return all
}

// divisionNames returns what people call a division: strong names stand for
// themselves anywhere in a sentence, weak ones need support.
func divisionNames(d Division) (strong, weak []string) {
	strong = append(strong, d.Name)
	switch d.Level {
	case LevelVillage:
		s, w := villageNames(d.Name)
		return append(strong, s...), w
	case LevelTownship:
		for _, end := range []string{"街道", "垦殖场", "镇", "乡"} {
			if stem, ok := strings.CutSuffix(d.Name, end); ok {
				if end == "街道" {
					strong = append(strong, stem+"街道办", stem+"街道办事处")
				}
				return strong, []string{stem}
			}
		}
	case LevelCounty:
		for _, end := range []string{"区", "县", "市"} {
			if stem, ok := strings.CutSuffix(d.Name, end); ok {
				return strong, []string{stem}
			}
		}
	}
	return strong, nil
}

func villageNames(name string) (strong, weak []string) {
	for _, end := range []string{"村民委员会", "村委会"} {
		stem, ok := strings.CutSuffix(name, end)
		if !ok {
			continue
		}
		strong = []string{stem + "村", stem + "村委", stem + "村委会", stem + "村民委员会"}
		if strings.HasSuffix(stem, "村") { // 南村村委会 is called 南村
			return append(strong, stem), nil
		}
		return strong, []string{stem}
	}
	for _, end := range []string{"社区居委会", "社区居民委员会", "居委会", "居民委员会", "社区"} {
		if stem, ok := strings.CutSuffix(name, end); ok {
			return []string{stem + "社区", stem + "居委会", stem + "居委", stem + "社区居委会", stem + "居民委员会"}, []string{stem}
		}
	}
	return nil, nil
}

// GridNames lists the names of all grids.
func (g *Gazetteer) GridNames() (names []string) {
	for _, grids := range g.grids {
		for _, grid := range grids {
			names = append(names, grid.Name)
		}
	}
	return names
}
