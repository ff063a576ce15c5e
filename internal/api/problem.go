package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
)

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// Problem is what a program gets when something is not done (RFC 9457). Type is
// "urn:shaoying:problem:" and Code.
type Problem struct {
	Type   string `json:"type" doc:"What kind of problem it is"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty" doc:"For people who look into it"`
	// Code is for programs: see the constants below.
	Code string `json:"code" doc:"unauthorized, forbidden, not_found, method, cursor, refused, in_flight, key_reused, invalid, too_large, media_type, too_many, failed"`
	// Rule names the rule of the ticket's life that refused, with code refused.
	Rule string `json:"rule,omitempty" doc:"With refused: which rule it was, such as state or not_your_desk"`
	// Allowed lists what this token may do with the ticket now.
	Allowed []string `json:"allowed,omitempty" doc:"With refused: the commands that this token may give now"`
	Errors  []Detail `json:"errors,omitempty" doc:"With invalid: what is wrong, and where"`

	headers http.Header
}

// Detail is one thing that is wrong with a request.
type Detail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

// The codes of problems.
const (
	codeUnauthorized = "unauthorized"
	codeForbidden    = "forbidden"
	codeNotFound     = "not_found"
	codeMethod       = "method"
	codeCursor       = "cursor"
	codeRefused      = "refused"
	codeInFlight     = "in_flight"
	codeKeyReused    = "key_reused"
	codeInvalid      = "invalid"
	codeTooLarge     = "too_large"
	codeMediaType    = "media_type"
	codeTooMany      = "too_many"
	codeFailed       = "failed"
)

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "urn:shaoying:problem:" + code, Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// Error implements error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders implements huma.HeadersError.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType implements huma.ContentTypeFilter.
func (*Problem) ContentType(string) string { return problemType }

// What handlers return.
var (
	errNotFound  = newProblem(http.StatusNotFound, codeNotFound, "there is nothing here for this token")
	errForbidden = newProblem(http.StatusForbidden, codeForbidden, "the role or the area of this token does not allow it")
	errCursor    = newProblem(http.StatusBadRequest, codeCursor, "the cursor is none of this list: leave it out to begin anew")
)

func invalid(where, what string) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, codeInvalid, "the request is not valid")
	p.Errors = []Detail{{Message: what, Location: where}}
	return p
}

// refusedProblem is a refusal of the rules.
func refusedProblem(r *ticket.Refused, allowed []string) *Problem {
	p := newProblem(http.StatusConflict, codeRefused, r.Error())
	_, p.Rule, _ = strings.Cut(r.Key, ".refused.")
	p.Allowed = allowed
	return p
}

// problem makes a problem of every error. What is no problem of the caller is
// logged and told without its reason.
func (a *API) problem(ctx context.Context, err error) error {
	var p *Problem
	var refused *ticket.Refused
	var ofCare *care.Refused
	switch {
	case err == nil:
		return nil
	case errors.As(err, &p):
		return p
	case errors.As(err, &ofCare):
		return refusedCare(ofCare)
	case errors.Is(err, homecare.ErrNotYours):
		return errNotFound
	case errors.As(err, &refused):
		return refusedProblem(refused, nil)
	case errors.Is(err, postgres.ErrChanged):
		return newProblem(http.StatusConflict, codeInFlight, "the ticket was changed at the same moment: try again")
	case ctx.Err() == nil:
		a.Gateway.Log.Error("a request to the API failed", "token", tokenOf(ctx).ID, "error", err)
	}
	p = newProblem(http.StatusServiceUnavailable, codeFailed, "it could not be done now, and nothing was: try again")
	p.headers = http.Header{"Retry-After": {"5"}}
	return p
}

// asProblem gives the problems that the framework finds our form. What was sent
// is not sent back.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code := codeInvalid
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		code = codeTooLarge
	case http.StatusUnsupportedMediaType, http.StatusNotAcceptable:
		code = codeMediaType
	case http.StatusInternalServerError:
		code = codeFailed
	}
	p := newProblem(m.Status, code, m.Detail)
	for _, e := range m.Errors {
		if e != nil {
			p.Errors = append(p.Errors, Detail{Message: e.Message, Location: e.Location})
		}
	}
	return p, nil
}

func problemSchema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[Problem](), true, "Problem")
}

// write sends a problem where no operation was found.
func (p *Problem) write(w http.ResponseWriter) {
	var body bytes.Buffer
	// A struct of strings and numbers can always be packed.
	_ = json.NewEncoder(&body).Encode(p)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body.Bytes()) // who has gone needs no answer
}

// nowhere answers what is no operation: 405 where the path is one and the
// method is not, else 404.
func (a *API) nowhere(w http.ResponseWriter, r *http.Request) {
	probe := &probe{header: http.Header{}}
	a.mux.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		newProblem(http.StatusMethodNotAllowed, codeMethod, "the methods are in the header Allow").write(w)
		return
	}
	newProblem(http.StatusNotFound, codeNotFound, "there is no such operation: see "+prefix+"/openapi.json").write(w)
}

// probe takes the answer of the multiplexer for what it does not know.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header         { return p.header }
func (p *probe) Write(b []byte) (int, error) { return len(b), nil }
func (p *probe) WriteHeader(status int)      { p.status = status }
