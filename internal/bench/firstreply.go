package bench

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"shaoying/internal/outbound"
)

// Limits of one visit.
const (
	visitTime = 10 * time.Second
	startTime = 30 * time.Second
	maxAnswer = 1 << 20
	// between is how long the system is left alone after each visitor, so
	// that the next one finds it idle.
	between = 20 * time.Millisecond
)

// firstWords are what a new visitor writes.
const firstWords = "你好"

// firstReply serves the whole house over loopback and lets visitors come one
// after the other. Each is new, so their person, address and conversation are
// made on the way.
func (b *bench) firstReply(ctx context.Context) (Latency, error) {
	client, err := outbound.New(outbound.Config{Purpose: "bench", Timeout: visitTime, MaxBody: maxAnswer, AllowLoopback: true}, b.clock)
	if err != nil {
		return Latency{}, err
	}
	serve, stop := context.WithCancel(ctx)
	out, ready := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := b.product.Serve(serve, ready)
		ready.CloseWithError(cmp.Or(err, errors.New("it ended before it was ready")))
		served <- err
	}()
	waits, err := b.visits(ctx, client, out)
	stop()
	out.Close()
	if err := errors.Join(err, <-served); err != nil {
		return Latency{}, err
	}
	return latency(waits, 0), nil
}

func (b *bench) visits(ctx context.Context, client *outbound.Client, out io.Reader) ([]time.Duration, error) {
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("start the house: %w", err)
	}
	base, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if !ok {
		return nil, fmt.Errorf("the house said %q instead of where it is ready", line)
	}
	if err := b.awaitReady(ctx, client, base); err != nil {
		return nil, err
	}
	waits := make([]time.Duration, b.cfg.FirstReplies)
	for i := range waits {
		v := visitor{client: client, base: base}
		if waits[i], err = v.visit(ctx, b.clock.Wall, b.clock.Since); err != nil {
			return nil, fmt.Errorf("visitor %d: %w", i+1, err)
		}
		if err := sleep(ctx, between); err != nil {
			return nil, err
		}
	}
	return waits, nil
}

// awaitReady waits until the house says that its channels are owned.
func (b *bench) awaitReady(ctx context.Context, client *outbound.Client, base string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	v := visitor{client: client, base: base}
	for {
		resp, err := v.do(ctx, http.MethodGet, "/readyz", nil)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		if sleepErr := sleep(ctx, between); sleepErr != nil {
			return fmt.Errorf("the house is not ready: %w", errors.Join(sleepErr, err))
		}
	}
}

// visitor is a browser with the page open.
type visitor struct {
	client *outbound.Client
	base   string
	cookie *http.Cookie
}

// visit opens a session and its stream, writes, and returns how long the first
// frame took from the moment at which the message was sent.
func (v *visitor) visit(ctx context.Context, wall func() time.Time, since func(time.Time) time.Duration) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, visitTime)
	defer cancel() // closes the stream
	if err := v.open(ctx); err != nil {
		return 0, err
	}
	stream, err := v.do(ctx, http.MethodGet, "/chat/events", nil)
	if err != nil {
		return 0, err
	}
	defer stream.Body.Close()
	if stream.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the stream answered %s", stream.Status)
	}
	lines := bufio.NewReader(stream.Body)
	// The stream says "retry:" first; after that it is listening.
	if _, err := awaitLine(lines, "retry:"); err != nil {
		return 0, err
	}
	start := wall()
	if err := v.write(ctx, firstWords); err != nil {
		return 0, err
	}
	if _, err := awaitLine(lines, "data:"); err != nil {
		return 0, err
	}
	return since(start), nil
}

func (v *visitor) open(ctx context.Context) error {
	resp, err := v.do(ctx, http.MethodPost, "/chat/session", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	cookies := resp.Cookies()
	if resp.StatusCode != http.StatusOK || len(cookies) == 0 {
		return fmt.Errorf("a session was answered %s with %d cookies", resp.Status, len(cookies))
	}
	v.cookie = cookies[0]
	return nil
}

func (v *visitor) write(ctx context.Context, text string) error {
	body, err := json.Marshal(map[string]string{"id": newUUID(), "text": text})
	if err != nil {
		return fmt.Errorf("pack a message: %w", err)
	}
	resp, err := v.do(ctx, http.MethodPost, "/chat/messages", body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read the acknowledgement: %w", err)
	}
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("a message was answered %s", resp.Status)
	}
	return nil
}

func (v *visitor) do(ctx context.Context, method, path string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, v.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Origin", v.base)
	if v.cookie != nil {
		req.AddCookie(v.cookie)
	}
	return v.client.Do(req)
}

// awaitLine reads a stream until a line with the given beginning.
func awaitLine(r *bufio.Reader, prefix string) (string, error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return "", fmt.Errorf("the stream ended before %q: %w", prefix, err)
		}
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSpace(rest), nil
		}
	}
}

// newUUID is a random UUID, version 4 (RFC 9562).
func newUUID() string {
	var u [16]byte
	rand.Read(u[:]) // never fails, crypto/rand says
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
