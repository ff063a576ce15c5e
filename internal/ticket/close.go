package ticket

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Commands of the callback side, and the ends that are no closing.

func (c Ask) apply(s *step) error {
	t := s.t
	switch {
	case t.Facts.Unhappy():
		return refuse(KeyAnswered)
	case s.by.As == AsSystem && t.Tries >= s.callbacks.Callback.Tries:
		return refuse(KeyTriesDone, "tries", strconv.Itoa(t.Tries))
	}
	t.State = Callback
	t.Tries++
	s.event(EventAsked, "via", c.Via, "try", strconv.Itoa(t.Tries))
	return nil
}

func (c CallbackResult) apply(s *step) error {
	t := s.t
	// Who worked on it, and who found it, does not rate it (reference 1.6,
	// guard rails; issue 2 section 7 for findings).
	if s.by.As == AsReporter && (t.Finding || t.SignedByStaff(s.by.Staff)) {
		return refuse(KeyOwnWork)
	}
	if c.Unreached {
		return s.giveUp(c)
	}
	if err := c.Facts.check(); err != nil {
		return err
	}
	t.State, t.Facts = Callback, c.Facts
	s.event(EventAnswered, "contacted", string(c.Facts.Contacted), "solved", string(c.Facts.Solved),
		"satisfied", string(c.Facts.Satisfied))
	switch {
	case c.Facts.Unhappy():
		s.event(EventUnhappy)
	case c.Facts.Solved == Partly:
		s.close(OutcomePartly)
	default:
		s.close(OutcomeResolved)
	}
	return nil
}

func (s *step) giveUp(c CallbackResult) error {
	switch {
	case s.by.As != AsCallback:
		return refuse(KeyNotYours, "command", string(CmdCallback), "capacity", string(s.by.As))
	case c.Facts != (Facts{}):
		return refuse(KeyOutcomeMixed)
	case s.t.Facts.Unhappy():
		return refuse(KeyAnswered)
	case s.t.Tries < s.callbacks.Callback.Tries:
		return refuse(KeyTriesLeft, "tries", strconv.Itoa(s.t.Tries), "needed", strconv.Itoa(s.callbacks.Callback.Tries))
	}
	s.close(OutcomeUnconfirmed)
	return nil
}

// check demands known words and at least the answer that decides.
func (f Facts) check() error {
	answer := func(a Answer) bool { return a == "" || a == Yes || a == No || a == Partly }
	level := f.Satisfied == ""
	for _, l := range Satisfactions() {
		level = level || f.Satisfied == l
	}
	switch {
	case !answer(f.Contacted), !answer(f.Solved), !level, f.Contacted == Partly:
		return refuse(KeyNoResult)
	case f.Solved == "" && f.Satisfied == "":
		return refuse(KeyNoAnswer)
	}
	return nil
}

func (c Judge) apply(s *step) error {
	t := s.t
	if !t.Facts.Unhappy() {
		return refuse(KeyNoAnswer)
	}
	if !c.Reasonable {
		outcome := OutcomeExplained
		if c.BeyondDuty {
			outcome = OutcomeBeyondDuty
		}
		s.close(outcome)
		return nil
	}
	if t.Redos < s.callbacks.Redo.Max {
		return s.redo()
	}
	if t.Level >= s.policy.top() {
		return refuse(KeyRedoMax, "max", strconv.Itoa(s.callbacks.Redo.Max))
	}
	return s.raise()
}

// raise lays a ticket that was redone in vain before the dispatcher of the next
// level, for a round with a promise of its own.
func (s *step) raise() error {
	if err := s.escalate(EscalateRedos); err != nil {
		return err
	}
	s.restart()
	t := s.t
	t.DispatchedAt, t.ContactDue, t.Deadline = time.Time{}, time.Time{}, time.Time{}
	return s.toDispatcher()
}

