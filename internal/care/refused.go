package care

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The reasons of refusals: keys of texts (configs/texts/care.yaml).
const (
	KeyState    = "care.refused.state"     // not in this state; Allowed says what is
	KeyNotYours = "care.refused.not_yours" // not a thing for this capacity, or somebody else's
	KeyReason   = "care.refused.reason"    // not one of the reasons
	KeyStarted  = "care.refused.started"   // the day or hour is over, or has not come

	KeyIncomplete = "care.refused.incomplete" // something must be known first
	KeyInpatient  = "care.refused.inpatient"  // who lies in hospital has no family bed
	KeyDead       = "care.refused.dead"
	KeyHasBed     = "care.refused.has_bed"      // there is a bed or an application already
	KeyIneligible = "care.refused.ineligible"   // one of the questions was answered with no
	KeyUnfit      = "care.refused.unfit"        // the assessment says no
	KeyConsent    = "care.refused.consent"      // no agreement stands, or it is too old
	KeyForm       = "care.refused.form"         // an agreement is signed on paper or on screen
	KeyNoScan     = "care.refused.no_scan"      // paper needs its scan
	KeyRelation   = "care.refused.relation"     // signer must be the patient or a carer of that relation
	KeyDiagnosis  = "care.refused.diagnosis"    // diagnosis missing
	KeyNoDoctor   = "care.refused.no_doctor"    // doctor and nurse must be named
	KeyNoContact  = "care.refused.no_contact"   // one carer at least, each once
	KeyPeriod     = "care.refused.period"       // longer than a period may be
	KeyOrdersOpen = "care.refused.orders_open"  // a visit is under way
	KeyNotesOpen  = "care.refused.notes_open"   // a visit has no record yet
	KeyReturns    = "care.refused.returns_open" // drugs or things to be given back
	KeyOutcome    = "care.refused.outcome"      // how it ended must be said

	KeyItem     = "care.refused.item"     // an order that cannot be carried out
	KeyInterval = "care.refused.interval" // outside the ordered interval
	KeyTaken    = "care.refused.taken"    // that time is no longer free
	KeySame     = "care.refused.same"     // nothing would change
	KeyAdult    = "care.refused.adult"    // an adult must be there
	KeyPresent  = "care.refused.present"  // who was there must be said
	KeyNotDue   = "care.refused.not_due"  // the interval is not over
)

// RefusalKeys lists the keys, so that a test can see that each has its text.
func RefusalKeys() []string {
	return []string{
		KeyState, KeyNotYours, KeyReason, KeyStarted, KeyIncomplete, KeyInpatient, KeyDead, KeyHasBed, KeyIneligible, KeyUnfit,
		KeyConsent, KeyForm, KeyNoScan, KeyRelation, KeyDiagnosis, KeyNoDoctor, KeyNoContact, KeyPeriod, KeyOrdersOpen,
		KeyNotesOpen, KeyReturns, KeyOutcome, KeyItem, KeyInterval, KeyTaken, KeySame, KeyAdult, KeyPresent, KeyNotDue,
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
	b.WriteString("refused: " + strings.TrimPrefix(r.Key, "care.refused."))
	for _, k := range slices.Sorted(maps.Keys(r.Params)) {
		fmt.Fprintf(&b, " %s=%s", k, r.Params[k])
	}
	if len(r.Allowed) > 0 {
		fmt.Fprintf(&b, " allowed=%v", r.Allowed)
	}
	return b.String()
}

func refuse(key string, pairs ...string) *Refused {
	return &Refused{Key: key, Params: dataOf(pairs)}
}
