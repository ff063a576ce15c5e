package webchat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"unicode"
	"unicode/utf8"

	"shaoying/bots"
)

// maxJSON bounds a JSON body: 2,000 runes escaped as \uXXXX\uXXXX fit.
const maxJSON = 64 << 10

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// refusal is a problem on its way to the answer.
type refusal struct{ problem }

func (r refusal) Error() string { return r.code }

// messages takes what the visitor says: 202 once the sink has it.
func (c *Channel) messages(sink bots.Sink, m Mount) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.visitor(r, m)
		if !ok {
			c.answer(w, r, noSession)
			return
		}
		id, ev, err := c.read(w, r)
		var no refusal
		switch {
		case errors.As(err, &no):
			c.answer(w, r, no.problem)
			return
		case err != nil: // the client went away, or took too long
			c.answer(w, r, tryLater)
			return
		}
		ev.Channel, ev.Chat = c.cfg.ID, v.Chat
		ev.From = bots.Identity{User: v.User, Trust: bots.TrustSession}
		// The chat is part of the key, so one session cannot use up another's.
		ev.Key = string(v.Chat) + "/" + id
		if err := ev.Validate(); err != nil {
			c.answer(w, r, badRequest)
			return
		}
		if err := c.take(r.Context(), sink, ev); err != nil {
			if errors.Is(err, bots.ErrFlood) {
				c.answer(w, r, tooFast)
				return
			}
			c.Log.Warn("a web message was not taken", "channel", c.cfg.ID, "kind", ev.Kind, "error", err)
			c.answer(w, r, tryLater)
			return
		}
		c.writeJSON(w, "application/json", http.StatusAccepted, map[string]any{"id": id, "at": c.stamp(c.Clock.Now())})
	}
}

// take hands ev to the sink; a sink that panics has not taken it.
func (c *Channel) take(ctx context.Context, sink bots.Sink, ev bots.Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error("the sink panicked", "channel", c.cfg.ID, "stack", string(debug.Stack()))
			err = errors.New("the sink panicked")
		}
	}()
	return sink(ctx, []bots.Event{ev})
}

// read decodes the body, whose form the content type tells.
func (c *Channel) read(w http.ResponseWriter, r *http.Request) (id string, ev bots.Event, err error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return "", ev, refusal{wrongType}
	}
	switch kind {
	case "application/json":
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxJSON))
		if err != nil {
			return "", ev, readError(err)
		}
		return c.decode(body)
	case "multipart/form-data":
		return c.readUpload(w, r)
	}
	return "", ev, refusal{wrongType}
}

// decode reads a JSON message: an id and exactly one of text, choice, place.
func (c *Channel) decode(body []byte) (id string, ev bots.Event, err error) {
	var in struct {
		ID     string  `json:"id"`
		Text   *string `json:"text"`
		Choice *string `json:"choice"`
		Place  *struct {
			Lat   *float64 `json:"lat"`
			Lon   *float64 `json:"lon"`
			Label string   `json:"label"`
		} `json:"place"`
	}
	// encoding/json would turn bytes that are not UTF-8 into U+FFFD.
	if !utf8.Valid(body) {
		return "", ev, refusal{badRequest}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return "", ev, refusal{badRequest}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) || !uuid.MatchString(in.ID) {
		return "", ev, refusal{badRequest}
	}
	switch {
	case in.Text != nil && in.Choice == nil && in.Place == nil:
		ev.Kind, ev.Text = bots.KindText, *in.Text
		err = c.checkText(ev.Text)
	case in.Choice != nil && in.Text == nil && in.Place == nil:
		ev.Kind, ev.Choice = bots.KindChoice, *in.Choice
		err = checkChoice(ev.Choice)
	case in.Place != nil && in.Text == nil && in.Choice == nil:
		if in.Place.Lat == nil || in.Place.Lon == nil {
			return "", ev, refusal{wrongPlace}
		}
		ev.Kind = bots.KindPlace
		ev.Place = &bots.Place{Lat: *in.Place.Lat, Lon: *in.Place.Lon, Datum: bots.DatumWGS84, Label: in.Place.Label}
		err = c.checkPlace(*ev.Place)
	default:
		err = refusal{badRequest}
	}
	return in.ID, ev, err
}

func (c *Channel) checkText(s string) error {
	switch {
	case strings.ContainsFunc(s, control):
		return refusal{badRequest}
	case strings.TrimSpace(s) == "":
		return refusal{empty}
	case utf8.RuneCountInString(s) > c.cfg.Limits.MaxText:
		return refusal{tooLong}
	}
	return nil
}

func checkChoice(s string) error {
	if s == "" || len(s) > choiceBytes || strings.ContainsFunc(s, control) {
		return refusal{badRequest}
	}
	return nil
}

func (c *Channel) checkPlace(p bots.Place) error {
	switch {
	case strings.ContainsFunc(p.Label, unicode.IsControl):
		return refusal{badRequest}
	case utf8.RuneCountInString(p.Label) > c.cfg.Limits.MaxLabel:
		return refusal{tooLong}
	case math.Abs(p.Lat) > 90 || math.Abs(p.Lon) > 180:
		return refusal{wrongPlace}
	}
	return nil
}

// control reports what no keyboard writes into a message.
func control(r rune) bool {
	return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
}

// readError tells a body that is too large from one that stopped coming.
func readError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return refusal{tooLarge}
	}
	return fmt.Errorf("read a web message: %w", err)
}
