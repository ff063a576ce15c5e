package actions

import (
	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Guess says what words are about, for a clerk who types what a caller says.
func (s *Set) Guess(said string) ticket.Guess { return s.guess(said) }

// Filing reads a report out of the fields of a form, with the names that
// dialogues use: what protects a reporter follows from the words in one way,
// whoever writes them down.
func (s *Set) Filing(t *gateway.Turn, fields map[string]any) workorder.Filing {
	return s.filing(t, fields)
}
