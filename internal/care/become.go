package care

import (
	"slices"
	"time"
)

// The states of what other programmes plan for somebody: an event that they take
// part in, a moment of their own, or what a cadence has planned.
const (
	OccasionPlanned   = "planned"
	OccasionAsked     = "asked"
	OccasionConfirmed = "confirmed"
	OccasionDeclined  = "declined" // with a no, or with a call for help
	OccasionDone      = "done"
	OccasionMissed    = "missed"
	OccasionCancelled = "cancelled"
)

// OccasionStates lists them in the order of a life.
func OccasionStates() []string {
	return []string{
		OccasionPlanned, OccasionAsked, OccasionConfirmed, OccasionDeclined, OccasionDone, OccasionMissed, OccasionCancelled,
	}
}

// answered are the states to which an answer may lead.
var answered = []string{OccasionConfirmed, OccasionDeclined, OccasionDone}

// OccasionMay reports whether an occasion may go from one state to another. What is
// done or missed is never open again; what was missed may still be written down as
// done.
func OccasionMay(from, to string) bool {
	open := OccasionOpen(from)
	switch to {
	case OccasionAsked:
		return from == OccasionPlanned || from == OccasionAsked
	case OccasionConfirmed, OccasionDeclined:
		return open && from != to
	case OccasionDone:
		return open || from == OccasionMissed
	case OccasionMissed, OccasionCancelled:
		return open
	}
	return false
}

// OccasionOpen reports whether something may still become of it.
func OccasionOpen(state string) bool {
	return slices.Contains([]string{OccasionPlanned, OccasionAsked, OccasionConfirmed, OccasionDeclined}, state)
}

// Become moves on what a cadence planned. Whether the speaker may is the caller's;
// what the table does not have is *Refused.
func (r *Rules) Become(v Visit, by Actor, to string, now time.Time) (Visit, []Event, error) {
	from := v.State
	if !OccasionMay(occasionState(from), to) || from == VisitReleased {
		return v, nil, refuse(KeyState, "command", to, "state", string(from))
	}
	var kind EventKind
	v.Told, v.StateAt, v.Reason = true, now, ""
	switch to {
	case OccasionAsked:
		v.State, v.AskedAt, kind = VisitNotified, now, EventAsked
	case OccasionConfirmed:
		v.State, v.ConfirmedBy, kind = VisitConfirmed, by.Person, EventConfirmed
	case OccasionDeclined:
		v.State, kind = VisitDeclined, EventDeclined
	case OccasionDone:
		v.State, v.ArrivedAt, v.DoneAt, kind = VisitDone, now, now, EventDone
	case OccasionMissed:
		v.State, v.Reason, kind = VisitMissed, ReasonNotRecorded, EventMissed
	case OccasionCancelled:
		v.State, kind = VisitCancelled, EventCancelled
	}
	return v, []Event{{Kind: kind, Actor: by, At: now, From: string(from), To: string(v.State)}}, nil
}
