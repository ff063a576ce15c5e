package wechat

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// transport is the HTTP client below the library.
type transport struct {
	*Adapter
	cookies *cookies
}

// caller is the library's client for one login, with the cookies of an earlier one.
func (a *Adapter) caller(domain openwechat.WechatDomain, kept []cookie) (*openwechat.Caller, *cookies) {
	client := openwechat.DefaultClient()
	client.MaxRetryTimes = 1
	client.Domain = domain
	client.HTTPClient().Timeout = 0 // calls are bounded below
	jar := &cookies{jar: openwechat.NewJar(), kept: map[string]cookie{}}
	client.SetCookieJar(jar.jar)
	for _, c := range kept {
		jar.put(c, a.deps.Clock.Wall())
	}
	client.HTTPClient().Transport = transport{a, jar}
	caller := openwechat.NewCaller(client)
	openwechat.Desktop.Prepare(&openwechat.Bot{Caller: caller})
	return caller, jar
}

// RoundTrip makes one call. Its errors are *bots.Error.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	meant := req.URL
	if req.URL.Scheme != "https" || !t.limits.known(req.URL.Hostname()) {
		if req.Body != nil {
			_ = req.Body.Close() // nothing of it was used
		}
		return nil, wire.Refuse("%s is no server of WeChat", wire.Plain(req.URL.Host))
	}
	if t.cfg.APIURL != "" {
		to, err := url.Parse(t.server.String())
		if err != nil {
			return nil, fmt.Errorf("read api_url again: %w", err)
		}
		moved := req.Clone(req.Context())
		moved.Header.Set("X-Forwarded-Host", req.URL.Host)
		moved.Host = to.Host
		moved.URL.Scheme, moved.URL.Host, moved.URL.Path = to.Scheme, to.Host, to.Path+req.URL.Path
		req = moved
	}
	resp, err := t.client.Open(req)
	if err != nil {
		return nil, err
	}
	t.cookies.take(meant, resp, t.deps.Clock.Wall())
	if resp.StatusCode >= http.StatusBadRequest {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxErrorBody)) // so that the connection lives on
		_ = resp.Body.Close()
		return nil, wire.Between(resp.StatusCode)
	}
	resp.Body = broken{resp.Body}
	return resp, nil
}

const maxErrorBody = 64 << 10

// broken says of an answer that broke off that nobody knows what became of the
// question.
type broken struct{ io.ReadCloser }

func (b broken) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader's own word
		err = &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("the answer broke off: %w", err)}
	}
	return n, err
}

// cookie is one that a server set, as it is kept.
type cookie struct {
	Origin  string    `json:"origin"` // "https://wx.qq.com"
	Name    string    `json:"name"`
	Value   string    `json:"value"`
	Domain  string    `json:"domain,omitempty"`
	Path    string    `json:"path,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
}

// cookies is the library's jar and beside it what it cannot give back: cookies of
// a whole domain, and until when. The library writes its jar unguarded; here it is
// written under a lock, and answers reach the library without their cookies.
type cookies struct {
	mu   sync.Mutex
	jar  *openwechat.Jar
	kept map[string]cookie
}

// take moves the cookies of an answer into the jar.
func (c *cookies) take(from *url.URL, resp *http.Response, now time.Time) {
	set := resp.Cookies()
	resp.Header.Del("Set-Cookie")
	for _, s := range set {
		k := cookie{Origin: from.Scheme + "://" + from.Host, Name: s.Name, Value: s.Value, Domain: s.Domain, Path: s.Path, Expires: s.Expires}
		switch {
		case s.MaxAge < 0:
			k.Expires = time.Unix(1, 0)
		case s.MaxAge > 0:
			k.Expires = now.Add(time.Duration(s.MaxAge) * time.Second)
		}
		if k.Path == "" { // else it would be the folder of the call
			k.Path = "/"
		}
		c.put(k, now)
	}
}

func (c *cookies) put(k cookie, now time.Time) {
	origin, err := url.Parse(k.Origin)
	if err != nil {
		return // not of ours: origins are written by take
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jar.SetCookies(origin, []*http.Cookie{{Name: k.Name, Value: k.Value, Domain: k.Domain, Path: k.Path, Expires: k.Expires}})
	key := k.Domain + "\n" + k.Path + "\n" + k.Name
	if k.Domain == "" {
		key = k.Origin + key
	}
	if !k.Expires.IsZero() && !k.Expires.After(now) {
		delete(c.kept, key)
		return
	}
	c.kept[key] = k
}

// all is what is to be kept.
func (c *cookies) all() []cookie {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]cookie, 0, len(c.kept))
	for _, k := range c.kept {
		out = append(out, k)
	}
	return out
}
