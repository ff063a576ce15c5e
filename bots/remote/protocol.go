package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// What both halves call the places of the door. All of them want the token of
// this life of the agent.
const (
	pathEvents   = "/events"        // POST: take these; 204 when they are durable
	pathJobs     = "/jobs"          // GET: something to do, 204 where there is nothing
	pathResult   = "/jobs/{lease}"  // POST: what it came to
	pathFile     = "/files/{lease}" // PUT: the bytes of a file that was asked for
	pathState    = "/state/{name}"  // GET, PUT: bots.State; 204 where nothing was saved
	pathStanding = "/standing"      // PUT: bots.Standing
	bearer       = "Bearer "
)

// job is one thing that the agent is asked to do: to send, or to open a file.
type job struct {
	// Lease names it in the answer.
	Lease string `json:"lease"`
	// Within is for how many milliseconds somebody waits for the answer.
	Within int64      `json:"within"`
	Send   *sendJob   `json:"send,omitempty"`
	Fetch  *bots.File `json:"fetch,omitempty"`
}

type sendJob struct {
	To      bots.Address `json:"to"`
	Message bots.Message `json:"message"`
}

// result is what a job came to. Of a file that was opened there is none, its
// bytes come instead.
type result struct {
	Receipt bots.Receipt `json:"receipt"`
	Failure *failure     `json:"failure,omitempty"`
}

// failure is a *bots.Error.
type failure struct {
	Class   string      `json:"class"`
	After   int64       `json:"after,omitempty"` // milliseconds
	NewChat bots.ChatID `json:"new_chat,omitempty"`
	Why     string      `json:"why"`
}

// failed is the failure of an error of an adapter. It does not leave the process
// with more than may stand in a log.
func failed(err error) *failure {
	f := &failure{Class: bots.ClassOf(err).String(), Why: wire.Plain(err.Error())}
	var e *bots.Error
	if errors.As(err, &e) {
		f.After, f.NewChat, f.Why = e.After.Milliseconds(), e.NewChat, wire.Plain(e.Err.Error())
	}
	return f
}

// err is the error of a failure.
func (f *failure) err() error {
	if f == nil {
		return nil
	}
	e := &bots.Error{Class: bots.ClassUnknown, NewChat: f.NewChat, After: time.Duration(f.After) * time.Millisecond, Err: errors.New(wire.Plain(f.Why))}
	for _, class := range bots.Classes() {
		if class.String() == f.Class {
			e.Class = class
		}
	}
	return e
}

// stateName is what an adapter may call what it keeps.
var stateName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// decode reads one JSON value and nothing behind it.
func decode(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return errors.New("not what the other half of this program writes") // err may quote
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the value")
	}
	return nil
}

// decodeEvents reads events and holds them against what the account can do: the
// library in the agent is nobody's to vouch for.
func decodeEvents(body []byte, id bots.ChannelID, caps bots.Caps) ([]bots.Event, error) {
	var events []bots.Event
	if err := decode(body, &events); err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, errors.New("no events")
	}
	for _, ev := range events {
		switch {
		case ev.Channel != id:
			return nil, errors.New("an event of another account")
		case ev.From.Trust > caps.Trust:
			return nil, fmt.Errorf("an event claims trust %s", ev.From.Trust)
		case ev.From.Phone != "" && !caps.Phone:
			return nil, errors.New("an event names a phone number")
		}
		if err := ev.Validate(); err != nil {
			return nil, err
		}
	}
	return events, nil
}

// maxQR is the longest text that a QR code is made of here.
const maxQR = 512

// decodeStanding reads how the account stands.
func decodeStanding(body []byte) (bots.Standing, error) {
	var s bots.Standing
	if err := decode(body, &s); err != nil {
		return s, err
	}
	switch s.State {
	case bots.StandingScan:
	case bots.StandingStarting, bots.StandingConfirm, bots.StandingOnline, bots.StandingOut:
		if s.QR != "" {
			return s, errors.New("a code that nobody has to scan")
		}
	default:
		return s, errors.New("no such state")
	}
	if len(s.QR) > maxQR {
		return s, fmt.Errorf("a code of %d bytes", len(s.QR))
	}
	s.Why = wire.Plain(s.Why)
	return s, nil
}

// decodeResult reads what a job came to.
func decodeResult(body []byte) (result, error) {
	var r result
	if err := decode(body, &r); err != nil {
		return r, err
	}
	if len(r.Receipt.ID) > bots.MaxKey || r.Failure != nil && len(r.Failure.NewChat) > bots.MaxKey {
		return r, errors.New("an id that is too long")
	}
	return r, nil
}

// decodeJob reads what the gateway asks for.
func decodeJob(body []byte) (job, error) {
	var j job
	if err := decode(body, &j); err != nil {
		return j, err
	}
	if j.Lease == "" || (j.Send == nil) == (j.Fetch == nil) {
		return j, errors.New("neither one message nor one file")
	}
	return j, nil
}
