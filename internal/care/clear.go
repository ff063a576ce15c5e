package care

// Clearance is one UPDATE: every pending row of the subject that is not in Keep
// is cleared, with its open prompts. Whatever lies in the outbox is asked once
// more before it goes (late binding).
type Clearance struct {
	Subject Subject
	// Family: only what goes to the family, and prompts; staff's rows stay.
	Family bool
	Reason EventKind
}

// Subject says whose rows are meant.
type Subject string

// The subjects of a clearance.
const (
	ClearVisit       Subject = "visit"
	ClearBed         Subject = "bed"    // and all its visits
	ClearPatient     Subject = "person" // in every programme
	ClearApplication Subject = "application"
)

// Clears says what vanishes with an event that ends something, in its
// transaction (reference 1.2: admission, death or 撤床 clear every pending
// reminder and survey in the same transaction). What an event only changes is
// Reconcile's.
func Clears(k EventKind) (Clearance, bool) {
	switch k {
	case EventDied:
		return Clearance{Subject: ClearPatient, Reason: k}, true
	case EventClosed, EventSuspended:
		return Clearance{Subject: ClearBed, Reason: k}, true
	case EventConsentWithdrawn:
		return Clearance{Subject: ClearBed, Family: true, Reason: k}, true
	case EventCancelled, EventReleased, EventMissed, EventDone:
		return Clearance{Subject: ClearVisit, Reason: k}, true
	case EventRegistered, EventRejected, EventWithdrawn:
		return Clearance{Subject: ClearApplication, Reason: k}, true
	}
	return Clearance{}, false
}

// Reconcile compares the rows that are pending for a subject with what its
// ladder says now: what to clear, and what to plan. Both are empty when nothing
// has changed. The dry run before a rule change is this with the new rules.
//
// Rows that went out already are done and not pending; the key keeps add from
// sending them again. A cleared row that is wanted once more is planned once
// more: only done, failed and unknown ones stand for ever.
func Reconcile(pending, wanted []Due) (clear, add []Due) {
	type id struct{ kind, subject, key string }
	of := func(d Due) id { return id{d.Kind, d.Subject, d.Key} }
	have, want := map[id]Due{}, map[id]Due{}
	for _, d := range pending {
		have[of(d)] = d
	}
	for _, d := range wanted {
		if d.Sends() {
			want[of(d)] = d
		}
	}
	for _, d := range pending {
		if w, ok := want[of(d)]; !ok || !w.At.Equal(d.At) || !w.NotAfter.Equal(d.NotAfter) {
			clear = append(clear, d)
		}
	}
	for _, d := range wanted {
		if !d.Sends() {
			continue
		}
		if h, ok := have[of(d)]; !ok || !h.At.Equal(d.At) || !h.NotAfter.Equal(d.NotAfter) {
			add = append(add, d)
		}
	}
	return clear, add
}
