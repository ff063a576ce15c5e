package kannel

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
)

// dlrMask asks for every kind of report: 1 delivered, 2 failed, 4 buffered,
// 8 taken by the SMSC, 16 refused by it.
const dlrMask = 31

// Send hands a message to Kannel. The receipt is our own key: Kannel's answer
// names no id, and its reports name our key.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	number, err := c.Recipient(to, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	from, err := c.Number(m.Extension)
	if err != nil {
		return bots.Receipt{}, err
	}
	query := c.credentials()
	query.Set("from", from)
	query.Set("to", number)
	query.Set("charset", "UTF-8")
	text := m.Text
	if c.Signature != "" && !c.cfg.CarrierSigns {
		text = sms.Signed(c.Signature, text)
	}
	query.Set("coding", "0")
	if sms.Of(text) == sms.UCS2 {
		query.Set("coding", "2")
	}
	query.Set("text", sms.Fill(text))
	query.Set("dlr-mask", strconv.Itoa(dlrMask))
	query.Set("dlr-url", c.reportURL(to.Chat, m.Key))
	status, body, err := c.call(ctx, query)
	if err != nil {
		return bots.Receipt{}, err
	}
	if err := failure(status, string(body)); err != nil {
		return bots.Receipt{}, err
	}
	return bots.Receipt{ID: m.Key}, nil
}

// reportURL is what Kannel calls with a report. Kannel fills in %d, the kind,
// and %A, what the SMSC said; what we put in is escaped, so that a percent sign
// is none of Kannel's.
func (c *Channel) reportURL(chat bots.ChatID, key string) string {
	ours := url.Values{"key": {key}, "chat": {string(chat)}}
	return c.CallbackURL + "/dlr/" + c.CallbackToken.Reveal() + "?" + strings.ReplaceAll(ours.Encode(), "%", "%%") + "&type=%d&answer=%A"
}

func (c *Channel) credentials() url.Values {
	query := url.Values{"username": {c.cfg.Username}, "password": {c.cfg.Password.Reveal()}}
	if c.cfg.SMSC != "" {
		query.Set("smsc", c.cfg.SMSC)
	}
	return query
}

// call asks sendsms once. A connection of its own keeps the HTTP client from
// trying a GET again by itself when an old connection turns out to be closed: the
// message might go out twice.
func (c *Channel) call(ctx context.Context, query url.Values) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.send.String()+"?"+query.Encode(), nil)
	if err != nil { // the error repeats the URL
		return 0, nil, wire.Refuse("send_url is no address")
	}
	req.Close = true
	return c.Call(req)
}

// failure classes an answer of smsbox (source: gw/smsbox.c of Kannel 1.4):
//
//	202 "0: Accepted for delivery", "3: Queued for later delivery"   sent
//	403 "Authorization failed for sendsms"                          logged out
//	403 "Not routable. Do not try again."                           rejected
//	403 of black and white lists                                     gone
//	400 "Missing receiver …, rejected"                              rejected
//	404                                                              logged out: send_url is wrong
//	503 "Temporal failure, try again later."                        temporary
//	any other 5xx, and 2xx that is not of smsbox                     unknown: a proxy
func failure(status int, said string) error {
	says := func(words string) bool { return strings.Contains(said, words) }
	class := bots.ClassRejected
	switch {
	case status == http.StatusAccepted && (strings.HasPrefix(said, "0:") || strings.HasPrefix(said, "3:")):
		return nil
	case status == http.StatusForbidden && says("routable"):
	case status == http.StatusForbidden && says("list"):
		class = bots.ClassGone
	case status == http.StatusForbidden, status == http.StatusUnauthorized, status == http.StatusNotFound:
		class = bots.ClassLoggedOut
	case status == http.StatusServiceUnavailable && says("Temporal"):
		class = bots.ClassTemporary
	case status == http.StatusTooManyRequests:
		return wire.Fail(bots.ClassThrottled, time.Second, status, said)
	case status >= 500 || status/100 == 2:
		class = bots.ClassUnknown
	case status/100 == 3:
		class = bots.ClassLoggedOut
	}
	return wire.Fail(class, 0, status, said)
}
