package wecom

import (
	"errors"
	"fmt"
	"regexp"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/privacy"
)

// The two ways to speak over a WeCom account.
const (
	// ModeApp is an application of the organisation, for its members.
	ModeApp = "app"
	// ModeKF is WeChat Customer Service, for anybody on WeChat.
	ModeKF = "kf"
)

// defaultAPI is WeCom's own server.
const defaultAPI = "https://qyapi.weixin.qq.com"

// Config is one account.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// Mode is app or kf; app where it is empty.
	Mode string `yaml:"mode"`
	// APIURL is WeCom's server; https://qyapi.weixin.qq.com where it is empty.
	APIURL string `yaml:"api_url"`
	// CorpID names the organisation: ww and sixteen letters.
	CorpID string `yaml:"corp_id"`
	// AgentID names the application (app only).
	AgentID int `yaml:"agent_id"`
	// OpenKFID names the Customer Service account (kf only).
	OpenKFID string `yaml:"open_kfid"`
	// Where the secret of the application is, and the Token and EncodingAESKey
	// that were written into its callback page.
	SecretEnv  string `yaml:"secret_env"`
	SecretFile string `yaml:"secret_file"`
	TokenEnv   string `yaml:"token_env"`
	TokenFile  string `yaml:"token_file"`
	AESKeyEnv  string `yaml:"aes_key_env"`
	AESKeyFile string `yaml:"aes_key_file"`

	Secret privacy.Secret `yaml:"-"`
	Token  privacy.Secret `yaml:"-"`
	AESKey privacy.Secret `yaml:"-"`
	Limits Limits         `yaml:"-"`
}

// Limits is configs/policies/wecom.yaml.
type Limits struct {
	App AppLimits `yaml:"app"`
	KF  KFLimits  `yaml:"kf"`
	// ChoiceBytes is the longest Choice.Data.
	ChoiceBytes int `yaml:"choice_bytes"`
	// MaxFile bounds a file that is fetched or sent, MaxBody a callback, in bytes.
	MaxFile int64 `yaml:"max_file_bytes"`
	MaxBody int64 `yaml:"max_body_bytes"`
	// Call bounds one call of the server.
	Call time.Duration `yaml:"call"`
	// PhotoLives is how long an uploaded photo may be named.
	PhotoLives time.Duration `yaml:"photo_lives"`
	Source     string        `yaml:"source"`
}

// AppLimits are those of an application's messages.
type AppLimits struct {
	MaxText    int `yaml:"max_text_bytes"`
	MaxChoices int `yaml:"max_choices"`
	// CardTitle and CardBody are what a card shows, in characters; CardSays is its
	// title where the words stand in a text of their own.
	CardTitle     int           `yaml:"card_title_chars"`
	CardBody      int           `yaml:"card_body_chars"`
	CardSays      string        `yaml:"card_title"`
	MaxPhotoOut   int           `yaml:"max_photo_out_bytes"`
	PerSecond     float64       `yaml:"per_second"`
	PerChatSecond float64       `yaml:"per_chat_per_second"`
	Redelivers    time.Duration `yaml:"redelivers"`
	// SameWithin is how long, at least, WeCom swallows a copy of a message.
	SameWithin time.Duration `yaml:"same_within"`
}

// KFLimits are those of Customer Service.
type KFLimits struct {
	MaxText    int `yaml:"max_text_bytes"`
	MaxChoices int `yaml:"max_choices"`
	// MenuHead is what a menu says above its items, MenuLabel an item, in bytes;
	// MenuSays stands there where the words are a text of their own.
	MenuHead      int           `yaml:"menu_head_bytes"`
	MenuLabel     int           `yaml:"menu_label_bytes"`
	MenuSays      string        `yaml:"menu_title"`
	MaxPhotoOut   int           `yaml:"max_photo_out_bytes"`
	PerSecond     float64       `yaml:"per_second"`
	PerChatSecond float64       `yaml:"per_chat_per_second"`
	Redelivers    time.Duration `yaml:"redelivers"`
	Window        time.Duration `yaml:"window"`
	WindowQuota   int           `yaml:"window_quota"`
	// Greeting is what somebody reads who opens the chat for the first time in two
	// days, Welcome how long after that it may be sent.
	Greeting string        `yaml:"greeting"`
	Welcome  time.Duration `yaml:"welcome"`
	// Page is how many messages are asked for at once, Poll how often without a
	// callback, Ticket how long the token of a callback is good for.
	Page   int           `yaml:"page"`
	Poll   time.Duration `yaml:"poll"`
	Ticket time.Duration `yaml:"ticket"`
}

