// Package twiliofake is a carrier of Twilio's kind as the twilio channel sees it,
// for tests. It shares no code with the channel.
package twiliofake

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"sync"

	"shaoying/bots"
	"shaoying/bots/sms/smsfake"
)

// The one account.
const (
	AccountSID = "AC0123456789abcdef0123456789abcdef"
	Token      = "twilio-token-of-the-tests"
	From       = "+8610690123"
)

// Faults of a send.
const (
	Lost     = "lost"     // sent, and the answer lost
	TooMany  = "too many" // 429
	Stopped  = "stopped"  // 21610
	Denied   = "denied"   // 20003
	Gateway  = "gateway"  // a proxy has lost the question or the answer
	Inactive = "inactive" // the account, when it is asked for
)

// Server is the carrier.
type Server struct {
	*smsfake.Network
	// Public is the address that the carrier was told, and signs.
	Public string

	mu     sync.Mutex
	status map[string]string
}

// New starts a carrier that signs pushes to public.
func New(public string) *Server {
	s := &Server{Public: public, status: map[string]string{}}
	s.Network = smsfake.Start(s)
	return s
}

// ServeHTTP is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, v map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(status, code int, message string) {
		answer(status, map[string]any{"code": code, "message": message, "status": status, "more_info": "https://www.twilio.com/docs/errors"})
	}
	user, password, _ := r.BasicAuth()
	if user != AccountSID || password != Token {
		refuse(http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	base := "/2010-04-01/Accounts/" + AccountSID
	sid, one := strings.CutPrefix(r.URL.Path, base+"/Messages/")
	fault := s.Fault()
	switch {
	case fault == Gateway:
		http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
	case r.Method == http.MethodGet && r.URL.Path == base+".json":
		word := "active"
		if fault == Inactive {
			word = "suspended"
		}
		answer(http.StatusOK, map[string]any{"sid": AccountSID, "status": word})
	case r.Method == http.MethodGet && one:
		sid = strings.TrimSuffix(sid, ".json")
		s.mu.Lock()
		word, known := s.status[sid]
		s.mu.Unlock()
		if !known {
			refuse(http.StatusNotFound, 20404, "The requested resource was not found")
			return
		}
		answer(http.StatusOK, map[string]any{"sid": sid, "status": word, "error_code": nil})
	case r.Method == http.MethodPost && r.URL.Path == base+"/Messages.json":
		s.send(w, r, fault, answer, refuse)
	default:
		refuse(http.StatusNotFound, 20404, "The requested resource was not found")
	}
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, fault string, answer func(int, map[string]any), refuse func(int, int, string)) {
	switch fault {
	case TooMany:
		refuse(http.StatusTooManyRequests, 20429, "Too Many Requests")
		return
	case Stopped:
		refuse(http.StatusBadRequest, 21610, "Attempt to send to unsubscribed recipient "+r.FormValue("To"))
		return
	case Denied:
		refuse(http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	if r.FormValue("From") != From || r.FormValue("To") == "" || r.FormValue("Body") == "" {
		refuse(http.StatusBadRequest, 21604, "A 'To' phone number is required")
		return
	}
	shown, parts := cut(r.FormValue("Body"))
	sid := "SM0123456789abcdef" + s.Serial()
	s.mu.Lock()
	s.status[sid] = "queued"
	s.mu.Unlock()
	s.Deliver(smsfake.Text{ID: sid, From: From, To: r.FormValue("To"), Body: shown, Parts: parts, Callback: r.FormValue("StatusCallback")})
	if fault == Lost {
		smsfake.Cut(w)
		return
	}
	answer(http.StatusCreated, map[string]any{"sid": sid, "status": "queued", "num_segments": "1"})
}

// plain is what goes out in the default alphabet, of what tests write.
const plain = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà\f^{}\\[~]|€"

func cut(text string) (shown string, parts int) {
	for _, r := range text {
		if !strings.ContainsRune(plain, r) {
			return smsfake.UCS2(text)
		}
	}
	return smsfake.GSM7(text)
}

// Says is the form of a message.
func (s *Server) Says(base string, m smsfake.Word) (*http.Request, error) {
	return s.post(base, "/mo", url.Values{
		"MessageSid": {"SMfedcba9876543210" + m.ID}, "AccountSid": {AccountSID}, "From": {m.From}, "To": {m.To}, "Body": {m.Body}, "NumMedia": {"0"}, "NumSegments": {"1"},
	})
}

// Tells is the form of a report.
func (s *Server) Tells(base string, t smsfake.Text, state bots.ReportState) (*http.Request, error) {
	word := map[bots.ReportState]string{bots.ReportBuffered: "sent", bots.ReportDelivered: "delivered", bots.ReportFailed: "undelivered"}[state]
	s.mu.Lock()
	s.status[t.ID] = word
	s.mu.Unlock()
	form := url.Values{"MessageSid": {t.ID}, "AccountSid": {AccountSID}, "MessageStatus": {word}, "To": {t.To}, "From": {t.From}}
	if state == bots.ReportFailed {
		form.Set("ErrorCode", "30003")
	}
	return s.post(base, strings.TrimPrefix(t.Callback, s.Public), form)
}

// post signs a form for the public address and sends it to where the adapter
// really is, as through a proxy.
func (s *Server) post(base, path string, form url.Values) (*http.Request, error) {
	req, err := http.NewRequest(http.MethodPost, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Twilio-Signature", Sign(Token, s.Public+path, form))
	return req, nil
}

// Sign is the signature of a form.
func Sign(token, address string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	sort.Strings(names)
	mac := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(mac, address)
	for _, name := range names {
		_, _ = io.WriteString(mac, name+form.Get(name))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Took reports whether an answer means "received". Words in it would be sent to
// the resident.
func (s *Server) Took(status int, body []byte) bool {
	return status == http.StatusOK && (len(body) == 0 || string(body) == "<Response></Response>")
}
