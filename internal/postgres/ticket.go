package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// ErrChanged is returned by SaveTicket when somebody else changed the ticket
// since it was loaded; under LockTicket it cannot happen.
var ErrChanged = errors.New("the ticket was changed by somebody else")

// SealedTicket is a ticket with what stays sealed in its row. The ticket's own
// Place.Label and ReportedFor are empty here.
type SealedTicket struct {
	ticket.Ticket
	Words         []byte
	Label         []byte
	ReportedFor   []byte
	PublicReply   []byte
	InternalReply []byte
}

// CreateTicket writes a new ticket with its assignments and sets its ID.
func (t *Tx) CreateTicket(ctx context.Context, s *SealedTicket, grams []int32) error {
	var err error
	s.ID, err = t.InsertTicket(ctx, db.InsertTicketParams{
		Number: string(s.Number), State: string(s.State), Claim: s.Claim, Matter: s.Matter, Urgency: string(s.Urgency),
		Danger: s.Danger, Division: s.Place.Division, Grid: s.Place.Grid, PlaceID: s.Place.PlaceID, PlaceLabel: s.Label,
		Words: s.Words, ReportedFor: s.ReportedFor, Confidential: s.Confidential, Anonymous: s.Anonymous,
		Sensitive: s.Sensitive, Finding: s.Finding, Against: notNil(s.Against), AgainstStaff: notNil(s.AgainstStaff),
		ReporterID: s.ReporterID, AddressID: s.AddressID, ConversationID: s.ConversationID, Version: int32(s.Version),
		ReceivedAt: s.ReceivedAt, DispatchDue: at(s.DispatchDue), Grams: notNil(grams),
	})
	if err != nil {
		return fmt.Errorf("insert a ticket: %w", err)
	}
	return t.saveAssignments(ctx, &s.Ticket)
}

// SaveTicket writes a ticket that Rules.Apply moved on by one version.
func (t *Tx) SaveTicket(ctx context.Context, s *SealedTicket) error {
	n, err := t.UpdateTicket(ctx, db.UpdateTicketParams{
		ID: s.ID, State: string(s.State), Claim: s.Claim, Matter: s.Matter, Urgency: string(s.Urgency), Danger: s.Danger,
		Division: s.Place.Division, Grid: s.Place.Grid, PlaceID: s.Place.PlaceID, PlaceLabel: s.Label,
		ReportedFor: s.ReportedFor, Confidential: s.Confidential, Anonymous: s.Anonymous, Sensitive: s.Sensitive,
		Against: notNil(s.Against), AgainstStaff: notNil(s.AgainstStaff), Version: int32(s.Version), Redos: int32(s.Redos),
		Relapses: int32(s.Relapses), Tries: int32(s.Tries), DispatchedAt: at(s.DispatchedAt), SignedAt: at(s.SignedAt),
		ContactedAt: at(s.ContactedAt), HandledAt: at(s.HandledAt), ClosedAt: at(s.ClosedAt), DispatchDue: at(s.DispatchDue),
		SignDue: at(s.SignDue), ContactDue: at(s.ContactDue), Deadline: at(s.Deadline), UnitResult: string(s.UnitResult),
		Contacted: string(s.Facts.Contacted), Solved: string(s.Facts.Solved), Satisfied: string(s.Facts.Satisfied),
		Outcome: string(s.Outcome),
		Was:     string(s.Was), MasterID: idOrNil(s.MasterID), Level: int32(s.Level), Extensions: int32(s.Extensions),
		Request: string(s.Request.Kind), RequestReason: s.Request.Reason, RequestStaff: s.Request.Staff,
		RequestedAt: at(s.Request.At), RequestedUntil: at(s.Request.Until),
		SuspendedAt: at(s.SuspendedAt), SuspendedUntil: at(s.SuspendedUntil), ReferredTo: s.ReferredTo,
		Exclusion: string(s.Exclusion), ExclusionReason: s.ExclusionReason, Supervisions: int32(len(s.Supervisions)),
	})
	if err != nil {
		return fmt.Errorf("update a ticket: %w", err)
	}
	if n == 0 {
		return ErrChanged
	}
	if err := t.saveSupervisions(ctx, &s.Ticket); err != nil {
		return err
	}
	return t.saveAssignments(ctx, &s.Ticket)
}

