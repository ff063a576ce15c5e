// Package clock is the only place of the program that asks the machine for the
// time. A test over the whole tree (internal/archtest) holds that.
//
// # Two clocks
//
// Product time is what people see and what things come due by: the database's
// now() plus the one row of table clock_offset. It is zero away from real time
// except under serve --demo, whose button moves it. SQL reads it as
// product_now(), Go as [Clock.Now].
//
// Wall time is never moved. Leases, tokens, rate limits, metrics and network
// deadlines use it: bare now() in SQL, [Clock.Wall] and [Clock.Since] in Go.
//
// # Who owns what
//
// internal/postgres owns the offset row. It measures how far product_now() is
// from this machine's clock when it opens the database, and again whenever a
// process moved the row, and hands the sum to [Clock.SetOffset]; so two hosts
// whose clocks disagree still show the same product time. This package keeps
// only that number. Pure packages take the time as an argument and never see a
// Clock. A decision that a transaction depends on uses product_now() of that
// transaction, not Clock.Now.
//
// # Failure
//
// There is none: while the database is away the last offset stays in force.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells product time and wall time. It is safe for use by many
// goroutines. The zero value is a clock with offset 0.
type Clock struct {
	offset atomic.Int64 // nanoseconds from wall time to product time
}

// New returns a clock whose product time is wall time until SetOffset.
func New() *Clock { return &Clock{} }

// Now returns product time in UTC, cut to microseconds because PostgreSQL
// keeps no more: a value that went through the database compares equal.
func (c *Clock) Now() time.Time {
	return c.Wall().Add(c.Offset()).Round(0).Truncate(time.Microsecond)
}

// Wall returns the machine's own time in UTC, with its monotonic reading, for
// leases, rates and metrics.
func (c *Clock) Wall() time.Time { return time.Now().UTC() }

// Since returns how long ago start was, where start came from Wall. It is
// measured on the monotonic clock, so a machine whose clock is set meanwhile
// changes nothing.
func (c *Clock) Since(start time.Time) time.Duration { return time.Since(start) }

// Offset returns how far product time is ahead of wall time.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// SetOffset moves product time to wall time plus d. Only internal/postgres
// calls it, with what the database said.
func (c *Clock) SetOffset(d time.Duration) { c.offset.Store(int64(d)) }
