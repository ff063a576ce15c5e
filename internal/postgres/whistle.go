package postgres

import (
	"context"
	"fmt"

	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// SealedWhistle is a whistle with what stays sealed in its row. The whistle's
// own Place.Label is empty here.
type SealedWhistle struct {
	ticket.Whistle
	Words []byte
	Label []byte
}

// CreateWhistle writes a new whistle and sets its ID.
func (t *Tx) CreateWhistle(ctx context.Context, s *SealedWhistle) error {
	p := db.InsertWhistleParams{
		Kind: string(s.Kind), Source: string(s.Source), State: string(s.State), Division: s.Place.Division, Grid: s.Place.Grid,
		PlaceLabel: s.Label, Words: s.Words, Private: s.Private, Against: notNil(s.Against), AgainstStaff: notNil(s.AgainstStaff),
		Version: int32(s.Version), Level: int32(s.Level), ProposedBy: s.ProposedBy, ProposedAt: s.ProposedAt, ChangedAt: s.ChangedAt,
		BlowDue: at(s.BlowDue),
	}
	if s.TicketID != 0 {
		p.TicketID = &s.TicketID
	}
	var err error
	if s.ID, err = t.InsertWhistle(ctx, p); err != nil {
		return fmt.Errorf("insert a whistle: %w", err)
	}
	return nil
}

// SaveWhistle writes a whistle that the rules moved on by one version.
func (t *Tx) SaveWhistle(ctx context.Context, s *SealedWhistle) error {
	n, err := t.UpdateWhistle(ctx, db.UpdateWhistleParams{
		ID: s.ID, State: string(s.State), Private: s.Private, Against: notNil(s.Against), AgainstStaff: notNil(s.AgainstStaff),
		Version: int32(s.Version), Level: int32(s.Level), Returns: int32(s.Returns), Reason: s.Reason, Solved: string(s.Solved),
		BlownBy: s.BlownBy, AssignedBy: s.AssignedBy, ClosedBy: s.ClosedBy, BlownAt: at(s.BlownAt), AssignedAt: at(s.AssignedAt),
		HandledAt: at(s.HandledAt), ClosedAt: at(s.ClosedAt), RaisedAt: at(s.RaisedAt), ChangedAt: s.ChangedAt,
		BlowDue: at(s.BlowDue), AssignDue: at(s.AssignDue), Deadline: at(s.Deadline), AppraiseDue: at(s.AppraiseDue),
	})
	if err != nil {
		return fmt.Errorf("update a whistle: %w", err)
	}
	if n == 0 {
		return ErrChanged
	}
	for i := range s.Parts {
		if err := t.savePart(ctx, s.ID, &s.Parts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) savePart(ctx context.Context, whistle int64, p *ticket.Part) error {
	if p.ID == 0 {
		var err error
		p.ID, err = t.InsertWhistleUnit(ctx, db.InsertWhistleUnitParams{
			WhistleID: whistle, Lead: p.Lead, DeskKind: string(p.Desk.Kind), Desk: p.Desk.Code, DeskStaff: p.Desk.Staff,
			State: string(p.State), CalledAt: p.CalledAt, AnswerDue: p.AnswerDue, ArriveDue: p.ArriveDue,
		})
		if err != nil {
			return fmt.Errorf("insert a unit of a whistle: %w", err)
		}
		return nil
	}
	err := t.UpdateWhistleUnit(ctx, db.UpdateWhistleUnitParams{
		ID: p.ID, State: string(p.State), AnsweredAt: at(p.AnsweredAt), ArrivedAt: at(p.ArrivedAt), HandledAt: at(p.HandledAt),
		AppraisedAt: at(p.AppraisedAt), AnsweredBy: p.AnsweredBy, ArrivedBy: p.ArrivedBy, HandledBy: p.HandledBy,
		AppraisedBy: p.AppraisedBy, Speed: string(p.Speed), Quality: string(p.Quality), Misuse: p.Misuse,
		MisuseAt: at(p.MisuseAt), MisuseBy: p.MisuseBy,
	})
	if err != nil {
		return fmt.Errorf("update a unit of a whistle: %w", err)
	}
	return nil
}

// LoadWhistle reads a whistle with its units; lock takes its row for the rest
// of the transaction. It returns ErrNoRows when there is none.
func (t *Tx) LoadWhistle(ctx context.Context, id int64, lock bool) (*SealedWhistle, error) {
	get := t.GetWhistle
	if lock {
		get = t.LockWhistle
	}
	row, err := get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load whistle %d: %w", id, err)
	}
	list, err := WithUnits(ctx, t.Queries, []db.Whistle{row})
	if err != nil {
		return nil, err
	}
	return &list[0], nil
}

// WithUnits makes whistles of rows, in their order.
func WithUnits(ctx context.Context, q *db.Queries, rows []db.Whistle) ([]SealedWhistle, error) {
	list := make([]SealedWhistle, len(rows))
	ids := make([]int64, len(rows))
	index := make(map[int64]int, len(rows))
	for i, r := range rows {
		list[i], ids[i], index[r.ID] = whistleOf(r), r.ID, i
	}
	units, err := q.WhistleUnits(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load the units of whistles: %w", err)
	}
	for _, u := range units {
		w := &list[index[u.WhistleID]]
		w.Parts = append(w.Parts, ticket.Part{
			ID: u.ID, Lead: u.Lead, Desk: ticket.Desk{Kind: ticket.DeskKind(u.DeskKind), Code: u.Desk, Staff: u.DeskStaff},
			State: ticket.PartState(u.State), CalledAt: u.CalledAt, AnswerDue: u.AnswerDue, ArriveDue: u.ArriveDue,
			AnsweredAt: when(u.AnsweredAt), ArrivedAt: when(u.ArrivedAt), HandledAt: when(u.HandledAt), AppraisedAt: when(u.AppraisedAt),
			AnsweredBy: u.AnsweredBy, ArrivedBy: u.ArrivedBy, HandledBy: u.HandledBy, AppraisedBy: u.AppraisedBy,
			Speed: ticket.Grade(u.Speed), Quality: ticket.Grade(u.Quality), Misuse: u.Misuse, MisuseAt: when(u.MisuseAt), MisuseBy: u.MisuseBy,
		})
	}
	return list, nil
}

func whistleOf(r db.Whistle) SealedWhistle {
	s := SealedWhistle{Words: r.Words, Label: r.PlaceLabel, Whistle: ticket.Whistle{
		ID: r.ID, Kind: ticket.WhistleKind(r.Kind), Source: ticket.WhistleSource(r.Source), State: ticket.WhistleState(r.State),
		Place: ticket.PlaceRef{Division: r.Division, Grid: r.Grid}, Private: r.Private, Against: r.Against, AgainstStaff: r.AgainstStaff,
		Version: int(r.Version), Level: int(r.Level), Returns: int(r.Returns), Reason: r.Reason, Solved: ticket.Answer(r.Solved),
		ProposedBy: r.ProposedBy, BlownBy: r.BlownBy, AssignedBy: r.AssignedBy, ClosedBy: r.ClosedBy,
		ProposedAt: r.ProposedAt, BlownAt: when(r.BlownAt), AssignedAt: when(r.AssignedAt), HandledAt: when(r.HandledAt),
		ClosedAt: when(r.ClosedAt), RaisedAt: when(r.RaisedAt), ChangedAt: r.ChangedAt,
		BlowDue: when(r.BlowDue), AssignDue: when(r.AssignDue), Deadline: when(r.Deadline), AppraiseDue: when(r.AppraiseDue),
	}}
	if r.TicketID != nil {
		s.TicketID = *r.TicketID
	}
	return s
}
