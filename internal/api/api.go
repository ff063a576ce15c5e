// Package api is what other programs speak with: /api/v1, described by the
// OpenAPI document at /api/v1/openapi.json. A city's 12345 platform files into
// Shaoying with it and follows what becomes of it.
//
// # Who asks
//
// A program holds a bearer token, which is one role in one area. It stands like
// a colleague with that one grant: people.Rights decides, workorder.Service moves
// the tickets, and the trail names the token. What a token may not see and what
// does not exist get the same answer.
//
// # A request
//
// One request is one turn of gateway.Desk, like one of the desk page. A write
// carries an Idempotency-Key; its answer is kept in the same transaction, so a
// repeated write is answered again and done once. A write that was refused has
// done nothing and keeps nothing: repeated, it is judged anew.
//
// # Whom a ticket is from
//
// A person whom a program files for is a person of that token's own, known to it
// by telephone number and never taken for somebody who speaks to us by chat. Such
// a person is called back by telephone or by the program, never written to. No
// answer holds a whole telephone number.
//
// # Failure
//
// Everything that goes wrong is a problem document (RFC 9457); see Problem.
package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"golang.org/x/time/rate"

	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/privacy"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
	"shaoying/internal/webhook"
	"shaoying/internal/workorder"
)

// Deps is what the API stands on.
type Deps struct {
	Gateway *gateway.Gateway
	Orders  *workorder.Service
	Care    *homecare.Service
	Units   *ticket.Units
	Safety  *words.Safety
	// Places returns the gazetteer as it is now.
	Places func() *people.Gazetteer
	// Filing reads a report as the dialogues do: matter, claim, protection, and
	// whom it is about.
	Filing func(t *gateway.Turn, args map[string]any) workorder.Filing
	Hooks  *webhook.Sender
	Photos *privacy.PhotoCleaner
	Tally  *tally.Tally
	Policy Policy
}

// API serves /api/v1. It is safe for use by many goroutines.
type API struct {
	Deps
	huma   huma.API
	mux    *http.ServeMux
	offers []offer
	// offered are the commands of family beds that have an operation: "bed.open".
	offered map[string]bool
	mu      sync.Mutex
	limits  map[int64]*rate.Limiter
	// uploads has a place for every photo that may be taken in at the same time.
	uploads chan struct{}
}

// prefix is where the API is mounted.
const prefix = "/api/v1"

// New makes the API with all its operations.
func New(deps Deps) (*API, error) {
	if deps.Gateway == nil || deps.Orders == nil || deps.Care == nil || deps.Units == nil || deps.Safety == nil || deps.Places == nil ||
		deps.Filing == nil || deps.Hooks == nil || deps.Photos == nil || deps.Tally == nil {
		return nil, errors.New("api: everything in Deps is needed")
	}
	a := &API{Deps: deps, mux: http.NewServeMux(), limits: map[int64]*rate.Limiter{}, offered: map[string]bool{}, uploads: make(chan struct{}, deps.Policy.Photos.AtOnce)}
	cfg := huma.DefaultConfig("Shaoying", "1")
	cfg.CreateHooks = nil // no $schema members and links in answers
	cfg.DocsPath, cfg.SchemasPath = "", ""
	cfg.RejectUnknownQueryParameters = true
	cfg.Servers = []*huma.Server{{URL: prefix}}
	cfg.Transformers = []huma.Transformer{asProblem}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	cfg.Security = []map[string][]string{{"token": {}}}
	a.huma = humago.NewWithPrefix(a.mux, prefix, cfg)
	a.huma.UseMiddleware(a.authenticate)
	a.tickets()
	a.commands()
	a.oversight()
	a.photoOps()
	a.whistles()
	a.topics()
	a.figures()
	a.beds()
	a.lists()
	a.hooks()
	return a, nil
}

// Routes mounts the API below /api/v1.
func (a *API) Routes(mux *http.ServeMux) {
	mux.HandleFunc(prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		r.Body = http.MaxBytesReader(w, r.Body, max(a.Policy.Body.MaxBytes, a.maxUpload())+1) // each operation has its own limit below
		if _, pattern := a.mux.Handler(r); pattern == "" {
			a.nowhere(w, r)
			return
		}
		a.mux.ServeHTTP(w, r)
	})
}

// visit is one request of a program.
type visit struct {
	*gateway.Turn
	staff people.Staff
}

// may asks the rights.
func (v *visit) may(a *API, c people.StaffCommand, o *workorder.Order) bool {
	return a.Orders.May(v.staff, c, o, v.Now)
}

// holds reports whether the role of the token may give a command anywhere.
func (v *visit) holds(a *API, c people.StaffCommand) bool {
	for _, g := range v.staff.Grants {
		for _, r := range a.Orders.Rights.Commands[c] {
			if r == g.Role {
				return true
			}
		}
	}
	return false
}

// area is where the token's role holds.
func (v *visit) area() people.Area { return v.staff.Grants[0].Area }

// turn runs f as a turn of the token that the request came with.
func (a *API) turn(ctx context.Context, f func(ctx context.Context, v *visit) error) error {
	k := tokenOf(ctx)
	err := a.Gateway.Desk(ctx, k.StaffID, k.PersonID, func(ctx context.Context, t *gateway.Turn) error {
		t.Token = k.ID
		return f(ctx, &visit{Turn: t, staff: k.staff()})
	})
	return a.problem(ctx, err)
}

// reply is the answer of an operation as huma wants it.
type reply[O any] struct{ Body *O }

// read registers an operation that changes nothing, or may be repeated. may is the right without
// which nothing is answered, empty for what every token may read.
func read[I, O any](a *API, op huma.Operation, may people.StaffCommand, f func(ctx context.Context, v *visit, in *I) (*O, error)) {
	a.describe(&op)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*reply[O], error) {
		var out *O
		err := a.turn(ctx, func(ctx context.Context, v *visit) (err error) {
			if may != "" && !v.holds(a, may) {
				return errForbidden
			}
			out, err = f(ctx, v, in)
			return err
		})
		return &reply[O]{out}, err
	})
}

// describe adds what all operations have in common.
func (a *API) describe(op *huma.Operation) {
	op.MaxBodyBytes = a.Policy.Body.MaxBytes
	schema := a.huma.OpenAPI().Components.Schemas
	op.Responses = map[string]*huma.Response{"default": {
		Description: "A problem (RFC 9457)",
		Content:     map[string]*huma.MediaType{problemType: {Schema: problemSchema(schema)}},
	}}
}

// get and post are operations by their path.
func get(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary}
}

func post(id, path, summary string, status int) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, DefaultStatus: status}
}

// wrap says what was being done, and leaves nil alone.
func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
