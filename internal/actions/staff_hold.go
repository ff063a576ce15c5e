package actions

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// worker is the member of the staff who speaks. failed says why not: nobody of
// the staff, an address that is not proven, or a group where it must not be: one
// that is no work group, or in which somebody is no verified staff. In a group
// it locks the group, before any ticket.
func (s *Set) worker(ctx context.Context, t *gateway.Turn) (who people.Staff, failed result, err error) {
	if !proven(t) {
		return who, fail("staff.only"), nil
	}
	if t.Group {
		if t.BoundAs != flows.GroupWork {
			return who, fail("staff.private_chat"), nil
		}
		if _, err := t.LockGroup(ctx, t.GroupID); err != nil {
			return who, nil, fmt.Errorf("lock a group: %w", err)
		}
		if err := workorder.Fit(ctx, t.Queries, t.GroupID); errors.Is(err, workorder.ErrUnfit) {
			return who, fail("group.blocked"), nil
		} else if err != nil {
			return who, nil, err
		}
	}
	who, err = s.Orders.LoadStaff(ctx, t, t.Staff)
	return who, nil, err
}

// proven reports whether a member of the staff speaks by an address that is
// proven to be theirs.
func proven(t *gateway.Turn) bool {
	return t.Staff != 0 && people.Allowed(people.CmdStaff, t.Trust, false) == people.Allow
}

// hold is a ticket in the hands of a member of the staff.
type hold struct {
	staff  people.Staff
	order  *workorder.Order
	handle int
	// rest is what was written behind the handle.
	rest string
	// lies says that the card lies in this group, where everybody sees it.
	lies bool
}

// named is the ticket that a command of one of the staff names, before any right
// is asked.
func (s *Set) named(ctx context.Context, t *gateway.Turn, args map[string]any) (*hold, result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	h := &hold{staff: who}
	id, failed, err := s.which(ctx, t, args, h)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	h.order, err = s.Orders.Load(ctx, t, id, false)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, fail("staff.no_card"), nil
	}
	if err != nil {
		return nil, nil, err
	}
	return h, nil, nil
}

// begun is what a dialogue about a ticket begins with.
func (s *Set) begun(t *gateway.Turn, h *hold) (result, error) {
	r, err := s.told(t, h.order, h.handle)
	if err == nil && h.rest != "" {
		r["rest"] = h.rest
	}
	return r, err
}

// held finds the ticket that a command is about and asks the rights. It may
// come by its id (a dialogue that holds it already), by the button of a card,
// or in words: a short handle (3 已修好), a ticket number, or nothing, where
// only one card lies here. Without the right to look, the answer is that of a
// card that does not exist.
func (s *Set) held(ctx context.Context, t *gateway.Turn, args map[string]any, c people.StaffCommand) (*hold, result, error) {
	h, failed, err := s.named(ctx, t, args)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	if t.Group {
		card, err := t.CardOf(ctx, t.GroupID, h.order.ID)
		if err != nil && !errors.Is(err, postgres.ErrNoRows) {
			return nil, nil, fmt.Errorf("look whether a card lies here: %w", err)
		}
		h.lies = card.Open
	}
	_, sees := s.Orders.Viewer(h.staff, h.order, t.Now)
	switch {
	case !sees && h.lies: // the card is there for all to see
		return nil, fail("staff.not_yours"), nil
	case !sees:
		return nil, fail("staff.no_card"), nil
	case t.Group && !workorder.ForGroups(h.order):
		return nil, fail("staff.private_chat"), nil
	}
	if !s.Orders.May(h.staff, c, h.order, t.Now) {
		return nil, fail("staff.may_not"), nil
	}
	return h, nil, nil
}

// which reads the id of the ticket that is meant and what was written behind
// its handle.
func (s *Set) which(ctx context.Context, t *gateway.Turn, args map[string]any, h *hold) (int64, result, error) {
	said := text(args, "text")
	if id := int64(number(args, "id")); id != 0 {
		h.rest = said
		return id, nil, nil
	}
	if id, err := strconv.ParseInt(text(args, "card_id"), 10, 64); err == nil {
		h.rest = said
		return id, nil, nil
	}
	if n, rest, ok := leadingNumber(said); ok {
		h.rest = rest
		id, err := t.TicketIDByNumber(ctx, string(n))
		return found(id, err)
	}
	if n, rest, ok := leadingHandle(said); ok {
		h.handle, h.rest = n, rest
		id, err := t.CardByHandle(ctx, t.CardHome(), int32(n))
		return found(id, err)
	}
	h.rest = said
	return s.onlyCard(ctx, t, h)
}

