package gateway

import (
	"errors"
	"fmt"
	"slices"

	"shaoying/bots"
	"shaoying/configs"
)

// MoneyPolicy is configs/policies/money.yaml, which says where each value comes
// from. A part is what a network bills: one short message, or one piece of a
// long one.
type MoneyPolicy struct {
	// Price is what a part costs in fen, by the id of the channel account.
	Price struct {
		Usual    float64                    `yaml:"usual"`
		Accounts map[bots.ChannelID]float64 `yaml:"accounts"`
		Source   string                     `yaml:"source"`
	} `yaml:"price"`
	// Number, Campaign (all pushes of one reason) and All are what may be spent
	// in a day. Reserve is the share of All that is kept for what is urgent, Warn
	// the share at which people are told.
	Number   MoneyCap `yaml:"number"`
	Campaign MoneyCap `yaml:"campaign"`
	All      struct {
		Parts   int     `yaml:"parts"`
		Reserve float64 `yaml:"reserve"`
		Warn    float64 `yaml:"warn"`
		Source  string  `yaml:"source"`
	} `yaml:"all"`
	// Strange is how many messages for which a stranger can ask (Reasons are the
	// codes) go in an hour to numbers that never wrote to us.
	Strange struct {
		PerHour int      `yaml:"per_hour"`
		Reasons []string `yaml:"reasons"`
		Source  string   `yaml:"source"`
	} `yaml:"strange"`
	// Prefix is how many parts of replies and codes go in an hour to numbers that
	// begin with the same Digits, country code included.
	Prefix struct {
		Digits  int    `yaml:"digits"`
		PerHour int    `yaml:"per_hour"`
		Source  string `yaml:"source"`
	} `yaml:"prefix"`
	// KeepDays is how long counters are kept.
	KeepDays int    `yaml:"keep_days"`
	Source   string `yaml:"source"`
}

// MoneyCap is a limit in parts a day.
type MoneyCap struct {
	Parts  int    `yaml:"parts"`
	Source string `yaml:"source"`
}

// ParseMoneyPolicy decodes configs/policies/money.yaml strictly.
func ParseMoneyPolicy(name string, body []byte) (MoneyPolicy, error) {
	var p MoneyPolicy
	if err := configs.Decode(name, body, &p); err != nil {
		return MoneyPolicy{}, err
	}
	if err := p.validate(); err != nil {
		return MoneyPolicy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p MoneyPolicy) validate() error {
	switch {
	case p.Number.Parts < 1, p.Campaign.Parts < 1, p.All.Parts < 1, p.Strange.PerHour < 1, p.Prefix.PerHour < 1, p.KeepDays < 2:
		return errors.New("every limit must be at least 1, and keep_days at least 2")
	case p.All.Reserve <= 0 || p.All.Reserve >= 1 || p.All.Warn <= 0 || p.All.Warn >= 1:
		return errors.New("all: reserve and warn are shares between 0 and 1")
	case p.Prefix.Digits < 4 || p.Prefix.Digits > 12:
		return errors.New("prefix: digits must be 4 to 12, or it names a country or a person")
	case p.Price.Usual <= 0:
		return errors.New("price: usual must be above 0 fen")
	case len(p.Strange.Reasons) == 0:
		return errors.New("strange: reasons needs at least one")
	}
	for account, fen := range p.Price.Accounts {
		if fen <= 0 {
			return fmt.Errorf("price: %s must be above 0 fen", account)
		}
	}
	for _, source := range []string{p.Price.Source, p.Number.Source, p.Campaign.Source, p.All.Source, p.Strange.Source, p.Prefix.Source, p.Source} {
		if source == "" {
			return errors.New("every limit must have a source that says where it comes from")
		}
	}
	return nil
}

// limit is the limit of a counter, 0 for none.
func (p MoneyPolicy) limit(scope string, urgent bool) int {
	switch {
	case scope == scopeStrange:
		return p.Strange.PerHour
	case scope == scopeAll && urgent:
		return p.All.Parts
	case scope == scopeAll:
		return max(int(float64(p.All.Parts)*(1-p.All.Reserve)), 1)
	case urgent: // in a disaster whole ranges of numbers call for help
		return 0
	case scope == scopePrefix:
		return p.Prefix.PerHour
	case scope == scopeChat:
		return p.Number.Parts
	}
	return p.Campaign.Parts
}

// price is what a part of an account costs, in fen.
func (p MoneyPolicy) price(account bots.ChannelID) float64 {
	if fen, ok := p.Price.Accounts[account]; ok {
		return fen
	}
	return p.Price.Usual
}

// asked reports whether a stranger can ask for messages of this reason.
func (p MoneyPolicy) asked(reason string) bool { return slices.Contains(p.Strange.Reasons, reason) }

// prefix is the range of an E.164 number.
func (p MoneyPolicy) prefix(number string) string {
	return number[:min(len(number), p.Prefix.Digits+1)]
}
