package webchat

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"shaoying/bots"
	"shaoying/bots/botstest"
)

func TestConformance(t *testing.T) {
	botstest.Run(t, func(t *testing.T) botstest.Rig { return newRig(t) })
}

// residents is how many browsers the rig has; case 11 needs 20.
const residents = 20

// rig is the browsers of some residents and a mailbox in memory.
type rig struct {
	t        *testing.T
	channel  *Channel
	mailbox  *memory
	log      *botstest.Log
	browsers []*browser
	client   *http.Client

	mu   sync.Mutex
	url  string
	last *browser // who was acknowledged last
}

// browser keeps what its resident said until it is answered 202, as the page
// does.
type browser struct {
	rig    *rig
	token  string
	quit   chan struct{}
	ended  chan struct{}
	mu     sync.Mutex
	queue  []outgoing
	sent   *outgoing
	refuse error
}

// outgoing is one request of the page.
type outgoing struct {
	kind string
	body []byte
}

func newRig(t *testing.T) *rig {
	r := &rig{t: t, mailbox: newMemory(), log: &botstest.Log{}, client: &http.Client{Transport: &http.Transport{}}}
	r.Restart()
	for range residents {
		b := &browser{rig: r, token: newToken(), quit: make(chan struct{}), ended: make(chan struct{})}
		r.browsers = append(r.browsers, b)
		go b.run()
	}
	return r
}

func newToken() string {
	raw := make([]byte, tokenBytes)
	rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func newUUID() string {
	raw := make([]byte, 16)
	rand.Read(raw)
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}

func (r *rig) Adapter() bots.Adapter { return r.channel }

func (r *rig) Restart() { r.channel = open(r.t, settings(r.t), r.mailbox, r.log) }

func (r *rig) Close() {
	for _, b := range r.browsers {
		close(b.quit)
		<-b.ended
		if b.refuse != nil {
			r.t.Error(b.refuse)
		}
	}
	r.client.CloseIdleConnections()
}

func (r *rig) Listen(url string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.url = url
}

func (r *rig) address() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.url
}

func (r *rig) Address(user int) bots.Address {
	v, _ := ofToken(r.browsers[user].token)
	return bots.Address{Channel: "web", Chat: v.Chat}
}

func (r *rig) post(user int, message map[string]any) bool {
	message["id"] = newUUID()
	body, err := json.Marshal(message)
	if err != nil {
		r.t.Fatal(err)
	}
	r.browsers[user].add(outgoing{"application/json", body})
	return true
}

func (r *rig) upload(user int, field string, data []byte, caption string) bool {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part := func(w io.Writer, err error) io.Writer {
		if err != nil {
			r.t.Fatal(err)
		}
		return w
	}
	_ = form.WriteField("id", newUUID())
	if caption != "" {
		_ = form.WriteField("text", caption)
	}
	_, _ = part(form.CreateFormFile(field, "../../etc/passwd")).Write(data)
	_ = form.Close()
	r.browsers[user].add(outgoing{form.FormDataContentType(), body.Bytes()})
	return true
}

func (r *rig) UserSays(user int, text string) bool {
	return r.post(user, map[string]any{"text": text})
}

func (r *rig) UserTaps(user, n int) bool {
	var choices []bots.Choice
	for _, s := range r.Sent() {
		if s.User == user {
			choices = s.Choices
		}
	}
	return n < len(choices) && r.post(user, map[string]any{"choice": choices[n].Data})
}

func (r *rig) UserSendsPlace(user int, lat, lon float64, label string) bool {
	return r.post(user, map[string]any{"place": map[string]any{"lat": lat, "lon": lon, "label": label}})
}

func (r *rig) UserSendsPhoto(user int, jpeg []byte, caption string) bool {
	return r.upload(user, "photo", jpeg, caption)
}

func (r *rig) UserSendsVoice(user int, amr []byte) bool { return r.upload(user, "voice", amr, "") }

func (r *rig) UserAnswers(user int, text string) bool { return r.UserSays(user, text) }
func (r *rig) Reports(int, bots.ReportState) bool     { return false } // it never says

func (r *rig) GroupSays(int, string) bool { return false } // a page has one visitor
func (r *rig) Echo() bool                 { return false } // and hears only us

func (r *rig) Redeliver() {
	r.mu.Lock()
	b := r.last
	r.mu.Unlock()
	if b != nil {
		b.again()
	}
}

func (r *rig) Waiting() int {
	n := 0
	for _, b := range r.browsers {
		b.mu.Lock()
		n += len(b.queue)
		b.mu.Unlock()
	}
	return n
}

