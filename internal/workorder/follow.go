package workorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// follow does what an event brings with it: clocks, cards, tasks, notices.
func (s *Service) follow(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	switch e.Kind {
	case ticket.EventFiled:
		if o.State == ticket.Draft {
			return s.AddTask(ctx, t, o, TaskComplete, people.RoleClerk, nil)
		}
		return s.dispatch(ctx, t, o)
	case ticket.EventCompleted, ticket.EventRelapsed:
		for _, kind := range []string{TaskComplete, TaskVoice} {
			if err := s.endTasks(ctx, t, o, kind, "completed"); err != nil {
				return err
			}
		}
		return s.dispatch(ctx, t, o)
	case ticket.EventReturned:
		return s.toDispatcher(ctx, t, o, map[string]string{"reason": e.Data["reason"]})
	case ticket.EventInvolved, ticket.EventCoReplied:
		return s.followSeveral(ctx, t, o, e)
	case ticket.EventObjected, ticket.EventObjectionGranted, ticket.EventObjectionRefused, ticket.EventExtensionAsked,
		ticket.EventExtensionGranted, ticket.EventExtensionRefused, ticket.EventSuspensionAsked, ticket.EventSuspended,
		ticket.EventSuspensionRefused, ticket.EventResumed:
		return s.followRequest(ctx, t, o, e)
	case ticket.EventTransferred:
		if err := s.uncard(ctx, t, o); err != nil {
			return err
		}
		return s.onDesk(ctx, t, o, e)
	case ticket.EventDispatched, ticket.EventRedone:
		return s.onDesk(ctx, t, o, e)
	case ticket.EventSigned, ticket.EventAutoSigned:
		return s.clear(ctx, t, o, "signed", DueSign)
	case ticket.EventContacted:
		return s.clear(ctx, t, o, "contacted", DueContact)
	case ticket.EventHandled:
		return s.handled(ctx, t, o)
	case ticket.EventUnhappy:
		if err := s.clear(ctx, t, o, "answered", DueCallback); err != nil {
			return err
		}
		return s.AddTask(ctx, t, o, TaskJudge, people.RoleCallbackClerk, nil)
	case ticket.EventClosed, ticket.EventWithdrawn, ticket.EventRejected, ticket.EventAnsweredNow, ticket.EventReferred:
		return s.over(ctx, t, o, e)
	case ticket.EventSupervised, ticket.EventSupervisionAnswered, ticket.EventSupervisionLapsed:
		return s.supervised(ctx, t, o, e)
	case ticket.EventEscalated:
		return s.escalated(ctx, t, o, e)
	case ticket.EventMerged:
		return s.merged(ctx, t, o)
	case ticket.EventUnmerged:
		return s.unmerged(ctx, t, o)
	case ticket.EventExclusionAsked:
		return s.reviewTask(ctx, t, o, "")
	}
	return nil
}

// dispatch sends a complete ticket to the desk that the rules name, or lays it
// before a dispatcher.
func (s *Service) dispatch(ctx context.Context, t *gateway.Turn, o *Order) error {
	m, ok := s.Matters.Get(o.Matter)
	if !ok {
		return fmt.Errorf("matter %q is not in configs/matters.yaml", o.Matter)
	}
	if s.refersAtOnce(o, m) {
		return s.apply(ctx, t, o, ticket.Actor{As: ticket.AsSystem}, ticket.Refer{To: m.Refer})
	}
	roster, err := s.roster(ctx, t, o, m)
	if err != nil {
		return err
	}
	route := ticket.Route(o.Ticket, m.Handling(), roster)
	if route.Lead.Kind == ticket.DeskDispatcher {
		if err := s.AddTask(ctx, t, o, TaskDispatch, people.RoleDispatcher, map[string]string{"reason": route.Reason}); err != nil {
			return err
		}
		return t.PlanDue(ctx, plan(o, DueDispatch, "", o.DispatchDue, nil)...)
	}
	return s.apply(ctx, t, o, ticket.Actor{As: ticket.AsSystem}, ticket.Dispatch{Lead: route.Lead, Informed: route.Informed})
}

