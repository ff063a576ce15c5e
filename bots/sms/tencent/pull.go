package tencent

import (
	"context"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

const (
	// most is how many are pulled at once.
	most = 100
	// grace is what is left, when Run is to end, for what has already been
	// pulled: it exists nowhere else. Run ends within a second (bots.Adapter).
	grace = 500 * time.Millisecond
	// longest is the longest pause between tries of the sink.
	longest = 5 * time.Second
)

// pulledReply and pulledReport are what is pulled.
type (
	pulledReply struct {
		ExtendCode, PhoneNumber, ReplyContent string
		ReplyTime                             int64
	}
	pulledReport struct {
		PhoneNumber, SerialNo, ReportStatus, Description, SessionContext string
	}
)

// Run asks for what was not pushed, where the account says so, until ctx ends.
func (c *Channel) Run(ctx context.Context, sink bots.Sink) error {
	if c.cfg.Pull == 0 {
		return c.Line.Run(ctx, sink)
	}
	defer c.Close()
	tick := time.NewTicker(c.cfg.Pull)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, pull := range []func(context.Context) ([]bots.Event, bool, error){c.pullReplies, c.pullReports} {
			if err := c.drain(ctx, sink, pull); err != nil && ctx.Err() == nil {
				c.Log.Warn("what was not pushed could not be pulled", "error", err)
			}
		}
	}
}

// drain pulls until nothing is left.
func (c *Channel) drain(ctx context.Context, sink bots.Sink, pull func(context.Context) ([]bots.Event, bool, error)) error {
	// Whoever cuts a pull off may lose what Tencent has already given away.
	outlasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		end := time.NewTimer(grace)
		defer end.Stop()
		select {
		case <-end.C:
			cancel()
		case <-outlasting.Done():
		}
	})
	defer stop()
	for more := true; more && ctx.Err() == nil; {
		events, full, err := pull(outlasting)
		if err != nil {
			return err
		}
		c.keep(outlasting, sink, events)
		more = full
	}
	return nil
}

// keep hands over what was pulled, again and again until it is taken.
func (c *Channel) keep(ctx context.Context, sink bots.Sink, events []bots.Event) {
	for failures := 1; ; failures++ {
		err := c.Lanes.Deliver(ctx, sink, events)
		if err == nil {
			return
		}
		c.Log.Warn("what was pulled is not taken yet", "events", len(events), "error", err)
		if !wire.Rest(ctx, failures, longest) {
			c.Log.Error("what was pulled is lost: the program ended before it could be kept", "events", len(events))
			return
		}
	}
}

func (c *Channel) pullReplies(ctx context.Context) ([]bots.Event, bool, error) {
	var answer struct{ PullSmsReplyStatusSet []pulledReply }
	if err := c.ask(ctx, "PullSmsReplyStatus", map[string]any{"Limit": most, "SmsSdkAppId": c.cfg.SDKAppID}, &answer); err != nil {
		return nil, false, err
	}
	var events []bots.Event
	for _, p := range answer.PullSmsReplyStatusSet {
		events = c.add(events, "", p.PhoneNumber, p.ExtendCode, p.ReplyContent, p.ReplyTime)
	}
	return events, len(answer.PullSmsReplyStatusSet) == most, nil
}

func (c *Channel) pullReports(ctx context.Context) ([]bots.Event, bool, error) {
	var answer struct{ PullSmsSendStatusSet []pulledReport }
	if err := c.ask(ctx, "PullSmsSendStatus", map[string]any{"Limit": most, "SmsSdkAppId": c.cfg.SDKAppID}, &answer); err != nil {
		return nil, false, err
	}
	var events []bots.Event
	for _, p := range answer.PullSmsSendStatusSet {
		events = c.addReport(events, p.PhoneNumber, bots.Report{ID: p.SerialNo, Key: p.SessionContext, State: states[p.ReportStatus], Code: p.Description})
	}
	return events, len(answer.PullSmsSendStatusSet) == most, nil
}
