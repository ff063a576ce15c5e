package console

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// callerPage is the form by which a clerk takes down what a caller says.
type callerPage struct {
	Matters []ticket.Matter
	Claims  []ticket.Claim
	// Matter and Claim are what the words seem to be about.
	Matter, Claim string
	// Places are to choose from; Unclear asks for it.
	Places  []string
	Unclear bool
	// Warning is what is said first in a danger, Numbers whom to call.
	Warning string
	Numbers []string
}

// mayFileSomewhere reports whether who asks may file for others at all.
func (c *Console) mayFileSomewhere(v *visit) bool { return c.mayFile(v, ticket.PlaceRef{}) }

// mayFile asks the rights where the matter lies. While the place is unknown any
// area of the speaker will do: the dispatcher decides where it belongs.
func (c *Console) mayFile(v *visit, at ticket.PlaceRef) bool {
	if at.Known() {
		return c.Orders.Rights.May(v.staff, people.MayFileTicket, people.Subject{Division: at.Division, Grid: at.Grid}, v.Now)
	}
	return c.Orders.Rights.Anywhere(v.staff, people.MayFileTicket, v.Now)
}

// newTicket shows the form, with what was typed and what follows from it.
func (c *Console) newTicket(_ context.Context, v *visit) (answer, error) {
	if !c.mayFileSomewhere(v) {
		return answer{}, errNotHere
	}
	p, _ := c.callerPage(v)
	return answer{page: "caller", data: p}, nil
}

// callerPage reads what was typed as far as it goes.
func (c *Console) callerPage(v *visit) (*callerPage, *ticket.PlaceRef) {
	p := &callerPage{Matters: c.Orders.Matters.All(), Claims: c.Orders.Matters.Claims()}
	said, where := v.form("words"), v.form("place")
	if said == "" {
		return p, nil
	}
	p.Matter = v.form("matter")
	if guess := c.Guess(said); p.Matter == "" {
		p.Matter = guess.Code
	}
	if p.Claim = v.form("claim"); p.Claim == "" {
		p.Claim = c.Orders.Matters.ClaimOf(said)
	}
	if hit, ok := c.Safety.Examine(said); ok {
		p.Warning, p.Numbers = c.Safety.Texts()[hit.Key()][lang], hit.Numbers
		if v.form("matter") == "" {
			p.Matter = hit.Matter
		}
	}
	var at *ticket.PlaceRef
	if where != "" {
		at, p.Places = c.place(where, v.pick(where))
		p.Unclear = at == nil
	}
	return p, at
}

// file takes the ticket down. A danger is named first, then what is not clear
// is asked; only a form that leaves nothing open makes a ticket.
func (c *Console) fileCaller(ctx context.Context, v *visit) (answer, error) {
	if !c.mayFileSomewhere(v) {
		return answer{}, errNotHere
	}
	said := v.form("words")
	p, at := c.callerPage(v)
	switch {
	case said == "":
		return answer{}, &badForm{"console.problem.words"}
	case v.form("go") == "look",
		p.Warning != "" && v.form("warned") == "",
		p.Unclear && v.form("unplaced") == "" && p.Warning == "":
		return answer{page: "caller", data: p}, nil
	}
	if at == nil {
		at = &ticket.PlaceRef{Division: c.home(v), Label: v.form("place")}
	}
	f, err := c.filing(v, said, *at)
	if err != nil {
		return answer{}, err
	}
	if !c.mayFile(v, f.Content.Place) {
		return answer{}, &badForm{"staff.may_not_here"}
	}
	o, err := c.takeDown(ctx, v, f)
	if err != nil {
		return answer{}, err
	}
	return answer{to: fmt.Sprintf("/desk/filed/%d", o.ID)}, nil
}

// home is the area whose staff answer the telephone, empty for the whole city:
// where a matter lies about whose place nothing is known.
func (c *Console) home(v *visit) string {
	for _, g := range v.staff.Grants {
		on := people.Subject{Division: g.Area.Code}
		if len(g.Area.Code) >= countyDigits && g.Area.Covers(on) && c.Orders.Rights.May(v.staff, people.MayFileTicket, on, v.Now) {
			return g.Area.Code
		}
	}
	return ""
}