// roster is who may be asked about a ticket.
func (s *Service) roster(ctx context.Context, t *gateway.Turn, o *Order, m ticket.Matter) (ticket.Roster, error) {
	var r ticket.Roster
	if o.Place.Grid != "" {
		rows, err := t.StaffWith(ctx, []string{string(people.RoleGridWorker), string(people.RoleGridLeader)}, []string{o.Place.Grid})
		if err != nil {
			return r, fmt.Errorf("find the staff of a grid: %w", err)
		}
		r.Grid = inOrder(rows, string(people.RoleGridWorker))
	}
	if (o.Private() || o.AboutSomebody()) && m.Unit != "" {
		rows, err := t.StaffWith(ctx, []string{string(people.RoleHandler)}, []string{m.Unit})
		if err != nil {
			return r, fmt.Errorf("find the handlers of a unit: %w", err)
		}
		r.Unit = inOrder(rows, string(people.RoleHandler))
	}
	for _, list := range [][]ticket.OnCall{r.Grid, r.Unit} {
		if err := s.markMeant(ctx, t, o, list); err != nil {
			return r, err
		}
	}
	r.Named = r.Unit
	return r, nil
}

// inOrder lists staff with the given role first, each followed by the
// substitute when off duty.
func inOrder(rows []db.StaffWithRow, first string) []ticket.OnCall {
	var list, rest []ticket.OnCall
	for _, r := range rows {
		on := []ticket.OnCall{{Staff: r.ID, Desk: r.Area, Duty: r.OnDuty}}
		if !r.OnDuty && r.Substitute != nil {
			on = append(on, ticket.OnCall{Staff: *r.Substitute, Desk: r.Area, Duty: true})
		}
		if r.Role == first {
			list = append(list, on...)
		} else {
			rest = append(rest, on...)
		}
	}
	return append(list, rest...)
}

// onDesk starts the clocks of a desk and tells its people.
func (s *Service) onDesk(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	if err := s.quiet(ctx, t, o, string(e.Kind)); err != nil {
		return err
	}
	if err := s.endTasksBut(ctx, t, o, TaskEscalated, string(e.Kind)); err != nil {
		return err
	}
	return s.layOn(ctx, t, o, e.Data)
}

// layOn lays the ticket before the people of its desks and starts their clocks.
func (s *Service) layOn(ctx context.Context, t *gateway.Turn, o *Order, data map[string]string) error {
	homes, boards, err := s.groupsOf(ctx, t, o)
	if err != nil {
		return err
	}
	var plans []gateway.Plan
	for _, a := range o.Assignments {
		if !a.EndedAt.IsZero() || replied(a) {
			continue
		}
		// Who was asked by name hears it alone.
		group := homes[a.Desk]
		if data["reason"] == "colleague" {
			group, boards = 0, nil
		}
		for _, board := range boards[a.Desk] {
			plans = append(plans, groupCard(t, o, board, a))
		}
		cards, err := s.cardsFor(ctx, t, o, a, group)
		if err != nil {
			return err
		}
		plans = append(plans, cards...)
	}
	clocks, err := s.deskClocks(t, o)
	if err != nil {
		return err
	}
	plans = append(plans, clocks...)
	return t.PlanDue(ctx, append(plans, s.coClocks(o, t.Now)...)...)
}

// cardsFor plans the cards of one desk: one for its work group where it has
// one, else one for each of its people.
func (s *Service) cardsFor(ctx context.Context, t *gateway.Turn, o *Order, a ticket.Assignment, group int64) ([]gateway.Plan, error) {
	if group != 0 {
		return []gateway.Plan{groupCard(t, o, group, a)}, nil
	}
	staff, err := s.AtDesk(ctx, t, a.Desk)
	if err != nil {
		return nil, err
	}
	var plans []gateway.Plan
	for _, id := range staff {
		key := "v" + strconv.Itoa(o.Version) + "/" + strconv.FormatInt(id, 10)
		plans = append(plans, planAt(o, DueCard, key, t.Now, cardFor(a, CardDue{Staff: id})))
	}
	return plans, nil
}

