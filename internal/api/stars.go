package api

import (
	"context"

	"shaoying/internal/figures"
	"shaoying/internal/workorder"
)

type starsInput struct {
	Paging
	Months
}

// Star is a unit with its stars. Units are compared inside a band alone, and no
// figure is tied to anybody's pay.
type Star struct {
	Unit   string   `json:"unit"`
	Name   string   `json:"name"`
	Band   string   `json:"band" doc:"units of one band may be compared"`
	Stars  int      `json:"stars,omitempty" doc:"1 to 5; missing where there are too few tickets"`
	Thin   bool     `json:"thin,omitempty" doc:"too few tickets to say anything"`
	Capped bool     `json:"capped,omitempty" doc:"more were earned, but a supervision is unanswered past its deadline"`
	Total  *float64 `json:"total,omitempty" doc:"response, resolution and satisfaction in one number, 0 to 100"`
	N      int      `json:"n" doc:"the smallest of the three denominators"`
}

func (a *API) listStars(ctx context.Context, v *visit, in *starsInput) (*Page[Star], error) {
	from, err := in.at("stars", 0)
	if err != nil {
		return nil, err
	}
	scope, err := a.scope(v, in.Months)
	if err != nil {
		return nil, err
	}
	list, err := a.Tally.Stars(ctx, v.Tx, scope, v.Now)
	if err != nil {
		return nil, err
	}
	var all []Star
	for _, u := range list {
		s := Star{Unit: u.Unit, Name: u.Name, Band: u.Band, Stars: u.Count, Thin: u.Thin, Capped: u.Capped, N: u.Stars.N}
		if !u.Thin {
			s.Total = &u.Total
		}
		all = append(all, s)
	}
	return pageOf(all, "stars", from, a.rows(in.Paging)), nil
}

// WhistleStar is what the townships' appraisals of a unit come to.
type WhistleStar struct {
	Unit  string   `json:"unit"`
	N     int      `json:"n" doc:"appraisals"`
	Late  int      `json:"late" doc:"those of a unit that came late or not at all"`
	Stars int      `json:"stars,omitempty" doc:"1 to 5; missing where there are too few appraisals"`
	Mean  *float64 `json:"mean,omitempty" doc:"0 to 100; missing with the stars"`
}

func (a *API) listWhistleStars(ctx context.Context, v *visit, in *Paging) (*Page[WhistleStar], error) {
	from, err := in.at("whistle_stars", 0)
	if err != nil {
		return nil, err
	}
	list, err := workorder.WhistleStars(ctx, v.Queries, a.Orders.Whistles.Policy(), v.Now)
	if err != nil {
		return nil, err
	}
	var all []WhistleStar
	for _, u := range list {
		s := WhistleStar{Unit: u.Unit, N: u.N, Late: u.Late, Stars: u.Stars}
		if u.Stars != 0 {
			s.Mean = &u.Mean
		}
		all = append(all, s)
	}
	return pageOf(all, "whistle_stars", from, a.rows(*in)), nil
}

type worriesInput struct {
	Paging
	// Month alone: months added up would give hidden cells away.
	Month string `query:"month" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" doc:"such as 2026-03; this month when missing"`
}

// Worry is the worry index of one area: of counties to the city, else of
// townships. Cells with few tickets are hidden.
type Worry struct {
	Area  string      `json:"area"`
	Name  string      `json:"name"`
	Month string      `json:"month"`
	All   WorryCell   `json:"all"`
	Cells []WorryCell `json:"cells" doc:"the nine worries"`
}

// WorryCell is how much of a worry there is.
type WorryCell struct {
	Worry  string `json:"worry,omitempty"`
	Hidden bool   `json:"hidden,omitempty" doc:"so few tickets that a person might be known by them"`
	N      *int   `json:"n,omitempty" doc:"tickets"`
	Index  *int   `json:"index,omitempty" doc:"100 is as much, for the inhabitants, as in the city; missing where that is unknown"`
}

func worryCell(worry string, c figures.WorryCell) WorryCell {
	out := WorryCell{Worry: worry, Hidden: c.Hidden}
	if c.Hidden {
		return out
	}
	out.N = &c.N
	if c.Index != 0 {
		out.Index = &c.Index
	}
	return out
}

func (a *API) listWorries(ctx context.Context, v *visit, in *worriesInput) (*Page[Worry], error) {
	from, err := in.at("worries", 0)
	if err != nil {
		return nil, err
	}
	scope, err := a.scope(v, Months{From: in.Month})
	if err != nil {
		return nil, err
	}
	names, err := a.Tally.Names(ctx, v.Tx)
	if err != nil {
		return nil, err
	}
	table, err := a.Tally.Worries(ctx, v.Tx, scope, below(scope.Area), v.Now)
	if err != nil {
		return nil, err
	}
	var all []Worry
	for i, area := range table.Areas {
		w := Worry{Area: area, Name: names(area), Month: scope.From.Format("2006-01"), All: worryCell("", table.Total[i])}
		for k, c := range table.Cells[i] {
			w.Cells = append(w.Cells, worryCell(table.Worries[k], c))
		}
		all = append(all, w)
	}
	return pageOf(all, "worries", from, a.rows(in.Paging)), nil
}
