package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"shaoying/internal/postgres/db"
)

// Incoming is the key part of one event as BeginTurn needs it.
type Incoming struct {
	Channel, Chat, User string
	Trust               string
	Kind                string
	// Group is true where the chat has more than one user.
	Group bool
	// Key is the event's dedupe key. Empty for an event that is already in
	// the inbox or never was from a network (drainer, due row): nothing is
	// inserted then.
	Key string
	// Repeat, where it is not empty, makes the event a duplicate of one whose key
	// begins with it and which was taken within RepeatWithin.
	Repeat       string
	RepeatWithin time.Duration
}

// TurnRow is what a turn knows once it holds the lock of its conversation.
type TurnRow struct {
	// Fresh is false when the event was taken before: there is nothing to do
	// but to acknowledge it.
	Fresh   bool
	InboxID int64

	ConversationID int64
	Flow           string
	State          []byte
	Turn           int64
	FloodAt        time.Time
	FloodCount     int32
	// Behind is true when older events of this conversation are waiting.
	Behind bool

	AddressID    int64
	Trust        string
	AddressState string
	// Silent is true when nothing was heard from the address in the last
	// minute, it counts as gone, or something was sent of which the network
	// allows so many: a message of its user must be noted.
	Silent bool
	// KnownAt is when the address was last heard from or proven, or was made.
	KnownAt  time.Time
	PersonID int64
	// OwnID is the person of the address itself: PersonID, or one that was merged
	// into it. Phone (a number is known), Lang and Notice are that person's.
	OwnID int64
	Phone bool
	Lang  string
	// Notice is the version of the privacy notice that the person was given.
	Notice int32
	// StaffID is 0 for everybody who is not on the staff today.
	StaffID int64

	// The open prompt of this address without an extension code, PromptID 0 when
	// there is none.
	PromptID      int64
	PromptFlow    string
	PromptState   []byte
	PromptSubject string

	// The group that the conversation lies in, GroupID 0 for none and for one
	// that was never bound.
	GroupID, GroupAddress int64
	BoundAs               string
	// GroupBlocked: its members were told that somebody is no verified staff.
	// GroupGone: it could not be written to. Left: this member had left it.
	GroupBlocked, GroupGone, Left bool

	// Now is product time and Wall is database time, the same for the turn.
	Now, Wall time.Time
}

// The set statements of a turn end their arrays with "limit cardinality($1)".
// It cuts nothing off: it keeps the planner from expecting ten rows of every
// unnest. With ten, a table that was never analysed is read whole, three times
// a turn, by a plan that stays cached while the table grows; and an update
// that finds one row is planned anew each time, because its general plan looks
// ten times as dear. With the limit the planner expects one row and uses the
// indexes, in one general plan.

// lockFirst takes the locks by a statement of its own: a SELECT that waits for
// a lock sees the locked row as it is then, but the rows beside it (prompt,
// waiting events) as they were before the wait.
const lockFirst = `
select k.ord, c.id
from (select * from unnest($1::text[], $2::text[], $3::text[]) with ordinality as e(channel, chat, user_id, ord)
      limit cardinality($1)) k
join conversation c using (channel, chat, user_id)
order by c.id
for no key update of c`

// lockFree takes those locks that nobody holds.
const lockFree = lockFirst + ` skip locked`

