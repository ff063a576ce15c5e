package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Action is something that a dialogue may call. It runs on the transaction of
// the turn, under the lock of its conversation, and must do nothing that a
// rollback does not undo. What it returns becomes variables of the dialogue;
// {"fail": textKey} says that text. An error undoes the whole turn.
type Action func(ctx context.Context, t *Turn, args map[string]any) (map[string]any, error)

// Fresh is a late-binding check: is the reason for which an outbox row was
// written still true? If not, why says what changed, for the ledger.
type Fresh func(ctx context.Context, tx *postgres.Tx, subject string, version int32) (ok bool, why string, err error)

// Turn is what actions and due kinds work with: the transaction, product
// time, who is speaking, and what will be said. It lives for one turn.
type Turn struct {
	*postgres.Tx
	// Now is product time, Wall database time; both the same for the turn.
	Now, Wall time.Time

	Conversation int64
	Channel      bots.ChannelID
	Chat         bots.ChatID
	User         bots.UserID
	// Group is true where others read along. BoundAs says how the group is
	// bound ("", work, residents), GroupID is its own conversation, 0 while
	// it was never bound.
	Group   bool
	BoundAs string
	GroupID int64
	Address int64
	Person  int64
	// Own is the person of the address itself, with whom is kept what they say:
	// Person, or one that was merged into it. Un-merging gives it back.
	Own int64
	// Staff is 0 when the speaker is not on the staff, or nobody knows (Forgeable).
	Staff int64
	// Token is the program that speaks, 0 for people. Staff is then the entry
	// under which colleagues know it.
	Token int64
	// Trust is what the address may be believed for.
	Trust bots.Trust
	Lang  string
	// PromptSubject is what the open prompt that is being answered is about.
	PromptSubject string
	// Class is how much what a due thing says may disturb: that of its kind,
	// unless Run knows better. It decides what goes out first.
	Class scheduler.Class

	g      *Gateway
	row    postgres.TurnRow
	caps   bots.Caps
	dialog *dialogue
	// extension is the code that the event came with, waiting the open prompts
	// (prompts), nil while nobody looked.
	extension string
	waiting   []*dialogue
	// after is done when the open dialogue has ended.
	after func(context.Context) error
	lines []postgres.Line
	heard []postgres.Heard
	wake  map[string]bool
	// push is set while a due thing speaks: its lines are pushes, with the
	// reason and subject that late binding will read again.
	push *pushing
	// due is the row that runs, 0 in a turn that somebody speaks.
	due int64
	// called is the speaker's name in what is said to them in a group.
	called string
	// aside is where lines go that must not go into the group, nil for
	// nowhere; muted says that one of the two holds.
	muted bool
	aside *db.ConversationRow
}

type pushing struct {
	reason, subject string
	version         int32
}

// Actor names the speaker in the trail: "token:3", "staff:7", "person:12",
// "system".
func (t *Turn) Actor() string {
	switch {
	case t.Token != 0:
		return postgres.Subject("token", t.Token)
	case t.Staff != 0:
		return postgres.Subject("staff", t.Staff)
	case t.Person != 0:
		return postgres.Subject("person", t.Person)
	}
	return "system"
}

// Say queues a text of the catalogue for this conversation. Where a reply
// must be exactly once and in order, this is the only way to say it.
func (t *Turn) Say(key string, params map[string]string, options ...flows.Option) error {
	return t.sayPhoto(key, params, "", options)
}

// SayPhoto is Say with a stored photo.
func (t *Turn) SayPhoto(key string, params map[string]string, blob string, options ...flows.Option) error {
	return t.sayPhoto(key, params, blob, options)
}

func (t *Turn) sayPhoto(key string, params map[string]string, blob string, options []flows.Option) error {
	name, version, err := t.g.Library.TextSource(key)
	if err != nil {
		return err
	}
	return t.queue("texts:"+name, key, version, saidParams{Params: params, Options: options, Photo: blob}, flows.Say{})
}

// saidParams is the sealed part of an outbox row.
type saidParams struct {
	Params  map[string]string `json:"p,omitempty"`
	Options []flows.Option    `json:"o,omitempty"`
	Photo   string            `json:"f,omitempty"`
	// Short is the text for where a message cannot be changed.
	Short string `json:"s,omitempty"`
	// To is who is spoken to in a group.
	To string `json:"t,omitempty"`
}

func (t *Turn) queue(source, key string, version int, p saidParams, s flows.Say) error {
	p.To = t.called
	line, err := t.line(source, key, version, p)
	if err != nil {
		return err
	}
	if t.muted {
		if t.aside == nil {
			return nil
		}
		line.Chat, line.ConversationID, line.AddressID = t.aside.Chat, t.aside.ID, t.aside.AddressID
	}
	if s.Question {
		line.QuestionTurn, line.Nudge, line.Expire = t.row.Turn, s.Nudge, s.Expire
	}
	if t.push != nil {
		line.Reason, line.Subject, line.SubjectVersion = t.push.reason, t.push.subject, t.push.version
	}
	if t.dialog != nil {
		line.PromptID, line.Extension = t.dialog.prompt, t.dialog.extension
	}
	t.lines = append(t.lines, line)
	return nil
}

