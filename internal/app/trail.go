package app

import (
	"context"
	"iter"

	"shaoying/internal/audit"
	"shaoying/internal/postgres/db"
)

// trailPage is how many rows of the trail are read at a time.
const trailPage = 2000

// VerifyTrail walks the whole chain and names the first row that is not as it
// was sealed.
func (h *House) VerifyTrail(ctx context.Context) (audit.Report, error) {
	report, err := audit.Verify(h.trail(ctx), audit.Head{})
	if err != nil {
		return report, err
	}
	report.Unsealed, err = h.DB.TrailTail(ctx)
	return report, err
}

func (h *House) trail(ctx context.Context) iter.Seq2[audit.Entry, error] {
	return func(yield func(audit.Entry, error) bool) {
		var after int64
		for {
			rows, err := h.DB.TrailChain(ctx, after, trailPage)
			if err != nil {
				yield(audit.Entry{}, err)
				return
			}
			for _, r := range rows {
				after = r.Position
				if !yield(entryOf(r), nil) {
					return
				}
			}
			if len(rows) < trailPage {
				return
			}
		}
	}
}

func entryOf(r db.TrailChainRow) audit.Entry {
	e := audit.Entry{Position: r.Position, RecordID: r.TrailID, Hash: r.Hash}
	if r.At == nil {
		return e // the chain names a row that is no longer there
	}
	e.Record = &audit.Record{
		ID: r.TrailID, At: *r.At, Actor: *r.Actor, Kind: *r.Kind, Subject: *r.Subject, Data: r.Data, Digest: r.Digest,
	}
	return e
}