// saveAssignments inserts what is new and updates the rest; rows are never
// deleted, an ended assignment is history.
func (t *Tx) saveAssignments(ctx context.Context, k *ticket.Ticket) error {
	for i := range k.Assignments {
		a := &k.Assignments[i]
		if a.ID != 0 {
			err := t.UpdateAssignment(ctx, db.UpdateAssignmentParams{
				ID: a.ID, State: string(a.State), SignedBy: a.SignedBy, SignedAt: at(a.SignedAt),
				FinishedAt: at(a.FinishedAt), EndedAt: at(a.EndedAt), Deadline: at(a.Deadline), Objection: string(a.Objection),
				ObjectionReason: a.ObjectionReason, ObjectedAt: at(a.ObjectedAt), DecidedAt: at(a.DecidedAt),
			})
			if err != nil {
				return fmt.Errorf("update an assignment: %w", err)
			}
			continue
		}
		id, err := t.InsertAssignment(ctx, db.InsertAssignmentParams{
			TicketID: k.ID, Role: string(a.Role), DeskKind: string(a.Desk.Kind), Desk: a.Desk.Code, DeskStaff: a.Desk.Staff,
			State: string(a.State), SignedBy: a.SignedBy, DispatchedAt: a.DispatchedAt, SignedAt: at(a.SignedAt),
			FinishedAt: at(a.FinishedAt), EndedAt: at(a.EndedAt), Deadline: at(a.Deadline),
		})
		if err != nil {
			return fmt.Errorf("insert an assignment: %w", err)
		}
		a.ID = id
	}
	return nil
}

func (t *Tx) saveSupervisions(ctx context.Context, k *ticket.Ticket) error {
	for i := range k.Supervisions {
		v := &k.Supervisions[i]
		if v.ID != 0 {
			err := t.UpdateSupervision(ctx, db.UpdateSupervisionParams{
				ID: v.ID, AnsweredAt: at(v.AnsweredAt), SignedBy: v.SignedBy, LapsedAt: at(v.LapsedAt),
			})
			if err != nil {
				return fmt.Errorf("update a supervision: %w", err)
			}
			continue
		}
		id, err := t.InsertSupervision(ctx, db.InsertSupervisionParams{
			Number: string(v.Number), TicketID: k.ID, DeskKind: string(v.Desk.Kind), Desk: v.Desk.Code, DeskStaff: v.Desk.Staff,
			Reason: v.Reason, OpenedBy: v.OpenedBy, OpenedAt: v.OpenedAt, Deadline: v.Deadline,
		})
		if err != nil {
			return fmt.Errorf("insert a supervision: %w", err)
		}
		v.ID = id
	}
	return nil
}

