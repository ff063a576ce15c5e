package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// prepare does for a claimed batch all that comes before sending: late binding,
// window, pace, rendering, money. A row that comes back with a state has ended
// there; the others carry what is to be sent.
func (c *Channel) prepare(ctx context.Context, rows []db.ClaimOutboxRow) []outcome {
	caps := c.adapter.Caps()
	inOrder(rows, caps)
	ready := make([]outcome, 0, len(rows))
	verdicts := c.bind(ctx, rows)
	for i, row := range rows {
		ready = append(ready, c.ready(row, verdicts[i], follows(row, ready, caps)))
	}
	c.pay(ctx, ready)
	return together(ready, caps)
}

// verdict is what late binding says of a row: why it is stale, "" where it is
// not, or an error.
type verdict struct {
	why string
	err error
}

// errPanic is wrapped where a check panicked.
var errPanic = errors.New("panic")

// bind reads again why rows were written, all in one transaction. Where that
// fails, each is asked for by itself: an error in the database spoils the
// transaction for whatever comes after it.
func (c *Channel) bind(ctx context.Context, rows []db.ClaimOutboxRow) []verdict {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	verdicts := make([]verdict, len(rows))
	c.bindStopped(ctx, rows, verdicts)
	var ask []int
	for i, row := range rows {
		switch {
		case verdicts[i] != verdict{}:
		case row.Class == "push" && row.AddressState == "stopped":
			verdicts[i].why = "the person asked for no more messages"
		case row.Overtaken:
			verdicts[i].why = "a newer change of the same message waits"
		case c.g.Fresh[row.Reason] != nil || prompted(row) || row.DueID != 0:
			ask = append(ask, i)
		}
	}
	if len(ask) == 0 {
		return verdicts
	}
	if c.bindIn(ctx, rows, verdicts, ask) == nil {
		return verdicts
	}
	for _, i := range ask {
		verdicts[i].err = c.bindIn(ctx, rows, verdicts, []int{i})
	}
	return verdicts
}

