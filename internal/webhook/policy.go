package webhook

import (
	"errors"
	"fmt"
	"time"

	"shaoying/configs"
)

// Policy is configs/policies/webhook.yaml, which says where each value comes
// from.
type Policy struct {
	// Timeout bounds one post, AnswerBytes what is read of its answer.
	Timeout     time.Duration `yaml:"timeout"`
	AnswerBytes int64         `yaml:"answer_bytes"`
	// Silence is how long after a failed post the others to the same receiver
	// are put off without trying. It is shorter than any pause, so that a failed
	// post itself is always tried again.
	Silence time.Duration `yaml:"silence"`
	// Pauses lie between the tries, in order: there is one try more than pauses.
	Pauses []time.Duration `yaml:"pauses"`
	// Max is how many hooks there may be.
	Max    int    `yaml:"max"`
	Source string `yaml:"source"`
}

// ParsePolicy decodes configs/policies/webhook.yaml strictly.
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

// maxTimeout keeps a post well inside the lease of its due row (30 s).
const maxTimeout = 15 * time.Second

func (p Policy) validate() error {
	switch {
	case p.Timeout <= 0 || p.Timeout > maxTimeout:
		return fmt.Errorf("timeout must be above 0 and at most %s", maxTimeout)
	case p.AnswerBytes < 1 || p.Silence <= 0 || p.Max < 1 || p.Source == "":
		return errors.New("answer_bytes, silence and max must be above 0, and source must say where the values come from")
	case len(p.Pauses) == 0:
		return errors.New("pauses needs at least one")
	case p.Silence >= p.Pauses[0]:
		return errors.New("silence must be shorter than the first of the pauses")
	}
	for i, pause := range p.Pauses {
		if pause <= 0 || i > 0 && pause < p.Pauses[i-1] {
			return fmt.Errorf("pauses: %s is not above 0, or shorter than the one before it", pause)
		}
	}
	return nil
}
