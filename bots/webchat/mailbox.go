package webchat

import (
	"context"
	"errors"
	"time"

	"shaoying/bots"
)

// ErrNoPhoto is what Mailbox.Photo returns for an item that does not exist in
// that chat, or carries no photo.
var ErrNoPhoto = errors.New("no such photo in this chat")

// Item is one message in a mailbox.
type Item struct {
	// Seq numbers the items of a chat from 1. The mailbox gives it.
	Seq     int64         `json:"id"`
	Text    string        `json:"text"`
	Choices []bots.Choice `json:"choices,omitempty"`
	// At is product time of the delivery.
	At time.Time `json:"at"`
	// HasPhoto says that Mailbox.Photo has a JPEG for this item.
	HasPhoto bool `json:"has_photo,omitempty"`
	// Photo holds the JPEG on its way into Deliver; After leaves it empty.
	Photo []byte `json:"-"`
}

// Mailbox keeps what was sent to a page until the page fetched it, and after.
// It belongs to one channel account. It is safe for use by many goroutines.
type Mailbox interface {
	// Deliver appends item and returns its number. Delivering the same key to
	// the same chat again changes nothing and returns the same number.
	// Numbers of one chat grow, and an item is never seen before one with a
	// smaller number.
	Deliver(ctx context.Context, chat bots.ChatID, key string, item Item) (seq int64, err error)
	// After returns at most limit items whose number is above seq, in order.
	After(ctx context.Context, chat bots.ChatID, seq int64, limit int) ([]Item, error)
	// Photo returns the JPEG of item seq of chat, or ErrNoPhoto.
	Photo(ctx context.Context, chat bots.ChatID, seq int64) ([]byte, error)
	// Watch returns a channel that gets a value after a delivery to chat by
	// any process. Wakes may be merged, late or spurious, never lost. stop
	// ends the watch.
	Watch(chat bots.ChatID) (wake <-chan struct{}, stop func())
}
