package telegramfake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"
)

// webhook is where updates are posted.
type webhook struct {
	url     string
	secret  string
	allowed []string
	failed  string
	at      time.Time
	bases   []string // a load balancer's targets
	turn    int
}

var secretToken = regexp.MustCompile(`^[A-Za-z0-9_-]{0,256}$`)

func (s *Server) setWebhook(p params) reply {
	target := p.values["url"]
	if target == "" {
		return s.deleteWebhook(p)
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" {
		return bad("bad webhook: invalid webhook URL specified")
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme != "https" && (ip == nil || !ip.IsLoopback()) {
		return bad("bad webhook: An HTTPS URL must be provided for webhook")
	}
	if !secretToken.MatchString(p.values["secret_token"]) {
		return bad("secret token contains unallowed characters")
	}
	var allowed []string
	if err := p.into("allowed_updates", &allowed); err != nil {
		return bad(err.Error())
	}
	s.webhook.url, s.webhook.secret, s.webhook.allowed, s.webhook.failed = target, p.values["secret_token"], allowed, ""
	if s.poll != nil {
		close(s.poll)
		s.poll = nil
	}
	return success(true)
}

func (s *Server) deleteWebhook(p params) reply {
	s.webhook.url, s.webhook.secret, s.webhook.failed = "", "", ""
	if p.values["drop_pending_updates"] == "true" {
		s.updates = nil
	}
	return success(true)
}

func (s *Server) webhookInfo() reply {
	info := object{"url": s.webhook.url, "has_custom_certificate": false, "pending_update_count": len(s.updates)}
	if s.webhook.failed != "" {
		info["last_error_date"], info["last_error_message"] = s.webhook.at.Unix(), s.webhook.failed
	}
	return success(info)
}

// SetWebhook changes the webhook as another program with the token would.
func (s *Server) SetWebhook(target, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhook.url, s.webhook.secret = target, secret
	s.wake()
}

// Webhook is the address that the bot has set, empty when there is none.
func (s *Server) Webhook() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.webhook.url
}

// Balance puts a load balancer behind the webhook's address: updates are posted
// to the path of that address below each base in turn, the next one when one
// does not answer. Without bases the address itself is posted to.
func (s *Server) Balance(bases ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webhook.bases = slices.Clone(bases)
	s.wake()
}

// post delivers to the webhook until the server closes: one request at a time
// for each chat, and the same update until it is taken.
func (s *Server) post() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		u, pause := s.head()
		s.mu.Unlock()
		if u != nil {
			s.wait.Go(func() { s.deliver(u) })
			continue
		}
		timer.Reset(pause)
		select {
		case <-changed:
		case <-timer.C:
		case <-s.quit:
			return
		}
	}
}

// maxDeliveries is how many chats are posted at once, Telegram's default.
const maxDeliveries = 40

// head claims the first update of a chat that may be posted now, or says how
// long nothing is; the lock is held.
func (s *Server) head() (*update, time.Duration) {
	pause := time.Hour
	if s.webhook.url == "" || s.down || s.closed {
		return nil, pause
	}
	if allowed := s.webhook.allowed; len(allowed) > 0 {
		s.updates = slices.DeleteFunc(s.updates, func(u *update) bool { return !u.busy && !slices.Contains(allowed, u.kind) })
	}
	taken, busy := map[int64]bool{}, 0
	for _, u := range s.updates {
		if u.busy {
			busy++
		}
	}
	for _, u := range s.updates {
		if taken[u.chat] || busy >= maxDeliveries {
			continue
		}
		taken[u.chat] = true
		switch left := time.Until(u.notYet); {
		case u.busy:
		case left > 0:
			pause = min(pause, left)
		default:
			u.busy = true
			return u, 0
		}
	}
	return nil, pause
}

// deliver posts one update to the targets in turn.
func (s *Server) deliver(u *update) {
	body, err := json.Marshal(u.whole())
	if err != nil {
		panic(fmt.Sprintf("telegramfake: %v", err)) // our own maps are JSON
	}
	s.mu.Lock()
	targets, secret := s.webhook.targets(), s.webhook.secret
	s.mu.Unlock()
	failed := "no target"
	for _, target := range targets {
		var answered bool
		if answered, failed = s.try(target, secret, body); answered {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	u.busy = false
	if failed != "" {
		u.notYet = time.Now().Add(s.cfg.Retry << min(u.fails, 4))
		u.fails++
		s.webhook.failed, s.webhook.at = failed, s.cfg.Now()
		return
	}
	s.updates = slices.DeleteFunc(s.updates, func(x *update) bool { return x == u })
	s.confirmed(u)
}

// targets is the order in which the balancer tries; the lock is held.
func (h *webhook) targets() []string {
	if len(h.bases) == 0 {
		return []string{h.url}
	}
	path := ""
	if u, err := url.Parse(h.url); err == nil {
		path = u.Path
	}
	h.turn++
	var out []string
	for i := range h.bases {
		out = append(out, h.bases[(h.turn+i)%len(h.bases)]+path)
	}
	return out
}

// try posts once. answered is false when the next target may be tried; failed
// is empty when the update was taken.
func (s *Server) try(target, secret string, body []byte) (answered bool, failed string) {
	req, err := http.NewRequest(http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return false, "Wrong URL"
	}
	req.Header.Set("Content-Type", "application/json")
	if secret != "" {
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", secret)
	}
	resp, err := s.hook.Do(req)
	if err != nil {
		return false, "Connection failed"
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode/100 == 2 {
		return true, ""
	}
	return resp.StatusCode < 502, fmt.Sprintf("Wrong response from the webhook: %s", resp.Status)
}

// WebhookError is why the last delivery failed, empty when none did.
func (s *Server) WebhookError() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.webhook.failed
}
