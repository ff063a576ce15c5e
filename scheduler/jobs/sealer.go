package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"shaoying/internal/audit"
	"shaoying/internal/postgres"
)

const (
	// sealEvery is how long a committed row of the trail waits to be chained.
	sealEvery = time.Second
	// sealChunk is how many rows one transaction chains.
	sealChunk = 500
)

// Sealer chains the trail. Any number of processes may run one: a lock lets one
// at a time work, the others come again a second later.
type Sealer struct {
	db  *postgres.DB
	log *slog.Logger
}

// NewSealer makes the sealer of a database.
func NewSealer(d *postgres.DB, log *slog.Logger) *Sealer { return &Sealer{d, log} }

// Run works until ctx ends.
func (s *Sealer) Run(ctx context.Context) error {
	tick := time.NewTicker(sealEvery)
	defer tick.Stop()
	for {
		n, err := s.Once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.log.Error("seal the trail", "error", err)
		}
		if n == sealChunk && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Once chains what is committed and not chained yet, at most sealChunk rows,
// and returns how many it were.
func (s *Sealer) Once(ctx context.Context) (n int, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		n, err = seal(ctx, tx)
		return err
	})
	return n, err
}

func seal(ctx context.Context, tx *postgres.Tx) (int, error) {
	held, err := tx.TryTrailLock(ctx)
	if err != nil || !held {
		return 0, err
	}
	rows, err := tx.UnsealedTrail(ctx, sealChunk)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	head, err := tx.TrailHead(ctx)
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return 0, fmt.Errorf("read the head of the chain: %w", err)
	}
	positions, ids, hashes := []int64{}, []int64{}, [][]byte{}
	hash := head.Hash
	for i, r := range rows {
		hash, err = audit.Link(hash, audit.Record{
			ID: r.ID, At: r.At, Actor: r.Actor, Kind: r.Kind, Subject: r.Subject, Data: r.Data, Digest: r.Digest,
		})
		if err != nil {
			return 0, err
		}
		positions, ids, hashes = append(positions, head.Position+int64(i)+1), append(ids, r.ID), append(hashes, hash)
	}
	if err := tx.LinkTrail(ctx, positions, ids, hashes); err != nil {
		return 0, fmt.Errorf("store %d links: %w", len(rows), err)
	}
	return len(rows), nil
}
