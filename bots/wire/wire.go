// Package wire is what adapters that call their network over HTTP have in
// common: the address of its server, one call, and what an answer means that is
// none.
//
// A call is made once. It comes back with the network's answer, whatever its
// status, or with a *bots.Error: temporary where no connection was made, so that
// surely nothing was written, unknown behind that. What networks write is shown
// only after Plain: it may repeat anybody's words or number.
package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"shaoying/bots"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
)

// Endpoint is the address of a network's server.
type Endpoint struct{ url *url.URL }

// NewEndpoint reads an address; key is what it is called in the configuration.
// Plain http is for this machine and private networks: secrets stand in what is
// sent.
func NewEndpoint(id bots.ChannelID, key, address string) (Endpoint, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return Endpoint{}, fmt.Errorf("channel %s: %s is no address of a server", id, key)
	}
	e := Endpoint{u}
	if u.Scheme == "http" && !e.Local() && !e.inside().IsValid() {
		return Endpoint{}, fmt.Errorf("channel %s: %s: write https, or anybody on the way reads numbers and secrets; http is for this machine and for private addresses", id, key)
	}
	return e, nil
}

// Local reports whether an address is one of this machine.
func Local(address string) bool {
	u, err := url.Parse(address)
	return err == nil && Endpoint{u}.Local()
}

// Local reports whether the server is on this machine.
func (e Endpoint) Local() bool {
	addr, err := netip.ParseAddr(e.url.Hostname())
	return e.url.Hostname() == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// inside is the private address that an operator wrote for a server of the
// city's own.
func (e Endpoint) inside() netip.Prefix {
	addr, err := netip.ParseAddr(e.url.Hostname())
	if err != nil || !addr.IsPrivate() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(addr, addr.BitLen())
}

// String is the address, without a slash at its end.
func (e Endpoint) String() string { return strings.TrimRight(e.url.String(), "/") }

// Limits bound the calls of one client.
type Limits struct {
	// Purpose names the client in metrics, logs and errors: "telegram.send".
	Purpose string
	// Timeout bounds one call with its answer, on top of the context.
	Timeout time.Duration
	// MaxBody is the longest answer in bytes.
	MaxBody int64
}

// Client calls one server. It is safe for use by many goroutines.
type Client struct{ http *outbound.Client }

// NewClient makes a client for a server. observe, if set, is told of every
// exchange.
func (e Endpoint) NewClient(l Limits, clk *clock.Clock, observe func(outbound.Exchange)) (*Client, error) {
	cfg := outbound.Config{Purpose: l.Purpose, Timeout: l.Timeout, MaxBody: l.MaxBody, AllowLoopback: e.Local(), Observe: observe}
	if inside := e.inside(); inside.IsValid() {
		cfg.Allow = []netip.Prefix{inside}
	}
	client, err := outbound.New(cfg, clk)
	if err != nil {
		return nil, err
	}
	return &Client{client}, nil
}

// Close drops the connections that nobody uses; the client goes on working.
func (c *Client) Close() { c.http.Close() }

// Open sends a request once and returns the answer with its body open.
func (c *Client) Open(req *http.Request) (*http.Response, error) {
	var reached atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }}
	resp, err := c.http.Do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
	if err == nil {
		return resp, nil
	}
	if reached.Load() {
		return nil, &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("no answer: %w", err)}
	}
	return nil, &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("no connection: %w", err)}
}

// Call sends a request once and reads its answer.
func (c *Client) Call(req *http.Request) (status int, body []byte, err error) {
	resp, err := c.Open(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil, &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("the answer broke off: %w", err)}
	}
	return resp.StatusCode, body, nil
}

// Rest waits before something is tried again: 0.2 s after the first failure,
// doubled with each, at most most. It reports whether ctx still lives.
func Rest(ctx context.Context, failures int, most time.Duration) bool {
	return Wait(ctx, min(200*time.Millisecond<<min(max(failures-1, 0), 16), most)) && ctx.Err() == nil
}

// Wait reports whether d passed before ctx ended.
func Wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
