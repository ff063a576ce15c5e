package console

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// dispatcherDeeds are what dispatchers and clerks do about a ticket.
func dispatcherDeeds() []deed {
	return []deed{
		{ticket.CmdDispatch, people.MayDispatchTicket, ticket.AsDispatcher, askDispatch, nil, dispatch},
		{ticket.CmdInvolve, people.MayDispatchTicket, ticket.AsDispatcher, askInvolve, nil, involve},
		{ticket.CmdDecide, people.MayDecide, ticket.AsDispatcher, askDecide, asked, decide},
		{ticket.CmdResume, people.MayDispatchTicket, ticket.AsDispatcher, nil, nil, simply(ticket.Resume{})},
		{ticket.CmdMerge, people.MayMerge, ticket.AsDispatcher, asks(func(*Console) []field {
			return []field{{Name: "master", Kind: "line", Required: true}}
		}), nil, merge},
		{ticket.CmdUnmerge, people.MayMerge, ticket.AsDispatcher, nil, nil, unmerge},
		{ticket.CmdAnswer, people.MayAnswerNow, ticket.AsDispatcher, askAnswer, answerable, answerNow},
		{ticket.CmdAnswer, people.MayAnswerNow, ticket.AsCompleter, askAnswer, answerable, answerNow},
		{ticket.CmdRefer, people.MayRefer, ticket.AsDispatcher, askRefer, harmless, refer},
		{ticket.CmdRefer, people.MayRefer, ticket.AsCompleter, askRefer, harmless, refer},
		{ticket.CmdReject, people.MayRejectTicket, ticket.AsDispatcher, askReject, nil, reject},
		{ticket.CmdReject, people.MayRejectTicket, ticket.AsCompleter, askReject, nil, reject},
		{ticket.CmdWithdraw, people.MayWithdrawTicket, ticket.AsDispatcher, asks(func(*Console) []field {
			return []field{wordsField("why", true)}
		}), nil, withdraw},
	}
}

// askDispatch offers who leads, who helps and who only knows.
func askDispatch(ctx context.Context, c *Console, v *visit, o *workorder.Order, _ ticket.Actor) ([]field, error) {
	all, err := c.targets(ctx, v, o)
	if err != nil {
		return nil, err
	}
	list := []field{
		{Name: "desk", Kind: "pick", Required: true, Options: all},
		{Name: "co", Kind: "ticks", Options: all},
	}
	if !o.Private() {
		list = append(list, field{Name: "informed", Kind: "ticks", Options: all})
	}
	return list, nil
}

// dispatch lays a ticket on the desk that leads, with those that help. The grid
// of the place knows of what goes elsewhere.
func dispatch(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	cmd, err := c.dispatching(ctx, v, o)
	if err != nil {
		return err
	}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, cmd); err != nil {
		return err
	}
	return c.endTasks(ctx, v, o, workorder.TaskDispatch, "dispatched")
}

func (c *Console) dispatching(ctx context.Context, v *visit, o *workorder.Order) (cmd ticket.Dispatch, err error) {
	if cmd.Lead, err = c.desk(ctx, v, v.form("desk")); err != nil {
		return cmd, err
	}
	if cmd.Co, err = c.several(ctx, v, "co"); err != nil {
		return cmd, err
	}
	if cmd.Informed, err = c.several(ctx, v, "informed"); err != nil {
		return cmd, err
	}
	if grid := o.Place.Grid; grid != "" && cmd.Lead.Code != grid {
		cmd.Informed = append(cmd.Informed, ticket.Desk{Kind: ticket.DeskGrid, Code: grid})
	}
	return cmd, nil
}

func askInvolve(ctx context.Context, c *Console, v *visit, o *workorder.Order, _ ticket.Actor) ([]field, error) {
	all, err := c.targets(ctx, v, o)
	return []field{{Name: "co", Kind: "ticks", Options: all, Required: true}}, err
}

func involve(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	co, err := c.several(ctx, v, "co")
	if err == nil && len(co) == 0 {
		err = errForm
	}
	if err != nil {
		return err
	}
	_, err = c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Involve{Co: co})
	return err
}

// askDecide offers granting and refusing; a granted objection may name the next
// desk at once.
func askDecide(ctx context.Context, c *Console, v *visit, o *workorder.Order, _ ticket.Actor) ([]field, error) {
	list := []field{c.grantField()}
	if o.Request.Kind == ticket.RequestObjection {
		all, err := c.targets(ctx, v, o)
		if err != nil {
			return nil, err
		}
		list = append(list, field{Name: "desk", Kind: "pick", Label: "next_desk", Options: all})
	}
	return append(list, wordsField("decision", true)), nil
}

