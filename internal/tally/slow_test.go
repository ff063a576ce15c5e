package tally_test

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"shaoying/internal/figures"
	"shaoying/scheduler"
)

// The second implementation: slow, from the raw trail, and written from
// docs/zh/figures.md without a look at package figures. It cuts a ticket's trail
// into rounds and asks plain questions of lists.

// raw is a ticket as the database has it.
type raw struct {
	id                     int64
	division, matter, what string
	finding                bool
	rating                 string
	rated                  time.Time
	events                 []rawEvent
}

type rawEvent struct {
	kind string
	at   time.Time
	data map[string]any
}

func (e rawEvent) word(key string) string { s, _ := e.data[key].(string); return s }

func (e rawEvent) clock(key string) (time.Time, bool) {
	v, ok := e.data[key].(float64)
	return time.UnixMicro(int64(v)), ok
}

// spot is where something is counted; side says what of it is added up, "" nothing.
type spot struct{ side, month, unit, area, matter string }

// slow counts everything up to now.
type slow struct {
	now    time.Time
	cal    *scheduler.Calendar
	spans  []scheduler.Span
	zone   *time.Location
	counts map[spot]map[figures.Measure]int
	works  map[spot][]int
	clocks map[spot][]int
}

func newSlow(now time.Time, cal *scheduler.Calendar, spans []scheduler.Span, zone *time.Location) *slow {
	return &slow{
		now: now, cal: cal, spans: spans, zone: zone,
		counts: map[spot]map[figures.Measure]int{}, works: map[spot][]int{}, clocks: map[spot][]int{},
	}
}

func (s *slow) place(k raw, unit string, at time.Time) spot {
	area := ""
	if len(k.division) >= 9 {
		area = k.division[:9]
	}
	return spot{"", at.In(s.zone).Format("2006-01"), unit, area, k.matter}
}

func (s *slow) count(at spot, m figures.Measure, n int) {
	if s.counts[at] == nil {
		s.counts[at] = map[figures.Measure]int{}
	}
	s.counts[at][m] += n
}

func desk(code string) string {
	if len(code) >= 9 && strings.Trim(code, "0123456789") == "" {
		return code[:9]
	}
	return code
}

func had(list []rawEvent, kinds ...string) (rawEvent, bool) {
	for _, e := range list {
		if slices.Contains(kinds, e.kind) {
			return e, true
		}
	}
	return rawEvent{}, false
}

func lastOf(list []rawEvent, kinds ...string) (rawEvent, bool) {
	back := slices.Clone(list)
	slices.Reverse(back)
	return had(back, kinds...)
}

func isRaised(e rawEvent) bool {
	return e.kind == "escalated" && e.word("from") == "callback" && e.word("to") == "received"
}

// due is the last clock of the name that the events left running.
func due(list []rawEvent, name string) (time.Time, bool) {
	for i := len(list) - 1; i >= 0; i-- {
		if t, ok := list[i].clock(name); ok {
			return t, true
		}
	}
	return time.Time{}, false
}

// stint is the time in which one desk had the lead.
type stint struct {
	unit              string
	from, to          int // indexes of events; to is where it ended, or -1
	objected, granted bool
}

func stints(list []rawEvent) []stint {
	var all []stint
	end := func(i int, granted bool) {
		if n := len(all); n > 0 && all[n-1].to < 0 {
			all[n-1].to, all[n-1].granted = i, granted
		}
	}
	for i, e := range list {
		switch {
		case e.kind == "dispatched":
			all = append(all, stint{unit: desk(e.word("desk")), from: i, to: -1})
		case e.kind == "transferred", e.kind == "followed":
			end(i, false)
			all = append(all, stint{unit: desk(e.word("desk")), from: i, to: -1})
		case e.kind == "returned", e.kind == "relapsed", isRaised(e):
			end(i, false)
		case e.kind == "objected":
			if n := len(all); n > 0 {
				all[n-1].objected = true
			}
			if e.word("to") == "received" {
				end(i, true)
			}
		case e.kind == "objection_granted":
			end(i, true)
		}
	}
	return all
}

