// Package robots is the channel to group robots 群机器人 of WeCom, DingTalk and
// Feishu: one account is one robot in one group, which says what staff must see
// and hears nothing.
//
// # What they have in common
//
// A robot is an address with a key in it that JSON is posted to. The answer is
// always HTTP 200; whether the group got the message stands in its body
// (answer.go), so nothing counts as sent before that was read. None names the
// message in its answer: the receipt is our own key. None de-duplicates, and none
// can change or take back what it said.
//
// # Signatures
//
// WeCom has none: the key is the secret. DingTalk and Feishu swap the roles
// (sign.go): DingTalk signs "timestamp\nsecret" with the secret and counts
// milliseconds, Feishu signs nothing with "timestamp\nsecret" and counts seconds.
//
// # Words are never markup
//
// What residents wrote stands in these messages. DingTalk's text has no markup,
// Feishu's text has, so its "post" of plain pieces is used; in WeCom's text
// "<@" would call a person by name, so the bracket is made a round one. Nobody is
// mentioned by phone number: that would hand numbers to the network.
//
// # Pace
//
// Twenty messages a minute, else DingTalk is silent for ten. Caps.Rate keeps
// below that and Caps.Digest lets the gateway say together what waits.
//
// # States, clocks, failure
//
// The adapter keeps no state, but which picture still lacks its words; its clock
// is the wall clock, for signatures. How answers become classes stands in
// answer.go. A robot that was taken out of its group, a wrong secret and an
// address that is not on the robot's list are ClassLoggedOut: nothing is lost, and
// people have to act.
package robots

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"sync/atomic"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
	"shaoying/internal/clock"
	"shaoying/internal/outbound"
	"shaoying/internal/privacy"
)

// Brand is whose robot it is.
type Brand string

// The brands.
const (
	WeCom    Brand = "wecom"
	DingTalk Brand = "dingtalk"
	Feishu   Brand = "feishu"
)

// protocol is what is particular to a brand.
type protocol struct {
	api    string // the brand's own server
	path   string // behind it; the key follows
	signed bool
	text   func(string) message
	codes  codes
}

var protocols = map[Brand]protocol{
	WeCom:    {"https://qyapi.weixin.qq.com", "/cgi-bin/webhook/send?key=", false, wecomText, wecomCodes()},
	DingTalk: {"https://oapi.dingtalk.com", "/robot/send?access_token=", true, dingtalkText, dingtalkCodes()},
	Feishu:   {"https://open.feishu.cn", "/open-apis/bot/v2/hook/", true, feishuText, feishuCodes()},
}

// Config is one robot.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// Brand is wecom, dingtalk or feishu.
	Brand Brand `yaml:"brand"`
	// APIURL is the server; the brand's own where it is empty.
	APIURL string `yaml:"api_url"`
	// KeyEnv or KeyFile names where the key is that ends the robot's address.
	KeyEnv  string `yaml:"key_env"`
	KeyFile string `yaml:"key_file"`
	// SecretEnv or SecretFile names where the secret for signatures is.
	SecretEnv  string `yaml:"secret_env"`
	SecretFile string `yaml:"secret_file"`
	// Unit is the desk whose work group the robot's group is: the code of a unit,
	// or of a township, village or grid; empty for none. internal/app binds it.
	Unit string `yaml:"unit"`

	Key    privacy.Secret `yaml:"-"`
	Secret privacy.Secret `yaml:"-"`
	Limits Limits         `yaml:"-"`
}

// Limits are what a brand allows, in configs/policies/robots.yaml.
type Limits struct {
	// MaxText is the longest message in bytes of UTF-8.
	MaxText int `yaml:"max_text"`
	// PhotoOut is the largest picture in bytes, 0 where there are none.
	PhotoOut int `yaml:"max_photo_out_bytes"`
	// PerMinute is how many messages go out in a minute on the average; with the
	// few that may go at once (Burst) that must stay below the network's limit.
	PerMinute float64 `yaml:"per_minute"`
	// Pause is how long the robot is silent after too many messages.
	Pause time.Duration `yaml:"pause"`
	// Call is how long an answer is waited for, MaxAnswer its longest in bytes.
	Call      time.Duration `yaml:"call_timeout"`
	MaxAnswer int64         `yaml:"max_answer_bytes"`
}

// Policies is configs/policies/robots.yaml.
type Policies struct {
	Limits map[Brand]Limits `yaml:"limits"`
	Source string           `yaml:"source"`
}

