package officialaccount

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

// Config is one account.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// APIURL is WeChat's server; https://api.weixin.qq.com where it is empty.
	APIURL string `yaml:"api_url"`
	// AppID and the secret at SecretEnv or SecretFile are the developer's id and
	// its AppSecret.
	AppID      string `yaml:"app_id"`
	SecretEnv  string `yaml:"secret_env"`
	SecretFile string `yaml:"secret_file"`
	// TokenEnv or TokenFile names where the Token is that signs pushes.
	TokenEnv  string `yaml:"token_env"`
	TokenFile string `yaml:"token_file"`
	// AESKeyEnv or AESKeyFile names where the EncodingAESKey is. With it pushes
	// are sealed (safe mode) and plain ones refused; without it they are plain.
	AESKeyEnv  string `yaml:"aes_key_env"`
	AESKeyFile string `yaml:"aes_key_file"`
	// Notices are the approved templates by the name of the text (bots.Template.Name).
	Notices map[string]Notice `yaml:"notices"`

	Secret privacy.Secret `yaml:"-"`
	Token  privacy.Secret `yaml:"-"`
	AESKey privacy.Secret `yaml:"-"`
	Limits Limits         `yaml:"-"`
}

// Notice is an approved template.
type Notice struct {
	// Kind is NoticeSubscribe, which the user agreed to be sent, or NoticeTemplate.
	Kind string `yaml:"kind"`
	ID   string `yaml:"template_id"`
	// Fields says what stands in each field of the template: the name of a value
	// of our text, or words of its own behind an equals sign: {thing1: place,
	// phrase2: =已办结}.
	Fields map[string]string `yaml:"fields"`
	// URL is what opens when the notice is tapped; nothing where it is empty.
	URL string `yaml:"url"`
}

// The kinds of notices.
const (
	NoticeSubscribe = "subscribe"
	NoticeTemplate  = "template"
)

// Limits is configs/policies/officialaccount.yaml.
type Limits struct {
	// MaxText is the longest text in bytes, MaxChoices how many items a menu has,
	// ChoiceBytes the longest id of one.
	MaxText     int `yaml:"max_text_bytes"`
	MaxChoices  int `yaml:"max_choices"`
	ChoiceBytes int `yaml:"choice_bytes"`
	// MaxPhotoOut is the largest photo that is sent, MaxFile the largest file that
	// is fetched, MaxBody the largest push, in bytes.
	MaxPhotoOut int   `yaml:"max_photo_out_bytes"`
	MaxFile     int64 `yaml:"max_file_bytes"`
	MaxBody     int64 `yaml:"max_body_bytes"`
	// Window and WindowQuota are bots.Caps.
	Window      time.Duration `yaml:"window"`
	WindowQuota int           `yaml:"window_quota"`
	// PerSecond is bots.Rate.
	PerSecond float64 `yaml:"per_second"`
	// Redelivers is how long WeChat goes on pushing what was not answered.
	Redelivers time.Duration `yaml:"redelivers"`
	// AnswerWithin bounds the answer to a push, from its arrival; PassiveWait is
	// how much of it may be spent on waiting for words that go with the answer.
	AnswerWithin time.Duration `yaml:"answer_within"`
	PassiveWait  time.Duration `yaml:"passive_wait"`
	// Fresh is how far the time in a signature may be from ours.
	Fresh time.Duration `yaml:"fresh"`
	// Call bounds one call.
	Call time.Duration `yaml:"call_timeout"`
	// InvitePayload says which scene of a code is an invite, and InviteWords what
	// is written before it then.
	InvitePayload string `yaml:"invite_payload"`
	InviteWords   string `yaml:"invite_words"`
	// NoticeFields bounds the values of notices by the name of the field without
	// its digits.
	NoticeFields map[string]FieldLimit `yaml:"notice_fields"`
	Source       string                `yaml:"source"`
}

// FieldLimit is how long a value may be, in characters, and whether a longer one
// is cut: half a number would be another number.
type FieldLimit struct {
	Most int  `yaml:"most"`
	Cut  bool `yaml:"cut"`
}

const defaultAPI = "https://api.weixin.qq.com"

