package care_test

import (
	"errors"
	"strings"
	"testing"

	"shaoying/internal/care"
	"shaoying/internal/people"
)

const clinicHeader = "code,name,tier,hospital,phone,hours,townships,costs\n"

func parseClinics(body string) ([]care.ClinicRow, error) {
	return care.ParseClinics(people.File{Name: "clinics.csv", Body: []byte(body)}, []string{"yiyuan"}, []string{"360313001", "360313002"})
}

func TestParseClinics(t *testing.T) {
	rows, err := parseClinics(clinicHeader +
		"qingshan,青山卫生院,clinic,sanyuan,0799-2222222,周一至周五 8:00-17:30,360313001|360313002,每次上门费30元，医保报70%\n" +
		"sanyuan,三院,hospital,,0799-1111111,,,\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 2 || rows[0].Code != "sanyuan" || rows[1].Hospital != "sanyuan" || len(rows[1].Townships) != 2 || rows[1].Costs == "" {
		t.Errorf("%+v", rows)
	}
}

func TestClinicLinesThatAreWrong(t *testing.T) {
	good := "yao,药园站,clinic,yiyuan,0799-3,,360313001,\n"
	for name, tc := range map[string]struct{ line, want string }{
		"code":     {"Ab,甲,clinic,,0799-1,,360313001,\n", "code"},
		"name":     {"ab,,clinic,,0799-1,,360313001,\n", "name"},
		"tier":     {"ab,甲,ward,,0799-1,,360313001,\n", "tier"},
		"phone":    {"ab,甲,clinic,,ring,,360313001,\n", "phone"},
		"hospital": {"ab,甲,clinic,gone,0799-1,,360313001,\n", "gone"},
		"behind":   {"ab,甲,hospital,yiyuan,0799-1,,,\n", "behind no other"},
		"serves":   {"ab,甲,clinic,,0799-1,,,\n", "serves"},
		"division": {"ab,甲,clinic,,0799-1,,360399999,\n", "360399999"},
		"twice":    {good, "twice"},
		"costs":    {"ab,甲,clinic,,0799-1,,360313001," + strings.Repeat("费", 201) + "\n", "costs"},
		"hours":    {"ab,甲,clinic,,0799-1," + strings.Repeat("时", 61) + ",360313001,\n", "hours"},
	} {
		rows, err := parseClinics(clinicHeader + good + tc.line)
		var bad *people.ImportError
		if !errors.As(err, &bad) || rows != nil || bad.Rows[0].Line != 3 || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
