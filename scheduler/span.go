package scheduler

import (
	"fmt"
	"strings"
)

// Span is a part of a day: From belongs to it, To does not.
type Span struct{ From, To TimeOfDay }

// ParseSpan reads "08:30-12:00". A span does not cross midnight: write two.
func ParseSpan(s string) (Span, error) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return Span{}, fmt.Errorf("%q is not a span of the day like 08:30-12:00", s)
	}
	var p Span
	var err error
	if p.From, err = ParseTimeOfDay(from); err != nil {
		return Span{}, err
	}
	if p.To, err = ParseTimeOfDay(to); err != nil {
		return Span{}, err
	}
	if p.From >= p.To {
		return Span{}, fmt.Errorf("span %q ends before it starts; one over midnight is written as two", s)
	}
	return p, nil
}

// String returns the span as "08:30-12:00".
func (s Span) String() string { return s.From.String() + "-" + s.To.String() }

// UnmarshalText makes Span readable from YAML.
func (s *Span) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSpan(string(text))
	return err
}

func (s Span) contains(t TimeOfDay) bool { return s.From <= t && t < s.To }

// checkSpans refuses an empty list and spans out of order or overlapping.
func checkSpans(spans []Span) error {
	if len(spans) == 0 {
		return fmt.Errorf("no span of the day is given; write one like 08:30-12:00")
	}
	for i, s := range spans {
		if s.From < 0 || s.From >= s.To || s.To > endOfDay {
			return fmt.Errorf("span %s is not inside one day", s)
		}
		if i > 0 && s.From < spans[i-1].To {
			return fmt.Errorf("span %s starts before %s has ended; write them in order", s, spans[i-1])
		}
	}
	return nil
}
