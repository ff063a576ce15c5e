package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// reasonStrangers is the reason of the line to who bound a work group in which
// somebody is no verified staff.
const reasonStrangers = "group.strangers"

// Members looks who is in a work group. Whoever is no verified staff keeps the
// cards out: the group and who bound it are told once, and what lies there goes
// to the private chats. A group that cannot be written to is treated the same,
// but for the telling.
func Members(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: gateway.KindMembers, Workers: 2,
		Target: func(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
			id, err := due.SubjectID("conversation")
			if err != nil {
				return 0, err
			}
			return there(ctx, db, id)
		},
		Run: d.members,
	}
}

// there is a conversation that may have become a part of another one since.
func there(ctx context.Context, d *postgres.DB, id int64) (int64, error) {
	if _, err := d.Conversation(ctx, id); err != nil {
		return 0, fmt.Errorf("look for a chat: %w", err)
	}
	return id, nil
}

func (d Deps) members(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	g, err := t.LockGroup(ctx, t.Conversation)
	if errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("it is no group"), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load a group: %w", err)
	}
	if g.BoundAs != flows.GroupWork || g.AddressState != string(people.AddressActive) {
		return gateway.Done, changeCardsIn(ctx, t)
	}
	n, err := t.Strangers(ctx, g.ID)
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("look who is in a group: %w", err)
	}
	count := map[string]string{"count": strconv.FormatInt(n, 10)}
	switch {
	case n > 0 && g.BlockedAt == nil:
		return gateway.Done, d.block(ctx, t, due, g, count)
	case n == 0 && g.BlockedAt != nil:
		if err := t.ClearGroup(ctx, g.ID); err != nil {
			return gateway.Outcome{}, fmt.Errorf("note that a group is fit again: %w", err)
		}
		return gateway.Done, t.Tell(gateway.KindMembers, "", 0, "group.clear", nil)
	}
	return gateway.Dropped("nothing has changed"), nil
}

// fit asks whether a card may go into this group. Where it may not, everybody
// at the desks gets one in private and the members are looked at.
func (d Deps) fit(ctx context.Context, t *gateway.Turn, o *workorder.Order) (ok bool, why string, err error) {
	err = workorder.Fit(ctx, t.Queries, t.Conversation)
	if errors.Is(err, workorder.ErrUnfit) {
		why = err.Error()
		if err := t.LookAtMembers(ctx, t.Conversation); err != nil {
			return false, why, err
		}
		return false, why, d.instead(ctx, t, o)
	}
	if err != nil {
		return false, "", err
	}
	if err := t.ClearGroup(ctx, t.Conversation); err != nil {
		return false, "", fmt.Errorf("note that a group is fit: %w", err)
	}
	return true, "", nil
}

// block tells the group and who bound it what is missing, once, and takes the
// cards back.
func (d Deps) block(ctx context.Context, t *gateway.Turn, due gateway.Due, g db.LockGroupRow, count map[string]string) error {
	if err := t.BlockGroup(ctx, g.ID); err != nil {
		return fmt.Errorf("note that a group is not fit: %w", err)
	}
	if err := t.Tell(gateway.KindMembers, "", 0, "group.strangers", count); err != nil {
		return err
	}
	area, err := d.Orders.AreaName(ctx, t.Queries, people.Area{Kind: people.AreaKind(g.AreaKind), Code: g.Area})
	if err != nil {
		return err
	}
	count["area"] = area
	due.Key = strconv.FormatInt(t.Now.Unix(), 10)
	l := line{Reason: reasonStrangers, Subject: due.Subject, Key: "group.strangers_binder", Params: count, Class: scheduler.Normal}
	if g.BoundBy != 0 {
		if err := tell(ctx, t, due, l, []int64{g.BoundBy}); err != nil {
			return err
		}
	}
	return changeCardsIn(ctx, t)
}

// changeCardsIn plans that every card of this chat is looked at again.
func changeCardsIn(ctx context.Context, t *gateway.Turn) error {
	if _, err := t.ChangeCardsIn(ctx, workorder.DueCardEdit, t.Conversation); err != nil {
		return fmt.Errorf("plan that the cards of a group change: %w", err)
	}
	t.WakeDue()
	return nil
}

// stillBlocked is the check before the binder is told.
func stillBlocked(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	g, err := tx.GroupFit(ctx, id)
	if err != nil {
		return false, "", fmt.Errorf("load %s: %w", subject, err)
	}
	return g.BoundAs == flows.GroupWork && g.Strangers > 0, "everybody in the group is of the staff", nil
}

