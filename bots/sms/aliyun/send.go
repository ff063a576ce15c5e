package aliyun

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
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
	body, err := json.Marshal(values)
	if err != nil {
		return bots.Receipt{}, wire.Refuse("the values of a template cannot be written")
	}
	params := map[string]string{
		"PhoneNumbers": national(number), "SignName": c.Signature, "TemplateCode": id, "TemplateParam": string(body), "OutId": m.Key,
	}
	if code != "" {
		params["SmsUpExtendCode"] = code
	}
	status, raw, err := c.call(ctx, "SendSms", params)
	if err != nil {
		return bots.Receipt{}, err
	}
	var answer struct{ Code, Message, BizId string }
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Code == "" {
		return bots.Receipt{}, wire.Between(status)
	}
	if answer.Code != "OK" {
		return bots.Receipt{}, failure(status, answer.Code, answer.Message)
	}
	if answer.BizId == "" { // it was sent; reports name our key
		answer.BizId = m.Key
	}
	return bots.Receipt{ID: answer.BizId}, nil
}

// national is a number as Aliyun writes it: without country code in the
// mainland, without plus elsewhere.
func national(e164 string) string {
	if digits, home := strings.CutPrefix(e164, "+86"); home {
		return digits
	}
	return strings.TrimPrefix(e164, "+")
}

// template is by what a message goes out, with its values.
func (c *Channel) template(m bots.Message) (id string, values map[string]string, err error) {
	t, ok := bots.FindTemplate(c.cfg.Templates, m.Template)
	if !ok {
		if c.cfg.Free.ID == "" {
			return "", nil, sms.NoTemplate(m.Template)
		}
		return c.cfg.Free.ID, map[string]string{c.cfg.Free.Param: m.Text}, nil
	}
	values = map[string]string{}
	for ours, theirs := range t.Params {
		value, err := sms.Value(m.Template, ours)
		if err != nil {
			return "", nil, err
		}
		values[theirs] = value
	}
	return t.ID, values, nil
}

// codes are those of Aliyun. What begins with isv. is our fault, with isp. Aliyun's.
// Source: help.aliyun.com/document_detail/101346.html.
var codes = wire.Codes{
	// one number had too many for an hour or a day; that of a minute is told
	// apart in failure. Nobody else waits for that.
	"isv.BUSINESS_LIMIT_CONTROL": bots.ClassClosed,
	// the account had too many
	"isv.DAY_LIMIT_CONTROL":   bots.ClassThrottled,
	"isv.MONTH_LIMIT_CONTROL": bots.ClassThrottled,
	"Throttling.":             bots.ClassThrottled,
	"Throttling":              bots.ClassThrottled,
	// nobody can be reached there
	"isv.MOBILE_NUMBER_ILLEGAL": bots.ClassGone,
	// an operator has to act
	"isv.AMOUNT_NOT_ENOUGH":           bots.ClassLoggedOut,
	"isv.OUT_OF_SERVICE":              bots.ClassLoggedOut,
	"isv.PRODUCT_UN_SUBSCRIPT":        bots.ClassLoggedOut,
	"isv.PRODUCT_UNSUBSCRIBE":         bots.ClassLoggedOut,
	"isv.ACCOUNT_NOT_EXISTS":          bots.ClassLoggedOut,
	"isv.ACCOUNT_ABNORMAL":            bots.ClassLoggedOut,
	"isv.SMS_SIGNATURE_ILLEGAL":       bots.ClassLoggedOut,
	"isv.SIGN_STATE_ILLEGAL":          bots.ClassLoggedOut,
	"isv.SIGN_NAME_ILLEGAL":           bots.ClassLoggedOut,
	"isv.SMS_SIGNATURE_SCENE_ILLEGAL": bots.ClassLoggedOut,
	"isv.DENY_IP_RANGE":               bots.ClassLoggedOut,
	"isp.RAM_":                        bots.ClassLoggedOut,
	"InvalidAccessKeyId.":             bots.ClassLoggedOut,
	"InvalidAccessKeyId":              bots.ClassLoggedOut,
	"SignatureDoesNotMatch":           bots.ClassLoggedOut,
	"IncompleteSignature":             bots.ClassLoggedOut,
	"InvalidTimeStamp.":               bots.ClassLoggedOut,
	"Forbidden.":                      bots.ClassLoggedOut,
	"Forbidden":                       bots.ClassLoggedOut,
	"NoPermission":                    bots.ClassLoggedOut,
	"SignatureNonceUsed":              bots.ClassTemporary,
	"isv.":                            bots.ClassRejected,
	"isp.":                            bots.ClassUnknown,
}

