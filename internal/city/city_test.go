package city

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/pgtest"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// town is a database with the divisions of 萍乡市 and its units, and what
// imports into it.
type town struct {
	*Importer
	t testing.TB
}

func newTown(t testing.TB) town {
	t.Helper()
	d, err := postgres.Open(t.Context(), pgtest.DSN(t, postgres.Migrate), clock.New(), postgres.Options{AllowUnsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	rights, err := people.ParseRights("rights.yaml", embedded(t, "policies/rights.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	units, err := ticket.ParseUnits("units.yaml", embedded(t, "units.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := PutUnits(t.Context(), d.Queries, units); err != nil {
		t.Fatal(err)
	}
	return town{&Importer{DB: d, Rights: rights}, t}
}

func embedded(t testing.TB, name string) []byte {
	t.Helper()
	body, err := configs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func divisionFiles(t testing.TB) []people.File {
	var files []people.File
	for _, level := range []string{"city", "counties", "townships", "villages"} {
		name := "places/pingxiang-" + level + ".csv"
		files = append(files, people.File{Name: name, Body: embedded(t, name)})
	}
	return files
}

func file(name, body string) people.File { return people.File{Name: name, Body: []byte(body)} }

// imports fails the test unless the import reads and changes that many.
func (w town) imports(kind Kind, read int, changed int64, files ...people.File) {
	w.t.Helper()
	r, err := w.Import(w.t.Context(), kind, files...)
	if err != nil {
		w.t.Fatal(err)
	}
	if r != (Report{Kind: kind, Read: read, Changed: changed}) {
		w.t.Fatalf("%s: %+v, want %d read and %d changed", kind, r, read, changed)
	}
}

const (
	tuanhe = "360313001010"
	grid1  = tuanhe + "001"

	goodPlaces = "kind,name,village,grid,lat,lon,aliases,party_group\n" +
		"estate,昌盛小区," + tuanhe + "," + grid1 + ",27.64,113.73,老供销宿舍|供销院,\n" +
		"building,昌盛小区3栋," + tuanhe + "," + grid1 + ",,,,\n" +
		"grid,昌盛小区网格," + tuanhe + "," + grid1 + ",,,,昌盛小区党支部\n"
	goodStaff = "slug,name,role,area_kind,area,phone,substitute\n" +
		"gan-lan,甘兰,grid_worker,grid," + grid1 + ",,yi-bo\n" +
		"yi-bo,易波,grid_leader,grid," + grid1 + ",,\n" +
		"yi-bo,,handler,unit,transport,,\n"
	goodClinics = "code,name,tier,hospital,phone,hours,townships,costs\n" +
		"hos,一院,hospital,,0799-1111111,,,\n" +
		"cli,青山卫生院,clinic,hos,0799-2222222,8:00-17:30,360313001,每次30元\n"
	goodCalendar = "date,kind,name\n2031-01-01,holiday,元旦\n2031-01-04,workday,元旦\n"
)

func TestImportTwiceChangesNothing(t *testing.T) {
	w := newTown(t)
	w.imports(KindDivisions, 1+5+58+789, 1+5+58+789, divisionFiles(t)...)
	w.imports(KindDivisions, 853, 0, divisionFiles(t)...)
	w.imports(KindPlaces, 3, 5, file("places.csv", goodPlaces))
	w.imports(KindPlaces, 3, 0, file("places.csv", goodPlaces))
	w.imports(KindStaff, 2, 2+1+3, file("staff.csv", goodStaff))
	w.imports(KindStaff, 2, 0, file("staff.csv", goodStaff))
	w.imports(KindCalendar, 2, 2, file("calendar.csv", goodCalendar))
	w.imports(KindCalendar, 2, 0, file("calendar.csv", goodCalendar))
	w.imports(KindClinics, 2, 2, file("clinics.csv", goodClinics))
	w.imports(KindClinics, 2, 0, file("clinics.csv", goodClinics))
	w.imports(KindClinics, 2, 1, file("clinics.csv", strings.Replace(goodClinics, "30元", "35元", 1)))
	// What differs is taken over, and nothing else.
	w.imports(KindPlaces, 3, 1, file("places.csv", strings.Replace(goodPlaces, "27.64", "27.65", 1)))
	// The grant that the file no longer names is taken away, the new one given.
	w.imports(KindStaff, 2, 2, file("staff.csv", strings.Replace(goodStaff, "handler,unit,transport", "handler,unit,housing", 1)))
	staff, err := w.DB.StaffWith(t.Context(), []string{"handler"}, []string{"transport", "housing"})
	if err != nil || len(staff) != 1 || staff[0].Area != "housing" || staff[0].Name != "易波" {
		t.Errorf("%+v, %v", staff, err)
	}
	w.imports(KindCalendar, 2, 1, file("calendar.csv", strings.Replace(goodCalendar, "01-01,holiday,元旦", "01-01,holiday,新年", 1)))
}

// Villages alone bring the divisions above them, named by their codes; real
// names are not lost to those.
func TestVillagesAlone(t *testing.T) {
	w := newTown(t)
	files := divisionFiles(t)
	w.imports(KindDivisions, 853, 853, files[3])
	w.imports(KindDivisions, 853, 1+5+58, files...)
	w.imports(KindDivisions, 853, 0, files[3])
}

func TestImportJSONCalendar(t *testing.T) {
	w := newTown(t)
	w.imports(KindCalendar, 1, 1, file("2031.JSON", `{"year":2031,"papers":["https://www.gov.cn/2031"],"days":[{"name":"元旦","date":"2031-01-01","isOffDay":true}]}`))
}

// count is all that an import may change.
func (w town) count() string {
	w.t.Helper()
	ctx := w.t.Context()
	divisions, err := w.DB.Divisions(ctx)
	grids, err2 := w.DB.Grids(ctx)
	places, err3 := w.DB.Places(ctx)
	aliases, err4 := w.DB.Aliases(ctx)
	staff, err5 := w.DB.ListStaff(ctx, 1000)
	days, err6 := w.DB.CalendarDays(ctx)
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprint(divisions, grids, places, aliases, staff, days)
}

func TestBadFilesChangeNothing(t *testing.T) {
	w := newTown(t)
	w.imports(KindDivisions, 853, 853, divisionFiles(t)...)
	w.imports(KindPlaces, 3, 5, file("places.csv", goodPlaces))
	w.imports(KindStaff, 2, 6, file("staff.csv", goodStaff))
	w.imports(KindCalendar, 2, 2, file("calendar.csv", goodCalendar))
	before := w.count()
	const (
		villages = "code,name,streetCode,provinceCode,cityCode,areaCode\n"
		places   = "kind,name,village,grid,lat,lon,aliases\n"
		staff    = "slug,name,role,area_kind,area,phone,substitute\n"
		// One good row stands before each bad one.
		place  = places + "lane,好路," + tuanhe + ",,,,\n"
		member = staff + "tang-yun,汤云,aide,grid," + grid1 + ",,\n"
	)
	for _, tc := range []struct {
		name string
		kind Kind
		body string
		want []string
	}{
		{"nothing", KindDivisions, "", []string{"bad.csv", "line 1"}},
		{"no rows", KindDivisions, villages, []string{"no rows"}},
		{"not UTF-8", KindDivisions, villages + "360313001098,\xcd\xc5\xba\xcd,360313001,36,3603,360313\n", []string{"line 2", "UTF-8"}},
		{"a code of another level", KindDivisions, villages + "3603130010,团和,360313001,36,3603,360313\n", []string{"line 2", "no village code"}},
		{"not its parent", KindDivisions, villages + "360313001099,好村,360313002,36,3603,360313\n", []string{"line 2", "lies in 360313001"}},
		{"twice", KindDivisions, villages + strings.Repeat("360313001099,好村,360313001,36,3603,360313\n", 2), []string{"line 3", "stands twice"}},
		{"a letter in a code", KindDivisions, villages + "36031300101O,团和,360313001,36,3603,360313\n", []string{"line 2"}},
		{"columns missing", KindDivisions, villages + "360313001099,好村\n", []string{"line 2", "2 columns"}},
		{"an unknown column", KindDivisions, "code,name,provinceCode,colour\n3603,萍乡市,36,red\n", []string{"colour"}},
		{"a name too long", KindDivisions, villages + "360313001099," + strings.Repeat("长", 61) + ",360313001,36,3603,360313\n", []string{"line 2", "longer"}},
		{"a control character", KindDivisions, villages + "360313001099,好\a村,360313001,36,3603,360313\n", []string{"line 2", "control"}},

		{"an unknown kind of place", KindPlaces, place + "castle,堡," + tuanhe + ",,,,\n", []string{"line 3", "castle"}},
		{"an unknown village", KindPlaces, place + "lane,坏路,360313001999,,,,\n", []string{"line 3", "360313001999"}},
		{"an unknown grid", KindPlaces, place + "lane,坏路," + tuanhe + "," + tuanhe + "009,,,\n", []string{"line 3", "009"}},
		{"the grid of another village", KindPlaces, place + "lane,坏路,360313001011," + grid1 + ",,,\n", []string{"line 3", "does not lie"}},
		{"a swapped position", KindPlaces, place + "lane,坏路," + tuanhe + ",,113.7,27.6,\n", []string{"line 3", "position"}},
		{"half a position", KindPlaces, place + "lane,坏路," + tuanhe + ",,27.6,,\n", []string{"line 3", "position"}},
		{"no number", KindPlaces, place + "lane,坏路," + tuanhe + ",,north,east,\n", []string{"line 3", "north"}},
		{"no name", KindPlaces, place + "lane,," + tuanhe + ",,,,\n", []string{"line 3", "empty"}},
		{"the same place", KindPlaces, place + "lane,好路," + tuanhe + ",,,,\n", []string{"line 3", "stands twice"}},
		{"a short alias", KindPlaces, place + "lane,坏路," + tuanhe + ",,,,好\n", []string{"line 3", "alias"}},
		{"an open quote", KindPlaces, place + "lane,\"坏路," + tuanhe + ",,,,\n", []string{"line 3"}},
		{"a grid's code too short", KindPlaces, place + "grid,坏网格," + tuanhe + "," + tuanhe + ",,,\n", []string{"line 3", "three digits"}},

		{"a bad slug", KindStaff, member + "Tang Yun,汤云,aide,grid," + grid1 + ",,\n", []string{"line 3", "slug"}},
		{"an unknown role", KindStaff, member + "he-bo,贺波,king,grid," + grid1 + ",,\n", []string{"line 3", "king"}},
		{"a role out of its area", KindStaff, member + "he-bo,贺波,grid_worker,county,360313,,\n", []string{"line 3", "cannot be granted"}},
		{"an unknown area", KindStaff, member + "he-bo,贺波,aide,grid," + tuanhe + "009,,\n", []string{"line 3", "unknown"}},
		{"an unknown unit", KindStaff, member + "he-bo,贺波,handler,unit,circus,,\n", []string{"line 3", "circus"}},
		{"no such substitute", KindStaff, member + "he-bo,贺波,aide,grid," + grid1 + ",,nobody\n", []string{"line 3", "nobody"}},
		{"two names", KindStaff, member + "tang-yun,唐云,aide,grid," + grid1 + ",,\n", []string{"line 3"}},
		{"no phone", KindStaff, member + "he-bo,贺波,aide,grid," + grid1 + ",ring me,\n", []string{"line 3", "phone"}},
		{"without a name", KindStaff, member + "he-bo,,aide,grid," + grid1 + ",,\n", []string{"line 3", "empty"}},

		{"no heading", KindCalendar, "2031-10-01,holiday,国庆节\n", []string{"date,kind,name"}},
		{"no day", KindCalendar, "date,kind,name\n2031-02-29,holiday,春节\n", []string{"line 2"}},
		{"a strange kind", KindCalendar, "date,kind,name\n2031-02-01,siesta,春节\n", []string{"line 2", "siesta"}},
		{"a day twice", KindCalendar, "date,kind,name\n2031-02-01,holiday,春节\n2031-02-01,holiday,春节\n", []string{"line 3"}},

		{"an unknown import", "weather", "x", []string{"weather", "divisions"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := w.Import(t.Context(), tc.kind, file("bad.csv", tc.body))
			if err == nil {
				t.Fatalf("imported: %+v", r)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			var rows *people.ImportError
			var days scheduler.RowErrors
			if tc.kind != "weather" && tc.name != "no heading" && !errors.As(err, &rows) && !errors.As(err, &days) {
				t.Errorf("%T lists no rows", err)
			}
		})
	}
	for _, tc := range []struct {
		kind  Kind
		files []people.File
		want  string
	}{
		{KindDivisions, nil, "name the file"},
		{KindPlaces, []people.File{file("a.csv", goodPlaces), file("b.csv", goodPlaces)}, "one file"},
	} {
		if _, err := w.Import(t.Context(), tc.kind, tc.files...); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
	if after := w.count(); after != before {
		t.Error("a bad file has changed something")
	}
}

func quietLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// found waits until the sentence is found at the place, or not found when
// place is empty.
func found(t *testing.T, p *Places, sentence, place string) {
	t.Helper()
	deadline := time.After(40 * time.Second)
	for {
		if got := p.Current().Find(sentence, nil).Match.Name; got == place {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%q: %+v, want %q", sentence, p.Current().Find(sentence, nil), place)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// An accepted alias is found at once, a proposed one is not; other processes
// hear of both imports and aliases.
func TestAliases(t *testing.T) {
	w := newTown(t)
	ctx, q := t.Context(), w.DB.Queries
	bus := postgres.NewBus(w.DB, quietLog())
	places, err := NewPlaces(ctx, w.DB, bus, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() { ended <- bus.Run(running) }()
	go func() { ended <- places.Run(running) }()
	defer func() {
		stop()
		if err := errors.Join(<-ended, <-ended); err != nil {
			t.Error(err)
		}
	}()

	w.imports(KindDivisions, 853, 853, divisionFiles(t)...)
	w.imports(KindPlaces, 3, 5, file("places.csv", goodPlaces))
	w.imports(KindStaff, 2, 6, file("staff.csv", goodStaff))
	found(t, places, "供销院门口有人吵架", "昌盛小区")

	id := places.Current().Find("昌盛小区", nil).Match.PlaceID
	staff, err := q.StaffBySlug(ctx, "gan-lan")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		alias string
		place int64
		want  error
	}{
		{"八角亭", id, nil},
		{" 八角亭 ", id, ErrAliasKnown},
		{"供销院", id, ErrAliasKnown},
		{"昌盛小区", id, ErrAliasKnown},
		{"亭", id, ErrAliasText},
		{"", id, ErrAliasText},
		{"12-3", id, ErrAliasText},
		{"八角|亭", id, ErrAliasText},
		{"八角\n亭", id, ErrAliasText},
		{"八角\xff", id, ErrAliasText},
		{strings.Repeat("亭", 61), id, ErrAliasText},
		{"八角亭", 999999, ErrNoPlace},
		{"老井头", id, nil},
	} {
		if err := ProposeAlias(ctx, q, tc.place, tc.alias, staff.ID); !errors.Is(err, tc.want) {
			t.Errorf("%q: %v, want %v", tc.alias, err, tc.want)
		}
	}
	waiting, err := Proposals(ctx, q, "360313", 10)
	if err != nil || len(waiting) != 2 || waiting[0].Name != "昌盛小区" || waiting[0].By != "甘兰" || waiting[0].Village != tuanhe {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if other, err := Proposals(ctx, q, "360302", 10); err != nil || len(other) != 0 {
		t.Errorf("of another county: %+v, %v", other, err)
	}
	if err := places.Reload(ctx); err != nil {
		t.Fatal(err)
	}
	if r := places.Current().Find("八角亭那里路灯坏了", nil); r.Status != people.Unknown {
		t.Errorf("found before it was accepted: %+v", r)
	}
	if err := AcceptAlias(ctx, q, id, "八角亭"); err != nil {
		t.Fatal(err)
	}
	found(t, places, "八角亭那里路灯坏了", "昌盛小区")
	if err := AcceptAlias(ctx, q, id, "八角亭"); !errors.Is(err, ErrNoProposal) {
		t.Errorf("accepted twice: %v", err)
	}
	if err := RefuseAlias(ctx, q, id, "八角亭"); !errors.Is(err, ErrNoProposal) {
		t.Errorf("refused after it was accepted: %v", err)
	}
	if err := RefuseAlias(ctx, q, id, "老井头"); err != nil {
		t.Error(err)
	}
	if waiting, err := Proposals(ctx, q, "3603", 10); err != nil || len(waiting) != 0 {
		t.Errorf("%+v, %v", waiting, err)
	}
}
