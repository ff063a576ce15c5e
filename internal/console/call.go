package console

import (
	"context"
	"fmt"

	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// callBack keeps what a resident said on the telephone, or that nobody
// answered. Such a try counts when the time for it has come; until the tries
// that the policy demands are over the task stays, with the time of the next
// one as its deadline.
func (c *Console) callBack(ctx context.Context, v *visit, row db.Task, o *workorder.Order) (answer, error) {
	reached, err := v.reached()
	if err != nil {
		return answer{}, err
	}
	if !reached {
		if err := c.mayRing(ctx, v, o); err != nil {
			return answer{}, err
		}
	}
	by := v.as(ticket.AsCallback)
	if o, err = c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Ask{Via: "phone"}); err != nil {
		return answer{}, err
	}
	result := ticket.CallbackResult{Unreached: !reached}
	if reached {
		result.Facts = v.saidFacts()
	}
	if err := c.keepCall(ctx, v, o, result); err != nil {
		return answer{}, err
	}
	if !reached && o.Tries < c.Orders.Rules.Callbacks().Callback.Tries {
		next, err := c.Orders.NextTry(v.Now)
		if err != nil {
			return answer{}, err
		}
		if err := v.DeferTask(ctx, row.ID, &next); err != nil {
			return answer{}, fmt.Errorf("put a call off: %w", err)
		}
		return answer{to: fmt.Sprintf("/desk/task/%d", row.ID)}, nil
	}
	if _, err = c.Orders.Do(ctx, v.Turn, o.ID, by, result); err != nil {
		return answer{}, err
	}
	outcome := "answered"
	if !reached {
		outcome = "unreached"
	}
	return answer{to: "/desk"}, c.ended(ctx, v, row, outcome)
}

// reached reads whether the resident answered the telephone.
func (v *visit) reached() (bool, error) {
	switch v.form("reached") {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, errForm
}

// mayRing refuses a try that would come too soon after the last one to count:
// tries are spread over half-days (configs/policies/callbacks.yaml).
func (c *Console) mayRing(ctx context.Context, v *visit, o *workorder.Order) error {
	calls, err := c.calls(ctx, v, o)
	if err != nil {
		return err
	}
	next, err := c.nextCall(calls)
	if err == nil && v.Now.Before(next) {
		err = &ticket.Refused{Key: ticket.KeyNotDue}
	}
	return err
}

func (v *visit) saidFacts() ticket.Facts {
	return ticket.Facts{
		Contacted: ticket.Answer(v.form("contacted")), Solved: ticket.Answer(v.form("solved")), Satisfied: ticket.Satisfaction(v.form("satisfied")),
	}
}

// keepCall writes the call as a try of its own, with who rang.
func (c *Console) keepCall(ctx context.Context, v *visit, o *workorder.Order, r ticket.CallbackResult) error {
	id, err := v.AddCallback(ctx, db.AddCallbackParams{TicketID: o.ID, Try: int32(o.Tries), ByStaff: &v.staff.ID, Via: "phone"})
	if err != nil {
		return fmt.Errorf("keep a call: %w", err)
	}
	p := db.EndCallbackParams{
		ID: id, Contacted: string(r.Facts.Contacted), Solved: string(r.Facts.Solved), Satisfied: string(r.Facts.Satisfied), Ended: "answered",
	}
	if r.Unreached {
		p.Ended = "unreached"
	}
	if w := v.form("words"); w != "" {
		p.Words = v.Seal(workorder.SealCallback, w)
	}
	if err := v.EndCallback(ctx, p); err != nil {
		return fmt.Errorf("keep what was said on a call: %w", err)
	}
	return nil
}

// check keeps what another person saw of a finding.
func (c *Console) check(ctx context.Context, v *visit, o *workorder.Order) (string, error) {
	result := ticket.CallbackResult{Facts: ticket.Facts{Solved: ticket.Answer(v.form("solved"))}}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, v.as(ticket.AsCallback), result); err != nil {
		return "", err
	}
	return "checked", noted(ctx, c, v, o.ID)
}
