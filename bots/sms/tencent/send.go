package tencent

import (
	"context"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
)

// Send sends a message by its template.
func (c *Channel) Send(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	number, err := c.Recipient(to, m)
	if err != nil {
		return bots.Receipt{}, err
	}
	code, err := c.Extend(m.Extension)
	if err != nil {
		return bots.Receipt{}, err
	}
	id, values, err := c.template(m)
	if err != nil {
		return bots.Receipt{}, err
	}
	params := map[string]any{
		"PhoneNumberSet": []string{number}, "SmsSdkAppId": c.cfg.SDKAppID, "SignName": c.Signature,
		"TemplateId": id, "TemplateParamSet": values, "SessionContext": m.Key,
	}
	if code != "" {
		params["ExtendCode"] = code
	}
	var answer struct {
		SendStatusSet []struct{ SerialNo, Code, Message string }
	}
	if err := c.ask(ctx, "SendSms", params, &answer); err != nil {
		return bots.Receipt{}, err
	}
	if len(answer.SendStatusSet) != 1 {
		return bots.Receipt{}, wire.Fail(bots.ClassUnknown, 0, 200, "it does not say what became of the number")
	}
	status := answer.SendStatusSet[0]
	if status.Code != "Ok" {
		return bots.Receipt{}, failure(200, status.Code, status.Message)
	}
	if status.SerialNo == "" { // it was sent; asked for, it is known by our key
		status.SerialNo = m.Key
	}
	return bots.Receipt{ID: status.SerialNo}, nil
}

// template is by what a message goes out, with its values in order.
func (c *Channel) template(m bots.Message) (id string, values []string, err error) {
	t, ok := bots.FindTemplate(c.cfg.Templates, m.Template)
	if !ok {
		if c.cfg.Free.ID == "" {
			return "", nil, sms.NoTemplate(m.Template)
		}
		return c.cfg.Free.ID, []string{m.Text}, nil
	}
	values = []string{}
	for _, ours := range t.Params {
		value, err := sms.Value(m.Template, ours)
		if err != nil {
			return "", nil, err
		}
		values = append(values, value)
	}
	return t.ID, values, nil
}

// codes are those of Tencent. Source: cloud.tencent.com/document/api/382/59177
// and /52075.
var codes = wire.Codes{
	// one number had too many for half a minute, an hour or a day; nobody else
	// waits for that
	"LimitExceeded.PhoneNumberThirtySecondLimit":     bots.ClassTemporary,
	"LimitExceeded.DeliveryFrequencyLimit":           bots.ClassTemporary,
	"LimitExceeded.PhoneNumberOneHourLimit":          bots.ClassClosed,
	"LimitExceeded.PhoneNumberDailyLimit":            bots.ClassClosed,
	"LimitExceeded.PhoneNumberSameContentDailyLimit": bots.ClassClosed,
	// the account had too many
	"LimitExceeded.":        bots.ClassThrottled,
	"LimitExceeded":         bots.ClassThrottled,
	"RequestLimitExceeded.": bots.ClassThrottled,
	"RequestLimitExceeded":  bots.ClassThrottled,
	// nobody can be reached there, or does not want to be
	"InvalidParameterValue.IncorrectPhoneNumber": bots.ClassGone,
	"FailedOperation.PhoneNumberInBlacklist":     bots.ClassGone,
	// an operator has to act
	"AuthFailure.":           bots.ClassLoggedOut,
	"UnauthorizedOperation.": bots.ClassLoggedOut,
	"UnauthorizedOperation":  bots.ClassLoggedOut,
	"IpInBlacklist":          bots.ClassLoggedOut,
	"IpNotInWhitelist":       bots.ClassLoggedOut,
	"FailedOperation.InsufficientBalanceInSmsPackage": bots.ClassLoggedOut,
	"FailedOperation.SignatureIncorrectOrUnapproved":  bots.ClassLoggedOut,
	"InvalidParameterValue.SdkAppIdNotExist":          bots.ClassLoggedOut,
	"InvalidParameterValue.SdkAppIdIsDisabled":        bots.ClassLoggedOut,
	// Tencent may have sent it
	"InternalError.": bots.ClassUnknown,
	"InternalError":  bots.ClassUnknown,
	// too many in one request: surely nothing was sent, and it is our fault
	"LimitExceeded.PhoneNumberCountLimit": bots.ClassRejected,
}

// failure classes a code that is not Ok. What Tencent refuses for another reason
// is our fault.
func failure(status int, code, message string) *bots.Error {
	class, known := codes.Of(code)
	if !known {
		class = bots.ClassRejected
		if status >= 500 || code == "" {
			class = bots.ClassUnknown
		}
	}
	var after time.Duration
	if class == bots.ClassThrottled {
		after = pause(code)
	}
	return wire.Fail(class, after, status, code+" "+message)
}

// pause is how long a limit of the account is waited for: calls are limited by
// the second, messages by the day.
func pause(code string) time.Duration {
	if strings.HasPrefix(code, "RequestLimitExceeded") {
		return time.Second
	}
	return time.Hour
}

// before is how much earlier than by our clock Tencent may have sent.
const before = 5 * time.Minute

// Settle asks what became of a message: it is known by Tencent's id and by our
// key. Only messages that were reported on are named.
func (c *Channel) Settle(ctx context.Context, to bots.Address, key string, r bots.Receipt, sent time.Time) (bots.Report, error) {
	number, err := c.Book.Number(to.Chat)
	if err != nil {
		return bots.Report{}, err
	}
	var answer struct{ PullSmsSendStatusSet []pulledReport }
	if err := c.ask(ctx, "PullSmsSendStatusByPhoneNumber", map[string]any{
		"BeginTime": sent.Add(-before).Unix(), "Offset": 0, "Limit": most, "PhoneNumber": number, "SmsSdkAppId": c.cfg.SDKAppID,
	}, &answer); err != nil {
		return bots.Report{}, err
	}
	for _, p := range answer.PullSmsSendStatusSet {
		if p.SessionContext == key || r.ID != "" && p.SerialNo == r.ID {
			if state := states[p.ReportStatus]; state != "" {
				return bots.Report{ID: p.SerialNo, Key: key, State: state, Code: wire.Plain(p.Description)}, nil
			}
		}
	}
	return bots.Report{}, bots.ErrNoReport
}
