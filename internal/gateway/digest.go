package gateway

import (
	"cmp"
	"context"
	"slices"

	"shaoying/bots"
	"shaoying/internal/postgres/db"
)

// Digests. Where few messages are allowed and nobody answers them (Caps.Digest),
// what waits for one chat goes out together. The claimer takes the head of the
// chat as ever, when the pace lets a message go, and then what stands right
// behind it. Each of these rows is bound, rendered and marked for itself; only
// the call of the network is one. Rows gather while the pace makes them wait.
//
// Nothing is overtaken: a row that has to go alone (a picture, a long text), or
// does not fit any more, is given back with everything behind it. Killed between
// the call and the marks, all rows of the message are sent again by the next
// owner, as a single one would be (R3).

const (
	// maxJoined is how many rows one message takes beside its first.
	maxJoined = 50
	// between stands between what rows say in one message.
	between = "\n\n"
)

// join takes what stands right behind heads. Where that cannot be done they go
// alone.
func (s *sending) join(ctx context.Context, heads []db.ClaimOutboxRow) []db.ClaimOutboxRow {
	if !s.adapter.Caps().Digest || len(heads) == 0 {
		return heads
	}
	ids := make([]int64, len(heads))
	for i, row := range heads {
		ids[i] = row.ID
	}
	rows, err := s.g.DB.JoinOutbox(ctx, s.epoch, maxJoined, ids)
	if err != nil && ctx.Err() == nil {
		s.g.Log.Warn("join the outbox", "channel", string(s.id), "error", err)
	}
	for _, row := range rows {
		heads = append(heads, db.ClaimOutboxRow(row))
	}
	return heads
}

// inOrder sorts claimed rows into the order in which they are prepared: who goes
// first also has the money first; what may go together stays in the order of its
// chat.
func inOrder(rows []db.ClaimOutboxRow, caps bots.Caps) {
	slices.SortFunc(rows, func(a, b db.ClaimOutboxRow) int {
		if caps.Digest {
			return cmp.Compare(a.ID, b.ID)
		}
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID))
	})
}

// follows reports whether a row goes with, or has to wait for, one of the same
// chat that was prepared before it, so that the pace is not asked for it.
func follows(row db.ClaimOutboxRow, before []outcome, caps bots.Caps) bool {
	return caps.Digest && slices.ContainsFunc(before, func(o outcome) bool {
		return o.row.Chat == row.Chat && (o.state == "" || o.state == "queued")
	})
}

// together makes one send of the rows of each chat that may go together.
func together(list []outcome, caps bots.Caps) []outcome {
	if !caps.Digest {
		return list
	}
	var out []outcome
	first := map[string]int{} // of a chat in out; -1 once nothing more may go with it
	for _, o := range list {
		at, led := first[o.row.Chat]
		switch {
		case o.state != "" && o.state != "queued": // it ended
			out = append(out, o)
		case !led:
			first[o.row.Chat] = len(out)
			out = append(out, o)
		case at >= 0 && out[at].takes(o, caps):
			out[at].joined = append(out[at].joined, o)
		default:
			first[o.row.Chat] = -1
			out = append(out, o.giveBack())
		}
	}
	return out
}

// takes reports whether another row may go out in the message of this one.
func (o outcome) takes(other outcome, caps bots.Caps) bool {
	return o.plain() && other.plain() && size(o.words()+between+other.words()+o.act, caps.TextUnit) <= caps.MaxText
}

// plain: it is to be sent, and is one message of words.
func (o outcome) plain() bool {
	return o.state == "" && len(o.messages) == 1 && o.photo == "" && !o.edit && !o.shut && len(o.messages[0].Choices) == 0
}

// words are what goes out of this row and of those that joined it.
func (o outcome) words() string {
	text := o.messages[0].Text
	for _, j := range o.joined {
		text += between + j.messages[0].Text
	}
	return text
}

// giveBack leaves a row that was claimed for the next time.
func (o outcome) giveBack() outcome {
	if o.state == "" {
		o.state, o.messages, o.row.Tries = "queued", nil, o.row.Tries-1
	}
	return o
}

// transmitTogether makes one call for a row and those that joined it. What the
// network says holds for each of them.
func (c *Channel) transmitTogether(ctx context.Context, o outcome) outcome {
	m := o.messages[0]
	m.Text, m.Template = o.words(), bots.Template{}
	m.Text += o.act
	receipt, err := c.call(ctx, o, m, c.adapter.Send)
	end := func(o outcome) outcome {
		if err != nil {
			return c.failed(o, err)
		}
		o.state, o.went, o.receipt, o.text = "sent", true, receipt.ID, o.messages[0].Text
		return o
	}
	joined := o.joined
	o.joined = nil
	o = end(o)
	for _, j := range joined {
		o.joined = append(o.joined, end(j))
	}
	return o
}

// apart lists outcomes with those that joined them.
func apart(batch []outcome) []outcome {
	var all []outcome
	for _, o := range batch {
		joined := o.joined
		o.joined = nil
		all = append(append(all, o), joined...)
	}
	return all
}

// act is the line that ends what is said where nobody can answer, with the line
// break before it: where it is done. It is empty where people can answer.
func (c *Channel) act(lang string) (string, error) {
	if !c.adapter.Caps().SendOnly {
		return "", nil
	}
	key, params := "group.act", map[string]string(nil)
	if desk := c.g.cfg.Desk; desk != "" {
		key, params = "group.act_desk", map[string]string{"desk": desk}
	}
	line, err := c.g.Library.Text(key, lang, params)
	return "\n" + line, err
}