// CardEdit lets the message of a card show what became of its ticket. It reads
// the ticket as it is when it runs, so that a quick sequence of changes is one.
func CardEdit(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueCardEdit, Workers: 4,
		Target: func(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
			e, err := data[workorder.CardEditDue](due)
			if err != nil {
				return 0, err
			}
			return there(ctx, db, e.Conversation)
		},
		Run: d.cardEdit,
	}
}

func (d Deps) cardEdit(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	o, err := d.order(ctx, t, due, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	card, err := t.CardOf(ctx, t.Conversation, o.ID)
	if errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("no card lies here"), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load a card: %w", err)
	}
	l := gateway.Laid{Reason: workorder.DueCardEdit, Subject: workorder.CardSubject(o.ID, t.GroupID), Version: int32(o.Version)}
	l.Edits, err = t.CardMessage(ctx, t.Conversation, l.Subject, workorder.CardReasons())
	if errors.Is(err, postgres.ErrNoRows) {
		return gateway.Dropped("the message of the card is gone"), d.settle(ctx, t, o, card.Open)
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("find the message of a card: %w", err)
	}
	if t.Group {
		err := workorder.Fit(ctx, t.Queries, t.Conversation)
		if errors.Is(err, workorder.ErrUnfit) {
			return d.uncover(ctx, t, o, l, card)
		}
		if err != nil {
			return gateway.Outcome{}, err
		}
		l.Short = "card.changed"
	}
	open, err := d.cardNow(ctx, t, o, &l, card)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if err := t.Lay(l); err != nil {
		return gateway.Outcome{}, err
	}
	return gateway.Done, d.settle(ctx, t, o, open)
}

// cardNow fills in what the card shows now and reports whether it lies open.
func (d Deps) cardNow(ctx context.Context, t *gateway.Turn, o *workorder.Order, l *gateway.Laid, card db.CardOfRow) (open bool, err error) {
	var who people.Staff
	if card.Open && o.State.Held() {
		if !t.Group && t.Staff != 0 {
			if who, err = d.Orders.LoadStaff(ctx, t, t.Staff); err != nil {
				return false, err
			}
		}
		part, err := d.Orders.PartOf(ctx, t, o, who)
		if err != nil {
			return false, err
		}
		if part != workorder.NoPart {
			l.Key, l.Params, l.Photo, l.Options, err = d.Orders.Card(ctx, t, o, who, part)
			if !errors.Is(err, workorder.ErrNotForYou) {
				return true, err
			}
		}
	}
	l.Key, l.Photo, l.Options = "card.over", "", nil
	if l.Params, err = d.Orders.Closed(ctx, t, o, card.Handle); err != nil || !card.Open || !o.State.Held() {
		return false, err
	}
	done, err := d.Orders.CoReplied(ctx, t, o, who)
	if done {
		l.Params["state"], err = t.Text("card.state.co_replied", nil)
	}
	return false, err
}

// settle closes a card that lies open no longer, and ends its changes unless the
// outcome of the ticket is still to be shown.
func (d Deps) settle(ctx context.Context, t *gateway.Turn, o *workorder.Order, open bool) error {
	if open {
		return nil
	}
	if err := t.CloseCard(ctx, t.Conversation, o.ID); err != nil {
		return fmt.Errorf("take a card away: %w", err)
	}
	if askable(o) {
		return nil
	}
	if err := t.SettleCards(ctx, t.Conversation, o.ID); err != nil {
		return fmt.Errorf("end the changes of a card: %w", err)
	}
	return nil
}

// uncover takes a card back from a group that it must not lie in any more. What
// is still to be done goes to the private chats.
func (d Deps) uncover(ctx context.Context, t *gateway.Turn, o *workorder.Order, l gateway.Laid, card db.CardOfRow) (gateway.Outcome, error) {
	l.Reason, l.Key, l.Params = workorder.ReasonCover, "card.covered", map[string]string{"handle": strconv.Itoa(int(card.Handle))}
	if t.CanEdit() {
		if err := t.Lay(l); err != nil {
			return gateway.Outcome{}, err
		}
	}
	if err := t.CloseCard(ctx, t.Conversation, o.ID); err != nil {
		return gateway.Outcome{}, fmt.Errorf("take a card away: %w", err)
	}
	if err := t.SettleCards(ctx, t.Conversation, o.ID); err != nil {
		return gateway.Outcome{}, fmt.Errorf("end the changes of a card: %w", err)
	}
	if !card.Open {
		return gateway.Done, nil
	}
	return gateway.Done, d.instead(ctx, t, o)
}

// instead plans cards in the private chats in place of the one in this group. A
// board is in nobody's place.
func (d Deps) instead(ctx context.Context, t *gateway.Turn, o *workorder.Order) error {
	if t.OnBoard() {
		return nil
	}
	return d.Orders.PlanCards(ctx, t, o, "instead/")
}
