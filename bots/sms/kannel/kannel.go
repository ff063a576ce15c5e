// Package kannel is the channel to a Kannel SMS gateway over its HTTP interface:
// sendsms to it, the messages of residents (MO) and delivery reports (DLR) from
// it. Kannel speaks SMPP, EMI or CIMD2 to the carrier.
//
// # When a message is sent
//
// 202 says that bearerbox keeps it. The address for reports (dlr-url) carries
// our key and the chat, so a report names the message even when the answer to
// the send was lost, and no number has to be read out of it. Kannel asks for a
// receipt of the first part alone: "delivered" does not prove the tail.
//
// Kannel cuts UCS-2 texts every 134 octets, through whatever stands there.
// Spaces of no width (sms.Fill) put those cuts between graphemes.
//
// # What comes in
//
// The words of a message come in the body of a POST (a body cannot be mistaken
// for a number), everything else in its query; bearerbox has joined the parts.
// %I is Kannel's own id and the key. Reports are GETs and come in any order.
// An answer to a message is empty, for Kannel would send it back to the sender.
//
// # kannel.conf
//
// What the lines must say stands in docs/zh/sms.md; in short:
//
//	group = sendsms-user      concatenation = true, max-messages = 10
//	group = sms-service       post-url = ".../mo/TOKEN?from=%p&to=%P&coding=%c&charset=%C&id=%I&ts=%T"
//	                          keyword = default, catch-all = true, max-messages = 0
//	                          concatenation = true, assume-plain-text = true, omit-empty = true
//	group = smsbox            mo-recode = true, http-request-retry = 3, http-queue-delay = 10,
//	                          max-pending-requests = 1, or the messages of one sender overtake one another
//	                          reply-couldnotfetch = "", or Kannel writes to residents in English
//
// # States, clocks, failure
//
// The channel keeps no state and no clock. Kannel keeps what it accepted on its
// own disk (store-type = spool), and cannot be asked what became of it: what was
// lost between us waits for a report, and then for a person. How answers become classes stands in send.go.
package kannel

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

// Config is one account on a Kannel gateway.
type Config struct {
	sms.Account `yaml:",inline"`
	// SendURL is sendsms of smsbox: http://127.0.0.1:13013/cgi-bin/sendsms.
	SendURL string `yaml:"send_url"`
	// Username and the password at PasswordEnv or PasswordFile are those of the
	// sendsms-user.
	Username     string `yaml:"username"`
	PasswordEnv  string `yaml:"password_env"`
	PasswordFile string `yaml:"password_file"`
	// SMSC names the connection of Kannel's that is used, where it has several.
	SMSC string `yaml:"smsc"`
	// CarrierSigns is true where the carrier itself puts the signature before
	// each text: it is then counted, and not written twice.
	CarrierSigns bool `yaml:"carrier_signs"`

	Password privacy.Secret `yaml:"-"`
	Limits   sms.Limits     `yaml:"-"`
}

// Secrets reads password and callback token from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.Password, err = privacy.ResolveSecret(c.PasswordEnv, c.PasswordFile); err != nil {
		return fmt.Errorf("channel %s: password_env or password_file: %w", c.ID, err)
	}
	return c.Account.Secrets()
}

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	switch {
	case c.Username == "":
		return fmt.Errorf("channel %s: username: write that of the sendsms-user", c.ID)
	case c.Password.Empty():
		return fmt.Errorf("channel %s: the password of the sendsms-user is missing", c.ID)
	case c.From == "":
		return fmt.Errorf("channel %s: from: write your number as residents see it", c.ID)
	case c.CarrierSigns && c.Signature == "":
		return fmt.Errorf("channel %s: carrier_signs: write the signature too, it is paid for", c.ID)
	}
	return c.ValidateToken()
}

// Local reports whether the gateway is on this machine. It hands on to a carrier.
func (c Config) Local() bool { return wire.Local(c.SendURL) }

// Channel is one account.
type Channel struct {
	*sms.Line
	cfg  Config
	send wire.Endpoint
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Webhook = (*Channel)(nil)
	_ bots.Metered = (*Channel)(nil)
	_ bots.Checker = (*Channel)(nil)
)

// New checks the configuration and returns the channel. Nothing is asked yet.
func New(cfg Config, deps sms.Deps) (*Channel, error) {
	server, err := wire.NewEndpoint(cfg.ID, "send_url", cfg.SendURL)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	line, err := sms.NewLine("kannel", cfg.Account, cfg.Limits, server, deps)
	if err != nil {
		return nil, err
	}
	return &Channel{Line: line, cfg: cfg, send: server}, nil
}

// Parts is how many parts a message costs.
func (c *Channel) Parts(m bots.Message) int { return sms.Parts(sms.Signed(c.Signature, m.Text)) }

// Check asks Kannel whether it knows us. sendsms without a recipient is refused
// after the password was looked at, and sends nothing.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	var found []bots.Finding
	query := c.credentials()
	query.Set("text", "check")
	status, body, err := c.call(ctx, query)
	switch said := wire.Plain(string(body)); {
	case err != nil:
		found = append(found, bots.Finding{Wrong: true, What: fmt.Sprintf("Kannel's smsbox cannot be reached at send_url: %v", err)})
	case status == http.StatusBadRequest:
		found = append(found, bots.Finding{What: "Kannel knows username and password"})
	case status == http.StatusForbidden:
		found = append(found, bots.Finding{Wrong: true, What: "Kannel refuses username and password, or this machine's address (user-allow-ip)"})
	default:
		found = append(found, bots.Finding{Wrong: true, What: fmt.Sprintf("send_url answers %d %s: is it /cgi-bin/sendsms of smsbox?", status, said)})
	}
	if c.Signature == "" {
		found = append(found, bots.Finding{Wrong: true, What: "no signature: carriers of the mainland refuse texts without an approved one"})
	}
	if c.ExtensionDigits == 0 {
		found = append(found, bots.Finding{What: "no extension codes: where two questions are open the resident is asked which one is meant"})
	}
	if u, err := url.Parse(c.CallbackURL); err == nil {
		u.RawQuery = ""
		found = append(found, bots.Finding{What: fmt.Sprintf("post-url of the sms-service in kannel.conf: %s/mo/TOKEN?from=%%p&to=%%P&coding=%%c&charset=%%C&id=%%I&ts=%%T", u)})
	}
	return found
}

// Handler takes messages and reports.
func (c *Channel) Handler(sink bots.Sink) http.Handler {
	return c.Hook(sink, map[string]sms.Push{
		"mo":  {Method: http.MethodPost, Decode: c.message},
		"dlr": {Method: http.MethodGet, Decode: c.report},
	})
}

var errNoID = errors.New("it names no id: post-url must hold id=%I")