// readTurn reads what a turn knows. Only a turn in a group looks for its group:
// the two joins would cost every other one a tenth of this statement.
const (
	readTurn        = readColumns + `0::bigint, 0::bigint, '', false, false, false` + readTables
	readTurnInGroup = readColumns + `coalesce(g.id, 0), coalesce(g.address_id, 0), coalesce(g.bound_as, ''), g.blocked_at is not null,
       coalesce(ga.state, '') = 'gone', c.left_at is not null` + readTables + `
left join conversation g on g.channel = c.channel and g.chat = c.chat and g.is_group and c.in_group
left join address ga on ga.id = g.address_id`

	readColumns = `
select k.ord, c.id, c.flow, c.state, c.turn, c.flood_at, c.flood_count,
       exists (select 1 from inbox i where i.conversation_id = c.id and i.state = 'waiting'),
       a.id, a.trust, a.state,
       a.last_inbound_at is null or a.last_inbound_at < product_now() - interval '1 minute' or a.state = 'gone' or a.window_used > 0,
       coalesce(greatest(a.last_inbound_at, a.proven_at), a.created_at),
       p.id, w.id, w.phone_index is not null, w.lang, w.notice_version,
       coalesce(s.id, 0), coalesce(r.id, 0), coalesce(r.flow, ''), r.state, coalesce(r.subject, ''),
       product_now(), now(), `

	readTables = `
from (select * from unnest($1::text[], $2::text[], $3::text[]) with ordinality as e(channel, chat, user_id, ord)
      limit cardinality($1)) k
join conversation c using (channel, chat, user_id)
join address a on a.id = c.address_id
join person w on w.id = a.person_id
join person p on p.id = coalesce(w.merged_into, w.id)
left join staff s on s.person_id = p.id and s.ended_at is null
left join prompt r on r.address_id = a.id and r.conversation_id = c.id and r.extension = '' and r.closed_at is null
     and r.open_until > product_now()`
)

const insertInbox = `
insert into inbox (channel, event_key, conversation_id, kind, state)
select k.channel, k.event_key, c.id, k.kind, 'done'
from (select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
      as e(channel, chat, user_id, event_key, kind) limit cardinality($1)) k
join conversation c using (channel, chat, user_id)
where k.event_key <> ''` + endInbox

// insertUnrepeated is insertInbox for events of which some may be copies. A copy
// is of the same conversation, whose lock is held: the other one is there or
// nowhere.
const insertUnrepeated = `
insert into inbox (channel, event_key, conversation_id, kind, state)
select k.channel, k.event_key, c.id, k.kind, 'done'
from (select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::float8[])
      as e(channel, chat, user_id, event_key, kind, repeat, within) limit cardinality($1)) k
join conversation c using (channel, chat, user_id)
where k.event_key <> ''
  and (k.repeat = '' or not exists (
      select 1 from inbox i
      where i.channel = k.channel and i.event_key >= k.repeat and i.event_key < k.repeat || chr(1114111)
        and starts_with(i.event_key, k.repeat) and i.received_at > now() - make_interval(secs => k.within)))` + endInbox

const endInbox = `
on conflict (channel, event_key) do nothing
returning channel, event_key, id`

// Turn is an open transaction that holds the locks of its conversations. End
// it with Commit or Rollback; Rollback after Commit does nothing.
type Turn struct {
	Tx
	pooled *pgxpool.Conn
	open   bool
	// guard is the connection as the turns of a slice see it, nil for a turn
	// that has its transaction to itself.
	guard *guard
}

// BeginTurn opens a transaction, locks the conversations of all events in the
// order of their ids and inserts their inbox rows: one round trip where all
// conversations exist. A conversation that is not there yet is made. The rows
// come back in the order of in. Keys must name different conversations.
func (d *DB) BeginTurn(ctx context.Context, in []Incoming) (*Turn, []TurnRow, error) {
	t, err := d.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	rows, err := t.begin(ctx, in)
	if err != nil {
		t.Rollback(ctx)
		return nil, nil, err
	}
	return t, rows, nil
}

// acquire gets the connection of a turn.
func (d *DB) acquire(ctx context.Context) (*Turn, error) {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("get a connection for a turn: %w", err)
	}
	return &Turn{Tx: Tx{Queries: db.New(conn), conn: conn.Conn()}, pooled: conn, open: true}, nil
}

// BeginSlice opens one transaction for events of different conversations, in
// two round trips. It waits for nobody and makes nothing: the row of an event
// whose conversation is new, or is locked by somebody else just now, comes back
// without ConversationID and the event is a matter for BeginTurn. The rows come
// back in the order of in.
func (d *DB) BeginSlice(ctx context.Context, in []Incoming) (*Turn, []TurnRow, error) {
	t, err := d.acquire(ctx)
	if err != nil {
		return nil, nil, err
	}
	t.guard = &guard{execer: t.conn}
	t.Tx = Tx{Queries: db.New(t.guard), conn: t.guard}
	rows := make([]TurnRow, len(in))
	if err := t.beginSlice(ctx, in, rows); err != nil {
		t.Rollback(ctx)
		return nil, nil, err
	}
	return t, rows, nil
}

