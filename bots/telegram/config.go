package telegram

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

// The ways in which updates come.
const (
	ModePoll    = "poll"
	ModeWebhook = "webhook"
)

// Config is one bot account.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// Mode is poll or webhook; poll where it is empty.
	Mode string `yaml:"mode"`
	// APIURL is the Bot API server; https://api.telegram.org where it is empty.
	APIURL string `yaml:"api_url"`
	// TokenEnv or TokenFile names where the bot's token is.
	TokenEnv  string `yaml:"token_env"`
	TokenFile string `yaml:"token_file"`
	// WebhookURL is what Telegram shall call: the public address of
	// /bots/{id} of this program.
	WebhookURL string `yaml:"webhook_url"`
	// WebhookSecretEnv or WebhookSecretFile names where the word is by which
	// Telegram proves that it is Telegram.
	WebhookSecretEnv  string `yaml:"webhook_secret_env"`
	WebhookSecretFile string `yaml:"webhook_secret_file"`

	Token         privacy.Secret `yaml:"-"`
	WebhookSecret privacy.Secret `yaml:"-"`
	Limits        Limits         `yaml:"-"`
}

// Limits is configs/policies/telegram.yaml.
type Limits struct {
	// MaxText and MaxCaption are lengths in UTF-16 units.
	MaxText    int `yaml:"max_text"`
	MaxCaption int `yaml:"max_caption"`
	// MaxChoices is how many buttons one message may carry.
	MaxChoices int `yaml:"max_choices"`
	// MaxPhotoOut, MaxFile and MaxBody bound a photo that is sent, a file
	// that is fetched, and a request to the webhook, in bytes.
	MaxPhotoOut int   `yaml:"max_photo_out_bytes"`
	MaxFile     int64 `yaml:"max_file_bytes"`
	MaxBody     int64 `yaml:"max_body_bytes"`
	// PerSecond, PerChatPerSecond and PerGroupPerMinute are bots.Rate.
	PerSecond         float64 `yaml:"per_second"`
	PerChatPerSecond  float64 `yaml:"per_chat_per_second"`
	PerGroupPerMinute float64 `yaml:"per_group_per_minute"`
	// Redelivers is how long Telegram keeps what was not confirmed.
	Redelivers time.Duration `yaml:"redelivers"`
	// LongPoll is how long a poll without news stays open.
	LongPoll time.Duration `yaml:"long_poll"`
	// InvitePayload says which payload of a deep link is an invite, and
	// InviteWords what is written before it then.
	InvitePayload string `yaml:"invite_payload"`
	InviteWords   string `yaml:"invite_words"`
	Source        string `yaml:"source"`
}

// choiceBytes is the longest callback_data that Telegram takes.
const choiceBytes = 64

const defaultAPI = "https://api.telegram.org"

var (
	tokenShape  = regexp.MustCompile(`^[0-9]{3,20}:[A-Za-z0-9_-]{3,128}$`)
	secretShape = regexp.MustCompile(`^[A-Za-z0-9_-]{16,256}$`)
)

// Secrets reads token and webhook secret from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.Token, err = privacy.ResolveSecret(c.TokenEnv, c.TokenFile); err != nil {
		return fmt.Errorf("channel %s: token_env or token_file: %w", c.ID, err)
	}
	if c.Mode != ModeWebhook {
		return nil
	}
	if c.WebhookSecret, err = privacy.ResolveSecret(c.WebhookSecretEnv, c.WebhookSecretFile); err != nil {
		return fmt.Errorf("channel %s: webhook_secret_env or webhook_secret_file: %w", c.ID, err)
	}
	return nil
}

// Local reports whether the Bot API server is on this machine. It may still hand
// on what it gets.
func (c Config) Local() bool { return wire.Local(c.APIURL) }

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	api, err := url.Parse(c.APIURL)
	switch {
	case c.ID == "":
		return errors.New("telegram: a channel id is needed")
	case c.Mode != ModePoll && c.Mode != ModeWebhook:
		return wrong("mode %q: write poll, or webhook with webhook_url", c.Mode)
	case err != nil || api.Host == "" || api.Scheme != "http" && api.Scheme != "https" || api.User != nil || api.RawQuery != "":
		return wrong("api_url is no address like %s", defaultAPI)
	case api.Scheme == "http" && !c.Local() && !c.inside().IsValid():
		return wrong("api_url: write https, or anybody on the way reads the token; http is for this machine and for private addresses")
	case !tokenShape.MatchString(c.Token.Reveal()):
		return wrong("the token does not look like 123456:ABC…: copy it from @BotFather")
	case c.Mode == ModePoll && c.WebhookURL+c.WebhookSecretEnv+c.WebhookSecretFile != "":
		return wrong("webhook_url and webhook_secret_… are for mode: webhook; take them out or set the mode")
	case c.Mode == ModePoll:
		return nil
	}
	hook, err := url.Parse(c.WebhookURL)
	switch {
	case err != nil || hook.Host == "" || hook.Path == "" || hook.Path == "/":
		return wrong("webhook_url: write the whole public address that Telegram shall call, such as https://city.example/bots/%s", c.ID)
	case hook.Scheme != "https" && !c.Local():
		return wrong("webhook_url: Telegram calls https only")
	case !secretShape.MatchString(c.WebhookSecret.Reveal()):
		return wrong("the webhook secret must be 16 to 256 of A-Z a-z 0-9 _ and -; make one with: openssl rand -hex 32")
	}
	return nil
}

// inside is the private address that an operator wrote into api_url for a
// server of the city's own.
func (c Config) inside() netip.Prefix {
	u, err := url.Parse(c.APIURL)
	if err != nil {
		return netip.Prefix{}
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil || !addr.IsPrivate() {
		return netip.Prefix{}
	}
	return netip.PrefixFrom(addr, addr.BitLen())
}

// Validate returns an error that names the first limit that is missing.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"max_text", float64(l.MaxText)},
		{"max_caption", float64(l.MaxCaption)},
		{"max_choices", float64(l.MaxChoices)},
		{"max_photo_out_bytes", float64(l.MaxPhotoOut)},
		{"max_file_bytes", float64(l.MaxFile)},
		{"max_body_bytes", float64(l.MaxBody)},
		{"per_second", l.PerSecond},
		{"per_chat_per_second", l.PerChatPerSecond},
		{"per_group_per_minute", l.PerGroupPerMinute},
		{"redelivers", float64(l.Redelivers)},
		{"invite_payload", float64(len(l.InvitePayload))},
		{"invite_words", float64(len(l.InviteWords))},
	} {
		if f.value <= 0 {
			return fmt.Errorf("telegram limits: %s must be given", f.name)
		}
	}
	if l.LongPoll < time.Second || l.LongPoll > 50*time.Second {
		return errors.New("telegram limits: long_poll must be 1s to 50s")
	}
	if _, err := regexp.Compile(l.InvitePayload); err != nil {
		return fmt.Errorf("telegram limits: invite_payload: %w", err)
	}
	return nil
}
