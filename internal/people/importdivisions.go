package people

import (
	"errors"
	"fmt"
	"slices"
)

// File is a file to import.
type File struct {
	Name string
	Body []byte
}

// ParseDivisions reads the open data files of Administrative-divisions-of-China
// in any order. The columns tell what a file holds:
//
//	code,name,provinceCode                            cities
//	code,name,cityCode,provinceCode                   counties
//	code,name,areaCode,provinceCode,cityCode          townships
//	code,name,streetCode,provinceCode,cityCode,areaCode villages
//
// Every division needs its parent in one of the files. Only the levels above
// the highest file that is given may be absent; they are made up with their
// code as name, so that townships and villages alone can be imported.
func ParseDivisions(files ...File) ([]Division, error) {
	known := make(map[DivisionCode]Division)
	tables := make([]*table, 0, len(files))
	levels := make(map[DivisionLevel]bool)
	parents := make(map[DivisionCode]parentOf)
	for _, f := range files {
		level, parentColumn := divisionFile(columns(f.Body))
		t, err := readTable(f.Name, f.Body, []string{"code", "name", parentColumn}, []string{"streetCode", "areaCode", "cityCode", "provinceCode"})
		if err != nil {
			return nil, err
		}
		levels[level] = true
		tables = append(tables, t)
		for _, r := range t.rows {
			t.division(r, level, parentColumn, known, parents)
		}
	}
	top := highest(levels)
	for _, code := range sortedCodes(known) {
		d := known[code]
		if _, ok := known[d.Parent]; ok || d.Parent == "" {
			continue
		}
		if d.Level != top {
			p := parents[code]
			p.table.fail(p.line, fmt.Sprintf("its parent %s is in none of the files", d.Parent))
			continue
		}
		for up := d.Parent; up != ""; up = up.Parent() {
			level, _ := up.Level()
			known[up] = Division{Code: up, Level: level, Name: string(up), Parent: up.Parent()}
		}
	}
	var bad error
	for _, t := range tables {
		bad = errors.Join(bad, t.err())
	}
	if bad != nil {
		return nil, bad
	}
	all := make([]Division, 0, len(known))
	for _, code := range sortedCodes(known) {
		all = append(all, known[code])
	}
	return all, nil
}

type parentOf struct {
	table *table
	line  int
}

// division takes one row over.
func (t *table) division(r row, level DivisionLevel, parentColumn string, known map[DivisionCode]Division, seen map[DivisionCode]parentOf) {
	code := DivisionCode(r.get("code"))
	name := t.checkName(r, "name")
	if got, ok := code.Level(); !ok || got != level {
		t.fail(r.line, fmt.Sprintf("code %q is no %s code", code, level))
		return
	}
	parent := code.Parent()
	if said := r.get(parentColumn); level != LevelCity && said != string(parent) {
		t.fail(r.line, fmt.Sprintf("%s is %q, but %s lies in %s", parentColumn, said, code, parent))
		return
	}
	if first, ok := seen[code]; ok {
		t.fail(r.line, fmt.Sprintf("code %s stands twice, first in %s line %d", code, first.table.file, first.line))
		return
	}
	seen[code] = parentOf{t, r.line}
	known[code] = Division{Code: code, Level: level, Name: name, Parent: parent}
}

// divisionFile tells the level of a file by its columns, and the column that
// names the parent.
func divisionFile(columns []string) (DivisionLevel, string) {
	switch {
	case slices.Contains(columns, "streetCode"):
		return LevelVillage, "streetCode"
	case slices.Contains(columns, "areaCode"):
		return LevelTownship, "areaCode"
	case slices.Contains(columns, "cityCode"):
		return LevelCounty, "cityCode"
	}
	return LevelCity, "provinceCode"
}

func highest(levels map[DivisionLevel]bool) DivisionLevel {
	for _, l := range []DivisionLevel{LevelCity, LevelCounty, LevelTownship} {
		if levels[l] {
			return l
		}
	}
	return LevelVillage
}

// sortedCodes puts parents before their children.
func sortedCodes(known map[DivisionCode]Division) []DivisionCode {
	codes := make([]DivisionCode, 0, len(known))
	for code := range known {
		codes = append(codes, code)
	}
	slices.SortFunc(codes, func(a, b DivisionCode) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		if a < b {
			return -1
		}
		return 1
	})
	return codes
}