func found(id int64, err error) (int64, result, error) {
	if errors.Is(err, postgres.ErrNoRows) {
		return 0, fail("staff.no_card"), nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("find a card: %w", err)
	}
	return id, nil, nil
}

// onlyCard is the one card that lies open here; of several it asks for the
// handle.
func (s *Set) onlyCard(ctx context.Context, t *gateway.Turn, h *hold) (int64, result, error) {
	cards, err := s.cards(ctx, t)
	if err != nil {
		return 0, nil, err
	}
	switch len(cards) {
	case 0:
		return 0, fail("staff.no_cards"), nil
	case 1:
		h.handle = int(cards[0].Handle)
		return cards[0].TicketID, nil, nil
	}
	lines, err := s.cardLines(t, cards)
	return 0, result{"fail": "staff.which_card", "params": map[string]any{"lines": lines}}, err
}

var (
	handleFirst = regexp.MustCompile(`^[\s#＃第]*([0-9０-９]+)(?:号(?:[\s:：,，、.。]+|$)|[\s:：,，、.。]*)`)
	numberFirst = regexp.MustCompile(`^[\s#＃]*([0-9０-９](?:[ \-]?[0-9０-９]){9})(?:[\s:：,，、.。]+|$)`)
)

// maxHandleDigits keeps a phone number or an amount from being a handle.
const maxHandleDigits = 6

// leadingHandle reads the short handle, or the number of a task, at the
// beginning: "3 已修好", "３号：已修好", "3已修好".
func leadingHandle(said string) (n int, rest string, ok bool) {
	m := handleFirst.FindStringSubmatch(said)
	if m == nil {
		return 0, said, false
	}
	digits := norm.NFKC.String(m[1])
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > maxHandleDigits || n == 0 {
		return 0, said, false
	}
	return n, strings.TrimSpace(strings.TrimPrefix(said, m[0])), true
}

// leadingNumber reads a whole ticket number at the beginning.
func leadingNumber(said string) (n ticket.Number, rest string, ok bool) {
	m := numberFirst.FindStringSubmatch(said)
	if m == nil {
		return "", said, false
	}
	n, err := ticket.ParseNumber(m[1])
	return n, strings.TrimSpace(strings.TrimPrefix(said, m[0])), err == nil
}

// told is what a dialogue says of a ticket after something was done with it.
func (s *Set) told(t *gateway.Turn, o *workorder.Order, handle int) (result, error) {
	gist, err := s.Orders.Gist(t, o)
	if err != nil {
		return nil, err
	}
	r := result{"id": o.ID}
	for k, v := range gist {
		r[k] = v
	}
	if handle != 0 {
		r["handle"] = strconv.Itoa(handle)
	}
	if !o.Deadline.IsZero() {
		s.addWhen(r, o.Deadline)
	}
	return r, nil
}

// refused turns a refusal of the rules into its text for staff; other errors
// stay errors.
func (s *Set) refused(t *gateway.Turn, err error) (result, error) {
	var r *ticket.Refused
	if !errors.As(err, &r) {
		return nil, err
	}
	params := map[string]any{"allowed": ""}
	for k, v := range r.Params {
		params[k] = v
	}
	if state := r.Params["state"]; state != "" {
		if params["state"], err = t.Text("card.state."+state, nil); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"within", "max"} {
		l, err := scheduler.ParseLimit(r.Params[name])
		if err != nil {
			continue // a number, not a time
		}
		if params[name], err = t.Text("limit."+string(l.Unit), map[string]string{"n": strconv.Itoa(l.N)}); err != nil {
			return nil, err
		}
	}
	if params["allowed"], err = s.mayDo(t, r.Allowed); err != nil {
		return nil, err
	}
	return result{"fail": r.Key, "params": params}, nil
}

// mayDo names the commands that are possible instead; commands without a
// button are done elsewhere and not named.
func (s *Set) mayDo(t *gateway.Turn, allowed []ticket.CommandName) (string, error) {
	var labels []string
	for _, c := range allowed {
		label, err := t.Text("card.button."+string(c), nil)
		if errors.Is(err, gateway.ErrNoDefinition) {
			continue
		}
		if err != nil {
			return "", err
		}
		labels = append(labels, label)
	}
	if len(labels) == 0 {
		return "", nil
	}
	return t.Text("staff.may_do", map[string]string{"commands": strings.Join(labels, "、")})
}

// reasons offers the codes of a policy as options.
func (s *Set) reasons(t *gateway.Turn, kind string, codes []string) ([]any, error) {
	options := make([]any, len(codes))
	for i, c := range codes {
		label, err := t.Text("reason."+kind+"."+c, nil)
		if err != nil {
			return nil, err
		}
		options[i] = option(c, label)
	}
	return options, nil
}
