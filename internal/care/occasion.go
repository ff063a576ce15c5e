package care

import (
	"slices"
	"strconv"
	"time"
)

// History is what the ladder of a visit has to know beside bed and visit.
type History struct {
	// Survey: Surveyed says that one is due after this visit; Held is why it is not
	// sent all the same, for the ledger.
	Survey bool
	Held   string
	// Answer is what the family answered, 0 while it did not.
	Answer int
	// AnsweredAt is when it did.
	AnsweredAt time.Time
	// Called: the family was called about a low answer, and it is settled.
	Called bool
}

// OfVisit is the occasion of a visit.
func (r *Rules) OfVisit(b Bed, v Visit, h History) Occasion {
	loc := r.loc()
	o := Occasion{
		Programme: FamilyBed, Of: OfVisit, Subject: "visit:" + strconv.FormatInt(v.ID, 10), Version: v.Version,
		State: string(v.State), StateAt: v.StateAt, Since: v.MadeAt, Consent: r.Consented(b), Held: h.Held,
		At: map[Anchor]time.Time{
			AnchorMade: v.MadeAt, AnchorStart: v.Start(loc), AnchorEnd: v.End(loc), AnchorHelp: v.HelpAt, AnchorCode: v.CodeAt,
			AnchorInterval: v.Latest.AddDays(1).At(0, loc),
		},
		Who: r.household(b, v.Staff),
	}
	if !v.ArrivedAt.IsZero() {
		o.At[AnchorOut] = v.ArrivedAt.Add(time.Duration(v.Minutes) * time.Minute)
	}
	if !v.ChangedAt.IsZero() {
		o.Since = v.ChangedAt
		o.At[AnchorChanged] = v.ChangedAt.Add(r.policy.Changes.Settle)
		if v.Start(loc).Sub(v.ChangedAt) < r.policy.Changes.AtOnce {
			o.At[AnchorChanged] = v.ChangedAt
		}
	}
	o.Others = r.others(b, v.ChangedBy)
	if p := b.recipient(v.Present); v.Present != 0 {
		o.Who[ToPresent] = p
	} else if p, ok := o.Who[ToCarer1]; ok {
		o.Who[ToPresent] = p
	}
	if !h.AnsweredAt.IsZero() {
		o.At[AnchorAnswered] = h.AnsweredAt
	}
	var it Item
	if i := b.item(v.ItemID); i >= 0 {
		it = b.Items[i]
	}
	nobody := v.State == VisitToMakeUp && v.Reason == ReasonNobodyHome
	o.Is = map[Flag]bool{
		IfFirst: v.Slot == 1, IfLong: it.gap() >= 7, IfRisk: it.Missed > 0 || b.Patient.LivesAlone,
		IfNobodyHome: nobody, IfLookIn: nobody && b.Patient.LivesAlone && b.Agreement.GridWorker,
		IfInRow: it.Missed >= r.policy.Missed.InRow && v.Slot == it.LastMissed, IfUnnoted: !v.Noted, IfSurvey: (h.Survey || h.Held != "") && h.Answer == 0,
		IfOrderOver: v.State == VisitReleased && v.Told && b.State == BedOpen && slices.Contains(reasonsOfOrders, v.Reason),
		IfShort:     daysBetween(r.day(v.StateAt), v.Date) <= 1,
		// Nobody rings the family of the dead about a mark.
		IfLowest: h.Answer != 0 && h.Answer <= r.policy.Survey.Lowest && !h.Called && b.Patient.Where != Dead,
	}
	return o
}

// OfBed is the occasion of a bed and its running period.
func (r *Rules) OfBed(b Bed) Occasion {
	o := Occasion{
		Programme: FamilyBed, Of: OfBed, Subject: "bed:" + strconv.FormatInt(b.ID, 10), Version: len(b.Periods),
		State: string(b.State), StateAt: b.StateAt, Since: b.OpenedAt, Consent: r.Consented(b),
		At: map[Anchor]time.Time{AnchorOpened: b.OpenedAt, AnchorConsent: b.ConsentLostAt, AnchorStopped: b.StoppedAt}, Who: r.household(b, b.Nurse),
	}
	if p := b.Period(); p != (Period{}) {
		o.At[AnchorPeriod] = p.To.At(0, r.loc())
		o.Since = p.From.At(0, r.loc())
	}
	if b.State == BedClosed && b.Patient.Where == Dead {
		o.State, o.At = "", nil // nothing is due for the dead
	}
	return o
}

// OfApplication is the occasion of an application.
func (r *Rules) OfApplication(a Application) Occasion {
	return Occasion{
		Programme: FamilyBed, Of: OfApplication, Subject: "application:" + strconv.FormatInt(a.ID, 10), Version: a.Version,
		State: string(a.State), StateAt: a.StateAt, Since: a.StateAt, Consent: true,
		At:  map[Anchor]time.Time{AnchorDeadline: a.Due},
		Who: map[Role]Recipient{ToApplicant: {Person: a.Applicant, Address: a.Address, Unreachable: a.Address == 0}, ToDesk: {}, ToLead: {}, ToHospital: {}},
	}
}

// household finds the recipients of a bed. carer_1 is the first who can be
// written to, so that the ladder climbs on when somebody has stopped texts.
func (r *Rules) household(b Bed, visitor int64) map[Role]Recipient {
	who := map[Role]Recipient{
		ToDesk: {}, ToLead: {}, ToQuality: {}, ToHospital: {}, ToGrid: {},
		ToVisitor: {Staff: visitor}, ToDoctor: {Staff: b.Doctor},
	}
	if b.Patient.reachable() {
		who[ToPatient] = b.recipient(b.Patient.Person)
	}
	next := []Role{ToCarer1, ToCarer2}
	for _, c := range b.Carers {
		if c.reachable() && len(next) > 0 {
			who[next[0]] = b.recipient(c.Person)
			next = next[1:]
		}
	}
	if p, ok := who[ToPatient]; ok && len(next) == 2 {
		who[ToCarer1] = p // who has nobody is asked himself
	}
	return who
}

// recipient is a person of the household; the zero Recipient for a stranger.
func (b Bed) recipient(person int64) Recipient {
	if person == b.Patient.Person {
		shared := false
		for _, c := range b.Carers {
			shared = shared || c.Address == b.Patient.Address
		}
		return Recipient{Person: person, Address: b.Patient.Address, Neutral: shared, Unreachable: !b.Patient.reachable()}
	}
	for _, c := range b.Carers {
		if c.Person == person {
			return Recipient{Person: person, Address: c.Address, Neutral: c.Shared, Unreachable: !c.reachable()}
		}
	}
	return Recipient{}
}

// others are who of the family hears of a change: the patient and the first two
// carers that can be written to, without who chose it, one text an address.
func (r *Rules) others(b Bed, chose int64) []Recipient {
	var out []Recipient
	seen := map[int64]bool{}
	if c := b.recipient(chose); chose != 0 {
		seen[c.Address] = true
	}
	who := r.household(b, 0)
	for _, role := range []Role{ToCarer1, ToCarer2, ToPatient} {
		if to, ok := who[role]; ok && !seen[to.Address] {
			seen[to.Address] = true
			out = append(out, to)
		}
	}
	return out
}
