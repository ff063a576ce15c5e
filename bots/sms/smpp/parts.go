package smpp

import (
	"context"
	"time"

	"shaoying/bots"
)

// Parts keeps the pieces of long texts until all of them are there, so that
// each can be acknowledged when it came. It is durable: Put has committed when
// it returns. One channel account has one, and one process at a time uses it.
type Parts interface {
	// Put keeps a piece and returns its group. A number of the group that is
	// there already stays as it was.
	Put(ctx context.Context, p Part) (Group, error)
	// Group returns a group; one that is not there has no parts.
	Group(ctx context.Context, id string) (Group, error)
	// Taken notes that the whole text was handed over; late copies of its
	// pieces are known by that until the group is dropped.
	Taken(ctx context.Context, id string) error
	// Drop forgets a group.
	Drop(ctx context.Context, id string) error
	// Stale returns groups, some at a time, whose last piece is older than age.
	Stale(ctx context.Context, age time.Duration) ([]Group, error)
}

// Part is one piece. Body is what the user wrote and must be kept sealed.
type Part struct {
	Group         string
	Chat          bots.ChatID
	Number, Total int
	Body          []byte
}

// Group is the pieces of one text that are there.
type Group struct {
	ID   string
	Chat bots.ChatID
	// Started is when the first piece came, to the microsecond.
	Started time.Time
	Taken   bool
	Parts   []Part
}
