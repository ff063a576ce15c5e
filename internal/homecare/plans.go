package homecare

import (
	"context"
	"fmt"
	"slices"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
)

// PlanOrder is one order of a hospital's file as it would be given at a bed.
type PlanOrder struct {
	Row  care.PlanRow
	Bed  int64
	Item care.Item
	// Instead is the order that it replaces: the one of the same kind and rhythm, or
	// the only one of its kind where the file has one of it too. ID 0 for none.
	Instead care.Item
}

// Same reports whether the order stands already, so that reading a file twice changes
// nothing the second time.
func (o PlanOrder) Same() bool {
	a, b := o.Item, o.Instead
	return b.ID != 0 && rhythmOf(a) == rhythmOf(b) && a.Staff == b.Staff && a.Window == b.Window && a.Minutes == b.Minutes &&
		a.Early == b.Early && a.Late == b.Late && a.OnHoliday == b.OnHoliday && a.Until == b.Until
}

func rhythmOf(it care.Item) string { return fmt.Sprint(it.Every, it.Weeks, it.Weekdays) }

// ReadPlans reads a file of orders (care.Rules.ParsePlans) for the open beds of some
// clinics and says what each line means there. Lines that cannot be taken are an
// *people.ImportError, and then none is.
func (s *Service) ReadPlans(ctx context.Context, t *gateway.Turn, clinics []db.Clinic, f people.File) ([]PlanOrder, error) {
	var ids []int64
	var units []string
	for _, k := range clinics {
		ids, units = append(ids, k.ID), append(units, k.Code)
	}
	numbered, err := t.BedsNumbered(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("list the numbers of beds: %w", err)
	}
	visitors, err := t.CareStaff(ctx, units)
	if err != nil {
		return nil, fmt.Errorf("list the staff of clinics: %w", err)
	}
	beds, staff := map[string]int64{}, map[string]int64{}
	var numbers, slugs []string
	for _, r := range numbered {
		beds[r.Number], numbers = r.ID, append(numbers, r.Number)
	}
	for _, r := range visitors {
		staff[r.Slug], slugs = r.ID, append(slugs, r.Slug)
	}
	rows, err := s.Rules.ParsePlans(f, numbers, slugs)
	if err != nil {
		return nil, err
	}
	orders := make([]PlanOrder, len(rows))
	for i, r := range rows {
		orders[i] = PlanOrder{Row: r, Bed: beds[r.Bed], Item: r.Item}
		orders[i].Item.Staff = staff[r.Staff]
	}
	return orders, s.instead(ctx, t, orders)
}

// instead finds the orders that those of a file replace.
func (s *Service) instead(ctx context.Context, t *gateway.Turn, orders []PlanOrder) error {
	all, err := t.LoadBeds(ctx, bedsOf(orders), false)
	if err != nil {
		return err
	}
	running := map[int64][]care.Item{}
	for _, b := range all {
		running[b.ID] = slices.DeleteFunc(slices.Clone(b.Items), func(it care.Item) bool { return !it.EndedAt.IsZero() })
	}
	take := func(o *PlanOrder, fits func(care.Item) bool) {
		i := slices.IndexFunc(running[o.Bed], fits)
		if i >= 0 {
			o.Instead = running[o.Bed][i]
			running[o.Bed] = slices.Delete(running[o.Bed], i, i+1)
		}
	}
	for i := range orders {
		o := &orders[i]
		take(o, func(it care.Item) bool { return it.Kind == o.Item.Kind && rhythmOf(it) == rhythmOf(o.Item) })
	}
	for i := range orders {
		o := &orders[i]
		kind := func(it care.Item) bool { return it.Kind == o.Item.Kind }
		inFile := 0
		for _, other := range orders {
			if other.Bed == o.Bed && other.Item.Kind == o.Item.Kind {
				inFile++
			}
		}
		left := slices.DeleteFunc(slices.Clone(running[o.Bed]), func(it care.Item) bool { return !kind(it) })
		if o.Instead.ID == 0 && inFile == 1 && len(left) == 1 {
			take(o, kind)
		}
	}
	return nil
}

// bedsOf are the beds of some orders in the order of their ids.
func bedsOf(orders []PlanOrder) []int64 {
	ids := make([]int64, len(orders))
	for i, o := range orders {
		ids[i] = o.Bed
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// ApplyPlans gives the orders that change something, all or none, and returns how
// many they were. by says as what whoever imports acts at a bed.
func (s *Service) ApplyPlans(ctx context.Context, t *gateway.Turn, orders []PlanOrder, by func(*Bed) (care.Actor, error)) (given int, err error) {
	orders = slices.DeleteFunc(slices.Clone(orders), PlanOrder.Same)
	ids := bedsOf(orders)
	if len(ids) == 0 {
		return 0, nil
	}
	beds, err := t.LoadBeds(ctx, ids, true)
	if err != nil {
		return 0, err
	}
	as := map[int64]care.Actor{}
	for _, b := range beds {
		if as[b.ID], err = by(b); err != nil {
			return 0, err
		}
	}
	for _, o := range orders {
		if o.Item.ID = o.Instead.ID; o.Item.ID == 0 {
			if o.Item.ID, err = t.NextItem(ctx); err != nil {
				return 0, fmt.Errorf("number an order: %w", err)
			}
		}
		if _, err := s.DoBed(ctx, t, o.Bed, as[o.Bed], care.Order{Item: o.Item}); err != nil {
			return 0, fmt.Errorf("give an order of %s: %w", o.Row.Bed, err)
		}
	}
	return len(orders), nil
}
