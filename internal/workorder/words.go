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
	w := DeskWords{Supervisions: map[int64]string{}}
	var err error
	if w.Replies, w.Bases, err = s.deskWords(ctx, t, o); err != nil {
		return w, err
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
