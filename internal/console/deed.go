package console

import (
	"context"
	"fmt"
	"slices"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// deed is a command as the ticket page offers it: a form where rules and rights
// allow it now, and what it does.
type deed struct {
	Name  ticket.CommandName
	right people.StaffCommand
	as    ticket.Capacity
	// ask lists the fields of its form; nil asks for nothing.
	ask func(context.Context, *Console, *visit, *workorder.Order, ticket.Actor) ([]field, error)
	// when narrows when the form is shown, nil for whenever the rules allow it.
	when func(*Console, *workorder.Order) bool
	// do reads the form and moves the ticket.
	do func(context.Context, *Console, *visit, *workorder.Order, ticket.Actor) error
}

// deeds lists what can be done on the ticket page, in the order of its forms.
// What ends a task (dispatch apart) is done on the page of the task.
func deeds() []deed {
	return slices.Concat(deskDeeds(), dispatcherDeeds(), watchDeeds())
}

// deedForm is a deed on the page.
type deedForm struct {
	Name   string
	Fields []field
}

// field is one thing that a form asks for.
type field struct {
	Name string
	// Kind is words, line, date, day, number, pick, tick, ticks, file or photos.
	Kind     string
	Label    string // key of its text; Name stands for itself when empty
	Say      string // the label itself where it is no text of the catalogue
	Options  []choice
	Required bool
	Value    string
}

// choice is one of the values of a field.
type choice struct{ Value, Label string }

// Text is the key of a field's label, or the label where there is none: words that
// are no key are shown as they are.
func (f field) Text() string {
	if f.Say != "" {
		return f.Say
	}
	if f.Label != "" {
		return "console.field." + f.Label
	}
	return "console.field." + f.Name
}

// actor is who the speaker is to a ticket in the capacity of a deed; ok is false
// without the right.
func (c *Console) actor(v *visit, o *workorder.Order, d deed) (by ticket.Actor, ok bool) {
	if d.Name == ticket.CmdDecide {
		return c.Orders.Decider(v.staff, o, v.Now)
	}
	switch d.as {
	case ticket.AsHandler, ticket.AsCoHandler, ticket.AsSupervised:
		return c.deskActor(v, o, d)
	}
	return v.as(d.as), c.Orders.May(v.staff, d.right, o, v.Now)
}

// offers are the deeds that rules and rights allow now, each once, with who
// does it.
func (c *Console) offers(v *visit, o *workorder.Order) (list []deed, by []ticket.Actor) {
	for _, d := range deeds() {
		if slices.ContainsFunc(list, func(e deed) bool { return e.Name == d.Name }) {
			continue
		}
		if a, ok := c.actor(v, o, d); ok && slices.Contains(c.Orders.Rules.Allowed(o.Ticket, a), d.Name) {
			list, by = append(list, d), append(by, a)
		}
	}
	return list, by
}

// forms are the forms of a ticket's page.
func (c *Console) forms(ctx context.Context, v *visit, o *workorder.Order) ([]deedForm, error) {
	list, by := c.offers(v, o)
	var forms []deedForm
	for i, d := range list {
		if d.when != nil && !d.when(c, o) {
			continue
		}
		f := deedForm{Name: string(d.Name)}
		if d.ask != nil {
			var err error
			if f.Fields, err = d.ask(ctx, c, v, o, by[i]); err != nil {
				return nil, err
			}
		}
		forms = append(forms, f)
	}
	return forms, nil
}

// doDeed does what a form of the ticket page says. What rules or rights do not
// allow is refused in the words of the rules.
func (c *Console) doDeed(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	o, err := c.Orders.Load(ctx, v.Turn, id, true)
	if err != nil {
		return answer{}, err
	}
	if _, ok := c.viewer(v, o); !ok {
		return answer{}, errNotHere
	}
	name := ticket.CommandName(v.r.PathValue("deed"))
	list, by := c.offers(v, o)
	if i := slices.IndexFunc(list, func(d deed) bool { return d.Name == name }); i >= 0 {
		if err := list[i].do(ctx, c, v, o, by[i]); err != nil {
			return answer{}, err
		}
		return answer{to: ticketPath(id)}, nil
	}
	return answer{}, c.refuse(v, o, name)
}

// refuse says why a deed cannot be done, the state or that it is not for the
// speaker, with what is possible instead.
func (c *Console) refuse(v *visit, o *workorder.Order, name ticket.CommandName) error {
	known := false
	for _, d := range deeds() {
		if d.Name != name {
			continue
		}
		known = true
		if a, ok := c.actor(v, o, d); ok {
			return &ticket.Refused{
				Key: ticket.KeyState, Params: map[string]string{"command": string(name), "state": string(o.State)},
				Allowed: c.Orders.Rules.Allowed(o.Ticket, a),
			}
		}
	}
	if !known {
		return errNotHere
	}
	refused := &ticket.Refused{Key: ticket.KeyNotYours}
	list, _ := c.offers(v, o)
	for _, d := range list {
		refused.Allowed = append(refused.Allowed, d.Name)
	}
	return refused
}

func ticketPath(id int64) string { return fmt.Sprintf("/desk/ticket/%d", id) }

// asked reports whether something waits for a decision, unasked the opposite.
func asked(_ *Console, o *workorder.Order) bool { return o.Request.Kind != "" }

func unasked(_ *Console, o *workorder.Order) bool { return o.Request.Kind == "" }

// Fields that several forms ask for.

func (c *Console) reasonField(kind string, codes []string) field {
	f := field{Name: "reason", Kind: "pick", Required: true}
	for _, code := range codes {
		f.Options = append(f.Options, choice{code, c.text("reason." + kind + "." + code)})
	}
	return f
}

func wordsField(label string, required bool) field {
	return field{Name: "words", Kind: "words", Label: label, Required: required}
}

// asks is the ask of a form whose fields follow from the configuration alone.
func asks(f func(*Console) []field) func(context.Context, *Console, *visit, *workorder.Order, ticket.Actor) ([]field, error) {
	return func(_ context.Context, c *Console, _ *visit, _ *workorder.Order, _ ticket.Actor) ([]field, error) {
		return f(c), nil
	}
}

// until reads the day and hour of a form.
func (c *Console) until(v *visit) (time.Time, error) {
	at, err := time.ParseInLocation("2006-01-02T15:04", v.form("until"), c.Location)
	if err != nil {
		return at, errForm
	}
	return at, nil
}

// noted keeps the words of a form as a note of the staff beside what was done.
func noted(ctx context.Context, c *Console, v *visit, id int64) error {
	if w := v.form("words"); w != "" {
		return c.Orders.Note(ctx, v.Turn, id, audienceStaff, w)
	}
	return nil
}

// The audiences of a note.
const (
	audienceAll   = "all"
	audienceStaff = "staff"
)

// answerable: only some claims are answered at once (configs/policies/tickets.yaml).
func answerable(c *Console, o *workorder.Order) bool {
	return slices.Contains(c.Orders.Rules.Policy().Answers.Claims, o.Claim)
}

// unexcluded: an exclusion is asked for once; excluding: it waits for a review.
func unexcluded(_ *Console, o *workorder.Order) bool { return o.Exclusion == "" }

func excluding(_ *Console, o *workorder.Order) bool { return o.Exclusion == ticket.Asked }
