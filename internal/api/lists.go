package api

import (
	"context"
	"slices"

	"shaoying/internal/ticket"
)

func (a *API) lists() {
	read(a, get("listUnits", "/units", "The units that lead tickets"), "", a.listUnits)
	read(a, get("listMatters", "/matters", "The matters that a ticket may be about"), "", a.listMatters)
}

func (a *API) isClaim(code string) bool {
	return slices.ContainsFunc(a.Orders.Matters.Claims(), func(c ticket.Claim) bool { return c.Code == code })
}

// Unit is a unit that leads tickets.
type Unit struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Kind string `json:"kind" doc:"department or village"`
	Desk string `json:"desk" doc:"name of the desk to which tickets are dispatched"`
	Band string `json:"band" doc:"units of one band may be compared"`
}

func (a *API) listUnits(_ context.Context, _ *visit, in *Paging) (*Page[Unit], error) {
	from, err := in.at("units", 0)
	if err != nil {
		return nil, err
	}
	var all []Unit
	for _, u := range a.Units.All() {
		all = append(all, Unit{Code: u.Code, Name: u.Name, Kind: string(u.Kind), Desk: u.Desk, Band: u.Band})
	}
	return pageOf(all, "units", from, a.rows(*in)), nil
}

// Matter is what a ticket may be about.
type Matter struct {
	Code string `json:"code"`
	Name string `json:"name"`
	Unit string `json:"unit,omitempty" doc:"the unit that usually leads"`
}

func (a *API) listMatters(_ context.Context, _ *visit, in *Paging) (*Page[Matter], error) {
	from, err := in.at("matters", 0)
	if err != nil {
		return nil, err
	}
	var all []Matter
	for _, m := range a.Orders.Matters.All() {
		all = append(all, Matter{Code: m.Code, Name: m.Name, Unit: m.Unit})
	}
	return pageOf(all, "matters", from, a.rows(*in)), nil
}
