package gateway

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"shaoying/bots"
	"shaoying/configs"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// A message that costs money and whose outcome is unknown is never sent again
// (R4), but for kinds that may once (Kind.Again). It waits for a report. Meanwhile due rows come: each has the owner of the
// channel ask the network, the last one gives the message up. The question itself
// is put by the owner, outside of any transaction (bots.Settler is called as Send
// is), and its answer is stored as a report like any other.

// ReportPolicy is configs/policies/reports.yaml, which says where each value
// comes from.
type ReportPolicy struct {
	// Ask is when a network is asked about an unknown outcome, counted from the
	// send; GiveUp when people take over.
	Ask    []time.Duration `yaml:"ask"`
	GiveUp time.Duration   `yaml:"give_up"`
	// Again is when what a kind with Again said is sent once more.
	Again time.Duration `yaml:"again"`
	// UnknownDays is how far back a report that names no message of ours may be
	// about the only unknown outcome of its chat.
	UnknownDays int `yaml:"unknown_days"`
	// ParkedDays is how long reports are kept whose message was not found.
	ParkedDays int    `yaml:"parked_days"`
	Source     string `yaml:"source"`
}

// ParseReportPolicy decodes configs/policies/reports.yaml strictly.
func ParseReportPolicy(name string, body []byte) (ReportPolicy, error) {
	var p ReportPolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return ReportPolicy{}, err
	}
	last := time.Duration(0)
	for _, at := range append(p.Ask, p.GiveUp) {
		if at <= last {
			return ReportPolicy{}, fmt.Errorf("%s: ask and give_up must grow, and be above 0", name)
		}
		last = at
	}
	if p.Again <= 0 || p.Again >= p.GiveUp {
		return ReportPolicy{}, fmt.Errorf("%s: again must be above 0 and below give_up", name)
	}
	if p.UnknownDays < 1 || p.ParkedDays < p.UnknownDays || p.Source == "" {
		return ReportPolicy{}, fmt.Errorf("%s: unknown_days must be at least 1, parked_days not less, and source must say where the values come from", name)
	}
	return p, nil
}

// KindSettle is the due kind that watches over unknown outcomes of paid
// channels: subject "outbox:ID".
const KindSettle = "send.settle"

// settleDue is the data of such a row.
type settleDue struct {
	Last  bool `json:"last,omitempty"`
	Again bool `json:"again,omitempty"`
}

func outboxSubject(id int64) string { return postgres.Subject("outbox", id) }

// settling plans what is done about an unknown outcome.
func (g *Gateway) settling(o outcome) (plans []Plan) {
	for i, after := range append(g.Reports.Ask[:len(g.Reports.Ask):len(g.Reports.Ask)], g.Reports.GiveUp) {
		plans = append(plans, Plan{
			Kind: KindSettle, Subject: outboxSubject(o.row.ID), Key: strconv.Itoa(i), At: o.row.At.Add(after),
			Data: settleDue{Last: i == len(g.Reports.Ask)},
		})
	}
	if g.kinds[o.row.Reason].Again && o.row.FallbackOf == nil {
		plans = append(plans, Plan{
			Kind: KindSettle, Subject: outboxSubject(o.row.ID), Key: "again", At: o.row.At.Add(g.Reports.Again), Data: settleDue{Again: true},
		})
	}
	return plans
}

// SettleKind is the due kind that the sender brings.
func SettleKind() Kind {
	return Kind{Name: KindSettle, Workers: 2, Run: func(ctx context.Context, t *Turn, due Due) (Outcome, error) {
		id, err := due.SubjectID("outbox")
		if err != nil {
			return Outcome{}, err
		}
		var d settleDue
		if err := unpack(due, &d); err != nil {
			return Outcome{}, err
		}
		switch {
		case d.Last:
			return t.giveUp(ctx, id)
		case d.Again:
			return t.sendAgain(ctx, id)
		}
		return t.haveAsked(ctx, id)
	}}
}

// haveAsked leaves a note for the owner of the channel.
func (t *Turn) haveAsked(ctx context.Context, id int64) (Outcome, error) {
	rows, err := t.EndedOutbox(ctx, []int64{id})
	if err != nil {
		return Outcome{}, fmt.Errorf("load an unknown outcome: %w", err)
	}
	if len(rows) == 0 || rows[0].State != "unknown" {
		return Dropped("the outcome is known"), nil
	}
	channel := bots.ChannelID(rows[0].Channel)
	if _, ok := t.g.Channels[channel].(bots.Settler); !ok {
		return Dropped("the network cannot be asked"), nil
	}
	if err := t.AskOutbox(ctx, id); err != nil {
		return Outcome{}, fmt.Errorf("have a network asked: %w", err)
	}
	t.Wake(topicSettle(channel))
	return Done, nil
}

