package console

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"
)

// cursor is where a page ends: the deadline and the id of its last row.
type cursor struct {
	due time.Time
	id  int64
}

func (k cursor) String() string {
	return strconv.FormatInt(k.due.UnixMicro(), 10) + "." + strconv.FormatInt(k.id, 10)
}

func (k cursor) compare(o cursor) int {
	return cmp.Or(k.due.Compare(o.due), cmp.Compare(k.id, o.id))
}

func (k cursor) after(o cursor) bool { return k.compare(o) > 0 }

// parseCursors reads n cursors; none is before everything.
func parseCursors(s string, n int) ([]cursor, error) {
	list := make([]cursor, n)
	parts := strings.Split(s, "-")
	for i := range list {
		if s == "" {
			list[i].due = time.Unix(0, 0)
			continue
		}
		if len(parts) != n {
			return nil, errForm
		}
		at, id, _ := strings.Cut(parts[i], ".")
		micro, err := strconv.ParseInt(at, 10, 64)
		row, err2 := strconv.ParseInt(id, 10, 64)
		if err := errors.Join(err, err2); err != nil {
			return nil, errForm
		}
		list[i] = cursor{time.UnixMicro(micro), row}
	}
	return list, nil
}

// item is a row of one of the lists that make up a page; line is nil for what
// who asks may not see.
type item struct {
	line *line
	at   cursor
}

// work lists what waits for who holds a role, by deadline: tasks, whistles, and
// what lies on desks. Each of the three is read from where the last page left
// it.
func (c *Console) work(ctx context.Context, v *visit, p *listPage, t tab) error {
	read := []func(context.Context, *visit, *listPage, tab, cursor) ([]item, error){c.tasks, c.whistles, c.tickets}
	from, err := parseCursors(v.r.FormValue("after"), len(read))
	if err != nil {
		return err
	}
	lists := make([][]item, len(read))
	full := make([]bool, len(read))
	for i := range read {
		if lists[i], err = read[i](ctx, v, p, t, from[i]); err != nil {
			return err
		}
		full[i] = len(lists[i]) == pageRows
	}
	for len(p.Lines) < pageRows {
		next := -1
		for i, list := range lists {
			switch {
			case len(list) == 0 && full[i]: // what comes next is not known
				p.more(joined(from))
				return nil
			case len(list) > 0 && (next < 0 || list[0].at.due.Before(lists[next][0].at.due)):
				next = i
			}
		}
		if next < 0 {
			return nil
		}
		it := lists[next][0]
		lists[next], from[next] = lists[next][1:], it.at
		if it.line != nil {
			p.Lines = append(p.Lines, *it.line)
		}
	}
	for i, list := range lists {
		if len(list) > 0 || full[i] {
			p.more(joined(from))
			return nil
		}
	}
	return nil
}

func joined(list []cursor) string {
	parts := make([]string, len(list))
	for i, k := range list {
		parts[i] = k.String()
	}
	return strings.Join(parts, "-")
}
