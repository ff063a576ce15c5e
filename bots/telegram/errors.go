package telegram

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"shaoying/bots"
)

// How an answer, or none, becomes a class. What decides is whether it is
// certain that the message was not delivered:
//
//	no connection was made                        temporary: nothing was written
//	cut, or out of time, after that               unknown
//	429                                           throttled
//	403, and 400 for a chat that is not there     gone
//	400 no right to write                         closed: until an admin changes it
//	400 with migrate_to_chat_id                   moved
//	any other 400                                 rejected
//	401, 404 (no bot has this token), 409         logged out
//	5xx of Telegram or of a proxy in between      unknown: a proxy that lost the
//	                                              answer says the same as one
//	                                              that lost the question
//	4xx or 3xx that is no answer of the Bot API   temporary: a proxy refused it
//	2xx that is no answer of the Bot API          unknown

// refuse says that our own request is bad.
func refuse(format string, args ...any) *bots.Error {
	return &bots.Error{Class: bots.ClassRejected, Err: fmt.Errorf(format, args...)}
}

// lost is a call without an answer. reached tells whether there was a
// connection over which Telegram may have got it.
func lost(reached bool, err error) *bots.Error {
	if reached {
		return &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("no answer: %w", err)}
	}
	return &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("no connection: %w", err)}
}

// notTelegram is an answer of somebody in between; its body is not repeated.
func notTelegram(status int) *bots.Error {
	class := bots.ClassTemporary
	if status/100 == 2 || status >= 500 {
		class = bots.ClassUnknown
	}
	return &bots.Error{Class: class, Err: fmt.Errorf("answer %d is not of the Bot API: a proxy, or api_url is wrong", status)}
}

// apiError is what the Bot API said against a call.
type apiError struct {
	code int
	why  string
}

func (e *apiError) Error() string { return fmt.Sprintf("%d %s", e.code, e.why) }

// says reports whether the description holds one of the parts.
func (e *apiError) says(parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(e.why, p) {
			return true
		}
	}
	return false
}

// leastWait is how long a 429 without a number is waited for.
const leastWait = time.Second

// failure classes an answer that is not ok.
func (r reply) failure() *bots.Error {
	said := &apiError{r.Code, plain(r.Why)}
	e := &bots.Error{Class: bots.ClassUnknown, Err: said}
	switch {
	case r.Code == http.StatusTooManyRequests:
		e.Class, e.After = bots.ClassThrottled, max(time.Duration(r.Params.RetryAfter)*time.Second, leastWait)
	case r.Code == http.StatusForbidden:
		e.Class = bots.ClassGone
	case r.Code == http.StatusUnauthorized, r.Code == http.StatusNotFound, r.Code == http.StatusConflict:
		e.Class = bots.ClassLoggedOut
	case r.Params.NewChat != 0:
		e.Class, e.NewChat = bots.ClassMoved, chatID(r.Params.NewChat)
	case r.Code == http.StatusBadRequest && said.says("chat not found", "user not found", "PEER_ID_INVALID", "group chat was deactivated"):
		e.Class = bots.ClassGone
	case r.Code == http.StatusBadRequest && said.says("not enough rights", "have no rights", "CHAT_WRITE_FORBIDDEN"):
		e.Class = bots.ClassClosed
	case r.Code >= 400 && r.Code < 500:
		e.Class = bots.ClassRejected
	}
	return e
}

// plain keeps what an English description needs: what is longer or in other
// letters is not Telegram's and could be anybody's words.
func plain(why string) string {
	why = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, why)
	return why[:min(len(why), 120)]
}

// failed takes the library's wrapping off an error of a call and says which
// call it was.
func failed(method string, err error) error {
	var e *bots.Error
	if !errors.As(err, &e) {
		// The library could not read the answer to a call that went well.
		return &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("%s: the answer cannot be read", method)}
	}
	return &bots.Error{Class: e.Class, After: e.After, NewChat: e.NewChat, Err: fmt.Errorf("%s: %w", method, e.Err)}
}
