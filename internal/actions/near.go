package actions

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// notTheSame is the value of the option that none of the offered tickets is
// meant.
const notTheSame = "new"

// near looks, before a report is confirmed, whether the same is open nearby: is
// it this one? It costs one indexed query, and none where the place is not known
// or the report is of a kind that is never offered. Nothing is shown but the
// matter, a public name of the place and the day.
func (s *Set) near(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	f := s.filing(t, args)
	if !s.mayFollow(f.Content) {
		return result{"near_count": 0}, nil
	}
	names, p := s.around(f.Content)
	p.Since, p.MaxRows, p.Never = t.Now.Add(-ticket.Days(s.Orders.Topics.Offer.Days)), int32(s.Orders.Topics.Offer.Most), s.Orders.Topics.Offer.NeverClaims
	rows, err := t.NearTickets(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("look for near tickets: %w", err)
	}
	if len(rows) == 0 {
		return result{"near_count": 0}, nil
	}
	m, _ := s.Orders.Matters.Get(f.Content.Matter)
	lines, options := make([]string, len(rows)), make([]any, 0, len(rows)+1)
	for i, r := range rows {
		at := r.ReceivedAt.In(s.Orders.Work.Location())
		lines[i], err = t.Text("near.line", map[string]string{
			"n": strconv.Itoa(i + 1), "matter": m.Name, "place": names[r.PlaceID], "month": strconv.Itoa(int(at.Month())), "day": strconv.Itoa(at.Day()),
		})
		if err != nil {
			return nil, err
		}
		key := "near.this"
		if len(rows) > 1 {
			key = "near.nth"
		}
		if options, err = s.offerNear(t, options, strconv.FormatInt(r.ID, 10), key, i+1); err != nil {
			return nil, err
		}
	}
	if options, err = s.offerNear(t, options, notTheSame, "near.other", 0); err != nil {
		return nil, err
	}
	return result{"near_count": len(rows), "near_lines": strings.Join(lines, "\n"), "near_offers": options}, nil
}

// offerNear adds an option with the other ways to say it.
func (s *Set) offerNear(t *gateway.Turn, options []any, value, key string, n int) ([]any, error) {
	p := map[string]string{"n": strconv.Itoa(n)}
	label, err := t.Text(key, p)
	if err != nil {
		return nil, err
	}
	said, err := t.Text(key+"_words", p)
	if err != nil {
		return nil, err
	}
	words := []any{}
	for _, w := range strings.Fields(said) {
		words = append(words, w)
	}
	o := option(value, label)
	o["words"] = words
	return append(options, o), nil
}

// mayFollow reports whether a report is one that may be put behind another:
// somewhere, not urgent, nothing private, no complaint.
func (s *Set) mayFollow(c ticket.Content) bool {
	return c.Place.Known() && c.Urgency != ticket.Urgent && c.Danger == "" && c.Matter != ticket.OtherMatter && c.Shared() &&
		!slices.Contains(s.Orders.Topics.Offer.NeverClaims, c.Claim)
}

// around is where "the same place" is looked for: within some metres of a place
// of the gazetteer, or where only the village is known, the village. names are
// public names.
func (s *Set) around(c ticket.Content) (names map[int64]string, p db.NearTicketsParams) {
	names = map[int64]string{c.Place.PlaceID: privacy.MaskAddress(c.Place.Label)}
	p = db.NearTicketsParams{Matter: c.Matter, Divisions: []string{c.Place.Division}, Places: []int64{c.Place.PlaceID}}
	for _, place := range s.Places().Around(c.Place.PlaceID, s.Orders.Topics.Cluster.Metres) {
		names[place.ID] = place.Name
		if place.ID != c.Place.PlaceID {
			p.Places = append(p.Places, place.ID)
		}
		if village := string(place.Village); !slices.Contains(p.Divisions, village) {
			p.Divisions = append(p.Divisions, village)
		}
	}
	return names, p
}

// follow puts a new ticket behind the one that its reporter means too. Everybody
// keeps their own number, notices and callback. It returns the master; nil where
// that can no longer be, and then the ticket goes its own way.
func (s *Set) follow(ctx context.Context, t *gateway.Turn, o *workorder.Order, meant string) (*workorder.Order, error) {
	id, err := strconv.ParseInt(meant, 10, 64)
	if err != nil || !o.Shared() {
		return nil, nil
	}
	master, err := s.Orders.Load(ctx, t, id, false)
	if err != nil {
		return nil, err
	}
	if !master.Shared() || master.Matter != o.Matter {
		return nil, nil
	}
	_, err = s.Orders.Merge(ctx, t, ticket.Actor{As: ticket.AsSystem}, o.ID, master.ID)
	if refused := (*ticket.Refused)(nil); errors.As(err, &refused) {
		return nil, nil
	}
	return master, err
}
