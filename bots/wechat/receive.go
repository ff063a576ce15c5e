package wechat

import (
	"context"
	"errors"
	"fmt"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// receive asks for messages and hands them over until ctx ends, or the login does
// (*over).
func (a *Adapter) receive(ctx context.Context, s *session, sink bots.Sink) error {
	r := &receiver{Adapter: a, s: s, sink: sink}
	failures := 0
	for {
		began := a.deps.Clock.Wall()
		brought, err := r.round(ctx)
		over := new(over)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &over):
			return over
		case err != nil:
			if failures++; failures == 1 {
				a.log.Warn("receiving fails and is tried again", "error", because(err))
			}
			if !a.rest(ctx, failures, err) {
				return ctx.Err()
			}
			continue
		}
		if failures > 0 {
			a.log.Info("receiving works again")
		}
		failures = 0
		s.people.remark(ctx, a)
		if brought > 0 {
			continue
		}
		if err := a.pause(ctx, a.left(began)); err != nil {
			return err
		}
	}
}

// receiver is what receives for one login.
type receiver struct {
	*Adapter
	s    *session
	sink bots.Sink
}

// round waits until there is something new, and takes it.
func (r *receiver) round(ctx context.Context) (brought int, err error) {
	ask := openwechat.CallerSyncCheckOptions(r.s.options(r.s.key))
	check, err := r.s.caller.SyncCheck(ctx, &ask)
	if err != nil {
		return 0, fmt.Errorf("ask for news: %w", err)
	}
	if err := judged(check.Err()); err != nil {
		return 0, fmt.Errorf("ask for news: %w", err)
	}
	if check.Selector == openwechat.SelectorNormal {
		return 0, nil
	}
	fetch := openwechat.CallerWebWxSyncOptions(r.s.options(r.s.key))
	got, err := r.s.caller.WebWxSync(ctx, &fetch)
	if err != nil {
		return 0, fmt.Errorf("fetch messages: %w", err)
	}
	if err := verdict(int(got.BaseResponse.Ret)); err != nil {
		return 0, fmt.Errorf("fetch messages: %w", err)
	}
	if err := checkKey(got.SyncKey); err != nil {
		return 0, fmt.Errorf("fetch messages: %w", err)
	}
	if err := r.take(ctx, got.AddMsgList); err != nil {
		return 0, err
	}
	if err := r.save(ctx, r.s, got.SyncKey); err != nil {
		return 0, err
	}
	r.s.key = got.SyncKey
	return len(got.AddMsgList), nil
}

// take hands messages to the sink, each chat's by itself: one that is not taken
// does not hold up the others, though all come again then.
func (r *receiver) take(ctx context.Context, messages []*openwechat.Message) error {
	var order []bots.ChatID
	chats := map[bots.ChatID][]bots.Event{}
	for _, m := range messages {
		if m == nil {
			continue
		}
		ev, ok := r.event(ctx, m)
		if !ok {
			continue
		}
		if err := ev.Validate(); err != nil {
			r.log.Error("a message cannot be read and is passed over", "error", err)
			continue
		}
		if chats[ev.Chat] == nil {
			order = append(order, ev.Chat)
		}
		chats[ev.Chat] = append(chats[ev.Chat], ev)
	}
	var failed error
	for _, chat := range order {
		if err := wire.Hand(ctx, r.sink, chats[chat]); err != nil {
			failed = fmt.Errorf("messages were not taken and will come again: %w", err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return failed
}
