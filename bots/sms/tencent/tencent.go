// Package tencent is the channel to Tencent Cloud's short message service (API
// 2021-01-11), signed by hand (TC3-HMAC-SHA256): the SDK would cost a minute of
// compiling for three calls.
//
// # When a message is sent
//
// As with Aliyun approved templates alone go out, but their values have no names:
// the account's configuration lists those of our text in the template's order.
// The approved template has to say what our text says.
//
// SessionContext carries our key. Reports that are pushed name Tencent's own id
// (SerialNo); the key comes back where reports are asked for (Settle), also when
// the answer to the send was lost.
//
// # What comes in
//
// Tencent pushes reports as an array and each message of a resident as an
// object, unsigned, and its pages promise nothing about pushing again. A message
// has no id: chat, second and words are its name, so that one that is both
// pushed and pulled is one.
//
// With pull set, the owner of the account also asks for what was not pushed.
// What was pulled is gone at Tencent: it is kept in memory until the sink took
// it, and a kill in between loses at most one answer of 100. So pulling backs
// pushes up and does not replace them.
//
// # States, clocks, failure
//
// The channel keeps no state. Requests carry the time of the machine, which must
// be within 5 minutes of Tencent's. How answers become classes stands in send.go.
package tencent

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

const (
	defaultAPI    = "https://sms.tencentcloudapi.com"
	defaultRegion = "ap-guangzhou"
	// soonestPull keeps a slip of the pen from asking many times a second.
	soonestPull = 10 * time.Second
)

// Config is one account.
type Config struct {
	sms.Account `yaml:",inline"`
	// APIURL is Tencent's server and Region where it works; the defaults are
	// https://sms.tencentcloudapi.com and ap-guangzhou.
	APIURL string `yaml:"api_url"`
	Region string `yaml:"region"`
	// SecretID and the key at SecretKeyEnv or SecretKeyFile are those of a CAM
	// user who may use SMS.
	SecretID      string `yaml:"secret_id"`
	SecretKeyEnv  string `yaml:"secret_key_env"`
	SecretKeyFile string `yaml:"secret_key_file"`
	// SDKAppID is the application in the SMS console: 1400006666.
	SDKAppID string `yaml:"sdk_app_id"`
	// Templates are the approved templates by the name of the text (bots.Template.Name).
	Templates map[string]Template `yaml:"templates"`
	// Free is the template of texts that have none of their own: its one value
	// is the whole text.
	Free struct {
		ID string `yaml:"id"`
	} `yaml:"free"`
	// Pull is how often what was not pushed is asked for; 0 for never. Tencent
	// has to open these calls for an account.
	Pull time.Duration `yaml:"pull"`

	SecretKey privacy.Secret `yaml:"-"`
	Limits    sms.Limits     `yaml:"-"`
}

// Template is an approved template. Params names the values of our text in the
// order of the template's {1}, {2}, ….
type Template struct {
	ID     string   `yaml:"id"`
	Params []string `yaml:"params"`
}

// Secrets reads key and callback token from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.SecretKey, err = privacy.ResolveSecret(c.SecretKeyEnv, c.SecretKeyFile); err != nil {
		return fmt.Errorf("channel %s: secret_key_env or secret_key_file: %w", c.ID, err)
	}
	return c.Account.Secrets()
}

var regionShape = regexp.MustCompile(`^[a-z]+-[a-z0-9-]+$`)

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	switch {
	case c.SecretID == "" || c.SecretKey.Empty():
		return wrong("secret_id and its key are needed: make them for a CAM user in the console")
	case !number(c.SDKAppID):
		return wrong("sdk_app_id: write the number of the application in the SMS console, such as 1400006666")
	case !regionShape.MatchString(c.Region):
		return wrong("region: write one such as %s", defaultRegion)
	case c.Signature == "":
		return wrong("signature: write the name that Tencent approved; texts of the mainland have one")
	case len(c.Templates) == 0 && c.Free.ID == "":
		return wrong("templates: Tencent sends approved templates alone; name at least one, or free")
	case c.Free.ID != "" && !number(c.Free.ID):
		return wrong("free: id is the number of a template")
	case c.Pull != 0 && c.Pull < soonestPull:
		return wrong("pull: write %s or more, or 0 for never", soonestPull)
	}
	for name, t := range c.Templates {
		if !number(t.ID) {
			return wrong("templates: %s: id is the number of a template", name)
		}
	}
	return c.ValidateToken()
}

func number(s string) bool {
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
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
	if cfg.Region == "" {
		cfg.Region = defaultRegion
	}
	server, err := wire.NewEndpoint(cfg.ID, "api_url", cfg.APIURL)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	line, err := sms.NewLine("tencent", cfg.Account, cfg.Limits, server, deps)
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
		return sms.Push{Method: http.MethodPost, Decode: decode, Type: "application/json", Answer: `{"result":0,"errmsg":"OK"}`}
	}
	return c.Hook(sink, map[string]sms.Push{"reply": push(c.replies), "report": push(c.reports)})
}
