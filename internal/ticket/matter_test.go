package ticket

import (
	"encoding/csv"
	"os"
	"slices"
	"strings"
	"testing"

	"shaoying/configs"
	"shaoying/flows/words"
)

// The table that the city agreed on (testdata/matters.csv, a copy of
// data/matters.csv) and the file agree in every field. What is referred
// elsewhere stands beside it.
func TestMattersFollowTheAgreedTable(t *testing.T) {
	f, err := os.Open("testdata/matters.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	m, u := loadMatters(t), loadUnits(t)
	own := slices.DeleteFunc(m.All(), func(one Matter) bool { return one.Refer != "" })
	if len(own) != len(rows)-1 {
		t.Errorf("%d matters, the table has %d", len(own), len(rows)-1)
	}
	for _, row := range rows[1:] {
		got, ok := m.Get(row[0])
		if !ok {
			t.Errorf("%s is missing", row[0])
			continue
		}
		unit, _ := u.Get(got.Unit)
		first := map[bool]string{true: "grid", false: "unit"}[got.GridFirst]
		photo := map[bool]string{true: "yes", false: "no"}[got.Photo]
		if got.Name != row[1] || got.Worry != row[2] || unit.Name != row[3] || first != row[4] || photo != row[5] {
			t.Errorf("%s is %+v of %s, the table says %v", row[0], got, unit.Name, row)
		}
		if (got.UrgentWhen == "") != (row[6] == "") {
			t.Errorf("%s: urgent when %q, the table says %q", row[0], got.UrgentWhen, row[6])
		}
		if h := got.Handling(); h.GridFirst != got.GridFirst || h.Unit != got.Unit {
			t.Errorf("%s: handling %+v", row[0], h)
		}
	}
	if n := len(m.Worries()); n != 9 {
		t.Errorf("%d worries, the index has nine: %v", n, m.Worries())
	}
}

// A danger files a ticket at once, so its matter must exist.
func TestSafetyRulesNameKnownMatters(t *testing.T) {
	body, err := configs.Read("safety.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := words.ParseSafety("safety.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	m := loadMatters(t)
	for _, code := range s.Matters() {
		if !m.has(code) {
			t.Errorf("safety.yaml names the unknown matter %s", code)
		}
	}
}

func TestClaimsInOrder(t *testing.T) {
	var codes []string
	for _, c := range loadMatters(t).Claims() {
		if c.Name == "" || c.Sensitive != (c.Code == "report") {
			t.Errorf("%+v", c)
		}
		codes = append(codes, c.Code)
	}
	if got := strings.Join(codes, " "); got != "report praise suggestion complaint consultation help" {
		t.Errorf("claims are %s", got)
	}
}

func TestParseMattersRefuses(t *testing.T) {
	body, err := configs.Read("matters.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(body)
	tests := []struct{ name, from, to, want string }{
		{"unknown key", "    photo: true\n", "    foto: true\n", "foto"},
		{"unknown unit", "unit: transport\n", "unit: transprot\n", "transprot"},
		{"first", "first: grid\n", "first: gird\n", "neither grid nor unit"},
		{"class", "class: utilities\n", "class: urgent\n", "class of time limits"},
		{"code twice", "code: parking\n", "code: road\n", "there twice"},
		{"no other", "code: other\n", "code: others\n", "other is missing"},
		{"no default claim", "default: true, ", "", "none is marked default"},
		{"two defaults", "name: 表扬, ", "name: 表扬, default: true, ", "default already"},
		{"weights", "strong: 3\n", "strong: 0\n", "scoring"},
		{"urgent without words", "    urgent_when: 缺失或者破穿\n", "", "urgent_when"},
		{"no name", "name: 治安\n", "name: ''\n", "are needed"},
		{"claim without words", "words: [求助, 帮忙, 帮帮, 救命, 求求]", "words: []", "are needed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if !strings.Contains(good, tt.from) {
				t.Fatalf("matters.yaml has no %q", tt.from)
			}
			_, err := ParseMatters("matters.yaml", []byte(strings.Replace(good, tt.from, tt.to, 1)), loadUnits(t))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "matters.yaml") {
				t.Errorf("got %v, want an error with %q and the file name", err, tt.want)
			}
		})
	}
}

func TestParseUnits(t *testing.T) {
	u := loadUnits(t)
	if len(u.All()) != 18 {
		t.Errorf("%d units, want 18", len(u.All()))
	}
	if _, ok := u.Get("nobody"); ok {
		t.Error("found a unit that does not exist")
	}
	const row = "  - {code: a, name: A, kind: department, desk: d, band: b}\n"
	tests := []struct{ name, body, want string }{
		{"none", "units: []\n", "none"},
		{"twice", "units:\n" + row + row, "there twice"},
		{"kind", "units:\n" + strings.Replace(row, "department", "bureau", 1), "neither department nor village"},
		{"no desk", "units:\n" + strings.Replace(row, "desk: d, ", "", 1), "are needed"},
		{"unknown key", "units:\n" + strings.Replace(row, "band: b", "brand: b", 1), "brand"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseUnits("units.yaml", []byte(tt.body))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "units.yaml") {
				t.Errorf("got %v, want an error with %q and the file name", err, tt.want)
			}
		})
	}
}

func FuzzParseMatters(f *testing.F) {
	units := loadUnits(f)
	f.Add([]byte("scoring: {strong: 3, weak: 1, gram: 0, doubt: 1, alternatives: 4}\nclaims: [{code: a, name: a, default: true, words: [a]}]\nmatters: [{code: other, name: o, worry: w, unit: village, first: grid, class: general}, {code: b, name: b, worry: w, unit: village, first: grid, class: general, strong: [b]}]\n"))
	f.Add([]byte("matters: [{code: other}]\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		if m, err := ParseMatters("fuzz.yaml", body, units); err == nil {
			checkGuess(t, m, m.Classify("井盖b"))
		}
	})
}
