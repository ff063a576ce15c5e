package care

import (
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/people"
)

// Tier is one of the two tiers of organisations.
type Tier string

// The tiers.
const (
	TierHospital Tier = "hospital"
	TierClinic   Tier = "clinic" // 社区卫生服务中心、站、乡镇卫生院
)

// ClinicRow is one organisation to import. Hospital is the code of the hospital
// behind a clinic, "" for none.
type ClinicRow struct {
	Code, Name string
	Tier       Tier
	Hospital   string
	Phone      string // of the duty desk, as families read it
	Hours      string
	Townships  []string // codes of the divisions that it serves
	Costs      string   // what it costs and what insurance pays, in a family's words
}

// ParseClinics reads
//
//	code,name,tier,hospital,phone,hours,townships,costs
//
// tier is hospital or clinic, hospital the code of one in the file or among those
// known, townships codes of divisions with | between them. hours and costs are
// told to families as they stand. The columns from hours on may be missing.
// Hospitals come first in what is returned.
func ParseClinics(f people.File, hospitals, divisions []string) ([]ClinicRow, error) {
	t, err := people.ReadTable(f, []string{"code", "name", "tier", "hospital", "phone"}, []string{"hours", "townships", "costs"})
	if err != nil {
		return nil, err
	}
	var rows []ClinicRow
	seen := map[string]bool{}
	known := slices.Clone(hospitals)
	for line := range t.Rows() {
		if Tier(line.Get("tier")) == TierHospital {
			known = append(known, line.Get("code"))
		}
	}
	for line := range t.Rows() {
		c := ClinicRow{
			Code: line.Get("code"), Name: line.Get("name"), Tier: Tier(line.Get("tier")), Hospital: line.Get("hospital"),
			Phone: line.Get("phone"), Hours: line.Get("hours"), Costs: line.Get("costs"),
			Townships: strings.FieldsFunc(line.Get("townships"), func(r rune) bool { return r == '|' || r == ' ' }),
		}
		for _, name := range []string{c.Code, c.Name} {
			if seen[name] {
				t.Fail(line, fmt.Sprintf("%q stands twice", name))
			}
			seen[name] = true
		}
		for _, bad := range c.check(known, divisions) {
			t.Fail(line, bad)
		}
		rows = append(rows, c)
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b ClinicRow) int { return -strings.Compare(string(a.Tier), string(b.Tier)) })
	return rows, nil
}

// check returns what is wrong with a row.
func (c ClinicRow) check(hospitals, divisions []string) (bad []string) {
	note := func(wrong bool, format string, args ...any) {
		if wrong {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	note(!clinicCode(c.Code), "code %q must be 2 to 32 lower-case letters, digits, - and _", c.Code)
	note(c.Name == "" || len([]rune(c.Name)) > maxClinicName, "name must have 1 to %d characters", maxClinicName)
	note(c.Tier != TierHospital && c.Tier != TierClinic, "tier %q must be %s or %s", c.Tier, TierHospital, TierClinic)
	note(c.Phone == "" || strings.Trim(c.Phone, "0123456789-+ ") != "", "phone of the duty desk is no number")
	note(c.Tier == TierHospital && c.Hospital != "", "a hospital stands behind no other")
	note(c.Hospital != "" && !slices.Contains(hospitals, c.Hospital), "hospital %q is unknown", c.Hospital)
	note(c.Tier == TierClinic && len(c.Townships) == 0, "a clinic serves at least one division")
	for _, d := range c.Townships {
		note(!slices.Contains(divisions, d), "division %q is unknown", d)
	}
	note(len([]rune(c.Hours)) > maxClinicHours, "hours have at most %d characters", maxClinicHours)
	note(len([]rune(c.Costs)) > maxClinicCosts, "costs have at most %d characters: they are sent as a text", maxClinicCosts)
	return bad
}

// What a clinic's texts may have in characters: more fits no message.
const (
	maxClinicName  = 40
	maxClinicHours = 60
	maxClinicCosts = 200
)

// clinicCode is that of the unit in which the staff hold their roles.
func clinicCode(s string) bool {
	return len(s) >= 2 && len(s) <= 32 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
