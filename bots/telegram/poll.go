package telegram

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"

	"shaoying/bots"
)

const (
	// session is how long one run of the library's loop lasts. A new one
	// begins without an offset, so that updates whose ids have begun anew at a
	// lower number (after a week of silence) are not taken for old ones.
	session = 24 * time.Hour
	// lockedOut is how long Run stays before it gives up on a token that
	// Telegram does not know, conflicted on a second program that polls: the
	// owner starts again at once, and sends go on meanwhile.
	lockedOut  = 30 * time.Second
	conflicted = 5 * time.Second
	// answerWait is how long the taps of a chat may hold up what comes after
	// them until their little clocks stop.
	answerWait = 2 * time.Second
	// abreast is how many chats are sunk at once.
	abreast = 16
)

// Poller is a bot account that asks for its updates.
type Poller struct{ *account }

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Poller)(nil)
	_ bots.Editor  = (*Poller)(nil)
	_ bots.Checker = (*Poller)(nil)
)

// Run polls until ctx ends. A webhook that is still set would keep every
// update from us and is taken away first.
func (p *Poller) Run(ctx context.Context, sink bots.Sink) error {
	defer p.close()
	var name string
	err := p.persist(ctx, "getMe", func(ctx context.Context) (err error) {
		name, err = p.self(ctx)
		return err
	})
	if err == nil {
		err = p.persist(ctx, "deleteWebhook", p.dropWebhook)
	}
	for err == nil && ctx.Err() == nil {
		err = p.session(ctx, sink, p.decoder(name))
	}
	return p.ended(ctx, err)
}

// session runs the library's loop until it ends, ctx ends, or Telegram says
// something that asking again does not mend.
func (p *Poller) session(ctx context.Context, sink bots.Sink, d decoder) error {
	ctx, cancel := context.WithTimeout(ctx, session)
	defer cancel()
	loop := &batches{account: p.account, sink: sink, decoder: d, stop: cancel}
	// The library asks for a second less than it is told to wait.
	b, err := p.library(p.cfg.Limits.LongPoll+time.Second, loop,
		bot.WithNotAsyncHandlers(), bot.WithDefaultHandler(func(context.Context, *bot.Bot, *models.Update) {}),
		bot.WithErrorsHandler(func(err error) {
			if ctx.Err() == nil { // the library calls updates lost when it is stopped; they were taken
				loop.complain(err)
			}
		}), bot.WithAllowedUpdates(allowed()))
	if err != nil {
		return err
	}
	b.Start(ctx)
	return loop.fatal
}

// batches is the HTTP client under getUpdates: what it returns has been taken.
type batches struct {
	*account
	sink    bots.Sink
	decoder decoder
	stop    context.CancelFunc
	fatal   error // why the loop was stopped; read after it ended
	failing bool  // the last poll failed, and that was logged
}

// complain logs the first error of a row of them.
func (b *batches) complain(err error) {
	if b.failing || b.fatal != nil || errors.Is(err, context.Canceled) {
		return
	}
	b.failing = true
	b.log.Warn("polling fails", "error", err)
}

// Do polls once and sinks the whole answer before it returns it.
func (b *batches) Do(req *http.Request) (*http.Response, error) {
	resp, err := b.polls.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var r reply
	if json.Unmarshal(raw, &r) != nil || r.OK == nil {
		return nil, notTelegram(resp.StatusCode)
	}
	if *r.OK {
		raw, err = b.take(req.Context(), r.Result)
		if err != nil {
			return nil, err
		}
		if b.failing {
			b.failing = false
			b.log.Info("polling works again")
		}
	} else if e := r.failure(); e.Class == bots.ClassLoggedOut {
		b.fatal = e
		b.stop()
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	return resp, nil
}

// take sinks the updates of one answer: chats beside one another, in order
// inside each. It returns the answer for the library, which is the last number.
func (b *batches) take(ctx context.Context, result json.RawMessage) ([]byte, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(result, &list); err != nil {
		return nil, errors.New("getUpdates: the result is no list")
	}
	chats, last := b.sort(list)
	if last == 0 {
		return []byte(`{"ok":true,"result":[]}`), nil
	}
	errs := make([]error, len(chats))
	var wg sync.WaitGroup
	free := make(chan struct{}, abreast)
	for i, c := range chats {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			errs[i] = b.deliver(ctx, b.sink, c)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil { // one is enough: all of the batch comes again
			return nil, fmt.Errorf("a batch was not taken and will come again: %w", err)
		}
	}
	return fmt.Appendf(nil, `{"ok":true,"result":[{"update_id":%d}]}`, last), nil
}

// sort decodes a batch by chats. What cannot be read is logged and passed over:
// asking for it again would stop the bot for everybody.
func (b *batches) sort(list []json.RawMessage) (chats []*parcel, last int64) {
	byChat := map[int64]*parcel{}
	for _, raw := range list {
		var id struct {
			ID int64 `json:"update_id"`
		}
		if json.Unmarshal(raw, &id) == nil {
			last = max(last, id.ID)
		}
		d, err := b.decoder.decode(raw)
		if err != nil {
			b.log.Error("an update cannot be read and is passed over", "error", err)
		}
		c := byChat[d.chat]
		if c == nil {
			c = &parcel{}
			byChat[d.chat] = c
			chats = append(chats, c)
		}
		c.add(d)
	}
	return chats, last
}
