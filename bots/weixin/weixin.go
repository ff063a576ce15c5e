// Package weixin is what Tencent's servers for WeChat's Official Accounts and for
// WeCom have in common: signed and sealed pushes, an access token, calls that
// answer 200 to everything and say in the body what went wrong, and media.
//
// # The token
//
// One access token serves the whole account, so one process fetches it: the owner
// of the channel account, while Run lasts ([Client.Own]) and in a send ([Owning]),
// which may come before Run has begun. It is kept sealed in bots.State,
// from where every other process reads it, to fetch a photo for example. A token
// that the network calls invalid is forgotten, and the call that found out is
// temporary: surely nothing was sent, and the next try has a new one. A token is
// renewed when a tenth of its life is left.
//
// # What a failed call is
//
// An errcode becomes an [*APIError] in a *bots.Error, whose class the account's
// table of codes says; an unknown code is rejected where it is a refusal of what
// we sent. No answer, or one that is not the network's, is classed by bots/wire.
// Tokens stand in the query of every call; errors of bots/wire name host and
// method alone.
package weixin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
)

// Config is what a client needs to know.
type Config struct {
	// Kind names the clients in metrics: "officialaccount".
	Kind string
	// Server is the address of the network.
	Server wire.Endpoint
	// Codes class what the network says against a call, by its errcode. What is
	// not in it is ClassRejected.
	Codes map[int]bots.Class
	// Fetch makes the request for a new token.
	Fetch func(ctx context.Context, server string) (*http.Request, error)
	// Call bounds one call, MaxFile a file that is fetched or sent, in bytes.
	Call    time.Duration
	MaxFile int64
}

// Deps is what a client stands on.
type Deps struct {
	Clock   *clock.Clock
	Log     *slog.Logger
	State   bots.State
	Observe func(outbound.Exchange)
}

// Client calls one account's server. It is safe for use by many goroutines.
type Client struct {
	cfg   Config
	deps  Deps
	calls *wire.Client
	files *wire.Client

	asking chan struct{} // holds one place, for whoever asks for a token: everybody waits for that one

	mu    sync.Mutex // guards what follows; never held over a call
	owner bool
	token token
}

// token as it is kept under stateToken.
type token struct {
	Value string    `json:"value"`
	Until time.Time `json:"until"` // wall time
	Renew time.Time `json:"renew"`
}

const (
	stateToken = "access_token"
	// maxAnswer is the longest answer to a call that brings no file.
	maxAnswer = 4 << 20
	// fileWait bounds the transfer of a file.
	fileWait = 60 * time.Second
)

// New makes a client. Nothing is asked yet.
func New(cfg Config, deps Deps) (*Client, error) {
	if deps.Clock == nil || deps.Log == nil || deps.State == nil || cfg.Fetch == nil {
		return nil, fmt.Errorf("%s: clock, log, state and a way to fetch a token are needed", cfg.Kind)
	}
	c := &Client{cfg: cfg, deps: deps, asking: make(chan struct{}, 1)}
	var err error
	if c.calls, err = cfg.Server.NewClient(wire.Limits{Purpose: cfg.Kind + ".call", Timeout: cfg.Call, MaxBody: maxAnswer}, deps.Clock, deps.Observe); err != nil {
		return nil, err
	}
	c.files, err = cfg.Server.NewClient(wire.Limits{Purpose: cfg.Kind + ".file", Timeout: fileWait, MaxBody: cfg.MaxFile + 1}, deps.Clock, deps.Observe)
	return c, err
}

// Close drops the connections that nobody uses; the client goes on working.
func (c *Client) Close() {
	c.calls.Close()
	c.files.Close()
}

// Own says whether this process owns the channel account, and so the token.
func (c *Client) Own(owner bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner = owner
}

type owning struct{}

// Owning marks the calls under a context as those of the owner of the channel
// account: a send is.
func Owning(ctx context.Context) context.Context { return context.WithValue(ctx, owning{}, true) }

// APIError is what the network said against a call.
type APIError struct {
	Code int
	// Says is its English reason, cut down to what may stand in a log.
	Says string
}

func (e *APIError) Error() string { return fmt.Sprintf("errcode %d: %s", e.Code, e.Says) }

