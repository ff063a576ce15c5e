package aliyun

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"shaoying/bots"
)

// loose is a value that Aliyun's pages show as a string here and as a number or
// a truth there.
type loose string

// UnmarshalJSON takes strings, numbers and truths.
func (l *loose) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*l = loose(s)
		return nil
	}
	switch raw[0] {
	case '{', '[':
		return errors.New("a value is neither text nor number")
	}
	*l = loose(strings.TrimSpace(string(raw)))
	return nil
}

// up is a message of a resident (SmsUp).
type up struct {
	Phone    string `json:"phone_number"`
	Content  string `json:"content"`
	SendTime string `json:"send_time"`
	DestCode loose  `json:"dest_code"`
	Sequence loose  `json:"sequence_id"`
}

// ups reads what residents wrote.
func (c *Channel) ups(_ *http.Request, body []byte) ([]bots.Event, error) {
	var list []up
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, errors.New("it is no list of messages")
	}
	var events []bots.Event
	for _, u := range list {
		ev, err := c.Words(string(u.Sequence), u.Phone, c.Extended(string(u.DestCode)), u.Content, at(u.SendTime))
		if err != nil {
			c.Left("a message", err)
			continue
		}
		events = append(events, ev)
	}
	return events, nil
}

// report is what became of a message (SmsReport).
type report struct {
	Phone   string `json:"phone_number"`
	Success loose  `json:"success"`
	Code    string `json:"err_code"`
	BizID   string `json:"biz_id"`
	OutID   string `json:"out_id"`
}

// reports reads what became of messages.
func (c *Channel) reports(_ *http.Request, body []byte) ([]bots.Event, error) {
	var list []report
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, errors.New("it is no list of reports")
	}
	var events []bots.Event
	for _, r := range list {
		ev, err := c.read(r)
		if err != nil {
			c.Left("a report", err)
			continue
		}
		events = append(events, ev)
	}
	return events, nil
}

func (c *Channel) read(r report) (bots.Event, error) {
	chat, who, err := c.Book.Sender(r.Phone)
	if err != nil {
		return bots.Event{}, err
	}
	said := bots.Report{ID: r.BizID, Key: r.OutID, Code: r.Code}
	switch strings.ToLower(string(r.Success)) {
	case "true":
		said.State = bots.ReportDelivered
	case "false":
		said.State = bots.ReportFailed
	}
	return c.Report(chat, who, said) // which refuses a report that says neither
}

// at reads a time of Aliyun's; zero for what is none.
func at(written string) time.Time {
	t, err := time.ParseInLocation(time.DateTime, written, beijing)
	if err != nil {
		return time.Time{}
	}
	return t
}
