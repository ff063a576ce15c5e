package actions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// addPlace gives a ticket the place that was missing. While nobody has been
// sent it is completed and goes to the right desk; later the words are added,
// and who holds it sees them.
func (s *Set) addPlace(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, key, err := s.ownArg(ctx, t, args, people.CmdAddToTicket)
	if err != nil || key != "" {
		return fail(key), err
	}
	place := placeArg(args, "place")
	by, err := s.reporter(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if o.State == ticket.Draft || o.State == ticket.Received {
		if _, err := s.Orders.Do(ctx, t, o.ID, by, ticket.Complete{Content: ticket.Content{Place: place}}); err != nil {
			return nil, fmt.Errorf("give a ticket its place: %w", err)
		}
		return result{"number": o.Number.Spoken()}, nil
	}
	return s.append(ctx, t, o, place.Label)
}

// addWords adds to the words and photos of a ticket; a position becomes its place
// while it has none, else words.
func (s *Set) addWords(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, key, err := s.ownArg(ctx, t, args, people.CmdAddToTicket)
	if err != nil || key != "" {
		return fail(key), err
	}
	if !o.State.Open() {
		return failAbout("add.late", o.Number), nil
	}
	if _, err := s.attach(ctx, t, o, args); err != nil {
		return nil, err
	}
	more := first(text(args, "more"), text(args, "text"))
	if at := object(args, "position"); at != nil {
		place := s.nearest(at)
		if !o.Place.Known() && place.Known() {
			return s.addPlace(ctx, t, map[string]any{"number": o.Number.Spoken(), "place": placeValue(place)})
		}
		more = place.Label
	}
	return s.append(ctx, t, o, more)
}

// addPhotos adds photos to a ticket.
func (s *Set) addPhotos(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, key, err := s.ownArg(ctx, t, args, people.CmdAddToTicket)
	if err != nil || key != "" {
		return fail(key), err
	}
	n, err := s.attach(ctx, t, o, args)
	if err != nil {
		return nil, err
	}
	return result{"number": o.Number.Spoken(), "photos": n}, s.tellHolders(ctx, t, o)
}

func (s *Set) attach(ctx context.Context, t *gateway.Turn, o *workorder.Order, args map[string]any) (int, error) {
	ids := append(list(args, "photo"), list(args, "photos")...)
	return len(ids), s.Orders.Attach(ctx, t, o.ID, "report", ids)
}

func (s *Set) append(ctx context.Context, t *gateway.Turn, o *workorder.Order, more string) (map[string]any, error) {
	if more != "" {
		if err := s.Orders.AddWords(ctx, t, o, more); err != nil {
			return nil, err
		}
	}
	return result{"number": o.Number.Spoken()}, s.tellHolders(ctx, t, o)
}

// tellHolders lays the ticket anew into every chat in which it lies open.
func (s *Set) tellHolders(ctx context.Context, t *gateway.Turn, o *workorder.Order) error {
	holders, err := t.CardHolders(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("find who holds a ticket: %w", err)
	}
	for _, id := range holders {
		err := t.PlanDue(ctx, gateway.Plan{
			Kind: workorder.DueCard, Subject: workorder.Subject(o.ID), Version: int32(o.Version), At: t.Now,
			Key:  fmt.Sprintf("v%d/%d/added/%s", o.Version, id, t.Now.UTC().Format(time.RFC3339)),
			Data: workorder.CardDue{Staff: id},
		})
		if err != nil {
			return err
		}
	}
	groups, err := t.CardGroups(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("find the groups in which a ticket lies: %w", err)
	}
	for _, id := range groups {
		err := t.PlanDue(ctx, gateway.Plan{
			Kind: workorder.DueCard, Subject: workorder.Subject(o.ID), Version: int32(o.Version), At: t.Now,
			Key:  fmt.Sprintf("v%d/g%d/added/%s", o.Version, id, t.Now.UTC().Format(time.RFC3339)),
			Data: workorder.CardDue{Group: id},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withdraw ends a ticket at its reporter's wish.
func (s *Set) withdraw(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, key, err := s.ownArg(ctx, t, args, people.CmdWithdrawTicket)
	if err != nil || key != "" {
		return fail(key), err
	}
	by, err := s.reporter(ctx, t, o)
	if err != nil {
		return nil, err
	}
	if _, err := s.Orders.Do(ctx, t, o.ID, by, ticket.Withdraw{}); err != nil {
		return refusal(err, o.Number, map[string]string{ticket.KeyDangerStays: "withdraw.danger", ticket.KeyState: "withdraw.late"})
	}
	return result{"number": o.Number.Spoken()}, nil
}

// relapse reopens a closed ticket because it came back, on the resident's own
// account.
func (s *Set) relapse(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	o, key, err := s.ownArg(ctx, t, args, people.CmdRelapse)
	if err != nil || key != "" {
		return fail(key), err
	}
	return s.reopen(ctx, t, o, ticket.Relapse{}, text(args, "text"))
}

func (s *Set) reopen(ctx context.Context, t *gateway.Turn, o *workorder.Order, c ticket.Relapse, more string) (map[string]any, error) {
	by, err := s.reporter(ctx, t, o)
	if err != nil {
		return nil, err
	}
	number := o.Number
	if o, err = s.Orders.Do(ctx, t, o.ID, by, c); err != nil {
		return refusal(err, number, map[string]string{ticket.KeyRelapseLate: "relapse.late", ticket.KeyState: "relapse.late"})
	}
	if more != "" {
		if err := s.Orders.AddWords(ctx, t, o, more); err != nil {
			return nil, err
		}
	}
	return s.filed(ctx, t, o)
}

// relapseLate reports whether a ticket has been closed for too long to come
// back; the rules decide again when it is asked for.
func (s *Set) relapseLate(k ticket.Ticket, t *gateway.Turn) bool {
	return k.ClosedAt.IsZero() || t.Now.After(s.Orders.Rules.Callbacks().Relapse.Within.Deadline(k.ClosedAt, s.Orders.Work))
}

// subjectTicket reads the ticket that the open prompt is about.
func (s *Set) subjectTicket(ctx context.Context, t *gateway.Turn) (*workorder.Order, error) {
	const kind = "ticket:"
	if len(t.PromptSubject) <= len(kind) || t.PromptSubject[:len(kind)] != kind {
		return nil, errors.New("this dialogue answers a prompt about a ticket, and none is open")
	}
	id, err := strconv.ParseInt(t.PromptSubject[len(kind):], 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read the subject of a prompt: %w", err)
	}
	return s.Orders.Load(ctx, t, id, false)
}
