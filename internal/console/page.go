package console

import (
	"bytes"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// lang is the language of the desk.
const lang = "zh-Hans"

// sheet is what every template gets.
type sheet struct {
	Demo  bool
	Staff string
	Data  any
}

// words are the functions of the templates: texts of the catalogue by key.
func (c *Console) words() template.FuncMap {
	return template.FuncMap{
		"text": c.text,
		"when": func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.In(c.Location).Format("01-02 15:04")
		},
		"matter": func(code string) string {
			m, _ := c.Orders.Matters.Get(code)
			return m.Name
		},
	}
}

// text is a text of the catalogue with pairs of name and value; a key that has
// none is shown as it is, so that a page never breaks for want of a word.
func (c *Console) text(key string, pairs ...string) string {
	params := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		params[pairs[i]] = pairs[i+1]
	}
	s, err := c.Gateway.Library.Text(key, lang, params)
	if err != nil {
		return key
	}
	return s
}

func (c *Console) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "page/desk.css")
}

func (c *Console) render(w http.ResponseWriter, status int, page string, staff people.Staff, data any) {
	var b bytes.Buffer
	if err := c.pages.ExecuteTemplate(&b, page, sheet{Demo: c.Demo, Staff: staff.Name, Data: data}); err != nil {
		c.Gateway.Log.Error("make a desk page", "page", page, "error", privacy.Scrub(err.Error()))
		http.Error(w, c.text("console.problem.trouble"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}

// problem says in plain words what is wrong and what to do.
func (c *Console) problem(w http.ResponseWriter, status int, key string, pairs ...string) {
	c.render(w, status, "problem", people.Staff{}, c.text(key, pairs...))
}

// fail turns an error into an answer. What is not foreseen is logged.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	var refused *ticket.Refused
	switch {
	case errors.Is(err, errNotHere), errors.Is(err, postgres.ErrNoRows):
		c.problem(w, http.StatusNotFound, "console.problem.none")
	case errors.Is(err, errForm):
		c.problem(w, http.StatusUnprocessableEntity, "console.problem.form")
	case errors.As(err, &refused):
		pairs := []string{}
		for _, k := range slices.Sorted(maps.Keys(refused.Params)) {
			pairs = append(pairs, k, refused.Params[k])
		}
		say := c.text(refused.Key, pairs...)
		if say == refused.Key {
			say = c.text("console.problem.refused")
		}
		c.render(w, http.StatusConflict, "problem", people.Staff{}, say)
	default:
		c.Gateway.Log.Error("a request of the desk", "route", r.Pattern, "error", privacy.Scrub(err.Error()))
		c.problem(w, http.StatusInternalServerError, "console.problem.trouble")
	}
}

// serveFile answers with a stored file, in ranges where a player asks for them.
func serveFile(w http.ResponseWriter, r *http.Request, a answer) {
	mime, _, _ := strings.Cut(a.mime, ";")
	if !strings.HasPrefix(mime, "image/") && !strings.HasPrefix(mime, "audio/") && !strings.HasPrefix(mime, "video/") || mime == "image/svg+xml" {
		mime = "application/octet-stream"
	}
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Disposition", "inline")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.file))
}
