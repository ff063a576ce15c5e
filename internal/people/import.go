package people

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// RowError is one row that cannot be imported.
type RowError struct {
	Line   int // in the file, counted from 1, the header included
	Reason string
}

// ImportError lists every bad row of a file. Nothing of the file is imported.
type ImportError struct {
	File string
	Rows []RowError
}

// Error lists the rows, one on each line.
func (e *ImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: nothing imported, %d bad row(s):", e.File, len(e.Rows))
	for _, r := range e.Rows {
		fmt.Fprintf(&b, "\n  line %d: %s", r.Line, r.Reason)
	}
	return b.String()
}

// table is a CSV file with a header.
type table struct {
	file   string
	header []string
	rows   []row
	bad    []RowError
}

// row is one line by column name.
type row struct {
	line   int
	values map[string]string
}

// get returns the trimmed value of a column, "" when the file lacks it.
func (r row) get(column string) string { return strings.TrimSpace(r.values[column]) }

// readTable reads the whole file. Columns beyond the known ones are refused:
// a misspelt column would otherwise be silently empty.
func readTable(file string, body []byte, required, optional []string) (*table, error) {
	t := &table{file: file}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if line, ok := firstBadUTF8(body); !ok {
		t.fail(line, "not UTF-8 (GBK from Excel?): save the file as \"CSV UTF-8\" and import it again")
		return nil, t.err()
	}
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil {
		t.fail(1, "no header line; expected columns "+strings.Join(required, ","))
		return nil, t.err()
	}
	for _, column := range header {
		t.header = append(t.header, strings.TrimSpace(column))
	}
	t.checkHeader(required, optional)
	if len(t.bad) > 0 {
		return nil, t.err()
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if parse := new(csv.ParseError); errors.As(err, &parse) {
			t.fail(parse.Line, parse.Err.Error())
			break // what follows a broken quote cannot be told apart
		} else if err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if len(record) != len(t.header) {
			t.fail(line, fmt.Sprintf("%d columns, the header has %d", len(record), len(t.header)))
			continue
		}
		values := make(map[string]string, len(record))
		for i, v := range record {
			values[t.header[i]] = v
		}
		t.rows = append(t.rows, row{line, values})
	}
	if len(t.rows) == 0 && len(t.bad) == 0 {
		t.fail(1, "no rows below the header")
	}
	return t, nil
}

func (t *table) checkHeader(required, optional []string) {
	for _, column := range required {
		if !slices.Contains(t.header, column) {
			t.fail(1, fmt.Sprintf("column %q is missing; expected %s", column, strings.Join(required, ",")))
		}
	}
	for i, column := range t.header {
		switch {
		case slices.Contains(t.header[:i], column):
			t.fail(1, fmt.Sprintf("column %q stands twice", column))
		case !slices.Contains(required, column) && !slices.Contains(optional, column):
			t.fail(1, fmt.Sprintf("column %q is unknown; known are %s", column, strings.Join(append(slices.Clone(required), optional...), ",")))
		}
	}
}

func firstBadUTF8(body []byte) (line int, ok bool) {
	if utf8.Valid(body) {
		return 0, true
	}
	for i, l := range bytes.Split(body, []byte("\n")) {
		if !utf8.Valid(l) {
			return i + 1, false
		}
	}
	return 1, false
}

// columns reads just the header, to tell kinds of file apart.
func columns(body []byte) []string {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	first, _, _ := strings.Cut(string(body), "\n")
	var names []string
	for name := range strings.SplitSeq(first, ",") {
		names = append(names, strings.Trim(strings.TrimSpace(name), `"`))
	}
	return names
}

func (t *table) fail(line int, reason string) { t.bad = append(t.bad, RowError{line, reason}) }

// err returns the bad rows in the order of the file, or nil.
func (t *table) err() error {
	if len(t.bad) == 0 {
		return nil
	}
	slices.SortStableFunc(t.bad, func(a, b RowError) int { return a.Line - b.Line })
	return &ImportError{File: t.file, Rows: t.bad}
}

// checkName refuses what cannot be a name.
func (t *table) checkName(r row, column string) string {
	name := r.get(column)
	switch {
	case name == "":
		t.fail(r.line, column+" is empty")
	case utf8.RuneCountInString(name) > maxNameRunes:
		t.fail(r.line, fmt.Sprintf("%s is longer than %d characters", column, maxNameRunes))
	case strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == utf8.RuneError }):
		t.fail(r.line, column+" holds control characters")
	}
	return name
}

// maxNameRunes bounds names: longer ones are a shifted column.
const maxNameRunes = 60
