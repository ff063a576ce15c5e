package telegram

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-telegram/bot"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// parcel is what one chat brought at once.
type parcel struct {
	events []bots.Event
	taps   []string
}

func (p *parcel) add(d decoded) {
	p.events = append(p.events, d.events...)
	if d.tap != "" {
		p.taps = append(p.taps, d.tap)
	}
}

// deliver sinks a parcel and then stops the little clocks on the buttons that
// were tapped. A clock that goes on for a while is no reason to have the tap
// delivered again.
func (a *account) deliver(ctx context.Context, sink bots.Sink, p *parcel) error {
	if len(p.events) > 0 {
		if err := wire.Hand(ctx, sink, p.events); err != nil {
			return err
		}
	}
	answer, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	for _, id := range p.taps {
		_, err := a.bot.AnswerCallbackQuery(answer, &bot.AnswerCallbackQueryParams{CallbackQueryID: id})
		if err != nil && ctx.Err() == nil {
			a.log.Info("a tap was taken, but its answer did not arrive", "error", failed("answerCallbackQuery", err))
		}
	}
	return nil
}

const (
	firstPause = 200 * time.Millisecond
	longest    = 5 * time.Second
)

// persist tries a call with growing pauses until it succeeds, ctx ends, or
// Telegram refuses it for good.
func (a *account) persist(ctx context.Context, what string, try func(context.Context) error) error {
	for pause, tries := firstPause, 0; ; pause, tries = min(2*pause, longest), tries+1 {
		err := try(ctx)
		if err == nil {
			return nil
		}
		switch bots.ClassOf(err) {
		case bots.ClassTemporary, bots.ClassThrottled, bots.ClassUnknown:
		default:
			return err
		}
		if ctx.Err() == nil && tries == 0 {
			a.log.Warn("Telegram is away", "step", what, "error", err)
		}
		if e := new(bots.Error); errors.As(err, &e) && e.After > pause {
			pause = e.After
		}
		if !wire.Wait(ctx, pause) {
			return ctx.Err()
		}
	}
}

// ended is what Run returns: nil at the end of its context. What an operator
// has to mend is said at once, and Run stays a while before it returns it, so
// that the owner does not start it again every second.
func (a *account) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil || err == nil {
		return nil
	}
	pause, why := lockedOut, "Telegram refuses: see `shaoying channels check`"
	if said := new(apiError); errors.As(err, &said) {
		switch said.code {
		case 401, 404:
			why = "Telegram does not know the token: was it revoked in @BotFather?"
		case 409:
			pause, why = conflicted, "another program polls with the same token, or has set a webhook: stop it, or revoke the token"
		}
	}
	a.log.Error(why, "error", err)
	if !wire.Wait(ctx, pause) {
		return nil
	}
	return fmt.Errorf("telegram: %s: %w", why, err)
}
