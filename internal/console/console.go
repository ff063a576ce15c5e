// Package console is the desk page /desk: what staff do that a chat is too
// narrow for, such as listening to a recording and writing it down.
//
// # A request
//
// Every route names nobody: the session says which member of the staff asks,
// their grants are read anew in the transaction of the request, and the rights
// decide before anything is loaded for showing. What somebody may not see and
// what does not exist get the same answer. A request is one turn of
// gateway.Desk; what it changes goes through workorder.Service, as in chat, so
// row, trail and clocks move together.
//
// # Getting in
//
// Link makes a link for one member of the staff, good once and for ten
// minutes. Opening it shows a button, and only the button uses the link up: a
// chat that fetches previews does not. A session ends by itself after half an
// hour in which nothing was done. Tables hold keyed hashes only.
//
// # Forms
//
// A form carries a word that nobody else has: sent twice it counts once, and
// both times it leads to the same page. A form that is not taken changes
// nothing; its page comes again with the reason, what is allowed instead and all
// that was typed (pictures have to be chosen again, browsers do not let a page
// fill them in). No page needs a script.
//
// # Failure
//
// A refusal of the rules and a missing right are plain words with what to do;
// everything else is logged without personal data and says to try again.
package console

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"time"

	"shaoying/bots"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/privacy"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

//go:embed page
var files embed.FS

// Deps is what the desk page stands on.
type Deps struct {
	Gateway *gateway.Gateway
	Orders  *workorder.Service
	Care    *homecare.Service
	Tally   *tally.Tally
	Units   *ticket.Units
	// Places returns the gazetteer as it is now.
	Places func() *people.Gazetteer
	// Guess and Filing read what a caller says as dialogues do; Safety knows
	// the words of danger.
	Guess  func(said string) ticket.Guess
	Filing func(t *gateway.Turn, fields map[string]any) workorder.Filing
	Safety *words.Safety
	// Photos cleans pictures that come with a form.
	Photos *privacy.PhotoCleaner
	// Phone is the account by which phone numbers are written to, "" for none.
	Phone bots.ChannelID
	// Location is the time zone in which times are shown.
	Location *time.Location
	// Demo puts the word 演示 on every page.
	Demo bool
	// Secure marks the session cookie for HTTPS alone.
	Secure bool
}

// Console serves the desk page. It is safe for use by many goroutines.
type Console struct {
	Deps
	pages *template.Template
}

// New reads the templates.
func New(deps Deps) (*Console, error) {
	if deps.Gateway == nil || deps.Orders == nil || deps.Units == nil || deps.Places == nil || deps.Photos == nil {
		return nil, errors.New("console: gateway, orders, units, places and photos are all needed")
	}
	if deps.Guess == nil || deps.Filing == nil || deps.Safety == nil {
		return nil, errors.New("console: guess, filing and safety are all needed, a clerk takes callers' tickets down with them")
	}
	deps.Location = cmp.Or(deps.Location, time.UTC)
	c := &Console{Deps: deps}
	var err error
	if c.pages, err = template.New("").Funcs(c.words()).ParseFS(files, "page/*.html"); err != nil {
		return nil, fmt.Errorf("console: read the templates: %w", err)
	}
	return c, nil
}

// Routes mounts the page below /desk.
func (c *Console) Routes(mux *http.ServeMux) {
	guard := http.NewCrossOriginProtection()
	upTo := func(limit int64, pattern string, h http.HandlerFunc) {
		mux.Handle(pattern, guard.Handler(shield(limit, h)))
	}
	handle := func(pattern string, h http.HandlerFunc) { upTo(maxForm, pattern, h) }
	handle("GET /desk/style.css", c.style)
	handle("GET /desk/in/{token}", c.door)
	handle("POST /desk/in/{token}", c.enter)
	handle("POST /desk/out", c.leave)
	handle("GET /desk", c.staff(c.list))
	handle("GET /desk/ticket/{id}", c.staff(c.showTicket))
	handle("POST /desk/ticket/{id}/phone", c.staff(c.lookAtPhone))
	handle("POST /desk/ticket/{id}/note", c.form(c.addNote, c.showTicket))
	upTo(maxUpload, "POST /desk/ticket/{id}/do/{deed}", c.form(c.doDeed, c.showTicket))
	handle("GET /desk/file/{ticket}/{blob}", c.staff(c.file))
	handle("GET /desk/task/{id}", c.staff(c.showTask))
	upTo(maxUpload, "POST /desk/task/{id}", c.form(c.doTask, c.showTask))
	handle("GET /desk/whistle/{id}", c.staff(c.showWhistle))
	handle("GET /desk/whistle/{id}/file/{blob}", c.staff(c.whistleFile))
	upTo(maxUpload, "POST /desk/whistle/{id}/do/{deed}", c.form(c.doWhistle, c.showWhistle))
	handle("GET /desk/new", c.staff(c.newTicket))
	handle("POST /desk/new", c.form(c.fileCaller, c.newTicket))
	handle("GET /desk/filed/{id}", c.staff(c.filed))
	c.careRoutes(handle, func(pattern string, h http.HandlerFunc) { upTo(maxUpload, pattern, h) })
	handle("GET /desk/people", c.staff(c.people))
	handle("POST /desk/people", c.staff(c.findPeople))
	handle("POST /desk/people/merge", c.form(c.mergePeople, c.people))
	handle("GET /desk/person/{id}", c.staff(c.showPerson))
	handle("POST /desk/person/{id}/part", c.form(c.partPerson, c.showPerson))
	handle("GET /desk/dead", c.staff(c.deadLetters))
	handle("POST /desk/dead/{id}", c.form(c.replay, c.deadLetters))
	handle("GET /desk/channels", c.staff(c.logins))
	handle("POST /desk/channels/{id}", c.form(c.lookAtCode, c.logins))
	handle("GET /desk/channels/{id}", c.staff(c.showCode))
	handle("GET /desk/channels/{id}/code.png", c.staff(c.codePicture))
}

// shield sets the headers that every answer carries.
func shield(limit int64, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next(w, r)
	})
}
