package figures

import (
	"strconv"
	"time"
)

// history is a ticket read from its trail: the round that runs, or the last.
type history struct {
	Ticket
	state    string
	unit     string // that has the lead, or had it when the ticket ended
	leads    bool   // somebody has it now
	objected bool   // that desk objected
	others   []other

	received time.Time
	first    time.Time // first dispatch since filing or relapse
	start    time.Time // of the round: first dispatch, or redo
	signed   bool
	auto     bool

	signedAt, contacted, handled, closed time.Time
	signDue, contactDue, deadline        time.Time

	result                     string
	saidContacted, saidSolved  string
	said                       string // satisfaction
	saidAt                     time.Time
	saidBy                     int64
	redos, relapses            int
	extended, merged, excluded bool
	suspended                  bool
}

// other is a row for a desk that is not, or no longer, the ticket's.
type other struct {
	at   time.Time
	unit string
	sums Sums
}

func (f Folder) read(t Ticket) *history {
	h := &history{Ticket: t}
	for _, e := range t.Events {
		h.clocks(e)
		h.next(e)
		h.state = e.To
	}
	return h
}

// clocks takes over the dues that an event leaves. They stop when the desk has
// signed, contacted or reported; what they were still decides.
func (h *history) clocks(e Event) {
	if e.Kind == "relapsed" || e.raised() {
		h.signDue, h.contactDue, h.deadline = time.Time{}, time.Time{}, time.Time{}
	}
	for _, c := range []struct {
		to *time.Time
		by time.Time
	}{{&h.signDue, e.SignDue}, {&h.contactDue, e.ContactDue}, {&h.deadline, e.Deadline}} {
		if !c.by.IsZero() {
			*c.to = c.by
		}
	}
}

func (h *history) next(e Event) {
	switch e.Kind {
	case "filed":
		h.received = e.At
	case "dispatched":
		h.lead(e)
		if h.start.IsZero() {
			h.start = e.At
		}
		if h.first.IsZero() {
			h.first = e.At
		}
	case "transferred":
		h.pass(e.At, false)
		h.lead(e)
	case "returned":
		h.pass(e.At, false)
	case "objected":
		h.objected = true
		if e.To == "received" { // one too many: nobody is asked any more
			h.pass(e.At, true)
		}
	case "objection_granted":
		h.pass(e.At, true)
	case "signed":
		h.signed, h.auto, h.signedAt = true, false, e.At
	case "auto_signed":
		h.signed, h.auto, h.signedAt = true, true, e.At
	case "contacted":
		if h.contacted.IsZero() {
			h.contacted = e.At
		}
	case "handled":
		h.handled, h.result = e.At, e.Data["result"]
	case "followed":
		h.follow(e)
	case "escalated":
		if e.raised() {
			h.pass(e.At, false)
			h.restart()
			h.start = time.Time{}
		}
	case "redone":
		h.restart()
		h.redos++
		h.start = e.At
	case "relapsed":
		h.pass(e.At, false)
		h.restart()
		h.relapses++
		h.first, h.start = time.Time{}, time.Time{}
	case "extension_granted":
		h.extended = true
	case "suspended":
		h.suspended = true
	case "resumed":
		h.suspended = false
	case "merged":
		h.merged = true
	case "unmerged":
		h.merged = false
	case "exclusion_granted":
		h.excluded = true
	case "supervised":
		var s Sums
		s[Supervised] = 1
		h.others = append(h.others, other{e.At, UnitOf(e.Data["desk"]), s})
	case "supervision_lapsed":
		var s Sums
		s[SupervisionLapsed] = 1
		h.others = append(h.others, other{e.At, UnitOf(e.Data["desk"]), s})
	}
	h.ends(e)
}

// ends reads what a resident said and how the ticket ended.
func (h *history) ends(e Event) {
	if solved, rated := e.Data["solved"], e.Data["satisfied"]; solved != "" || rated != "" {
		h.saidContacted, h.saidSolved, h.said, h.saidAt = e.Data["contacted"], solved, rated, e.At
		h.saidBy, _ = strconv.ParseInt(e.Data["address"], 10, 64)
	}
	switch e.To {
	case "closed", "rejected", "withdrawn", "answered", "referred":
		if h.closed.IsZero() {
			h.closed = e.At
		}
	}
}

// lead gives the ticket to a desk.
func (h *history) lead(e Event) {
	h.unit, h.leads, h.objected = UnitOf(e.Data["desk"]), true, false
	h.signed, h.auto, h.signedAt = false, false, time.Time{}
}

// pass takes the ticket from the desk that has it, which keeps a row of its
// own. Nobody has it then.
func (h *history) pass(at time.Time, granted bool) {
	if !h.leads {
		return
	}
	o := other{at: at, unit: h.unit}
	o.sums[Led] = 1
	if h.objected {
		o.sums[Objected] = 1
	}
	if granted {
		o.sums[ObjectionGranted] = 1
	}
	h.others = append(h.others, o)
	h.unit, h.leads, h.objected = "", false, false
	h.signed, h.auto, h.signedAt = false, false, time.Time{}
}

// raised: redone in vain, it goes to the dispatcher of the next level, for a
// round with a promise of its own.
func (e Event) raised() bool {
	return e.Kind == "escalated" && e.Data["from"] == "callback" && e.To == "received"
}

// follow: the desk that handled the master has handled this one too.
func (h *history) follow(e Event) {
	h.pass(e.At, false)
	h.lead(e)
	h.handled, h.result = e.At, e.Data["result"]
	if h.first.IsZero() {
		h.first, h.start = e.At, e.At
	}
}

// restart forgets the round that is over; who is alone now counts alone.
func (h *history) restart() {
	h.merged, h.excluded = false, false
	h.signed, h.auto = false, false
	h.signedAt, h.contacted, h.handled, h.closed = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	h.result, h.saidContacted, h.saidSolved, h.said = "", "", "", ""
	h.saidAt, h.saidBy = time.Time{}, 0
}

// rating is the resident's latest rating of this round: the answer to the
// callback, else to the survey.
func (h *history) rating() (level string, at time.Time, by int64) {
	if h.said != "" {
		return h.said, h.saidAt, h.saidBy
	}
	if h.Rating != "" && !h.closed.IsZero() && !h.RatedAt.Before(h.closed) {
		return h.Rating, h.RatedAt, h.RatedBy
	}
	return "", time.Time{}, 0
}

// townshipDigits is the length of a township code (GB/T 10114).
const townshipDigits = 9

// UnitOf is whose figure a desk counts for: the township of a grid or village,
// else the unit itself.
func UnitOf(desk string) string {
	if IsTownship(desk) {
		return desk[:townshipDigits]
	}
	return desk
}

// IsTownship reports whether a unit of the figures is a township, or a desk lies
// in one.
func IsTownship(unit string) bool {
	if len(unit) < townshipDigits {
		return false
	}
	for _, c := range unit {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
