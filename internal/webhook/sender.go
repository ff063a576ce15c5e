package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"

	"shaoying/internal/clock"
	"shaoying/internal/gateway"
	"shaoying/internal/outbound"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// Config is where a sender may post to.
type Config struct {
	Policy Policy
	// AllowLoopback admits this machine and plain http, for tests and the demo.
	AllowLoopback bool
	// Allow lists inside networks that the operator named.
	Allow []netip.Prefix
}

// Sender posts events. It is safe for use by many goroutines.
type Sender struct {
	cfg    Config
	clock  *clock.Clock
	client *outbound.Client
	mu     sync.Mutex
	silent map[int64]time.Time // product time until which a receiver is left alone
}

// NewSender returns a sender.
func NewSender(cfg Config, clk *clock.Clock) (*Sender, error) {
	client, err := outbound.New(outbound.Config{
		Purpose: "webhook", Timeout: cfg.Policy.Timeout, MaxBody: cfg.Policy.AnswerBytes, AllowLoopback: cfg.AllowLoopback, Allow: cfg.Allow,
	}, clk)
	if err != nil {
		return nil, err
	}
	return &Sender{cfg: cfg, clock: clk, client: client, silent: map[int64]time.Time{}}, nil
}

// Max is how many hooks there may be.
func (s *Sender) Max() int { return s.cfg.Policy.Max }

// ErrAddress: nothing can be posted there.
var ErrAddress = errors.New("a webhook's address is https, with a host, without a name and password; it does not lie inside our network")

// Check refuses an address that can be seen to be wrong. What a name resolves to
// is looked at each time a connection is made.
func (s *Sender) Check(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return ErrAddress
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err == nil && !s.client.Admits(ip) {
		return ErrAddress
	}
	if u.Scheme == "http" && (err != nil || !ip.IsLoopback() && !s.named(ip)) {
		return ErrAddress // plain http is for what never leaves the building
	}
	return nil
}

func (s *Sender) named(ip netip.Addr) bool {
	for _, p := range s.cfg.Allow {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// Deliver posts one event: the work of a due row of kind Due.
func (s *Sender) Deliver(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id, err := due.SubjectID("webhook")
	if err != nil {
		return gateway.Outcome{}, err
	}
	e, err := read(due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	to, err := t.GetWebhook(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("the webhook was ended"), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load a webhook: %w", err)
	}
	if why, err := hidden(ctx, t, e, to); err != nil || why != "" {
		return gateway.Dropped(why), err
	}
	if s.isSilent(id, t.Now) {
		return s.again(t, due, "the receiver did not answer a moment ago"), nil
	}
	if err := s.post(ctx, t, e, to); err != nil {
		if errors.Is(err, outbound.ErrForbidden) {
			return gateway.Outcome{State: "failed", Reason: "the address lies inside our network"}, nil
		}
		s.silence(id, t.Now)
		return s.again(t, due, err.Error()), nil
	}
	return gateway.Done, nil
}

// hidden says why an event must not be posted any more, "" when it may.
func hidden(ctx context.Context, t *gateway.Turn, e Posting, to db.Webhook) (string, error) {
	id, err := t.TicketIDByNumber(ctx, e.Ticket)
	if err != nil {
		return "", fmt.Errorf("find the ticket of an event: %w", err)
	}
	row, err := t.GetTicket(ctx, id)
	if err != nil {
		return "", fmt.Errorf("load the ticket of an event: %w", err)
	}
	now := ticket.Ticket{Confidential: row.Confidential, Anonymous: row.Anonymous, Sensitive: row.Sensitive}
	for _, code := range row.Against {
		if code == to.Area {
			return "the ticket is about who reads along", nil
		}
	}
	if now.Private() {
		return "the ticket is private", nil
	}
	return "", nil
}

// post sends an event and wants a 2xx. Errors name no address.
func (s *Sender) post(ctx context.Context, t *gateway.Turn, e Posting, to db.Webhook) error {
	address, err := t.Open(SealURL, to.Url)
	if err != nil {
		return err
	}
	secret, err := t.Open(SealSecret, to.Secret)
	if err != nil {
		return err
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("pack an event: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil { // the error repeats the address
		return errors.New("not an address")
	}
	now := s.clock.Wall().Unix()
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "shaoying")
	h.Set(HeaderID, e.ID)
	h.Set(HeaderTimestamp, strconv.FormatInt(now, 10))
	h.Set(HeaderSignature, Sign(secret, now, body))
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read an answer: %w", err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("answer %d", resp.StatusCode)
	}
	return nil
}

// again puts a delivery off, or makes it a dead letter after the last try.
func (s *Sender) again(t *gateway.Turn, due gateway.Due, why string) gateway.Outcome {
	if n := int(due.Tries); n <= len(s.cfg.Policy.Pauses) {
		return gateway.Later(t.Now.Add(s.cfg.Policy.Pauses[max(n, 1)-1]), why)
	}
	return gateway.Outcome{State: "failed", Reason: why}
}

func (s *Sender) isSilent(id int64, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.silent[id])
}

// Forgive lets a receiver be asked at once that was silent a moment ago.
func (s *Sender) Forgive(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.silent, id)
}

func (s *Sender) silence(id int64, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent[id] = now.Add(s.cfg.Policy.Silence)
}

// Host is the part of an address that may be shown: the rest may hold secrets.
func Host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}
