package jobs

import (
	"context"
	"errors"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Fresh lists the late-binding checks by the reason that is written in an
// outbox row: is what the text says still so?
func Fresh(d Deps) map[string]gateway.Fresh {
	onDesk := func(k db.Ticket) bool { return ticket.State(k.State).OnDesk() }
	held := func(k db.Ticket) bool { return ticket.State(k.State).Held() }
	asked := func(k db.Ticket) bool {
		return ticket.State(k.State) == ticket.Handled || ticket.State(k.State) == ticket.Callback
	}
	unmet := func(k db.Ticket) bool { return onDesk(k) && k.ContactedAt == nil }
	closed := func(k db.Ticket) bool { return ticket.State(k.State) == ticket.Closed }
	wanted := func(reason string, then gateway.Fresh) gateway.Fresh { return wanted(d.Topics[reason], then) }
	return map[string]gateway.Fresh{
		workorder.DueCard: sameVersion(held),
		// A card of a group goes out only while everybody there may see it.
		workorder.ReasonGroupCard: groupFit(of(held)),
		workorder.DueCardEdit:     groupFit(nil),
		reasonStrangers:           stillBlocked,
		workorder.DueNudge:        of(onDesk),
		workorder.DueSign:         of(onDesk),
		workorder.DueContact:      of(unmet),
		workorder.DueDispatch:     of(func(k db.Ticket) bool { return ticket.State(k.State) == ticket.Received }),
		workorder.DueNotice:       wanted(workorder.DueNotice, of(func(k db.Ticket) bool { return ticket.State(k.State) != ticket.Withdrawn })),
		workorder.DueCallback:     wanted(workorder.DueCallback, sameVersion(asked)),
		DueRating:                 wanted(DueRating, sameVersion(closed)),
		DueStillFine:              wanted(DueStillFine, sameVersion(closed)),
		workorder.DueTask:         taskOpen,
		workorder.ReasonCoCard:    of(held),
		workorder.DueCoNudge:      of(onDesk),
		DueLine:                   stillHere,
		workorder.DueTell:         groupFit(nil),
		reasonTellOpen:            groupFit(of(func(k db.Ticket) bool { return ticket.State(k.State).Open() })),
		workorder.DueSupervised:   groupFit(owes),
		DueDigest:                 stillHere,
		reasonCalendar:            stillHere,
		reasonMoney:               stillHere,
		// Whistles: what calls a unit goes out while the whistle is open.
		workorder.DueWhistleCall:  whistleFit(true),
		workorder.DueWhistleCard:  whistleFit(false),
		workorder.DueWhistleLate:  whistleFit(true),
		workorder.DueWhistleNudge: whistleFit(true),
		workorder.DueWhistleTell:  whistleFit(false),
		// Boards: the same for the group in which it is said.
		onBoard(workorder.DueNudge):        groupFit(of(onDesk)),
		onBoard(workorder.DueSign):         groupFit(of(onDesk)),
		onBoard(workorder.DueContact):      groupFit(of(unmet)),
		onBoard(workorder.DueWhistleNudge): whistleRuns,
		DueBoardDigest:                     stillBoard,
		DueBoardMonday:                     stillBoard,
		DueMonday:                          stillHere,
		DueCareMonthly:                     stillHere,
		DueWorryPoll:                       pollWanted,
		homecare.DueStaff:                  d.careStaffFit,
		homecare.DueList:                   stillHere,
		homecare.DueNews:                   d.careFit,
		workorder.DueTopicTold:             personWants,
		workorder.DueTopicCompare:          stillClosed,
	}
}

// check is a question about a ticket as it is now.
type check func(db.Ticket) bool

func of(holds check) gateway.Fresh {
	return func(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
		return look(ctx, tx, subject, holds)
	}
}

// sameVersion also wants that nothing at all has happened to the ticket.
func sameVersion(holds check) gateway.Fresh {
	return func(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
		return look(ctx, tx, subject, func(k db.Ticket) bool { return k.Version == version && holds(k) })
	}
}

func look(ctx context.Context, tx *postgres.Tx, subject string, holds check) (bool, string, error) {
	k, why, err := find(ctx, tx, subject)
	if err != nil || why != "" {
		return false, why, err
	}
	if !holds(k) {
		return false, fmt.Sprintf("the ticket is %s at version %d", k.State, k.Version), nil
	}
	return true, "", nil
}

// wanted also wants that the reporter has not asked for silence, in all or about a
// topic. What a single number stopped the gateway sees to (gateway.ReachFor).
func wanted(topic string, then gateway.Fresh) gateway.Fresh {
	return func(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
		k, why, err := find(ctx, tx, subject)
		if err != nil || why != "" {
			return false, why, err
		}
		stopped, err := tx.OptedOut(ctx, k.ReporterID, []string{topicAll, topic})
		if err != nil {
			return false, "", fmt.Errorf("look whether the person wants to hear it: %w", err)
		}
		if stopped {
			return false, "the person wants no more messages", nil
		}
		return then(ctx, tx, subject, version)
	}
}

// groupFit wants that the group of a card is one where cards may go; then, where
// there is one, asks about the ticket.
func groupFit(then gateway.Fresh) gateway.Fresh {
	return func(ctx context.Context, tx *postgres.Tx, subject string, version int32) (bool, string, error) {
		id, group, err := workorder.ParseCardSubject(subject)
		if err != nil {
			return false, "", err
		}
		if group != 0 {
			if err := workorder.Fit(ctx, tx.Queries, group); errors.Is(err, workorder.ErrUnfit) {
				return false, err.Error(), nil
			} else if err != nil {
				return false, "", err
			}
		}
		if then == nil {
			return true, "", nil
		}
		return then(ctx, tx, workorder.Subject(id), version)
	}
}

func find(ctx context.Context, tx *postgres.Tx, subject string) (k db.Ticket, why string, err error) {
	_, id, err := cut(subject)
	if err != nil {
		return k, "", err
	}
	k, err = tx.GetTicket(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return k, "the ticket is gone", nil
	}
	if err != nil {
		return k, "", fmt.Errorf("load %s: %w", subject, err)
	}
	return k, "", nil
}

func taskOpen(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	task, err := tx.GetTask(ctx, id)
	if err != nil {
		return false, "", fmt.Errorf("load %s: %w", subject, err)
	}
	return task.State == "open", "the task is " + task.State, nil
}

func stillHere(ctx context.Context, tx *postgres.Tx, subject string, _ int32) (bool, string, error) {
	_, id, err := cut(subject)
	if err != nil {
		return false, "", err
	}
	s, err := tx.GetStaff(ctx, id)
	if err != nil {
		return false, "", fmt.Errorf("load %s: %w", subject, err)
	}
	return s.EndedAt == nil, "no longer on the staff", nil
}
