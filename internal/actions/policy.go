package actions

import (
	"errors"
	"fmt"
	"time"

	"shaoying/configs"
	"shaoying/scheduler"
)

// Policy is configs/policies/intake.yaml, which says where each value comes
// from.
type Policy struct {
	Filing struct {
		// PerHour is how many tickets one address may file in an hour.
		PerHour int64  `yaml:"per_hour"`
		Source  string `yaml:"source"`
	} `yaml:"filing"`
	Voice struct {
		// Join is how long after a recording another one belongs to it.
		Join   time.Duration `yaml:"join"`
		Source string        `yaml:"source"`
	} `yaml:"voice"`
	Lookup struct {
		// Misses within Within lock an address for Lock.
		Misses int32         `yaml:"misses"`
		Within time.Duration `yaml:"within"`
		Lock   time.Duration `yaml:"lock"`
		Source string        `yaml:"source"`
	} `yaml:"lookup"`
	Person struct {
		// Within is until when a person calls back who was asked for.
		Within scheduler.Limit `yaml:"within"`
		Source string          `yaml:"source"`
	} `yaml:"person"`
	Codes struct {
		// PerHour is how many codes one address may ask for in an hour, PerNumber
		// how many one number is sent.
		PerHour   int64  `yaml:"per_hour"`
		PerNumber int64  `yaml:"per_number"`
		Source    string `yaml:"source"`
	} `yaml:"codes"`
	Patrol struct {
		// Handled is the share of due findings that should be handled.
		Handled float64 `yaml:"handled"`
		Source  string  `yaml:"source"`
	} `yaml:"patrol"`
	// Listed is how many tickets a list shows.
	Listed int `yaml:"listed"`
	// ListedPaid is the same where a text costs money, ReplyPaid how many
	// characters of a desk's answer are told there.
	ListedPaid int `yaml:"listed_paid"`
	ReplyPaid  int `yaml:"reply_paid"`
	// CostsPaid is how many characters of what visits cost are told there.
	CostsPaid int `yaml:"costs_paid"`
	// Greeting is from how many characters, Greetings left out, a first
	// message is a report.
	Greeting  int      `yaml:"greeting"`
	Greetings []string `yaml:"greetings"`
	Source    string   `yaml:"source"`
	// Confidential and Anonymous are words that ask for protection.
	Confidential []string `yaml:"confidential"`
	Anonymous    []string `yaml:"anonymous"`
	// Conduct are words of a complaint about behaviour; GridStaff and
	// VillageStaff name who behaved.
	Conduct      []string `yaml:"conduct"`
	GridStaff    []string `yaml:"grid_staff"`
	VillageStaff []string `yaml:"village_staff"`
}

// ParsePolicy decodes configs/policies/intake.yaml strictly.
func ParsePolicy(name string, body []byte) (Policy, error) {
	var p Policy
	if err := configs.Decode(name, body, &p); err != nil {
		return Policy{}, err
	}
	if err := p.validate(); err != nil {
		return Policy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p Policy) validate() error {
	var bad []error
	if p.Filing.PerHour < 1 || p.Codes.PerHour < 1 || p.Codes.PerNumber < 1 || p.ListedPaid < 1 || p.ReplyPaid < 1 || p.CostsPaid < 1 || p.Lookup.Misses < 1 || p.Listed < 1 || p.Greeting < 1 {
		bad = append(bad, errors.New("filing.per_hour, codes.per_hour, codes.per_number, lookup.misses, listed, listed_paid, reply_paid and greeting must be above 0"))
	}
	if p.Voice.Join <= 0 || p.Lookup.Within <= 0 || p.Lookup.Lock <= 0 || p.Person.Within.N < 1 {
		bad = append(bad, errors.New("voice.join, lookup.within, lookup.lock and person.within must be times such as 10m or 4wh"))
	}
	if p.Patrol.Handled <= 0 || p.Patrol.Handled > 1 {
		bad = append(bad, errors.New("patrol.handled must be above 0 and at most 1"))
	}
	if len(p.Greetings) == 0 || len(p.Confidential) == 0 || len(p.Anonymous) == 0 || len(p.Conduct) == 0 {
		bad = append(bad, errors.New("greetings, confidential, anonymous and conduct need words"))
	}
	for _, source := range []string{p.Filing.Source, p.Voice.Source, p.Lookup.Source, p.Person.Source, p.Codes.Source, p.Patrol.Source, p.Source} {
		if source == "" {
			bad = append(bad, errors.New("every block must say where its values come from (source)"))
			break
		}
	}
	return errors.Join(bad...)
}
