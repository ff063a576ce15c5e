package feed

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func at(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, time.FixedZone("CST", 8*3600))
	if err != nil {
		panic(err)
	}
	return t
}

// property is one content line, read by the words of RFC 5545 3.1 and 3.3.11 and
// by nothing of the library that writes.
type property struct{ name, params, value string }

// read is a second reader of the format. It refuses what a strict client
// refuses: bare line feeds, lines of more than 75 octets, letters cut in half.
func read(t *testing.T, body []byte) (head []property, events []map[string]property) {
	t.Helper()
	text := string(body)
	if !strings.HasSuffix(text, "\r\n") || strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Fatalf("lines do not end with CRLF:\n%q", text)
	}
	var lines []string
	for _, l := range strings.Split(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(l) > 75 || !utf8.ValidString(l) {
			t.Fatalf("a line of %d octets, valid %t: %q", len(l), utf8.ValidString(l), l)
		}
		if rest, folded := strings.CutPrefix(l, " "); folded {
			lines[len(lines)-1] += rest
			continue
		}
		lines = append(lines, l)
	}
	var open []string
	for _, l := range lines {
		name, value, ok := strings.Cut(l, ":")
		if !ok {
			t.Fatalf("no content line: %q", l)
		}
		p := property{name: name, value: unescape(t, value)}
		p.name, p.params, _ = strings.Cut(name, ";")
		switch {
		case p.name == "BEGIN":
			open = append(open, value)
			if value == "VEVENT" {
				events = append(events, map[string]property{})
			}
		case p.name == "END":
			if len(open) == 0 || open[len(open)-1] != value {
				t.Fatalf("END:%s closes %v", value, open)
			}
			open = open[:len(open)-1]
		case len(open) == 1:
			head = append(head, p)
		default:
			e := events[len(events)-1]
			if _, twice := e[p.name]; twice {
				t.Fatalf("%s stands twice", p.name)
			}
			e[p.name] = p
		}
	}
	if len(open) != 0 {
		t.Fatalf("not closed: %v", open)
	}
	return head, events
}

func unescape(t *testing.T, s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\':
			b.WriteByte(s[i])
		case i+1 < len(s) && strings.IndexByte(`\;,`, s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		case i+1 < len(s) && (s[i+1] == 'n' || s[i+1] == 'N'):
			i++
			b.WriteByte('\n')
		default:
			t.Fatalf("a stray backslash in %q", s)
		}
	}
	return b.String()
}

func TestACalendarThatOthersRead(t *testing.T) {
	now := at("2026-03-10 08:00")
	long := strings.Repeat("上门服务，", 20) + `a;b\c`
	f := Feed{
		Name: "上门安排", Refresh: time.Hour, Keep: 30 * 24 * time.Hour,
		Entries: []Entry{
			{Visit: 9, Version: 2, Start: at("2026-03-11 09:00"), End: at("2026-03-11 11:00"), Changed: at("2026-03-09 10:00"), Summary: "上门 2/5"},
			{Visit: 10, Version: 1, Start: at("2026-03-12 00:30"), End: at("2026-03-12 01:00"), Changed: at("2026-03-09 10:00"), Summary: long},
			{Visit: 11, Version: 3, Start: at("2026-03-11 14:30"), End: at("2026-03-11 16:30"), Changed: at("2026-03-09 11:00"), Summary: "上门", Cancelled: true},
			{Visit: 12, Version: 1, Start: at("2026-02-01 14:30"), End: at("2026-02-01 16:30"), Changed: at("2026-02-01 09:00"), Summary: "上门", Cancelled: true},
			{Visit: 13, Version: 1, Start: at("2026-02-01 14:30"), End: at("2026-02-01 16:30"), Changed: at("2026-02-01 09:00"), Summary: "one\r\nEND:VEVENT"},
		},
	}
	body, err := f.Render(now)
	if err != nil {
		t.Fatal(err)
	}
	head, events := read(t, body)
	if got, want := fmt.Sprint(head), "[{VERSION  2.0} {PRODID  -//shaoying//feed//ZH} {CALSCALE  GREGORIAN} {METHOD  PUBLISH} {NAME  上门安排} "+
		"{X-WR-CALNAME  上门安排} {X-PUBLISHED-TTL  PT60M} {REFRESH-INTERVAL VALUE=DURATION PT60M}]"; got != want {
		t.Errorf("head\n%s\nwant\n%s", got, want)
	}
	if len(events) != 4 {
		t.Fatalf("%d events; the one cancelled a month ago is gone, the others are there", len(events))
	}
	for key, want := range map[string]string{
		"UID": "visit-9@shaoying", "DTSTAMP": "20260310T000000Z", "LAST-MODIFIED": "20260309T020000Z", "DTSTART": "20260311T010000Z",
		"DTEND": "20260311T030000Z", "SUMMARY": "上门 2/5", "CLASS": "PRIVATE", "STATUS": "CONFIRMED", "SEQUENCE": "4",
	} {
		if got := events[0][key].value; got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if len(events[0]) != 9 {
		t.Errorf("an event says more than it should: %v", events[0])
	}
	if got := events[1]["SUMMARY"].value; got != long {
		t.Errorf("a long summary became %q", got)
	}
	if got := events[1]["DTSTART"].value; got != "20260311T163000Z" { // the day before, in UTC
		t.Errorf("half past midnight became %s", got)
	}
	if e := events[2]; e["STATUS"].value != "CANCELLED" || e["SEQUENCE"].value != "7" {
		t.Errorf("cancelled: %v", e)
	}
	if got := events[3]["SUMMARY"].value; got != "one  END:VEVENT" {
		t.Errorf("a summary of two lines became %q", got)
	}
}

// A visit that goes to somebody else and comes back must never look older to a
// client than what it has.
func TestTheSequenceOnlyRises(t *testing.T) {
	last := -1
	for i, e := range []Entry{{Version: 1}, {Version: 2, Cancelled: true}, {Version: 3}, {Version: 3, Cancelled: true}} {
		e.Visit, e.Start, e.End, e.Changed = 9, at("2026-03-11 09:00"), at("2026-03-11 11:00"), at("2026-03-10 08:00")
		body, err := Feed{Name: "上门", Keep: time.Hour, Entries: []Entry{e}}.Render(at("2026-03-10 08:30"))
		if err != nil {
			t.Fatal(err)
		}
		var n int
		_, events := read(t, body)
		if _, err := fmt.Sscan(events[0]["SEQUENCE"].value, &n); err != nil || n <= last {
			t.Errorf("step %d: sequence %d after %d (%v)", i, n, last, err)
		}
		last = n
	}
}

func TestNoEventIsAnError(t *testing.T) {
	for _, e := range []Entry{
		{Visit: 0, Start: at("2026-03-11 09:00"), End: at("2026-03-11 11:00")},
		{Visit: 9, Start: at("2026-03-11 09:00"), End: at("2026-03-11 09:00")},
	} {
		if body, err := (Feed{Entries: []Entry{e}}).Render(at("2026-03-10 08:00")); err == nil {
			t.Errorf("rendered\n%s", body)
		}
	}
	if body, err := (Feed{}).Render(at("2026-03-10 08:00")); err != nil || !strings.Contains(string(body), "END:VCALENDAR") {
		t.Errorf("a visitor without visits: %v\n%s", err, body)
	}
}
