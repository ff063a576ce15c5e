package gateway

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// What became of a message is told by its network, later, in any order, more
// than once, and also before the answer to the send. A report is no turn: Sink
// stores it and that is acknowledged. The owner of the channel writes it into
// the row that it is about, behind the marks of sends, so that nothing happens to
// one row in two places. A report whose row has not ended yet waits until it has
// (a mark in its chat has it looked at again); one whose row is never found is
// thrown away by the retention job.
//
//	row       buffered   delivered   failed
//	sending   waits      waits       waits
//	unknown   sent       sent        failed, handed on
//	sent      sent       sent        failed, handed on
//	failed    failed     failed      failed
//
// Delivered and failed are final. Handing on is a step of its own: the row says
// that it has to be done until it is.

// reportChunk is how many reports one transaction writes.
const reportChunk = 500

// handChunk is how many failed messages are handed on between two looks at what
// was sent.
const handChunk = 32

// splitReports parts what networks say of our messages from what users say.
func splitReports(events []bots.Event) (reports, rest []bots.Event) {
	if !slices.ContainsFunc(events, func(ev bots.Event) bool { return ev.Kind == bots.KindReport }) {
		return nil, events
	}
	for _, ev := range events {
		if ev.Kind == bots.KindReport {
			reports = append(reports, ev)
		} else {
			rest = append(rest, ev)
		}
	}
	return reports, rest
}

// errAway stands for the try that is left out while the database is known to be
// away.
var errAway = fmt.Errorf("the database is away: %w", context.DeadlineExceeded)

// takeReports stores reports, on the disk while the database is away. They need
// no order.
func (g *Gateway) takeReports(ctx context.Context, reports []bots.Event) error {
	if len(reports) == 0 {
		return nil
	}
	err := errAway
	if !g.outage.away.Load() {
		if err = g.keepReports(ctx, reports); err == nil || ctx.Err() != nil {
			return err
		}
	}
	for _, ev := range reports {
		if err := g.spoolAfter(ev, err); err != nil {
			return err
		}
	}
	return nil
}

// keepReports stores reports in the database; the same one twice is stored once.
func (g *Gateway) keepReports(ctx context.Context, reports []bots.Event) error {
	var p db.KeepReportsParams
	channels := map[bots.ChannelID]bool{}
	for _, ev := range reports {
		channels[ev.Channel] = true
		p.Channels, p.EventKeys = append(p.Channels, string(ev.Channel)), append(p.EventKeys, ev.Key)
		p.Chats, p.Receipts = append(p.Chats, string(ev.Chat)), append(p.Receipts, ev.Report.ID)
		p.Outboxes, p.States = append(p.Outboxes, rowOfKey(ev.Report.Key)), append(p.States, string(ev.Report.State))
		p.Codes = append(p.Codes, errorCode(fmt.Errorf("%s", ev.Report.Code)))
	}
	ctx, cancel := context.WithTimeout(ctx, g.cfg.TurnTimeout)
	defer cancel()
	if err := g.DB.KeepReports(ctx, p); err != nil {
		return fmt.Errorf("store reports: %w", err)
	}
	for _, ev := range reports {
		g.Metrics.reported(ev.Channel, ev.Report.State)
	}
	for id := range channels {
		g.Bus.Wake(topicReports(id))
	}
	return nil
}

// messageKey is what networks are told to call a message: the outbox row and the
// number of the message in it.
func messageKey(row int64, n string) string { return strconv.FormatInt(row, 10) + "/" + n }

// rowOfKey is the outbox row of a key, 0 for what is none of ours.
func rowOfKey(key string) int64 {
	row, _, _ := strings.Cut(key, "/")
	id, err := strconv.ParseInt(row, 10, 64)
	if err != nil || id < 0 {
		return 0
	}
	return id
}

// report writes all reports that are there and does what follows from them.
// What fails is tried again at the next look.
func (c *Channel) report(ctx context.Context) {
	for {
		n, err := c.applyReports(ctx)
		if err != nil {
			c.g.Log.Error("write reports", "channel", string(c.id), "error", err)
			break
		}
		if n < reportChunk {
			break
		}
	}
	if err := c.handOn(ctx); err != nil {
		c.g.Log.Error("hand on what was reported as failed", "channel", string(c.id), "error", err)
	}
}

