package care

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"shaoying/scheduler"
)

// Recipient is somebody who is spoken to. Of roles that are a desk rather than a
// person (desk, hospital, grid …) the ids are what the caller knows them by.
type Recipient struct {
	Role    Role
	Person  int64
	Staff   int64
	Address int64
	// Neutral: the text names no care (上门服务), because others read the phone.
	Neutral bool
	// Unreachable: no address, or stopped; kept so that the ledger can say why
	// nothing was sent.
	Unreachable bool
}

func (r Recipient) key() string {
	switch {
	case r.Person != 0:
		return "p" + strconv.FormatInt(r.Person, 10)
	case r.Staff != 0:
		return "s" + strconv.FormatInt(r.Staff, 10)
	}
	return string(r.Role)
}

// Due is one row of table due, planned or, with a Why, only written down. Kind,
// Subject and Key are unique together and the same whenever the same state is
// looked at again.
type Due struct {
	Kind      string
	Programme string
	Subject   string
	Key       string
	Version   int
	To        Recipient
	At        time.Time
	NotAfter  time.Time
	Class     scheduler.Class
	Asks      bool
	Task      bool
	Why       string // not sent, and why
}

// Sends reports whether the row is to be planned at all.
func (d Due) Sends() bool { return d.Why == "" }

// The reasons why something is not sent.
const (
	WhyNoConsent   = "no_consent"
	WhyQuiet       = "quiet_hours"
	WhyNobody      = "nobody_to_write_to"
	WhyAskedLately = "asked_lately"
)

// Occasion is what a ladder looks at: an application, bed or visit, or what
// another programme plans.
type Occasion struct {
	Programme string
	Of        string // ladder: OfVisit …
	Subject   string // "visit:9"
	Version   int
	State     string
	StateAt   time.Time
	// Since is when the thing became what it is: rungs before it are late.
	Since   time.Time
	At      map[Anchor]time.Time
	Is      map[Flag]bool
	Who     map[Role]Recipient
	Others  []Recipient
	Consent bool
	// Held is why what asks how it was (class survey) is not sent, "" for nothing.
	Held string
}

// Ladder says what is due for an occasion from now on, in order of time: a pure
// function of what the occasion is. A row whose time is over and that still
// means something has an At before now. What must not be sent stands in it with
// the reason.
//
// The caller writes the rows with "on conflict do nothing" and clears those that
// are no longer in it: Reconcile.
func (r *Rules) Ladder(o Occasion, now time.Time) []Due {
	var all []Due
	for _, rung := range r.programmes[o.Programme].Ladders[o.Of] {
		all = append(all, r.rung(rung, o, now)...)
	}
	slices.SortStableFunc(all, func(a, b Due) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
	})
	return all
}

func (r *Rules) rung(g Rung, o Occasion, now time.Time) []Due {
	if len(g.While) > 0 && !slices.Contains(g.While, o.State) {
		return nil
	}
	if len(g.If) > 0 && !slices.ContainsFunc(g.If, func(f Flag) bool { return o.Is[f] }) {
		return nil
	}
	at, ok := r.moment(g.Due, o)
	until, still := r.moment(g.Until, o)
	if !ok || !still || !until.After(at) || !until.After(now) || !until.After(o.Since) {
		return nil
	}
	if g.Late == LateSkip && at.Before(o.Since) {
		return nil
	}
	key := "v" + strconv.Itoa(o.Version)
	if came, again := o.cameAgain(g.Due.Of); again {
		key += "/" + came.UTC().Format("20060102T150405")
	}
	d := Due{
		Kind: g.Kind, Programme: o.Programme, Subject: o.Subject, Version: o.Version, At: at, NotAfter: until, Class: g.Class,
		Asks: g.Asks, Task: g.Task,
	}
	var dues []Due
	for _, to := range r.recipients(g, o) {
		d := d
		d.To, d.Key = to, key+"/"+to.key()
		if twice := slices.ContainsFunc(dues, func(o Due) bool { return o.Key == d.Key }); !twice {
			dues = append(dues, r.bind(d, g, o))
		}
	}
	return dues
}

