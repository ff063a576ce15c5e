package console

import (
	"context"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// watchDeeds are what supervisors and reviewers do.
func watchDeeds() []deed {
	return []deed{
		{ticket.CmdSupervise, people.MaySupervise, ticket.AsSupervisor, askSupervise, nil, supervise},
		{ticket.CmdEscalate, people.MayEscalate, ticket.AsSupervisor, asks(func(c *Console) []field {
			return []field{c.reasonField("escalate", c.Orders.Rules.Policy().Reasons.Escalate), wordsField("why", false)}
		}), nil, escalate},
		{ticket.CmdDecideExclusion, people.MayReview, ticket.AsReviewer, asks(func(c *Console) []field {
			return []field{c.grantField(), wordsField("decision", true)}
		}), excluding, decideExclusion},
	}
}

// askSupervise offers the desks that have a part in the ticket.
func askSupervise(ctx context.Context, c *Console, v *visit, o *workorder.Order, _ ticket.Actor) ([]field, error) {
	to := field{Name: "desk", Kind: "pick", Label: "supervised_desk", Required: true}
	for _, a := range o.Assignments {
		if !a.EndedAt.IsZero() || a.Role == ticket.RoleInformed {
			continue
		}
		name, err := c.deskName(ctx, v, a.Desk)
		if err != nil {
			return nil, err
		}
		to.Options = append(to.Options, choice{deskValue(a.Desk), c.text("console.role."+string(a.Role)) + " " + name})
	}
	return []field{to, c.reasonField("supervise", c.Orders.Rules.Policy().Reasons.Supervise), wordsField("why", false)}, nil
}

// supervise 督办 demands an answer of a desk.
func supervise(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	for _, a := range o.Assignments {
		if a.EndedAt.IsZero() && deskValue(a.Desk) == v.form("desk") {
			if _, err := c.Orders.Supervise(ctx, v.Turn, o.ID, by, a.Desk, v.form("reason")); err != nil {
				return err
			}
			return noted(ctx, c, v, o.ID)
		}
	}
	return errForm
}

func escalate(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Escalate{Reason: v.form("reason")}); err != nil {
		return err
	}
	return noted(ctx, c, v, o.ID)
}

func decideExclusion(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	granted, err := v.granted()
	if err == nil && v.form("words") == "" {
		err = errForm
	}
	if err != nil {
		return err
	}
	_, err = c.Orders.DecideExclusion(ctx, v.Turn, o.ID, by, granted, v.form("words"))
	return err
}