// bindIn asks for some of the rows in one transaction, which ends at the first
// error.
func (c *Channel) bindIn(ctx context.Context, rows []db.ClaimOutboxRow, verdicts []verdict, ask []int) error {
	var prompts, tickets, dues []int64
	for _, i := range ask {
		if prompted(rows[i]) {
			prompts = append(prompts, rows[i].PromptID)
		}
		if rows[i].DueID != 0 {
			dues = append(dues, rows[i].DueID)
		}
		if id, ok := strings.CutPrefix(rows[i].Subject, "ticket:"); ok {
			if n, err := strconv.ParseInt(id, 10, 64); err == nil {
				tickets = append(tickets, n)
			}
		}
	}
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var open []int64
		var err error
		if len(prompts) > 0 {
			if open, err = tx.OpenPrompts(ctx, prompts); err != nil {
				return fmt.Errorf("look which answers are still expected: %w", err)
			}
		}
		if len(tickets) > 1 {
			if err := tx.Ahead(ctx, tickets); err != nil {
				return err
			}
		}
		from, err := duesOf(ctx, tx, dues)
		if err != nil {
			return err
		}
		for _, i := range ask {
			if prompted(rows[i]) && !slices.Contains(open, rows[i].PromptID) {
				verdicts[i].why = "the answer is no longer expected"
				continue
			}
			if verdicts[i].why, err = c.g.fresh(ctx, tx, rows[i], from[rows[i].DueID]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read again why it is sent: %w", err)
	}
	return nil
}

// prompted reports whether a row asks the question of a prompt.
func prompted(row db.ClaimOutboxRow) bool { return row.PromptID != 0 && row.QuestionTurn != 0 }

// duesOf reads the due rows from which messages came.
func duesOf(ctx context.Context, tx *postgres.Tx, ids []int64) (map[int64]Due, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := tx.DuesByID(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read what was due: %w", err)
	}
	dues := make(map[int64]Due, len(rows))
	for _, r := range rows {
		dues[r.ID] = dueOf(db.ClaimDueRow(r))
	}
	return dues, nil
}

// fresh says why a row is stale, "" where it is not: what was due is too late, or
// its kind or the check of its reason say so. due is zero where nothing was due, or
// its row is gone.
func (g *Gateway) fresh(ctx context.Context, tx *postgres.Tx, row db.ClaimOutboxRow, due Due) (why string, err error) {
	if due.NotAfter != nil && row.At.After(*due.NotAfter) {
		return tooLate(*due.NotAfter), nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	ok := true
	if still := g.kinds[due.Kind].Still; still != nil {
		ok, why, err = still(ctx, tx, due, row.At)
	}
	if check := g.Fresh[row.Reason]; check != nil && ok && err == nil {
		ok, why, err = check(ctx, tx, row.Subject, row.SubjectVersion)
	}
	if err != nil || ok {
		return "", err
	}
	return why, nil
}

// ready decides about one row, and renders it. One that follows another of its
// chat takes nothing of the pace: it goes with it, or after it.
func (c *Channel) ready(row db.ClaimOutboxRow, v verdict, follows bool) (o outcome) {
	o = outcome{row: row}
	defer func() {
		if p := recover(); p != nil {
			o = o.rejected(fmt.Errorf("%w: %v", errPanic, p))
		}
	}()
	caps := c.adapter.Caps()
	switch {
	case row.Abandoned && (caps.Paid || !again(row)): // what may have been sent is not sent again (R4)
		o.state, o.class, o.err = "unknown", bots.ClassUnknown.String(), "the process that sent it ended"
		if caps.Paid {
			o.paid.parts = 1 // the least that it cost; it was counted before
		}
		return o
	case errors.Is(v.err, errPanic):
		return o.rejected(v.err)
	case v.err != nil:
		return o.retry(bots.ClassTemporary, v.err, backoff(row.Tries))
	case v.why != "":
		o.state, o.err = "stale", v.why
		return o
	}
	if class, why := shut(c.g.cfg, caps, row); class != 0 {
		o.state, o.class, o.err = "failed", class.String(), why
		return o
	}
	if at, night := c.atNight(caps, row); night {
		o.state, o.err, o.morning = "stale", "put off: quiet hours", at
		return o
	}
	if !follows {
		if wait := c.pace.wait(bots.ChatID(row.Chat), row.InGroup); wait > 0 {
			o.state, o.wait, o.row.Tries = "queued", wait, row.Tries-1
			return o
		}
	}
	var err error
	if o.act, err = c.act(row.Lang); err != nil {
		return o.rejected(err)
	}
	caps.MaxText -= size(o.act, caps.TextUnit)
	messages, said, err := c.g.render(row, caps)
	if err != nil {
		return o.rejected(err)
	}
	o.messages = messages
	if row.Edits != 0 && row.Standing != "" {
		if _, ok := c.adapter.(bots.Editor); !ok || len(messages) != 1 {
			return c.instead(o, caps)
		}
		o.edit = true
		return o
	}
	if caps.PhotoOut > 0 {
		o.photo = said.Photo
	}
	if row.Edits == 0 {
		o.notice = bots.Message{Key: messageKey(row.ID, "n"), Template: templateOf(row, said)}
	}
	if windowShut(caps, row, len(messages)) {
		return c.noticed(o)
	}
	return o
}

// shut says why an address is not even tried: who left is not written to in
// vain, and who stopped gets nothing that was meant for another address. A group
// is no single reader.
func shut(cfg Config, caps bots.Caps, row db.ClaimOutboxRow) (bots.Class, string) {
	switch {
	case cfg.silentFor(caps, row):
		return bots.ClassClosed, "the number was silent for too long"
	case !row.InGroup && row.AddressState == "gone":
		return bots.ClassGone, "the address is gone"
	case row.AddressState == "stopped" && row.FallbackOf != nil:
		return bots.ClassClosed, "the person asked for no more messages here"
	}
	return 0, ""
}