func (c *Console) grantField() field {
	return field{Name: "granted", Kind: "pick", Required: true, Options: []choice{
		{"yes", c.text("console.decision.granted")}, {"no", c.text("console.decision.refused")},
	}}
}

// granted reads the decision of a form.
func (v *visit) granted() (bool, error) {
	switch v.form("granted") {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	}
	return false, errForm
}

// decide rules on what a desk asked for and tells the desk why.
func decide(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	granted, err := v.granted()
	if err == nil && v.form("words") == "" {
		err = errForm
	}
	if err != nil {
		return err
	}
	objection := o.Request.Kind == ticket.RequestObjection
	if o, err = c.Orders.Decide(ctx, v.Turn, o.ID, by, granted, v.form("words")); err != nil || !objection || !granted {
		return err
	}
	if v.form("desk") == "" || o.State != ticket.Received {
		return nil
	}
	if !c.Orders.May(v.staff, people.MayDispatchTicket, o, v.Now) {
		return &ticket.Refused{Key: ticket.KeyNotYours}
	}
	return dispatch(ctx, c, v, o, v.as(ticket.AsDispatcher))
}

// merge puts a ticket behind the one whose number was written, which the
// speaker must be allowed to see.
func merge(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	n, err := ticket.ParseNumber(v.form("master"))
	if err != nil {
		return &badForm{"console.problem.number"}
	}
	id, err := v.TicketIDByNumber(ctx, string(n))
	if errors.Is(err, postgres.ErrNoRows) {
		return &badForm{"console.problem.number"}
	}
	if err != nil {
		return fmt.Errorf("look a number up: %w", err)
	}
	master, err := c.Orders.Load(ctx, v.Turn, id, false)
	if err != nil {
		return err
	}
	if !c.Orders.May(v.staff, people.MayMerge, master, v.Now) {
		return &badForm{"console.problem.number"}
	}
	_, err = c.Orders.Merge(ctx, v.Turn, by, o.ID, id)
	return err
}

func unmerge(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	_, err := c.Orders.Unmerge(ctx, v.Turn, by, o.ID)
	return err
}

func askAnswer(context.Context, *Console, *visit, *workorder.Order, ticket.Actor) ([]field, error) {
	return []field{{Name: "reply", Kind: "words", Required: true}}, nil
}

// answerNow answers a consultation at once.
func answerNow(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	reply := v.form("reply")
	o, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.AnswerNow{HasReply: reply != ""})
	if err != nil {
		return err
	}
	return c.Orders.SetReplies(ctx, v.Turn, o, reply, "")
}

func askRefer(_ context.Context, c *Console, _ *visit, _ *workorder.Order, _ ticket.Actor) ([]field, error) {
	to := field{Name: "to", Kind: "pick", Label: "refer_to", Required: true}
	for _, code := range slices.Sorted(maps.Keys(c.Orders.Rules.Policy().Referrals.To)) {
		to.Options = append(to.Options, choice{code, c.text("reason.refer." + code)})
	}
	return []field{to}, nil
}

// refer hands a ticket to who must lawfully deal with it. What is dangerous is
// dispatched first.
func refer(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	if !harmless(c, o) {
		return &ticket.Refused{Key: ticket.KeyActFirst}
	}
	_, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Refer{To: v.form("to")})
	return err
}

func askReject(_ context.Context, c *Console, _ *visit, _ *workorder.Order, _ ticket.Actor) ([]field, error) {
	return []field{c.reasonField("reject", c.Orders.Rules.Policy().Reasons.Reject)}, nil
}

func reject(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	_, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Reject{Reason: v.form("reason")})
	return err
}

func harmless(_ *Console, o *workorder.Order) bool { return o.Danger == "" }

// withdraw ends a ticket at the wish of a reporter who said so to the staff.
func withdraw(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	if v.form("words") == "" {
		return errForm
	}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Withdraw{}); err != nil {
		return err
	}
	return noted(ctx, c, v, o.ID)
}

// endTasks ends the open tasks of a kind about a ticket that was moved on from
// its own page.
func (c *Console) endTasks(ctx context.Context, v *visit, o *workorder.Order, kind, outcome string) error {
	rows, err := v.TasksOfTicket(ctx, &o.ID)
	if err != nil {
		return fmt.Errorf("list the tasks of a ticket: %w", err)
	}
	for _, row := range rows {
		if row.Kind != kind {
			continue
		}
		if err := v.EndTask(ctx, row.ID, outcome, &v.staff.ID); err != nil {
			return fmt.Errorf("end a task: %w", err)
		}
		if err := v.Record(ctx, "task."+outcome, postgres.Subject("task", row.ID), nil, ""); err != nil {
			return err
		}
	}
	return nil
}
