package api

import (
	"errors"
	"fmt"
	"time"

	"shaoying/configs"
)

// Policy is configs/policies/api.yaml, which says where each value comes from.
type Policy struct {
	// Requests bounds how often one token may ask.
	Requests struct {
		PerSecond float64 `yaml:"per_second"`
		Burst     int     `yaml:"burst"`
		Source    string  `yaml:"source"`
	} `yaml:"requests"`
	Body struct {
		MaxBytes int64  `yaml:"max_bytes"`
		Source   string `yaml:"source"`
	} `yaml:"body"`
	// Page is how many rows a page has where nothing is asked for, and at most.
	Page struct {
		Usual  int    `yaml:"usual"`
		Max    int    `yaml:"max"`
		Source string `yaml:"source"`
	} `yaml:"page"`
	// Photos is how many photos of what was reported, and how many of the desk's
	// work, a program may add to a ticket; AtOnce is how many are taken in at the
	// same time, because each is held in memory.
	Photos struct {
		Max    int    `yaml:"max"`
		AtOnce int    `yaml:"at_once"`
		Source string `yaml:"source"`
	} `yaml:"photos"`
	// Answers is how long the answer to an Idempotency-Key is kept.
	Answers struct {
		Keep   time.Duration `yaml:"keep"`
		Source string        `yaml:"source"`
	} `yaml:"answers"`
}

// ParsePolicy decodes configs/policies/api.yaml strictly.
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
	switch {
	case p.Requests.PerSecond <= 0 || p.Requests.Burst < 1:
		return errors.New("requests.per_second and requests.burst must be above 0")
	case p.Body.MaxBytes < 1024:
		return errors.New("body.max_bytes must be 1024 or more")
	case p.Page.Usual < 1 || p.Page.Max < p.Page.Usual:
		return errors.New("page.usual must be 1 or more, and page.max not below it")
	case p.Photos.Max < 1 || p.Photos.AtOnce < 1:
		return errors.New("photos.max and photos.at_once must be 1 or more")
	case p.Answers.Keep < time.Hour:
		return errors.New("answers.keep must be an hour or more")
	case p.Requests.Source == "" || p.Body.Source == "" || p.Page.Source == "" || p.Photos.Source == "" || p.Answers.Source == "":
		return errors.New("every block must say where its values come from (source)")
	}
	return nil
}