// applyReports writes one chunk and returns how many reports it was.
func (c *Channel) applyReports(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	err = c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		fresh, err := tx.FreshReports(ctx, int32(c.g.Reports.UnknownDays), string(c.id), reportChunk)
		if n = len(fresh); err != nil || n == 0 {
			return err
		}
		p, ended, parked := merge(fresh)
		if len(p.Ids) > 0 {
			if err := c.apply(ctx, tx, p); err != nil {
				return err
			}
			if err := tx.EndReports(ctx, ended); err != nil {
				return err
			}
		}
		if len(parked) == 0 {
			return nil
		}
		return tx.ParkReports(ctx, parked)
	})
	return n, err
}

// merge makes one report for each row of many: the first that is final, else
// buffered.
func merge(fresh []db.FreshReportsRow) (p db.ApplyReportsParams, ended, parked []int64) {
	p.FailedClass = bots.ClassTemporary.String()
	at := map[int64]int{}
	for _, r := range fresh {
		if r.OutboxID == 0 {
			parked = append(parked, r.ID)
			continue
		}
		ended = append(ended, r.ID)
		i, seen := at[r.OutboxID]
		switch {
		case !seen:
			at[r.OutboxID] = len(p.Ids)
			p.Ids, p.Receipts, p.States = append(p.Ids, r.OutboxID), append(p.Receipts, r.Receipt), append(p.States, r.State)
			p.Codes, p.Ats = append(p.Codes, r.Code), append(p.Ats, r.At)
		case p.States[i] == string(bots.ReportBuffered):
			p.Receipts[i], p.States[i], p.Codes[i], p.Ats[i] = r.Receipt, r.State, r.Code, r.At
		}
	}
	return p, ended, parked
}

// apply writes reports into their rows. What an unknown outcome turns out to
// have said is kept, and nobody asks about it any more.
func (c *Channel) apply(ctx context.Context, tx *postgres.Tx, p db.ApplyReportsParams) error {
	rows, err := tx.ApplyReports(ctx, p)
	if err != nil {
		return err
	}
	var known []int64
	for _, r := range rows {
		if r.Was != "unknown" {
			continue
		}
		if _, err := tx.ClearDue(ctx, "reported", outboxSubject(r.ID), []string{KindSettle}); err != nil {
			return err
		}
		if r.State == "sent" {
			known = append(known, r.ID)
		}
	}
	if len(known) == 0 {
		return nil
	}
	ended, err := tx.EndedOutbox(ctx, known)
	if err != nil {
		return err
	}
	var said kept
	for _, row := range ended {
		text, err := c.g.saidIn(db.ClaimOutboxRow(row), c.adapter.Caps())
		if err != nil { // the outcome is known all the same
			c.g.Log.Error("render what was sent", "row", row.ID, "error", err)
			continue
		}
		said.add(c.g, db.ClaimOutboxRow(row), text)
	}
	var after aftermath
	return after.write(ctx, tx, c.g, said)
}

// saidIn is the whole text of a row.
func (g *Gateway) saidIn(row db.ClaimOutboxRow, caps bots.Caps) (text string, err error) {
	messages, _, err := g.render(row, caps)
	for _, m := range messages {
		text += m.Text
	}
	return text, err
}

// handOn gives messages that the network reported as failed to the next address
// of their reader, or to people: each in a transaction of its own, so that one
// that cannot be handed on holds up no other.
func (c *Channel) handOn(ctx context.Context) error {
	ids, err := c.g.DB.Unhanded(ctx, string(c.id), handChunk)
	if err != nil {
		return fmt.Errorf("look what was reported as failed: %w", err)
	}
	for _, id := range ids {
		if err := c.hand(ctx, id); err != nil {
			c.g.Log.Error("hand on a message", "channel", string(c.id), "row", id, "error", err)
		}
	}
	return nil
}

func (c *Channel) hand(ctx context.Context, id int64) error {
	ctx, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
	defer cancel()
	var after aftermath
	err := c.g.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		after = aftermath{}
		rows, err := tx.EndedOutbox(ctx, []int64{id})
		if err != nil || len(rows) == 0 || rows[0].Handed {
			return err
		}
		row := rows[0]
		o := outcome{row: db.ClaimOutboxRow(row), state: "failed", class: bots.ClassTemporary.String(), err: row.Error}
		if err := c.g.ended(ctx, tx, o, &after); err != nil {
			return err
		}
		if err := tx.HandOutbox(ctx, id); err != nil {
			return err
		}
		return after.write(ctx, tx, c.g, kept{})
	})
	if err != nil {
		return err
	}
	after.wake(c.g, c.id)
	return nil
}