// sendAgain queues what is still unknown once more at the same address, where its
// kind wants that. Why it was written is read again before it goes. The first copy
// is given up: a report of it is kept, and nothing follows from it.
func (t *Turn) sendAgain(ctx context.Context, id int64) (Outcome, error) {
	rows, err := t.EndedOutbox(ctx, []int64{id})
	if err != nil {
		return Outcome{}, fmt.Errorf("load an unknown outcome: %w", err)
	}
	if len(rows) == 0 || rows[0].State != "unknown" || rows[0].Handed {
		return Dropped("the outcome is known"), nil
	}
	row := rows[0]
	from, err := duesOf(ctx, t.Tx, []int64{row.DueID})
	if err != nil {
		return Outcome{}, err
	}
	due := from[row.DueID]
	if _, late := due.late(t.Now); late || !t.g.kinds[due.Kind].Again {
		return Dropped("it is not sent twice"), nil
	}
	if _, err := t.PassOn(ctx, row.Params, id, row.ConversationID); err != nil {
		return Outcome{}, fmt.Errorf("queue a message once more: %w", err)
	}
	if err := t.HandOutbox(ctx, id); err != nil {
		return Outcome{}, fmt.Errorf("note that a message was given up: %w", err)
	}
	t.Wake(topicOutbox(bots.ChannelID(row.Channel)))
	return Done, nil
}

// giveUp ends the wait for an outcome: it stays unknown, and the next address or
// people have the message. It holds the row, so that a report comes before or
// after, and it is handed on once.
func (t *Turn) giveUp(ctx context.Context, id int64) (Outcome, error) {
	rows, err := t.EndedOutbox(ctx, []int64{id})
	if err != nil {
		return Outcome{}, fmt.Errorf("load an unknown outcome: %w", err)
	}
	if len(rows) == 0 || rows[0].State != "unknown" || rows[0].Handed {
		return Dropped("the outcome is known"), nil
	}
	row := db.ClaimOutboxRow(rows[0])
	var after aftermath
	if err := t.g.ended(ctx, t.Tx, outcome{row: row, state: "unknown", class: bots.ClassUnknown.String()}, &after); err != nil {
		return Outcome{}, err
	}
	if err := t.HandOutbox(ctx, id); err != nil {
		return Outcome{}, fmt.Errorf("note that a message was given up: %w", err)
	}
	t.Wake(topicDue)
	for _, to := range after.passed {
		t.g.Metrics.passedOn(bots.ChannelID(row.Channel), to)
		t.Wake(topicOutbox(to))
	}
	return Done, nil
}

// settle asks the network about what it was told to ask, until ctx ends. What
// hangs holds up nothing else.
func (s *sending) settle(ctx context.Context) {
	network, ok := s.adapter.(bots.Settler)
	if !ok {
		return
	}
	wake, stop := s.g.Bus.Subscribe(topicSettle(s.id))
	defer stop()
	tick := time.NewTicker(sendPoll)
	defer tick.Stop()
	for ctx.Err() == nil {
		n, err := s.ask(ctx, network)
		if err != nil && ctx.Err() == nil {
			s.g.Log.Warn("settle unknown outcomes", "channel", string(s.id), "error", err)
		}
		if err == nil && n > 0 {
			continue
		}
		select {
		case <-ctx.Done():
		case <-wake:
		case <-tick.C:
		}
	}
}

// ask asks about some outcomes, one after the other, and returns how many it
// asked about.
func (c *Channel) ask(ctx context.Context, network bots.Settler) (int, error) {
	rows, err := c.g.DB.AskedOutbox(ctx, string(c.id), handChunk)
	if err != nil {
		return 0, fmt.Errorf("look what is to be settled: %w", err)
	}
	for _, row := range rows {
		to := bots.Address{Channel: c.id, Chat: bots.ChatID(row.Chat)}
		key := messageKey(row.ID, "0")
		call, cancel := context.WithTimeout(ctx, c.g.cfg.SendTimeout)
		report, err := network.Settle(call, to, key, bots.Receipt{ID: row.Receipt}, row.SentAt)
		cancel()
		if ctx.Err() != nil {
			return 0, nil // the next owner asks
		}
		if err == nil {
			report.Key = key
			err = c.g.keepReports(ctx, []bots.Event{{
				Key: "settle/" + key + "/" + string(report.State), Channel: c.id, Chat: to.Chat, Kind: bots.KindReport, Report: &report,
			}})
			if err != nil {
				return 0, err
			}
		} else if !errors.Is(err, bots.ErrNoReport) {
			c.g.Log.Warn("ask a network what became of a message", "channel", string(c.id), "row", row.ID, "error", errorCode(err))
		}
		if err := c.g.DB.EndAsking(ctx, row.ID); err != nil {
			return 0, fmt.Errorf("note that a network was asked: %w", err)
		}
	}
	return len(rows), nil
}
