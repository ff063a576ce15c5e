package workorder

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// WhistleMay reports whether the rules allow the actor the command as the
// whistle stands, and about which unit: their own, or, for an appraisal, the
// first that may be appraised.
func (s *Service) WhistleMay(w *Whistle, by ticket.Actor, c ticket.CommandName, now time.Time) (unit ticket.Desk, ok bool) {
	if c != ticket.WhistleAppraise {
		return by.Desk, slices.Contains(s.Whistles.Allowed(w.Whistle, by, by.Desk, now), c)
	}
	for _, p := range w.Parts {
		if slices.Contains(s.Whistles.Allowed(w.Whistle, by, p.Desk, now), c) {
			return p.Desk, true
		}
	}
	return ticket.Desk{}, false
}

// WhistleStep is what the member of the staff has to do next about a whistle,
// and by when; c is empty when that is nothing.
func (s *Service) WhistleStep(staff people.Staff, w *Whistle, now time.Time) (c ticket.CommandName, due time.Time) {
	for _, c := range []ticket.CommandName{
		ticket.WhistleBlow, ticket.WhistleAssign, ticket.WhistleAnswer, ticket.WhistleArrive, ticket.WhistleHandle,
		ticket.WhistleAppraise, ticket.WhistleClose,
	} {
		if c == ticket.WhistleAssign && w.State != ticket.WhistleBlown {
			continue // more units may be called, nobody has to
		}
		by, ok := s.WhistleActor(staff, w, c, now)
		if !ok {
			continue
		}
		if unit, ok := s.WhistleMay(w, by, c, now); ok {
			return c, w.Due(c, unit)
		}
	}
	return "", w.Due("", ticket.Desk{})
}

// Evidence is what a unit showed of its part in a whistle: where somebody stood
// who arrived, photos of that and of the work as ids of blobs, and its words.
type Evidence struct {
	At              *Position
	Arrival, Photos []string
	Report          string
}

// WhistleEvidence opens it, by the id of the unit's part.
func (s *Service) WhistleEvidence(ctx context.Context, t *gateway.Turn, w *Whistle) (map[int64]Evidence, error) {
	rows, err := t.WhistleUnits(ctx, []int64{w.ID})
	if err != nil {
		return nil, fmt.Errorf("load the units of a whistle: %w", err)
	}
	all := map[int64]Evidence{}
	for _, r := range rows {
		var e Evidence
		if e.Report, err = s.unseal(sealWhistleReport, r.Report); err != nil {
			return nil, err
		}
		at, err := s.unseal(sealWhistlePosition, r.Position)
		if err != nil {
			return nil, err
		}
		if at != "" {
			e.At = &Position{}
			if err := json.Unmarshal([]byte(at), e.At); err != nil {
				return nil, fmt.Errorf("read a position: %w", err)
			}
		}
		all[r.ID] = e
	}
	files, err := t.WhistleFiles(ctx, w.ID)
	if err != nil {
		return nil, fmt.Errorf("list the files of a whistle: %w", err)
	}
	for _, f := range files {
		e := all[f.UnitID]
		if f.Use == "arrival" {
			e.Arrival = append(e.Arrival, f.BlobID)
		} else {
			e.Photos = append(e.Photos, f.BlobID)
		}
		all[f.UnitID] = e
	}
	return all, nil
}
