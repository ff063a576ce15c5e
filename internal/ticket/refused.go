package ticket

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Keys of refusals. The text for staff stands under the same key in
// configs/texts; Params fill its places.
const (
	KeyState        = "ticket.refused.state"         // not from this state; Allowed says what is
	KeyNotYours     = "ticket.refused.not_yours"     // not in this capacity
	KeyNotYourDesk  = "ticket.refused.not_your_desk" // another desk has the lead
	KeyOwnWork      = "ticket.refused.own_work"      // who handled or found it does not judge it
	KeyAgainst      = "ticket.refused.against"       // the claim is about this desk or person
	KeyPrivateOnly  = "ticket.refused.private_only"  // named handlers only
	KeyNoDesk       = "ticket.refused.no_desk"       // the desk is not one that can handle
	KeySameDesk     = "ticket.refused.same_desk"     // it already lies there
	KeyTransfers    = "ticket.refused.transfers"     // handed over too often: return it
	KeyReason       = "ticket.refused.reason"        // reason missing or not in the list
	KeyIncomplete   = "ticket.refused.incomplete"    // matter, claim or urgency missing
	KeyNoReply      = "ticket.refused.no_reply"      // a report needs words for the resident
	KeyNoPhoto      = "ticket.refused.no_photo"      // the matter asks for a photo
	KeyNoProof      = "ticket.refused.no_proof"      // a claimed visit has words or a photo
	KeyNoResult     = "ticket.refused.no_result"     // result missing or unknown
	KeyNoPhone      = "ticket.refused.no_phone"      // the reporter is protected: use the relay
	KeyNotDue       = "ticket.refused.not_due"       // too early
	KeyTriesLeft    = "ticket.refused.tries_left"    // not asked often enough to give up
	KeyTriesDone    = "ticket.refused.tries_done"    // asked often enough
	KeyAnswered     = "ticket.refused.answered"      // answered already; the clerk decides
	KeyNoAnswer     = "ticket.refused.no_answer"     // nothing was answered, or nothing to judge
	KeyRedoMax      = "ticket.refused.redo_max"      // redone as often as allowed: explain or escalate
	KeyRelapseLate  = "ticket.refused.relapse_late"  // too long ago: file a new one
	KeyDangerStays  = "ticket.refused.danger_stays"  // a danger does not go away by being withdrawn
	KeyOutcomeMixed = "ticket.refused.outcome_mixed" // contradictory callback result

	KeyNoBasis         = "ticket.refused.no_basis"         // an objection or exclusion needs its basis in words
	KeyAsked           = "ticket.refused.asked"            // something is asked for already and waits for a decision
	KeyNothingAsked    = "ticket.refused.nothing_asked"    // nothing waits for a decision
	KeyActFirst        = "ticket.refused.act_first"        // urgent: act first
	KeyObjected        = "ticket.refused.objected"         // this desk has objected before; the decision was final
	KeyObjectLate      = "ticket.refused.object_late"      // the time to object is over
	KeyExtendLate      = "ticket.refused.extend_late"      // an extension is asked for before the deadline
	KeyExtended        = "ticket.refused.extended"         // extended as often as allowed
	KeyExtendSpan      = "ticket.refused.extend_span"      // later than the deadline, by no more than the original time
	KeyNeedsSupervisor = "ticket.refused.needs_supervisor" // a second extension is a supervisor's to grant
	KeySuspendSpan     = "ticket.refused.suspend_span"     // in the future, and within the limit
	KeyExcluded        = "ticket.refused.excluded"         // asked before; the decision was final
	KeyUnitDuty        = "ticket.refused.unit_duty"        // a department's duty is not sent down to a grid
	KeyNobodyFree      = "ticket.refused.nobody_free"      // whoever answers there is what the claim is about
	KeyCoDone          = "ticket.refused.co_done"          // done already
	KeySupervised      = "ticket.refused.supervised"       // this desk owes an answer already
	KeyNoSupervision   = "ticket.refused.no_supervision"   // no such supervision
	KeyTopLevel        = "ticket.refused.top_level"        // there is no higher level
	KeyMergeMaster     = "ticket.refused.merge_master"     // not a ticket that others can be merged into
	KeyMergeLeads      = "ticket.refused.merge_leads"      // others are merged into this one: merge the other way round
	KeyMergeState      = "ticket.refused.merge_state"      // the master has been handled, or is over
	KeyMergePrivate    = "ticket.refused.merge_private"    // private tickets and findings stay alone
	KeyNoQuestion      = "ticket.refused.no_question"      // only a consultation is answered at once
)

// RefusalKeys lists the keys, so that a test can see that each has its text.
func RefusalKeys() []string {
	return []string{
		KeyState, KeyNotYours, KeyNotYourDesk, KeyOwnWork, KeyAgainst, KeyPrivateOnly, KeyNoDesk, KeySameDesk, KeyTransfers,
		KeyReason, KeyIncomplete, KeyNoReply, KeyNoPhoto, KeyNoResult, KeyNoPhone, KeyNotDue, KeyTriesLeft, KeyTriesDone,
		KeyAnswered, KeyNoAnswer, KeyRedoMax, KeyRelapseLate, KeyDangerStays, KeyOutcomeMixed,
		KeyNoBasis, KeyAsked, KeyNothingAsked, KeyActFirst, KeyObjected, KeyObjectLate, KeyExtendLate, KeyExtended,
		KeyExtendSpan, KeyNeedsSupervisor, KeySuspendSpan, KeyExcluded, KeyUnitDuty, KeyNobodyFree, KeyCoDone, KeySupervised,
		KeyNoSupervision, KeyTopLevel, KeyMergeMaster, KeyMergeLeads, KeyMergeState, KeyMergePrivate, KeyNoQuestion,
	}
}

// Refused is the answer to a command that the rules do not allow. It is no
// failure of the program: staff get the text behind Key.
type Refused struct {
	Key    string
	Params map[string]string
	// Allowed names the commands that the same actor may give in the present
	// state; set with KeyState.
	Allowed []CommandName
}

// Error implements error, for logs.
func (r *Refused) Error() string {
	var b strings.Builder
	b.WriteString("refused: " + strings.TrimPrefix(r.Key, "ticket.refused."))
	for _, k := range slices.Sorted(maps.Keys(r.Params)) {
		fmt.Fprintf(&b, " %s=%s", k, r.Params[k])
	}
	if len(r.Allowed) > 0 {
		fmt.Fprintf(&b, " allowed=%v", r.Allowed)
	}
	return b.String()
}

func refuse(key string, pairs ...string) *Refused {
	r := &Refused{Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		if r.Params == nil {
			r.Params = make(map[string]string, len(pairs)/2)
		}
		r.Params[pairs[i]] = pairs[i+1]
	}
	return r
}
