package console

import (
	"context"
	"fmt"

	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// callBack keeps what a resident said on the telephone, or that nobody
// answered. Until the tries that the policy demands are over the task stays.
func (c *Console) callBack(ctx context.Context, v *visit, row db.Task, o *workorder.Order) (answer, error) {
	reached, err := v.reached()
	if err != nil {
		return answer{}, err
	}
	result := ticket.CallbackResult{Unreached: !reached}
	if reached {
		result.Facts = v.saidFacts()
	}
	_, next, err := c.Orders.RecordCall(ctx, v.Turn, row, o.ID, v.as(ticket.AsCallback), result, v.form("words"))
	switch {
	case err != nil:
		return answer{}, err
	case !next.IsZero():
		return answer{to: fmt.Sprintf("/desk/task/%d", row.ID)}, nil
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

func (v *visit) saidFacts() ticket.Facts {
	return ticket.Facts{
		Contacted: ticket.Answer(v.form("contacted")), Solved: ticket.Answer(v.form("solved")), Satisfied: ticket.Satisfaction(v.form("satisfied")),
	}
}

// check keeps what another person saw of a finding.
func (c *Console) check(ctx context.Context, v *visit, o *workorder.Order) (string, error) {
	result := ticket.CallbackResult{Facts: ticket.Facts{Solved: ticket.Answer(v.form("solved"))}}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, v.as(ticket.AsCallback), result); err != nil {
		return "", err
	}
	photos, err := v.keep(ctx)
	if err != nil {
		return "", err
	}
	if err := c.Orders.Attach(ctx, v.Turn, o.ID, "evidence", photos); err != nil {
		return "", err
	}
	return "checked", noted(ctx, c, v, o.ID)
}
