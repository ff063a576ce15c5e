package wechat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// Config is one personal account. It has no secret: who logs in is who scans.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID bots.ChannelID `yaml:"-"`
	// APIURL is one server that stands for all of Tencent's, for tests and the
	// demo; it is told the host that was meant by X-Forwarded-Host. Empty in life.
	APIURL string `yaml:"api_url"`
	Limits Limits `yaml:"-"`
}

// Limits is configs/policies/wechat.yaml.
type Limits struct {
	// Hosts are the servers that may be called, with all below them.
	Hosts []string `yaml:"hosts"`
	// MaxText is the longest text in bytes, MaxPhotoOut the largest picture.
	MaxText     int `yaml:"max_text_bytes"`
	MaxPhotoOut int `yaml:"max_photo_out_bytes"`
	// MaxBody is the longest answer, contacts and pictures among them.
	MaxBody int64 `yaml:"max_body_bytes"`
	// PerSecond, PerChatPerSecond and PerGroupPerMinute are bots.Rate.
	PerSecond         float64 `yaml:"per_second"`
	PerChatPerSecond  float64 `yaml:"per_chat_per_second"`
	PerGroupPerMinute float64 `yaml:"per_group_per_minute"`
	// Redelivers is how long WeChat gives again what came behind a sync key.
	Redelivers time.Duration `yaml:"redelivers"`
	// Timeout bounds one call; the server holds a poll for 25 s.
	Timeout time.Duration `yaml:"timeout"`
	// Pause is how long a round lasts that brought nothing.
	Pause time.Duration `yaml:"pause"`
	// LongestRest is the longest wait between failures.
	LongestRest time.Duration `yaml:"longest_rest"`
	// RefusedPause is how long a refused account is left alone, TooOften how long
	// WeChat is left alone that said "too often".
	RefusedPause time.Duration `yaml:"refused_pause"`
	TooOften     time.Duration `yaml:"too_often"`
	// RemarkEvery is the shortest time between two remarks written on contacts.
	RemarkEvery time.Duration `yaml:"remark_every"`
	// MaxRemark is the longest remark in characters.
	MaxRemark int `yaml:"max_remark"`
	// Quote says how a message begins that answers another one: who is quoted is
	// its first group. Joined and Refused say which of WeChat's own lines mean that
	// somebody became a contact, or does not want to hear us any more.
	Quote   string `yaml:"quote"`
	Joined  string `yaml:"joined"`
	Refused string `yaml:"refused"`
	Source  string `yaml:"source"`
}

// words are the patterns of Limits.
type words struct{ quote, joined, refused *regexp.Regexp }

// home is where Web WeChat begins.
const home = "https://wx.qq.com"

func (c Config) address() string {
	if c.APIURL == "" {
		return home
	}
	return c.APIURL
}

// Local reports whether a server on this machine stands for WeChat.
func (c Config) Local() bool { return c.APIURL != "" && wire.Local(c.APIURL) }

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	if c.ID == "" {
		return errors.New("wechat: a channel id is needed")
	}
	if _, err := wire.NewEndpoint(c.ID, "api_url", c.address()); err != nil {
		return err
	}
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("channel %s: %w", c.ID, err)
	}
	return nil
}

// Validate returns an error that names the first limit that is missing.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"hosts", float64(len(l.Hosts))},
		{"max_text_bytes", float64(l.MaxText)},
		{"max_photo_out_bytes", float64(l.MaxPhotoOut)},
		{"max_body_bytes", float64(l.MaxBody)},
		{"per_second", l.PerSecond},
		{"per_chat_per_second", l.PerChatPerSecond},
		{"per_group_per_minute", l.PerGroupPerMinute},
		{"redelivers", float64(l.Redelivers)},
		{"timeout", float64(l.Timeout)},
		{"pause", float64(l.Pause)},
		{"longest_rest", float64(l.LongestRest)},
		{"refused_pause", float64(l.RefusedPause)},
		{"too_often", float64(l.TooOften)},
		{"remark_every", float64(l.RemarkEvery)},
		{"max_remark", float64(l.MaxRemark)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("wechat limits: %s must be given", f.name)
		}
	}
	_, err := l.compile()
	return err
}

func (l Limits) compile() (w words, err error) {
	for _, p := range []struct {
		name, pattern string
		into          **regexp.Regexp
	}{{"quote", l.Quote, &w.quote}, {"joined", l.Joined, &w.joined}, {"refused", l.Refused, &w.refused}} {
		if p.pattern == "" {
			return w, fmt.Errorf("wechat limits: %s must be given", p.name)
		}
		if *p.into, err = regexp.Compile(p.pattern); err != nil {
			return w, fmt.Errorf("wechat limits: %s: %w", p.name, err)
		}
	}
	if w.quote.NumSubexp() != 1 {
		return w, errors.New("wechat limits: quote needs one group, who is quoted")
	}
	return w, nil
}

// known reports whether a host is one that may be called.
func (l Limits) known(host string) bool {
	for _, h := range l.Hosts {
		if host == h || strings.HasSuffix(host, "."+h) {
			return true
		}
	}
	return false
}
