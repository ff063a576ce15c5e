package smpp

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms"
	"shaoying/internal/privacy"
)

// Config is one account at a short message service centre (SMSC), as in
// SHAOYING_CONFIG. What it leaves out is taken from [Defaults].
type Config struct {
	// ID is the channel account.
	ID bots.ChannelID `yaml:"-"`
	// Addr is host and port of the centre; TLS speaks TLS to it from the start.
	Addr string `yaml:"addr"`
	TLS  bool   `yaml:"tls"`
	// SystemID, SystemType and the password are those of the bind. PasswordEnv
	// or PasswordFile names where the password is.
	SystemID     string `yaml:"system_id"`
	SystemType   string `yaml:"system_type"`
	PasswordEnv  string `yaml:"password_env"`
	PasswordFile string `yaml:"password_file"`
	// From is our number; ExtensionDigits is how many digits the centre lets us
	// set behind it.
	From            string `yaml:"from"`
	ExtensionDigits int    `yaml:"extension_digits"`
	// Signature is set before every text as 【Signature】, where the centre does
	// not do that itself.
	Signature string `yaml:"signature"`
	// Countries are the country codes that may be written to; the mainland
	// alone where it is empty. National writes mainland numbers without 86.
	Countries []string `yaml:"countries"`
	National  bool     `yaml:"national"`
	// Types and plans of our number and of people's (5.2.5, 5.2.6).
	FromTON byte `yaml:"from_ton"`
	FromNPI byte `yaml:"from_npi"`
	ToTON   byte `yaml:"to_ton"`
	ToNPI   byte `yaml:"to_npi"`
	// Window is how many requests may be unanswered at once, Throughput how
	// many PDUs a second the centre takes from us.
	Window     int     `yaml:"window"`
	Throughput float64 `yaml:"throughput"`
	// Alphabet is what data_coding 0 means at the centre: gsm7, latin1, ascii.
	Alphabet string `yaml:"alphabet"`
	// Long is how the pieces of a long text are told apart: udh, sar, payload.
	Long string `yaml:"long"`
	// RegisteredDelivery asks for a receipt of every piece.
	RegisteredDelivery bool `yaml:"registered_delivery"`
	// EnquireLink is how often the connection is tried.
	EnquireLink time.Duration `yaml:"enquire_link"`
	// UserMessageReference says that the centre gives every text of a user a
	// number of its own in that parameter. Where it does not, two equal texts
	// with an equal number would be taken for one.
	UserMessageReference bool `yaml:"user_message_reference"`

	Password privacy.Secret `yaml:"-"`
	Limits   Limits         `yaml:"-"`
}

// Defaults is what an account has that says nothing else.
func Defaults(id bots.ChannelID) Config {
	return Config{
		ID: id, FromNPI: 1, ToTON: 1, ToNPI: 1, Window: 32, Throughput: 100,
		Alphabet: AlphabetGSM7, Long: LongUDH, RegisteredDelivery: true, EnquireLink: 30 * time.Second,
	}
}

// Limits is configs/policies/smpp.yaml.
type Limits struct {
	// MaxParts is the longest text in parts.
	MaxParts int `yaml:"max_parts"`
	// BindWait is how long a send waits for a connection, Answer how long for
	// the centre to answer any request, Throttle how long a send rests that the
	// centre found too many.
	BindWait time.Duration `yaml:"bind_wait"`
	Answer   time.Duration `yaml:"answer"`
	Throttle time.Duration `yaml:"throttle"`
	// ReconnectMin and ReconnectMax bound the pause before another bind.
	ReconnectMin time.Duration `yaml:"reconnect_min"`
	ReconnectMax time.Duration `yaml:"reconnect_max"`
	// PartWait is how long the pieces of a long text are waited for after the
	// last that came; what is there is then taken with MissingPart in the
	// place of the others.
	PartWait    time.Duration `yaml:"part_wait"`
	MissingPart string        `yaml:"missing_part"`
	// Doubtful is how far into a session equal texts may be repetitions, Slow
	// after how long the centre may have given up on our answer.
	Doubtful time.Duration `yaml:"doubtful"`
	Slow     time.Duration `yaml:"slow"`
	// MaxQueued is how many texts and reports may wait for the gateway; more
	// are left to the centre.
	MaxQueued int `yaml:"max_queued"`
	// Redelivers is bots.Caps.Redelivers.
	Redelivers time.Duration `yaml:"redelivers"`
	Source     string        `yaml:"source"`
}

