package workorder

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
)

// DeskWords are what desks said about a ticket, by the id of their assignment
// or supervision.
type DeskWords struct {
	Replies, Bases map[int64]string
	Supervisions   map[int64]string
}

// DeskWords opens the replies of co-handlers, the bases of objections and the
// answers to supervisions.
func (s *Service) DeskWords(ctx context.Context, t *gateway.Turn, o *Order) (DeskWords, error) {
	w := DeskWords{Replies: map[int64]string{}, Bases: map[int64]string{}, Supervisions: map[int64]string{}}
	rows, err := t.AssignmentsOf(ctx, []int64{o.ID})
	if err != nil {
		return w, fmt.Errorf("read the words of desks: %w", err)
	}
	for _, r := range rows {
		if w.Replies[r.ID], err = s.unseal(SealCoReply, r.Reply); err != nil {
			return w, err
		}
		if w.Bases[r.ID], err = s.unseal(SealBasis, r.Basis); err != nil {
			return w, err
		}
	}
	if len(o.Supervisions) == 0 {
		return w, nil
	}
	list, err := t.SupervisionsOf(ctx, []int64{o.ID})
	if err != nil {
		return w, fmt.Errorf("read the answers to supervisions: %w", err)
	}
	for _, r := range list {
		if w.Supervisions[r.ID], err = s.unseal(SealSupervision, r.Words); err != nil {
			return w, err
		}
	}
	return w, nil
}

// Internal opens what the desk told the staff.
func (s *Service) Internal(o *Order) (string, error) { return s.unseal(sealInternal, o.InternalReply) }

// NoteWords opens the words of a note.
func (s *Service) NoteWords(sealed []byte) (string, error) { return s.unseal(sealNote, sealed) }