func (t *Turn) beginSlice(ctx context.Context, in []Incoming, out []TurnRow) error {
	cols := columns(in)
	var b pgx.Batch
	b.Queue("begin")
	b.Queue(lockFree, cols.channel, cols.chat, cols.user)
	held, err := t.lock(ctx, &b)
	if err != nil || len(held) == 0 {
		return err
	}
	mine, at := make([]Incoming, 0, len(held)), make([]int, 0, len(held))
	for i := range in {
		if held[i] != 0 {
			mine, at = append(mine, in[i]), append(at, i)
		}
	}
	var read pgx.Batch
	queueRead(&read, columns(mine))
	res := t.pooled.SendBatch(ctx, &read)
	defer res.Close()
	rows := make([]TurnRow, len(mine))
	if err := readRows(res, mine, rows); err != nil {
		return err
	}
	for i, r := range rows {
		out[at[i]] = r
	}
	return nil
}

// lock begins the transaction and returns which conversations it locked: the
// position of the event to the conversation's id.
func (t *Turn) lock(ctx context.Context, b *pgx.Batch) (map[int]int64, error) {
	res := t.pooled.SendBatch(ctx, b)
	defer res.Close()
	if _, err := res.Exec(); err != nil {
		return nil, fmt.Errorf("begin a turn: %w", err)
	}
	return readLocks(res)
}

func (t *Turn) begin(ctx context.Context, in []Incoming) ([]TurnRow, error) {
	cols := columns(in)
	var b pgx.Batch
	b.Queue("begin")
	queueBegin(&b, cols)
	rows := make([]TurnRow, len(in))
	if err := t.readBegin(ctx, &b, in, rows, true); err != nil {
		return nil, err
	}
	missing := in[:0:0]
	for i := range rows {
		if rows[i].ConversationID == 0 {
			missing = append(missing, in[i])
		}
	}
	if len(missing) == 0 {
		return rows, nil
	}
	for _, m := range missing {
		if _, err := t.EnsureConversation(ctx, m); err != nil {
			return nil, err
		}
	}
	var again pgx.Batch
	queueBegin(&again, cols)
	return rows, t.readBegin(ctx, &again, in, rows, false)
}

func queueBegin(b *pgx.Batch, cols turnColumns) {
	b.Queue(lockFirst, cols.channel, cols.chat, cols.user)
	queueRead(b, cols)
}

func queueRead(b *pgx.Batch, cols turnColumns) {
	read := readTurn
	if cols.group {
		read = readTurnInGroup
	}
	b.Queue(read, cols.channel, cols.chat, cols.user)
	if cols.repeats {
		b.Queue(insertUnrepeated, cols.channel, cols.chat, cols.user, cols.key, cols.kind, cols.repeat, cols.within)
		return
	}
	b.Queue(insertInbox, cols.channel, cols.chat, cols.user, cols.key, cols.kind)
}

func (t *Turn) readBegin(ctx context.Context, b *pgx.Batch, in []Incoming, out []TurnRow, begin bool) error {
	res := t.conn.SendBatch(ctx, b)
	defer res.Close()
	if begin {
		if _, err := res.Exec(); err != nil {
			return fmt.Errorf("begin a turn: %w", err)
		}
	}
	held, err := readLocks(res)
	if err != nil {
		return err
	}
	if err := readRows(res, in, out); err != nil {
		return err
	}
	for i := range out {
		if held[i] == 0 {
			out[i].ConversationID = 0 // made between the two statements, so not ours yet
		}
	}
	return nil
}

