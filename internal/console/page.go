package console

import (
	"bytes"
	"crypto/rand"
	"errors"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
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
	// Trouble says why a form was not taken, Typed is what it held.
	Trouble string
	Typed   url.Values
	// Once is the word by which a form counts once.
	Once string
	Data any
}

// Was is what was typed into a field of a form that was not taken; else is what
// the field holds otherwise. The forms of a page are told apart by their name.
func (s sheet) Was(form, field, otherwise string) string {
	if s.Typed.Get("form") != form {
		return otherwise
	}
	return s.Typed.Get(field)
}

// Ticked reports whether a box of a form that was not taken was ticked.
func (s sheet) Ticked(form, field, value string) bool {
	return s.Typed.Get("form") == form && slices.Contains(s.Typed[field], value)
}

// Again reports whether a form is shown again.
func (s sheet) Again(form string) bool { return s.Typed.Get("form") == form }

// fieldSet is the fields of one form with what was typed into them, phoneForm
// the look at a number from the page of a ticket or of a task, careSheet the page of
// an application, a bed or a visit with its forms.
type (
	fieldSet struct {
		Sheet  sheet
		Form   string
		Fields []field
	}
	phoneForm struct {
		Ticket *ticketPage
		Task   int64
	}
	careSheet struct {
		Sheet sheet
		Page  any
	}
)

// words are the functions of the templates: texts of the catalogue by key.
func (c *Console) words() template.FuncMap {
	return template.FuncMap{
		"text": c.text,
		"when": func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			t = t.In(c.Location)
			return c.text("console.when", "month", strconv.Itoa(int(t.Month())), "day", strconv.Itoa(t.Day()), "clock", t.Format("15:04"))
		},
		"fields": func(s sheet, form string, list []field) fieldSet { return fieldSet{s, form, list} },
		"phone":  func(p *ticketPage, task int64) phoneForm { return phoneForm{p, task} },
		"hint": func(deed string) string {
			return c.textOr("console.hint."+deed, "")
		},
		"forms":    func(s sheet, page any) careSheet { return careSheet{s, page} },
		"carehint": func(deed string) string { return c.textOr("care.desk.hint."+deed, "") },
		"less":     func(n int) string { return strconv.Itoa(-n) },
		"next":     func(n int) string { return strconv.Itoa(n + 1) },
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

// textOr is a text of the catalogue, or other words where there is none.
func (c *Console) textOr(key, other string) string {
	if say := c.text(key); say != key {
		return say
	}
	return other
}

func (c *Console) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "page/desk.css")
}

func (c *Console) render(w http.ResponseWriter, status int, page string, staff people.Staff, data any) {
	c.write(w, status, page, sheet{Staff: staff.Name, Data: data})
}

// renderTyped is render for a page with forms: one that was not taken is shown
// with what was typed and with why.
func (c *Console) renderTyped(w http.ResponseWriter, status int, page string, v *visit, data any) {
	c.write(w, status, page, sheet{Staff: v.staff.Name, Data: data, Trouble: v.trouble, Typed: v.typed()})
}

func (c *Console) write(w http.ResponseWriter, status int, page string, s sheet) {
	var b bytes.Buffer
	s.Demo, s.Once = c.Demo, rand.Text()
	if err := c.pages.ExecuteTemplate(&b, page, s); err != nil {
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

// why says in words for staff why a form was not taken, empty where that is no
// matter of the form.
func (c *Console) why(err error) (say string, status int) {
	var refused *ticket.Refused
	var bad *badForm
	var held *care.Refused
	switch {
	case errors.As(err, &held):
		return c.careRefusal(held), http.StatusConflict
	case errors.As(err, &bad):
		return c.text(bad.key), http.StatusUnprocessableEntity
	case errors.As(err, &refused):
		return c.refusal(refused), http.StatusConflict
	}
	return "", 0
}

// refusal is the text of a refusal with what is allowed instead.
func (c *Console) refusal(r *ticket.Refused) string {
	values := maps.Clone(r.Params)
	if values == nil {
		values = map[string]string{}
	}
	states, names := "console.state.", "console.do."
	if strings.HasPrefix(r.Key, "whistle.") {
		states, names = "whistle.state.", "whistle.button."
	}
	if part := values["part"]; part != "" {
		values["state"] = c.text("whistle.part." + part)
	} else if state := values["state"]; state != "" {
		values["state"] = c.text(states + state)
	}
	var labels []string
	for _, name := range r.Allowed {
		if label := c.text(names + string(name)); label != names+string(name) {
			labels = append(labels, label)
		}
	}
	values["allowed"] = ""
	if len(labels) > 0 {
		values["allowed"] = c.text("console.may_do", "commands", strings.Join(labels, "、"))
	}
	say, err := c.Gateway.Library.Text(r.Key, lang, values)
	if err != nil {
		return c.text("console.problem.refused")
	}
	if !strings.Contains(say, values["allowed"]) {
		say += values["allowed"]
	}
	return say
}

// fail turns an error into an answer. What is not foreseen is logged.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	why, status := c.why(err)
	switch {
	case errors.Is(err, errNotHere), errors.Is(err, postgres.ErrNoRows):
		c.problem(w, http.StatusNotFound, "console.problem.none")
	case why != "":
		c.render(w, status, "problem", people.Staff{}, why)
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
