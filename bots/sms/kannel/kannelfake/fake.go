// Package kannelfake is smsbox of a Kannel gateway as the kannel channel sees
// it, for tests. It shares no code with the channel.
package kannelfake

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"shaoying/bots"
	"shaoying/bots/sms/smsfake"
)

// What the one sendsms-user is called.
const (
	Username = "gov"
	Password = "kannel-password-of-the-tests"
)

// Faults of a send.
const (
	Temporal    = "temporal"     // bearerbox is away
	NotRoutable = "not routable" // no SMSC takes the number
	Blacklisted = "blacklisted"
	Denied      = "denied" // the password was changed
	Lost        = "lost"   // sent, and the answer lost
	Gateway     = "gateway"
)

// Server is the gateway.
type Server struct {
	*smsfake.Network
	// Token ends the path of what it posts.
	Token string
}

// New starts a gateway that posts with a token.
func New(token string) *Server {
	s := &Server{Token: token}
	s.Network = smsfake.Start(s)
	return s
}

// SendURL is where it takes messages.
func (s *Server) SendURL() string { return s.URL() + "/cgi-bin/sendsms" }

// ServeHTTP is smsbox.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, text string) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
	query := r.URL.Query()
	if r.URL.Path != "/cgi-bin/sendsms" {
		answer(http.StatusNotFound, "Error 404")
		return
	}
	if query.Get("username") != Username || query.Get("password") != Password {
		answer(http.StatusForbidden, "Authorization failed for sendsms")
		return
	}
	if query.Get("to") == "" {
		answer(http.StatusBadRequest, "Missing receiver number, rejected")
		return
	}
	fault := s.Fault()
	switch fault {
	case Temporal:
		answer(http.StatusServiceUnavailable, "Temporal failure, try again later.")
		return
	case NotRoutable:
		answer(http.StatusForbidden, "Not routable. Do not try again.")
		return
	case Blacklisted:
		answer(http.StatusForbidden, "Number(s) has/have been denied by white- and/or black-lists.")
		return
	case Denied:
		answer(http.StatusForbidden, "Authorization failed for sendsms")
		return
	case Gateway:
		answer(http.StatusBadGateway, "<html>Bad Gateway</html>")
		return
	}
	shown, parts := smsfake.GSM7(query.Get("text"))
	if query.Get("coding") == "2" {
		shown, parts = smsfake.UCS2(query.Get("text"))
	}
	s.Deliver(smsfake.Text{ID: s.Serial(), From: query.Get("from"), To: query.Get("to"), Body: shown, Parts: parts, Callback: query.Get("dlr-url")})
	if fault == Lost {
		smsfake.Cut(w)
		return
	}
	answer(http.StatusAccepted, "0: Accepted for delivery")
}

// Says is the POST of a message.
func (s *Server) Says(base string, m smsfake.Word) (*http.Request, error) {
	query := url.Values{
		"from": {m.From}, "to": {m.To}, "coding": {"0"}, "charset": {"UTF-8"}, "id": {"5f1c9a34-0000-4000-8000-" + m.ID},
	}
	req, err := http.NewRequest(http.MethodPost, base+"/mo/"+s.Token+"?"+query.Encode(), strings.NewReader(m.Body))
	if err == nil {
		req.Header.Set("Content-Type", "text/plain; charset=UTF-8")
	}
	return req, err
}

// Tells fills in the address for reports of a text, as Kannel does.
func (s *Server) Tells(base string, t smsfake.Text, state bots.ReportState) (*http.Request, error) {
	kind, said := "8", "ACK/"
	switch state {
	case bots.ReportDelivered:
		kind, said = "1", "id:"+t.ID+" sub:001 dlvrd:001 submit date:2603030900 done date:2603030901 stat:DELIVRD err:000 text:"
	case bots.ReportFailed:
		kind, said = "2", "id:"+t.ID+" sub:001 dlvrd:000 stat:UNDELIV err:001 text:"
	}
	filled := strings.NewReplacer("%%", "%", "%d", kind, "%A", url.QueryEscape(said)).Replace(t.Callback)
	u, err := url.Parse(filled)
	if err != nil {
		return nil, err
	}
	there, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Host = there.Scheme, there.Host
	return http.NewRequest(http.MethodGet, u.String(), nil)
}

// Took reports whether smsbox takes an answer for "received". Words in it would
// be sent to the resident.
func (s *Server) Took(status int, body []byte) bool {
	return (status == http.StatusOK || status == http.StatusAccepted) && len(body) == 0
}
