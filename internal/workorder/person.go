package workorder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// SealMerge seals why two persons were said to be one (person_merge.reason).
const SealMerge = "person_merge.reason"

// MergePersons makes two persons one: other's root is merged into that of into.
// Tickets, messages, consents and addresses keep whose they are, so UnmergePerson
// gives everybody back what they had and what they said meanwhile. why is empty
// where a code proved it. A member of the staff is never merged away, and nobody
// at a desk makes a resident one (people.CanMerge). It returns the root.
func (s *Service) MergePersons(ctx context.Context, t *gateway.Turn, into, other int64, why string) (int64, error) {
	roots, err := lockRoots(ctx, t, into, other)
	if err != nil {
		return 0, err
	}
	root, merged := roots[0], roots[1]
	if err := people.CanMerge(root, merged, why == ""); err != nil {
		return 0, err
	}
	var reason []byte
	if why != "" {
		reason = t.Seal(SealMerge, why)
	}
	if err := t.Tx.MergePersons(ctx, db.MergePersonsParams{Root: root.ID, ID: merged.ID, By: t.Actor(), Reason: reason}); err != nil {
		return 0, fmt.Errorf("merge two persons: %w", err)
	}
	return root.ID, t.Record(ctx, "person.merged", postgres.Subject("person", merged.ID), map[string]any{"into": root.ID}, why)
}

// UnmergePerson takes the merge of a person back: it is a root again, with everybody
// whose merges led to it. Questions that wait with one side about a ticket of the
// other are closed, and what waits to be sent there is not. people.ErrNotMerged where there is nothing to take back.
func (s *Service) UnmergePerson(ctx context.Context, t *gateway.Turn, id int64, why string) error {
	before, err := t.FamilyOf(ctx, id)
	if err != nil {
		return fmt.Errorf("find who is one person: %w", err)
	}
	if _, err := t.LockPersons(ctx, before); err != nil {
		return fmt.Errorf("lock persons: %w", err)
	}
	n, err := t.UndoMerge(ctx, t.Actor(), id)
	if err != nil {
		return fmt.Errorf("take a merge back: %w", err)
	}
	if n == 0 {
		return people.ErrNotMerged
	}
	if err := t.PartPersons(ctx, id); err != nil {
		return fmt.Errorf("part persons: %w", err)
	}
	mine, err := t.FamilyOf(ctx, id)
	if err != nil {
		return fmt.Errorf("find who is one person: %w", err)
	}
	others := slices.DeleteFunc(before, func(p int64) bool { return slices.Contains(mine, p) })
	if err := t.ClosePartedPrompts(ctx, mine, others); err != nil {
		return fmt.Errorf("close questions that wait with somebody else: %w", err)
	}
	if err := t.StaleParted(ctx, mine, others); err != nil {
		return fmt.Errorf("take back what waits for somebody else: %w", err)
	}
	return t.Record(ctx, "person.unmerged", postgres.Subject("person", id), nil, why)
}

// lockRoots locks the roots of persons and reads them in the same order. A person
// that is merged meanwhile by somebody else is an error of the turn, which runs
// again.
func lockRoots(ctx context.Context, t *gateway.Turn, ids ...int64) ([]people.Root, error) {
	roots := make([]int64, len(ids))
	for i, id := range ids {
		var err error
		if roots[i], err = t.RootPerson(ctx, id); err != nil {
			return nil, fmt.Errorf("follow a merged person: %w", err)
		}
	}
	rows, err := t.LockPersons(ctx, roots)
	if err != nil {
		return nil, fmt.Errorf("lock persons: %w", err)
	}
	list := make([]people.Root, len(ids))
	for _, row := range rows {
		if row.MergedInto != nil {
			return nil, errMovedOn
		}
		for i, id := range roots {
			if id == row.ID {
				list[i] = people.Root{ID: row.ID, Staff: row.Staff}
			}
		}
	}
	return list, nil
}

var errMovedOn = errors.New("somebody merged one of the persons at the same time")
