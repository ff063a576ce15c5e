package api

import (
	"context"
	"fmt"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// rightOf is the right that a command of the rules needs.
func rightOf(c ticket.CommandName, o *workorder.Order) people.StaffCommand {
	switch c {
	case ticket.CmdComplete:
		return people.MayCompleteTicket
	case ticket.CmdDispatch:
		return people.MayDispatchTicket
	case ticket.CmdTake:
		return people.MayTakeTicket
	case ticket.CmdTransfer:
		return people.MayTransferTicket
	case ticket.CmdReturn:
		return people.MayReturnTicket
	case ticket.CmdContact:
		return people.MayContact
	case ticket.CmdFinish:
		return people.MayFinishTicket
	case ticket.CmdCallback:
		if o.Finding {
			return people.MayCheckFinding
		}
		return people.MayCallBack
	case ticket.CmdJudge:
		return people.MayJudge
	case ticket.CmdRelapse:
		return people.MayCallBack
	case ticket.CmdWithdraw:
		return people.MayWithdrawTicket
	case ticket.CmdReject:
		return people.MayRejectTicket
	}
	return ""
}

// offered reports whether the API has an operation for a command of the rules.
func offered(c ticket.CommandName) bool {
	switch c {
	case ticket.CmdFile, ticket.CmdAsk, ticket.CmdAutoSign:
		return false
	}
	return true
}

// right is rightOf as command wants it.
func right(c ticket.CommandName) func(*workorder.Order) people.StaffCommand {
	return func(o *workorder.Order) people.StaffCommand { return rightOf(c, o) }
}

func (a *API) commands() {
	command(a, "complete", "Fill in a draft, or correct a ticket before it is dispatched", right(ticket.CmdComplete), complete)
	command(a, "dispatch", "Put a ticket on a desk", right(ticket.CmdDispatch), dispatch)
	command(a, "reject", "End a ticket that the city may not handle", right(ticket.CmdReject), reject)
	command(a, "withdraw", "End a ticket at the reporter's wish", right(ticket.CmdWithdraw), withdraw)
	command(a, "take", "Sign for the desk", right(ticket.CmdTake), take)
	command(a, "contact", "Record that the desk reached for the reporter", right(ticket.CmdContact), contact)
	command(a, "transfer", "Hand a ticket to another desk", right(ticket.CmdTransfer), transfer)
	command(a, "return", "Give a ticket back to the dispatcher", right(ticket.CmdReturn), giveBack)
	command(a, "finish", "Report what came of it", right(ticket.CmdFinish), finish)
	command(a, "callback_result", "Record what the resident said", right(ticket.CmdCallback), callBack)
	command(a, "judge", "Decide on an unhappy answer", right(ticket.CmdJudge), judge)
	command(a, "relapse", "Reopen a closed ticket because it came back", right(ticket.CmdRelapse), relapse)
	command(a, "note", "Keep a remark that only staff read", always(people.MayNote), note)
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

// CompleteBody says what a draft lacks. What is missing stays as it is.
type CompleteBody struct {
	Claim  string    `json:"claim" minLength:"1"`
	Matter string    `json:"matter" minLength:"1"`
	Urgent bool      `json:"urgent,omitempty"`
	Place  *Location `json:"place,omitempty"`
	Words  string    `json:"words,omitempty" maxLength:"5000" doc:"added to what the reporter said"`
}

func complete(ctx context.Context, s *step, b *CompleteBody) error {
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
	by := s.as(ticket.AsCompleter)
	return s.do(ctx, by, ticket.Complete{Content: c})
}

// DispatchBody says where a ticket goes.
type DispatchBody struct {
	Desk DeskRef `json:"desk"`
}

func dispatch(ctx context.Context, s *step, b *DispatchBody) error {
	to, err := s.desk(ctx, b.Desk)
	if err != nil {
		return err
	}
	var informed []ticket.Desk
	if grid := s.order.Place.Grid; grid != "" && to.Code != grid {
		informed = []ticket.Desk{{Kind: ticket.DeskGrid, Code: grid}}
	}
	return s.do(ctx, s.as(ticket.AsDispatcher), ticket.Dispatch{Lead: to, Informed: informed})
}

// ReasonBody gives a reason of configs/policies/tickets.yaml.
type ReasonBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"60" doc:"a code; the refusal of an unknown one lists those that there are"`
	Words  string `json:"words,omitempty" maxLength:"2000" doc:"for staff"`
}

func reject(ctx context.Context, s *step, b *ReasonBody) error {
	as := ticket.AsCompleter
	if s.staff.Has(people.RoleDispatcher) {
		as = ticket.AsDispatcher
	}
	if err := s.do(ctx, s.as(as), ticket.Reject{Reason: b.Reason}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

// WordsBody is a remark.
type WordsBody struct {
	Words string `json:"words,omitempty" maxLength:"2000" doc:"for staff"`
}

func withdraw(ctx context.Context, s *step, b *WordsBody) error {
	if err := s.do(ctx, s.as(ticket.AsDispatcher), ticket.Withdraw{}); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

func take(ctx context.Context, s *step, _ *nothing) error {
	by, err := s.handler()
	if err != nil {
		return err
	}
	return s.do(ctx, by, ticket.Take{})
}

// ContactBody says how the reporter was reached for.
type ContactBody struct {
	Via     string `json:"via" enum:"phone,relay,visit"`
	Reached bool   `json:"reached"`
}

func contact(ctx context.Context, s *step, b *ContactBody) error {
	by, err := s.handler()
	if err != nil {
		return err
	}
	return s.do(ctx, by, ticket.Contact{Via: ticket.ContactVia(b.Via), Reached: b.Reached})
}

// TransferBody says to which desk a ticket goes.
type TransferBody struct {
	To    DeskRef `json:"to"`
	Words string  `json:"words,omitempty" maxLength:"2000" doc:"for staff"`
}

func transfer(ctx context.Context, s *step, b *TransferBody) error {
	to, err := s.desk(ctx, b.To)
	if err != nil {
		return err
	}
	lead, _ := s.order.Lead()
	reason := "other_unit"
	switch {
	case lead.Desk.Code == to.Code:
		reason = "colleague"
	case to.Kind == ticket.DeskGrid:
		reason = "other_grid"
	}
	if err := s.do(ctx, s.handlerOr(ticket.AsDispatcher), ticket.Transfer{To: to, Reason: reason}); err != nil {
		return err
	}
	if err := s.leave(ctx); err != nil {
		return err
	}
	return s.note(ctx, b.Words)
}

func giveBack(ctx context.Context, s *step, b *ReasonBody) error {
	if err := s.do(ctx, s.handlerOr(ticket.AsDispatcher), ticket.Return{Reason: b.Reason}); err != nil {
		return err
	}
	if err := s.leave(ctx); err != nil {
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

func finish(ctx context.Context, s *step, b *FinishBody) error {
	by, err := s.handler()
	if err != nil {
		return err
	}
	files, err := s.TicketFiles(ctx, s.order.ID)
	if err != nil {
		return fmt.Errorf("list the files of a ticket: %w", err)
	}
	photos := 0
	for _, f := range files {
		if f.Use == "evidence" {
			photos++
		}
	}
	m, _ := s.api.Orders.Matters.Get(s.order.Matter)
	c := ticket.Finish{Result: ticket.UnitResult(b.Result), HasReply: strings.TrimSpace(b.Reply) != "", Photos: photos, PhotoNeeded: m.Photo}
	if err := s.do(ctx, by, c); err != nil {
		return err
	}
	if err := s.api.Orders.SetReplies(ctx, s.Turn, s.order, strings.TrimSpace(b.Reply), strings.TrimSpace(b.Internal)); err != nil {
		return err
	}
	if err := s.leave(ctx); err != nil || s.order.Finding {
		return err
	}
	return s.api.Orders.Notify(ctx, s.Turn, s.order, "handled", workorder.NoticeDue{
		Key: "notice.handled", Params: map[string]string{"number": s.order.Number.Spoken()},
		Words: s.Seal(workorder.SealNotice, strings.TrimSpace(b.Reply)),
	})
}

// CallbackBody is what came of asking the resident.
type CallbackBody struct {
	Contacted string `json:"contacted,omitempty" enum:"yes,no"`
	Solved    string `json:"solved,omitempty" enum:"yes,partly,no"`
	Satisfied string `json:"satisfied,omitempty" enum:"very_satisfied,satisfied,fairly_satisfied,dissatisfied,very_dissatisfied"`
	Unreached bool   `json:"unreached,omitempty" doc:"nobody answered, after as many tries as the policy asks for"`
	Words     string `json:"words,omitempty" maxLength:"2000" doc:"why the resident is not content"`
}

func callBack(ctx context.Context, s *step, b *CallbackBody) error {
	facts := ticket.Facts{Contacted: ticket.Answer(b.Contacted), Solved: ticket.Answer(b.Solved), Satisfied: ticket.Satisfaction(b.Satisfied)}
	ended := "answered"
	if b.Unreached {
		ended = "unreached"
	}
	id, err := s.AddCallback(ctx, db.AddCallbackParams{TicketID: s.order.ID, Try: int32(s.order.Tries), ByStaff: &s.staff.ID, Via: "phone"})
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	p := db.EndCallbackParams{ID: id, Contacted: b.Contacted, Solved: b.Solved, Satisfied: b.Satisfied, Ended: ended}
	if words := strings.TrimSpace(b.Words); words != "" {
		p.Words = s.Seal(workorder.SealCallback, words)
	}
	if err := s.EndCallback(ctx, p); err != nil {
		return fmt.Errorf("keep what was said on a call: %w", err)
	}
	if err := s.do(ctx, s.as(ticket.AsCallback), ticket.CallbackResult{Facts: facts, Unreached: b.Unreached}); err != nil {
		return err
	}
	return s.endTasks(ctx, workorder.TaskPhone, workorder.TaskCheck)
}

// JudgeBody is the decision on an unhappy answer.
type JudgeBody struct {
	Verdict string `json:"verdict" enum:"redo,explain,beyond_duty"`
	Words   string `json:"words" minLength:"2" maxLength:"2000" doc:"for staff with redo, else what the reporter reads"`
}

func judge(ctx context.Context, s *step, b *JudgeBody) error {
	c := ticket.Judge{Reasonable: b.Verdict == "redo", BeyondDuty: b.Verdict == "beyond_duty"}
	if err := s.do(ctx, s.as(ticket.AsCallback), c); err != nil {
		return err
	}
	if err := s.endTasks(ctx, workorder.TaskJudge); err != nil {
		return err
	}
	if c.Reasonable {
		return s.note(ctx, b.Words)
	}
	return s.api.Orders.SetReplies(ctx, s.Turn, s.order, strings.TrimSpace(b.Words), "")
}

func relapse(ctx context.Context, s *step, _ *nothing) error {
	return s.do(ctx, s.as(ticket.AsCallback), ticket.Relapse{})
}

func note(ctx context.Context, s *step, b *WordsBody) error {
	words := strings.TrimSpace(b.Words)
	if words == "" {
		return invalid("body.words", "a remark needs words")
	}
	if err := s.note(ctx, words); err != nil {
		return err
	}
	return s.Record(ctx, "ticket.noted", workorder.Subject(s.order.ID), nil, words)
}
