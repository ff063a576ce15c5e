package gateway

import (
	"context"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Some networks let us write only for a while after the last word of their user
// (Caps.Window), and only so many messages (Caps.WindowQuota). What they counted
// since then (Receipt.Took) stands in the address, and every word of its user sets it to zero. When
// that is used up, or the network says so itself (ClassClosed), the notice goes that
// it approved for this text, once for the whole row; where there is none, or it is
// not taken either, the next address of the reader has the text: a template that
// was deleted, or a value too long for its field, says nothing against the words.

// windowShut reports whether so many messages cannot go to an address now. In a
// group others write, and a change of a message is no message.
func windowShut(caps bots.Caps, row db.ClaimOutboxRow, messages int) bool {
	switch {
	case row.InGroup || row.Edits != 0:
		return false
	case caps.Window > 0 && (row.LastInboundAt == nil || row.At.Sub(*row.LastInboundAt) > caps.Window):
		return true
	}
	return caps.WindowQuota > 0 && int(row.WindowUsed)+messages > caps.WindowQuota
}

// noticed makes the notice what is sent, where the network has one.
func (c *Channel) noticed(o outcome) outcome {
	if !c.hasNotice(o.notice.Template) {
		o.state, o.class, o.err = "failed", bots.ClassClosed.String(), "the push window is shut"
		return o
	}
	o.shut = true
	return o
}

// hasNotice reports whether the network has approved a notice for a text.
func (c *Channel) hasNotice(t bots.Template) bool {
	noticer, ok := c.adapter.(bots.Noticer)
	return ok && noticer.HasNotice(t)
}

// sendNotice sends the notice of a row. Its words are kept as what was said: the
// notice holds their values.
func (c *Channel) sendNotice(ctx context.Context, o outcome) outcome {
	receipt, err := c.call(ctx, o, o.notice, c.adapter.(bots.Noticer).Notice)
	if bots.ClassOf(err) == bots.ClassRejected {
		err = &bots.Error{Class: bots.ClassClosed, Err: err}
	}
	if err != nil {
		return c.failed(o, err)
	}
	o.state, o.went, o.receipt = "sent", true, receipt.ID
	for _, m := range o.messages {
		o.text += m.Text
	}
	return o
}

// useWindow notes what the network counted for addresses, where it does.
func (c *Channel) useWindow(ctx context.Context, tx *postgres.Tx, batch []outcome) error {
	if c.adapter.Caps().WindowQuota == 0 {
		return nil
	}
	var addresses []int64
	var counts []int32
	for _, o := range batch {
		if o.taken > 0 && !o.row.InGroup {
			addresses, counts = append(addresses, o.row.AddressID), append(counts, o.taken)
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	if err := tx.WindowUsed(ctx, addresses, counts); err != nil {
		return fmt.Errorf("count what went in a push window: %w", err)
	}
	return nil
}
