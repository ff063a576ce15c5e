package twilio

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
)

const signatureHeader = "X-Twilio-Signature"

// signed hands on a push whose signature is right.
func (c *Channel) signed(w http.ResponseWriter, r *http.Request, sink bots.Sink, push sms.Push) {
	given, err := base64.StdEncoding.DecodeString(r.Header.Get(signatureHeader))
	if err != nil || len(given) != sha1.Size {
		wire.Refused(w, http.StatusUnauthorized)
		return
	}
	body, ok := wire.Body(w, r, c.Limits.MaxBody)
	if !ok {
		return
	}
	form, err := url.ParseQuery(string(body))
	address := c.CallbackURL + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	if err != nil || !hmac.Equal(given, signature(c.cfg.AuthToken.Reveal(), address, form)) {
		wire.Refused(w, http.StatusUnauthorized)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.Serve(w, r, sink, push)
}

// signature is that of an address and a form: the address, then every field by
// name with its values in order, each once, keyed with the token (source:
// twilio.com/docs/usage/security, "Validating requests").
func signature(token, address string, form url.Values) []byte {
	var text strings.Builder
	text.WriteString(address)
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Sorted(slices.Values(form[name]))
		for _, value := range slices.Compact(values) {
			text.WriteString(name)
			text.WriteString(value)
		}
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text.String()))
	return mac.Sum(nil)
}

// message reads what a resident wrote.
func (c *Channel) message(_ *http.Request, body []byte) ([]bots.Event, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("it is no form")
	}
	id := form.Get("MessageSid")
	if id == "" {
		return nil, errors.New("it names no MessageSid")
	}
	ev, err := c.Words(id, form.Get("From"), "", form.Get("Body"), time.Time{})
	if err != nil {
		c.Left("a message", err)
		return nil, nil
	}
	return []bots.Event{ev}, nil
}

// states says what the words of reports mean; what is not here says nothing new.
var states = map[string]bots.ReportState{
	"sent": bots.ReportBuffered, "delivered": bots.ReportDelivered, "undelivered": bots.ReportFailed, "failed": bots.ReportFailed,
}

// report reads what became of a message.
func (c *Channel) report(r *http.Request, body []byte) ([]bots.Event, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errors.New("it is no form")
	}
	state, news := states[form.Get("MessageStatus")]
	if !news {
		return nil, nil
	}
	query := r.URL.Query()
	chat := bots.ChatID(query.Get("chat"))
	who, err := c.Book.Person(chat)
	if err != nil {
		return nil, err
	}
	code := strings.TrimSpace(form.Get("MessageStatus") + " " + form.Get("ErrorCode"))
	ev, err := c.Report(chat, who, bots.Report{ID: form.Get("MessageSid"), Key: query.Get("key"), State: state, Code: code})
	return []bots.Event{ev}, err
}
