package ticket

// Field is a part of a ticket that can be shown, masked or hidden.
type Field string

// The fields.
const (
	FieldNumber      Field = "number"
	FieldState       Field = "state"
	FieldMatter      Field = "matter" // matter, claim, urgency, times
	FieldWords       Field = "words"  // what the resident wrote
	FieldPhotos      Field = "photos"
	FieldPlace       Field = "place"
	FieldName        Field = "name"
	FieldPhone       Field = "phone"
	FieldReportedFor Field = "reported_for"
	FieldReply       Field = "reply"    // public reply
	FieldInternal    Field = "internal" // internal reply and notes
	FieldFacts       Field = "facts"    // the resident's answers
	FieldDesks       Field = "desks"    // who handles it, by name
)

// Fields lists every field.
func Fields() []Field {
	return []Field{
		FieldNumber, FieldState, FieldMatter, FieldWords, FieldPhotos, FieldPlace, FieldName, FieldPhone,
		FieldReportedFor, FieldReply, FieldInternal, FieldFacts, FieldDesks,
	}
}

// DataClass says how a field is held (docs/privacy.md).
type DataClass string

// The data classes.
const (
	ClassPublic    DataClass = "public"
	ClassInternal  DataClass = "internal"
	ClassPersonal  DataClass = "personal"  // words and places can point at people
	ClassSensitive DataClass = "sensitive" // says who reported
)

// Class returns the data class of the field.
func (f Field) Class() DataClass {
	switch f {
	case FieldNumber, FieldState, FieldMatter:
		return ClassPublic
	case FieldInternal, FieldDesks:
		return ClassInternal
	case FieldName, FieldPhone, FieldReportedFor:
		return ClassSensitive
	}
	return ClassPersonal
}

// Show is what becomes of a field. The zero value hides it.
type Show int

// The ways to show.
const (
	Hidden  Show = iota
	Masked       // 张*, 138****5678
	Audited      // masked until asked for; the look is written to the trail
	Full
)

// String returns the word used in tests and logs.
func (s Show) String() string {
	switch s {
	case Masked:
		return "masked"
	case Audited:
		return "audited"
	case Full:
		return "full"
	}
	return "hidden"
}

// Viewer is who looks, in relation to the ticket.
type Viewer string

// The viewers. Which one a staff member is follows from rights and
// assignments; for who is several of them the caller chooses one, and shows no
// more than that one sees.
const (
	ViewReporter   Viewer = "reporter"
	ViewSigned     Viewer = "signed"     // signed for it and still has it
	ViewDesk       Viewer = "desk"       // of the desk that has it, not signed
	ViewCo         Viewer = "co"         // of a desk that replies to the lead
	ViewInformed   Viewer = "informed"   // of a desk that is only informed
	ViewDispatcher Viewer = "dispatcher" // dispatcher or completing clerk
	ViewCallback   Viewer = "callback"
	ViewSupervisor Viewer = "supervisor"
	ViewGroup      Viewer = "group"  // a work group
	ViewOther      Viewer = "other"  // other staff
	ViewPublic     Viewer = "public" // anybody, a residents' group
)

// Viewers lists every viewer.
func Viewers() []Viewer {
	return []Viewer{
		ViewReporter, ViewSigned, ViewDesk, ViewCo, ViewInformed, ViewDispatcher, ViewCallback, ViewSupervisor, ViewGroup,
		ViewOther, ViewPublic,
	}
}

// View decides what the viewer sees of the ticket: default hidden. It is what
// the resident is told about 保密: the handler sees the matter and never who
// reported it; anonymous: nobody on the staff does, the callback clerk
// included.
func View(t Ticket, v Viewer) map[Field]Show {
	seen := make(map[Field]Show)
	show := func(s Show, fields ...Field) {
		for _, f := range fields {
			seen[f] = s
		}
	}
	content := []Field{FieldNumber, FieldState, FieldMatter, FieldWords, FieldPhotos, FieldPlace}
	switch v {
	case ViewReporter:
		show(Full, content...)
		show(Full, FieldName, FieldPhone, FieldReportedFor, FieldReply, FieldFacts)
		return seen
	case ViewSigned:
		show(Full, content...)
		show(Full, FieldReply, FieldInternal, FieldFacts, FieldDesks)
		show(Masked, FieldName, FieldReportedFor)
		show(Audited, FieldPhone)
	case ViewDesk:
		show(Full, content...)
		show(Full, FieldReply, FieldInternal, FieldDesks)
		show(Masked, FieldName)
	case ViewCo: // the lead speaks to the reporter: who that is stays there
		show(Full, content...)
		show(Full, FieldInternal, FieldDesks)
	case ViewInformed, ViewGroup:
		if t.Private() {
			return seen
		}
		show(Full, FieldNumber, FieldState, FieldMatter, FieldPlace, FieldPhotos, FieldWords, FieldDesks)
	case ViewDispatcher:
		show(Full, content...)
		show(Full, FieldReply, FieldInternal, FieldFacts, FieldDesks)
		show(Masked, FieldName, FieldPhone, FieldReportedFor)
	case ViewCallback:
		show(Full, content...)
		show(Full, FieldReply, FieldInternal, FieldFacts, FieldDesks)
		show(Masked, FieldName, FieldReportedFor)
		show(Audited, FieldPhone)
	case ViewSupervisor:
		if t.Private() {
			show(Full, FieldNumber, FieldState, FieldMatter, FieldDesks)
			return seen
		}
		show(Full, content...)
		show(Full, FieldReply, FieldInternal, FieldFacts, FieldDesks)
	case ViewOther:
		if !t.Private() {
			show(Full, FieldNumber, FieldState, FieldMatter)
		}
	}
	if t.Anonymous || t.Confidential && v != ViewCallback {
		show(Hidden, FieldName, FieldPhone, FieldReportedFor)
	}
	return seen
}
