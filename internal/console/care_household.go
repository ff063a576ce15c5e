package console

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"shaoying/internal/care"
	"shaoying/internal/workorder"
)

// household reads the carers of a form: those that are known in their order, without
// those whose order was emptied, and those that are new. A telephone that two of them
// use, or that the patient reads too, is a shared one.
func (c *Console) household(ctx context.Context, v *visit, known []care.Carer, patient int64) (care.Household, error) {
	h := care.Household{LivesAlone: v.form("lives_alone") != "", Dependent: v.form("dependent") != ""}
	type placed struct {
		care.Carer
		order int
	}
	var list []placed
	taken := []int64{patient}
	for i, k := range known {
		n := strconv.Itoa(i + 1)
		order, err := v.few("order_" + n)
		if err != nil {
			return h, err
		}
		if order == 0 {
			continue
		}
		if number := v.form("phone_" + n); number != "" {
			if k, err = c.anotherNumber(ctx, v, k, number, taken); err != nil {
				return h, err
			}
		}
		k.Relation, k.Shared = v.form("relation_"+n), v.form("shared_"+n) != ""
		list, taken = append(list, placed{k, order}), append(taken, k.Person)
	}
	for i, n := range []string{"new1", "new2"} {
		name, number := v.form("name_"+n), v.form("phone_"+n)
		if name == "" && number == "" {
			continue
		}
		r, err := c.householdPerson(ctx, v, name, number, true, taken...)
		if err != nil {
			return h, err
		}
		k := care.Carer{Person: r.Person, Address: r.Address, Relation: v.form("relation_" + n), Shared: v.form("shared_"+n) != ""}
		list, taken = append(list, placed{k, len(known) + i + 1}), append(taken, r.Person)
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.order, b.order) })
	for _, k := range list {
		h.Carers = append(h.Carers, k.Carer)
	}
	return h, nil
}

// anotherNumber gives a carer another number to be written to. Whoever answers from
// it is known by it, so the carer is that person from now on, under the same name.
func (c *Console) anotherNumber(ctx context.Context, v *visit, k care.Carer, number string, taken []int64) (care.Carer, error) {
	row, err := v.GetPerson(ctx, k.Person)
	if err != nil {
		return k, err
	}
	name, err := v.Open(workorder.SealName, row.Name)
	if err != nil {
		return k, err
	}
	r, err := c.householdPerson(ctx, v, name, number, true, taken...)
	if err != nil {
		return k, err
	}
	k.Person, k.Address, k.Stopped = r.Person, r.Address, k.Stopped && r.Person == k.Person
	return k, nil
}