// AtDesk lists the staff on duty who see a ticket that lies on a desk.
func (s *Service) AtDesk(ctx context.Context, t *gateway.Turn, d ticket.Desk) ([]int64, error) {
	if d.Staff != 0 {
		return []int64{d.Staff}, nil
	}
	role := people.RoleHandler
	if d.Kind == ticket.DeskGrid {
		role = people.RoleGridWorker
	}
	rows, err := t.StaffWith(ctx, []string{string(role)}, []string{d.Code})
	if err != nil {
		return nil, fmt.Errorf("find the staff of a desk: %w", err)
	}
	var ids []int64
	for _, on := range inOrder(rows, string(role)) {
		if on.Duty {
			ids = append(ids, on.Staff)
		}
	}
	return ids, nil
}

// handled plans how the resident is asked, or who checks a finding.
func (s *Service) handled(ctx context.Context, t *gateway.Turn, o *Order) error {
	if err := s.quiet(ctx, t, o, "handled"); err != nil {
		return err
	}
	if err := s.uncard(ctx, t, o); err != nil {
		return err
	}
	if err := s.followers(ctx, t, o); err != nil {
		return err
	}
	if o.Finding {
		return s.AddTask(ctx, t, o, TaskCheck, people.RoleCallbackClerk, nil)
	}
	rings, err := s.ByPhone(ctx, t, o)
	if err != nil {
		return err
	}
	if rings {
		return s.AddTask(ctx, t, o, TaskPhone, people.RoleCallbackClerk, nil)
	}
	tries, err := s.Attempts(o.HandledAt)
	if err != nil {
		return err
	}
	return s.PlanCallback(ctx, t, o, 1, tries[0])
}

// ByPhone reports whether the resident is asked on the telephone alone: who
// rang, and who had a member of the staff write the report down.
func (s *Service) ByPhone(ctx context.Context, t *gateway.Turn, o *Order) (bool, error) {
	rang, err := t.CameByPhone(ctx, o.AddressID)
	if err != nil {
		return false, fmt.Errorf("look whether a ticket came by telephone: %w", err)
	}
	if rang {
		return true, nil
	}
	return s.writtenByStaff(ctx, t, o)
}

// writtenByStaff reports whether a member of the staff wrote the report down
// for a resident 代报. It is the resident who is asked, on the phone, and never
// the colleague whose chat it came by.
func (s *Service) writtenByStaff(ctx context.Context, t *gateway.Turn, o *Order) (bool, error) {
	if o.Ticket.ReportedFor == "" {
		return false, nil
	}
	_, err := t.StaffByPerson(ctx, o.ReporterID)
	if errors.Is(err, postgres.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look whether the reporter is of the staff: %w", err)
	}
	return true, nil
}

// Attempts are the instants at which the resident is asked about a ticket
// that was handled at from.
func (s *Service) Attempts(from time.Time) ([]time.Time, error) {
	p := s.Rules.Callbacks().Callback
	return s.Work.Attempts(from, scheduler.AttemptPolicy{At: p.At, Tries: p.Tries, HalfDays: p.HalfDays})
}

// NextTry is the first time of asking after an instant: on a working day, at
// one of the times that the policy names.
func (s *Service) NextTry(after time.Time) (time.Time, error) {
	at := s.Rules.Callbacks().Callback.At
	times, err := s.Work.Attempts(after.AddDate(0, 0, -1), scheduler.AttemptPolicy{At: at, Tries: len(at) + 1})
	if err != nil {
		return time.Time{}, err
	}
	for _, next := range times {
		if next.After(after) {
			return next, nil
		}
	}
	return times[len(times)-1], nil
}

