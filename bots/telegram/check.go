package telegram

import (
	"context"
	"fmt"
	"time"

	"shaoying/bots"
)

// manyWaiting is how many undelivered updates are worth a word.
const manyWaiting = 100

// Check asks Telegram how the account stands. It changes nothing.
func (a *account) Check(ctx context.Context) []bots.Finding {
	var found []bots.Finding
	wrong := func(format string, args ...any) {
		found = append(found, bots.Finding{Wrong: true, What: fmt.Sprintf(format, args...)})
	}
	note := func(format string, args ...any) {
		found = append(found, bots.Finding{What: fmt.Sprintf(format, args...)})
	}
	ctx, cancel := context.WithTimeout(ctx, callWait)
	defer cancel()
	me, err := a.bot.GetMe(ctx)
	if err != nil {
		wrong("%s", why(failed("getMe", err)))
		return found
	}
	note("the bot is @%s", me.Username)
	if !me.CanJoinGroups {
		note("it may not be added to groups (@BotFather, /setjoingroups)")
	}
	if !me.CanReadAllGroupMessages {
		note("privacy mode is on: in groups it hears commands, mentions and replies only, which is all that it needs (@BotFather, /setprivacy)")
	}
	info, err := a.bot.GetWebhookInfo(ctx)
	if err != nil {
		wrong("%s", why(failed("getWebhookInfo", err)))
		return found
	}
	switch {
	case a.cfg.Mode == ModePoll && info.URL != "":
		wrong("a webhook at %s is set, which keeps updates from a bot that polls: `serve` takes it away; if it comes back, another program has the token", host(info.URL))
	case a.cfg.Mode == ModeWebhook && info.URL == "":
		wrong("no webhook is set: `serve` sets it at its start")
	case a.cfg.Mode == ModeWebhook && info.URL != a.cfg.WebhookURL:
		wrong("the webhook is set to %s, not to webhook_url: another program has the token, or `serve` has not run since the change", host(info.URL))
	}
	if info.LastErrorMessage != "" && info.PendingUpdateCount > 0 {
		wrong("Telegram could not deliver at %s: %s", time.Unix(int64(info.LastErrorDate), 0).UTC().Format(time.RFC3339), plain(info.LastErrorMessage))
	}
	if n := info.PendingUpdateCount; n >= manyWaiting {
		wrong("%d updates wait: is `serve` running?", n)
	} else if n > 0 {
		note("%d updates wait", n)
	}
	return found
}

// why says in plain words what an error of a call means.
func why(err error) string {
	switch bots.ClassOf(err) {
	case bots.ClassLoggedOut:
		return "Telegram does not know the token: copy it again from @BotFather"
	case bots.ClassTemporary, bots.ClassUnknown:
		return fmt.Sprintf("Telegram cannot be reached at api_url (from the mainland it needs a Bot API server or a proxy outside): %v", err)
	}
	return err.Error()
}
