package console

import (
	"context"
	"slices"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// deskDeeds are what a handling desk does: the one with the lead, those that
// help, those that owe an answer.
func deskDeeds() []deed {
	return []deed{
		{ticket.CmdTake, people.MayTakeTicket, ticket.AsHandler, nil, nil, takeIt},
		{ticket.CmdCoSign, people.MayCoHandle, ticket.AsCoHandler, nil, nil, simply(ticket.CoSign{})},
		{ticket.CmdContact, people.MayContact, ticket.AsHandler, askContact, nil, contacted},
		{ticket.CmdFinish, people.MayFinishTicket, ticket.AsHandler, askFinish, nil, finish},
		{ticket.CmdCoReply, people.MayCoHandle, ticket.AsCoHandler, asks(func(*Console) []field {
			return []field{wordsField("co_reply", true)}
		}), nil, coReply},
		{ticket.CmdAnswerSupervision, people.MayAnswerFor, ticket.AsSupervised, askSupervision, nil, answerSupervision},
		{ticket.CmdTransfer, people.MayTransferTicket, ticket.AsHandler, askTransfer, nil, transfer},
		{ticket.CmdTransfer, people.MayTransferTicket, ticket.AsDispatcher, askTransfer, nil, transfer},
		{ticket.CmdObject, people.MayObject, ticket.AsHandler, asks(func(c *Console) []field {
			return []field{c.reasonField("object", c.Orders.Rules.Policy().Reasons.Object), wordsField("basis", true)}
		}), unasked, object},
		{ticket.CmdReturn, people.MayReturnTicket, ticket.AsDispatcher, asks(func(c *Console) []field {
			return []field{c.reasonField("return", c.Orders.Rules.Policy().Reasons.Return), wordsField("why", false)}
		}), nil, giveBack},
		{ticket.CmdAskExtension, people.MayAskTime, ticket.AsHandler, asks(func(c *Console) []field {
			return []field{c.reasonField("extend", c.Orders.Rules.Policy().Reasons.Extend), untilField(), wordsField("why", false)}
		}), unasked, askExtension},
		{ticket.CmdAskSuspension, people.MayAskTime, ticket.AsHandler, asks(func(c *Console) []field {
			return []field{c.reasonField("suspend", c.Orders.Rules.Policy().Reasons.Suspend), untilField(), wordsField("why", false)}
		}), unasked, askSuspension},
		{ticket.CmdResume, people.MayAskTime, ticket.AsHandler, nil, nil, simply(ticket.Resume{})},
		{ticket.CmdAskExclusion, people.MayAskExclusion, ticket.AsHandler, asks(func(c *Console) []field {
			return []field{c.reasonField("exclude", c.Orders.Rules.Policy().Reasons.Exclude), wordsField("basis", true)}
		}), unexcluded, askExclusion},
	}
}

func untilField() field { return field{Name: "until", Kind: "date", Required: true} }

// deskActor is the speaker as an actor of a desk of the ticket in a capacity.
func (c *Console) deskActor(v *visit, o *workorder.Order, d deed) (by ticket.Actor, ok bool) {
	switch {
	case d.as == ticket.AsCoHandler:
		by, _, ok = c.Orders.CoHandler(v.staff, o, v.Now)
	case d.as == ticket.AsSupervised:
		var owed ticket.Supervision
		owed, ok = c.Orders.Supervised(v.staff, o, v.Now)
		by = v.as(ticket.AsSupervised)
		by.Desk = owed.Desk
	case d.Name == ticket.CmdAskExclusion:
		by, ok = c.Orders.Excluder(v.Turn, v.staff, o)
	default:
		by, ok = c.Orders.Handler(v.staff, o, v.Now)
		ok = ok && c.Orders.May(v.staff, d.right, o, v.Now)
	}
	return by, ok
}

// simply does a command that the form says nothing about.
func simply(cmd ticket.Command) func(context.Context, *Console, *visit, *workorder.Order, ticket.Actor) error {
	return func(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
		_, err := c.Orders.Do(ctx, v.Turn, o.ID, by, cmd)
		return err
	}
}

func takeIt(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	_, err := c.Orders.Do(ctx, v.Turn, o.ID, by, ticket.Take{})
	return err
}

func askContact(_ context.Context, c *Console, _ *visit, _ *workorder.Order, _ ticket.Actor) ([]field, error) {
	via := field{Name: "via", Kind: "pick", Required: true}
	for _, w := range []ticket.ContactVia{ticket.ViaPhone, ticket.ViaVisit, ticket.ViaRelay} {
		via.Options = append(via.Options, choice{string(w), c.text("console.via." + string(w))})
	}
	reached := field{Name: "reached", Kind: "pick", Required: true, Options: []choice{
		{"yes", c.text("console.answer.reached")}, {"no", c.text("console.answer.unreached")},
	}}
	return []field{via, reached, wordsField("relay", false), {Name: "photo", Kind: "photos"}}, nil
}

// contacted records how the desk reached for the reporter. Words to be handed
// on go to the reporter, all others are a note; pictures are evidence.
func contacted(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	via, words := ticket.ContactVia(v.form("via")), v.form("words")
	if via == ticket.ViaRelay && words == "" {
		return errForm
	}
	if via == ticket.ViaRelay {
		_, err := c.Orders.Relay(ctx, v.Turn, o.ID, by, words)
		return err
	}
	photos, err := v.keep(ctx)
	if err != nil {
		return err
	}
	contact := ticket.Contact{Via: via, Reached: v.form("reached") == "yes", Proven: words != "" || len(photos) > 0}
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, contact); err != nil {
		return err
	}
	if err := c.Orders.Attach(ctx, v.Turn, o.ID, "evidence", photos); err != nil {
		return err
	}
	return noted(ctx, c, v, o.ID)
}

