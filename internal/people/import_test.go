package people_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shaoying/internal/people"
)

func testFile(t testing.TB, name string) people.File {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return people.File{Name: name, Body: body}
}

// divisions are the real ones: 1 city, 5 counties, 58 townships, 789 villages.
func divisions(t testing.TB) []people.Division {
	t.Helper()
	all, err := people.ParseDivisions(testFile(t, "cities.csv"), testFile(t, "areas.csv"), testFile(t, "townships.csv"), testFile(t, "villages.csv"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestParseDivisions(t *testing.T) {
	count := map[people.DivisionLevel]int{}
	seen := map[people.DivisionCode]bool{}
	for _, d := range divisions(t) {
		count[d.Level]++
		if d.Parent != "" && !seen[d.Parent] {
			t.Errorf("%s %s comes before its parent", d.Code, d.Name)
		}
		seen[d.Code] = true
	}
	if count[people.LevelCity] != 1 || count[people.LevelCounty] != 5 || count[people.LevelTownship] != 58 || count[people.LevelVillage] != 789 {
		t.Errorf("counts %v", count)
	}
}

func TestParseDivisionsWithoutTheTop(t *testing.T) {
	all, err := people.ParseDivisions(testFile(t, "villages.csv"), testFile(t, "townships.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1+5+58+789 || all[1].Name != "360302" || all[1].Level != people.LevelCounty {
		t.Errorf("%d divisions, second is %+v", len(all), all[1])
	}
}

// rows returns line and reason of every bad row, over all files.
func rows(err error) string {
	var b strings.Builder
	var walk func(error)
	walk = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				walk(e)
			}
			return
		}
		if bad := new(people.ImportError); errors.As(err, &bad) {
			for _, r := range bad.Rows {
				b.WriteString(bad.File + ":" + itoa(r.Line) + " " + r.Reason + "\n")
			}
		}
	}
	walk(err)
	return b.String()
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + itoa(n%10)
}

const townshipHeader = "code,name,areaCode,provinceCode,cityCode\n"

func TestBadDivisions(t *testing.T) {
	villages := "code,name,streetCode,provinceCode,cityCode,areaCode\n"
	for _, c := range []struct {
		name, body string
		want       []string
	}{
		{"empty", "", []string{"1 no header line"}},
		{"no rows", townshipHeader, []string{"1 no rows"}},
		{"GBK", townshipHeader + "360302001,\xb6\xab\xb4\xf3\xbd\xd6,360302,36,3603\n", []string{"2 not UTF-8", "CSV UTF-8"}},
		{"missing column", "code,areaCode\n360302001,360302\n", []string{`1 column "name" is missing`}},
		{"unknown column", "code,name,areaCode,mayor\n", []string{`1 column "mayor" is unknown`}},
		{"column twice", "code,name,areaCode,name\n", []string{`1 column "name" stands twice`}},
		{"short row", townshipHeader + "360302001,东大街街道\n", []string{"2 2 columns, the header has 5"}},
		{"wrong level", townshipHeader + "360302,东大街街道,360302,36,3603\n", []string{"2 code \"360302\" is no township code"}},
		{"letters", townshipHeader + "36030200a,东大街街道,360302,36,3603\n", []string{"2 code \"36030200a\" is no township code"}},
		{"wrong parent", townshipHeader + "360302001,东大街街道,360313,36,3603\n", []string{"2 areaCode is \"360313\""}},
		{"twice", townshipHeader + "360302001,甲,360302,36,3603\n360302001,乙,360302,36,3603\n", []string{"3 code 360302001 stands twice, first in f.csv line 2"}},
		{"no name", townshipHeader + "360302001, ,360302,36,3603\n", []string{"2 name is empty"}},
		{"control characters", townshipHeader + "360302001,\x07,360302,36,3603\n", []string{"2 name holds control"}},
		{"endless name", townshipHeader + "360302001," + strings.Repeat("长", 61) + ",360302,36,3603\n", []string{"2 name is longer"}},
		{"broken quote", townshipHeader + "360302001,\"东,360302,36,3603\n", []string{"extraneous or missing"}},
		{"all of them listed", townshipHeader + "1,甲,360302,36,3603\n360302001,乙,360302,36,3603\n2,丙,360302,36,3603\n", []string{"f.csv:2 ", "f.csv:4 "}},
		{"village rows", villages + "360302001001,甲,360302002,36,3603,360302\n", []string{"2 streetCode is"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, err := people.ParseDivisions(people.File{Name: "f.csv", Body: []byte(c.body)})
			if err == nil || all != nil {
				t.Fatalf("imported %v", all)
			}
			for _, want := range c.want {
				if !strings.Contains(rows(err), want) {
					t.Errorf("bad rows\n%swant %q", rows(err), want)
				}
			}
		})
	}
	lost := people.File{Name: "v.csv", Body: []byte(villages + "360302999001,甲,360302999,36,3603,360302\n")}
	if _, err := people.ParseDivisions(testFile(t, "townships.csv"), lost); !strings.Contains(rows(err), "v.csv:2 its parent 360302999 is in none of the files") {
		t.Errorf("village without township: %v", err)
	}
	bom := people.File{Name: "bom.csv", Body: []byte("\xef\xbb\xbf" + townshipHeader + "360302001,\"东大街街道\",360302,36,3603\r\n")}
	if all, err := people.ParseDivisions(bom); err != nil || all[2].Name != "东大街街道" {
		t.Errorf("Excel's own CSV UTF-8 (BOM, CRLF): %v, %v", all, err)
	}
}

const placeHeader = "kind,name,village,grid,lat,lon,aliases,party_group\n"

func TestParsePlaces(t *testing.T) {
	body := placeHeader +
		"estate,昌盛小区,360302001002,,27.62,113.85,昌盛|昌盛花苑||昌盛,\n" +
		"building,昌盛小区3栋,360302001002,360302001002001,,,,\n" +
		"grid,南外第1网格,360302001002,360302001002001,,,,南外第一网格党小组\n"
	got, err := people.ParsePlaces(people.File{Name: "p.csv", Body: []byte(body)}, divisions(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Grids) != 1 || got.Grids[0].PartyGroup != "南外第一网格党小组" || len(got.Places) != 2 {
		t.Fatalf("got %+v", got)
	}
	if e := got.Places[0]; len(e.Aliases) != 2 || e.At == nil || e.At.Lat != 27.62 {
		t.Errorf("estate %+v", e)
	}
}

func TestBadPlaces(t *testing.T) {
	all := divisions(t)
	for _, c := range []struct{ name, row, want string }{
		{"kind", "castle,某处,360302001002,,,,,", "kind \"castle\""},
		{"village", "estate,某处,360302001999,,,,,", "village \"360302001999\" is unknown"},
		{"township for village", "estate,某处,360302001,,,,,", "village \"360302001\" is unknown"},
		{"grid unknown", "estate,某处,360302001002,360302001002009,,,,", "grid \"360302001002009\" is unknown"},
		{"grid elsewhere", "estate,某处,360302001003,360302001002001,,,,", "does not lie in village"},
		{"grid code", "grid,某网格,360302001002,36030200100299,,,,", "is no code of village"},
		{"grid twice", "grid,某网格,360302001002,360302001002001,,,,", "grid 360302001002001 stands twice, first in line 2"},
		{"one coordinate", "estate,某处,360302001002,,27.6,,,", "no position"},
		{"swapped", "estate,某处,360302001002,,113.85,27.62,,", "no position"},
		{"not a number", "estate,某处,360302001002,,NaN,NaN,,", "no position"},
		{"short alias", "estate,某处,360302001002,,,,甲,", "alias \"甲\""},
		{"short name", "estate,甲,360302001002,,,,,", "too short"},
		{"same place spelt otherwise", "building,昌盛小区三号楼,360302001002,,,,,", "stands twice, first in line 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := placeHeader + "grid,一网格,360302001002,360302001002001,,,,\nbuilding,昌盛小区3栋,360302001002,,,,,\n" + c.row + "\n"
			got, err := people.ParsePlaces(people.File{Name: "p.csv", Body: []byte(body)}, all, nil)
			if !strings.Contains(rows(err), c.want) || !strings.Contains(rows(err), "p.csv:4 ") || got.Places != nil {
				t.Errorf("got %v, %v; want %q", got, err, c.want)
			}
		})
	}
}

const staffHeader = "slug,name,role,area_kind,area,phone,substitute\n"

func TestParseStaff(t *testing.T) {
	areas := people.Areas{Divisions: divisions(t), Units: []string{"urban"}, Grids: []people.Grid{{Code: "360302001002001", Village: "360302001002"}}}
	body := staffHeader +
		"li-fang,李芳,grid_worker,grid,360302001002001,138 0000 0001,wang\n" +
		"wang,王强,handler,unit,urban,,\n" +
		"li-fang,,grid_leader,village,360302001002,,\n"
	got, err := people.ParseStaff(people.File{Name: "s.csv", Body: []byte(body)}, rights(t), areas, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || len(got[0].Grants) != 2 || got[0].Phone != "13800000001" || got[0].Substitute != "wang" {
		t.Errorf("got %+v", got)
	}
	for _, c := range []struct{ name, row, want string }{
		{"slug", "李芳,李芳,handler,unit,urban,,", "slug \"李芳\""},
		{"role", "x1,甲,king,city,3603,,", "role \"king\" is unknown"},
		{"area kind", "x1,甲,grid_worker,village,360302001002,,", "grid_worker cannot be granted in village"},
		{"kind and code disagree", "x1,甲,dispatcher,county,3603,,", "cannot be granted"},
		{"unknown unit", "x1,甲,handler,unit,police,,", "unit \"police\" is unknown"},
		{"unknown grid", "x1,甲,grid_worker,grid,360302001002009,,", "is unknown"},
		{"unknown division", "x1,甲,dispatcher,county,360399,,", "is unknown"},
		{"phone", "x1,甲,handler,unit,urban,12ab,", "phone is no phone number"},
		{"substitute unknown", "x1,甲,handler,unit,urban,,nobody", "substitute \"nobody\""},
		{"own substitute", "x1,甲,handler,unit,urban,,x1", "substitute \"x1\""},
		{"same grant twice", "wang,王强,handler,unit,urban,,", "stands twice"},
		{"another name", "wang,汪强,dispatcher,city,3603,,", "differ from line 3"},
		{"no name", "x1,,handler,unit,urban,,", "name is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := people.ParseStaff(people.File{Name: "s.csv", Body: []byte(body + c.row + "\n")}, rights(t), areas, nil)
			if !strings.Contains(rows(err), c.want) || !strings.Contains(rows(err), "s.csv:5 ") || got != nil {
				t.Errorf("got %v, %v; want %q", got, err, c.want)
			}
		})
	}
}

// Whatever bytes come, the answer is everything or an *ImportError with lines.
func FuzzImports(f *testing.F) {
	f.Add(townshipHeader + "360302001,\"东大街街道\",360302,36,3603\n")
	f.Add(placeHeader + "estate,昌盛小区,360302001002,,27.62,113.85,昌盛,\n")
	f.Add(staffHeader + "li,李,grid_worker,grid,360302001002001,,\n")
	f.Add("\xef\xbb\xbfcode,name\n\"")
	all := divisions(f)
	rt := rights(f)
	f.Fuzz(func(t *testing.T, s string) {
		file := people.File{Name: "f.csv", Body: []byte(s)}
		_, err1 := people.ParseDivisions(file)
		_, err2 := people.ParsePlaces(file, all, nil)
		_, err3 := people.ParseStaff(file, rt, people.Areas{Divisions: all}, nil)
		for _, err := range []error{err1, err2, err3} {
			if err != nil && rows(err) == "" {
				t.Fatalf("%q: error without a row: %v", s, err)
			}
		}
	})
}
