package people

import "slices"

// DivisionLevel is how high a division stands.
type DivisionLevel string

// The levels of divisions kept here.
const (
	LevelCity     DivisionLevel = "city"
	LevelCounty   DivisionLevel = "county"
	LevelTownship DivisionLevel = "township"
	LevelVillage  DivisionLevel = "village"
)

// DivisionCode is a statistical division code 统计用区划代码: 4 digits city,
// 6 county (GB/T 2260), 9 township (GB/T 10114), 12 village or community.
type DivisionCode string

const (
	cityDigits     = 4
	countyDigits   = 6
	townshipDigits = 9
	villageDigits  = 12
	gridDigits     = villageDigits + 3
)

// Level returns the level of the code; ok is false for anything that is no
// code.
func (c DivisionCode) Level() (level DivisionLevel, ok bool) {
	if !digits(string(c)) {
		return "", false
	}
	switch len(c) {
	case cityDigits:
		return LevelCity, true
	case countyDigits:
		return LevelCounty, true
	case townshipDigits:
		return LevelTownship, true
	case villageDigits:
		return LevelVillage, true
	}
	return "", false
}

// Parent returns the code one level up, "" above a city or for no code.
func (c DivisionCode) Parent() DivisionCode {
	steps := []int{cityDigits, countyDigits, townshipDigits, villageDigits}
	i := slices.Index(steps, len(c))
	if _, ok := c.Level(); !ok || i < 1 {
		return ""
	}
	return c[:steps[i-1]]
}

// At returns the code of the given level that c lies in, "" when c is higher.
func (c DivisionCode) At(level DivisionLevel) DivisionCode {
	for ; c != ""; c = c.Parent() {
		if l, _ := c.Level(); l == level {
			return c
		}
	}
	return ""
}

// GridCode is a village code and three digits: 15 in all, counted from 001
// within the village.
type GridCode string

// Valid reports whether the code is well formed.
func (g GridCode) Valid() bool { return len(g) == gridDigits && digits(string(g)) }

// Village returns the village the grid lies in, "" when the code is bad.
func (g GridCode) Village() DivisionCode {
	if !g.Valid() {
		return ""
	}
	return DivisionCode(g[:villageDigits])
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Division is one administrative division.
type Division struct {
	Code   DivisionCode
	Level  DivisionLevel
	Name   string
	Parent DivisionCode // "" for the city
}

// Grid is the area of one grid worker.
type Grid struct {
	Code       GridCode
	Village    DivisionCode
	Name       string
	PartyGroup string // the party group that stands behind it 网格党小组
}

// PlaceKind says what a place is.
type PlaceKind string

// The kinds of place.
const (
	PlaceEstate   PlaceKind = "estate"   // 小区
	PlaceBuilding PlaceKind = "building" // 楼栋
	PlaceLane     PlaceKind = "lane"     // 路、街、巷
	PlaceGroup    PlaceKind = "group"    // 村民小组
	PlaceStop     PlaceKind = "stop"     // 站台
	PlaceLandmark PlaceKind = "landmark" // market, school, bridge, what people name things by
)

// PlaceKinds lists every kind.
func PlaceKinds() []PlaceKind {
	return []PlaceKind{PlaceEstate, PlaceBuilding, PlaceLane, PlaceGroup, PlaceStop, PlaceLandmark}
}

// Place is somewhere people say things are.
type Place struct {
	ID      int64
	Kind    PlaceKind
	Name    string
	Village DivisionCode
	Grid    GridCode // "" when several grids share it
	At      *LatLon  // WGS-84, nil when unknown
	Aliases []string // accepted ones
}

// LatLon is a position in degrees, WGS-84.
type LatLon struct{ Lat, Lon float64 }
