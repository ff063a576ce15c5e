package tencent

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"shaoying/bots"
)

// states says what the words of reports mean.
var states = map[string]bots.ReportState{"SUCCESS": bots.ReportDelivered, "FAIL": bots.ReportFailed}

// reply is a message of a resident as it is pushed.
type reply struct {
	Extend string `json:"extend"`
	Mobile string `json:"mobile"`
	Nation string `json:"nationcode"`
	Text   string `json:"text"`
	Time   int64  `json:"time"`
}

// replies reads what a resident wrote: one object, or several in an array.
func (c *Channel) replies(_ *http.Request, body []byte) ([]bots.Event, error) {
	list := make([]reply, 1)
	err := json.Unmarshal(body, &list[0])
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
		list = nil
		err = json.Unmarshal(body, &list)
	}
	if err != nil {
		return nil, errors.New("it is no message")
	}
	var events []bots.Event
	for _, r := range list {
		events = c.add(events, "", written(r.Nation, r.Mobile), r.Extend, r.Text, r.Time)
	}
	return events, nil
}

// add appends the event of a message, or notes that it is left out.
func (c *Channel) add(events []bots.Event, id, from, extend, text string, at int64) []bots.Event {
	var when time.Time
	if at > 0 {
		when = time.Unix(at, 0)
	}
	ev, err := c.Words(id, from, c.Extended(extend), text, when)
	if err != nil {
		c.Left("a message", err)
		return events
	}
	return append(events, ev)
}

// written is a number with its country code.
func written(nation, mobile string) string {
	if nation == "" {
		return mobile
	}
	return "+" + nation + mobile
}

// pushedReport is what became of a message as it is pushed.
type pushedReport struct {
	Nation string `json:"nationcode"`
	Mobile string `json:"mobile"`
	Status string `json:"report_status"`
	Code   string `json:"errmsg"`
	Serial string `json:"sid"`
}

// reports reads what became of messages.
func (c *Channel) reports(_ *http.Request, body []byte) ([]bots.Event, error) {
	var list []pushedReport
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, errors.New("it is no list of reports")
	}
	var events []bots.Event
	for _, r := range list {
		events = c.addReport(events, written(r.Nation, r.Mobile), bots.Report{ID: r.Serial, State: states[r.Status], Code: r.Code})
	}
	return events, nil
}

// addReport appends the event of a report, or notes that it is left out.
func (c *Channel) addReport(events []bots.Event, number string, r bots.Report) []bots.Event {
	chat, who, err := c.Book.Sender(number)
	if err != nil {
		c.Left("a report", err)
		return events
	}
	ev, err := c.Report(chat, who, r)
	if err != nil {
		c.Left("a report", err)
		return events
	}
	return append(events, ev)
}
