package outbound

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/internal/clock"
)

func newClient(t *testing.T, change func(*Config)) *Client {
	t.Helper()
	cfg := Config{Purpose: "test", Timeout: 30 * time.Second, MaxBody: 1 << 10}
	if change != nil {
		change(&cfg)
	}
	c, err := New(cfg, clock.New())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// canary listens on every address of this machine and counts connections.
func canary(t *testing.T) (port string, hits *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	hits = &atomic.Int64{}
	srv := &http.Server{
		ReadHeaderTimeout: time.Second,
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateNew {
				hits.Add(1)
			}
		},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inside") }),
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, hits
}

// Promise S8: none of these reaches a listener on this machine.
func TestS8NothingInsideIsReached(t *testing.T) {
	port, hits := canary(t)
	c := newClient(t, func(c *Config) { c.Timeout = 500 * time.Millisecond })
	for _, target := range []string{
		"http://127.0.0.1:PORT/", "http://127.1:PORT/", "http://127.0.1:PORT/", "http://127.255.255.254:PORT/",
		"http://2130706433:PORT/", "http://0x7f000001:PORT/", "http://0x7f.0.0.1:PORT/", "http://0177.0.0.1:PORT/",
		"http://0:PORT/", "http://0.0.0.0:PORT/", "http://localhost:PORT/", "http://LOCALHOST.:PORT/",
		"http://[::1]:PORT/", "http://[::]:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://[::ffff:7f00:1]:PORT/",
		"http://[::127.0.0.1]:PORT/", "http://[64:ff9b::7f00:1]:PORT/", "http://[2002:7f00:1::]:PORT/",
		"http://[fe80::1%25lo]:PORT/", "http://[fd00:ec2::254]:PORT/", "http://169.254.169.254/latest/meta-data/",
		"http://100.100.100.200/latest/meta-data/", "http://10.0.0.1:PORT/", "http://172.16.0.1:PORT/",
		"http://192.168.1.1:PORT/", "http://100.64.0.1:PORT/", "http://198.18.0.1:PORT/",
		"http://public@127.0.0.1:PORT/", "http://127.0.0.1:PORT#@example.com/",
		"https://127.0.0.1:PORT/", "http://①②⑦.⓪.⓪.①:PORT/",
		"file:///etc/passwd", "gopher://127.0.0.1:PORT/", "ftp://127.0.0.1:PORT/", "//127.0.0.1:PORT/", "http:///",
	} {
		target = strings.ReplaceAll(target, "PORT", port)
		body, err := c.Get(t.Context(), target)
		if err == nil {
			t.Errorf("%s answered %q", target, body)
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %T is no *Error", target, err)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Fatalf("the canary was reached %d times", n)
	}
}

func TestS8RebindingName(t *testing.T) {
	port, hits := canary(t)
	c := newClient(t, nil)
	// A name that answered with a public address when somebody checked it and
	// gives this machine when it is dialled: the guard sees only the latter.
	transport := c.http.Transport.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dial(ctx, network, "127.0.0.1:"+port)
	}
	_, err := c.Get(t.Context(), "http://rebind.example/")
	if !errors.Is(err, ErrForbidden) {
		t.Fatalf("error %v, want ErrForbidden", err)
	}
	if hits.Load() != 0 {
		t.Fatal("the canary was reached")
	}
}

func TestS8RedirectIsNotFollowed(t *testing.T) {
	port, hits := canary(t)
	srv := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:"+port+"/", http.StatusFound))
	defer srv.Close()
	c := newClient(t, func(c *Config) { c.AllowLoopback = true })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound || hits.Load() != 0 {
		t.Fatalf("status %d, canary reached %d times", resp.StatusCode, hits.Load())
	}
	if _, err := c.Get(t.Context(), srv.URL); err == nil || !strings.Contains(err.Error(), "302") {
		t.Fatalf("Get over a redirect: %v, want an error with 302", err)
	}
}

func TestProxyVariablesAreIgnored(t *testing.T) {
	port, hits := canary(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("http_proxy", "http://127.0.0.1:"+port)
	c := newClient(t, func(c *Config) { c.AllowLoopback, c.Timeout = true, 300*time.Millisecond })
	_, _ = c.Get(t.Context(), "http://192.0.2.1/") // refused by the guard, not sent to a proxy
	if hits.Load() != 0 {
		t.Fatal("a request went to the proxy")
	}
}

func TestAdmits(t *testing.T) {
	city := netip.MustParsePrefix("10.20.0.0/16")
	all := netip.MustParsePrefix("0.0.0.0/0")
	for _, tc := range []struct {
		addr string
		cfg  Config
		want bool
	}{
		{"1.1.1.1", Config{}, true},
		{"223.5.5.5", Config{}, true},
		{"2400:3200::1", Config{}, true},
		{"2606:4700::1111", Config{}, true},
		{"10.20.1.1", Config{}, false},
		{"10.20.1.1", Config{Allow: []netip.Prefix{city}}, true},
		{"::ffff:10.20.1.1", Config{Allow: []netip.Prefix{city}}, true},
		{"10.21.1.1", Config{Allow: []netip.Prefix{city}}, false},
		{"169.254.169.254", Config{Allow: []netip.Prefix{all}}, false},
		{"100.100.100.200", Config{Allow: []netip.Prefix{all}}, false},
		{"::ffff:169.254.169.254", Config{Allow: []netip.Prefix{all}}, false},
		{"127.0.0.1", Config{Allow: []netip.Prefix{all}}, false},
		{"127.0.0.1", Config{AllowLoopback: true}, true},
		{"::1", Config{AllowLoopback: true}, true},
		{"::ffff:127.0.0.1", Config{AllowLoopback: true}, true},
		{"10.0.0.1", Config{AllowLoopback: true}, false},
		{"100.127.255.255", Config{}, false},
		{"100.128.0.1", Config{}, true},
		{"172.31.255.255", Config{}, false},
		{"172.32.0.1", Config{}, true},
		{"224.0.0.1", Config{}, false},
		{"255.255.255.255", Config{}, false},
		{"fe80::1%eth0", Config{}, false},
	} {
		if got := tc.cfg.admits(netip.MustParseAddr(tc.addr)); got != tc.want {
			t.Errorf("admits(%s) with %+v = %v, want %v", tc.addr, tc.cfg, got, tc.want)
		}
	}
}

// Whatever net calls private, loopback or link-local is refused, in every
// IPv6 dress of it.
func TestAdmitsNothingThatNetCallsInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var v4 [4]byte
		copy(v4[:], rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "v4"))
		addr := netip.AddrFrom4(v4)
		bad := addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified()
		if bad && (Config{}).admits(addr) {
			t.Fatalf("%v is admitted", addr)
		}
		mapped := netip.AddrFrom16(addr.As16())
		if (Config{}).admits(mapped) != (Config{}).admits(addr) {
			t.Fatalf("%v and %v are judged differently", mapped, addr)
		}
	})
}