// Sent reads what pages were shown from the frames of their streams.
func (r *rig) Sent() []botstest.Sent {
	users := map[bots.ChatID]int{}
	for user := range r.browsers {
		users[r.Address(user).Chat] = user
	}
	r.mailbox.mu.Lock()
	defer r.mailbox.mu.Unlock()
	var out []botstest.Sent
	for _, d := range r.mailbox.order {
		item := r.mailbox.items[d.chat][d.seq-1]
		frame, err := r.channel.frame(item)
		if err != nil {
			r.t.Fatal(err)
		}
		s := botstest.Sent{User: users[d.chat], Photo: item.Photo}
		shown := struct {
			Text    *string
			Choices *[]bots.Choice
		}{&s.Text, &s.Choices}
		if err := json.Unmarshal(frame, &shown); err != nil {
			r.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

// Fail: a mailbox can only fail to take something for now.
func (r *rig) Fail(class bots.Class) bool {
	if class != bots.ClassTemporary {
		return false
	}
	r.mailbox.mu.Lock()
	defer r.mailbox.mu.Unlock()
	r.mailbox.failing = 1
	return true
}

func (r *rig) Down(down bool) {
	if down {
		r.mailbox.fail(errAway)
		return
	}
	r.mailbox.fail(nil)
}

func (r *rig) Requests() int {
	r.mailbox.mu.Lock()
	defer r.mailbox.mu.Unlock()
	return r.mailbox.calls
}

func (r *rig) Secrets() []string {
	var out []string
	for _, b := range r.browsers {
		out = append(out, b.token)
	}
	return out
}

func (r *rig) Log() string { return r.log.String() }

func (r *rig) Forgeries() []botstest.Forgery {
	token, good := newToken(), `{"id":"`+newUUID()+`","text":"x"}`
	forge := func(name, method, path, body string, headers ...string) botstest.Forgery {
		return botstest.Forgery{Name: name, Make: func(url string) (*http.Request, error) {
			req, err := http.NewRequest(method, url+path, strings.NewReader(body))
			if err != nil {
				return nil, err
			}
			req.Header.Set("Content-Type", "application/json")
			for i := 0; i < len(headers); i += 2 {
				req.Header.Set(headers[i], headers[i+1])
			}
			return req, nil
		}}
	}
	const path = "/chat/messages"
	mine := "shaoying=" + token
	return []botstest.Forgery{
		forge("no cookie", http.MethodPost, path, good),
		forge("empty cookie", http.MethodPost, path, good, "Cookie", "shaoying="),
		forge("short token", http.MethodPost, path, good, "Cookie", "shaoying="+token[:20]),
		forge("long token", http.MethodPost, path, good, "Cookie", mine+"AAAA"),
		forge("token that is no base64", http.MethodPost, path, good, "Cookie", "shaoying="+strings.Repeat("!", 43)),
		forge("the chat for a token", http.MethodPost, path, good, "Cookie", "shaoying="+string(r.Address(0).Chat)),
		forge("token under another name", http.MethodPost, path, good, "Cookie", "session="+token),
		forge("token in the query", http.MethodPost, path+"?shaoying="+token, good),
		forge("token as bearer", http.MethodPost, path, good, "Authorization", "Bearer "+token),
		forge("from another site", http.MethodPost, path, good, "Cookie", mine, "Sec-Fetch-Site", "cross-site"),
		forge("from a sister site", http.MethodPost, path, good, "Cookie", mine, "Sec-Fetch-Site", "same-site"),
		forge("another origin", http.MethodPost, path, good, "Cookie", mine, "Origin", "https://evil.example"),
		forge("wrong method", http.MethodPut, path, good, "Cookie", mine),
		forge("read what is for writing", http.MethodGet, path, "", "Cookie", mine),
		forge("10 MB of JSON", http.MethodPost, path, `{"text":"`+strings.Repeat("x", 10<<20)+`"}`, "Cookie", mine),
		forge("events without cookie", http.MethodGet, "/chat/events", ""),
		forge("photo without cookie", http.MethodGet, "/chat/photo/1", ""),
	}
}

func (b *browser) add(o outgoing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = append(b.queue, o)
}

func (b *browser) again() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.sent != nil {
		b.queue = append(b.queue, *b.sent)
	}
}

// run sends the queue, one after the other, until the browser is closed.
func (b *browser) run() {
	defer close(b.ended)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-b.quit:
			return
		case <-tick.C:
		}
		b.mu.Lock()
		if len(b.queue) == 0 {
			b.mu.Unlock()
			continue
		}
		head := b.queue[0]
		b.mu.Unlock()
		if b.try(head) {
			b.mu.Lock()
			b.queue, b.sent = b.queue[1:], &head
			b.mu.Unlock()
			b.rig.mu.Lock()
			b.rig.last = b
			b.rig.mu.Unlock()
		}
	}
}

// try posts once and reports whether the message was taken.
func (b *browser) try(o outgoing) bool {
	url := b.rig.address()
	if url == "" {
		return false
	}
	req, err := http.NewRequest(http.MethodPost, url+"/chat/messages", bytes.NewReader(o.body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", o.kind)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.AddCookie(&http.Cookie{Name: "shaoying", Value: b.token})
	resp, err := b.rig.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode >= 400 && resp.StatusCode < 500 {
		b.refuse = fmt.Errorf("an honest message was refused: %d %s", resp.StatusCode, body)
	}
	return resp.StatusCode == http.StatusAccepted
}