func (s *slow) ticket(k raw) {
	if len(k.events) == 0 {
		return
	}
	state := k.events[len(k.events)-1].word("to")
	// The last round begins at the last redo, relapse or raise; the last life at
	// the last relapse.
	round, life, promise := 0, 0, 0
	redos, relapses := 0, 0
	for i, e := range k.events {
		switch {
		case e.kind == "redone":
			round, redos = i, redos+1
		case e.kind == "relapsed":
			round, life, promise, relapses = i, i, i, relapses+1
		case isRaised(e):
			round, promise = i, i
		}
	}
	now := k.events[round:]
	had1 := stints(k.events)
	unit := ""
	objected := false
	if n := len(had1); n > 0 && had1[n-1].to < 0 {
		unit, objected = had1[n-1].unit, had1[n-1].objected
	}
	for _, p := range had1 {
		if p.to < 0 {
			continue
		}
		at := k.events[p.to].at
		if at.After(s.now) {
			continue
		}
		spot := s.place(k, p.unit, at)
		s.count(spot, figures.Led, 1)
		if p.objected {
			s.count(spot, figures.Objected, 1)
		}
		if p.granted {
			s.count(spot, figures.ObjectionGranted, 1)
		}
	}
	for _, e := range k.events {
		for kind, m := range map[string]figures.Measure{"supervised": figures.Supervised, "supervision_lapsed": figures.SupervisionLapsed} {
			if e.kind == kind && !e.at.After(s.now) {
				s.count(s.place(k, desk(e.word("desk")), e.at), m, 1)
			}
		}
	}

	handled, isHandled := had(now, "handled")
	deadline, hasDeadline := due(k.events[promise:], "deadline")
	answer, isAnswered := lastOf(now, "answered")
	closing, isClosed := rawEvent{}, false
	for _, e := range now {
		if slices.Contains([]string{"closed", "rejected", "withdrawn", "answered", "referred"}, e.word("to")) {
			closing, isClosed = e, true
			break
		}
	}
	merge, isMerged := lastOf(now, "merged", "unmerged")
	isMerged = isMerged && merge.kind == "merged"
	stopped, isStopped := lastOf(k.events, "suspended", "resumed")
	isStopped = isStopped && stopped.kind == "suspended"
	rating, at := answer.word("satisfied"), answer.at
	if rating == "" && k.rating != "" && isClosed && !k.rated.Before(closing.at) {
		rating, at = k.rating, k.rated
	}
	_ = at

	s.worry(k, state, unit, redos+relapses > 0, isHandled, handled.at, hasDeadline && !isMerged && !isStopped, deadline, rating, answer.word("solved"))

	ended := map[string]figures.Measure{
		"answered": figures.OutAnswered, "rejected": figures.OutRejected, "referred": figures.OutReferred, "withdrawn": figures.OutWithdrawn,
	}
	if m, ok := ended[state]; ok {
		if !closing.at.After(s.now) {
			s.count(s.place(k, unit, closing.at), m, 1)
		}
		return
	}
	var when time.Time
	switch {
	case isHandled && (isMerged || isStopped || !hasDeadline || !deadline.Before(handled.at)):
		when = handled.at
	case hasDeadline && !isMerged && !isStopped:
		when = deadline
	default:
		return
	}
	if when.After(s.now) {
		return
	}
	here := s.place(k, unit, when)
	if _, ok := had(now, "exclusion_granted"); ok {
		s.count(here, figures.OutExcluded, 1)
		return
	}
	yes := func(m figures.Measure, is bool) {
		if is {
			s.count(here, m, 1)
		}
	}
	result := handled.word("result")
	if isHandled && !k.finding {
		solved := answer.word("solved")
		yes(figures.ToCall, true)
		yes(figures.Called, isAnswered)
		yes(figures.Asked, solved != "")
		s.count(here, figures.SolvedHalves, map[string]int{"yes": 2, "partly": 1}[solved])
		yes(figures.Contradicted, solved == "no" && result == "resolved")
		for i, level := range []string{"very_satisfied", "satisfied", "fairly_satisfied", "dissatisfied", "very_dissatisfied"} {
			yes(figures.RatedVerySatisfied+figures.Measure(i), rating == level)
		}
	}
	if isMerged {
		s.count(here, figures.OutMerged, 1)
		return
	}
	yes(figures.N, true)
	yes(figures.Led, true)
	yes(figures.Objected, objected)
	yes(figures.Redone, redos > 0)
	yes(figures.UnitResolved, result == "resolved")
	_, extended := had(k.events, "extension_granted")
	yes(figures.Extended, extended)

	// Signed in time: the first thing that signed since this desk has it in this
	// round was a person, before the clock that ran then.
	begin := round
	if n := len(had1); unit != "" {
		begin = max(begin, had1[n-1].from)
	}
	if unit != "" {
		if sign, ok := lastOf(k.events[begin:], "signed", "auto_signed"); ok && sign.kind == "signed" {
			limit, ok := due(until(k.events, sign), "sign_due")
			yes(figures.SignedInTime, !ok || !sign.at.After(limit))
		}
	}
	yes(figures.Reachable, !k.finding)
	if contact, ok := had(now, "contacted"); ok && !k.finding && answer.word("contacted") != "no" {
		limit, has := due(k.events[promise:], "contact_due")
		yes(figures.Responded, !has || !contact.at.After(limit))
	}
	yes(figures.Handled, isHandled)
	onTime := isHandled && (!hasDeadline || !handled.at.After(deadline))
	yes(figures.OnTime, onTime)
	yes(figures.Overdue, !onTime)
	yes(figures.Once, isHandled && redos == 0 && relapses == 0)
	if !isHandled {
		return
	}
	first, _ := had(k.events[life:], "dispatched", "followed")
	start := first.at
	if k.events[round].kind == "redone" {
		start = k.events[round].at
	} else if d, ok := had(now, "dispatched", "followed"); ok {
		start = d.at
	}
	yes(figures.Early, hasDeadline && float64(handled.at.Sub(start)) <= 0.7*float64(deadline.Sub(start)))
	s.clocks[here] = append(s.clocks[here], int(math.Floor(handled.at.Sub(first.at).Minutes())))
	s.works[here] = append(s.works[here], s.working(first.at, handled.at))
}

