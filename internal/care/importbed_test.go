package care_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/people"
)

const (
	bedHeader = "number,clinic,patient,phone,grid,home,carers,type,doctor,nurse,opened,from,to,agreed,form,notice,terms,signer,diagnosis,alone,dependent\n"
	goodBed   = "JC-7,cli,李大爷,,360313001001001,昌盛小区3栋,王梅/spouse/13800138001|李强/son/13800138002/shared,treatment,li,wang,2026-01-05,2026-02-10,2026-03-20,2026-01-05,screen,1,1,王梅,偏瘫,,yes\n"
)

func parseBeds(t testing.TB, body string) ([]care.BedRow, error) {
	t.Helper()
	return newRules(t).ParseBeds(people.File{Name: "beds.csv", Body: []byte(bedHeader + body)}, care.BedsKnown{
		Clinics: []string{"cli"}, Staff: []string{"li", "wang"}, Grids: []string{"360313001001001"}, Today: date("2026-03-03"),
	})
}

func TestParseBeds(t *testing.T) {
	rows, err := parseBeds(t, goodBed)
	if err != nil {
		t.Fatal(err)
	}
	row := rows[0]
	if len(row.Carers) != 2 || !row.Carers[1].Shared || row.Carers[0].Phone != "+8613800138001" || !row.Dependent || row.LivesAlone {
		t.Errorf("%+v", row)
	}
	carers := []care.Carer{{Person: 2, Relation: "spouse", Address: 5}, {Person: 3, Relation: "son", Address: 6, Shared: true}}
	b, err := newRules(t).BedOf(row, 11, 12, care.Team{Doctor: 7, Nurse: 8}, care.Patient{Person: 1}, carers, care.Actor{As: care.AsDesk, Staff: 9})
	if err != nil {
		t.Fatal(err)
	}
	if b.State != care.BedOpen || b.Clinic != 11 || b.Hospital != 12 || b.Agreement.Signer != 2 || b.Agreement.EnteredBy != 9 || len(b.Items) != 0 ||
		b.Period() != (care.Period{From: date("2026-02-10"), To: date("2026-03-20")}) || !newRules(t).Consented(b) || b.OpenedAt.After(time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%+v", b)
	}
}

func TestBedLinesThatAreWrong(t *testing.T) {
	for name, tc := range map[string]struct{ old, bad, want string }{
		"paper":     {"screen", "paper", "scan"},
		"unsigned":  {"screen", "", "must have been signed"},
		"old text":  {"screen,1,1", "screen,0,1", "version 1 is in force"},
		"stranger":  {"王梅,偏瘫", "赵六,偏瘫", "neither"},
		"clinic":    {",cli,", ",far,", "far"},
		"type":      {"treatment", "holiday", "holiday"},
		"doctor":    {",li,", ",zhao,", "zhao"},
		"grid":      {"360313001001001", "360313001001009", "unknown"},
		"relation":  {"/spouse/", "/friend/", "friend"},
		"carer":     {"王梅/spouse/13800138001", "王梅", "no name/relation/number"},
		"number":    {"13800138001", "12", "no telephone number"},
		"day":       {"2026-01-05,2026-02-10", "2026-02-30,2026-02-10", "no day"},
		"future":    {"2026-01-05,2026-02-10,2026-03-20", "2026-03-05,2026-03-06,2026-03-20", "before today"},
		"period":    {"2026-03-20,2026-01-05", "2026-12-31,2026-01-05", "period"},
		"diagnosis": {",偏瘫,", ",,", "diagnosis"},
		"yes":       {",,yes\n", ",,maybe\n", "yes or empty"},
		"nobody":    {"王梅/spouse/13800138001|李强/son/13800138002/shared", "", "nobody can be reached"},
	} {
		line := strings.Replace(goodBed, tc.old, tc.bad, 1)
		line = strings.Replace(line, "JC-7", "JC-8", 1)
		rows, err := parseBeds(t, goodBed+line)
		var bad *people.ImportError
		if !errors.As(err, &bad) || rows != nil || bad.Rows[0].Line != 3 || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseBeds(t, goodBed+goodBed); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("a bed twice: %v", err)
	}
}
