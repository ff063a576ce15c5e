package privacy

import "fmt"

// Policy is configs/policies/privacy.yaml, with the source of every value
// there.
type Policy struct {
	Photo     PhotoLimits `yaml:"photo"`
	Retention Retention   `yaml:"retention"`
}

// Retention says for how many days of product time things are kept. What it
// does not name is kept as long as the row it belongs to.
type Retention struct {
	InboxDays    int `yaml:"inbox_days"`    // keys and states, so that no message counts twice
	WordsDays    int `yaml:"words_days"`    // sealed messages, attachments, words of tickets, from closing
	DeadDays     int `yaml:"dead_days"`     // dead letters, from the day they died
	SessionDays  int `yaml:"session_days"`  // web sessions, from the last visit
	SecurityDays int `yaml:"security_days"` // logs and refused attempts
	TrailDays    int `yaml:"trail_days"`    // who did and saw what, without words
	ConsentDays  int `yaml:"consent_days"`  // consents and assessments, from their end
}

// The floors of the law, which a policy cannot go below.
const (
	minSecurityDays = 180     // Cybersecurity Law: network logs, six months
	minConsentDays  = 3 * 365 // PIPL art. 56: assessment reports and records, three years
)

// Validate returns an error that names the value which is missing or below what
// the law asks.
func (p Policy) Validate() error {
	if err := p.Photo.Validate(); err != nil {
		return err
	}
	r := p.Retention
	for _, v := range []struct {
		name      string
		days, min int
	}{
		{"inbox_days", r.InboxDays, 1},
		{"words_days", r.WordsDays, 1},
		{"dead_days", r.DeadDays, 1},
		{"session_days", r.SessionDays, 1},
		{"security_days", r.SecurityDays, minSecurityDays},
		{"trail_days", r.TrailDays, minSecurityDays},
		{"consent_days", r.ConsentDays, minConsentDays},
	} {
		if v.days < v.min {
			return fmt.Errorf("retention.%s is %d days, must be at least %d", v.name, v.days, v.min)
		}
	}
	return nil
}
