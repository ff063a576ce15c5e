package actions

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Merging 并单 by the word of a dispatcher.

// pair reads which ticket is merged into which: 并单 7 到 4821 093 766. The first
// may be named by its number or by its task, the second by its number. What was
// not named is missing in the result.
func (s *Set) pair(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.merger(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	left, right, _ := strings.Cut(text(args, "text"), "到")
	named, into := ticket.FindNumbers(left), ticket.FindNumbers(right)
	r := result{}
	switch n, rest, task := leadingHandle(left); {
	case len(named) > 0:
		failed, err = s.addNumber(ctx, t, who, named[0], "child", r)
		into = append(named[1:], into...)
	case task:
		failed, err = s.addTask(ctx, t, who, int64(n), r)
		into = append(ticket.FindNumbers(rest), into...)
	}
	if err == nil && failed == nil && len(into) > 0 {
		failed, err = s.addNumber(ctx, t, who, into[0], "master", r)
	}
	if err != nil || failed != nil {
		return failed, err
	}
	return r, nil
}

// addTask is addNumber for the ticket of a task.
func (s *Set) addTask(ctx context.Context, t *gateway.Turn, who people.Staff, id int64, r result) (result, error) {
	row, err := t.GetTask(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && row.TicketID == nil {
		return fail("task.none"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("load a task: %w", err)
	}
	return s.addOrder(ctx, t, who, *row.TicketID, "child", r)
}

// orderNumber reads one number of a ticket that may be merged.
func (s *Set) orderNumber(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.merger(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	r, failed, err := s.oneNumber(ctx, t, who, args, "master")
	if err != nil || failed != nil {
		return failed, err
	}
	return r, nil
}

// oneNumber is the first ticket that the words of a command name, under name.
func (s *Set) oneNumber(ctx context.Context, t *gateway.Turn, who people.Staff, args map[string]any, name string) (r, failed result, err error) {
	numbers := ticket.FindNumbers(text(args, "text"))
	if len(numbers) == 0 {
		return nil, fail("merge.no_number"), nil
	}
	r = result{}
	failed, err = s.addNumber(ctx, t, who, numbers[0], name, r)
	return r, failed, err
}

// merger is the speaker, who must be spoken to in private.
func (s *Set) merger(ctx context.Context, t *gateway.Turn) (people.Staff, result, error) {
	who, failed, err := s.worker(ctx, t)
	if err == nil && failed == nil && !who.Has(people.RoleDispatcher) {
		failed = fail("staff.may_not")
	}
	return who, failed, err
}

func (s *Set) addNumber(ctx context.Context, t *gateway.Turn, who people.Staff, n ticket.Number, name string, r result) (result, error) {
	id, err := t.TicketIDByNumber(ctx, string(n))
	if errors.Is(err, postgres.ErrNoRows) {
		return fail("staff.no_card"), nil
	}
	if err != nil {
		return nil, fmt.Errorf("look a number up: %w", err)
	}
	return s.addOrder(ctx, t, who, id, name, r)
}

// addOrder puts a ticket into the result with one line about it.
func (s *Set) addOrder(ctx context.Context, t *gateway.Turn, who people.Staff, id int64, name string, r result) (result, error) {
	o, failed, err := s.mergeable(ctx, t, who, id)
	if err != nil || failed != nil {
		return failed, err
	}
	gist, err := s.Orders.Gist(t, o)
	if err != nil {
		return nil, err
	}
	line, err := t.Text("merge.line", gist)
	r[name], r[name+"_line"] = o.ID, line
	return nil, err
}

// mergeable loads a ticket that the speaker may merge.
func (s *Set) mergeable(ctx context.Context, t *gateway.Turn, who people.Staff, id int64) (*workorder.Order, result, error) {
	o, err := s.Orders.Load(ctx, t, id, false)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, fail("staff.no_card"), nil
	}
	if err != nil {
		return nil, nil, err
	}
	if !s.Orders.May(who, people.MayMerge, o, t.Now) {
		return nil, fail("staff.no_card"), nil
	}
	return o, nil, nil
}

// merge puts one ticket behind another.
func (s *Set) merge(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.merger(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	ids := [2]int64{int64(number(args, "child")), int64(number(args, "master"))}
	for _, id := range ids {
		if _, failed, err := s.mergeable(ctx, t, who, id); err != nil || failed != nil {
			return failed, err
		}
	}
	o, err := s.Orders.Merge(ctx, t, dispatcher(who), ids[0], ids[1])
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, 0)
}

func dispatcher(who people.Staff) ticket.Actor {
	return ticket.Actor{As: ticket.AsDispatcher, Person: who.PersonID, Staff: who.ID}
}

// unmerge gives a merged ticket its own way back: 拆单 4821 093 766.
func (s *Set) unmerge(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.merger(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	r, failed, err := s.oneNumber(ctx, t, who, args, "child")
	if err != nil || failed != nil {
		return failed, err
	}
	id, _ := r["child"].(int64)
	o, err := s.Orders.Unmerge(ctx, t, dispatcher(who), id)
	if err != nil {
		return s.refused(t, err)
	}
	return s.told(t, o, 0)
}
