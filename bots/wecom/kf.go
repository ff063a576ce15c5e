package wecom

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
)

// KF speaks as a WeChat Customer Service account with anybody on WeChat.
type KF struct {
	*account
	clock *clock.Clock
	bell  chan struct{} // one place: something is new

	mu      sync.Mutex
	running bool
	ticket  ticket
	doubts  map[string]struct{} // ids of parcels that WeCom has, or may have
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*KF)(nil)
	_ bots.Webhook = (*KF)(nil)
	_ bots.Checker = (*KF)(nil)
)

// ticket is the token of the last callback, which makes reading cheap for a while.
type ticket struct {
	token string
	until time.Time
}

func newKF(a *account, clk *clock.Clock) *KF {
	return &KF{account: a, clock: clk, bell: make(chan struct{}, 1), doubts: map[string]struct{}{}}
}

// Caps says what Customer Service can do.
func (k *KF) Caps() bots.Caps {
	l := k.cfg.Limits
	return bots.Caps{
		MaxText: l.KF.MaxText, TextUnit: bots.Bytes, Choices: l.KF.MaxChoices, ChoiceBytes: l.ChoiceBytes,
		PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: l.KF.MaxPhotoOut,
		Window: l.KF.Window, WindowQuota: l.KF.WindowQuota,
		Rate:  bots.Rate{PerSecond: l.KF.PerSecond, PerChatPerSecond: l.KF.PerChatSecond},
		Trust: bots.TrustStable, Redelivers: l.KF.Redelivers,
	}
}

// errElsewhere: this process cannot read what is new.
var errElsewhere = errors.New("the account is read by another process")

// Handler takes WeCom's callbacks: it wakes Run. Where Run is in another process,
// WeCom is asked to try again, and may come to that one.
func (k *KF) Handler(bots.Sink) http.Handler {
	return k.hook(func(_ context.Context, opened []byte) error {
		var p struct{ Event, Token, OpenKfId string }
		if err := unpack(opened, &p); err != nil {
			return fmt.Errorf("%w: it is no XML of an event", errUnread)
		}
		if p.Event != "kf_msg_or_event" || p.OpenKfId != k.cfg.OpenKFID {
			return nil // of another account of the organisation
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.running {
			return errElsewhere
		}
		k.ticket = ticket{p.Token, k.clock.Wall().Add(k.cfg.Limits.KF.Ticket)}
		select {
		case k.bell <- struct{}{}:
		default:
		}
		return nil
	})
}

// longestRest is between two tries of reading while WeCom or the sink is away.
const longestRest = 2 * time.Second

// Run reads what is new until ctx ends: at once, after every callback, and every
// Poll.
func (k *KF) Run(ctx context.Context, sink bots.Sink) error {
	k.own(true)
	defer k.own(false)
	defer k.client.Close()
	poll := time.NewTicker(k.cfg.Limits.KF.Poll)
	defer poll.Stop()
	for failures := 0; ctx.Err() == nil; {
		if err := k.sync(ctx, sink); err != nil {
			if failures++; failures == 1 && ctx.Err() == nil {
				k.log.Warn("what is new could not be read and will be asked for again", "error", err)
			}
			wire.Rest(ctx, failures, longestRest)
			continue
		}
		failures = 0
		select {
		case <-ctx.Done():
		case <-k.bell:
		case <-poll.C:
		}
	}
	return nil
}

func (k *KF) own(owner bool) {
	k.client.Own(owner)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running = owner
}

const stateCursor = "cursor"

// sync reads page after page until there is no more.
func (k *KF) sync(ctx context.Context, sink bots.Sink) error {
	cursor, err := k.state.Load(ctx, stateCursor)
	if err != nil {
		return fmt.Errorf("read the cursor: %w", err)
	}
	for more := true; more; {
		p, err := k.page(ctx, string(cursor))
		if err != nil {
			return err
		}
		events, greetings := k.decode(p.List)
		if err := k.deliver(ctx, sink, events); err != nil {
			return fmt.Errorf("hand over what was read: %w", err)
		}
		moved := p.Next != "" && p.Next != string(cursor)
		if moved {
			cursor = []byte(p.Next)
			if err := k.state.Save(ctx, stateCursor, cursor); err != nil {
				return fmt.Errorf("keep the cursor: %w", err)
			}
		}
		k.greet(ctx, greetings)
		more = p.More != 0 && moved // an empty page may have more behind it
	}
	return nil
}

// page is one answer of sync_msg.
type page struct {
	Next string    `json:"next_cursor"`
	More int       `json:"has_more"`
	List []message `json:"msg_list"`
}

// page reads one page. The token of a callback, where it is too old or not taken,
// is not tried again.
func (k *KF) page(ctx context.Context, cursor string) (page, error) {
	k.mu.Lock()
	if k.clock.Wall().After(k.ticket.until) {
		k.ticket = ticket{}
	}
	token := k.ticket.token
	k.mu.Unlock()
	var got page
	err := k.client.Post(ctx, "/cgi-bin/kf/sync_msg", map[string]any{
		"cursor": cursor, "token": token, "limit": k.cfg.Limits.KF.Page, "open_kfid": k.cfg.OpenKFID,
	}, &got)
	if refusedBy(err, codeBadTicket) {
		k.mu.Lock()
		if k.ticket.token == token {
			k.ticket = ticket{}
		}
		k.mu.Unlock()
	}
	return got, err
}

// sinksAtOnce is how many chats of a page are handed over side by side.
const sinksAtOnce = 8

// deliver hands events over, those of one chat together and in order. It returns
// after all were tried; the first error says that the page must come again.
func (k *KF) deliver(ctx context.Context, sink bots.Sink, events []bots.Event) error {
	var order []bots.ChatID
	chats := map[bots.ChatID][]bots.Event{}
	for _, ev := range events {
		if chats[ev.Chat] == nil {
			order = append(order, ev.Chat)
		}
		chats[ev.Chat] = append(chats[ev.Chat], ev)
	}
	errs := make([]error, len(order))
	room := make(chan struct{}, sinksAtOnce)
	var wg sync.WaitGroup
	for i, chat := range order {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			errs[i] = wire.Hand(ctx, sink, chats[chat])
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
