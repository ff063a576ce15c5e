// Package outbound is the only HTTP client to the outside. A test over the
// whole tree (internal/archtest) holds that nobody else makes one.
//
// # What it refuses
//
// The address is checked when the connection is made, after the name was
// resolved, so neither a strange spelling of an address nor a name that
// resolves differently the second time gets inside: private, link-local,
// carrier-grade NAT, metadata, documentation and embedded-IPv4 ranges are
// refused ([ErrForbidden]). Redirects are not followed; the caller gets the
// 3xx. Proxy variables are ignored. Only http and https are spoken.
//
// An operator names the networks that are meant to be inside, such as an SMS
// gateway in the city's own network, in Config.Allow; cloud metadata addresses
// stay refused whatever that says.
//
// # Errors
//
// Tokens stand in the paths and queries of several networks. An error of this
// package names purpose, method and host and nothing else of the URL.
//
// # Clocks
//
// Time limits are wall time of the machine. There is one Client per purpose;
// each keeps its own connections and limits.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"shaoying/internal/clock"
)

var (
	// ErrForbidden: the address is one that the outside does not have.
	ErrForbidden = errors.New("address is not on the public network; an operator may allow its network by name")
	// ErrTooLarge: the answer is longer than Config.MaxBody.
	ErrTooLarge = errors.New("answer is too long")
)

// Config is what one purpose may do.
type Config struct {
	// Purpose names the client in metrics, logs and errors: "telegram.send".
	Purpose string
	// Timeout bounds one exchange with its body, on top of the request's
	// context. A long poll needs a client with a longer one.
	Timeout time.Duration
	// MaxBody is the longest answer in bytes, after decompression.
	MaxBody int64
	// AllowLoopback admits 127.0.0.0/8 and ::1, for tests and the demo.
	AllowLoopback bool
	// Allow lists inside networks that an operator named.
	Allow []netip.Prefix
	// Observe, if set, is told of every exchange once, when its headers came
	// or it failed.
	Observe func(Exchange)
}

// Exchange is what metrics learn of one request.
type Exchange struct {
	Purpose string
	Host    string
	Status  int // 0 when there was no answer
	Took    time.Duration
	Err     error // *Error, holds no secret
}

// Error is a request that got no answer, or whose answer broke off.
type Error struct {
	Purpose, Method, Host string
	Err                   error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s %s: %v", e.Purpose, e.Method, e.Host, e.Err)
}

// Unwrap returns the cause: ErrForbidden, ErrTooLarge, a context or network
// error.
func (e *Error) Unwrap() error { return e.Err }

// Client sends requests for one purpose. It is safe for use by many
// goroutines.
type Client struct {
	cfg   Config
	clock *clock.Clock
	http  http.Client
}

// New returns a client. The error says which limit is missing.
func New(cfg Config, clk *clock.Clock) (*Client, error) {
	if cfg.Purpose == "" || cfg.Timeout <= 0 || cfg.MaxBody <= 0 {
		return nil, fmt.Errorf("outbound client %q: purpose, timeout and longest body must be given", cfg.Purpose)
	}
	dialer := &net.Dialer{Timeout: cfg.Timeout, Control: cfg.guard}
	return &Client{
		cfg:   cfg,
		clock: clk,
		http: http.Client{
			Timeout: cfg.Timeout,
			Transport: &http.Transport{
				DialContext:         dialer.DialContext,
				ForceAttemptHTTP2:   true,
				TLSHandshakeTimeout: cfg.Timeout,
				IdleConnTimeout:     90 * time.Second,
				MaxIdleConnsPerHost: 8,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Do sends a request once. Every status is an answer, redirects too. The caller
// closes the body, whose reading gives ErrTooLarge behind MaxBody bytes. Every
// error is an *Error. The signature is the one that client libraries ask for.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	start := c.clock.Wall()
	resp, err := c.http.Do(req)
	x := Exchange{Purpose: c.cfg.Purpose, Host: req.URL.Host, Took: c.clock.Since(start)}
	if err != nil {
		err = c.wrap(req, err)
		x.Err = err
	} else {
		x.Status = resp.StatusCode
		resp.Body = &body{ReadCloser: resp.Body, left: c.cfg.MaxBody, fail: func(err error) error { return c.wrap(req, err) }}
	}
	if c.cfg.Observe != nil {
		c.cfg.Observe(x)
	}
	return resp, err
}

// Get fetches a URL and returns its whole body. A status other than 200 is an
// error that names it.
func (c *Client) Get(ctx context.Context, rawURL string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil { // the error repeats the URL
		return nil, &Error{Purpose: c.cfg.Purpose, Method: http.MethodGet, Err: errors.New("not a URL")}
	}
	resp, err := c.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, c.wrap(req, fmt.Errorf("answer %d", resp.StatusCode))
	}
	return io.ReadAll(resp.Body)
}

// Admits reports whether the client may connect to an address.
func (c *Client) Admits(addr netip.Addr) bool { return c.cfg.admits(addr) }

// Close drops the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// wrap takes the URL out of an error.
func (c *Client) wrap(req *http.Request, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	return &Error{Purpose: c.cfg.Purpose, Method: req.Method, Host: req.URL.Host, Err: err}
}

// body fails, rather than ends, where an answer is longer than allowed.
type body struct {
	io.ReadCloser
	left int64
	fail func(error) error
}

func (b *body) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.fail(ErrTooLarge)
	}
	if int64(len(p)) > b.left+1 { // one more, to see whether there is more
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if int64(n) > b.left {
		n, b.left = int(b.left), -1
		return n, b.fail(ErrTooLarge)
	}
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.fail(err)
	}
	return n, err
}