// until lists the events up to and with e.
func until(all []rawEvent, e rawEvent) []rawEvent {
	for i := range all {
		if all[i].at.Equal(e.at) && all[i].kind == e.kind {
			return all[:i+1]
		}
	}
	return all
}

func (s *slow) worry(k raw, state, unit string, again, isHandled bool, handled time.Time, runs bool, deadline time.Time, rating, solved string) {
	if state == "draft" || state == "rejected" || state == "withdrawn" || k.finding || k.what == "praise" {
		return
	}
	filed := k.events[0].at
	here := s.place(k, unit, filed)
	if filed.After(s.now) {
		return
	}
	s.count(here, figures.Filed, 1)
	glad := rating == "very_satisfied" || rating == "satisfied" || rating == "fairly_satisfied"
	switch {
	case again:
		s.count(here, figures.FiledRedone, 1)
	case runs && isHandled && handled.After(deadline):
		s.count(here, figures.FiledOverdue, 1)
	case state == "closed" && (glad || rating == "" && solved == "yes"):
		s.count(here, figures.FiledContent, 1)
	case runs && !isHandled && !deadline.After(s.now):
		s.count(here, figures.FiledOverdue, 1)
	}
}

// working counts the minutes of working time, day by day.
func (s *slow) working(a, b time.Time) int {
	total := time.Duration(0)
	day := time.Date(a.In(s.zone).Year(), a.In(s.zone).Month(), a.In(s.zone).Day(), 0, 0, 0, 0, s.zone)
	for ; day.Before(b); day = day.Add(24 * time.Hour) {
		if !s.cal.IsWorkday(scheduler.DateOf(day)) {
			continue
		}
		for _, span := range s.spans {
			from, to := day.Add(time.Duration(span.From)*time.Minute), day.Add(time.Duration(span.To)*time.Minute)
			if from.Before(a) {
				from = a
			}
			if to.After(b) {
				to = b
			}
			if to.After(from) {
				total += to.Sub(from)
			}
		}
	}
	return int(total / time.Minute)
}

// ranked is the value at the share f, by nearest rank.
func ranked(list []int, f float64) int {
	list = slices.Clone(list)
	slices.SortFunc(list, cmp.Compare)
	if len(list) == 0 {
		return 0
	}
	return list[max(int(math.Ceil(f*float64(len(list))))-1, 0)]
}
