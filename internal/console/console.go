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

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

//go:embed page
var files embed.FS

// Deps is what the desk page stands on.
type Deps struct {
	Gateway *gateway.Gateway
	Orders  *workorder.Service
	Units   *ticket.Units
	// Places returns the gazetteer as it is now.
	Places func() *people.Gazetteer
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
	if deps.Gateway == nil || deps.Orders == nil || deps.Units == nil || deps.Places == nil {
		return nil, errors.New("console: gateway, orders, units and places are all needed")
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
	handle := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, guard.Handler(shield(h))) }
	handle("GET /desk/style.css", c.style)
	handle("GET /desk/in/{token}", c.door)
	handle("POST /desk/in/{token}", c.enter)
	handle("POST /desk/out", c.leave)
	handle("GET /desk", c.staff(c.list))
	handle("GET /desk/ticket/{id}", c.staff(c.showTicket))
	handle("POST /desk/ticket/{id}/phone", c.staff(c.lookAtPhone))
	handle("GET /desk/file/{ticket}/{blob}", c.staff(c.file))
	handle("GET /desk/task/{id}", c.staff(c.showTask))
	handle("POST /desk/task/{id}", c.staff(c.doTask))
}

// shield sets the headers that every answer carries.
func shield(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'self'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next(w, r)
	})
}

// maxForm bounds what a form may carry, in bytes.
const maxForm = 64 << 10
