package api

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// Paging is the part of every list's input.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"64" doc:"next of the page before; nothing for the first page"`
	Limit  int    `query:"limit" minimum:"1" doc:"how many rows are looked at"`
}

// Page is one part of a list.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next is missing on the last page. A page may hold fewer items than its
	// limit and still have a next one.
	Next string `json:"next,omitempty" doc:"the cursor of the next page; missing on the last one"`
}

// rows is how many rows a page looks at.
func (a *API) rows(p Paging) int {
	if p.Limit == 0 {
		return a.Policy.Page.Usual
	}
	return min(p.Limit, a.Policy.Page.Max)
}

// cursorOf writes where a list goes on: its name, and the last row read.
func cursorOf(list string, at int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(list + ":" + strconv.FormatInt(at, 10)))
}

// at reads a cursor of a list; first is where the list begins.
func (p Paging) at(list string, first int64) (int64, error) {
	if p.Cursor == "" {
		return first, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(p.Cursor)
	if err != nil {
		return 0, errCursor
	}
	digits, ok := strings.CutPrefix(string(raw), list+":")
	at, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || at < 0 || cursorOf(list, at) != p.Cursor {
		return 0, errCursor
	}
	return at, nil
}

// pageOf is a page of a list that is held in memory.
func pageOf[T any](all []T, list string, from int64, rows int) *Page[T] {
	p := &Page[T]{Items: []T{}}
	if from < int64(len(all)) {
		to := min(from+int64(rows), int64(len(all)))
		p.Items = append(p.Items, all[from:to]...)
		if to < int64(len(all)) {
			p.Next = cursorOf(list, to)
		}
	}
	return p
}