// CodeOf returns the errcode in an error, 0 for none.
func CodeOf(err error) int {
	var e *APIError
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// Codes that mean the same to all of Tencent's servers.
const (
	codeBusy = -1 // the system is busy: try again
	// codeTokenBad and what follows: the token is not, or no longer, valid.
	codeTokenBad, codeTokenWrong, codeTokenOld = 40001, 40014, 42001
)

// failure makes an error of an errcode.
func (c *Client) failure(code int, says string) *bots.Error {
	class, ok := c.cfg.Codes[code]
	switch {
	case code == codeTokenBad, code == codeTokenWrong, code == codeTokenOld, code == codeBusy:
		class = bots.ClassTemporary
	case !ok:
		class = bots.ClassRejected
	}
	says, _, _ = strings.Cut(says, "rid:") // an id of the request, of use to Tencent alone
	return &bots.Error{Class: class, After: throttleWait, Err: &APIError{code, wire.Plain(says)}}
}

// throttleWait is how long is waited after a code of ClassThrottled; the network
// names no time, its limits are by the minute.
const throttleWait = time.Minute

// answer is the frame of every JSON answer.
type answer struct {
	Code *int   `json:"errcode"`
	Says string `json:"errmsg"`
}

// read classes a JSON answer and decodes it into out, which may be nil.
func (c *Client) read(status int, body []byte, out any) error {
	var a answer
	if json.Unmarshal(body, &a) != nil || status != http.StatusOK {
		return wire.Between(status)
	}
	if a.Code != nil && *a.Code != 0 {
		return c.failure(*a.Code, a.Says)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &bots.Error{Class: bots.ClassUnknown, Err: errors.New("the answer cannot be read")}
	}
	return nil
}

// Token returns the access token. A process that does not own the account waits
// for the owner to fetch one.
func (c *Client) Token(ctx context.Context) (string, error) {
	if err := c.ask(ctx); err != nil {
		return "", err
	}
	defer c.asked()
	now := c.deps.Clock.Wall()
	t, owner := c.held(ctx)
	if now.Before(t.Renew) {
		return t.Value, nil
	}
	t, err := c.load(ctx)
	if err != nil {
		return "", err
	}
	if now.Before(t.Renew) || !owner && now.Before(t.Until) {
		return t.Value, nil
	}
	if !owner {
		return "", &bots.Error{Class: bots.ClassTemporary, Err: errors.New("the owner of the account has no access token yet")}
	}
	if t, err = c.fetch(ctx); err != nil {
		return "", err
	}
	return t.Value, c.keep(ctx, t)
}

// ask waits until nobody else asks for a token; whoever got in calls asked.
func (c *Client) ask(ctx context.Context) error {
	select {
	case c.asking <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("wait for an access token: %w", ctx.Err())}
	}
}

func (c *Client) asked() { <-c.asking }

// held is the token that this process has, and whether a call is the owner's.
func (c *Client) held(ctx context.Context) (t token, owner bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.token, c.owner || ctx.Value(owning{}) != nil
}

func (c *Client) hold(t token) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = t
}

// load reads the token that the owner keeps, the zero value where there is none.
func (c *Client) load(ctx context.Context) (t token, err error) {
	body, err := c.deps.State.Load(ctx, stateToken)
	if err != nil {
		return t, &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("read the access token: %w", err)}
	}
	if body != nil && json.Unmarshal(body, &t) != nil {
		t = token{}
	}
	c.hold(t)
	return t, nil
}

func (c *Client) keep(ctx context.Context, t token) error {
	body, err := json.Marshal(t)
	if err == nil {
		err = c.deps.State.Save(ctx, stateToken, body)
	}
	if err != nil {
		return &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("keep the access token: %w", err)}
	}
	c.hold(t)
	return nil
}

// fetch asks the network for a token.
func (c *Client) fetch(ctx context.Context) (token, error) {
	req, err := c.cfg.Fetch(ctx, c.cfg.Server.String())
	if err != nil {
		return token{}, wire.Refuse("ask for a token: %v", err)
	}
	now := c.deps.Clock.Wall()
	status, body, err := c.calls.Call(req)
	if err != nil {
		return token{}, certain(err)
	}
	var got struct {
		Value   string `json:"access_token"`
		Seconds int    `json:"expires_in"`
	}
	if err := c.read(status, body, &got); err != nil {
		return token{}, refused(certain(err))
	}
	if got.Value == "" || got.Seconds <= 0 {
		return token{}, &bots.Error{Class: bots.ClassTemporary, Err: errors.New("an answer without an access token")}
	}
	life := time.Duration(got.Seconds) * time.Second
	return token{Value: got.Value, Until: now.Add(life), Renew: now.Add(life - life/10)}, nil
}

// refused says of an error to a request for a token that people have to act: the
// secret is wrong, or our address is not on the list. Nobody's message is at fault.
func refused(err error) error {
	var e *bots.Error
	if code := CodeOf(err); !errors.As(err, &e) || code == 0 || code == codeBusy || e.Class == bots.ClassThrottled {
		return err
	}
	return &bots.Error{Class: bots.ClassLoggedOut, Err: e.Err}
}

// certain says of an error before the send itself that surely nothing was sent.
func certain(err error) error {
	var e *bots.Error
	if errors.As(err, &e) && e.Class == bots.ClassUnknown {
		return &bots.Error{Class: bots.ClassTemporary, Err: e.Err}
	}
	return err
}

