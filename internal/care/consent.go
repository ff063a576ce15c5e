package care

import (
	"slices"
	"time"
)

// Form is how an agreement was signed.
type Form string

// The forms. There is no third: an answer by message is no signature.
const (
	OnPaper  Form = "paper"
	OnScreen Form = "screen"
)

// Agreement is the notice 告知书 and the service agreement 服务协议书, signed
// together. It is kept for ever; what is withdrawn stays readable.
type Agreement struct {
	Form Form
	// Notice and Terms are the versions of the two texts.
	Notice, Terms int
	Signer        int64
	Relation      string // to the patient; "self" when the patient signs
	SignedAt      time.Time
	Scan          string // blob of the picture of the paper
	EnteredBy     int64  // staff who took it
	// GridWorker: the family agrees that the grid worker hears of a visit to
	// which nobody opened.
	GridWorker  bool
	WithdrawnAt time.Time
	WithdrawnBy int64 // person or staff
}

// Stands reports whether the agreement was signed and not withdrawn.
func (a Agreement) Stands() bool { return !a.SignedAt.IsZero() && a.WithdrawnAt.IsZero() }

// Self is the relation of a patient who signs.
const Self = "self"

// Carer 照护人 is somebody of the family who is written to, in the order of
// Bed.Carers.
type Carer struct {
	Person   int64
	Relation string
	Address  int64 // 0: only by telephone
	// Shared: others of the household read this phone, so texts are neutral.
	Shared bool
	// Stopped: wrote R on this topic. Leaving messages is not leaving care:
	// the desk rings instead.
	Stopped bool
}

func (c Carer) reachable() bool { return c.Address != 0 && !c.Stopped }

// sign checks an agreement against the policy and the household.
func (s *step[T]) sign(b Bed, a Agreement) error {
	p := s.policy.Consent
	switch {
	case a.Form != OnPaper && a.Form != OnScreen:
		return refuse(KeyForm)
	case a.Form == OnPaper && a.Scan == "":
		return refuse(KeyNoScan)
	case a.Notice < p.Notice || a.Terms < p.Terms:
		return refuse(KeyConsent)
	case a.Signer == 0 || s.by.Staff == 0 || a.SignedAt.IsZero() || a.SignedAt.After(s.now):
		return refuse(KeyIncomplete, "what", "signature")
	}
	if a.Signer == b.Patient.Person {
		if a.Relation == Self {
			return nil
		}
		return refuse(KeyRelation)
	}
	ok := a.Relation != Self && slices.ContainsFunc(b.Carers, func(c Carer) bool { return c.Person == a.Signer && c.Relation == a.Relation })
	if !ok {
		return refuse(KeyRelation)
	}
	return nil
}

// Consented reports whether the family of the bed may be written to about
// visits: a standing agreement of the present versions, a bed that is open, a
// patient who is at home and alive.
func (r *Rules) Consented(b Bed) bool {
	p := r.policy.Consent
	return b.Agreement.Stands() && b.Agreement.Notice >= p.Notice && b.Agreement.Terms >= p.Terms &&
		b.State == BedOpen && b.Patient.Where == AtHome
}
