package ticket

import "slices"

// Handling is what the matter says about who deals with it.
type Handling struct {
	// GridFirst: the grid worker goes first. False sends it to the unit at
	// once; what a department must do is not sent down to the grid
	// (国办函〔2025〕66号).
	GridFirst bool
	Unit      string // code of the lead unit
}

// OnCall is a staff member who may be asked.
type OnCall struct {
	Staff int64
	Desk  string // unit or grid the member answers for
	Duty  bool   // on duty now
	// Meant: the ticket is about them, or about what they serve.
	Meant bool
}

// Roster is who there is for one ticket. Empty slices mean nobody.
type Roster struct {
	// Grid lists the staff of the place's grid in the order to ask: worker,
	// the worker's substitute, leader.
	Grid []OnCall
	// Named lists the handlers who may take private tickets of the matter, in
	// the order to ask.
	Named []OnCall
	// Unit lists who answers for the lead unit. It is asked only of a ticket that
	// is about somebody: no other waits because a unit's desk is empty.
	Unit []OnCall
}

// free reports whether somebody on duty may have the ticket.
func free(list []OnCall) bool {
	return slices.ContainsFunc(list, func(m OnCall) bool { return m.Duty && !m.Meant })
}

// Why a ticket waits for a dispatcher.
const (
	WaitPlace   = "unknown_place"
	WaitAgainst = "against"  // the natural desk is what the claim is about
	WaitNamed   = "no_named" // private, and no named handler is free of it
	WaitDuty    = "no_duty"  // nobody of the grid is on duty
	WaitUnit    = "no_unit"  // the matter has no lead unit
	WaitNobody  = "no_free"  // whoever answers for the unit is what the claim is about
)

// Plan is where a ticket should go. When Lead.Kind is DeskDispatcher it stays
// received and Reason says why.
type Plan struct {
	Lead     Desk
	Informed []Desk
	Reason   string
}

// Route decides the desk. Rules, in this order: private tickets go to a named
// handler; an unknown place goes to the dispatcher; the grid leads only where
// the matter says so; otherwise the unit leads and the grid is informed. What
// the claim is about is never on the way, not even informed (design 4, Groups).
func Route(t Ticket, h Handling, r Roster) Plan {
	switch {
	case t.Private():
		return routePrivate(t, r)
	case !t.Place.Known():
		return wait(t, WaitPlace)
	case h.GridFirst:
		return routeGrid(t, r)
	}
	return routeUnit(t, h, r)
}

func wait(t Ticket, reason string) Plan {
	return Plan{Lead: Desk{Kind: DeskDispatcher, Code: t.Place.Division}, Reason: reason}
}

func routePrivate(t Ticket, r Roster) Plan {
	for _, onDuty := range []bool{true, false} {
		for _, m := range r.Named {
			d := Desk{Kind: DeskNamed, Code: m.Desk, Staff: m.Staff}
			if m.Duty == onDuty && !m.Meant && t.admits(d) == nil {
				return Plan{Lead: d}
			}
		}
	}
	return wait(t, WaitNamed)
}

func routeGrid(t Ticket, r Roster) Plan {
	if t.Place.Grid == "" {
		return wait(t, WaitPlace)
	}
	reason := WaitDuty
	for _, m := range r.Grid {
		d := Desk{Kind: DeskGrid, Code: t.Place.Grid, Staff: m.Staff}
		if !m.Duty {
			continue
		}
		if !m.Meant && t.admits(d) == nil {
			return Plan{Lead: d}
		}
		reason = WaitAgainst
	}
	if slices.Contains(t.Against, t.Place.Grid) {
		reason = WaitAgainst
	}
	return wait(t, reason)
}

func routeUnit(t Ticket, h Handling, r Roster) Plan {
	d := Desk{Kind: DeskUnit, Code: h.Unit}
	if h.Unit == "" {
		return wait(t, WaitUnit)
	}
	if t.admits(d) != nil {
		return wait(t, WaitAgainst)
	}
	if t.AboutSomebody() && !free(r.Unit) {
		return wait(t, WaitNobody)
	}
	p := Plan{Lead: d}
	if t.Place.Grid == "" {
		return p
	}
	informed := Desk{Kind: DeskGrid, Code: t.Place.Grid}
	for _, m := range r.Grid {
		if m.Duty && !m.Meant && !t.againstStaff(m.Staff) {
			informed.Staff = m.Staff
			break
		}
	}
	if t.admits(informed) == nil {
		p.Informed = []Desk{informed}
	}
	return p
}
