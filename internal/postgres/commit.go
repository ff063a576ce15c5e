package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Line is one message to queue in the outbox.
type Line struct {
	Channel, Chat             string
	ConversationID, AddressID int64
	Class                     string
	Source, Key               string
	Version                   int32
	Lang                      string
	Params                    []byte
	Reason, Subject           string
	SubjectVersion            int32
	QuestionTurn, PromptID    int64
	Nudge, Expire             time.Duration
	// Edits is the row whose message this one replaces, 0 for a new message.
	Edits int64
	// Rank is who goes first: 0 replies, codes and what is urgent, 1 other
	// pushes, 2 surveys and bulk.
	Rank int16
	// Extension is the code behind our number to which the answer comes.
	Extension string
	// Due is the due row that says it, 0 for none.
	Due int64
}

// Heard is one inbound message to keep, already sealed.
type Heard struct {
	ConversationID, InboxID int64
	Kind                    string
	Body                    []byte
}

// ConversationState is what a turn leaves behind in its conversation.
type ConversationState struct {
	ID         int64
	Flow       string
	State      []byte
	Turn       int64
	FloodAt    time.Time
	FloodCount int32
	AddressID  int64
	// Inbound is true when the user of a silent address wrote: it opens the
	// network's push window.
	Inbound bool
}

const (
	insertHeard = `
insert into message (conversation_id, direction, inbox_id, kind, body)
select c, 'in', nullif(i, 0), k, b
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bytea[]) as m(c, i, k, b)`

	insertLines = `
insert into outbox (channel, chat, conversation_id, address_id, class, source, text_key, text_version, lang,
                    params, reason, subject, subject_version, question_turn, prompt_id, nudge_seconds, expire_seconds, edits,
                    rank, extension, due_id)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                     $8::int[], $9::text[], $10::bytea[], $11::text[], $12::text[], $13::int[], $14::bigint[],
                     $15::bigint[], $16::int[], $17::int[], $18::bigint[], $19::smallint[], $20::text[], $21::bigint[])`

	updateConversations = `
update conversation c set flow = u.flow, state = u.state, turn = u.turn, flood_at = u.flood_at,
       flood_count = u.flood_count, updated_at = product_now()
from (select * from unnest($1::bigint[], $2::text[], $3::bytea[], $4::bigint[], $5::timestamptz[], $6::int[])
      as e(id, flow, state, turn, flood_at, flood_count) limit cardinality($1)) u
where c.id = u.id`

	// The window of a push counts whole minutes, so an address that wrote in
	// the last minute is not written again: one row version less a turn.
	updateInbound = `
update address set last_inbound_at = product_now(), window_used = 0, state = case state when 'gone' then 'active' else state end
where id = any($1::bigint[])
  and (last_inbound_at is null or last_inbound_at < product_now() - interval '1 minute' or state = 'gone' or window_used > 0)`
)

// Commit writes what the turn leaves behind and commits, in one round trip.
func (t *Turn) Commit(ctx context.Context, states []ConversationState, heard []Heard, lines []Line) error {
	var b pgx.Batch
	queueHeard(&b, heard)
	queueLines(&b, lines)
	queueStates(&b, states)
	n := b.Len()
	b.Queue("commit")
	res := t.pooled.SendBatch(ctx, &b)
	for range n {
		if _, err := res.Exec(); err != nil {
			res.Close()
			return fmt.Errorf("write a turn: %w", err)
		}
	}
	tag, err := res.Exec()
	if closeErr := res.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("commit a turn: %w", err)
	}
	if tag.String() != "COMMIT" {
		return fmt.Errorf("commit a turn: the database answered %s", tag)
	}
	t.open = false
	t.pooled.Release()
	return nil
}

// Rollback gives everything up that was not committed.
func (t *Turn) Rollback(ctx context.Context) {
	if !t.open {
		return
	}
	t.open = false
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if _, err := t.pooled.Exec(ctx, "rollback"); err != nil {
		// The connection is in an unknown state; the pool must not reuse it.
		t.pooled.Conn().Close(ctx)
	}
	t.pooled.Release()
}

func queueHeard(b *pgx.Batch, heard []Heard) {
	if len(heard) == 0 {
		return
	}
	var conv, inbox []int64
	var kind []string
	var body [][]byte
	for _, h := range heard {
		conv, inbox = append(conv, h.ConversationID), append(inbox, h.InboxID)
		kind, body = append(kind, h.Kind), append(body, h.Body)
	}
	b.Queue(insertHeard, conv, inbox, kind, body)
}

func queueLines(b *pgx.Batch, lines []Line) {
	if len(lines) == 0 {
		return
	}
	var channel, chat, class, source, key, lang, reason, subject, extension []string
	var rank []int16
	var conv, addr, question, prompt, edits, due []int64
	var version, subjectVersion, nudge, expire []int32
	var params [][]byte
	for _, l := range lines {
		channel, chat = append(channel, l.Channel), append(chat, l.Chat)
		conv, addr = append(conv, l.ConversationID), append(addr, l.AddressID)
		class, source, key = append(class, l.Class), append(source, l.Source), append(key, l.Key)
		version, lang, params = append(version, l.Version), append(lang, l.Lang), append(params, l.Params)
		reason, subject = append(reason, l.Reason), append(subject, l.Subject)
		subjectVersion = append(subjectVersion, l.SubjectVersion)
		question, prompt = append(question, l.QuestionTurn), append(prompt, l.PromptID)
		nudge = append(nudge, int32(l.Nudge/time.Second))
		expire = append(expire, int32(l.Expire/time.Second))
		edits, rank, extension = append(edits, l.Edits), append(rank, l.Rank), append(extension, l.Extension)
		due = append(due, l.Due)
	}
	b.Queue(insertLines, channel, chat, conv, addr, class, source, key, version, lang,
		params, reason, subject, subjectVersion, question, prompt, nudge, expire, edits, rank, extension, due)
}

func queueStates(b *pgx.Batch, states []ConversationState) {
	var id, turn, inbound []int64
	var flow []string
	var state [][]byte
	var at []time.Time
	var count []int32
	for _, s := range states {
		id, flow, state = append(id, s.ID), append(flow, s.Flow), append(state, s.State)
		turn, at, count = append(turn, s.Turn), append(at, s.FloodAt), append(count, s.FloodCount)
		if s.Inbound {
			inbound = append(inbound, s.AddressID)
		}
	}
	b.Queue(updateConversations, id, flow, state, turn, at, count)
	if len(inbound) > 0 {
		b.Queue(updateInbound, inbound)
	}
}
