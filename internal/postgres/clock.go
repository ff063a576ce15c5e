package postgres

import (
	"context"
	"fmt"
	"time"
)

// SyncClock reads the offset row and the database's time, and sets the
// product clock of this process so that clock.Now equals product_now() to
// within the round trip.
func (d *DB) SyncClock(ctx context.Context) error {
	before := d.clock.Wall()
	now, err := d.ProductNow(ctx)
	if err != nil {
		return fmt.Errorf("read the product clock: %w", err)
	}
	trip := d.clock.Wall().Sub(before)
	d.clock.SetOffset(now.Sub(before.Add(trip / 2)))
	return nil
}

// SetProductTime moves the product clock so that product_now() is at. Only
// the demo may do that.
func (d *DB) SetProductTime(ctx context.Context, at time.Time) error {
	err := d.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		now, err := tx.DatabaseNow(ctx)
		if err != nil {
			return err
		}
		return tx.SetClockShift(ctx, at.Sub(now).Seconds())
	})
	if err != nil {
		return fmt.Errorf("move the product clock: %w", err)
	}
	return d.SyncClock(ctx)
}

// ClockIsShifted reports whether the offset row is not zero: `serve` without
// --demo refuses such a database.
func (d *DB) ClockIsShifted(ctx context.Context) (bool, error) {
	s, err := d.ClockShift(ctx)
	return s != 0, err
}
