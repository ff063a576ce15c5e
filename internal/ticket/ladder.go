package ticket

import "time"

// RaiseAt is the instant at which a ticket that is still not handled is raised:
// one whole handling limit of its class after the deadline (reference
// civic-tickets 1.3). It is zero while no clock runs.
func (r *Rules) RaiseAt(t Ticket) (time.Time, error) {
	if !t.State.OnDesk() || t.Deadline.IsZero() {
		return time.Time{}, nil
	}
	var at time.Time
	err := r.clock(&at, t.Deadline, r.policy.Classes[t.Urgency].Handle)
	return at, err
}

// Rungs lists the levels of the ladder from the ticket's own one up.
func (r *Rules) Rungs(t Ticket) []Rung {
	all := r.policy.Ladder.Rungs
	return all[min(max(t.Level, 0), len(all)-1):]
}
