package api

import (
	"context"
	"fmt"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

func (a *API) commands() {
	command(a, ticket.CmdComplete, "completeTicket", "Fill in a draft, or correct a ticket before it is dispatched",
		as(ticket.AsCompleter, people.MayCompleteTicket), complete)
	command(a, ticket.CmdDispatch, "dispatchTicket", "Put a ticket on a desk", as(ticket.AsDispatcher, people.MayDispatchTicket), dispatch)
	command(a, ticket.CmdReject, "rejectTicket", "End a ticket that the city may not handle", early(people.MayRejectTicket), reject)
	command(a, ticket.CmdWithdraw, "withdrawTicket", "End a ticket at the reporter's wish", as(ticket.AsDispatcher, people.MayWithdrawTicket), withdraw)
	command(a, ticket.CmdTake, "takeTicket", "Sign for the desk", asHandler(people.MayTakeTicket), take)
	command(a, ticket.CmdContact, "contactReporter", "Record that the desk reached for the reporter", asHandler(people.MayContact), contact)
	command(a, ticket.CmdTransfer, "transferTicket", "Hand a ticket to another desk", asHandlerOr(ticket.AsDispatcher, people.MayTransferTicket), transfer)
	command(a, ticket.CmdReturn, "returnTicket", "Give a ticket back to the dispatcher", asHandlerOr(ticket.AsDispatcher, people.MayReturnTicket), giveBack)
	command(a, ticket.CmdFinish, "finishTicket", "Report what came of it", asHandler(people.MayFinishTicket), finish)
	command(a, ticket.CmdCallback, "recordCallback", "Record what the resident said", calling, callBack)
	command(a, ticket.CmdJudge, "judgeAnswer", "Decide on an unhappy answer", as(ticket.AsCallback, people.MayJudge), judge)
	command(a, ticket.CmdRelapse, "reopenTicket", "Reopen a closed ticket because it came back", as(ticket.AsCallback, people.MayCallBack), relapse)
	command(a, "note", "noteOnTicket", "Keep a remark that only staff read", as("", people.MayNote), note)
}

// DeskRef names a desk.
type DeskRef struct {
	Kind string `json:"kind" enum:"grid,unit,named"`
	Code string `json:"code" minLength:"1" maxLength:"64" doc:"code of the unit or grid"`
	// Staff is who alone is asked, for named.
	Staff int64 `json:"staff,omitempty" doc:"with named: who alone is asked"`
}

// desk checks that a desk exists before the rules look at it.
func (s *step) desk(ctx context.Context, d DeskRef) (ticket.Desk, error) {
	desk := ticket.Desk{Kind: ticket.DeskKind(d.Kind), Code: d.Code}
	_, unit := s.api.Units.Get(d.Code)
	switch desk.Kind {
	case ticket.DeskGrid:
		if _, err := s.GetGrid(ctx, d.Code); err != nil {
			if err := missing("look for a grid", err); err != errNotFound { //nolint:errorlint // missing returns the very value
				return desk, err
			}
			return desk, &ticket.Refused{Key: ticket.KeyNoDesk}
		}
	case ticket.DeskUnit:
		if !unit {
			return desk, &ticket.Refused{Key: ticket.KeyNoDesk}
		}
	case ticket.DeskNamed:
		rows, err := s.StaffWith(ctx, []string{string(people.RoleHandler), string(people.RoleGridWorker), string(people.RoleGridLeader)}, []string{d.Code})
		if err != nil {
			return desk, fmt.Errorf("find a handler: %w", err)
		}
		for _, r := range rows {
			if r.ID == d.Staff {
				desk.Staff = d.Staff
			}
		}
		if desk.Staff == 0 {
			return desk, &ticket.Refused{Key: ticket.KeyNoDesk}
		}
	}
	return desk, nil
}

// desks is desk for several.
func (s *step) desks(ctx context.Context, refs []DeskRef) ([]ticket.Desk, error) {
	var all []ticket.Desk
	for _, d := range refs {
		desk, err := s.desk(ctx, d)
		if err != nil {
			return nil, err
		}
		all = append(all, desk)
	}
	return all, nil
}

// CompleteBody says what a draft lacks. What is missing stays as it is.
type CompleteBody struct {
	Claim  string    `json:"claim" minLength:"1"`
	Matter string    `json:"matter" minLength:"1"`
	Urgent bool      `json:"urgent,omitempty"`
	Place  *Location `json:"place,omitempty"`
	Words  string    `json:"words,omitempty" maxLength:"5000" doc:"added to what the reporter said"`
}

func complete(ctx context.Context, s *step, by ticket.Actor, b *CompleteBody) error {
	m, ok := s.api.Orders.Matters.Get(b.Matter)
	if !ok {
		return invalid("body.matter", "there is no such matter")
	}
	if !s.api.isClaim(b.Claim) {
		return invalid("body.claim", "there is no such kind of claim")
	}
	c := ticket.Content{Claim: b.Claim, Matter: m.Code, Urgency: m.Class, Sensitive: m.Sensitive}
	if b.Urgent || s.order.Urgency == ticket.Urgent {
		c.Urgency = ticket.Urgent
	}
	var err error
	if c.Place, err = s.api.locate(ctx, s.visit, b.Place); err != nil {
		return err
	}
	if words := strings.TrimSpace(b.Words); words != "" {
		guess := s.api.Filing(s.Turn, map[string]any{"what": words, "matter_code": m.Code, "claim_code": b.Claim})
		c.Sensitive = c.Sensitive || guess.Content.Sensitive
		c.Confidential, c.Anonymous, c.Against = guess.Content.Confidential, guess.Content.Anonymous, guess.Content.Against
		if err := s.api.Orders.AddWords(ctx, s.Turn, s.order, words); err != nil {
			return err
		}
	}
	return s.do(ctx, by, ticket.Complete{Content: c})
}

// DispatchBody says where a ticket goes.
type DispatchBody struct {
	Desk DeskRef   `json:"desk" doc:"who leads"`
	Co   []DeskRef `json:"co,omitempty" maxItems:"10" doc:"who co-handles"`
}

func dispatch(ctx context.Context, s *step, by ticket.Actor, b *DispatchBody) error {
	to, err := s.desk(ctx, b.Desk)
	if err != nil {
		return err
	}
	co, err := s.desks(ctx, b.Co)
	if err != nil {
		return err
	}
	var informed []ticket.Desk
	if grid := s.order.Place.Grid; grid != "" && to.Code != grid {
		informed = []ticket.Desk{{Kind: ticket.DeskGrid, Code: grid}}
	}
	return s.do(ctx, by, ticket.Dispatch{Lead: to, Co: co, Informed: informed})
}

// ReasonBody gives a reason of configs/policies/tickets.yaml.
type ReasonBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
	Words  string `json:"words,omitempty" maxLength:"2000" doc:"for staff"`
}

