package console

import (
	"context"
	"slices"

	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// whistleDeed is a command to a whistle as its page offers it. ask lists the
// fields of its form, nil asks for nothing; do reads the form and moves the
// whistle, nil gives the command with the reason and the words of the form.
type whistleDeed struct {
	name ticket.CommandName
	ask  func(context.Context, *Console, *visit, *workorder.Whistle, ticket.Actor) ([]field, error)
	do   func(context.Context, *Console, *visit, *workorder.Whistle, ticket.Actor) error
}

// whistleDeeds lists them in the order of a whistle's life.
func whistleDeeds() []whistleDeed {
	return []whistleDeed{
		{ticket.WhistleBlow, nil, nil},
		{ticket.WhistleDecline, askWhistleReason(ticket.WhistleDecline), nil},
		{ticket.WhistleAssign, askAssign, assignWhistle},
		{ticket.WhistleReturn, askWhistleReason(ticket.WhistleReturn), nil},
		{ticket.WhistleAnswer, nil, nil},
		{ticket.WhistleArrive, askArrive, arrive},
		{ticket.WhistleHandle, askHandle, handleWhistle},
		{ticket.WhistleMisuse, askWhistleReason(ticket.WhistleMisuse), nil},
		{ticket.WhistleAppraise, askAppraise, appraise},
		{ticket.WhistleClose, askClose, closeWhistle},
		{ticket.WhistleRaise, askWhistleReason(ticket.WhistleRaise), nil},
	}
}

// whistleOffers are the commands that rules and rights allow who asks now.
func (c *Console) whistleOffers(v *visit, w *workorder.Whistle) []whistleDeed {
	return slices.DeleteFunc(whistleDeeds(), func(d whistleDeed) bool {
		by, ok := c.Orders.WhistleActor(v.staff, w, d.name, v.Now)
		if ok {
			_, ok = c.Orders.WhistleMay(w, by, d.name, v.Now)
		}
		return !ok
	})
}

// whistleForms are the forms of a whistle's page.
func (c *Console) whistleForms(ctx context.Context, v *visit, w *workorder.Whistle) ([]deedForm, error) {
	var forms []deedForm
	for _, d := range c.whistleOffers(v, w) {
		f := deedForm{Name: string(d.name)}
		if d.ask != nil {
			by, _ := c.Orders.WhistleActor(v.staff, w, d.name, v.Now)
			var err error
			if f.Fields, err = d.ask(ctx, c, v, w, by); err != nil {
				return nil, err
			}
		}
		forms = append(forms, f)
	}
	return forms, nil
}

// doWhistle does what a form of the whistle's page says. What rules or rights do
// not allow is refused in their words, with what is possible instead.
func (c *Console) doWhistle(ctx context.Context, v *visit) (answer, error) {
	w, err := c.whistle(ctx, v, true)
	if err != nil {
		return answer{}, err
	}
	name := ticket.CommandName(v.r.PathValue("deed"))
	i := slices.IndexFunc(whistleDeeds(), func(d whistleDeed) bool { return d.name == name })
	if i < 0 {
		return answer{}, errNotHere
	}
	by, ok := c.Orders.WhistleActor(v.staff, w, name, v.Now)
	if !ok {
		refused := &ticket.Refused{Key: ticket.KeyWhistleNotYours}
		for _, d := range c.whistleOffers(v, w) {
			refused.Allowed = append(refused.Allowed, d.name)
		}
		return answer{}, refused
	}
	do := whistleDeeds()[i].do
	if do == nil {
		do = plainWhistle(name)
	}
	return answer{to: whistlePath(w.ID)}, do(ctx, c, v, w, by)
}

// plainWhistle gives a command with the reason and the words of the form.
func plainWhistle(name ticket.CommandName) func(context.Context, *Console, *visit, *workorder.Whistle, ticket.Actor) error {
	return func(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) error {
		return c.giveWhistle(ctx, v, w, by, ticket.Deed{Command: name, Reason: v.form("reason")})
	}
}

func (c *Console) giveWhistle(ctx context.Context, v *visit, w *workorder.Whistle, by ticket.Actor, d ticket.Deed) error {
	_, err := c.Orders.DoWhistle(ctx, v.Turn, w.ID, by, d, v.form("words"))
	return err
}

// askWhistleReason asks for a reason of the policy, and for words.
func askWhistleReason(name ticket.CommandName) func(context.Context, *Console, *visit, *workorder.Whistle, ticket.Actor) ([]field, error) {
	return func(_ context.Context, c *Console, _ *visit, _ *workorder.Whistle, _ ticket.Actor) ([]field, error) {
		p := c.Orders.Whistles.Policy().Reasons
		codes := map[ticket.CommandName][]string{
			ticket.WhistleDecline: p.Decline, ticket.WhistleReturn: p.Return, ticket.WhistleMisuse: p.Misuse, ticket.WhistleRaise: p.Escalate,
		}[name]
		return []field{c.reasonField(string(name), codes), wordsField("why", false)}, nil
	}
}

// askAssign offers the units that the whistle may reach, those of a private one
// by the names of their people. Once it is assigned more may be called.
func askAssign(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, _ ticket.Actor) ([]field, error) {
	all, err := c.targets(ctx, v, &workorder.Order{Ticket: ticket.Ticket{Sensitive: w.Private, Against: w.Against, AgainstStaff: w.AgainstStaff}})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(k choice) bool {
		return slices.ContainsFunc(w.Parts, func(p ticket.Part) bool { return deskValue(p.Desk) == k.Value })
	})
	if w.State != ticket.WhistleBlown {
		return []field{{Name: "co", Kind: "ticks", Options: all, Required: true}}, nil
	}
	return []field{{Name: "desk", Kind: "pick", Label: "whistle_lead", Options: all, Required: true}, {Name: "co", Kind: "ticks", Options: all}}, nil
}

