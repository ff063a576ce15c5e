package ticket

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"shaoying/internal/people"
)

// Shared reports whether a ticket may be counted, offered and told together
// with those of others: it is not private, and about nobody who could learn of
// it that way. SQL view shared_ticket says the same.
func (t Ticket) Shared() bool {
	return !t.Private() && !t.AboutSomebody() && t.State != Draft
}

// Spot is a ticket as clusters see it: where and when, whose, and how far it has
// come.
type Spot struct {
	ID       int64
	Reporter int64
	Place    PlaceRef       // without label
	At       *people.LatLon // of its place, nil when unknown
	Received time.Time
	State    State
}

// leads reports whether others could follow the ticket, follows whether it could
// follow another: what Merge allows (a finding is no spot).
func (s Spot) leads() bool { return s.State == Received || s.State == Suspended || s.State.OnDesk() }

func (s Spot) follows() bool {
	return s.State == Received || s.State == Dispatched || s.State == Signed
}

// Near reports whether two tickets of one matter are in the same place: within
// so many metres where both positions are known, else the same place of the
// gazetteer, else the same grid, else the same village.
func Near(a, b Spot, metres float64) bool {
	switch {
	case a.At != nil && b.At != nil:
		return people.Metres(*a.At, *b.At) <= metres
	case a.Place.PlaceID != 0 && a.Place.PlaceID == b.Place.PlaceID:
		return true
	case a.Place.Grid != "" && b.Place.Grid != "":
		return a.Place.Grid == b.Place.Grid
	}
	return a.Place.Known() && a.Place.Division == b.Place.Division
}

// Cluster is what looks like one case.
type Cluster struct {
	// Master is the oldest ticket that can lead; Others, in the order of their
	// coming, would follow it.
	Master Spot
	Others []Spot
	// Reporters is how many different people reported within the days of the
	// policy, merged and closed tickets included.
	Reporters int
}

// Clusters finds among the shared tickets of one matter those that look like
// one case (policy cluster). Every ticket joins the first case whose oldest
// ticket is near, so that a case never spreads along a street. Cases with
// nothing to merge, or with too few reporters lately, are left out.
func (p TopicPolicy) Clusters(spots []Spot, now time.Time) []Cluster {
	spots = slices.Clone(spots)
	slices.SortFunc(spots, func(a, b Spot) int { return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.ID, b.ID)) })
	cases := map[people.DivisionCode][][]Spot{} // by township: a dispatcher's own
	var found []Cluster
	for _, s := range spots {
		township := people.DivisionCode(s.Place.Division).At(people.LevelTownship)
		if township == "" || !s.Received.After(now.Add(-Days(p.Cluster.Days))) {
			continue
		}
		i := slices.IndexFunc(cases[township], func(c []Spot) bool { return Near(c[0], s, p.Cluster.Metres) })
		if i < 0 {
			cases[township] = append(cases[township], []Spot{s})
		} else {
			cases[township][i] = append(cases[township][i], s)
		}
	}
	for _, township := range slices.Sorted(maps.Keys(cases)) {
		for _, c := range cases[township] {
			if one, ok := p.clusterOf(c, now); ok {
				found = append(found, one)
			}
		}
	}
	return found
}

func (p TopicPolicy) clusterOf(list []Spot, now time.Time) (c Cluster, ok bool) {
	lately := now.Add(-Days(p.Cluster.Within))
	reporters := map[int64]bool{}
	for _, s := range list {
		if s.Received.After(lately) {
			reporters[s.Reporter] = true
		}
		switch {
		case c.Master.ID == 0 && s.leads():
			c.Master = s
		case c.Master.ID != 0 && s.follows():
			c.Others = append(c.Others, s)
		}
	}
	c.Reporters = len(reporters)
	return c, len(c.Others) > 0 && c.Reporters >= p.Cluster.Reporters
}
