package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// KindMembers is the due kind that looks who is in a work group: subject
// "conversation:ID" of the group.
const KindMembers = "group.members"

// overheardAnswer is how long after a question words in a group that were not
// addressed to us are still taken for its answer. Longer, and a word to a
// neighbour would be one.
const overheardAnswer = 3 * time.Minute

// maxCalled is how much of a name stands before what is said to a member.
const maxCalled = 20

// Where is the kind of group that the turn is in, as flows.Definition.Groups
// has it; empty in a private chat.
func (t *Turn) Where() string {
	switch {
	case !t.Group:
		return ""
	case t.BoundAs == "":
		return flows.GroupUnbound
	}
	return t.BoundAs
}

// AtWork reports whether a member of the staff speaks where staff work: in
// private or in a work group. Among residents they are a resident.
func (t *Turn) AtWork() bool {
	return t.Staff != 0 && (!t.Group || t.BoundAs == flows.GroupWork)
}

// runsHere reports whether a dialogue may be started in this chat. Default
// deny: in a group only what says so.
func (t *Turn) runsHere(flow string) bool {
	if !t.Group {
		return true
	}
	def, _, err := t.g.Library.Flow(flow, 0)
	return err == nil && slices.Contains(def.Groups, t.Where())
}

// CardHome is the conversation in which the cards of this chat lie: a group's
// own in a group.
func (t *Turn) CardHome() int64 {
	if t.Group && t.GroupID != 0 {
		return t.GroupID
	}
	return t.Conversation
}

// attend notes who is in a group and decides whether what was said is listened
// to. What is not is neither kept nor answered.
func (t *Turn) attend(ctx context.Context, ev bots.Event) (bool, error) {
	if ev.Kind == bots.KindMoved {
		return true, nil
	}
	if err := t.former(ctx); err != nil {
		return false, err
	}
	if err := t.present(ctx, ev); err != nil {
		return false, err
	}
	switch {
	case ev.Kind == bots.KindJoin, ev.Kind == bots.KindLeave:
		return false, nil
	case t.BoundAs == "" && t.row.Flow == "":
		return !ev.Overheard && ev.Kind == bots.KindText && t.command(t.input(ev, nil)), nil
	case ev.Overheard || t.BoundAs == "":
		return t.meant(ev)
	}
	return true, nil
}

// former finds the group for a word that was on its way to a chat from which the
// group has moved since.
func (t *Turn) former(ctx context.Context) error {
	if t.GroupID != 0 {
		return nil
	}
	g, err := t.FormerGroup(ctx, string(t.Channel), string(t.Chat))
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look which group was here: %w", err)
	}
	t.GroupID, t.BoundAs = g.ID, g.BoundAs
	t.row.GroupAddress, t.row.GroupBlocked = g.AddressID, g.Blocked
	return nil
}

// present keeps in the member's conversation that they are there, or left, and
// plans a look at the members of a work group when that may change anything.
func (t *Turn) present(ctx context.Context, ev bots.Event) error {
	left := ev.Kind == bots.KindLeave
	var err error
	switch {
	case left && !t.row.Left:
		err = t.LeaveGroup(ctx, t.Conversation)
	case !left && t.row.Left:
		err = t.ReturnToGroup(ctx, t.Conversation)
	}
	if err != nil {
		return fmt.Errorf("note a member of a group: %w", err)
	}
	if t.row.GroupGone && !left { // who hears us there can be written to again
		if err := t.SetAddressState(ctx, t.row.GroupAddress, "active"); err != nil {
			return fmt.Errorf("note that a group is back: %w", err)
		}
	}
	if t.BoundAs != flows.GroupWork {
		return nil
	}
	stranger := !left && (t.Staff == 0 || t.Trust != bots.TrustVerified)
	if stranger == t.row.GroupBlocked { // told already, or nothing to tell
		return nil
	}
	return t.LookAtMembers(ctx, t.GroupID)
}

// LookAtMembers plans a look at who is in a work group.
func (t *Turn) LookAtMembers(ctx context.Context, group int64) error {
	return t.ReplanDue(ctx, Plan{Kind: KindMembers, Subject: postgres.Subject("conversation", group), At: t.Now})
}

// WakeDue wakes the runner of due rows once the turn has committed.
func (t *Turn) WakeDue() { t.Wake(topicDue) }

