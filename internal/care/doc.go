// Package care is the life of a family bed 家庭病床: from the wish for one to its
// end, with the visits between, who is reminded of them when, and what happens
// when one does not happen. It is pure: time, visits and loads are arguments,
// decisions are what comes back.
//
// # States
//
//	application  draft ──> submitted ──screen──> eligible ──assess──> accepted ──register──> registered
//	               ^  returned <┘    reject, withdraw from each of them ──> rejected, withdrawn
//
//	bed          pending ──sign, open──> open <──suspend, resume──> suspended ──close──> closed
//	             withdraw_consent: open ──> suspended; death: ──> closed from everywhere
//
//	visit        planned ──told──> notified ──> confirmed | move_asked | declined ──leave──> en_route ──> arrived ──> done
//	             not made ──> to_make_up ──move──> planned, or its interval over ──> missed
//	             cancelled: the desk took this one out; released: bed or order do not go on, the slot is free again
//
// Each machine is one table (Applications, Beds, Visits). What is not in it is
// refused with a *Refused, whose Key is a text for staff. Expiring and overdue are
// no states but Period.Left.
//
// # Slots
//
// An Item is an order; its visits are numbered slots, each with a nominal day and
// an ordered interval that touches no other. An item remembers two things: the
// last settled slot and the nominal day of the next. So replanning is a function
// of the orders and the visits, and planning twice is planning once. A slot that
// is over has exactly one end: a visit that was done, missed or cancelled, or a
// Skip with its reason. A visit is missed only when it could not be made up
// inside its interval; then the doctor is told, after two in a row the hospital.
//
// Plan is run daily and after every command, in its transaction. It places new
// visits on the best day of the interval that the item's holiday rule, the
// visitor's absences and the room in the windows allow. What the family was told
// stays as long as the slot allows it; where a rule is broken for it, or a day is
// full, the visit says so (Off, Full) and a person looks. What failed today is the
// desk's to arrange; what nobody arranged the planner makes up tomorrow.
//
// # What is due
//
// Ladder says what is due for an Occasion: a list of rungs in
// configs/programmes, each with its time, its end, its recipients and the states
// in which it means something. It has no memory. A row's key is made of the
// version of the visit, of the moment at which a state was entered or something
// happened, where that can come again, and of the recipient; so looking again makes
// no new rows. The caller keeps table due equal to it with Reconcile.
//
// A version is what a text says: day, window, visitor. Whatever changes one of
// them makes all older rows, prompts and answers dead. An answer is measured
// against the version it was asked about (Reply); only Live becomes a command.
//
// Nothing goes to the family without Consented: a standing agreement on paper or
// screen, an open bed, a patient at home. What is not sent stands in the ladder
// with its Why, for the ledger. Who stops texts is passed over; with nobody left
// to write to, a question becomes the desk's call.
//
// # Clearing
//
// What ends clears at once, in its transaction: Clears names the subject. A death
// clears the person in every programme, admission and close the bed with all its
// visits, withdrawn consent what goes to the family. What only changes is
// Reconcile's.
//
// # Clocks and failure
//
// The caller owns the clock. Apply functions work on a copy: on refusal what comes
// back is what went in. Errors that are no *Refused are broken policies or keys.
// Days are those of the working time's zone, whatever zone an instant is in.
//
// # Other programmes
//
// A programme with a cadence plans visits through Enrol and Plan like an order; one
// that hangs on events is an Occasion with its own anchors. Neither needs Go.
//
// # Wiring
//
// One transaction of a command: lock the bed, then its visits by id; run the
// command; Settle when a visit ended; Plan; write changes and skips (unique:
// item, slot while not released); clear what Clears says; for the bed and each of
// its visits Reconcile the pending rows with the Ladder, reviving rows that were
// cleared; append the events to the trail. A due row reads the visit again, asks the
// Ladder whether it is still in it, and opens its prompt through Ask. Load counts
// visits of other beds: a staff day is locked by an advisory lock, or the unlikely
// double is shown as Full.
//
// Sources of the figures stand beside them in configs/policies/care.yaml and
// configs/programmes. Decision 24 says why it is so.
package care
