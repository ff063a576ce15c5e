package actions

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/tally"
)

// joinPoll notes that a person wants to be asked once a month what worries them
// most, as a resident or for a firm.
func (s *Set) joinPoll(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if t.Bound() {
		return fail("number.bound"), nil
	}
	kind := tally.ConsentPoll
	if text(args, "kind") == "firm" {
		kind = tally.ConsentPollFirm
	}
	if _, err := t.LeavePoll(ctx, t.Person); err != nil {
		return nil, fmt.Errorf("end an older consent: %w", err)
	}
	if err := t.JoinPoll(ctx, t.Own, kind, &t.Address); err != nil {
		return nil, fmt.Errorf("note a consent: %w", err)
	}
	return result{}, t.Record(ctx, "poll.joined", postgres.Subject("person", t.Person), map[string]any{"kind": kind}, "")
}

// leavePoll takes that back.
func (s *Set) leavePoll(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	n, err := t.LeavePoll(ctx, t.Person)
	if err != nil {
		return nil, fmt.Errorf("withdraw a consent: %w", err)
	}
	if n == 0 {
		return result{"joined": false}, nil
	}
	return result{"joined": true}, t.Record(ctx, "poll.left", postgres.Subject("person", t.Person), nil, "")
}

// answerPoll keeps the answer to the monthly question: the first one counts.
func (s *Set) answerPoll(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	worry := text(args, "worry")
	if !slices.Contains(s.Tally.Policy.Worry.Names, worry) {
		return nil, fmt.Errorf("%q is none of the nine worries", worry)
	}
	month, err := time.Parse("2006-01", text(args, "month"))
	if err != nil {
		return nil, fmt.Errorf("read the month of a question: %w", err)
	}
	person, err := idOf(t.PromptSubject, "person")
	if err != nil {
		return nil, fmt.Errorf("answer the monthly question: %w", err)
	}
	if _, err := t.AnswerWorry(ctx, person, month, worry); err != nil {
		return nil, fmt.Errorf("keep the answer to the monthly question: %w", err)
	}
	return result{}, nil
}

// idOf reads the id in a subject of a kind.
func idOf(subject, kind string) (int64, error) {
	id, ok := strings.CutPrefix(subject, kind+":")
	if !ok {
		return 0, fmt.Errorf("the open prompt is about %q and not about a %s", subject, kind)
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the subject of a prompt: %w", err)
	}
	return n, nil
}
