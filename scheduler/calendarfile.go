package scheduler

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// RowError is one row of a file that cannot be taken.
type RowError struct {
	Where  string // "line 3" or "days[2]"
	Reason string
}

// RowErrors lists every bad row of a file. When there is one, nothing of the
// file is taken.
type RowErrors []RowError

func (e RowErrors) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d bad rows, nothing was taken", len(e))
	for _, r := range e {
		fmt.Fprintf(&b, "\n%s: %s", r.Where, r.Reason)
	}
	return b.String()
}

// maxCalendarBytes bounds an uploaded calendar; ten years have some 20 KB.
const maxCalendarBytes = 1 << 20

// ParseCalendarCSV reads lines "date,kind,name" under that heading, as UTF-8
// with or without byte order mark. source is kept with each day. Bad rows give
// RowErrors.
func ParseCalendarCSV(source string, body []byte) ([]Day, error) {
	if err := checkCalendarBody(body); err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord = -1
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("calendar is empty; the first line must be date,kind,name")
	}
	if err != nil || !slices.Equal(head, []string{"date", "kind", "name"}) {
		return nil, fmt.Errorf("first line of the calendar is %q; it must be date,kind,name", strings.Join(head, ","))
	}
	list := dayList{source: source, seen: map[Date]string{}}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return list.done()
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			// After a broken quote the reader cannot find the next row.
			list.refuse(fmt.Sprintf("line %d", bad.StartLine), bad.Err.Error())
			return list.done()
		}
		line, _ := r.FieldPos(0)
		where := fmt.Sprintf("line %d", line)
		if len(row) != 3 {
			list.refuse(where, fmt.Sprintf("%d columns; there must be 3: date,kind,name", len(row)))
			continue
		}
		list.add(where, row[0], DayKind(row[1]), row[2])
	}
}

// ParseHolidayCN reads one year in the JSON form of NateScarlet/holiday-cn
// ({"year","papers","days":[{"name","date","isOffDay"}]}). Days of a
// neighbouring year, which a notice may name, are taken too. source is kept
// with each day, followed by the file's first paper. A year without days, as
// stored before the notice is out, is an error.
func ParseHolidayCN(source string, body []byte) ([]Day, error) {
	if err := checkCalendarBody(body); err != nil {
		return nil, err
	}
	var file struct {
		Schema string   `json:"$schema"`
		ID     string   `json:"$id"`
		Year   int      `json:"year"`
		Papers []string `json:"papers"`
		Days   []struct {
			Name     string `json:"name"`
			Date     string `json:"date"`
			IsOffDay *bool  `json:"isOffDay"`
		} `json:"days"`
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&file); err != nil {
		return nil, fmt.Errorf("calendar is not in the holiday-cn form: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("calendar has something behind its JSON object; one file holds one year")
	}
	if len(file.Days) == 0 {
		return nil, fmt.Errorf("calendar of %d has no days; the notice for that year is not in it yet", file.Year)
	}
	if len(file.Papers) > 0 {
		source += " " + file.Papers[0]
	}
	list := dayList{source: source, seen: map[Date]string{}}
	for i, d := range file.Days {
		where := fmt.Sprintf("days[%d]", i)
		if d.IsOffDay == nil {
			list.refuse(where, "isOffDay is missing")
			continue
		}
		kind := Workday
		if *d.IsOffDay {
			kind = Holiday
		}
		if n := len(list.days); list.add(where, d.Date, kind, d.Name) {
			if year := list.days[n].Date.Year; year < file.Year-1 || year > file.Year+1 {
				list.refuse(where, fmt.Sprintf("%s does not belong to the notice of %d", d.Date, file.Year))
			}
		}
	}
	return list.done()
}

func checkCalendarBody(body []byte) error {
	if len(body) > maxCalendarBytes {
		return fmt.Errorf("calendar has %d bytes; at most %d are taken", len(body), maxCalendarBytes)
	}
	if !utf8.Valid(body) {
		return errors.New("calendar is not UTF-8; save it as UTF-8 and import it again")
	}
	return nil
}

// dayList collects days and the rows that are wrong.
type dayList struct {
	source string
	days   []Day
	bad    RowErrors
	seen   map[Date]string
}

func (l *dayList) refuse(where, reason string) {
	l.bad = append(l.bad, RowError{where, reason})
}

func (l *dayList) add(where, date string, kind DayKind, name string) bool {
	d, err := ParseDate(date)
	if err != nil {
		l.refuse(where, err.Error())
		return false
	}
	weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
	first, twice := l.seen[d]
	switch {
	case d.Year < 2000 || d.Year > 2100:
		l.refuse(where, fmt.Sprintf("year %d is not between 2000 and 2100", d.Year))
	case kind != Holiday && kind != Workday && kind != Provisional:
		l.refuse(where, fmt.Sprintf("kind %q; it must be holiday, workday or provisional", kind))
	case kind == Workday && !weekend:
		l.refuse(where, fmt.Sprintf("%s is a %s; only a Saturday or Sunday can be a make-up workday", d, d.Weekday()))
	case twice:
		l.refuse(where, fmt.Sprintf("%s stands already at %s", d, first))
	case name == "" || utf8.RuneCountInString(name) > 40 || strings.ContainsFunc(name, unicode.IsControl):
		l.refuse(where, "name must have 1 to 40 characters and no control characters")
	default:
		l.seen[d] = where
		l.days = append(l.days, Day{d, kind, name, l.source})
		return true
	}
	return false
}

func (l *dayList) done() ([]Day, error) {
	if len(l.bad) > 0 {
		return nil, l.bad
	}
	return l.days, nil
}
