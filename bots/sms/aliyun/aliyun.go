// Package aliyun is the channel to Aliyun's short message service (dysmsapi
// 2017-05-25), signed by hand (ACS3-HMAC-SHA256): two calls need no SDK.
//
// # When a message is sent
//
// The mainland sends approved templates behind an approved signature alone. The
// account's configuration maps each text of ours to a template and the names of
// its values; texts without a template go by the free one where Aliyun granted
// one, else they are rejected. The approved template has to say what our text
// says: what a resident reads is Aliyun's.
//
// OutId carries our key: reports and queries bring it back, also when the
// answer to the send was lost (Settle).
//
// # What comes in
//
// Aliyun pushes reports (SmsReport) and messages of residents (SmsUp) as JSON
// arrays, unsigned, and takes any answer of status 200 for "received". What it
// could not deliver comes again after 1, 5 and 10 minutes, and then never.
// Reports can be asked for (QuerySendDetails); for messages there is no such
// call: what was lost shows in the console alone (docs/zh/sms.md says how the
// counts are compared). So these pushes are spooled while the database is away.
//
// # States, clocks, failure
//
// The channel keeps no state. Requests carry the time of the machine, which
// must be within 15 minutes of Aliyun's. How answers become classes stands in
// send.go.
package aliyun

import (
	"fmt"
	"net/http"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

const defaultAPI = "https://dysmsapi.aliyuncs.com"

// Config is one account.
type Config struct {
	sms.Account `yaml:",inline"`
	// APIURL is Aliyun's server; https://dysmsapi.aliyuncs.com where it is empty.
	APIURL string `yaml:"api_url"`
	// AccessKeyID and the secret at SecretEnv or SecretFile are those of a RAM
	// user who may send and query.
	AccessKeyID string `yaml:"access_key_id"`
	SecretEnv   string `yaml:"access_key_secret_env"`
	SecretFile  string `yaml:"access_key_secret_file"`
	// Templates are the approved templates by the name of the text (bots.Template.Name).
	Templates map[string]Template `yaml:"templates"`
	// Free is the template of texts that have none of their own.
	Free Free `yaml:"free"`

	Secret privacy.Secret `yaml:"-"`
	Limits sms.Limits     `yaml:"-"`
}

// Template is an approved template. Params names each value of our text as the
// template names it: {digits: code}.
type Template struct {
	ID     string            `yaml:"id"`
	Params map[string]string `yaml:"params"`
}

// Free is a template that consists of one value: the whole text.
type Free struct {
	ID    string `yaml:"id"`
	Param string `yaml:"param"`
}

// Secrets reads secret and callback token from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.Secret, err = privacy.ResolveSecret(c.SecretEnv, c.SecretFile); err != nil {
		return fmt.Errorf("channel %s: access_key_secret_env or access_key_secret_file: %w", c.ID, err)
	}
	return c.Account.Secrets()
}

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	switch {
	case c.AccessKeyID == "" || c.Secret.Empty():
		return wrong("access_key_id and its secret are needed: make them for a RAM user in the console")
	case c.Signature == "":
		return wrong("signature: write the name that Aliyun approved; texts of the mainland have one")
	case len(c.Templates) == 0 && c.Free.ID == "":
		return wrong("templates: Aliyun sends approved templates alone; name at least one, or free")
	case (c.Free.ID == "") != (c.Free.Param == ""):
		return wrong("free: write both id and param")
	}
	for name, t := range c.Templates {
		if t.ID == "" {
			return wrong("templates: %s has no id", name)
		}
		for ours, theirs := range t.Params {
			if ours == "" || theirs == "" {
				return wrong("templates: %s: write params as {our name: name in the template}", name)
			}
		}
	}
	return c.ValidateToken()
}

// Local reports whether the configured server is on this machine.
func (c Config) Local() bool { return wire.Local(c.APIURL) }

// Channel is one account.
type Channel struct {
	*sms.Line
	cfg Config
	api wire.Endpoint
}

// The channel keeps the contract.
var (
	_ bots.Adapter  = (*Channel)(nil)
	_ bots.Webhook  = (*Channel)(nil)
	_ bots.Metered  = (*Channel)(nil)
	_ bots.Checker  = (*Channel)(nil)
	_ bots.Settler  = (*Channel)(nil)
	_ sms.Templated = (*Channel)(nil)
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
	line, err := sms.NewLine("aliyun", cfg.Account, cfg.Limits, server, deps)
	if err != nil {
		return nil, err
	}
	return &Channel{Line: line, cfg: cfg, api: server}, nil
}

// Parts is how many parts a message costs.
func (c *Channel) Parts(m bots.Message) int { return sms.Charged(sms.Signed(c.Signature, m.Text)) }

// Has reports whether a text has a template.
func (c *Channel) Has(t bots.Template) bool {
	_, own := bots.FindTemplate(c.cfg.Templates, t)
	return own || c.cfg.Free.ID != ""
}

// Handler takes messages and reports.
func (c *Channel) Handler(sink bots.Sink) http.Handler {
	push := func(decode func(*http.Request, []byte) ([]bots.Event, error)) sms.Push {
		return sms.Push{Method: http.MethodPost, Decode: decode, Type: "application/json", Answer: `{"code":0,"msg":"received"}`}
	}
	return c.Hook(sink, map[string]sms.Push{"up": push(c.ups), "report": push(c.reports)})
}