// filing is the report in codes. What protects a reporter follows from the
// words as it does in chat; the form only adds to it.
func (c *Console) filing(v *visit, said string, at ticket.PlaceRef) (workorder.Filing, error) {
	m, ok := c.Orders.Matters.Get(v.form("matter"))
	claimed := slices.ContainsFunc(c.Orders.Matters.Claims(), func(k ticket.Claim) bool { return k.Code == v.form("claim") })
	if !ok || !claimed {
		return workorder.Filing{}, errForm
	}
	f := c.Filing(v.Turn, map[string]any{
		"what": said, "matter_code": m.Code, "urgent": v.form("urgent") != "",
		"confidential": v.form("confidential") != "", "anonymous": v.form("anonymous") != "",
		"place": map[string]any{"division": at.Division, "grid": at.Grid, "id": strconv.FormatInt(at.PlaceID, 10), "label": at.Label},
	})
	f.Content.Claim = v.form("claim")
	if hit, danger := c.Safety.Examine(said); danger {
		f.Content.Danger, f.Content.Urgency = hit.Code, ticket.Urgent
	}
	f.By = v.as(ticket.AsCompleter)
	return f, nil
}

// takeDown files the ticket with the caller as its reporter. A caller is known
// by the number; it proves nothing, so the address has no trust and is never
// written to: the callback is a call.
func (c *Console) takeDown(ctx context.Context, v *visit, f workorder.Filing) (*workorder.Order, error) {
	person, address, conversation, err := c.caller(ctx, v, f.Content.Anonymous, f.Content.Danger != "")
	if err != nil {
		return nil, err
	}
	staff := v.Person
	v.Person, v.Address, v.Conversation = person, address, conversation
	o, err := c.Orders.File(ctx, v.Turn, f)
	v.Person, v.Address, v.Conversation = staff, 0, 0
	return o, err
}

// caller finds or makes the person who rings, with the address by which their
// tickets come. Who wants to stay unknown, or rang off in a danger, is a new
// person without a number.
func (c *Console) caller(ctx context.Context, v *visit, anonymous, danger bool) (person, address, conversation int64, err error) {
	name, number := v.form("name"), people.E164(v.form("phone"))
	who := "none-" + rand.Text()
	var index []byte
	switch {
	case anonymous:
		name, number = "", ""
	case v.form("phone") == "" && danger: // filed at once with what is known
		number = ""
	case number == "":
		return 0, 0, 0, &badForm{"console.problem.phone"}
	default:
		index = c.Orders.Keys.Index(gateway.IndexPhone, number)
		who = hex.EncodeToString(index)
		if person, err = v.PersonByNumber(ctx, number); err != nil {
			return 0, 0, 0, err
		}
	}
	if person == 0 {
		var sealed []byte
		if number != "" {
			sealed = v.Seal(workorder.SealPhone, number)
		}
		if person, err = v.AddCaller(ctx, sealed, index); err != nil {
			return 0, 0, 0, fmt.Errorf("make a person of a caller: %w", err)
		}
	}
	row, err := v.PhoneAddress(ctx, who, person)
	if err != nil {
		return 0, 0, 0, fmt.Errorf("note where a caller's tickets come by: %w", err)
	}
	if person, err = v.RootPerson(ctx, row.PersonID); err != nil {
		return 0, 0, 0, fmt.Errorf("find who a caller is: %w", err)
	}
	if err := c.nameOnce(ctx, v, person, name); err != nil {
		return 0, 0, 0, err
	}
	if conversation, err = v.PhoneConversation(ctx, who, row.ID); err != nil {
		return 0, 0, 0, fmt.Errorf("note a call: %w", err)
	}
	return person, row.ID, conversation, nil
}

// nameOnce keeps the name of a caller who has none yet.
func (c *Console) nameOnce(ctx context.Context, v *visit, person int64, name string) error {
	if name == "" {
		return nil
	}
	row, err := v.GetPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("load a caller: %w", err)
	}
	if row.Name != nil {
		return nil
	}
	if err := v.SetPersonName(ctx, person, v.Seal(workorder.SealName, name)); err != nil {
		return fmt.Errorf("keep the name of a caller: %w", err)
	}
	return nil
}

// filed tells the clerk what to read out.
func (c *Console) filed(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	o, view, err := c.order(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	rang, err := v.CameByPhone(ctx, o.AddressID)
	if err != nil {
		return answer{}, fmt.Errorf("look how a ticket came: %w", err)
	}
	if !rang {
		return answer{}, errNotHere
	}
	p, err := c.facts(ctx, v, o, view)
	return answer{page: "filed", data: p}, err
}