func assignWhistle(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) error {
	d := ticket.Deed{Command: ticket.WhistleAssign}
	var err error
	if w.State == ticket.WhistleBlown {
		if d.Lead, err = c.desk(ctx, v, v.form("desk")); err != nil {
			return err
		}
	}
	if d.Co, err = c.several(ctx, v, "co"); err != nil {
		return err
	}
	return c.giveWhistle(ctx, v, w, by, d)
}

func askArrive(context.Context, *Console, *visit, *workorder.Whistle, ticket.Actor) ([]field, error) {
	return []field{{Name: "where", Kind: "line"}, {Name: "photo", Kind: "photos", Label: "photo_arrival"}}, nil
}

// arrive records who turned up and when, with the place in words and photos.
func arrive(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) error {
	var a workorder.Arrival
	var err error
	if a.Photos, err = v.keep(ctx); err != nil {
		return err
	}
	if at := v.form("where"); at != "" {
		a.At = &workorder.Position{Label: at}
	}
	_, err = c.Orders.Arrive(ctx, v.Turn, w.ID, by, a)
	return err
}

func askHandle(context.Context, *Console, *visit, *workorder.Whistle, ticket.Actor) ([]field, error) {
	return []field{wordsField("whistle_report", true), {Name: "photo", Kind: "photos"}}, nil
}

// handleWhistle is the report of a unit, which the township reads.
func handleWhistle(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) error {
	words := v.form("words")
	if words == "" {
		return errForm
	}
	photos, err := v.keep(ctx)
	if err != nil {
		return err
	}
	_, err = c.Orders.ReportWhistle(ctx, v.Turn, w.ID, by, words, photos)
	return err
}

// askAppraise offers the units that may be appraised now.
func askAppraise(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) ([]field, error) {
	unit := field{Name: "unit", Kind: "pick", Required: true}
	for _, p := range w.Parts {
		if !slices.Contains(c.Orders.Whistles.Allowed(w.Whistle, by, p.Desk, v.Now), ticket.WhistleAppraise) {
			continue
		}
		name, err := c.Orders.UnitName(ctx, v.Turn, p.Desk)
		if err != nil {
			return nil, err
		}
		unit.Options = append(unit.Options, choice{deskValue(p.Desk), name})
	}
	list := []field{unit}
	for _, name := range []string{"speed", "quality"} {
		f := field{Name: name, Kind: "pick", Required: true}
		for _, g := range ticket.Grades() {
			f.Options = append(f.Options, choice{string(g), c.text("console." + name + "." + string(g))})
		}
		list = append(list, f)
	}
	return append(list, wordsField("why", false)), nil
}

func appraise(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) error {
	d := ticket.Deed{Command: ticket.WhistleAppraise, Speed: ticket.Grade(v.form("speed")), Quality: ticket.Grade(v.form("quality"))}
	i := slices.IndexFunc(w.Parts, func(p ticket.Part) bool { return deskValue(p.Desk) == v.form("unit") })
	if i >= 0 { // none is no unit of the whistle
		d.Unit = w.Parts[i].Desk
	}
	return c.giveWhistle(ctx, v, w, by, d)
}

func askClose(_ context.Context, c *Console, _ *visit, _ *workorder.Whistle, _ ticket.Actor) ([]field, error) {
	solved := field{Name: "solved", Kind: "pick", Required: true}
	for _, a := range []ticket.Answer{ticket.Yes, ticket.Partly, ticket.No} {
		solved.Options = append(solved.Options, choice{string(a), c.text("console.solved." + string(a))})
	}
	return []field{solved, wordsField("why", false)}, nil
}

func closeWhistle(ctx context.Context, c *Console, v *visit, w *workorder.Whistle, by ticket.Actor) error {
	return c.giveWhistle(ctx, v, w, by, ticket.Deed{Command: ticket.WhistleClose, Solved: ticket.Answer(v.form("solved"))})
}
