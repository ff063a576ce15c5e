package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// What a photo of a ticket shows, as in ticket_file.use.
const (
	useReport   = "report"   // what was reported
	useEvidence = "evidence" // what the desk did
)

// uploadTimeout is how long the bytes of one photo may take: the server's own
// limit for a request.
const uploadTimeout = time.Minute

func (a *API) photoOps() {
	read(a, get("listPhotos", "/tickets/{number}/photos", "The photos of a ticket"), people.MayViewTicket, a.listPhotos)

	add := post("addPhoto", "/tickets/{number}/photos", "Add a photo: of the work from the desk that has the lead, else of what was reported", http.StatusCreated)
	a.describe(&add)
	add.MaxBodyBytes, add.BodyReadTimeout = a.maxUpload(), uploadTimeout
	add.Middlewares = huma.Middlewares{a.oneUpload}
	picture := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	add.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"image/jpeg": picture, "image/png": picture, "image/gif": picture, "image/webp": picture,
	}}
	huma.Register(a.huma, add, func(ctx context.Context, in *photoInput) (*written[Photo], error) {
		err := a.turn(ctx, func(ctx context.Context, v *visit) error {
			if !v.holds(a, people.MayViewTicket) {
				return errForbidden
			}
			_, _, err := a.seen(ctx, v, in.Number)
			return err
		})
		if err != nil {
			return nil, err
		}
		// Painted anew between two turns: no transaction waits for it.
		clean, err := a.clean(ctx, in.RawBody)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return once(ctx, a, add, in.Number, &in.Keyed, func(ctx context.Context, v *visit) (*Photo, error) {
			return a.addPhoto(ctx, v, in.Number, clean)
		})
	})

	one := get("getPhoto", "/tickets/{number}/photos/{photo}", "The bytes of a photo")
	a.describe(&one)
	one.Responses["200"] = &huma.Response{Description: "A JPEG", Content: map[string]*huma.MediaType{"image/jpeg": picture}}
	huma.Register(a.huma, one, func(ctx context.Context, in *photoPath) (out *photoBytes, err error) {
		err = a.turn(ctx, func(ctx context.Context, v *visit) (err error) {
			out, err = a.getPhoto(ctx, v, in)
			return err
		})
		return out, err
	})
}

// oneUpload lets no more photos in at the same time than the policy allows,
// before a byte of them is read.
func (a *API) oneUpload(ctx huma.Context, next func(huma.Context)) {
	select {
	case a.uploads <- struct{}{}:
		defer func() { <-a.uploads }()
		next(ctx)
	default:
		p := newProblem(http.StatusTooManyRequests, codeTooMany, "too many photos come in at the same time: try again")
		p.headers = http.Header{"Retry-After": {"2"}}
		a.turnAway(ctx, p)
	}
}

// maxUpload is the bytes at which a photo is too large.
func (a *API) maxUpload() int64 { return int64(a.Photos.MaxBytes()) + 1 }

// Photo is a photo of a ticket.
type Photo struct {
	ID  string    `json:"id"`
	Use string    `json:"use" enum:"report,evidence" doc:"report: what was reported; evidence: what the desk did"`
	At  time.Time `json:"at"`
}

type photoInput struct {
	TicketPath
	Keyed
}

type photoPath struct {
	TicketPath
	Photo string `path:"photo"`
}

type photoBytes struct {
	Type string `header:"Content-Type"`
	Body []byte
}

// clean paints a photo anew, so that nothing but the picture is kept.
func (a *API) clean(ctx context.Context, raw []byte) ([]byte, error) {
	clean, err := a.Photos.Clean(ctx, raw)
	switch {
	case errors.Is(err, privacy.ErrTooLarge):
		return nil, newProblem(http.StatusRequestEntityTooLarge, codeTooLarge, "the photo has too many bytes or pixels")
	case errors.Is(err, privacy.ErrNotPhoto):
		return nil, newProblem(http.StatusUnsupportedMediaType, codeMediaType, "the body is no photo that can be read: JPEG, PNG, GIF or WebP, as it is")
	}
	return clean, err
}

