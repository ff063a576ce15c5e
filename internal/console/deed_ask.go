package console

import (
	"context"

	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// object 退单: the desk says why it is not the right one.
func object(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	basis := v.form("words")
	_, err := c.Orders.Object(ctx, v.Turn, o.ID, by, v.form("reason"), basis)
	return err
}

func askExtension(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	until, err := c.until(v)
	if err != nil {
		return err
	}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.AskExtension{Until: until, Reason: v.form("reason")}); err != nil {
		return err
	}
	return noted(ctx, c, v, o.ID)
}

func askSuspension(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	until, err := c.until(v)
	if err != nil {
		return err
	}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.AskSuspension{Until: until, Reason: v.form("reason")}); err != nil {
		return err
	}
	return noted(ctx, c, v, o.ID)
}

func askExclusion(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	_, err := c.Orders.AskExclusion(ctx, v.Turn, o.ID, by, v.form("reason"), v.form("words"))
	return err
}

// coReply is what a desk that helps tells the one with the lead.
func coReply(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	_, err := c.Orders.CoReply(ctx, v.Turn, o.ID, by, v.form("words"))
	return err
}

// askSupervision offers the supervisions that the speaker's desk owes an
// answer to. Who sends the form signs it.
func askSupervision(_ context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) ([]field, error) {
	pick := field{Name: "supervision", Kind: "pick", Required: true}
	for _, s := range o.Supervisions {
		if s.Open() && s.Desk.Same(by.Desk) {
			pick.Options = append(pick.Options, choice{string(s.Number), s.Number.Spoken() + " " + c.text("reason.supervise."+s.Reason)})
		}
	}
	return []field{pick, wordsField("supervision_reply", true), {Name: "signed", Kind: "line", Required: true, Value: v.staff.Name}}, nil
}

// answerSupervision is signed with the name of who answers: another name is
// refused, so that nobody signs for a colleague.
func answerSupervision(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	if v.form("signed") != v.staff.Name {
		return &badForm{"console.problem.signature"}
	}
	n := ticket.Number(v.form("supervision"))
	_, err := c.Orders.AnswerSupervision(ctx, v.Turn, o.ID, by, n, v.form("words"))
	return err
}