// line is one message to this conversation.
func (t *Turn) line(source, key string, version int, p saidParams) (postgres.Line, error) {
	params, err := t.g.sealSaid(p)
	if err != nil {
		return postgres.Line{}, err
	}
	line := postgres.Line{
		Channel: string(t.Channel), Chat: string(t.Chat), ConversationID: t.Conversation, AddressID: t.Address,
		Class: "reply", Source: source, Key: key, Version: int32(version), Lang: t.Lang,
		Params: params,
	}
	if t.push != nil {
		line.Class, line.Rank, line.Due = "push", rankOf(t.Class), t.due
	}
	return line, nil
}

// rankOf is in which order pushes go out. Replies go with the first.
func rankOf(class scheduler.Class) int16 {
	switch class {
	case scheduler.Emergency, scheduler.Urgent:
		return 0
	case scheduler.Survey, scheduler.Bulk:
		return 2
	}
	return 1
}

// Plan is one due row to write with the turn.
type Plan struct {
	Kind, Subject, Key string
	Person             int64
	Version            int32
	Data               any
	At                 time.Time
	// NotAfter is when it is too late; zero means never.
	NotAfter time.Time
}

// PlanDue writes due rows. The key (kind, subject, key) decides: planning the
// same thing twice does nothing.
func (t *Turn) PlanDue(ctx context.Context, plans ...Plan) error {
	if len(plans) == 0 {
		return nil
	}
	rows, err := dueRows(plans)
	if err != nil {
		return err
	}
	if err := t.PlanDues(ctx, rows); err != nil {
		return fmt.Errorf("plan %s for %s: %w", plans[0].Kind, plans[0].Subject, err)
	}
	t.Wake(topicDue)
	return nil
}

func dueRows(plans []Plan) (rows db.PlanDuesParams, err error) {
	for _, p := range plans {
		data, err := p.data()
		if err != nil {
			return rows, err
		}
		rows.Kinds, rows.Subjects, rows.Keys = append(rows.Kinds, p.Kind), append(rows.Subjects, p.Subject), append(rows.Keys, p.Key)
		rows.Persons, rows.Versions = append(rows.Persons, p.Person), append(rows.Versions, p.Version)
		rows.Data, rows.DueAts, rows.NotAfters = append(rows.Data, string(data)), append(rows.DueAts, p.At), append(rows.NotAfters, p.NotAfter)
	}
	return rows, nil
}

// ReplanDue writes a due row or moves the one that is there.
func (t *Turn) ReplanDue(ctx context.Context, p Plan) error {
	data, err := p.data()
	if err != nil {
		return err
	}
	row := db.ReplanDueParams{
		Kind: p.Kind, Subject: p.Subject, Key: p.Key, SubjectVersion: p.Version, Data: data, DueAt: p.At,
	}
	if p.Person != 0 {
		row.PersonID = &p.Person
	}
	if !p.NotAfter.IsZero() {
		row.NotAfter = &p.NotAfter
	}
	if err := t.Tx.ReplanDue(ctx, row); err != nil {
		return fmt.Errorf("plan %s for %s again: %w", p.Kind, p.Subject, err)
	}
	t.Wake(topicDue)
	return nil
}

// data packs what the kind will read.
func (p Plan) data() ([]byte, error) {
	if p.Data == nil {
		return []byte("{}"), nil
	}
	data, err := json.Marshal(p.Data)
	if err != nil {
		return nil, fmt.Errorf("pack the data of %s: %w", p.Kind, err)
	}
	return data, nil
}

// Wake wakes the listeners of a topic once the turn has committed.
func (t *Turn) Wake(topic string) {
	if t.wake == nil {
		t.wake = map[string]bool{}
	}
	t.wake[topic] = true
}

// Record appends to the trail in this transaction. Data holds ids and codes
// only; words goes sealed and salted beside it and can be erased.
func (t *Turn) Record(ctx context.Context, kind, subject string, data map[string]any, words string) error {
	return Record(ctx, t.Tx, t.g.Keys, t.Actor(), kind, subject, data, words)
}

// Seal seals personal words for a column named by what.
func (t *Turn) Seal(what, words string) []byte { return t.g.Keys.Seal([]byte(words), what) }

// Open opens what Seal sealed.
func (t *Turn) Open(what string, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := t.g.Keys.Open(sealed, what)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", what, err)
	}
	return string(plain), nil
}