// Secrets reads key and secret from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.Key, err = privacy.ResolveSecret(c.KeyEnv, c.KeyFile); err != nil {
		return fmt.Errorf("channel %s: key_env or key_file: %w", c.ID, err)
	}
	if c.SecretEnv+c.SecretFile == "" { // none, or none is needed
		return nil
	}
	if c.Secret, err = privacy.ResolveSecret(c.SecretEnv, c.SecretFile); err != nil {
		return fmt.Errorf("channel %s: secret_env or secret_file: %w", c.ID, err)
	}
	return nil
}

// keyShape: WeCom and Feishu use UUIDs, DingTalk 64 hexadecimal digits.
var keyShape = regexp.MustCompile(`^[A-Za-z0-9_-]{8,128}$`)

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	p, known := protocols[c.Brand]
	switch {
	case c.ID == "":
		return fmt.Errorf("robots: a channel id is needed")
	case !known:
		return wrong("brand: write wecom, dingtalk or feishu")
	case !keyShape.MatchString(c.Key.Reveal()):
		return wrong("key_env or key_file: copy from the robot's address only what follows %q", p.path)
	case !p.signed && !c.Secret.Empty():
		return wrong("secret_env, secret_file: robots of %s have no secret, take them out", c.Brand)
	}
	l := c.Limits
	if l.MaxText <= 0 || l.PhotoOut < 0 || l.PerMinute <= 0 || l.Pause <= 0 || l.Call <= 0 || l.MaxAnswer <= 0 {
		return wrong("policies/robots.yaml: the limits of %s are not complete", c.Brand)
	}
	return nil
}

// Local reports whether the configured server is on this machine.
func (c Config) Local() bool { return wire.Local(c.APIURL) }

// Deps is what the channel stands on.
type Deps struct {
	Clock *clock.Clock
	Log   *slog.Logger
	// Observe, if set, is told of every exchange with the network.
	Observe func(outbound.Exchange)
}

// Channel is one robot. It is safe for use by many goroutines.
type Channel struct {
	cfg    Config
	proto  protocol
	api    wire.Endpoint
	client *wire.Client
	clock  *clock.Clock

	// pictured is the key of the message whose picture the group has, and whose
	// words failed.
	pictured atomic.Pointer[string]
}

// The channel keeps the contract.
var (
	_ bots.Adapter = (*Channel)(nil)
	_ bots.Checker = (*Channel)(nil)
)

// Chat is the one chat of every robot.
const Chat bots.ChatID = "group"

// New checks the configuration and returns the channel. Nothing is asked yet.
func New(cfg Config, deps Deps) (*Channel, error) {
	if deps.Clock == nil || deps.Log == nil {
		return nil, fmt.Errorf("robots: clock and log are needed")
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	p := protocols[cfg.Brand]
	if cfg.APIURL == "" {
		cfg.APIURL = p.api
	}
	api, err := wire.NewEndpoint(cfg.ID, "api_url", cfg.APIURL)
	if err != nil {
		return nil, err
	}
	limits := wire.Limits{Purpose: "robots.call", Timeout: cfg.Limits.Call, MaxBody: cfg.Limits.MaxAnswer}
	client, err := api.NewClient(limits, deps.Clock, deps.Observe)
	if err != nil {
		return nil, err
	}
	if cfg.Secret.Empty() && p.signed {
		deps.Log.Warn("a robot without a secret: set its list of addresses in the group's settings", "channel", string(cfg.ID))
	}
	return &Channel{cfg: cfg, proto: p, api: api, client: client, clock: deps.Clock}, nil
}

// Unit is the desk whose work group the robot's group is, "" for none.
func (c *Channel) Unit() string { return c.cfg.Unit }

// Caps is what robots can do.
func (c *Channel) Caps() bots.Caps {
	return bots.Caps{
		MaxText: c.cfg.Limits.MaxText, TextUnit: bots.Bytes, PhotoOut: c.cfg.Limits.PhotoOut,
		SendOnly: true, Digest: true, Trust: bots.TrustNone,
		Rate: bots.Rate{PerSecond: c.cfg.Limits.PerMinute / 60},
	}
}

// Run waits for the end: nobody speaks to a robot.
func (c *Channel) Run(ctx context.Context, _ bots.Sink) error {
	<-ctx.Done()
	c.client.Close()
	return nil
}

// Fetch has nothing to open.
func (c *Channel) Fetch(context.Context, bots.File) (io.ReadCloser, error) {
	return nil, wire.Refuse("robots bring no files")
}
