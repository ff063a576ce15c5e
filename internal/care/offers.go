package care

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"shaoying/scheduler"
)

// Offer is a free window that a family may choose.
type Offer struct {
	Date   scheduler.Date
	Window scheduler.Span
}

// String is how an offer stands in buttons and forms: "2026-03-05 09:00-11:00".
func (o Offer) String() string { return o.Date.String() + " " + o.Window.String() }

// ParseOffer reads what String wrote.
func ParseOffer(said string) (o Offer, err error) {
	day, window, _ := strings.Cut(said, " ")
	if o.Date, err = scheduler.ParseDate(day); err != nil {
		return o, err
	}
	o.Window, err = scheduler.ParseSpan(window)
	return o, err
}

// FreeWindows offers other times for a visit, at most as many as the policy
// says: inside the ordered interval, far enough ahead, free for the visitor, on
// days that the item may use, none in which the family has another visit. The
// nearest to the present time come first; what was not possible is not offered.
// The empty answer means that the desk rings.
func (r *Rules) FreeWindows(b Bed, v Visit, ofBed []Visit, l *Load, now time.Time) []Offer {
	i := b.item(v.ItemID)
	if i < 0 || b.State != BedOpen || !v.State.Waiting() && v.State != VisitToMakeUp {
		return nil
	}
	it := b.Items[i]
	it.Staff = v.Staff
	days, off := r.days(it, v.Nominal, v.Earliest, v.Latest, r.day(now), l)
	if off {
		return nil
	}
	var offers []Offer
	for _, d := range days {
		for _, w := range r.policy.Windows.Of {
			o := Offer{Date: d, Window: w.Span}
			switch {
			case d == v.Date && w.Span == v.Window && v.State != VisitToMakeUp:
			case !d.At(w.Span.From, r.loc()).After(now.Add(r.policy.Offers.Lead)):
			case !l.room(v.Staff, d, w):
			case slices.ContainsFunc(ofBed, func(o Visit) bool {
				return o.ID != v.ID && o.State.Open() && o.Date == d && o.Window == w.Span
			}):
			default:
				offers = append(offers, o)
			}
		}
	}
	at := v.Start(r.loc())
	far := func(o Offer) time.Duration { return o.Date.At(o.Window.From, r.loc()).Sub(at).Abs() }
	slices.SortStableFunc(offers, func(a, b Offer) int { return cmp.Compare(far(a), far(b)) })
	return offers[:min(len(offers), r.policy.Offers.Count)]
}

// Free reports whether an offer is still one: asked again when it is chosen.
func (r *Rules) Free(b Bed, v Visit, ofBed []Visit, o Offer, l *Load, now time.Time) bool {
	wide := *r
	wide.policy.Offers.Count = len(r.policy.Windows.Of) * (daysBetween(v.Earliest, v.Latest) + 1)
	return slices.Contains(wide.FreeWindows(b, v, ofBed, l, now), o)
}
