package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

var (
	// errGone: nobody waits for the answer any more.
	errGone = errors.New("nobody waits for it")
	// errRefused: the gateway will never take this.
	errRefused = errors.New("the gateway refuses it")
)

// door is the gateway as an agent sees it. It is a bots.State.
type door struct {
	at    string
	token privacy.Secret
	// jobs are asked for on connections of their own: they stay open.
	calls, jobs, files *wire.Client
}

func newDoor(cfg Config, at Contact, clk *clock.Clock) (*door, error) {
	e, err := wire.NewEndpoint(cfg.ID, "the gateway's door", at.URL)
	if err != nil {
		return nil, err
	}
	d := &door{at: e.String(), token: at.Token}
	lim := cfg.Limits
	for _, c := range []struct {
		client **wire.Client
		limits wire.Limits
	}{
		{&d.calls, wire.Limits{Purpose: "agent.call", Timeout: lim.Call, MaxBody: lim.MaxState}},
		{&d.jobs, wire.Limits{Purpose: "agent.jobs", Timeout: lim.LongPoll + lim.Call, MaxBody: lim.MaxMessage}},
		{&d.files, wire.Limits{Purpose: "agent.files", Timeout: lim.LongPoll + lim.Call, MaxBody: lim.MaxState}},
	} {
		if *c.client, err = e.NewClient(c.limits, clk, nil); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *door) close() {
	d.calls.Close()
	d.jobs.Close()
	d.files.Close()
}

// call makes one request and returns the answer; any but 2xx is an error.
func (d *door) call(ctx context.Context, by *wire.Client, method, path string, body io.Reader) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, d.at+path, body)
	if err != nil {
		return 0, nil, fmt.Errorf("ask the gateway: %w", err)
	}
	req.Header.Set("Authorization", bearer+d.token.Reveal())
	status, answer, err = by.Call(req)
	switch {
	case err != nil:
		return 0, nil, fmt.Errorf("ask the gateway: %w", err)
	case status/100 == 2:
		return status, answer, nil
	case status == http.StatusUnauthorized:
		return 0, nil, ErrReplaced
	case status == http.StatusGone:
		return 0, nil, errGone
	case status == http.StatusTooManyRequests:
		return 0, nil, fmt.Errorf("%s %s: %w", method, path, bots.ErrFlood)
	case status/100 == 4:
		return 0, nil, fmt.Errorf("%s %s: answer %d: %w", method, path, status, errRefused)
	}
	return 0, nil, fmt.Errorf("%s %s: answer %d", method, path, status)
}

// put sends a value as JSON.
func (d *door) put(ctx context.Context, method, path string, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write what the gateway is told: %w", err)
	}
	_, _, err = d.call(ctx, d.calls, method, path, bytes.NewReader(raw))
	return err
}

func (d *door) events(ctx context.Context, events []bots.Event) error {
	return d.put(ctx, http.MethodPost, pathEvents, events)
}

func (d *door) standing(ctx context.Context, s bots.Standing) error {
	return d.put(ctx, http.MethodPut, pathStanding, s)
}

func (d *door) result(ctx context.Context, lease string, r result) error {
	return d.put(ctx, http.MethodPost, pathJobs+"/"+url.PathEscape(lease), r)
}

// job waits for something to do; found is false where there was nothing.
func (d *door) job(ctx context.Context) (j job, found bool, err error) {
	status, raw, err := d.call(ctx, d.jobs, http.MethodGet, pathJobs, nil)
	if err != nil || status == http.StatusNoContent {
		return job{}, false, err
	}
	if j, err = decodeJob(raw); err != nil {
		return job{}, false, fmt.Errorf("read a job: %w", err)
	}
	return j, true, nil
}

// file sends the bytes of a file while they are read.
func (d *door) file(ctx context.Context, lease string, file io.Reader) error {
	_, _, err := d.call(ctx, d.files, http.MethodPut, "/files/"+url.PathEscape(lease), file)
	return err
}

// Load implements bots.State.
func (d *door) Load(ctx context.Context, name string) ([]byte, error) {
	status, raw, err := d.call(ctx, d.calls, http.MethodGet, "/state/"+url.PathEscape(name), nil)
	if err != nil || status == http.StatusNoContent {
		return nil, err
	}
	return raw, nil
}

// Save implements bots.State.
func (d *door) Save(ctx context.Context, name string, value []byte) error {
	_, _, err := d.call(ctx, d.calls, http.MethodPut, "/state/"+url.PathEscape(name), bytes.NewReader(value))
	return err
}

// open asks the adapter for a file. A panic of the library is an error of it.
func open(ctx context.Context, adapter bots.Adapter, f bots.File) (file io.ReadCloser, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = later("the library panicked while it opened a file")
		}
	}()
	return adapter.Fetch(ctx, f)
}
