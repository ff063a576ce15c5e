package city

import (
	"context"
	"fmt"

	"shaoying/internal/care"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
)

// importClinics writes hospitals and clinics over those of the same codes. Each is
// a unit too, so that staff can be given roles in it.
func importClinics(ctx context.Context, q *db.Queries, files []people.File) (int, int64, error) {
	known, err := q.Clinics(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read the clinics: %w", err)
	}
	var hospitals []string
	for _, c := range known {
		if c.Tier == string(care.TierHospital) {
			hospitals = append(hospitals, c.Code)
		}
	}
	laid, err := divisions(ctx, q)
	if err != nil {
		return 0, 0, err
	}
	codes := make([]string, len(laid))
	for i, d := range laid {
		codes[i] = string(d.Code)
	}
	all, err := care.ParseClinics(files[0], hospitals, codes)
	if err != nil {
		return 0, 0, err
	}
	n, err := PutClinics(ctx, q, all)
	return len(all), n, err
}

// PutClinics writes hospitals and clinics, hospitals first as the rows stand, and
// returns how many rows that changed.
func PutClinics(ctx context.Context, q *db.Queries, all []care.ClinicRow) (changed int64, err error) {
	var units, names, kinds []string
	for _, c := range all {
		units, names, kinds = append(units, c.Code), append(names, c.Name), append(kinds, string(c.Tier))
	}
	if _, err := q.FillUnits(ctx, units, names, kinds); err != nil {
		return 0, fmt.Errorf("write the units of clinics: %w", err)
	}
	for _, c := range all {
		n, err := q.PutClinic(ctx, db.PutClinicParams{
			Code: c.Code, Name: c.Name, Tier: string(c.Tier), Hospital: c.Hospital, Phone: c.Phone, Hours: c.Hours, Townships: notNil(c.Townships), Costs: c.Costs,
		})
		if err != nil {
			return 0, fmt.Errorf("write clinic %s: %w", c.Code, err)
		}
		changed += n
	}
	return changed, nil
}

func notNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