// readRows reads the results of queueRead. What was inserted into the inbox by
// an earlier call stays fresh.
func readRows(res pgx.BatchResults, in []Incoming, out []TurnRow) error {
	found, err := res.Query()
	if err != nil {
		return fmt.Errorf("read a conversation: %w", err)
	}
	for found.Next() {
		var ord int64
		var r TurnRow
		if err := found.Scan(&ord, &r.ConversationID, &r.Flow, &r.State, &r.Turn, &r.FloodAt, &r.FloodCount,
			&r.Behind, &r.AddressID, &r.Trust, &r.AddressState, &r.Silent, &r.KnownAt, &r.PersonID, &r.OwnID, &r.Phone, &r.Lang, &r.Notice,
			&r.StaffID, &r.PromptID, &r.PromptFlow, &r.PromptState, &r.PromptSubject, &r.Now, &r.Wall,
			&r.GroupID, &r.GroupAddress, &r.BoundAs, &r.GroupBlocked, &r.GroupGone, &r.Left); err != nil {
			return fmt.Errorf("read a conversation: %w", err)
		}
		r.Fresh, r.InboxID = out[ord-1].Fresh, out[ord-1].InboxID
		out[ord-1] = r
	}
	if err := found.Err(); err != nil {
		return fmt.Errorf("read a conversation: %w", err)
	}
	return readInbox(res, in, out)
}

func readInbox(res pgx.BatchResults, in []Incoming, out []TurnRow) error {
	type name struct{ channel, key string }
	at := make(map[name]int, len(in))
	for i := range in {
		at[name{in[i].Channel, in[i].Key}] = i
	}
	taken, err := res.Query()
	if err != nil {
		return fmt.Errorf("insert into the inbox: %w", err)
	}
	for taken.Next() {
		var n name
		var id int64
		if err := taken.Scan(&n.channel, &n.key, &id); err != nil {
			return fmt.Errorf("read an inbox row: %w", err)
		}
		out[at[n]].Fresh, out[at[n]].InboxID = true, id
	}
	if err := taken.Err(); err != nil {
		return fmt.Errorf("insert into the inbox: %w", err)
	}
	return nil
}

// readLocks reads which conversations lockFirst has locked.
func readLocks(res pgx.BatchResults) (map[int]int64, error) {
	rows, err := res.Query()
	if err != nil {
		return nil, fmt.Errorf("lock a conversation: %w", err)
	}
	held := map[int]int64{}
	for rows.Next() {
		var ord, id int64
		if err := rows.Scan(&ord, &id); err != nil {
			return nil, fmt.Errorf("read a lock: %w", err)
		}
		held[int(ord-1)] = id
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("lock a conversation: %w", err)
	}
	return held, nil
}

type turnColumns struct {
	channel, chat, user, key, kind []string
	repeat                         []string
	within                         []float64
	group, repeats                 bool
}

func columns(in []Incoming) turnColumns {
	var c turnColumns
	for _, e := range in {
		c.channel = append(c.channel, e.Channel)
		c.chat = append(c.chat, e.Chat)
		c.user = append(c.user, e.User)
		c.key = append(c.key, e.Key)
		c.kind = append(c.kind, e.Kind)
		c.repeat = append(c.repeat, e.Repeat)
		c.within = append(c.within, e.RepeatWithin.Seconds())
		c.group, c.repeats = c.group || e.Group, c.repeats || e.Repeat != ""
	}
	return c
}

// EnsureConversation makes the conversation of an event with its address and
// person, or finds the one that another process made at the same moment.
func (t *Tx) EnsureConversation(ctx context.Context, e Incoming) (int64, error) {
	chat := e.Chat
	if e.Group { // nobody is written to in a group who was heard there only
		chat = ""
	}
	a, err := t.AddressByUser(ctx, e.Channel, e.User)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		person, err := t.NewPerson(ctx)
		if err != nil {
			return 0, fmt.Errorf("make a person: %w", err)
		}
		a, err = t.NewAddress(ctx, db.NewAddressParams{
			Channel: e.Channel, UserID: e.User, Chat: chat, PersonID: person, Trust: e.Trust,
		})
		if err != nil {
			return 0, fmt.Errorf("make an address: %w", err)
		}
	case err != nil:
		return 0, fmt.Errorf("look for an address: %w", err)
	case !e.Group:
		if err := t.SetAddressChat(ctx, e.Channel, e.User, chat); err != nil {
			return 0, fmt.Errorf("note the chat of an address: %w", err)
		}
	}
	id, err := t.NewConversation(ctx, db.NewConversationParams{
		Channel: e.Channel, Chat: e.Chat, UserID: e.User, AddressID: a, InGroup: e.Group,
	})
	if err != nil {
		return 0, fmt.Errorf("make a conversation: %w", err)
	}
	return id, nil
}
