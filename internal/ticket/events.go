package ticket

// EventKinds lists every kind of event.
func EventKinds() []EventKind {
	return []EventKind{
		EventFiled, EventCompleted, EventDispatched, EventSigned, EventAutoSigned, EventTransferred, EventReturned,
		EventContacted, EventHandled, EventAsked, EventAnswered, EventUnhappy, EventRedone, EventClosed, EventRelapsed,
		EventWithdrawn, EventRejected, EventAnsweredNow, EventReferred, EventInvolved, EventCoSigned, EventCoReplied,
		EventObjected, EventObjectionGranted, EventObjectionRefused, EventExtensionAsked, EventExtensionGranted,
		EventExtensionRefused, EventSuspensionAsked, EventSuspended, EventSuspensionRefused, EventResumed, EventSupervised,
		EventSupervisionAnswered, EventSupervisionLapsed, EventEscalated, EventMerged, EventUnmerged, EventFollowed,
		EventExclusionAsked, EventExclusionGranted, EventExclusionRefused,
	}
}
