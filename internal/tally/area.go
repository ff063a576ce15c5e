package tally

import (
	"slices"
	"time"

	"shaoying/internal/people"
)

// AreaOf is the widest area in which a member of the staff may see figures.
func AreaOf(rights people.Rights, who people.Staff, now time.Time) (people.Area, bool) {
	order := people.AreaKinds()
	var best people.Area
	for _, g := range who.Grants {
		alone := people.Staff{ID: who.ID, EndedAt: who.EndedAt, Grants: []people.Grant{g}}
		if !rights.May(alone, people.MaySeeFigures, g.Area.Subject(), now) {
			continue
		}
		if best.Code == "" || slices.Index(order, g.Area.Kind) < slices.Index(order, best.Kind) {
			best = g.Area
		}
	}
	return best, best.Code != ""
}

// Within is the scope of an area, from one month to another.
func Within(a people.Area, from, to time.Time) Scope {
	if a.Kind == people.AreaUnit {
		return Scope{From: from, To: to, Unit: a.Code}
	}
	return Scope{From: from, To: to, Area: a.Code}
}

// What a person who joined the monthly question consented to, by for whom they
// answer.
const (
	ConsentPoll     = "worry_poll"
	ConsentPollFirm = "worry_poll_firm"
)