// Probe asks for a token, for a check of the account. The calls of this client
// go on with it; nobody else is given it.
func (c *Client) Probe(ctx context.Context) error {
	t, err := c.fetch(ctx)
	if err != nil {
		return err
	}
	c.hold(t)
	return nil
}

// forget drops a token that the network does not take. Where that comes too late
// for this call, the next one that is refused does it.
func (c *Client) forget(ctx context.Context, value string) {
	if c.ask(ctx) != nil {
		return
	}
	defer c.asked()
	t, owner := c.held(ctx)
	if t.Value != value {
		return // somebody has a new one already
	}
	c.hold(token{})
	if !owner {
		return
	}
	if err := c.deps.State.Save(ctx, stateToken, nil); err != nil {
		c.deps.Log.Warn("forget an access token", "error", err)
	}
}

// Post sends a JSON body to a path and reads the answer into out.
func (c *Client) Post(ctx context.Context, path string, body, out any) error {
	var raw bytes.Buffer
	enc := json.NewEncoder(&raw)
	enc.SetEscapeHTML(false) // < as \u003c would be shown as it stands
	if err := enc.Encode(body); err != nil {
		return wire.Refuse("pack a call: %v", err)
	}
	return c.do(ctx, c.calls, http.MethodPost, path, nil, "application/json; charset=utf-8", raw.Bytes(), out)
}

// Get reads a path.
func (c *Client) Get(ctx context.Context, path string, query url.Values, out any) error {
	return c.do(ctx, c.calls, http.MethodGet, path, query, "", nil, out)
}

// Upload puts a photo where messages can name it, and returns its id.
func (c *Client) Upload(ctx context.Context, path string, p bots.Photo) (id string, err error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	name, mime := p.File()
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("media", name)}, "Content-Type": {mime},
	})
	if err == nil {
		_, err = part.Write(p.Data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return "", wire.Refuse("pack a photo: %v", err)
	}
	var got struct {
		ID string `json:"media_id"`
	}
	err = c.do(ctx, c.files, http.MethodPost, path, url.Values{"type": {"image"}}, w.FormDataContentType(), form.Bytes(), &got)
	if err == nil && got.ID == "" {
		err = &bots.Error{Class: bots.ClassTemporary, Err: errors.New("a photo was uploaded and got no id")}
	}
	return got.ID, certain(err) // an upload alone shows nobody anything
}

// do makes one call with the token.
func (c *Client) do(ctx context.Context, client *wire.Client, method, path string, query url.Values, mime string, body []byte, out any) error {
	value, req, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return certain(err)
	}
	if mime != "" {
		req.Header.Set("Content-Type", mime)
	}
	status, got, err := client.Call(req)
	if err != nil {
		return err
	}
	return c.judged(ctx, value, c.read(status, got, out))
}

// judged forgets the token where that is what was wrong.
func (c *Client) judged(ctx context.Context, value string, err error) error {
	switch CodeOf(err) {
	case codeTokenBad, codeTokenWrong, codeTokenOld:
		c.forget(ctx, value)
	}
	return err
}

// request makes a request with the token in its query.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body []byte) (string, *http.Request, error) {
	value, err := c.Token(ctx)
	if err != nil {
		return "", nil, err
	}
	all := url.Values{"access_token": {value}}
	for k, v := range query {
		all[k] = v
	}
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.Server.String()+path+"?"+all.Encode(), bytes.NewReader(body))
	if err != nil { // the error would repeat the token
		return "", nil, wire.Refuse("the call %s has no address", path)
	}
	return value, req, nil
}

// Download opens the file with an id. The network answers a file, or JSON that
// says why not.
func (c *Client) Download(ctx context.Context, path, id string) (io.ReadCloser, error) {
	value, req, err := c.request(ctx, http.MethodGet, path, url.Values{"media_id": {id}}, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.files.Open(req)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(resp.Header.Get("Content-Length"), 10, 64); err == nil && n > c.cfg.MaxFile {
		_ = resp.Body.Close() // nothing was read
		return nil, wire.Refuse("a file of %d bytes, at most %d", n, c.cfg.MaxFile)
	}
	kind := resp.Header.Get("Content-Type")
	if resp.StatusCode == http.StatusOK && !strings.Contains(kind, "json") && !strings.HasPrefix(kind, "text/") {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, &bots.Error{Class: bots.ClassTemporary, Err: fmt.Errorf("read why a file does not come: %w", err)}
	}
	if err := c.judged(ctx, value, c.read(resp.StatusCode, body, nil)); err != nil {
		return nil, err
	}
	return nil, &bots.Error{Class: bots.ClassTemporary, Err: errors.New("an answer that is no file")}
}
