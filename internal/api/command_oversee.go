package api

import (
	"context"
	"errors"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// oversight registers the commands of a work order with several desks, requests,
// supervision and merging.
func (a *API) oversight() {
	command(a, ticket.CmdAnswer, "answerTicket", "Answer a consultation at once", early(people.MayAnswerNow), answerNow)
	command(a, ticket.CmdRefer, "referTicket", "Hand a ticket to who must lawfully deal with it", early(people.MayRefer), refer)
	command(a, ticket.CmdInvolve, "involveDesks", "Put co-handling desks beside the lead", as(ticket.AsDispatcher, people.MayDispatchTicket), involve)
	command(a, ticket.CmdCoSign, "coSignTicket", "Sign for a co-handling desk", coHandling, coSign)
	command(a, ticket.CmdCoReply, "coReplyTicket", "Reply to the lead", coHandling, coReply)
	command(a, ticket.CmdObject, "objectToTicket", "Say that the desk is not the right one", asHandler(people.MayObject), object)
	command(a, ticket.CmdAskExtension, "askExtension", "Ask for a later deadline", asHandler(people.MayAskTime), askExtension)
	command(a, ticket.CmdAskSuspension, "askSuspension", "Ask to stop the clock", asHandler(people.MayAskTime), askSuspension)
	command(a, ticket.CmdResume, "resumeTicket", "Go on with a suspended ticket", resuming, resume)
	command(a, ticket.CmdDecide, "decideRequest", "Decide on what a desk asked for", deciding, decide)
	command(a, ticket.CmdSupervise, "superviseTicket", "Demand an answer of a desk", as(ticket.AsSupervisor, people.MaySupervise), supervise)
	command(a, ticket.CmdAnswerSupervision, "answerSupervision", "Answer a supervision for the desk", supervised, answerSupervision)
	command(a, ticket.CmdEscalate, "escalateTicket", "Raise a ticket to the next level", as(ticket.AsSupervisor, people.MayEscalate), escalate)
	command(a, ticket.CmdMerge, "mergeTicket", "Put a ticket behind another about the same thing", as(ticket.AsDispatcher, people.MayMerge), merge)
	command(a, ticket.CmdUnmerge, "unmergeTicket", "Give a merged ticket its own way back", as(ticket.AsDispatcher, people.MayMerge), unmerge)
	command(a, ticket.CmdAskExclusion, "askExclusion", "Ask to leave a ticket out of the desk's figures", excluding, askExclusion)
	command(a, ticket.CmdDecideExclusion, "decideExclusion", "Decide on an exclusion", as(ticket.AsReviewer, people.MayReview), decideExclusion)
}

// coHandling is a desk beside the lead.
func coHandling(s *step) (ticket.Actor, bool) {
	by, _, ok := s.api.Orders.CoHandler(s.staff, s.order, s.Now)
	return by, ok
}

// supervised is the desk that owes an answer.
func supervised(s *step) (ticket.Actor, bool) {
	by := s.actor(ticket.AsSupervised)
	v, ok := s.api.Orders.Supervised(s.staff, s.order, s.Now)
	by.Desk = v.Desk
	return by, ok
}

// resuming is the desk that waited, or a dispatcher.
func resuming(s *step) (ticket.Actor, bool) {
	if by, ok := asHandler(people.MayAskTime)(s); ok {
		return by, true
	}
	return s.actor(ticket.AsDispatcher), s.may(s.api, people.MayDispatchTicket, s.order)
}

// excluding is the desk that had the lead of a closed ticket last.
func excluding(s *step) (ticket.Actor, bool) {
	return s.api.Orders.Excluder(s.Turn, s.staff, s.order)
}

// deciding is a dispatcher, or a supervisor.
func deciding(s *step) (ticket.Actor, bool) {
	c := ticket.AsDispatcher
	if s.staff.Has(people.RoleSupervisor) {
		c = ticket.AsSupervisor
	}
	return s.actor(c), s.may(s.api, people.MayDecide, s.order)
}

// AnswerBody is an answer in words.
type AnswerBody struct {
	Words string `json:"words" minLength:"2" maxLength:"2000"`
}

func answerNow(ctx context.Context, s *step, by ticket.Actor, b *AnswerBody) error {
	words := strings.TrimSpace(b.Words)
	if err := s.do(ctx, by, ticket.AnswerNow{HasReply: words != ""}); err != nil {
		return err
	}
	return s.api.Orders.SetReplies(ctx, s.Turn, s.order, words, "")
}

// ReferBody says to whom a ticket goes.
type ReferBody struct {
	To string `json:"to" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
}

func refer(ctx context.Context, s *step, by ticket.Actor, b *ReferBody) error {
	if s.order.Danger != "" {
		return &ticket.Refused{Key: ticket.KeyActFirst}
	}
	return s.do(ctx, by, ticket.Refer{To: b.To})
}

// InvolveBody names the desks that co-handle.
type InvolveBody struct {
	Desks []DeskRef `json:"desks" minItems:"1" maxItems:"10"`
}

func involve(ctx context.Context, s *step, by ticket.Actor, b *InvolveBody) error {
	co, err := s.desks(ctx, b.Desks)
	if err != nil {
		return err
	}
	return s.do(ctx, by, ticket.Involve{Co: co})
}

func coSign(ctx context.Context, s *step, by ticket.Actor, _ *nothing) error {
	return s.do(ctx, by, ticket.CoSign{})
}

func coReply(ctx context.Context, s *step, by ticket.Actor, b *AnswerBody) error {
	_, err := s.api.Orders.CoReply(ctx, s.Turn, s.order.ID, by, strings.TrimSpace(b.Words))
	return err
}

// ObjectBody is an objection with its basis.
type ObjectBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
	Basis  string `json:"basis" minLength:"2" maxLength:"2000" doc:"the rule or fact that it rests on"`
}

func object(ctx context.Context, s *step, by ticket.Actor, b *ObjectBody) error {
	o, err := s.api.Orders.Object(ctx, s.Turn, s.order.ID, by, b.Reason, strings.TrimSpace(b.Basis))
	if err != nil || o.State != ticket.Received {
		return err
	}
	return s.leave(ctx)
}

// UntilBody asks for time.
type UntilBody struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
}

func askExtension(ctx context.Context, s *step, by ticket.Actor, b *UntilBody) error {
	return s.do(ctx, by, ticket.AskExtension{Until: b.Until, Reason: b.Reason})
}

func askSuspension(ctx context.Context, s *step, by ticket.Actor, b *UntilBody) error {
	return s.do(ctx, by, ticket.AskSuspension{Until: b.Until, Reason: b.Reason})
}

func resume(ctx context.Context, s *step, by ticket.Actor, _ *nothing) error {
	return s.do(ctx, by, ticket.Resume{})
}

// DecideBody is a decision with its reason.
type DecideBody struct {
	Granted bool   `json:"granted"`
	Words   string `json:"words,omitempty" maxLength:"2000" doc:"what the desk is told"`
}

func decide(ctx context.Context, s *step, by ticket.Actor, b *DecideBody) error {
	o, err := s.api.Orders.Decide(ctx, s.Turn, s.order.ID, by, b.Granted, strings.TrimSpace(b.Words))
	if err != nil || o.State != ticket.Received {
		return err
	}
	return s.leave(ctx)
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
	_, err := s.api.Orders.Supervise(ctx, s.Turn, s.order.ID, by, desk, b.Reason)
	return err
}

func answerSupervision(ctx context.Context, s *step, by ticket.Actor, b *AnswerBody) error {
	v, _ := s.api.Orders.Supervised(s.staff, s.order, s.Now)
	_, err := s.api.Orders.AnswerSupervision(ctx, s.Turn, s.order.ID, by, v.Number, strings.TrimSpace(b.Words))
	return err
}

func escalate(ctx context.Context, s *step, by ticket.Actor, b *ReasonBody) error {
	if err := s.do(ctx, by, ticket.Escalate{Reason: b.Reason}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

// MergeBody names the other ticket.
type MergeBody struct {
	Master string `json:"master" minLength:"10" maxLength:"20" doc:"number of the ticket that leads"`
}

func merge(ctx context.Context, s *step, by ticket.Actor, b *MergeBody) error {
	master, _, err := s.api.seen(ctx, s.visit, b.Master)
	if errors.Is(err, errNotFound) {
		return invalid("body.master", "there is no such ticket for this token")
	}
	if err != nil {
		return err
	}
	if !s.may(s.api, people.MayMerge, master) {
		return errForbidden
	}
	_, err = s.api.Orders.Merge(ctx, s.Turn, by, s.order.ID, master.ID)
	return err
}

func unmerge(ctx context.Context, s *step, by ticket.Actor, _ *nothing) error {
	_, err := s.api.Orders.Unmerge(ctx, s.Turn, by, s.order.ID)
	return err
}

// EvidenceBody asks for an exclusion.
type EvidenceBody struct {
	Reason   string `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
	Evidence string `json:"evidence" minLength:"2" maxLength:"2000"`
}

func askExclusion(ctx context.Context, s *step, by ticket.Actor, b *EvidenceBody) error {
	_, err := s.api.Orders.AskExclusion(ctx, s.Turn, s.order.ID, by, b.Reason, strings.TrimSpace(b.Evidence))
	return err
}

func decideExclusion(ctx context.Context, s *step, by ticket.Actor, b *DecideBody) error {
	words := strings.TrimSpace(b.Words)
	if words == "" {
		return &ticket.Refused{Key: ticket.KeyNoBasis}
	}
	if _, err := s.api.Orders.DecideExclusion(ctx, s.Turn, s.order.ID, by, b.Granted, words); err != nil {
		return err
	}
	return s.endTasks(ctx, workorder.TaskExclusion)
}