// addPhoto keeps a clean photo with a ticket that is not over.
func (a *API) addPhoto(ctx context.Context, v *visit, number string, clean []byte) (*Photo, error) {
	o, err := a.numbered(ctx, v, number, true)
	if err != nil {
		return nil, err
	}
	if _, ok := a.view(v, o); !ok {
		return nil, errNotFound
	}
	s := &step{visit: v, api: a, order: o}
	use, err := s.photoUse()
	if err != nil {
		return nil, s.refused(err)
	}
	there, err := s.photos(ctx, use)
	if err != nil {
		return nil, err
	}
	if len(there) >= a.Policy.Photos.Max {
		return nil, newProblem(http.StatusConflict, codeTooMany, "the ticket has as many photos of this use as there may be")
	}
	id, err := v.KeepPhoto(ctx, clean)
	if err != nil {
		return nil, err
	}
	if err := a.Orders.Attach(ctx, v.Turn, o.ID, use, []string{id}); err != nil {
		return nil, err
	}
	return &Photo{ID: id, Use: use, At: v.Now.UTC()}, nil
}

// photoUse is what a photo of this token shows: the desk's work, from the desk
// that may finish the ticket, else what was reported, from who may file there.
func (s *step) photoUse() (string, error) {
	closed := &ticket.Refused{Key: ticket.KeyState, Params: map[string]string{"state": string(s.order.State)}}
	if by, ok := asHandler(people.MayFinishTicket)(s); ok {
		if !slices.Contains(s.api.Orders.Rules.Allowed(s.order.Ticket, by), ticket.CmdFinish) {
			return "", closed
		}
		return useEvidence, nil
	}
	switch {
	case !s.may(s.api, people.MayFileTicket, s.order):
		return "", errForbidden
	case !s.order.State.Open():
		return "", closed
	}
	return useReport, nil
}

// photos are those of a use: of the desk's work those since this round of it
// began, because a redo is shown anew.
func (s *step) photos(ctx context.Context, use string) (ids []string, err error) {
	files, err := s.TicketFiles(ctx, s.order.ID)
	if err != nil {
		return nil, fmt.Errorf("list the files of a ticket: %w", err)
	}
	for _, f := range files {
		if f.Use == use && (use != useEvidence || !f.AddedAt.Before(s.order.DispatchedAt)) {
			ids = append(ids, f.BlobID)
		}
	}
	return ids, nil
}

type listPhotosInput struct {
	TicketPath
	Paging
}

func (a *API) listPhotos(ctx context.Context, v *visit, in *listPhotosInput) (*Page[Photo], error) {
	from, err := in.at("photos", 0)
	if err != nil {
		return nil, err
	}
	rows, err := a.photosOf(ctx, v, in.Number)
	if err != nil {
		return nil, err
	}
	var all []Photo
	for _, f := range rows {
		all = append(all, Photo{ID: f.BlobID, Use: f.Use, At: f.AddedAt.UTC()})
	}
	return pageOf(all, "photos", from, a.rows(in.Paging)), nil
}

// photosOf are the photos of a ticket that the token may see.
func (a *API) photosOf(ctx context.Context, v *visit, number string) ([]db.TicketFilesRow, error) {
	o, view, err := a.seen(ctx, v, number)
	if err != nil {
		return nil, err
	}
	if view[ticket.FieldPhotos] != ticket.Full {
		return nil, nil
	}
	rows, err := v.TicketFiles(ctx, o.ID)
	if err != nil {
		return nil, fmt.Errorf("list the files of a ticket: %w", err)
	}
	return slices.DeleteFunc(rows, func(f db.TicketFilesRow) bool { return f.Use != useReport && f.Use != useEvidence }), nil
}

func (a *API) getPhoto(ctx context.Context, v *visit, in *photoPath) (*photoBytes, error) {
	if !v.holds(a, people.MayViewTicket) {
		return nil, errForbidden
	}
	rows, err := a.photosOf(ctx, v, in.Number)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(rows, func(f db.TicketFilesRow) bool { return f.BlobID == in.Photo }) {
		return nil, errNotFound
	}
	mime, data, err := a.Gateway.OpenBlob(ctx, v.Queries, in.Photo)
	if errors.Is(err, postgres.ErrNoRows) { // a network has not handed it over yet
		return nil, errNotFound
	}
	return &photoBytes{Type: mime, Body: data}, err
}