func TestBodyLimit(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fits":
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<10))
		case "/long":
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<10+1))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 10<<20))
			_ = z.Close()
		}
	}))
	defer srv.Close()
	c := newClient(t, func(c *Config) { c.AllowLoopback = true })
	if body, err := c.Get(t.Context(), srv.URL+"/fits"); err != nil || len(body) != 1<<10 {
		t.Fatalf("a body of exactly the limit: %d bytes, %v", len(body), err)
	}
	for _, path := range []string{"/long", "/bomb"} {
		if _, err := c.Get(t.Context(), srv.URL+path); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: error %v, want ErrTooLarge", path, err)
		}
	}
}

// Promise S10: a token in the URL is in no error.
func TestErrorsHoldNoURL(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	base := srv.URL
	var seen []Exchange
	c := newClient(t, func(c *Config) {
		c.AllowLoopback = true
		c.Observe = func(x Exchange) { seen = append(seen, x) }
	})
	secret := "123456:CANARY-token"
	var errs []error
	_, err := c.Get(t.Context(), base+"/bot"+secret+"/getMe?key="+secret)
	errs = append(errs, err)
	srv.Close()
	_, err = c.Get(t.Context(), base+"/bot"+secret+"/getMe")
	errs = append(errs, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Get(ctx, "http://user:"+secret+"@192.0.2.1/"+secret)
	errs = append(errs, err)
	_, err = c.Get(t.Context(), "http://bad host/"+secret)
	errs = append(errs, err)
	_, err = c.Get(t.Context(), "http://10.0.0.1/"+secret)
	errs = append(errs, err)
	for i, err := range errs {
		if err == nil {
			t.Fatalf("request %d went well", i)
		}
		if strings.Contains(err.Error(), "CANARY") {
			t.Errorf("error %d tells the secret: %v", i, err)
		}
		var u *url.Error
		if errors.As(err, &u) {
			t.Errorf("error %d still holds its URL: %v", i, u)
		}
	}
	if !errors.Is(errs[2], context.Canceled) || !errors.Is(errs[4], ErrForbidden) {
		t.Errorf("causes are lost: %v, %v", errs[2], errs[4])
	}
	if len(seen) != 4 || seen[0].Status != http.StatusBadGateway || seen[0].Purpose != "test" || seen[1].Err == nil {
		t.Errorf("metrics saw %+v", seen)
	}
}

func TestNewWantsEveryLimit(t *testing.T) {
	for _, cfg := range []Config{
		{},
		{Purpose: "x", Timeout: time.Second},
		{Purpose: "x", MaxBody: 1},
		{Timeout: time.Second, MaxBody: 1},
	} {
		if _, err := New(cfg, clock.New()); err == nil {
			t.Errorf("New(%+v) went well", cfg)
		}
	}
}
