// Package demo is the city in which a newcomer plays both sides: invented
// people in the real divisions of 萍乡市, a clock that can be moved, and a page
// that says whom to be.
//
// # The city
//
// [Generate] lays it from configs/demo and configs/places, the same each time.
// [Load] writes it in one transaction into an empty database and marks that
// one; a database that holds something and bears no mark is refused, because a
// demo must never be laid over a real city.
//
// # The clock
//
// Product time begins on Tue 2026-03-03 09:00 and runs as fast as life. A
// [Traveller] moves it: it stops at each instant at which something comes due,
// lets planner, due runner, drainer and senders finish there, and only then
// goes on. So a leap ends where many small steps end. One traveller goes at a
// time; the loops of the process run beside it and may take rows from under its
// hands, which changes nothing, because the rows decide.
//
// # Who may see it
//
// The pages and the clock answer to the machine itself only (loopback address
// and name), and never to a form of a foreign page.
//
// # Failure
//
// What is stuck at an instant is waited for within a bound, then left and
// counted in Stop.Left; its own retries go on.
package demo

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"shaoying/configs"
)

// Plan is configs/demo/city.yaml.
type Plan struct {
	Source string `yaml:"source"`
	Start  string `yaml:"start"`
	Seed   uint64 `yaml:"seed"`
	Grids  int    `yaml:"grids"`
	// Branches is how many grids have a party branch; the others have a group.
	Branches   int      `yaml:"branches"`
	PerVillage Range    `yaml:"per_village"`
	Aides      Range    `yaml:"aides"`
	Handlers   int      `yaml:"handlers"`
	Names      Names    `yaml:"names"`
	Surnames   []string `yaml:"surnames"`
	First      []string `yaml:"first"`
	Second     []string `yaml:"second"`
	// Never lists names that nobody may bear.
	Never []string `yaml:"never"`
}

// Range is a number from Min to Max.
type Range struct {
	Min int `yaml:"min"`
	Max int `yaml:"max"`
}

// Names are the patterns of names: {n}, {estate}, {village} and {grid} are
// filled in.
type Names struct {
	Grid       string   `yaml:"grid"`
	EstateGrid string   `yaml:"estate_grid"`
	Branch     string   `yaml:"branch"`
	Group      string   `yaml:"group"`
	Numbers    []string `yaml:"numbers"`
}

const (
	planFile   = "demo/city.yaml"
	placesFile = "demo/places.csv"
)

// divisionFiles are the levels of the city, from the top.
var divisionFiles = [...]string{
	"places/pingxiang-city.csv", "places/pingxiang-counties.csv", "places/pingxiang-townships.csv", "places/pingxiang-villages.csv",
}

// ReadPlan reads the embedded plan.
func ReadPlan() (Plan, error) {
	body, err := configs.Read(planFile)
	if err != nil {
		return Plan{}, fmt.Errorf("read embedded %s: %w", planFile, err)
	}
	return ParsePlan(planFile, body)
}

// ParsePlan reads and checks a plan. name is the file's name for errors.
func ParsePlan(name string, body []byte) (Plan, error) {
	var p Plan
	if err := configs.Decode(name, body, &p); err != nil {
		return p, err
	}
	if err := p.check(); err != nil {
		return p, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p Plan) check() error {
	_, err := p.start()
	switch {
	case err != nil:
		return err
	case p.PerVillage.Min < 1 || p.PerVillage.Max < p.PerVillage.Min || p.PerVillage.Max > len(p.Names.Numbers):
		return errors.New("per_village: min must be 1 or more, max not below it, and names.numbers must reach to max")
	case p.Aides.Min < 0 || p.Aides.Max < p.Aides.Min || p.Handlers < 1:
		return errors.New("aides and handlers: there must be a handler, and max not below min")
	case p.Branches < 0 || p.Branches > p.Grids:
		return errors.New("branches: at most one for each grid")
	case len(p.Surnames) == 0 || len(p.First) == 0 || len(p.Second) == 0:
		return errors.New("surnames, first and second: each needs an entry")
	}
	for what, pattern := range map[string][2]string{
		"names.grid": {p.Names.Grid, "{n}"}, "names.estate_grid": {p.Names.EstateGrid, "{estate}"},
		"names.branch": {p.Names.Branch, "{grid}"}, "names.group": {p.Names.Group, "{grid}"},
	} {
		if !strings.Contains(pattern[0], pattern[1]) {
			return fmt.Errorf("%s: %s is missing", what, pattern[1])
		}
	}
	return nil
}

// start is the instant at which the demo's product time begins.
func (p Plan) start() (time.Time, error) {
	at, err := time.Parse(time.RFC3339, p.Start)
	if err != nil {
		return at, fmt.Errorf("start: %w", err)
	}
	return at, nil
}
