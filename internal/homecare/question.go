package homecare

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
)

// Asked is one visit that a question is about, at a version of it.
type Asked struct {
	Visit   int64
	Version int
}

// varVisit is the variable of the dialogue visit_confirm: {ids, when, who, code,
// phone, count}, all of them text.
const varVisit = "visit"

// FormatAsked writes the visits of a question as a dialogue keeps them: "9.2 12.1".
func FormatAsked(about []Asked) string {
	parts := make([]string, len(about))
	for i, a := range about {
		parts[i] = strconv.FormatInt(a.Visit, 10) + "." + strconv.Itoa(a.Version)
	}
	return strings.Join(parts, " ")
}

// ParseIDs reads what FormatAsked wrote.
func ParseIDs(ids string) ([]Asked, error) {
	var about []Asked
	for _, part := range strings.Fields(ids) {
		id, version, ok := strings.Cut(part, ".")
		v, err := strconv.ParseInt(id, 10, 64)
		n, err2 := strconv.Atoi(version)
		if !ok || err != nil || err2 != nil {
			return nil, fmt.Errorf("%q names no visit", part)
		}
		about = append(about, Asked{Visit: v, Version: n})
	}
	return about, nil
}

// ParseAsked reads the visits from the variables of a dialogue.
func ParseAsked(vars map[string]any) ([]Asked, error) {
	visit, _ := vars[varVisit].(map[string]any)
	ids, _ := visit["ids"].(string)
	return ParseIDs(ids)
}

// Question makes the variables of the dialogue that asks about some visits, soonest
// first, and until when an answer counts: the start of the last of them. Visits that
// no longer wait, or are not what they were, are left out. r is the row that asks.
func (s *Service) Question(ctx context.Context, t *gateway.Turn, about []Asked, r *Rung) (map[string]any, time.Time, error) {
	visits := []care.Visit{*r.Visit}
	if len(about) > 1 {
		ids := make([]int64, len(about))
		for i, a := range about {
			ids[i] = a.Visit
		}
		rows, err := t.VisitsByID(ctx, ids)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("read the visits of a question: %w", err)
		}
		visits = postgres.VisitsOf(rows)
	}
	loc := s.Orders.Work.Location()
	visits = slices.DeleteFunc(visits, func(v care.Visit) bool {
		return !v.State.Waiting() || !slices.Contains(about, Asked{Visit: v.ID, Version: v.Version})
	})
	slices.SortFunc(visits, func(a, b care.Visit) int { return a.Start(loc).Compare(b.Start(loc)) })
	var until time.Time
	var whens, whos, codes []string
	var asked []Asked
	phone := ""
	for _, v := range visits {
		b := r.Bed
		if v.BedID != b.ID {
			var err error
			if b, err = t.Tx.LoadBed(ctx, v.BedID, false); err != nil {
				return nil, until, err
			}
		}
		p, err := s.Values(ctx, t, b, &v, r.Due.Neutral)
		if err != nil {
			return nil, until, err
		}
		whens, whos, codes = append(whens, p["when"]), append(whos, p["who"]), append(codes, p["code"])
		asked, phone, until = append(asked, Asked{Visit: v.ID, Version: v.Version}), p["phone"], v.Start(loc)
	}
	and, err := t.Text("care.and", nil)
	if err != nil {
		return nil, until, err
	}
	return map[string]any{varVisit: map[string]any{
		"ids": FormatAsked(asked), "when": strings.Join(whens, and), "who": strings.Join(slices.Compact(whos), and),
		"code": strings.Join(codes, and), "phone": phone, "count": strconv.Itoa(len(asked)),
	}}, until, nil
}
