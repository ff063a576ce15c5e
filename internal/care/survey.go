package care

import (
	"time"

	"shaoying/scheduler"
)

// Surveys is what is known about the surveys of a person and of the address at
// which they would be asked, over all programmes; zero times for never.
type Surveys struct {
	// Done is how many visits of the bed were done before this one.
	Done        int
	LastPerson  time.Time
	LastAddress time.Time
}

// Surveyed reports whether somebody is asked after a visit: the first one and
// every n-th after it, never sooner than the policy allows for the person and
// for the phone. why names what held it back: WhyAskedLately for the ledger, and ""
// where this visit is not one that is asked about.
func (r *Rules) Surveyed(s Surveys, now time.Time) (due bool, why string) {
	p := r.policy.Survey
	if s.Done%p.Every != 0 {
		return false, ""
	}
	rests := func(last time.Time, days scheduler.Limit) bool {
		return !last.IsZero() && now.Before(last.AddDate(0, 0, days.N))
	}
	if rests(s.LastPerson, p.PerPerson) || rests(s.LastAddress, p.PerPhone) {
		return false, WhyAskedLately
	}
	return true, ""
}

// MayCallBack reports whether a staff member may ring about a low answer: never
// who was rated.
func MayCallBack(v Visit, staff int64) bool { return staff != 0 && staff != v.Staff }