var (
	appIDShape = regexp.MustCompile(`^wx[0-9a-f]{16}$`)
	// tokenShape is what the account's page takes for the Token.
	tokenShape = regexp.MustCompile(`^[A-Za-z0-9]{3,32}$`)
	fieldShape = regexp.MustCompile(`^[a-z_]+[0-9]*$`)
)

// Secrets reads secret, token and key from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.Secret, err = privacy.ResolveSecret(c.SecretEnv, c.SecretFile); err != nil {
		return fmt.Errorf("channel %s: secret_env or secret_file: %w", c.ID, err)
	}
	if c.Token, err = privacy.ResolveSecret(c.TokenEnv, c.TokenFile); err != nil {
		return fmt.Errorf("channel %s: token_env or token_file: %w", c.ID, err)
	}
	if c.AESKeyEnv+c.AESKeyFile == "" {
		return nil
	}
	if c.AESKey, err = privacy.ResolveSecret(c.AESKeyEnv, c.AESKeyFile); err != nil {
		return fmt.Errorf("channel %s: aes_key_env or aes_key_file: %w", c.ID, err)
	}
	return nil
}

// Local reports whether the configured server is on this machine.
func (c Config) Local() bool { return wire.Local(c.APIURL) }

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	switch {
	case c.ID == "":
		return errors.New("officialaccount: a channel id is needed")
	case !appIDShape.MatchString(c.AppID):
		return wrong("app_id: copy it from the account's page, wx and 16 digits or letters a to f")
	case c.Secret.Empty():
		return wrong("the AppSecret is missing: set the variable that secret_env names, or write secret_file")
	case !tokenShape.MatchString(c.Token.Reveal()):
		return wrong("the Token must be the 3 to 32 letters and digits that stand on the account's page, server configuration")
	}
	for name, n := range c.Notices {
		switch {
		case n.Kind != NoticeSubscribe && n.Kind != NoticeTemplate:
			return wrong("notices: %s: kind %q: write subscribe or template", name, n.Kind)
		case n.ID == "":
			return wrong("notices: %s has no template_id", name)
		case len(n.Fields) == 0:
			return wrong("notices: %s: write fields as {field of the template: name of our value}", name)
		case n.URL != "" && !strings.HasPrefix(n.URL, "https://") && !strings.HasPrefix(n.URL, "http://"):
			return wrong("notices: %s: url must begin with https://", name)
		}
		for field, value := range n.Fields {
			if !fieldShape.MatchString(field) || value == "" || value == "=" {
				return wrong("notices: %s: write fields as {thing1: name of our value} or {thing1: =words of your own}", name)
			}
		}
	}
	return nil
}

// Validate returns an error that names the first limit that is missing.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"max_text_bytes", float64(l.MaxText)},
		{"max_choices", float64(l.MaxChoices)},
		{"choice_bytes", float64(l.ChoiceBytes)},
		{"max_photo_out_bytes", float64(l.MaxPhotoOut)},
		{"max_file_bytes", float64(l.MaxFile)},
		{"max_body_bytes", float64(l.MaxBody)},
		{"window", float64(l.Window)},
		{"window_quota", float64(l.WindowQuota)},
		{"per_second", l.PerSecond},
		{"redelivers", float64(l.Redelivers)},
		{"answer_within", float64(l.AnswerWithin)},
		{"fresh", float64(l.Fresh)},
		{"call_timeout", float64(l.Call)},
		{"invite_payload", float64(len(l.InvitePayload))},
		{"invite_words", float64(len(l.InviteWords))},
	} {
		if f.value <= 0 {
			return fmt.Errorf("officialaccount limits: %s must be given", f.name)
		}
	}
	if l.PassiveWait < 0 || l.PassiveWait >= l.AnswerWithin {
		return errors.New("officialaccount limits: passive_wait must be shorter than answer_within")
	}
	if _, err := regexp.Compile(l.InvitePayload); err != nil {
		return fmt.Errorf("officialaccount limits: invite_payload: %w", err)
	}
	for name, f := range l.NoticeFields {
		if f.Most <= 0 {
			return fmt.Errorf("officialaccount limits: notice_fields: %s has no most", name)
		}
	}
	return nil
}