// Secrets reads the password from where the configuration says.
func (c *Config) Secrets() error {
	var err error
	if c.Password, err = privacy.ResolveSecret(c.PasswordEnv, c.PasswordFile); err != nil {
		return fmt.Errorf("channel %s: password_env or password_file: %w", c.ID, err)
	}
	return nil
}

// Local reports whether the centre is on this machine.
func (c Config) Local() bool {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

func (c Config) extensions() sms.Extensions {
	return sms.Extensions{Base: c.From, Digits: c.ExtensionDigits}
}

// Validate returns an error that says what to write instead.
func (c Config) Validate() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("channel %s: %w", c.ID, fmt.Errorf(format, args...))
	}
	host, port, err := net.SplitHostPort(c.Addr)
	switch {
	case c.ID == "":
		return errors.New("smpp: a channel id is needed")
	case err != nil || host == "" || port == "":
		return wrong("addr: write host and port of the centre, such as smsc.example:2775")
	case c.SystemID == "" || len(c.SystemID) > 15 || len(c.SystemType) > 12:
		return wrong("system_id has 1 to 15 characters, system_type at most 12")
	case c.Password.Empty() || len(c.Password.Reveal()) > 8:
		return wrong("the password has 1 to 8 characters (SMPP 3.4, 5.2.2): ask the carrier for such a one")
	case strings.Trim(c.From, "0123456789") != "" || c.From == "" || len(c.From)+c.ExtensionDigits > 20:
		return wrong("from: write your number in digits, with its extension at most 20")
	case c.Window < 1 || c.Window > 1000:
		return wrong("window must be 1 to 1000")
	case c.Throughput <= 0:
		return wrong("throughput: write how many messages a second the carrier takes from you")
	case c.Alphabet != AlphabetGSM7 && c.Alphabet != AlphabetLatin1 && c.Alphabet != AlphabetASCII:
		return wrong("alphabet %q: write gsm7, latin1 or ascii, as the carrier says of data_coding 0", c.Alphabet)
	case c.Long != LongUDH && c.Long != LongSAR && c.Long != LongPayload:
		return wrong("long %q: write udh, sar or payload", c.Long)
	case c.EnquireLink < time.Second || c.EnquireLink > 10*time.Minute:
		return wrong("enquire_link must be 1s to 10m")
	case !strings.Contains(c.Signature, "【") && !strings.Contains(c.Signature, "】"):
	default:
		return wrong("signature: write it without 【】")
	}
	if err := c.extensions().Validate(); err != nil {
		return wrong("%w", err)
	}
	if err := (sms.Book{Countries: c.Countries}).Validate(); err != nil {
		return wrong("%w", err)
	}
	return c.Limits.validate()
}

func (l Limits) validate() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"max_parts", int64(l.MaxParts)},
		{"bind_wait", int64(l.BindWait)},
		{"answer", int64(l.Answer)},
		{"throttle", int64(l.Throttle)},
		{"reconnect_min", int64(l.ReconnectMin)},
		{"reconnect_max", int64(l.ReconnectMax - l.ReconnectMin)},
		{"part_wait", int64(l.PartWait)},
		{"missing_part", int64(len(l.MissingPart))},
		{"doubtful", int64(l.Doubtful)},
		{"slow", int64(l.Slow)},
		{"max_queued", int64(l.MaxQueued)},
		{"redelivers", int64(l.Redelivers)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("smpp limits: %s must be given", f.name)
		}
	}
	if l.MaxParts > 255 {
		return errors.New("smpp limits: max_parts is at most 255")
	}
	return nil
}
