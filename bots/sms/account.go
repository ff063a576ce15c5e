package sms

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/internal/privacy"
)

// Account is what the configuration of every carrier over HTTP says; each adds
// keys of its own.
type Account struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// Signature is the name in 【】 at the head of each text, without the
	// brackets, as the carrier approved it.
	Signature string `yaml:"signature"`
	// From is our number as residents see it, without extension.
	From string `yaml:"from"`
	// ExtensionDigits is how many digits may be set behind it.
	ExtensionDigits int `yaml:"extension_digits"`
	// Countries are the country codes that may be written to; 86 alone where
	// it is empty.
	Countries []string `yaml:"countries"`
	// MaxParts and PerSecond take the place of the Limits where the contract
	// with the carrier says otherwise.
	MaxParts  int     `yaml:"max_parts"`
	PerSecond float64 `yaml:"per_second"`
	// CallbackURL is the address of /bots/{id} of this program as the carrier
	// reaches it.
	CallbackURL string `yaml:"callback_url"`
	// CallbackTokenEnv or CallbackTokenFile names where the word is that ends
	// the path of every push of a carrier that signs nothing.
	CallbackTokenEnv  string `yaml:"callback_token_env"`
	CallbackTokenFile string `yaml:"callback_token_file"`
	// CallbackFrom lists the networks that pushes come from; any where it is
	// empty. It looks at who opens the connection, which is the proxy where
	// there is one.
	CallbackFrom []netip.Prefix `yaml:"callback_from"`

	CallbackToken privacy.Secret `yaml:"-"`
}

// Limits are what carriers allow, in configs/policies/sms.yaml.
type Limits struct {
	// MaxParts is the longest message in parts.
	MaxParts int `yaml:"max_parts"`
	// PerSecond and PerChatPerSecond are bots.Rate.
	PerSecond        float64 `yaml:"per_second"`
	PerChatPerSecond float64 `yaml:"per_chat_per_second"`
	// Redelivers is how long the carrier goes on pushing what was not taken.
	Redelivers time.Duration `yaml:"redelivers"`
	// MaxBody is the longest push in bytes.
	MaxBody int64 `yaml:"max_body_bytes"`
	// Call is how long the carrier's answer is waited for.
	Call time.Duration `yaml:"call_timeout"`
}

// Policies is configs/policies/sms.yaml: the limits of each kind of channel.
type Policies struct {
	Limits map[string]Limits `yaml:"limits"`
	Source string            `yaml:"source"`
}

var (
	tokenShape = regexp.MustCompile(`^[A-Za-z0-9_-]{24,256}$`)
	fromShape  = regexp.MustCompile(`^\+?[0-9]{3,20}$`)
)

// maxSignature is how many characters a signature may have (source: the rules
// of Aliyun and Tencent Cloud, 2 to 12).
const minSignature, maxSignature = 2, 12

// Secrets reads the callback token from where the configuration says.
func (a *Account) Secrets() error {
	var err error
	if a.CallbackToken, err = privacy.ResolveSecret(a.CallbackTokenEnv, a.CallbackTokenFile); err != nil {
		return fmt.Errorf("channel %s: callback_token_env or callback_token_file: %w", a.ID, err)
	}
	return nil
}

// Validate returns an error that says what to write instead.
func (a Account) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", a.ID, fmt.Errorf(format, args...))
	}
	n := utf8.RuneCountInString(a.Signature)
	back, err := url.Parse(a.CallbackURL)
	switch {
	case a.ID == "":
		return errors.New("sms: a channel id is needed")
	case a.Signature != "" && (n < minSignature || n > maxSignature || strings.ContainsAny(a.Signature, "【】[] \n")):
		return wrong("signature: write the approved name of %d to %d characters, without brackets", minSignature, maxSignature)
	case a.From != "" && !fromShape.MatchString(a.From):
		return wrong("from: write your number as residents see it, digits only, without extension")
	case a.MaxParts < 0 || a.MaxParts > 10:
		return wrong("max_parts: write 1 to 10")
	case a.PerSecond < 0:
		return wrong("per_second: write how many messages a second the contract allows")
	case err != nil || back.Host == "" || back.Scheme != "http" && back.Scheme != "https" || back.User != nil || back.RawQuery != "" || strings.HasSuffix(back.Path, "/"):
		return wrong("callback_url: write the whole address of this program as the carrier reaches it, such as https://city.example/bots/%s", a.ID)
	}
	if err := (Book{Countries: a.Countries}).Validate(); err != nil {
		return wrong("%w", err)
	}
	if err := a.extensions().Validate(); err != nil {
		return wrong("%w", err)
	}
	return nil
}

// ValidateToken checks the callback token, for carriers that sign nothing.
func (a Account) ValidateToken() error {
	if !tokenShape.MatchString(a.CallbackToken.Reveal()) {
		return fmt.Errorf("channel %s: the callback token must be 24 to 256 of A-Z a-z 0-9 _ and -; make one with: openssl rand -hex 32", a.ID)
	}
	return nil
}

func (a Account) extensions() Extensions {
	return Extensions{Base: a.From, Digits: a.ExtensionDigits}
}

// Validate returns an error that names the first limit that is missing.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"max_parts", float64(l.MaxParts)},
		{"per_second", l.PerSecond},
		{"per_chat_per_second", l.PerChatPerSecond},
		{"redelivers", float64(l.Redelivers)},
		{"max_body_bytes", float64(l.MaxBody)},
		{"call_timeout", float64(l.Call)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("sms limits: %s must be given", f.name)
		}
	}
	return nil
}
