package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// view is what the page shows.
type view struct {
	T       map[string]string
	Now     string
	Holding []line
	Codes   []string
	Journey *journey
	Care    []Part
	Staff   []person
	Query   string
}

// line says in one sentence what somebody has to do.
type line struct{ Slug, Text string }

// person is a member of the staff as the page shows them.
type person struct{ Slug, Name, Role, Area, Why string }

// journey is the last one, in words.
type journey struct {
	Lines []string
	Note  string
}

// look reads all that the page shows; query searches staff.
func (c *Console) look(ctx context.Context, query string) (view, error) {
	now, err := c.DB.ProductNow(ctx)
	if err != nil {
		return view{}, fmt.Errorf("read the product clock: %w", err)
	}
	v := view{T: c.texts.Texts, Now: c.texts.instant(now, c.Location), Journey: c.journey(), Care: c.texts.Care, Query: query}
	holding, err := c.holding(ctx)
	tasks, err2 := c.tasks(ctx)
	v.Holding = append(holding, tasks...)
	var err3, err4 error
	v.Codes, err3 = c.codes(ctx)
	v.Staff, err4 = c.staff(ctx, query)
	return v, errors.Join(err, err2, err3, err4)
}

// holding says in whose hands open tickets are.
func (c *Console) holding(ctx context.Context) ([]line, error) {
	rows, err := c.DB.Holding(ctx)
	if err != nil {
		return nil, fmt.Errorf("read who holds what: %w", err)
	}
	slugs := make([]string, len(rows))
	for i, r := range rows {
		slugs[i] = r.Slug
	}
	who, err := c.bySlug(ctx, slugs)
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(rows))
	for i, r := range rows {
		p := who[r.Slug]
		lines[i] = line{r.Slug, fill(c.texts.Texts["holding_line"], map[string]string{
			"number": ticket.Number(r.Number).Spoken(), "name": p.Name, "role": p.Role,
		})}
	}
	return lines, nil
}

// tasks says who has something to do by hand.
func (c *Console) tasks(ctx context.Context) ([]line, error) {
	rows, err := c.DB.DemoTasks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the open tasks: %w", err)
	}
	slugs := make([]string, len(rows))
	for i, r := range rows {
		slugs[i] = r.Slug
	}
	who, err := c.bySlug(ctx, slugs)
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(rows))
	for i, r := range rows {
		p := who[r.Slug]
		lines[i] = line{r.Slug, fill(c.texts.Texts["task_line"], map[string]string{
			"task": of(c.texts.Tasks, r.Kind), "name": p.Name, "role": p.Role,
		})}
	}
	return lines, nil
}

// codes opens the one-time codes of the last minutes: the demo has no second
// telephone to read them from.
func (c *Console) codes(ctx context.Context) ([]string, error) {
	rows, err := c.DB.ShownCodes(ctx, workorder.DueCode)
	if err != nil {
		return nil, fmt.Errorf("read the one-time codes: %w", err)
	}
	codes := make([]string, len(rows))
	for i, r := range rows {
		var sent workorder.CodeDue
		if err := json.Unmarshal(r.Data, &sent); err != nil {
			return nil, fmt.Errorf("read a one-time code: %w", err)
		}
		digits, err := c.Keys.Open(sent.Digits, workorder.SealCode)
		if err != nil {
			return nil, fmt.Errorf("open a one-time code: %w", err)
		}
		codes[i] = string(digits)
	}
	return codes, nil
}

// staff lists the cast, or whom a search finds.
func (c *Console) staff(ctx context.Context, query string) ([]person, error) {
	var slugs []string
	why := map[string]string{}
	if query == "" {
		for _, p := range c.texts.Cast {
			slugs = append(slugs, p.Slug)
			why[p.Slug] = p.Why
		}
	} else {
		var err error
		if slugs, err = c.DB.SearchStaff(ctx, query); err != nil {
			return nil, fmt.Errorf("search the staff: %w", err)
		}
	}
	all, err := c.persons(ctx, slugs)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Why = why[all[i].Slug]
	}
	slices.SortStableFunc(all, func(a, b person) int { return slices.Index(slugs, a.Slug) - slices.Index(slugs, b.Slug) })
	return all, nil
}

func (c *Console) bySlug(ctx context.Context, slugs []string) (map[string]person, error) {
	all, err := c.persons(ctx, slugs)
	if err != nil {
		return nil, err
	}
	by := make(map[string]person, len(all))
	for _, p := range all {
		by[p.Slug] = p
	}
	return by, nil
}

// persons reads staff with role and area in words.
func (c *Console) persons(ctx context.Context, slugs []string) ([]person, error) {
	rows, err := c.DB.DemoStaff(ctx, slugs)
	if err != nil {
		return nil, fmt.Errorf("read the staff: %w", err)
	}
	names, err := c.areaNames(ctx, rows)
	if err != nil {
		return nil, err
	}
	all := make([]person, len(rows))
	for i, r := range rows {
		all[i] = person{Slug: r.Slug, Name: r.Name}
		if role, area, ok := firstGrant(r); ok {
			all[i].Role, all[i].Area = c.texts.Roles[role], names[area]
		}
	}
	return all, nil
}

func (c *Console) areaNames(ctx context.Context, rows []db.DemoStaffRow) (map[string]string, error) {
	var codes []string
	for _, r := range rows {
		_, area, ok := firstGrant(r)
		if !ok {
			continue
		}
		codes = append(codes, area)
		if v := people.GridCode(area).Village(); v != "" {
			codes = append(codes, string(v))
		}
	}
	found, err := c.DB.AreaNames(ctx, codes)
	if err != nil {
		return nil, fmt.Errorf("read the names of areas: %w", err)
	}
	names := make(map[string]string, len(found))
	for _, f := range found {
		names[f.Code] = f.Name
	}
	for code, name := range names { // a grid is known by its village
		if v := people.GridCode(code).Village(); v != "" {
			names[code] = names[string(v)] + name
		}
	}
	return names, nil
}

// firstGrant reads the first of a row's grants "role|kind|area …".
func firstGrant(r db.DemoStaffRow) (role people.Role, area string, ok bool) {
	first, _, _ := strings.Cut(r.Grants, " ")
	parts := strings.SplitN(first, "|", 3)
	if len(parts) != 3 {
		return "", "", false
	}
	return people.Role(parts[0]), parts[2], true
}

// journey says what happened while the clock was last moved. A slot is no news:
// what it brings somebody is a due row.
func (c *Console) journey() *journey {
	last := c.lastJourney()
	if last == nil {
		return nil
	}
	j := &journey{}
	for _, s := range last.Stops {
		var what []string
		for _, h := range s.Happened {
			text := of(c.texts.Happened, h.Kind)
			if h.State == "done" && !h.slot && !slices.Contains(what, text) {
				what = append(what, text)
			}
		}
		if len(what) > 0 {
			j.Lines = append(j.Lines, c.texts.instant(s.At, c.Location)+"　"+strings.Join(what, "，"))
		}
	}
	switch {
	case last.Nothing:
		j.Note = c.texts.Texts["journey_nothing"]
	case !last.Arrived:
		j.Note = c.texts.Texts["journey_more"]
	case len(j.Lines) == 0:
		j.Note = c.texts.Texts["journey_none"]
	}
	return j
}
