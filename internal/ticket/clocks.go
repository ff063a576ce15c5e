package ticket

import (
	"fmt"
	"time"

	"shaoying/scheduler"
)

func (s *step) class() Class { return s.policy.Classes[s.t.Urgency] }

// clock sets one due time.
func (r *Rules) clock(to *time.Time, from time.Time, l scheduler.Limit) error {
	due, err := r.calendar.Deadline(from, l.String())
	if err != nil {
		return fmt.Errorf("counting %s from %s: %w", l, from.Format(time.RFC3339), err)
	}
	*to = due
	return nil
}

// tighten sets a due time, or brings it forward when the ticket has become
// more urgent. A promise that was made is never loosened.
func (s *step) tighten(to *time.Time, l scheduler.Limit) error {
	var due time.Time
	if err := s.clock(&due, s.now, l); err != nil {
		return err
	}
	if to.IsZero() || due.Before(*to) {
		*to = due
	}
	return nil
}

// share is the instant at which the share f of the span is over: by the clock
// for clock limits, else in working time.
func (r *Rules) share(l scheduler.Limit, from, deadline time.Time, f float64) time.Time {
	switch {
	case f >= 1 || !deadline.After(from):
		return deadline
	case l.Unit == scheduler.Minutes || l.Unit == scheduler.Hours:
		return from.Add(time.Duration(f * float64(deadline.Sub(from))))
	}
	return r.calendar.Fraction(from, deadline, f)
}

// Nudge is one reminder to the desk that has the lead.
type Nudge struct {
	Share float64 // of the handling time; 1 is the deadline itself
	At    time.Time
}

// Nudges lists the reminders of the running round, in order of time; none when
// no clock runs. They are stale as soon as the ticket's version, lead or state
// says so: the sender reads again before it sends.
func (r *Rules) Nudges(t Ticket) []Nudge {
	if !t.State.OnDesk() || t.Deadline.IsZero() {
		return nil
	}
	limit := r.policy.Classes[t.Urgency].Handle
	nudges := make([]Nudge, len(r.policy.Nudges.At))
	for i, f := range r.policy.Nudges.At {
		nudges[i] = Nudge{Share: f, At: r.share(limit, t.DispatchedAt, t.Deadline, f)}
	}
	return nudges
}

// Overdue reports whether the desk has let the deadline pass, or did.
func (t Ticket) Overdue(now time.Time) bool {
	if t.Deadline.IsZero() {
		return false
	}
	if !t.HandledAt.IsZero() {
		return t.HandledAt.After(t.Deadline)
	}
	return (t.State.OnDesk() || t.State == Received) && now.After(t.Deadline)
}

// Policy returns the limits in force.
func (r *Rules) Policy() Policy { return r.policy }

// Callbacks returns the callback policy in force.
func (r *Rules) Callbacks() CallbackPolicy { return r.callbacks }
