package jobs

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// Why a task of kind TaskLost lies there: texts wait.*.
const (
	lostResident = "lost"
	lostStaff    = "lost_staff"
	lostCapped   = "lost_capped"
)

// Undelivered lays a message that no address of its reader took before people
// (R16): a resident's before the callback clerks, that of a member of the staff
// before the dispatchers. The task says whom to call and about which ticket; the
// words stay where they are. As long as it is open it stands for everything
// else that could not be said there about the same, and is told only once: the
// line that tells of it may be as undeliverable. A one-time code is nobody's task:
// who waits for it asks again, and anybody can ask for one to any number.
func Undelivered(d Deps) func(context.Context, *gateway.Turn, gateway.Undelivered) error {
	return d.undelivered
}

func (d Deps) undelivered(ctx context.Context, t *gateway.Turn, what gateway.Undelivered) error {
	if what.Subject == postgres.Subject("address", t.Address) {
		return nil
	}
	reader, err := t.Tx.Conversation(ctx, t.Conversation)
	if err != nil {
		return fmt.Errorf("look whose chat it is: %w", err)
	}
	role, data, err := d.whomToCall(ctx, t, reader.PersonID)
	if err != nil {
		return err
	}
	data["class"] = what.Class
	if what.Capped != "" && role == people.RoleCallbackClerk {
		data["reason"] = lostCapped
	}
	o, err := d.about(ctx, t, what, role, reader.PersonID)
	if err != nil {
		return err
	}
	subject := postgres.Subject("conversation", t.Conversation)
	if o != nil {
		subject += "/" + workorder.Subject(o.ID)
	}
	if what.Capped != "" { // once for a reader and day, also when it was done
		subject = postgres.Subject("conversation", t.Conversation) + "/capped/" + what.Capped
	}
	row, err := t.TaskBy(ctx, workorder.TaskLost, subject)
	if err == nil && (row.State == "open" || what.Capped != "") {
		return nil
	}
	if err != nil && !errors.Is(err, postgres.ErrNoRows) {
		return fmt.Errorf("look for an open task: %w", err)
	}
	if o != nil {
		return d.Orders.AddTaskOn(ctx, t, o, workorder.TaskLost, subject, role, data)
	}
	return d.Orders.AddCityTask(ctx, t, workorder.TaskLost, subject, role, time.Time{}, data)
}

// whomToCall tells a resident from a member of the staff, whose name and number
// the task holds sealed.
func (d Deps) whomToCall(ctx context.Context, t *gateway.Turn, person int64) (people.Role, map[string]string, error) {
	data := map[string]string{"conversation": strconv.FormatInt(t.Conversation, 10), "reason": lostResident}
	s, err := t.StaffByPerson(ctx, person)
	if errors.Is(err, postgres.ErrNoRows) {
		return people.RoleCallbackClerk, data, nil
	}
	if err != nil {
		return "", nil, fmt.Errorf("look whether the reader is of the staff: %w", err)
	}
	data["reason"], data["who"], data["phone"] = lostStaff, s.Name, s.Phone
	return people.RoleDispatcher, data, nil
}

// about is the ticket that a message was about; of a reply to a resident the
// last one of theirs, so that the clerk knows whom to call. nil when there is
// none.
func (d Deps) about(ctx context.Context, t *gateway.Turn, what gateway.Undelivered, role people.Role, person int64) (*workorder.Order, error) {
	kind, id, err := cut(what.Subject)
	if err != nil || kind != "ticket" {
		if role != people.RoleCallbackClerk {
			return nil, nil
		}
		id, err = t.LastTicketOf(ctx, person)
		if errors.Is(err, postgres.ErrNoRows) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("look for the last ticket of a person: %w", err)
		}
	}
	return d.Orders.Load(ctx, t, id, false)
}

// Carry lists what goes along when a text goes to another address, by the
// reason of its row.
func Carry(Deps) map[string]gateway.Carry {
	return map[string]gateway.Carry{workorder.DueCard: carryCard, workorder.ReasonCoCard: carryCard}
}

// carryCard lays a card into the other chat, where it may get another handle,
// and takes it out of the chat that did not get it.
func carryCard(ctx context.Context, tx *postgres.Tx, subject string, version int32, from, to int64, params map[string]string) error {
	_, id, err := cut(subject)
	if err != nil {
		return err
	}
	if err := tx.CloseCard(ctx, from, id); err != nil {
		return fmt.Errorf("close a card: %w", err)
	}
	handle, err := tx.PutCard(ctx, to, id, version)
	if err != nil {
		return fmt.Errorf("lay a card: %w", err)
	}
	params["handle"] = strconv.Itoa(int(handle))
	return nil
}
