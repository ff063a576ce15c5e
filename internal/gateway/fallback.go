package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Undelivered is a message that no address of its reader took.
type Undelivered struct {
	// Class is why the last address did not take it.
	Class string
	// Subject is what the push was about, empty for a reply.
	Subject string
	// Capped is the product day (2026-03-03) whose limit of money it met, empty
	// for none: people hear of a reader once that day, not once a text.
	Capped string
}

// Carry lets what belongs to a text go along to another chat: from and to are
// conversations, params the values of the text, which it may change.
type Carry func(ctx context.Context, tx *postgres.Tx, subject string, version int32, from, to int64, params map[string]string) error

// Reach lists the private chats in which people can be written to, best first;
// it is the one place that decides this. Persons are who it may be, cameBy is
// the address by which the matter came, 0 for none, tried are addresses that
// are out of the question.
func Reach(ctx context.Context, q *db.Queries, persons []int64, cameBy int64, tried ...int64) ([]db.ReachRow, error) {
	if tried == nil {
		tried = []int64{} // a null array compares with nothing
	}
	list, err := q.Reach(ctx, tried, cameBy, persons)
	if err != nil {
		return nil, fmt.Errorf("find where persons %d can be written to: %w", persons, err)
	}
	return list, nil
}

// travels reports whether a message that ended may go to another address of its
// reader (decision 9).
//
// It must be the address that failed: a message that was rejected is bad
// everywhere. What has an unknown outcome goes on only when it is a push
// without a question: a notice that comes twice costs a glance, one that never
// comes is missed by nobody. Who waits for a reply asks again, and a question
// must not be open in two places.
//
// A question inside a dialogue stays, because its dialogue does. So does what
// was meant for this very address: a one-time code, a reminder of the question
// above it, a change of a message that stands here, whatever was said in a group.
func travels(o outcome) bool {
	row := o.row
	switch {
	case row.InGroup, row.Edits != 0, row.Reason == KindNudge, row.Subject == postgres.Subject("address", row.AddressID):
		return false
	case row.QuestionTurn != 0 && row.PromptID == 0:
		return false
	}
	switch o.class {
	case bots.ClassGone.String(), bots.ClassClosed.String(), bots.ClassTemporary.String(), bots.ClassLoggedOut.String():
		return o.state == "failed"
	case bots.ClassUnknown.String():
		return row.Class == "push" && row.QuestionTurn == 0 && again(row)
	}
	return false
}

// again reports whether a second copy of a message may be risked: never one of a
// survey or a broadcast (reference family-bed 3.3 rule 7).
func again(row db.ClaimOutboxRow) bool { return row.Rank < rankOf(scheduler.Bulk) }

// passOn queues the words of a message for the next address of its reader, each
// address at most once, and returns the channel that has it now, "" when there
// is none. Why it was written is read again before it goes out there, like that
// of any other row.
func (g *Gateway) passOn(ctx context.Context, tx *postgres.Tx, o outcome) (bots.ChannelID, error) {
	if !travels(o) {
		return "", nil
	}
	chain, err := tx.Chain(ctx, o.row.ID)
	if err != nil {
		return "", fmt.Errorf("load which addresses had a message: %w", err)
	}
	list, err := ReachFor(ctx, tx.Queries, g.Topics[o.row.Reason], []int64{chain.PersonID}, chain.First, chain.Tried...)
	if err != nil {
		return "", err
	}
	for _, to := range list {
		if g.Channels[bots.ChannelID(to.Channel)] == nil {
			continue // an account that is no longer configured sends nothing
		}
		if g.Carries != nil && o.row.Class == "push" {
			if ok, err := g.Carries(ctx, tx, o.row.Reason, o.row.Subject, bots.ChannelID(to.Channel)); err != nil {
				return "", fmt.Errorf("ask whether %s may carry %s: %w", to.Channel, o.row.Reason, err)
			} else if !ok {
				continue
			}
		}
		ok, err := g.takeQuestion(ctx, tx, o.row, to)
		if err != nil {
			return "", err
		}
		if !ok {
			continue
		}
		params, err := g.carry(ctx, tx, o.row, to.ID)
		if err != nil {
			return "", err
		}
		if _, err := tx.PassOn(ctx, params, o.row.ID, to.ID); err != nil {
			return "", fmt.Errorf("queue a message for another address: %w", err)
		}
		return bots.ChannelID(to.Channel), nil
	}
	return "", nil
}

// takeQuestion lets the prompt behind a question wait at the address to which
// the question goes. It never breaks into a dialogue there, nor stands beside
// another prompt from which its answers could not be told.
func (g *Gateway) takeQuestion(ctx context.Context, tx *postgres.Tx, row db.ClaimOutboxRow, to db.ReachRow) (bool, error) {
	if row.QuestionTurn == 0 || slices.Contains(to.Prompts, row.PromptID) {
		return true, nil
	}
	caps := g.capsOf(bots.ChannelID(to.Channel))
	if to.Busy || len(to.Prompts) >= promptsAt(caps) {
		return false, nil
	}
	code, err := freeExtension(ctx, tx, caps, to.AddressID)
	if err != nil {
		return false, err
	}
	moved, err := tx.MovePrompt(ctx, db.MovePromptParams{
		ID: row.PromptID, FromAddress: row.AddressID, ToAddress: to.AddressID, ConversationID: to.ID, Extension: code,
	})
	if err != nil {
		return false, fmt.Errorf("move a prompt: %w", err)
	}
	return moved == 1, nil
}

// carry returns the sealed values of a text for its new chat.
func (g *Gateway) carry(ctx context.Context, tx *postgres.Tx, row db.ClaimOutboxRow, to int64) ([]byte, error) {
	f := g.Carry[row.Reason]
	if f == nil {
		return row.Params, nil
	}
	p, err := g.openSaid(row)
	if err != nil {
		return nil, err
	}
	if err := f(ctx, tx, row.Subject, row.SubjectVersion, row.ConversationID, to, p.Params); err != nil {
		return nil, fmt.Errorf("carry what belongs to %s: %w", row.TextKey, err)
	}
	return g.sealSaid(p)
}

// openSaid opens the sealed part of an outbox row.
func (g *Gateway) openSaid(row db.ClaimOutboxRow) (p saidParams, err error) {
	plain, err := g.Keys.Open(row.Params, aadOutbox)
	if err != nil {
		return p, fmt.Errorf("open the parameters of outbox row %d: %w", row.ID, err)
	}
	if err := json.Unmarshal(plain, &p); err != nil {
		return p, fmt.Errorf("read the parameters of outbox row %d: %w", row.ID, err)
	}
	return p, nil
}

func (g *Gateway) sealSaid(p saidParams) ([]byte, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("pack a reply: %w", err)
	}
	return g.Keys.Seal(body, aadOutbox), nil
}