// cameAgain returns when the anchor came about, if it can come about again without
// a new version: a state that is entered once more, a second cry for help.
func (o Occasion) cameAgain(a Anchor) (at time.Time, again bool) {
	switch a {
	case Anchor(o.State):
		return o.StateAt, true
	case AnchorHelp, AnchorCode, AnchorConsent, AnchorStopped:
		return o.At[a], true
	}
	return time.Time{}, false
}

// bind applies consent and quiet hours.
func (r *Rules) bind(d Due, g Rung, o Occasion) Due {
	switch {
	case d.To.Role.family() && !o.Consent:
		d.Why = WhyNoConsent
		return d
	case d.To.Unreachable:
		d.Why = WhyNobody
		return d
	case g.Class == scheduler.Survey && o.Held != "":
		d.Why = o.Held
		return d
	case g.Asks && d.To.Role == ToDesk:
		d.Task, d.Asks = true, false
		return d
	case d.Task:
		return d
	}
	at, verdict := r.quiet.Shift(d.At, d.NotAfter, d.Class, g.OnQuiet)
	switch verdict {
	case scheduler.Dropped:
		d.Why = WhyQuiet
	case scheduler.ToHuman:
		d.To, d.Task, d.Asks = o.who(ToDesk), true, false
	case scheduler.Moved:
		d.At = at
	case scheduler.Send:
	}
	return d
}

func (o Occasion) who(r Role) Recipient {
	to := o.Who[r]
	to.Role = r
	return to
}

// recipients finds who the rung is for. Two of a household on one phone get one
// text; a question that nobody of the family can be asked becomes the desk's
// call.
func (r *Rules) recipients(g Rung, o Occasion) []Recipient {
	var out []Recipient
	reached := map[int64]bool{}
	family, asked := false, false
	for _, role := range g.To {
		if role == ToOthers {
			for _, to := range o.Others {
				to.Role = role
				out = append(out, to)
			}
			continue
		}
		to, ok := o.Who[role]
		if !ok {
			family = family || role.family()
			continue
		}
		to.Role = role
		if role.family() {
			family = true
			if to.Address != 0 && reached[to.Address] {
				continue
			}
			reached[to.Address] = true
			asked = asked || !to.Unreachable
		}
		out = append(out, to)
	}
	if g.Asks && family && !asked && o.Consent && (slices.Contains(g.To, ToCarer1) || slices.Contains(g.To, ToMember)) {
		desk := o.who(ToDesk)
		out = append(out, desk)
	}
	return out
}

// moment finds the time, or says that its anchor has not come.
func (r *Rules) moment(m Moment, o Occasion) (time.Time, bool) {
	base, ok := o.At[m.Of]
	if Anchor(o.State) == m.Of {
		base, ok = o.StateAt, true
	}
	if !ok || base.IsZero() {
		return time.Time{}, false
	}
	loc := r.loc()
	local := base.In(loc)
	if m.Months != 0 || m.Days != 0 || m.Workdays != 0 || m.At != nil {
		day := addMonths(scheduler.DateOf(local), m.Months).AddDays(m.Days)
		if m.Workdays != 0 {
			day = r.work.Calendar().AddWorkdays(day, m.Workdays)
		}
		at := minute(local)
		if m.At != nil {
			at = *m.At
		}
		local = day.At(at, loc)
	}
	day := scheduler.DateOf(local)
	local = local.Add(m.Plus)
	if m.By != nil && local.After(day.At(*m.By, loc)) {
		local = day.AddDays(1).At(*m.Else, loc)
	}
	return local, true
}

func minute(t time.Time) scheduler.TimeOfDay { return scheduler.TimeOfDay(t.Hour()*60 + t.Minute()) }

// addMonths stays inside the month it reaches: a month after 31 January is the
// last of February.
func addMonths(d scheduler.Date, n int) scheduler.Date {
	if n == 0 {
		return d
	}
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return scheduler.Date{Year: first.Year(), Month: first.Month(), Day: min(d.Day, last)}
}
