package workorder

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
)

// Kinds of due row that follow from tickets. Package scheduler/jobs runs them.
const (
	// DueCard lays a ticket into one staff member's chat: data CardDue.
	DueCard = "card"
	// DueNudge reminds the desk at a share of the handling time: NudgeDue.
	DueNudge = "sla.nudge"
	// DueSign signs for a desk that let the time run out.
	DueSign = "sla.sign"
	// DueDispatch alarms the dispatcher over a ticket nobody has dispatched.
	DueDispatch = "sla.dispatch"
	// DueContact reminds the signed handler to reach for the reporter.
	DueContact = "sla.contact"
	// DueCallback asks the resident: CallbackDue.
	DueCallback = "callback"
	// DueNotice tells the reporter something: NoticeDue.
	DueNotice = "notice"
)

// DueCode sends a one-time code to another address of the person: subject
// "address:ID" of where it goes, data CodeDue.
const DueCode = "code"

// SealCode seals CodeDue.Digits.
const SealCode = "due.code"

// CodeDue is the data of a DueCode row.
type CodeDue struct {
	Digits []byte `json:"digits"`
}

// CardDue is the data of a DueCard row: for one of the staff, or for a group.
type CardDue struct {
	Staff int64 `json:"staff,omitempty"`
	// Group is the own conversation of a work group.
	Group int64 `json:"group,omitempty"`
	// Informed cards are for knowing, not for doing.
	Informed bool `json:"informed,omitempty"`
	// Co cards ask for a reply to the lead.
	Co bool `json:"co,omitempty"`
}

// Part is what whoever gets the card has to do with the ticket.
func (c CardDue) Part() Part {
	switch {
	case c.Informed:
		return InformedPart
	case c.Co:
		return CoPart
	}
	return LeadPart
}

// NudgeDue is the data of a DueNudge row.
type NudgeDue struct {
	Share float64 `json:"share"`
}

// CallbackDue is the data of a DueCallback row.
type CallbackDue struct {
	Try int `json:"try"`
}

// NoticeDue is the data of a DueNotice row: a text key with its values. Due
// rows lie unsealed, so words of people stand in Words, sealed with SealNotice;
// the text has them as {{words}}.
type NoticeDue struct {
	Key    string            `json:"key"`
	Params map[string]string `json:"params,omitempty"`
	Words  []byte            `json:"words,omitempty"`
}

// quiet takes back the clocks of the desk that had the ticket.
func (s *Service) quiet(ctx context.Context, t *gateway.Turn, o *Order, why string) error {
	return s.clear(ctx, t, o, why, DueNudge, DueSign, DueContact, DueDispatch, DueCard, DueCoNudge, DueCoSilent, DueResume)
}

// clear takes back what was planned of the kinds given, of all when none is.
func (s *Service) clear(ctx context.Context, t *gateway.Turn, o *Order, why string, kinds ...string) error {
	if _, err := t.ClearDue(ctx, why, Subject(o.ID), kinds); err != nil {
		return fmt.Errorf("clear what was due: %w", err)
	}
	return nil
}

// plan is a due row for the ticket as it is now; zero times plan nothing.
func plan(o *Order, kind, key string, at time.Time, data any) []gateway.Plan {
	if at.IsZero() {
		return nil
	}
	return []gateway.Plan{planAt(o, kind, "v"+strconv.Itoa(o.Version)+"/"+key, at, data)}
}

func planAt(o *Order, kind, key string, at time.Time, data any) gateway.Plan {
	return gateway.Plan{
		Kind: kind, Subject: Subject(o.ID), Key: key, Person: o.ReporterID, Version: int32(o.Version), Data: data, At: at,
	}
}
