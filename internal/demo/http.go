package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"shaoying/bots/webchat"
)

// maxBody is the largest request to the clock, and maxQuery the longest search
// in runes.
const (
	maxBody  = 4 << 10
	maxQuery = 30
)

// Routes mounts the console:
//
//	GET  /demo               the page; ?q= searches staff
//	GET  /demo/live          its changing part
//	POST /demo/clock         form go=next|1h|24h, then back to the page
//	     /demo/as/{staff}/…  the chat page as that member of the staff
//	POST /api/v1/demo/clock  {"advance":"36h"} or {"next":true}; 200 Journey
func (c *Console) Routes(mux *http.ServeMux) {
	chat := c.Web.Mounted(c.Sink, webchat.Mount{
		Prefix: "/demo/as/{staff}", Cookie: "shaoying_demo",
		Visitor: func(r *http.Request) (webchat.Visitor, bool) { return c.seat(r.Context(), r.PathValue("staff")) },
	})
	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c.problem(w, http.StatusForbidden, "the request comes from another site")
	}))
	for pattern, h := range map[string]http.Handler{
		"GET /demo":                c.show("page"),
		"GET /demo/{$}":            c.show("page"),
		"GET /demo/live":           c.show("live"),
		"GET /demo/assets/{asset}": http.HandlerFunc(c.asset),
		"POST /demo/clock":         http.HandlerFunc(c.pressed),
		"POST /api/v1/demo/clock":  http.HandlerFunc(c.called),
	} {
		mux.Handle(pattern, c.local(secured(foreign.Handler(h))))
	}
	mux.Handle("/demo/as/", c.local(chat))
}

// local answers this machine only. The name is looked at too, so that no
// foreign page can reach the demo under a name of its own (DNS rebinding).
func (c *Console) local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback(r.RemoteAddr) || !loopback(r.Host) {
			c.problem(w, http.StatusForbidden, "the demo answers on this machine only: open http://127.0.0.1")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// loopback reports whether host, or host:port, is this machine.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		host = addr
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// secured keeps a browser from doing more with our answers than we mean.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "+
			"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// show renders one of the templates.
func (c *Console) show(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := strings.TrimSpace(r.URL.Query().Get("q"))
		if !utf8.ValidString(query) || strings.ContainsRune(query, 0) || utf8.RuneCountInString(query) > maxQuery {
			c.problem(w, http.StatusBadRequest, fmt.Sprintf("search for at most %d characters of UTF-8", maxQuery))
			return
		}
		v, err := c.look(r.Context(), query)
		var out bytes.Buffer
		if err == nil {
			err = c.page.ExecuteTemplate(&out, name, v)
		}
		if err != nil {
			c.Log.Error("the demo's page could not be made", "error", err)
			c.problem(w, http.StatusServiceUnavailable, "the page could not be made, please try again")
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Language", "zh-Hans")
		c.write(w, http.StatusOK, out.Bytes())
	})
}

// asset serves a file of the page.
func (c *Console) asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("asset")
	body, err := fs.ReadFile(pageFiles, "page/"+name)
	if err != nil || strings.HasSuffix(name, ".html") {
		c.problem(w, http.StatusNotFound, "no such file")
		return
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
}

// pressed is a button of the page.
func (c *Console) pressed(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	var o order
	switch r.PostFormValue("go") {
	case "next":
		o.Next = true
	case "1h", "24h":
		o.Advance = r.PostFormValue("go")
	default:
		c.problem(w, http.StatusBadRequest, "go must be next, 1h or 24h")
		return
	}
	if _, err := c.travel(r, o); err != nil {
		c.Log.Error("the demo's clock could not be moved", "error", err)
		c.problem(w, http.StatusServiceUnavailable, c.texts.Texts["failed"])
		return
	}
	http.Redirect(w, r, "/demo", http.StatusSeeOther)
}

// order is what a caller wants of the clock.
type order struct {
	Advance string `json:"advance"`
	Next    bool   `json:"next"`
}

// called is the clock for programs.
func (c *Console) called(w http.ResponseWriter, r *http.Request) {
	o, err := readOrder(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		c.problem(w, http.StatusBadRequest, err.Error())
		return
	}
	j, err := c.travel(r, o)
	switch {
	case errors.Is(err, ErrBackwards), errors.Is(err, ErrTooFar), errors.Is(err, errOrder):
		c.problem(w, http.StatusUnprocessableEntity, err.Error())
	case err != nil:
		c.Log.Error("the demo's clock could not be moved", "error", err)
		c.problem(w, http.StatusServiceUnavailable, "the clock could not be moved, please try again")
	default:
		c.json(w, "application/json", http.StatusOK, j)
	}
}

var errOrder = errors.New(`give either {"advance":"36h"} or {"next":true}`)

// readOrder reads one JSON object with known members only.
func readOrder(body io.Reader) (order, error) {
	var o order
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return o, fmt.Errorf("%w: %w", errOrder, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return o, fmt.Errorf("%w, and nothing behind it", errOrder)
	}
	if o.Next == (o.Advance != "") {
		return o, errOrder
	}
	return o, nil
}

// travel does an order and remembers the journey for the page.
func (c *Console) travel(r *http.Request, o order) (Journey, error) {
	var j Journey
	var err error
	if o.Next {
		j, err = c.traveller.Next(r.Context())
	} else {
		d, bad := time.ParseDuration(o.Advance)
		if bad != nil {
			return j, fmt.Errorf("%w: advance is a duration such as 90m or 36h: %w", errOrder, bad)
		}
		j, err = c.traveller.Advance(r.Context(), d)
	}
	if err == nil {
		c.remember(j)
	}
	return j, err
}

// problem answers with RFC 9457 problem JSON.
func (c *Console) problem(w http.ResponseWriter, status int, detail string) {
	c.json(w, "application/problem+json", status, map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func (c *Console) json(w http.ResponseWriter, kind string, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		c.Log.Error("an answer could not be packed", "error", err)
		status, body = http.StatusInternalServerError, []byte(`{}`)
	}
	w.Header().Set("Content-Type", kind)
	c.write(w, status, body)
}

func (c *Console) write(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		c.Log.Debug("a demo page was not read to its end", "error", err)
	}
}
