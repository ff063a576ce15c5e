package workorder

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
)

// What the desk that has the lead tells the reporter. Chat and desk page say it
// through the same functions.

// Write sends words of the staff to the reporter of a ticket: text key with
// {{number}} and {{words}}. They lie sealed in the due row. occasion is as in
// Notify.
func (s *Service) Write(ctx context.Context, t *gateway.Turn, o *Order, occasion, key, words string) error {
	return s.Notify(ctx, t, o, occasion, NoticeDue{
		Key: key, Params: map[string]string{"number": o.Number.Spoken()}, Words: t.Seal(SealNotice, strings.TrimSpace(words)),
	})
}

// Report is what a desk says of its work: Reply is for the resident, Internal
// for the staff alone. Photos are ids of blobs.
type Report struct {
	Result          ticket.UnitResult
	Reply, Internal string
	Photos          []string
}

// Finish keeps the report of a desk and tells the reporter; that of a finding
// stays among the staff.
func (s *Service) Finish(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, r Report) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.Finish{Result: r.Result, HasReply: r.Reply != "", Photos: len(r.Photos)})
	if err != nil {
		return nil, err
	}
	if err := s.SetReplies(ctx, t, o, r.Reply, r.Internal); err != nil {
		return nil, err
	}
	if err := s.Attach(ctx, t, o.ID, "evidence", r.Photos); err != nil || o.Finding {
		return o, err
	}
	return o, s.Write(ctx, t, o, "handled", "notice.handled", r.Reply)
}

// Relay hands words to the reporter without either side learning the other's
// number.
func (s *Service) Relay(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, words string) (*Order, error) {
	o, err := s.Do(ctx, t, id, by, ticket.Contact{Via: ticket.ViaRelay})
	if err != nil {
		return nil, err
	}
	if err := s.Note(ctx, t, o.ID, "all", words); err != nil {
		return nil, err
	}
	return o, s.Write(ctx, t, o, "relay/"+strconv.FormatInt(t.Now.Unix(), 10), "notice.relay", words)
}

// Transcribe keeps what a clerk heard as the words of the recordings of a
// ticket.
func (s *Service) Transcribe(ctx context.Context, t *gateway.Turn, id int64, heard string) error {
	files, err := t.TicketFiles(ctx, id)
	if err != nil {
		return fmt.Errorf("list the files of a ticket: %w", err)
	}
	for _, f := range files {
		if f.Use != "voice" {
			continue
		}
		if err := t.SetTranscript(ctx, f.BlobID, t.Seal(SealTranscript, heard)); err != nil {
			return fmt.Errorf("keep a transcript: %w", err)
		}
	}
	return nil
}

// uncard takes a ticket out of every staff chat in which it lies open.
func (s *Service) uncard(ctx context.Context, t *gateway.Turn, o *Order) error {
	if err := t.CloseCardsOf(ctx, o.ID); err != nil {
		return fmt.Errorf("take the cards of a ticket away: %w", err)
	}
	return nil
}
