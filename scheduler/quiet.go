package scheduler

import (
	"errors"
	"slices"
	"time"
)

// Class says how much a push may disturb. Replies have no class: quiet hours
// bind pushes only.
type Class string

// The classes of pushes, most urgent first.
const (
	Emergency Class = "emergency"
	Urgent    Class = "urgent"
	Normal    Class = "normal"
	Survey    Class = "survey"
	Bulk      Class = "bulk"
)

// Classes returns every class, most urgent first.
func Classes() []Class { return []Class{Emergency, Urgent, Normal, Survey, Bulk} }

// OnQuiet says what to do with a push that falls into quiet hours.
type OnQuiet string

// The rules for quiet hours.
const (
	QuietLater   OnQuiet = "later"   // wait for the next span
	QuietEarlier OnQuiet = "earlier" // go in the last minute of the span before
	QuietDrop    OnQuiet = "drop"    // do not send at all
	QuietHuman   OnQuiet = "human"   // a person takes over
)

// Verdict is what quiet hours make of a push.
type Verdict string

// The verdicts of [Quiet.Shift].
const (
	Send    Verdict = "send"    // at the time that was asked for
	Moved   Verdict = "moved"   // at the time that Shift returned
	Dropped Verdict = "dropped" // never
	ToHuman Verdict = "human"   // as a task for staff
)

// Quiet knows when pushes may go out. It is immutable and safe for concurrent
// use. Results are in the location of the argument. The zero Quiet has no
// quiet hours.
type Quiet struct {
	classes map[Class]ClassPolicy
	release time.Duration
	loc     *time.Location
}

// NewQuiet returns the quiet hours of a policy in a zone. The error is that of
// [HoursPolicy.Validate].
func NewQuiet(p HoursPolicy, loc *time.Location) (Quiet, error) {
	if loc == nil {
		return Quiet{}, errors.New("quiet hours need a zone")
	}
	if err := p.Validate(); err != nil {
		return Quiet{}, err
	}
	return Quiet{classes: p.Classes, release: p.Release.Over, loc: loc}, nil
}

// Open reports whether a push of the class may go out at t. The empty class, of
// work that writes to nobody, is always open.
func (q Quiet) Open(t time.Time, class Class) bool {
	policy, bound := q.classes[class]
	if !bound {
		return true
	}
	at := timeOfDay(t.In(q.loc))
	return slices.ContainsFunc(policy.Send, func(s Span) bool { return s.contains(at) })
}

// Shift decides about a push of the class that is due at t and means nothing
// after notAfter (zero: it always does). The time is meaningful for Send and
// Moved. Waiting beyond notAfter becomes what the policy of the class says: a
// human's task for care, nothing for surveys.
//
// Moved by QuietEarlier, the time may be over already; what is sent is sent
// now, and the sender asks again whether now is open.
func (q Quiet) Shift(t, notAfter time.Time, class Class, rule OnQuiet) (time.Time, Verdict) {
	if q.Open(t, class) {
		return t, Send
	}
	switch rule {
	case QuietDrop:
		return t, Dropped
	case QuietHuman:
		return t, ToHuman
	case QuietEarlier:
		return q.before(t, class), Moved
	}
	next := q.after(t, class)
	if notAfter.IsZero() || !next.After(notAfter) {
		return next, Moved
	}
	if q.classes[class].TooLate == QuietHuman {
		return t, ToHuman
	}
	return t, Dropped
}

// Spread returns when the i-th (from 0) of n pushes that waited for base goes
// out, so that the end of quiet hours is not one burst. Order them by what is
// most pressing.
func (q Quiet) Spread(base time.Time, n, i int) time.Time {
	if n <= 1 || i <= 0 {
		return base
	}
	step := float64(q.release) / float64(n)
	return base.Add(time.Duration(step * float64(min(i, n-1)))).Truncate(time.Second)
}

// after returns the start of the next span at or after t.
func (q Quiet) after(t time.Time, class Class) time.Time {
	for d := DateOf(t.In(q.loc)); ; d = d.AddDays(1) {
		for _, s := range q.classes[class].Send {
			if start := d.At(s.From, q.loc); !start.Before(t) {
				return start.In(t.Location())
			}
		}
	}
}

// before returns the last whole minute of the span that ended before t.
func (q Quiet) before(t time.Time, class Class) time.Time {
	for d := DateOf(t.In(q.loc)); ; d = d.AddDays(-1) {
		for _, s := range slices.Backward(q.classes[class].Send) {
			if last := d.At(s.To, q.loc).Add(-time.Minute); last.Before(t) {
				return last.In(t.Location())
			}
		}
	}
}