// redo puts the ticket back on the desk that had the lead, with the share of
// the handling time that the policy leaves.
func (s *step) redo() error {
	t := s.t
	lead, _ := t.Lead()
	t.endLead(AssignmentFinished, s.now)
	t.endCo(s.now)
	t.assign(RoleLead, lead.Desk, s.now)
	s.restart()
	t.Redos++
	t.State, t.DispatchedAt = Redo, s.now
	if err := s.clock(&t.Deadline, s.now, s.class().Handle); err != nil {
		return err
	}
	t.Deadline = s.share(s.class().Handle, s.now, t.Deadline, s.callbacks.Redo.Time)
	if err := s.clock(&t.ContactDue, s.now, s.class().Contact); err != nil {
		return err
	}
	if t.ContactDue.After(t.Deadline) {
		t.ContactDue = t.Deadline
	}
	if err := s.clock(&t.SignDue, s.now, s.class().Sign); err != nil {
		return err
	}
	if t.SignDue.After(t.Deadline) {
		t.SignDue = t.Deadline
	}
	s.event(EventRedone, append(deskData(lead.Desk), "redo", strconv.Itoa(t.Redos))...)
	return nil
}

// restart forgets what belongs to the round that is over. The trail and the
// callback rows keep it.
func (s *step) restart() {
	t := s.t
	t.SignedAt, t.ContactedAt, t.HandledAt, t.ClosedAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	t.UnitResult, t.Facts, t.Outcome, t.Tries, t.MasterID = "", Facts{}, "", 0, 0
	t.Exclusion, t.ExclusionReason, t.Request = "", "", Request{}
}

func (c Relapse) apply(s *step) error {
	t := s.t
	within := s.callbacks.Relapse.Within
	if c.FromSurvey {
		within = s.callbacks.StillFine.Until
	}
	var until time.Time
	if err := s.clock(&until, t.ClosedAt, within); err != nil {
		return err
	}
	if s.now.After(until) {
		return refuse(KeyRelapseLate, "within", within.String())
	}
	s.restart()
	t.Relapses++
	t.State = Received
	t.DispatchedAt, t.SignDue, t.ContactDue, t.Deadline = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if err := s.dispatchClock(); err != nil {
		return err
	}
	s.event(EventRelapsed, "relapse", strconv.Itoa(t.Relapses), "survey", strconv.FormatBool(c.FromSurvey))
	return nil
}

func (Withdraw) apply(s *step) error {
	if s.by.As == AsReporter && s.t.Danger != "" {
		return refuse(KeyDangerStays)
	}
	s.finish(Withdrawn, OutcomeWithdrawn)
	s.event(EventWithdrawn)
	return nil
}

func (c Reject) apply(s *step) error {
	for _, reason := range s.policy.Reasons.Reject {
		if reason == c.Reason {
			s.finish(Rejected, OutcomeRejected)
			s.event(EventRejected, "reason", c.Reason)
			return nil
		}
	}
	return refuse(KeyReason, "allowed", joined(s.policy.Reasons.Reject))
}

func (c AnswerNow) apply(s *step) error {
	switch {
	case !slices.Contains(s.policy.Answers.Claims, s.t.Claim):
		return refuse(KeyNoQuestion)
	case !c.HasReply:
		return refuse(KeyNoReply)
	}
	s.finish(Answered, OutcomeAnswered)
	s.event(EventAnsweredNow)
	return nil
}

func (c Refer) apply(s *step) error {
	if _, known := s.policy.Referrals.To[c.To]; !known {
		return refuse(KeyReason, "allowed", strings.Join(slices.Sorted(maps.Keys(s.policy.Referrals.To)), ","))
	}
	s.t.ReferredTo = c.To
	s.finish(Referred, OutcomeReferred)
	s.event(EventReferred, "to", c.To)
	return nil
}

func (s *step) close(o Outcome) {
	s.finish(Closed, o)
	s.event(EventClosed, "outcome", string(o), "unit", string(s.t.UnitResult))
}

// finish stops every clock and lets every desk go. The deadline stays as a
// fact: it says whether the promise was kept.
func (s *step) finish(state State, o Outcome) {
	t := s.t
	t.end(AssignmentEnded, s.now)
	t.State, t.Was, t.Outcome, t.ClosedAt = state, "", o, s.now
	t.SuspendedAt, t.SuspendedUntil = time.Time{}, time.Time{}
	t.DispatchDue, t.SignDue, t.ContactDue = time.Time{}, time.Time{}, time.Time{}
}

func deskData(d Desk) []string {
	pairs := []string{"desk_kind", string(d.Kind), "desk", d.Code}
	if d.Staff != 0 {
		pairs = append(pairs, "desk_staff", strconv.FormatInt(d.Staff, 10))
	}
	return pairs
}

func joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	return strings.Join(words, ",")
}