// Secrets reads the secrets from where the configuration says.
func (c *Config) Secrets() error {
	for _, s := range []struct {
		into      *privacy.Secret
		key       string
		env, file string
	}{
		{&c.Secret, "secret", c.SecretEnv, c.SecretFile},
		{&c.Token, "token", c.TokenEnv, c.TokenFile},
		{&c.AESKey, "aes_key", c.AESKeyEnv, c.AESKeyFile},
	} {
		var err error
		if *s.into, err = privacy.ResolveSecret(s.env, s.file); err != nil {
			return fmt.Errorf("channel %s: %s_env or %s_file: %w", c.ID, s.key, s.key, err)
		}
	}
	return nil
}

// Local reports whether WeCom's server is on this machine.
func (c Config) Local() bool { return wire.Local(c.server()) }

// server is the address to call.
func (c Config) server() string {
	if c.APIURL == "" {
		return defaultAPI
	}
	return c.APIURL
}

var (
	corpShape  = regexp.MustCompile(`^w[wlx][0-9a-zA-Z]{8,30}$`)
	kfShape    = regexp.MustCompile(`^wk[0-9a-zA-Z_-]{4,60}$`)
	tokenShape = regexp.MustCompile(`^[0-9a-zA-Z]{3,32}$`)
)

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	switch {
	case c.ID == "":
		return errors.New("wecom: a channel id is needed")
	case c.Mode != ModeApp && c.Mode != ModeKF:
		return wrong("mode %q: write app (an application, for staff) or kf (Customer Service, for residents)", c.Mode)
	case !corpShape.MatchString(c.CorpID):
		return wrong("corp_id: copy the id of the organisation; it begins with ww (docs/zh/wecom.md shows where)")
	case c.Mode == ModeApp && c.AgentID <= 0:
		return wrong("agent_id: copy the AgentId from the page of the application")
	case c.Mode == ModeApp && c.OpenKFID != "":
		return wrong("open_kfid is for mode: kf; take it out or set the mode")
	case c.Mode == ModeKF && !kfShape.MatchString(c.OpenKFID):
		return wrong("open_kfid: write the id of the Customer Service account; it begins with wk (`channels check` lists them)")
	case c.Mode == ModeKF && c.AgentID != 0:
		return wrong("agent_id is for mode: app; take it out or set the mode")
	case c.Secret.Empty():
		return wrong("the secret is empty: copy Secret from the page of the application")
	case !tokenShape.MatchString(c.Token.Reveal()):
		return wrong("the token must be up to 32 letters and digits, the same as Token on the callback page")
	}
	return nil
}

// Validate refuses limits that leave nothing to be said.
func (l Limits) Validate() error {
	for name, n := range map[string]int64{
		"app.max_text_bytes": int64(l.App.MaxText), "app.max_choices": int64(l.App.MaxChoices), "app.card_title_chars": int64(l.App.CardTitle),
		"app.redelivers": int64(l.App.Redelivers), "app.same_within": int64(l.App.SameWithin / time.Second),
		"kf.max_text_bytes": int64(l.KF.MaxText), "kf.max_choices": int64(l.KF.MaxChoices), "kf.menu_head_bytes": int64(l.KF.MenuHead),
		"kf.redelivers": int64(l.KF.Redelivers), "kf.page": int64(l.KF.Page), "kf.poll": int64(l.KF.Poll), "kf.ticket": int64(l.KF.Ticket), "kf.welcome": int64(l.KF.Welcome),
		"choice_bytes": int64(l.ChoiceBytes), "max_file_bytes": l.MaxFile, "max_body_bytes": l.MaxBody, "call": int64(l.Call),
	} {
		if n <= 0 {
			return fmt.Errorf("policies/wecom.yaml: %s is missing", name)
		}
	}
	if l.App.CardSays == "" || l.KF.MenuSays == "" || l.KF.Greeting == "" || l.KF.Page > 1000 {
		return errors.New("policies/wecom.yaml: app.card_title, kf.menu_title and kf.greeting are needed, and kf.page is at most 1000")
	}
	return nil
}