// LoadTicket reads a ticket with its assignments and supervisions; lock takes its row for the
// rest of the transaction. It returns ErrNoRows when there is none.
func (t *Tx) LoadTicket(ctx context.Context, id int64, lock bool) (*SealedTicket, error) {
	get := t.GetTicket
	if lock {
		get = t.LockTicket
	}
	row, err := get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load ticket %d: %w", id, err)
	}
	list, err := WithAssignments(ctx, t.Queries, []db.Ticket{row})
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// WithAssignments makes tickets of rows, in their order, with their assignments
// and supervisions.
func WithAssignments(ctx context.Context, q *db.Queries, rows []db.Ticket) ([]SealedTicket, error) {
	list := make([]SealedTicket, len(rows))
	ids := make([]int64, len(rows))
	index := make(map[int64]int, len(rows))
	var supervised []int64
	for i, r := range rows {
		list[i], ids[i], index[r.ID] = ticketOf(r), r.ID, i
		if r.Supervisions > 0 {
			supervised = append(supervised, r.ID)
		}
	}
	assignments, err := q.AssignmentsOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load assignments: %w", err)
	}
	for _, a := range assignments {
		k := &list[index[a.TicketID]]
		k.Assignments = append(k.Assignments, ticket.Assignment{
			ID: a.ID, Role: ticket.Role(a.Role), Desk: ticket.Desk{Kind: ticket.DeskKind(a.DeskKind), Code: a.Desk, Staff: a.DeskStaff},
			State: ticket.AssignmentState(a.State), SignedBy: a.SignedBy, DispatchedAt: a.DispatchedAt,
			SignedAt: when(a.SignedAt), FinishedAt: when(a.FinishedAt), EndedAt: when(a.EndedAt), Deadline: when(a.Deadline),
			Objection: ticket.Decision(a.Objection), ObjectionReason: a.ObjectionReason, ObjectedAt: when(a.ObjectedAt),
			DecidedAt: when(a.DecidedAt),
		})
	}
	if supervised == nil {
		return list, nil
	}
	supervisions, err := q.SupervisionsOf(ctx, supervised)
	if err != nil {
		return nil, fmt.Errorf("load supervisions: %w", err)
	}
	for _, v := range supervisions {
		k := &list[index[v.TicketID]]
		k.Supervisions = append(k.Supervisions, ticket.Supervision{
			ID: v.ID, Number: ticket.Number(v.Number),
			Desk:   ticket.Desk{Kind: ticket.DeskKind(v.DeskKind), Code: v.Desk, Staff: v.DeskStaff},
			Reason: v.Reason, OpenedBy: v.OpenedBy, OpenedAt: v.OpenedAt, Deadline: v.Deadline,
			AnsweredAt: when(v.AnsweredAt), SignedBy: v.SignedBy, LapsedAt: when(v.LapsedAt),
		})
	}
	return list, nil
}

func ticketOf(r db.Ticket) SealedTicket {
	return SealedTicket{
		Ticket: ticket.Ticket{
			ID: r.ID, Number: ticket.Number(r.Number), State: ticket.State(r.State), Claim: r.Claim, Matter: r.Matter,
			Urgency: ticket.Urgency(r.Urgency), Danger: r.Danger,
			Place:        ticket.PlaceRef{Division: r.Division, Grid: r.Grid, PlaceID: r.PlaceID},
			Confidential: r.Confidential, Anonymous: r.Anonymous, Sensitive: r.Sensitive, Finding: r.Finding,
			Against: r.Against, AgainstStaff: r.AgainstStaff,
			ReporterID: r.ReporterID, AddressID: r.AddressID, ConversationID: r.ConversationID,
			Version: int(r.Version), Redos: int(r.Redos), Relapses: int(r.Relapses), Tries: int(r.Tries),
			ReceivedAt: r.ReceivedAt, DispatchedAt: when(r.DispatchedAt), SignedAt: when(r.SignedAt),
			ContactedAt: when(r.ContactedAt), HandledAt: when(r.HandledAt), ClosedAt: when(r.ClosedAt),
			DispatchDue: when(r.DispatchDue), SignDue: when(r.SignDue), ContactDue: when(r.ContactDue), Deadline: when(r.Deadline),
			UnitResult: ticket.UnitResult(r.UnitResult),
			Facts: ticket.Facts{
				Contacted: ticket.Answer(r.Contacted), Solved: ticket.Answer(r.Solved), Satisfied: ticket.Satisfaction(r.Satisfied),
			},
			Outcome: ticket.Outcome(r.Outcome), MasterID: idOf(r.MasterID),
			Was: ticket.State(r.Was), Level: int(r.Level), Extensions: int(r.Extensions),
			Request: ticket.Request{
				Kind: ticket.RequestKind(r.Request), Reason: r.RequestReason, Staff: r.RequestStaff,
				At: when(r.RequestedAt), Until: when(r.RequestedUntil),
			},
			SuspendedAt: when(r.SuspendedAt), SuspendedUntil: when(r.SuspendedUntil), ReferredTo: r.ReferredTo,
			Exclusion: ticket.Exclusion(r.Exclusion), ExclusionReason: r.ExclusionReason,
		},
		Words: r.Words, Label: r.PlaceLabel, ReportedFor: r.ReportedFor, PublicReply: r.PublicReply, InternalReply: r.InternalReply,
	}
}

// at is the column value of a time that may not have come.
func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func when(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// idOrNil is the column value of a reference that may be missing.
func idOrNil(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

func idOf(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// notNil keeps an empty list from becoming NULL.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
