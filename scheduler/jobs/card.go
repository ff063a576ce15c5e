package jobs

import (
	"context"
	"errors"
	"slices"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Card lays a ticket into one staff member's chat, or into a work group. Staff who were never heard
// have no chat: a dispatcher finds somebody else.
func Card(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueCard, Workers: 4,
		Target: func(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
			c, err := data[workorder.CardDue](due)
			if err != nil {
				return 0, err
			}
			if c.Group != 0 {
				return there(ctx, db, c.Group)
			}
			return toStaff(ctx, db, c.Staff)
		},
		Run: d.card, Lost: d.cardLost,
	}
}

func (d Deps) card(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	c, err := data[workorder.CardDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, true)
	if err != nil {
		return gateway.Outcome{}, err
	}
	concerns, err := d.concerns(ctx, t, o, c)
	if err != nil || !concerns {
		return gateway.Dropped("the ticket has moved on"), err
	}
	if c.Group != 0 {
		if fit, why, err := d.fit(ctx, t, o); err != nil || !fit {
			return gateway.Dropped(why), err
		}
	}
	if at, verdict := d.Quiet.Shift(t.Now, o.Deadline, class(o), scheduler.QuietLater); verdict == scheduler.Moved {
		return gateway.Later(at, "quiet hours"), nil
	} // what would be too late in the morning disturbs the night
	t.Class = class(o)
	var who people.Staff // nobody in particular, in a group
	if c.Group == 0 {
		if who, err = d.Orders.LoadStaff(ctx, t, c.Staff); err != nil {
			return gateway.Outcome{}, err
		}
	}
	key, params, photo, options, err := d.Orders.Card(ctx, t, o, who, c.Part())
	if errors.Is(err, workorder.ErrNotForYou) {
		return gateway.Dropped(err.Error()), nil
	}
	if err != nil {
		return gateway.Outcome{}, err
	}
	reason := workorder.DueCard
	switch {
	case c.Group != 0:
		reason = workorder.ReasonGroupCard
	case c.Co:
		reason = workorder.ReasonCoCard
	}
	return gateway.Done, t.Lay(gateway.Laid{
		Reason: reason, Subject: workorder.CardSubject(o.ID, c.Group), Version: int32(o.Version),
		Key: key, Params: params, Photo: photo, Options: options,
	})
}

// class is how much a ticket may disturb its desk.
func class(o *workorder.Order) scheduler.Class {
	switch {
	case o.Danger != "":
		return scheduler.Emergency
	case o.Urgency == ticket.Urgent:
		return scheduler.Urgent
	}
	return scheduler.Normal
}

// concerns reports whether the ticket still lies on the staff member's desk and
// no colleague has signed for it; of a group, whether its people have it.
func (d Deps) concerns(ctx context.Context, t *gateway.Turn, o *workorder.Order, c workorder.CardDue) (bool, error) {
	if !o.State.Held() {
		return false, nil
	}
	if c.Group != 0 {
		part, err := d.Orders.PartOf(ctx, t, o, people.Staff{})
		return part == c.Part(), err
	}
	for _, a := range o.Assignments {
		if !concernedAs(c, a) {
			continue
		}
		if a.SignedBy != 0 {
			return a.SignedBy == c.Staff, nil
		}
		at, err := d.Orders.AtDesk(ctx, t, a.Desk)
		if err != nil {
			return false, err
		}
		if slices.Contains(at, c.Staff) {
			return true, nil
		}
	}
	return false, nil
}

// concernedAs reports whether a card of this kind is for a desk in this role.
// Who has replied to the lead needs none.
func concernedAs(c workorder.CardDue, a ticket.Assignment) bool {
	role := map[workorder.Part]ticket.Role{
		workorder.LeadPart: ticket.RoleLead, workorder.CoPart: ticket.RoleCo, workorder.InformedPart: ticket.RoleInformed,
	}[c.Part()]
	return a.EndedAt.IsZero() && a.Role == role && (role != ticket.RoleCo || a.State != ticket.AssignmentFinished)
}

// cardLost asks for a person when a card cannot be laid anywhere. A desk of
// several people whom one card does reach needs none.
func (d Deps) cardLost(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	c, err := data[workorder.CardDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, true)
	if err != nil {
		return gateway.Outcome{}, err
	}
	concerns, err := d.concerns(ctx, t, o, c)
	if err != nil || !concerns || c.Informed {
		return gateway.Dropped(gateway.ErrNoAddress.Error()), err
	}
	for _, a := range o.Assignments {
		if !concernedAs(c, a) {
			continue
		}
		colleagues, err := d.Orders.AtDesk(ctx, t, a.Desk)
		if err != nil {
			return gateway.Outcome{}, err
		}
		if !slices.Contains(colleagues, c.Staff) {
			continue
		}
		for _, id := range colleagues {
			reached, err := reachable(ctx, t, id)
			if err != nil || reached {
				return gateway.Dropped(gateway.ErrNoAddress.Error()), err
			}
		}
	}
	err = d.Orders.AddTask(ctx, t, o, workorder.TaskLost, people.RoleDispatcher, map[string]string{"reason": "card"})
	return gateway.Dropped(gateway.ErrNoAddress.Error()), err
}
