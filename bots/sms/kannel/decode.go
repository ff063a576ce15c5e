package kannel

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
)

// message reads what a resident wrote.
func (c *Channel) message(r *http.Request, body []byte) ([]bots.Event, error) {
	query := r.URL.Query()
	id := query.Get("id")
	if id == "" {
		return nil, errNoID
	}
	text, err := words(query, r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, err
	}
	ev, err := c.Words(id, query.Get("from"), c.Code(query.Get("to")), text, at(query.Get("ts")))
	if errors.Is(err, sms.ErrNumber) {
		c.Left("a message", err)
		return nil, nil
	}
	return []bots.Event{ev}, err
}

// words decodes a body. Kannel names the character set in the query (%C) and in
// the header; data coding (%c) is 0 for 7 bits, 1 for 8 bits, which are no
// words, and 2 for UCS-2.
func words(query url.Values, contentType string, body []byte) (string, error) {
	charset := query.Get("charset")
	if charset == "" {
		if _, params, err := mime.ParseMediaType(contentType); err == nil {
			charset = params["charset"]
		}
	}
	charset = strings.ToUpper(strings.ReplaceAll(charset, "_", "-"))
	switch {
	case query.Get("coding") == "1":
		return "", nil
	case strings.HasPrefix(charset, "UTF-16") || charset == "UCS-2" || charset == "" && query.Get("coding") == "2":
		return utf16BE(body)
	case strings.HasPrefix(charset, "ISO-8859-1") || charset == "LATIN1" || charset == "WINDOWS-1252":
		out := make([]rune, len(body))
		for i, b := range body {
			out[i] = rune(b)
		}
		return string(out), nil
	case charset == "" || charset == "UTF-8" || charset == "UTF8" || charset == "US-ASCII":
		if !utf8.Valid(body) {
			return "", errors.New("its body is not UTF-8: set mo-recode = true")
		}
		return string(body), nil
	}
	return "", fmt.Errorf("its character set %q is unknown: set mo-recode = true", wire.Plain(charset))
}

func utf16BE(body []byte) (string, error) {
	if len(body)%2 != 0 {
		return "", errors.New("its body is UTF-16 of an odd length")
	}
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = uint16(body[2*i])<<8 | uint16(body[2*i+1])
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"), nil
}

// at reads %T, seconds since 1970; anything else is no time.
func at(written string) time.Time {
	n, err := strconv.ParseInt(written, 10, 64)
	if err != nil || n < 1e9 || n > 1e10 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// states says what the kinds of report mean.
var states = map[string]bots.ReportState{
	"1": bots.ReportDelivered, "2": bots.ReportFailed, "4": bots.ReportBuffered, "8": bots.ReportBuffered, "16": bots.ReportFailed,
}

// saidOf picks out of what the SMSC said what is surely no number: the state and
// error of a receipt, or the status of a refusal.
var saidOf = regexp.MustCompile(`(?i)(?:stat:([A-Z]{4,8})(?:.*?err:([0-9A-Z]{1,4}))?|NACK/(-?[0-9]{1,5}|0x[0-9a-f]{1,8}))`)

// report reads what became of a message.
func (c *Channel) report(r *http.Request, _ []byte) ([]bots.Event, error) {
	query := r.URL.Query()
	state, ok := states[query.Get("type")]
	if !ok {
		return nil, errors.New("a report of a kind that there is not")
	}
	key, chat := query.Get("key"), bots.ChatID(query.Get("chat"))
	if key == "" || len(key) > bots.MaxKey {
		return nil, errors.New("a report names no key")
	}
	who, err := c.Book.Person(chat)
	if err != nil {
		return nil, err
	}
	code := "type " + query.Get("type")
	if m := saidOf.FindStringSubmatch(query.Get("answer")); m != nil {
		code = strings.TrimSpace(strings.Join(m[1:], " "))
	}
	ev, err := c.Report(chat, who, bots.Report{ID: key, Key: key, State: state, Code: code})
	return []bots.Event{ev}, err
}
