package care

// EventKind says what happened.
type EventKind string

// The events of applications, beds and visits. They feed the trail, and the
// news that the family gets at every step.
const (
	EventApplied    EventKind = "applied"
	EventCompleted  EventKind = "completed"
	EventReturned   EventKind = "returned"
	EventScreened   EventKind = "screened"
	EventAssessed   EventKind = "assessed"
	EventRegistered EventKind = "registered"
	EventRejected   EventKind = "rejected"
	EventWithdrawn  EventKind = "withdrawn"

	EventSigned           EventKind = "signed"
	EventOpened           EventKind = "opened"
	EventConsentWithdrawn EventKind = "consent_withdrawn"
	EventSuspended        EventKind = "suspended"
	EventResumed          EventKind = "resumed"
	EventRenewed          EventKind = "renewed"
	EventHousehold        EventKind = "household"
	EventTexts            EventKind = "texts" // left or came back to messages
	EventTeam             EventKind = "team"
	EventOrdered          EventKind = "ordered"
	EventOrderEnded       EventKind = "order_ended"
	EventClosed           EventKind = "closed"
	EventDied             EventKind = "died"

	EventPlanned     EventKind = "planned"
	EventTold        EventKind = "told"
	EventAsked       EventKind = "asked"
	EventConfirmed   EventKind = "confirmed"
	EventMoveAsked   EventKind = "move_asked"
	EventDeclined    EventKind = "declined"
	EventMoved       EventKind = "moved"
	EventReassigned  EventKind = "reassigned"
	EventLeft        EventKind = "left"
	EventArrived     EventKind = "arrived"
	EventDone        EventKind = "done"
	EventNobodyHome  EventKind = "nobody_home"
	EventFailed      EventKind = "failed"
	EventMissed      EventKind = "missed"
	EventCancelled   EventKind = "cancelled"
	EventReleased    EventKind = "released"
	EventNoted       EventKind = "noted"
	EventWrongCode   EventKind = "wrong_code"
	EventHelp        EventKind = "help"
	EventMissedInRow EventKind = "missed_in_row"
)

// ApplicationEvents lists what happens to applications: the family is answered
// at each of them.
func ApplicationEvents() []EventKind {
	return []EventKind{
		EventApplied, EventCompleted, EventReturned, EventScreened, EventAssessed, EventRegistered, EventRejected, EventWithdrawn,
	}
}
