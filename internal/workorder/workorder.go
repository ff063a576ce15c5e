// Package workorder keeps a ticket's row, its trail and its clocks in step.
//
// Package ticket says what may happen; this package makes it happen in the
// transaction of a turn: load and lock, Rules.Apply, save, one trail row per
// event, and what follows from each event (follow.go): who is told, which
// clocks run, which tasks lie on which desk. Actions, due kinds, the console
// and the API all go through Service.Do, so no two of them can disagree.
//
// # What follows is a due row
//
// Nobody but the speaker of a turn is spoken to directly. A card for a grid
// worker, a nudge, a callback are due rows with a unique key; the row says
// which version of the ticket it was planned for, and whoever runs it reads
// the ticket again.
//
// # Lock order
//
// The turn holds its conversation; Do then locks one ticket. Nothing here
// locks a second conversation.
package workorder

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
	"shaoying/scheduler"
)

// Order is a ticket with its sealed words.
type Order = postgres.SealedTicket

// The associated data under which a ticket's words are sealed.
const (
	sealWords    = "ticket.words"
	sealLabel    = "ticket.place_label"
	sealFor      = "ticket.reported_for"
	sealReply    = "ticket.public_reply"
	sealInternal = "ticket.internal_reply"
	sealNote     = "ticket_note.body"
	// SealTranscript seals blob.transcript.
	SealTranscript = "blob.transcript"
	// SealNotice seals NoticeDue.Words.
	SealNotice = "due.notice"
	// SealCallback seals callback.words: why a resident was not content.
	SealCallback = "callback.words"
	// SealTask seals task.data, SealPhone and SealName the columns of person.
	SealTask  = "task.data"
	SealPhone = gateway.SealPhone
	SealName  = "person.name"
)

// Service is immutable and safe for use by many goroutines.
type Service struct {
	Rules   *ticket.Rules
	Matters *ticket.Matters
	Rights  people.Rights
	Keys    *privacy.Keys
	Work    *scheduler.WorkTime
	// Announce, where it is set, is told of every event in the transaction of
	// its trail row. n counts the events of one command from 0.
	Announce func(ctx context.Context, t *gateway.Turn, o *Order, e ticket.Event, n int) error
	// Whistles are the rules of whistles.
	Whistles *ticket.WhistleRules
	Topics   ticket.TopicPolicy
}

// Filing is what a dialogue, a clerk or the API knows of a new ticket.
type Filing struct {
	// Words are the reporter's own.
	Words   string
	Content ticket.Content
	// Incomplete makes a draft that a clerk completes; it has its number.
	Incomplete bool
	// Finding is a grid worker's own finding: checked, not called back.
	Finding        bool
	Photos, Voices []string
	By             ticket.Actor
}

// File makes a ticket for the speaker of the turn.
func (s *Service) File(ctx context.Context, t *gateway.Turn, f Filing) (*Order, error) {
	number, err := ticket.NewNumber(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw a ticket number: %w", err)
	}
	label, reportedFor := f.Content.Place.Label, f.Content.ReportedFor
	reporter := cmp.Or(t.Own, t.Person)
	if f.By.As == ticket.AsReporter {
		f.By.Person = reporter
	}
	next, events, err := s.Rules.Apply(ticket.Ticket{}, f.By, ticket.File{
		Number: number, Content: f.Content, Incomplete: f.Incomplete, Finding: f.Finding,
		ReporterID: reporter, AddressID: t.Address, ConversationID: t.Conversation,
	}, t.Now)
	if err != nil {
		return nil, err
	}
	o := &Order{Ticket: next, Words: t.Seal(sealWords, f.Words), Label: t.Seal(sealLabel, label)}
	if reportedFor != "" {
		o.ReportedFor = t.Seal(sealFor, reportedFor)
	}
	if err := t.CreateTicket(ctx, o, s.Keys.Grams(f.Words+" "+label)); err != nil {
		return nil, err
	}
	for use, ids := range map[string][]string{"report": f.Photos, "voice": f.Voices} {
		if err := s.attach(ctx, t, o.ID, use, ids); err != nil {
			return nil, err
		}
	}
	return o, s.record(ctx, t, o, events, f.Words)
}

// Do applies a command to a ticket. A refusal comes back as *ticket.Refused
// and changes nothing; Refusal turns it into a text for staff.
func (s *Service) Do(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, c ticket.Command) (*Order, error) {
	o, err := s.Load(ctx, t, id, true)
	if err != nil {
		return nil, err
	}
	return o, s.apply(ctx, t, o, by, c)
}

// apply moves a locked order on and does what follows.
func (s *Service) apply(ctx context.Context, t *gateway.Turn, o *Order, by ticket.Actor, c ticket.Command) error {
	c, err := s.demanded(ctx, t, o, c)
	if err != nil {
		return err
	}
	next, events, err := s.Rules.Apply(o.Ticket, by, c, t.Now)
	if err != nil {
		return err
	}
	if l := next.Place.Label; l != o.Place.Label {
		o.Label = t.Seal(sealLabel, l)
	}
	if f := next.ReportedFor; f != o.Ticket.ReportedFor {
		o.ReportedFor = t.Seal(sealFor, f)
	}
	o.Ticket = next
	if err := t.SaveTicket(ctx, o); err != nil {
		return err
	}
	return s.record(ctx, t, o, events, "")
}

