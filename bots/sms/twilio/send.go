package twilio

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
)

// answer is a message as the API shows it, or an error of the API.
type answer struct {
	SID       string `json:"sid"`
	Status    any    `json:"status"` // a word, or the number of an error's status
	ErrorCode *int   `json:"error_code"`
	Code      int    `json:"code"`
	Message   string `json:"message"`
}

// Send posts a message.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	number, err := c.Recipient(to, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	if m.Extension != "" {
		return bots.Receipt{}, wire.Refuse("there are no extension codes here")
	}
	callback := url.Values{"key": {m.Key}, "chat": {string(to.Chat)}}
	form := url.Values{
		"To": {number}, "Body": {sms.Fill(sms.Signed(c.Signature, m.Text))},
		"StatusCallback": {c.CallbackURL + "/status?" + callback.Encode()},
	}
	if c.cfg.ServiceSID != "" {
		form.Set("MessagingServiceSid", c.cfg.ServiceSID)
	} else {
		form.Set("From", c.From)
	}
	status, raw, err := c.call(ctx, http.MethodPost, "/Messages.json", form)
	if err != nil {
		return bots.Receipt{}, err
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return bots.Receipt{}, wire.Between(status)
	}
	if status/100 != 2 {
		return bots.Receipt{}, failure(status, a.Code, a.Message)
	}
	if a.SID == "" {
		return bots.Receipt{}, wire.Between(status)
	}
	return bots.Receipt{ID: a.SID}, nil
}

// call asks the API of the account once.
func (c *Channel) call(ctx context.Context, method, path string, form url.Values) (int, []byte, error) {
	address := c.api.String() + "/2010-04-01/Accounts/" + c.cfg.AccountSID + path
	body := ""
	if method == http.MethodPost {
		body = form.Encode()
	} else if len(form) > 0 {
		address += "?" + form.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil { // the error repeats the URL
		return 0, nil, wire.Refuse("api_url is no address")
	}
	req.SetBasicAuth(c.cfg.AccountSID, c.cfg.AuthToken.Reveal())
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return c.Call(req)
}

// codes are those of the API (twilio.com/docs/api/errors). What is not here is
// classed by the status: 400 is our fault.
var codes = wire.Codes{
	"20003": bots.ClassLoggedOut, // authenticate
	"20005": bots.ClassLoggedOut, // account not active
	"20429": bots.ClassThrottled, "14107": bots.ClassThrottled, "30001": bots.ClassThrottled, "63038": bots.ClassThrottled,
	"21211": bots.ClassGone,                                                                  // no valid number
	"21610": bots.ClassGone,                                                                  // it said stop to the carrier
	"21612": bots.ClassGone,                                                                  // cannot be reached from our number
	"21614": bots.ClassGone,                                                                  // no mobile number
	"21606": bots.ClassLoggedOut, "21603": bots.ClassLoggedOut, "21701": bots.ClassLoggedOut, // our number is not ours
}

// failure classes an error of the API.
func failure(status, code int, message string) *bots.Error {
	class, known := codes.Of(strconv.Itoa(code))
	if !known {
		switch {
		case status == http.StatusTooManyRequests:
			class = bots.ClassThrottled
		case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
			class = bots.ClassLoggedOut
		case status >= 500:
			class = bots.ClassUnknown
		case code == 0: // no error of the API
			return wire.Between(status)
		default:
			class = bots.ClassRejected
		}
	}
	var after time.Duration
	if class == bots.ClassThrottled {
		after = time.Second
		if code == 63038 { // the day's limit
			after = time.Hour
		}
	}
	return wire.Fail(class, after, status, fmt.Sprintf("%d %s", code, message))
}

// Settle asks what became of a message, by its id. Without one nothing can be
// asked: the API does not know our key.
func (c *Channel) Settle(ctx context.Context, to bots.Address, key string, r bots.Receipt, _ time.Time) (bots.Report, error) {
	if _, err := c.Book.Number(to.Chat); err != nil {
		return bots.Report{}, err
	}
	if !sidShape.MatchString(r.ID) {
		return bots.Report{}, bots.ErrNoReport
	}
	status, raw, err := c.call(ctx, http.MethodGet, "/Messages/"+r.ID+".json", nil)
	if err != nil {
		return bots.Report{}, err
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return bots.Report{}, wire.Between(status)
	}
	if status == http.StatusNotFound {
		return bots.Report{}, bots.ErrNoReport
	}
	if status/100 != 2 {
		return bots.Report{}, failure(status, a.Code, a.Message)
	}
	word, _ := a.Status.(string)
	state := states[word]
	if state == "" {
		return bots.Report{}, bots.ErrNoReport
	}
	if a.ErrorCode != nil {
		word += " " + strconv.Itoa(*a.ErrorCode)
	}
	return bots.Report{ID: r.ID, Key: key, State: state, Code: wire.Plain(word)}, nil
}

// Check asks for the account.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	status, raw, err := c.call(ctx, http.MethodGet, ".json", nil)
	if err != nil {
		return []bots.Finding{{Wrong: true, What: fmt.Sprintf("the carrier cannot be reached at api_url: %v", err)}}
	}
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil || status/100 != 2 {
		return []bots.Finding{{Wrong: true, What: fmt.Sprintf("the account is refused: %v", failure(status, a.Code, a.Message))}}
	}
	word, _ := a.Status.(string)
	return []bots.Finding{
		{Wrong: word != "active", What: "the account is " + wire.Plain(word)},
		{What: fmt.Sprintf("address for the console, \"a message comes in\": %s/mo", c.CallbackURL)},
	}
}