// classOf is the class of a code.
func classOf(status int, code string) bots.Class {
	class, ok := codes.Of(code)
	switch {
	case ok:
		return class
	case status >= 400 && status < 500:
		return bots.ClassRejected
	}
	return bots.ClassUnknown
}

// failure classes an answer that is not OK.
func failure(status int, code, message string) *bots.Error {
	class := classOf(status, code)
	if code == "isv.BUSINESS_LIMIT_CONTROL" && strings.HasSuffix(message, "Permits:1") { // one a minute
		class = bots.ClassTemporary
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
	if strings.HasPrefix(code, "Throttling") {
		return time.Second
	}
	return time.Hour
}

// Settle asks what became of a message, by the key that went with it.
func (c *Channel) Settle(ctx context.Context, to bots.Address, key string, r bots.Receipt, sent time.Time) (bots.Report, error) {
	number, err := c.Book.Number(to.Chat)
	if err != nil {
		return bots.Report{}, err
	}
	// A message around midnight may stand on either day.
	days := []string{day(sent)}
	if next := day(sent.Add(c.Limits.Call)); next != days[0] {
		days = append(days, next)
	}
	for _, date := range days {
		report, err := c.details(ctx, number, date, key)
		if err != nil || report.State != "" {
			return report, err
		}
	}
	return bots.Report{}, bots.ErrNoReport
}

// beijing is the zone of every time and date of Aliyun.
var beijing = time.FixedZone("UTC+8", 8*60*60)

func day(t time.Time) string { return t.In(beijing).Format("20060102") }

// perPage and pages bound what is read of one number's day.
const perPage, pages = 50, 4

// details looks for a message among those of a number's day; no state where it
// is not there.
func (c *Channel) details(ctx context.Context, number, date, key string) (bots.Report, error) {
	for n := range pages {
		status, raw, err := c.call(ctx, "QuerySendDetails", map[string]string{
			"PhoneNumber": national(number), "SendDate": date, "PageSize": strconv.Itoa(perPage), "CurrentPage": strconv.Itoa(n + 1),
		})
		if err != nil {
			return bots.Report{}, err
		}
		found, more, err := readDetails(status, raw, key)
		if err != nil || found.State != "" || !more {
			return found, err
		}
	}
	return bots.Report{}, nil
}

// statuses says what SendStatus means: 1 waiting for the carrier, 2 failed,
// 3 delivered.
var statuses = map[int]bots.ReportState{1: bots.ReportBuffered, 2: bots.ReportFailed, 3: bots.ReportDelivered}

// readDetails reads a page of QuerySendDetails.
func readDetails(status int, raw []byte, key string) (found bots.Report, more bool, err error) {
	var answer struct {
		Code, Message     string
		SmsSendDetailDTOs struct {
			SmsSendDetailDTO []struct {
				OutId      string
				SendStatus int
				ErrCode    string
			}
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Code == "" {
		return bots.Report{}, false, wire.Between(status)
	}
	if answer.Code != "OK" {
		return bots.Report{}, false, failure(status, answer.Code, answer.Message)
	}
	list := answer.SmsSendDetailDTOs.SmsSendDetailDTO
	for _, d := range list {
		if d.OutId == key {
			return bots.Report{Key: key, State: statuses[d.SendStatus], Code: wire.Plain(d.ErrCode)}, false, nil
		}
	}
	return bots.Report{}, status == http.StatusOK && len(list) == perPage, nil
}