func askFinish(_ context.Context, c *Console, _ *visit, o *workorder.Order, _ ticket.Actor) ([]field, error) {
	result := field{Name: "result", Kind: "pick", Required: true}
	for _, r := range []ticket.UnitResult{ticket.UnitResolved, ticket.UnitPartly, ticket.UnitUnresolved, ticket.UnitBeyondDuty} {
		result.Options = append(result.Options, choice{string(r), c.text("console.result." + string(r))})
	}
	photos := field{Name: "photo", Kind: "photos"}
	if m, _ := c.Orders.Matters.Get(o.Matter); m.Photo {
		photos.Label = "photo_needed"
	}
	return []field{
		result, {Name: "reply", Kind: "words", Required: true}, {Name: "internal", Kind: "words"}, photos,
	}, nil
}

// finish is the desk's report: the words for the resident, those for the staff,
// and the pictures.
func finish(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	photos, err := v.keep(ctx)
	if err != nil {
		return err
	}
	_, err = c.Orders.Finish(ctx, v.Turn, o.ID, by, workorder.Report{
		Result: ticket.UnitResult(v.form("result")), Reply: v.form("reply"), Internal: v.form("internal"), Photos: photos,
	})
	return err
}

func askTransfer(ctx context.Context, c *Console, v *visit, o *workorder.Order, _ ticket.Actor) ([]field, error) {
	to := field{Name: "to", Kind: "pick", Label: "desk", Required: true}
	lead, held := o.Lead()
	if held {
		people, err := c.colleagues(ctx, v, lead.Desk)
		if err != nil {
			return nil, err
		}
		to.Options = slices.DeleteFunc(people, func(k choice) bool { return k.Value == deskValue(lead.Desk) })
	}
	others, err := c.targets(ctx, v, o)
	if err != nil {
		return nil, err
	}
	for _, k := range others {
		if k.Value != deskValue(lead.Desk) {
			to.Options = append(to.Options, k)
		}
	}
	return []field{to, wordsField("why", false)}, nil
}

// transfer hands a ticket on. The reason follows from where it goes.
func transfer(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	to, err := c.desk(ctx, v, v.form("to"))
	if err != nil {
		return err
	}
	lead, _ := o.Lead()
	return passOn(ctx, c, v, o, by, ticket.Transfer{To: to, Reason: ticket.TransferReason(lead.Desk, to)})
}

func giveBack(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor) error {
	return passOn(ctx, c, v, o, by, ticket.Return{Reason: v.form("reason")})
}

// passOn does what takes a ticket off its desk: the words stay as a note.
func passOn(ctx context.Context, c *Console, v *visit, o *workorder.Order, by ticket.Actor, cmd ticket.Command) error {
	if _, err := c.Orders.Do(ctx, v.Turn, o.ID, by, cmd); err != nil {
		return err
	}
	return noted(ctx, c, v, o.ID)
}
