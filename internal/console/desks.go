package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// A desk as the value of a choice: "unit|urban|0", "named|urban|17". What comes
// back is looked up again before anything moves.
func deskValue(d ticket.Desk) string {
	return string(d.Kind) + "|" + d.Code + "|" + strconv.FormatInt(d.Staff, 10)
}

// desk reads a chosen desk and looks whether it is there.
func (c *Console) desk(ctx context.Context, v *visit, value string) (ticket.Desk, error) {
	parts := strings.Split(value, "|")
	if len(parts) != 3 {
		return ticket.Desk{}, errForm
	}
	staff, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return ticket.Desk{}, errForm
	}
	d := ticket.Desk{Kind: ticket.DeskKind(parts[0]), Code: parts[1], Staff: staff}
	if _, unit := c.Units.Get(d.Code); !unit {
		_, err := v.GetGrid(ctx, d.Code)
		if errors.Is(err, postgres.ErrNoRows) {
			return d, errForm
		}
		if err != nil {
			return d, fmt.Errorf("look a grid up: %w", err)
		}
	}
	if d.Staff == 0 {
		return d, nil
	}
	colleagues, err := c.colleagues(ctx, v, d)
	if err == nil && !slices.ContainsFunc(colleagues, func(k choice) bool { return k.Value == value }) {
		err = errForm
	}
	return d, err
}

// colleagues are the people of a desk, each as a desk of the same kind.
func (c *Console) colleagues(ctx context.Context, v *visit, d ticket.Desk) ([]choice, error) {
	roles := []string{string(people.RoleGridWorker), string(people.RoleGridLeader), string(people.RoleCommunityPolice), string(people.RoleHandler)}
	rows, err := v.StaffWith(ctx, roles, []string{d.Code})
	if err != nil {
		return nil, fmt.Errorf("find the people of a desk: %w", err)
	}
	var list []choice
	seen := map[int64]bool{}
	for _, r := range rows {
		if !seen[r.ID] {
			seen[r.ID] = true
			list = append(list, choice{deskValue(ticket.Desk{Kind: d.Kind, Code: d.Code, Staff: r.ID}), r.Name})
		}
	}
	return list, nil
}

// maxGrids bounds the grids to choose from: those of a township.
const maxGrids = 200

// targets are the desks that a ticket may go to: the unit of its matter and the
// grid of its place first. A private one goes to people by name.
func (c *Console) targets(ctx context.Context, v *visit, o *workorder.Order) ([]choice, error) {
	units := c.Units.All()
	m, _ := c.Orders.Matters.Get(o.Matter)
	slices.SortStableFunc(units, func(a, b ticket.Unit) int {
		return boolFirst(a.Code == m.Unit, b.Code == m.Unit)
	})
	units = slices.DeleteFunc(units, func(u ticket.Unit) bool { return slices.Contains(o.Against, u.Code) })
	if o.Private() {
		return c.named(ctx, v, o, units)
	}
	var list []choice
	for _, u := range units {
		list = append(list, choice{deskValue(ticket.Desk{Kind: ticket.DeskUnit, Code: u.Code}), u.Name})
	}
	township := people.DivisionCode(o.Place.Division).At(people.LevelTownship)
	if township == "" {
		return list, nil
	}
	rows, err := v.GridsNamed(ctx, string(township), "", maxGrids)
	if err != nil {
		return nil, fmt.Errorf("list the grids of a township: %w", err)
	}
	at := 1
	for _, g := range rows {
		if slices.Contains(o.Against, g.ID) {
			continue
		}
		label := g.Name
		if !strings.Contains(label, g.Village) {
			label = g.Village + g.Name
		}
		k := choice{deskValue(ticket.Desk{Kind: ticket.DeskGrid, Code: g.ID}), label}
		if g.ID == o.Place.Grid {
			list = slices.Insert(list, min(at, len(list)), k)
			continue
		}
		list = append(list, k)
	}
	return list, nil
}

func boolFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// named are the handlers of units by name, whom the claim is not about.
func (c *Console) named(ctx context.Context, v *visit, o *workorder.Order, units []ticket.Unit) ([]choice, error) {
	codes, of := make([]string, len(units)), map[string]string{}
	for i, u := range units {
		codes[i], of[u.Code] = u.Code, u.Name
	}
	rows, err := v.StaffWith(ctx, []string{string(people.RoleHandler)}, codes)
	if err != nil {
		return nil, fmt.Errorf("find who may take a private ticket: %w", err)
	}
	var list []choice
	for _, r := range rows {
		if slices.Contains(o.AgainstStaff, r.ID) {
			continue
		}
		d := ticket.Desk{Kind: ticket.DeskNamed, Code: r.Area, Staff: r.ID}
		list = append(list, choice{deskValue(d), of[r.Area] + " " + r.Name})
	}
	return list, nil
}

// several reads desks that were ticked.
func (c *Console) several(ctx context.Context, v *visit, name string) ([]ticket.Desk, error) {
	var list []ticket.Desk
	for _, value := range v.r.PostForm[name] {
		d, err := c.desk(ctx, v, value)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// deskName names a desk for staff.
func (c *Console) deskName(ctx context.Context, v *visit, d ticket.Desk) (string, error) {
	name := d.Code
	if u, ok := c.Units.Get(d.Code); ok {
		name = u.Name
	} else if d.Code != "" {
		g, err := v.GetGrid(ctx, d.Code)
		if err != nil && !errors.Is(err, postgres.ErrNoRows) {
			return "", fmt.Errorf("load a grid: %w", err)
		}
		if err == nil {
			name = g.Name
		}
	}
	if d.Staff == 0 {
		return name, nil
	}
	staff, err := v.GetStaff(ctx, d.Staff)
	if err != nil {
		return "", fmt.Errorf("load who has a ticket: %w", err)
	}
	return strings.TrimSpace(name + " " + staff.Name), nil
}
