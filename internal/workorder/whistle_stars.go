package workorder

import (
	"context"
	"fmt"
	"time"

	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// WhistleStar is what a unit's appraisals 评哨 come to. It stands beside the
// residents' stars and is never mixed with them.
type WhistleStar struct {
	Unit string // code
	// N counts appraisals, Late those of a unit that came late or not at all.
	N, Late int
	Mean    float64 // 0 to 100
	Stars   int     // 1 to 5; 0: too few appraisals 样本不足
}

// WhistleStars reckons the stars of every unit that was appraised in the year
// (policy stars.days) before now, by unit code. Private whistles stay out.
// Source of bands and weights: configs/policies/whistle.yaml.
func WhistleStars(ctx context.Context, q *db.Queries, p ticket.WhistlePolicy, now time.Time) ([]WhistleStar, error) {
	since := now.AddDate(0, 0, -p.Stars.Days)
	rows, err := q.WhistleMarks(ctx, &since)
	if err != nil {
		return nil, fmt.Errorf("count the appraisals of units: %w", err)
	}
	var all []WhistleStar
	for _, r := range rows {
		if len(all) == 0 || all[len(all)-1].Unit != r.Desk {
			all = append(all, WhistleStar{Unit: r.Desk})
		}
		s := &all[len(all)-1]
		s.N += int(r.N)
		s.Late += int(r.Late)
		s.Mean += float64(r.N) * p.Score(ticket.Grade(r.Speed), ticket.Grade(r.Quality)) // the sum, until below
	}
	for i := range all {
		all[i].Mean /= float64(all[i].N)
		all[i].Stars = p.StarsOf(all[i].N, all[i].Mean)
	}
	return all, nil
}

// WhistleUse is how a township used its whistles: rating goes both ways.
type WhistleUse struct {
	Township string // code
	// Blown counts its whistles, Misuse those that some unit called none 乱吹哨.
	Blown, Misuse int
}

// WhistleUses counts the whistles of every township in the year (policy
// stars.days) before now, by township code. Private ones stay out.
func WhistleUses(ctx context.Context, q *db.Queries, p ticket.WhistlePolicy, now time.Time) ([]WhistleUse, error) {
	since := now.AddDate(0, 0, -p.Stars.Days)
	rows, err := q.WhistleMisuse(ctx, &since)
	if err != nil {
		return nil, fmt.Errorf("count the whistles of townships: %w", err)
	}
	all := make([]WhistleUse, len(rows))
	for i, r := range rows {
		all[i] = WhistleUse{Township: r.Township, Blown: int(r.Blown), Misuse: int(r.Misuse)}
	}
	return all, nil
}
