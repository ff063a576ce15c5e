package api

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// oversight registers what supervisors demand and desks answer.
func (a *API) oversight() {
	command(a, ticket.CmdSupervise, "superviseTicket", "Demand an answer of a desk", as(ticket.AsSupervisor, people.MaySupervise), supervise)
	command(a, ticket.CmdAnswerSupervision, "answerSupervision", "Answer a supervision for the desk", supervised, answerSupervision)
}

// supervised is the desk that has the lead and owes an answer.
func supervised(s *step) (ticket.Actor, bool) {
	by, ok := s.api.Orders.Handler(s.staff, s.order, s.Now)
	by.As = ticket.AsSupervised
	return by, ok && s.owed(by.Desk) != ""
}

// owed is the number of the supervision that the desk owes an answer to.
func (s *step) owed(d ticket.Desk) ticket.Number {
	for _, v := range s.order.Supervisions {
		if v.Open() && v.Desk.Same(d) {
			return v.Number
		}
	}
	return ""
}

// SuperviseBody demands an answer.
type SuperviseBody struct {
	Desk   *DeskRef `json:"desk,omitempty" doc:"the desk that has the lead when missing"`
	Reason string   `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
}

func supervise(ctx context.Context, s *step, by ticket.Actor, b *SuperviseBody) error {
	lead, held := s.order.Lead()
	desk := lead.Desk
	switch {
	case b.Desk != nil:
		var err error
		if desk, err = s.desk(ctx, *b.Desk); err != nil {
			return err
		}
	case !held:
		return &ticket.Refused{Key: ticket.KeyState, Params: map[string]string{"state": string(s.order.State)}}
	}
	number, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		return fmt.Errorf("draw the number of a supervision: %w", err)
	}
	return s.do(ctx, by, ticket.Supervise{Number: number, Desk: desk, Reason: b.Reason})
}

// AnswerBody is an answer in words.
type AnswerBody struct {
	Words string `json:"words" minLength:"2" maxLength:"2000"`
}

func answerSupervision(ctx context.Context, s *step, by ticket.Actor, b *AnswerBody) error {
	words := strings.TrimSpace(b.Words)
	if err := s.do(ctx, by, ticket.AnswerSupervision{Number: s.owed(by.Desk), HasReply: words != ""}); err != nil {
		return err
	}
	return s.note(ctx, words)
}