// record writes one trail row per event and does what follows from it.
func (s *Service) record(ctx context.Context, t *gateway.Turn, o *Order, events []ticket.Event, words string) error {
	for i, e := range events {
		data := TrailData(o.Ticket, e)
		if e.Actor.As == ticket.AsReporter {
			data["address"] = t.Address
		}
		if err := t.Record(ctx, "ticket."+string(e.Kind), Subject(o.ID), data, words); err != nil {
			return err
		}
		words = ""
		if s.Announce == nil {
			continue
		}
		if err := s.Announce(ctx, t, o, e, i); err != nil {
			return fmt.Errorf("announce %s: %w", e.Kind, err)
		}
	}
	for _, e := range events {
		if err := s.follow(ctx, t, o, e); err != nil {
			return fmt.Errorf("follow %s: %w", e.Kind, err)
		}
	}
	if slices.ContainsFunc(events, func(e ticket.Event) bool { return shows(e.Kind) }) {
		return s.changeCards(ctx, t, o)
	}
	return nil
}

// Subject names a ticket in due rows, prompts and the trail.
func Subject(id int64) string { return postgres.Subject("ticket", id) }

// Load reads an order with its place label opened.
func (s *Service) Load(ctx context.Context, t *gateway.Turn, id int64, lock bool) (*Order, error) {
	o, err := t.LoadTicket(ctx, id, lock)
	if err != nil {
		return nil, err
	}
	return o, s.open(o)
}

// open opens the two sealed columns that the rules work with.
func (s *Service) open(o *Order) error {
	label, err := s.unseal(sealLabel, o.Label)
	if err != nil {
		return err
	}
	o.Place.Label = label
	o.Ticket.ReportedFor, err = s.unseal(sealFor, o.ReportedFor)
	return err
}

func (s *Service) unseal(what string, sealed []byte) (string, error) {
	if sealed == nil {
		return "", nil
	}
	plain, err := s.Keys.Open(sealed, what)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", what, err)
	}
	return string(plain), nil
}

// ErrNotYours is returned where a number exists but its reader may not see
// it: the answer must be the same as for a number that does not exist.
var ErrNotYours = errors.New("no such ticket for this reader")

// FindOwn finds a ticket by its number for the resident who speaks and wants c
// done with it: one of the person's, or one by this address, as the trust in the
// address allows.
func (s *Service) FindOwn(ctx context.Context, t *gateway.Turn, n ticket.Number, c people.ResidentCommand) (*Order, error) {
	id, err := t.TicketIDByNumber(ctx, string(n))
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, ErrNotYours
	}
	if err != nil {
		return nil, fmt.Errorf("look a number up: %w", err)
	}
	o, err := s.Load(ctx, t, id, false)
	if err != nil {
		return nil, err
	}
	if o.ReporterID != t.Person {
		root, err := t.RootPerson(ctx, o.ReporterID)
		if err != nil {
			return nil, fmt.Errorf("follow a merged person: %w", err)
		}
		if root != t.Person { // also who has a number now that was somebody else's
			return nil, ErrNotYours
		}
	}
	switch people.Allowed(c, t.Trust, false) {
	case people.Allow:
		return o, nil
	case people.AllowOwn:
		if o.AddressID == t.Address {
			return o, nil
		}
	}
	return nil, ErrNotYours
}

// Words opens what the reporter said.
func (s *Service) Words(o *Order) (string, error) { return s.unseal(sealWords, o.Words) }

// Reply opens what the desk told the resident.
func (s *Service) Reply(o *Order) (string, error) { return s.unseal(sealReply, o.PublicReply) }

// SetReplies keeps the desk's two texts: what the resident reads, and what
// only staff read.
func (s *Service) SetReplies(ctx context.Context, t *gateway.Turn, o *Order, public, internal string) error {
	o.PublicReply = t.Seal(sealReply, public)
	if internal != "" {
		o.InternalReply = t.Seal(sealInternal, internal)
	}
	if err := t.Tx.SetReplies(ctx, o.ID, o.PublicReply, o.InternalReply); err != nil {
		return fmt.Errorf("keep the reply: %w", err)
	}
	return nil
}

// AddWords appends what the reporter adds later, and makes it findable.
func (s *Service) AddWords(ctx context.Context, t *gateway.Turn, o *Order, more string) error {
	words, err := s.Words(o)
	if err != nil {
		return err
	}
	words = strings.TrimSpace(words + "\n" + more)
	o.Words = t.Seal(sealWords, words)
	if err := t.SetTicketWords(ctx, o.ID, o.Words, s.Keys.Grams(words+" "+o.Place.Label)); err != nil {
		return fmt.Errorf("add to a ticket: %w", err)
	}
	if o.State == ticket.Merged {
		if err := s.shareWords(ctx, t, o, more); err != nil {
			return err
		}
	}
	return t.Record(ctx, "ticket.words_added", Subject(o.ID), nil, more)
}

// Note keeps a remark; audience "all" may be shown to the reporter.
func (s *Service) Note(ctx context.Context, t *gateway.Turn, id int64, audience, words string) error {
	err := t.AddTicketNote(ctx, db.AddTicketNoteParams{
		TicketID: id, Author: t.Actor(), Audience: audience, Body: t.Seal(sealNote, words),
	})
	if err != nil {
		return fmt.Errorf("keep a note: %w", err)
	}
	return nil
}

// Attach keeps photos with a ticket; use is "report" or "evidence".
func (s *Service) Attach(ctx context.Context, t *gateway.Turn, id int64, use string, blobs []string) error {
	return s.attach(ctx, t, id, use, blobs)
}

func (s *Service) attach(ctx context.Context, t *gateway.Turn, id int64, use string, blobs []string) error {
	for _, b := range blobs {
		if err := t.AddTicketFile(ctx, db.AddTicketFileParams{TicketID: id, BlobID: b, Use: use, AddedBy: t.Actor()}); err != nil {
			return fmt.Errorf("attach a file: %w", err)
		}
	}
	return nil
}
