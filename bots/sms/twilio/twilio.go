// Package twilio is the channel to carriers with the API of Twilio's kind: a form
// is posted for each message, and forms are posted to us, signed with the
// account's token (X-Twilio-Signature).
//
// # When a message is sent
//
// The address for reports (StatusCallback) carries our key and the chat, so a
// report names the message even when the answer to the send was lost, and no
// number has to be read out of it. Twilio cuts UCS-2 texts itself; spaces of no
// width (sms.Fill) put its cuts between graphemes.
//
// # What comes in
//
// The signature covers the address that Twilio was told and every field of the
// form, so callback_url must be exactly what stands in Twilio's console, also
// behind a proxy. Fields are in the body: it is read, at most max_body_bytes of
// it, before the signature can be checked, but nothing in it is believed
// before. MessageSid is the key of a message. Our answer is an empty list of
// instructions.
//
// Twilio posts once. A message that was not taken at once is lost to us; it
// still shows in Twilio's log.
//
// # States, clocks, failure
//
// The channel keeps no state and no clock. How answers become classes stands in
// send.go. Twilio itself is abroad: for residents of the mainland it needs an
// assessment (internal/app asks for it); a carrier of this kind at home does not,
// but is asked for one all the same, for an address does not tell where it is.
package twilio

import (
	"fmt"
	"net/http"
	"regexp"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

const defaultAPI = "https://api.twilio.com"

// Config is one account.
type Config struct {
	sms.Account `yaml:",inline"`
	// APIURL is the server; https://api.twilio.com where it is empty.
	APIURL string `yaml:"api_url"`
	// AccountSID and the token at AuthTokenEnv or AuthTokenFile are those of the
	// console.
	AccountSID    string `yaml:"account_sid"`
	AuthTokenEnv  string `yaml:"auth_token_env"`
	AuthTokenFile string `yaml:"auth_token_file"`
	// ServiceSID, where it is given, lets a messaging service choose the number
	// that a message goes out from.
	ServiceSID string `yaml:"messaging_service_sid"`

	AuthToken privacy.Secret `yaml:"-"`
	Limits    sms.Limits     `yaml:"-"`
}

// Secrets reads the token from where the configuration says. It signs pushes
// too, so there is no callback token.
func (c *Config) Secrets() error {
	var err error
	if c.AuthToken, err = privacy.ResolveSecret(c.AuthTokenEnv, c.AuthTokenFile); err != nil {
		return fmt.Errorf("channel %s: auth_token_env or auth_token_file: %w", c.ID, err)
	}
	return nil
}

var sidShape = regexp.MustCompile(`^[A-Z]{2}[0-9A-Za-z]{8,64}$`)

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	switch {
	case !sidShape.MatchString(c.AccountSID):
		return wrong("account_sid: copy it from the console, AC…")
	case c.AuthToken.Empty():
		return wrong("the auth token is missing")
	case c.ServiceSID != "" && !sidShape.MatchString(c.ServiceSID):
		return wrong("messaging_service_sid: copy it from the console, MG…")
	case c.From == "" && c.ServiceSID == "":
		return wrong("from: write your number with + and country code, or messaging_service_sid")
	case c.ExtensionDigits != 0:
		return wrong("extension_digits: there are none here")
	case c.CallbackTokenEnv+c.CallbackTokenFile != "":
		return wrong("callback_token_…: pushes are signed with the auth token; take it out")
	}
	return nil
}

// Channel is one account.
type Channel struct {
	*sms.Line
	cfg Config
	api wire.Endpoint
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Webhook = (*Channel)(nil)
	_ bots.Metered = (*Channel)(nil)
	_ bots.Checker = (*Channel)(nil)
	_ bots.Settler = (*Channel)(nil)
)

// New checks the configuration and returns the channel. Nothing is asked yet.
func New(cfg Config, deps sms.Deps) (*Channel, error) {
	if cfg.APIURL == "" {
		cfg.APIURL = defaultAPI
	}
	server, err := wire.NewEndpoint(cfg.ID, "api_url", cfg.APIURL)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	line, err := sms.NewLine("twilio", cfg.Account, cfg.Limits, server, deps)
	if err != nil {
		return nil, err
	}
	return &Channel{Line: line, cfg: cfg, api: server}, nil
}

// Local reports whether the configured server is on this machine.
func (c Config) Local() bool { return wire.Local(c.APIURL) }

// Parts is how many parts a message costs.
func (c *Channel) Parts(m bots.Message) int { return sms.Parts(sms.Signed(c.Signature, m.Text)) }

// Handler takes messages at /mo and reports at /status.
func (c *Channel) Handler(sink bots.Sink) http.Handler {
	pushes := map[string]sms.Push{
		"/mo":     {Method: http.MethodPost, Decode: c.message, Type: "text/xml", Answer: "<Response></Response>"},
		"/status": {Method: http.MethodPost, Decode: c.report},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		push, ok := pushes[r.URL.Path]
		if !ok || r.Method != http.MethodPost || !c.MayCall(r.RemoteAddr) {
			wire.Refused(w, http.StatusForbidden)
			return
		}
		c.signed(w, r, sink, push)
	})
}