func reject(ctx context.Context, s *step, by ticket.Actor, b *ReasonBody) error {
	if err := s.do(ctx, by, ticket.Reject{Reason: b.Reason}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

// WordsBody is a remark.
type WordsBody struct {
	Words string `json:"words,omitempty" maxLength:"2000" doc:"for staff"`
}

func withdraw(ctx context.Context, s *step, by ticket.Actor, b *WordsBody) error {
	if err := s.do(ctx, by, ticket.Withdraw{}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

func take(ctx context.Context, s *step, by ticket.Actor, _ *nothing) error {
	return s.do(ctx, by, ticket.Take{})
}

// ContactBody says how the reporter was reached for.
type ContactBody struct {
	Via     string `json:"via" enum:"phone,relay,visit"`
	Reached bool   `json:"reached,omitempty" doc:"with phone or visit"`
	Words   string `json:"words,omitempty" maxLength:"2000" doc:"with relay: what the reporter is told; else for staff. A visit needs words, or a photo sent before"`
}

// contact records how the desk reached for the reporter. Words to be handed on go
// to the reporter, all others are a note.
func contact(ctx context.Context, s *step, by ticket.Actor, b *ContactBody) error {
	via, words := ticket.ContactVia(b.Via), strings.TrimSpace(b.Words)
	if via == ticket.ViaRelay && words == "" {
		return invalid("body.words", "what is handed on needs words")
	}
	if via == ticket.ViaRelay {
		_, err := s.api.Orders.Relay(ctx, s.Turn, s.order.ID, by, words)
		return err
	}
	photos, err := s.photos(ctx, useEvidence)
	if err != nil {
		return err
	}
	if err := s.do(ctx, by, ticket.Contact{Via: via, Reached: b.Reached, Proven: words != "" || len(photos) > 0}); err != nil {
		return err
	}
	return s.note(ctx, words)
}

// TransferBody says to which desk a ticket goes.
type TransferBody struct {
	To    DeskRef `json:"to"`
	Words string  `json:"words,omitempty" maxLength:"2000" doc:"for staff"`
}

func transfer(ctx context.Context, s *step, by ticket.Actor, b *TransferBody) error {
	to, err := s.desk(ctx, b.To)
	if err != nil {
		return err
	}
	lead, _ := s.order.Lead()
	if err := s.do(ctx, by, ticket.Transfer{To: to, Reason: ticket.TransferReason(lead.Desk, to)}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

func giveBack(ctx context.Context, s *step, by ticket.Actor, b *ReasonBody) error {
	if err := s.do(ctx, by, ticket.Return{Reason: b.Reason}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

// FinishBody is the desk's report.
type FinishBody struct {
	Result   string `json:"result" enum:"resolved,partly,unresolved,beyond_duty"`
	Reply    string `json:"reply" minLength:"2" maxLength:"2000" doc:"what the reporter reads"`
	Internal string `json:"internal,omitempty" maxLength:"2000" doc:"what only staff read"`
}

func finish(ctx context.Context, s *step, by ticket.Actor, b *FinishBody) error {
	photos, err := s.photos(ctx, useEvidence)
	if err != nil {
		return err
	}
	_, err = s.api.Orders.Finish(ctx, s.Turn, s.order.ID, by, workorder.Report{
		Result: ticket.UnitResult(b.Result), Reply: strings.TrimSpace(b.Reply), Internal: strings.TrimSpace(b.Internal), Photos: photos,
	})
	return err
}

// CallbackBody is what came of asking the resident.
type CallbackBody struct {
	Contacted string `json:"contacted,omitempty" enum:"yes,no"`
	Solved    string `json:"solved,omitempty" enum:"yes,partly,no"`
	Satisfied string `json:"satisfied,omitempty" enum:"very_satisfied,satisfied,fairly_satisfied,dissatisfied,very_dissatisfied"`
	Unreached bool   `json:"unreached,omitempty" doc:"nobody answered; the try counts when the time for it has come, and the last one that the policy asks for closes the ticket"`
	Words     string `json:"words,omitempty" maxLength:"2000" doc:"why the resident is not content"`
}

// callBack keeps a call as a clerk's is kept. A finding is checked, not rung
// about.
func callBack(ctx context.Context, s *step, by ticket.Actor, b *CallbackBody) error {
	r := ticket.CallbackResult{Unreached: b.Unreached, Facts: ticket.Facts{
		Contacted: ticket.Answer(b.Contacted), Solved: ticket.Answer(b.Solved), Satisfied: ticket.Satisfaction(b.Satisfied),
	}}
	words := strings.TrimSpace(b.Words)
	if s.order.Finding {
		if err := s.do(ctx, by, r); err != nil {
			return err
		}
		if err := s.note(ctx, words); err != nil {
			return err
		}
		return s.endTasks(ctx, workorder.TaskCheck)
	}
	_, next, err := s.api.Orders.RecordCall(ctx, s.Turn, s.order.ID, by, r, words)
	if err != nil || !next.IsZero() {
		return err
	}
	return s.endTasks(ctx, workorder.TaskPhone)
}

// JudgeBody is the decision on an unhappy answer.
type JudgeBody struct {
	Verdict string `json:"verdict" enum:"redo,explain,beyond_duty"`
	Words   string `json:"words" minLength:"2" maxLength:"2000" doc:"why; the reporter reads it"`
}

func judge(ctx context.Context, s *step, by ticket.Actor, b *JudgeBody) error {
	c := ticket.Judge{Reasonable: b.Verdict == "redo", BeyondDuty: b.Verdict == "beyond_duty"}
	if _, err := s.api.Orders.Judge(ctx, s.Turn, s.order.ID, by, c, strings.TrimSpace(b.Words)); err != nil {
		return err
	}
	return s.endTasks(ctx, workorder.TaskJudge)
}

func relapse(ctx context.Context, s *step, by ticket.Actor, _ *nothing) error {
	return s.do(ctx, by, ticket.Relapse{})
}

func note(ctx context.Context, s *step, _ ticket.Actor, b *WordsBody) error {
	words := strings.TrimSpace(b.Words)
	if words == "" {
		return invalid("body.words", "a remark needs words")
	}
	if err := s.note(ctx, words); err != nil {
		return err
	}
	return s.Record(ctx, "ticket.noted", workorder.Subject(s.order.ID), nil, words)
}