// meant reports whether words that were not addressed to us are for us all the
// same: a danger, an answer to the question that this member was asked, or, in
// a work group, a whole command. In a group that is not bound yet only answers
// count.
func (t *Turn) meant(ev bots.Event) (bool, error) {
	in := t.input(ev, nil)
	if t.BoundAs != "" {
		if _, hit := t.dangerIn(in); hit {
			return true, nil
		}
		if t.BoundAs == flows.GroupWork && in.Kind == flows.InputText && t.wholeCommand(in.Text) {
			return true, nil
		}
	}
	d, err := t.current()
	if err != nil || d == nil || ev.Kind == bots.KindVoice {
		return false, err
	}
	return !ev.Overheard || ev.Kind == bots.KindChoice || t.answers(d, in), nil
}

// answers reports whether overheard words answer the open question.
func (t *Turn) answers(d *dialogue, in flows.Input) bool {
	q := d.State.Open()
	if q == nil {
		return false
	}
	if in.Kind != flows.InputText {
		return q.Accepts(flows.Accept(in.Kind))
	}
	if t.choice(d, in) != words.None {
		return true
	}
	return q.Accepts(flows.AcceptText) && t.Now.Sub(d.At) <= overheardAnswer
}

// wholeCommand reports whether a text is a command of the staff and nothing
// else: the word alone, or with the number of a card.
func (t *Turn) wholeCommand(text string) bool {
	_, rest, ok := t.staffIntent(text)
	return ok && t.AtWork() && (rest == "" || strings.ContainsRune("0123456789０１２３４５６７８９#＃", []rune(rest)[0]))
}

// called is what a member of a group is called in what is said to them there.
func called(ev bots.Event) string {
	if !ev.Group {
		return ""
	}
	return clip(strings.TrimSpace(ev.From.Name), maxCalled)
}

// Laid is a text that stays: a card, or a change of one. In a group it belongs
// to the group, so that its buttons are for whoever is there.
type Laid struct {
	// Reason names the late-binding check, Subject and Version what it reads.
	Reason, Subject string
	Version         int32
	Key             string
	Params          map[string]string
	Photo           string
	Options         []flows.Option
	// Edits is the outbox row whose message is replaced, 0 for a new message.
	// Short is the text, with the same values, that is said instead where the
	// channel cannot change what it sent; empty says nothing.
	Edits int64
	Short string
}

// Lay queues a text that stays in this chat.
func (t *Turn) Lay(l Laid) error {
	name, version, err := t.g.Library.TextSource(l.Key)
	if err != nil {
		return err
	}
	p := saidParams{Params: l.Params, Options: l.Options, Photo: l.Photo, Short: l.Short}
	line, err := t.line("texts:"+name, l.Key, version, p)
	if err != nil {
		return err
	}
	line.Reason, line.Subject, line.SubjectVersion, line.Edits = l.Reason, l.Subject, l.Version, l.Edits
	if t.Group && t.GroupID != 0 {
		line.ConversationID, line.AddressID = t.GroupID, t.row.GroupAddress
	}
	t.lines = append(t.lines, line)
	return nil
}

// CanEdit reports whether the channel of this chat can change what it sent.
func (t *Turn) CanEdit() bool {
	_, ok := t.g.Channels[t.Channel].(bots.Editor)
	return ok
}

// Editors lists the channels that can change what they sent.
func (t *Turn) Editors() []string {
	list := []string{}
	for id, a := range t.g.Channels {
		if _, ok := a.(bots.Editor); ok {
			list = append(list, string(id))
		}
	}
	slices.Sort(list)
	return list
}

// MakeGroup returns the own conversation of the group that this turn is in and
// makes it where there is none yet.
func (t *Turn) MakeGroup(ctx context.Context) (int64, error) {
	id, err := t.GroupIn(ctx, string(t.Channel), string(t.Chat))
	if !errors.Is(err, postgres.ErrNoRows) {
		if err != nil {
			return 0, fmt.Errorf("look for a group: %w", err)
		}
		return id, nil
	}
	person, err := t.NewGroupPerson(ctx)
	if err != nil {
		return 0, fmt.Errorf("make the person of a group: %w", err)
	}
	address, err := t.NewAddress(ctx, db.NewAddressParams{
		Channel: string(t.Channel), UserID: groupUser + string(t.Chat), Chat: string(t.Chat), PersonID: person, Trust: bots.TrustNone.String(),
	})
	if err != nil {
		return 0, fmt.Errorf("make the address of a group: %w", err)
	}
	id, err = t.NewGroup(ctx, db.NewGroupParams{
		Channel: string(t.Channel), Chat: string(t.Chat), UserID: groupUser, AddressID: address,
	})
	if err != nil {
		return 0, fmt.Errorf("make a group: %w", err)
	}
	return id, nil
}

// groupUser is the user of a group's own conversation, the same in every group so
// that it is found when two ids turn out to be one group; its address has the
// chat behind it. No network has such a user: a user id holds no control
// character.
const groupUser = "group\t"