// PlanCallback plans one try of asking.
func (s *Service) PlanCallback(ctx context.Context, t *gateway.Turn, o *Order, try int, at time.Time) error {
	return t.PlanDue(ctx, plan(o, DueCallback, strconv.Itoa(try), at, CallbackDue{Try: try})...)
}

// over ends everything that was planned around a ticket.
func (s *Service) over(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event) error {
	if err := s.clear(ctx, t, o, string(e.Kind)); err != nil {
		return err
	}
	if err := t.ClosePromptsOf(ctx, string(e.Kind), Subject(o.ID)); err != nil {
		return fmt.Errorf("close the prompts: %w", err)
	}
	if err := s.endTasks(ctx, t, o, "", string(e.Kind)); err != nil {
		return err
	}
	if err := s.followers(ctx, t, o); err != nil {
		return err
	}
	number := map[string]string{"number": o.Number.Spoken()}
	switch e.Kind {
	case ticket.EventAnsweredNow:
		return s.Notify(ctx, t, o, "answered", NoticeDue{Key: "notice.answered", Params: number})
	case ticket.EventReferred:
		return s.Notify(ctx, t, o, "referred", NoticeDue{Key: referredKey(o), Params: number})
	case ticket.EventRejected:
		return s.Notify(ctx, t, o, "rejected", NoticeDue{Key: "notice.rejected." + e.Data["reason"], Params: number})
	}
	return nil
}

// promise is by when the reporter hears, as the parts of a date.
func (s *Service) promise(o *Order) map[string]string {
	at := o.Deadline.In(s.Work.Location())
	return map[string]string{
		"number": o.Number.Spoken(), "month": strconv.Itoa(int(at.Month())), "day": strconv.Itoa(at.Day()), "clock": at.Format("15:04"),
	}
}

// Notify plans a text for the reporter. What names the occasion: one notice
// per occasion and version.
func (s *Service) Notify(ctx context.Context, t *gateway.Turn, o *Order, what string, n NoticeDue) error {
	return t.PlanDue(ctx, plan(o, DueNotice, what, t.Now, n)...)
}

func (s *Service) endTasks(ctx context.Context, t *gateway.Turn, o *Order, kind, why string) error {
	if err := t.ClearTasksOf(ctx, db.ClearTasksOfParams{Outcome: why, TicketID: &o.ID, Kind: kind}); err != nil {
		return fmt.Errorf("clear tasks: %w", err)
	}
	return nil
}

// endTasksBut ends every task about the ticket that is not of the kind.
func (s *Service) endTasksBut(ctx context.Context, t *gateway.Turn, o *Order, keep, why string) error {
	if err := t.ClearTasksOf(ctx, db.ClearTasksOfParams{Outcome: why, TicketID: &o.ID, Keep: keep}); err != nil {
		return fmt.Errorf("clear tasks: %w", err)
	}
	return nil
}

// refersAtOnce reports whether the tickets of a matter go to who must deal with
// them as soon as they are filed. What is dangerous, and what is about somebody
// who might have a say there, is a dispatcher's to look at.
func (s *Service) refersAtOnce(o *Order, m ticket.Matter) bool {
	referrals := s.Rules.Policy().Referrals
	return referrals.To[m.Refer] && (!o.AboutSomebody() || slices.Contains(referrals.Independent, m.Refer)) && o.Danger == "" &&
		!o.Finding && o.Relapses == 0
}

// WayTold is the lawful way of a referred ticket, said in the answer to whoever
// reported it; no notice says it again.
func (s *Service) WayTold(ctx context.Context, t *gateway.Turn, o *Order) (string, error) {
	if err := s.clear(ctx, t, o, "told in the answer", DueNotice); err != nil {
		return "", err
	}
	return t.Text(referredKey(o), map[string]string{"number": o.Number.Spoken()})
}

// referredKey is the text that tells where a referred ticket is dealt with.
func referredKey(o *Order) string { return "notice.referred." + o.ReferredTo }
