package workorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// DueMerged brings a merged ticket to where its master has come: subject
// "ticket:ID" of the merged one. It is a row, and not a part of the master's own
// turn, so that tickets are locked in the order of their ids.
const DueMerged = "ticket.merged"

// Merge 并单 puts a ticket behind a master. Both keep their number, their
// reporter and their callback.
func (s *Service) Merge(ctx context.Context, t *gateway.Turn, by ticket.Actor, child, master int64) (*Order, error) {
	merged, refused, err := s.MergeAll(ctx, t, by, []int64{child}, master)
	if err != nil {
		return nil, err
	}
	if why := refused[child]; why != nil {
		return nil, why
	}
	return merged[0], nil
}

// MergeAll puts several tickets behind one master and says which of them the
// rules refuse, and why.
func (s *Service) MergeAll(ctx context.Context, t *gateway.Turn, by ticket.Actor, children []int64, master int64) (
	merged []*Order, refused map[int64]*ticket.Refused, err error,
) {
	orders, err := s.lockAll(ctx, t, append(slices.Clone(children), master))
	if err != nil {
		return nil, nil, err
	}
	refused = map[int64]*ticket.Refused{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(children))) {
		behind, err := t.TicketsMergedInto(ctx, id)
		if err != nil {
			return nil, nil, fmt.Errorf("look what is merged into a ticket: %w", err)
		}
		o := orders[id]
		err = s.apply(ctx, t, o, by, ticket.Merge{Master: orders[master].Ticket, Leads: len(behind) > 0})
		if why := (*ticket.Refused)(nil); errors.As(err, &why) {
			refused[id] = why
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		merged = append(merged, o)
	}
	return merged, refused, nil
}

// Unmerge 拆单 gives a merged ticket its own way back.
func (s *Service) Unmerge(ctx context.Context, t *gateway.Turn, by ticket.Actor, child int64) (*Order, error) {
	return s.Do(ctx, t, child, by, ticket.Unmerge{})
}

// lockAll loads and locks tickets in the order of their ids.
func (s *Service) lockAll(ctx context.Context, t *gateway.Turn, ids []int64) (map[int64]*Order, error) {
	orders := map[int64]*Order{}
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if orders[id] != nil {
			continue
		}
		o, err := s.Load(ctx, t, id, true)
		if err != nil {
			return nil, err
		}
		orders[id] = o
	}
	return orders, nil
}

// Mirror brings a merged ticket to where its master has come: handled with it,
// or, where the master ended otherwise or must not stand for it, on its own way
// again. moved is false while the master is still being worked on.
func (s *Service) Mirror(ctx context.Context, t *gateway.Turn, child int64) (moved bool, err error) {
	o, err := s.Load(ctx, t, child, false)
	if err != nil || o.State != ticket.Merged {
		return false, err
	}
	orders, err := s.lockAll(ctx, t, []int64{child, o.MasterID})
	if err != nil {
		return false, err
	}
	master := orders[o.MasterID]
	if o = orders[child]; o.State != ticket.Merged || master == nil || o.MasterID != master.ID {
		return false, nil
	}
	system, m := ticket.Actor{As: ticket.AsSystem}, master.Ticket
	switch m.State {
	case ticket.Handled, ticket.Callback:
		m.State = ticket.Handled // whose reporter is asked was handled
		err := s.apply(ctx, t, o, system, ticket.Follow{Master: m})
		if why := (*ticket.Refused)(nil); errors.As(err, &why) {
			return true, s.apply(ctx, t, o, system, ticket.Unmerge{})
		}
		if err != nil {
			return false, err
		}
		return true, s.passReply(ctx, t, o, master)
	}
	if m.State.Open() {
		return false, nil
	}
	return true, s.apply(ctx, t, o, system, ticket.Unmerge{})
}

// passReply gives a ticket that followed its master the desk's words, and tells
// its reporter.
func (s *Service) passReply(ctx context.Context, t *gateway.Turn, o, master *Order) error {
	reply, err := s.Reply(master)
	if err != nil {
		return err
	}
	if err := s.SetReplies(ctx, t, o, reply, ""); err != nil || o.Finding {
		return err // what was done about a finding stays among the staff
	}
	return s.Notify(ctx, t, o, "handled", NoticeDue{
		Key: "notice.handled", Params: map[string]string{"number": o.Number.Spoken()}, Words: t.Seal(SealNotice, reply),
	})
}

// followers plans that what is merged into a ticket goes where it went.
func (s *Service) followers(ctx context.Context, t *gateway.Turn, o *Order) error {
	children, err := t.TicketsMergedInto(ctx, o.ID)
	if err != nil {
		return fmt.Errorf("look what is merged into a ticket: %w", err)
	}
	plans := make([]gateway.Plan, len(children))
	for i, id := range children {
		key := strconv.FormatInt(o.ID, 10) + "/v" + strconv.Itoa(o.Version)
		plans[i] = gateway.Plan{Kind: DueMerged, Subject: Subject(id), Key: key, At: t.Now}
	}
	return t.PlanDue(ctx, plans...)
}

// merged takes back what the ticket did by itself, tells its desk that another
// one is worked on instead, and its reporter, once, that it is handled together.
func (s *Service) merged(ctx context.Context, t *gateway.Turn, o *Order) error {
	if err := s.quiet(ctx, t, o, "merged"); err != nil {
		return err
	}
	if err := s.endTasks(ctx, t, o, "", "merged"); err != nil {
		return err
	}
	if err := s.uncard(ctx, t, o); err != nil {
		return err
	}
	if lead, ok := o.Lead(); ok {
		if err := s.tellDesk(ctx, t, o, lead, "merged", TellDue{Key: "tell.merged"}); err != nil {
			return err
		}
	}
	if t.Person == o.ReporterID || t.Own == o.ReporterID {
		return nil // who follows another's report is told so in the dialogue
	}
	number := map[string]string{"number": o.Number.Spoken()}
	return t.PlanDue(ctx, planAt(o, DueNotice, "merged", t.Now, NoticeDue{Key: "notice.merged", Params: number}))
}

// unmerged gives the ticket back its desk with its clocks, or its dispatcher.
func (s *Service) unmerged(ctx context.Context, t *gateway.Turn, o *Order) error {
	if o.State == ticket.Received {
		if err := s.AddTask(ctx, t, o, TaskDispatch, people.RoleDispatcher, map[string]string{"reason": "unmerged"}); err != nil {
			return err
		}
		return t.PlanDue(ctx, plan(o, DueDispatch, "", o.DispatchDue, nil)...)
	}
	return s.layOn(ctx, t, o, nil)
}

// shareWords shows what the reporter of a merged ticket adds to those who work
// on its master.
func (s *Service) shareWords(ctx context.Context, t *gateway.Turn, o *Order, more string) error {
	master, err := s.Load(ctx, t, o.MasterID, false)
	if err != nil {
		return err
	}
	if err := s.Note(ctx, t, master.ID, "staff", more); err != nil {
		return err
	}
	lead, ok := master.Lead()
	if !ok {
		return nil
	}
	d := TellDue{Key: "tell.merged_words", Words: t.Seal(SealNotice, more), Params: map[string]string{"child": o.Number.Spoken()}}
	return s.tellDesk(ctx, t, master, lead, "words/"+strconv.FormatInt(o.ID, 10)+"/"+strconv.FormatInt(t.Now.UnixNano(), 10), d)
}
