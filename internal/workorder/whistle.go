package workorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// Whistle is a whistle with its sealed words.
type Whistle = postgres.SealedWhistle

// The associated data under which the words of whistles are sealed.
const (
	sealWhistleWords    = "whistle.words"
	sealWhistleLabel    = "whistle.place_label"
	sealWhistlePosition = "whistle_unit.position"
	sealWhistleReport   = "whistle_unit.report"
)

// ErrWhistleRuns: one whistle at a time runs over a ticket.
var ErrWhistleRuns = errors.New("a whistle runs over this ticket already")

// ErrNoHead: nobody of the township may decide about the whistle, because there
// is no head or the claim is about them.
var ErrNoHead = errors.New("no head of a township may decide about it")

// WhistleSubject names a whistle in due rows, tasks and the trail.
func WhistleSubject(id int64) string { return postgres.Subject("whistle", id) }

// Proposal is a source of a whistle 哨源. Words say why one unit is not enough;
// they are the proposer's own, so that nothing of a reporter goes along.
type Proposal struct {
	// Order is the ticket behind it, nil for none.
	Order  *Order
	Kind   ticket.WhistleKind
	Source ticket.WhistleSource
	// Place, and what is to be kept from whom, are read where there is no ticket.
	Place   ticket.PlaceRef
	Private bool
	Against []string
	Words   string
	By      ticket.Actor
}

// ProposeWhistle lays a whistle before the head of the township. It returns
// ErrWhistleRuns, ErrNoHead or a *ticket.Refused.
func (s *Service) ProposeWhistle(ctx context.Context, t *gateway.Turn, p Proposal) (*Whistle, error) {
	d := ticket.Deed{Command: ticket.WhistlePropose, Kind: p.Kind, Source: p.Source, Place: p.Place}
	w := &Whistle{Whistle: ticket.Whistle{Private: p.Private, Against: p.Against}}
	if p.Order != nil {
		// Two who propose at the same moment wait for each other here.
		if _, err := t.LoadTicket(ctx, p.Order.ID, true); err != nil {
			return nil, err
		}
		_, err := t.OpenWhistleOf(ctx, &p.Order.ID)
		if err == nil {
			return nil, ErrWhistleRuns
		}
		if !errors.Is(err, postgres.ErrNoRows) {
			return nil, fmt.Errorf("look for a whistle over a ticket: %w", err)
		}
		d.TicketID, d.Place = p.Order.ID, p.Order.Place
		w.Inherit(p.Order.Ticket)
	}
	next, e, err := s.Whistles.Apply(w.Whistle, p.By, d, t.Now)
	if err != nil {
		return nil, err
	}
	w.Whistle = next
	w.Words, w.Label = t.Seal(sealWhistleWords, p.Words), t.Seal(sealWhistleLabel, d.Place.Label)
	heads, err := s.WhistlePeople(ctx, t, w, HeadCircle())
	if err != nil {
		return nil, err
	}
	if len(heads) == 0 {
		return nil, ErrNoHead
	}
	if err := t.CreateWhistle(ctx, w); err != nil {
		return nil, err
	}
	return w, s.recordWhistle(ctx, t, w, e, p.Words)
}

// LoadWhistle reads a whistle with its place label opened and with what its
// ticket keeps from whom by now.
func (s *Service) LoadWhistle(ctx context.Context, t *gateway.Turn, id int64, lock bool) (*Whistle, error) {
	w, err := t.Tx.LoadWhistle(ctx, id, lock)
	if err != nil {
		return nil, err
	}
	return w, s.openWhistle(ctx, t, w)
}

func (s *Service) openWhistle(ctx context.Context, t *gateway.Turn, w *Whistle) (err error) {
	if w.Place.Label, err = s.unseal(sealWhistleLabel, w.Label); err != nil || w.TicketID == 0 {
		return err
	}
	o, err := t.LoadTicket(ctx, w.TicketID, false)
	if err != nil {
		return err
	}
	w.Inherit(o.Ticket)
	return nil
}

// DoWhistle applies a command to a whistle, like Do; words go sealed into the
// trail. A refusal comes back as *ticket.Refused and changes nothing.
func (s *Service) DoWhistle(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, d ticket.Deed, words string) (*Whistle, error) {
	w, err := s.LoadWhistle(ctx, t, id, true)
	if err != nil {
		return nil, err
	}
	next, e, err := s.Whistles.Apply(w.Whistle, by, d, t.Now)
	if err != nil {
		return w, err
	}
	w.Whistle = next
	if err := t.SaveWhistle(ctx, w); err != nil {
		return nil, err
	}
	return w, s.recordWhistle(ctx, t, w, e, words)
}

// recordWhistle writes the trail row of a step and does what follows from it.
func (s *Service) recordWhistle(ctx context.Context, t *gateway.Turn, w *Whistle, e ticket.WhistleEvent, words string) error {
	data := map[string]any{"from": e.From, "to": e.To, "version": e.Version, "as": e.Actor.As}
	for k, v := range e.Data {
		data[k] = v
	}
	if e.Unit.Code != "" {
		data["unit"] = e.Unit.Code
	}
	if w.TicketID != 0 {
		data["ticket"] = w.TicketID
	}
	if err := t.Record(ctx, "whistle."+e.Kind, WhistleSubject(w.ID), data, words); err != nil {
		return err
	}
	if err := s.followWhistle(ctx, t, w, e); err != nil {
		return fmt.Errorf("follow whistle.%s: %w", e.Kind, err)
	}
	return nil
}

// WhistleWords opens why the whistle was proposed.
func (s *Service) WhistleWords(w *Whistle) (string, error) {
	return s.unseal(sealWhistleWords, w.Words)
}

// Position is where somebody stood who arrived.
type Position struct {
	Lat   float64 `json:"lat"`
	Lon   float64 `json:"lon"`
	Label string  `json:"label,omitempty"`
}

// Arrival is what a unit shows of its turning up. Both may be missing.
type Arrival struct {
	At     *Position
	Photos []string
}

// Arrive records that a unit turned up 报到: who and when by the rules, where and
// what it looked like beside them.
func (s *Service) Arrive(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, a Arrival) (*Whistle, error) {
	w, err := s.DoWhistle(ctx, t, id, by, ticket.Deed{Command: ticket.WhistleArrive}, "")
	if err != nil {
		return w, err
	}
	part, _ := w.Part(by.Desk)
	if a.At != nil {
		body, err := json.Marshal(a.At)
		if err != nil {
			return nil, fmt.Errorf("pack a position: %w", err)
		}
		if err := t.SetWhistlePosition(ctx, part.ID, t.Seal(sealWhistlePosition, string(body))); err != nil {
			return nil, fmt.Errorf("keep where somebody arrived: %w", err)
		}
	}
	return w, s.attachWhistle(ctx, t, part.ID, "arrival", a.Photos)
}

// ReportWhistle records what a unit did, in its words, with its photos.
func (s *Service) ReportWhistle(ctx context.Context, t *gateway.Turn, id int64, by ticket.Actor, words string, photos []string) (*Whistle, error) {
	w, err := s.DoWhistle(ctx, t, id, by, ticket.Deed{Command: ticket.WhistleHandle}, words)
	if err != nil {
		return w, err
	}
	part, _ := w.Part(by.Desk)
	if err := t.SetWhistleReport(ctx, part.ID, t.Seal(sealWhistleReport, words)); err != nil {
		return nil, fmt.Errorf("keep what a unit reports: %w", err)
	}
	return w, s.attachWhistle(ctx, t, part.ID, "evidence", photos)
}

func (s *Service) attachWhistle(ctx context.Context, t *gateway.Turn, unit int64, use string, photos []string) error {
	for _, b := range photos {
		if err := t.AddWhistleFile(ctx, db.AddWhistleFileParams{UnitID: unit, BlobID: b, Use: use, AddedBy: t.Actor()}); err != nil {
			return fmt.Errorf("attach a file to a whistle: %w", err)
		}
	}
	return nil
}

// WhistleCardSubject names the message of a whistle in a chat: group is the own
// conversation of a group, 0 in private.
func WhistleCardSubject(id, group int64) string {
	if group == 0 {
		return WhistleSubject(id)
	}
	return WhistleSubject(id) + "/" + strconv.FormatInt(group, 10)
}

// ParseWhistleCard reads what WhistleCardSubject wrote.
func ParseWhistleCard(subject string) (id, group int64, err error) {
	rest, ok := strings.CutPrefix(subject, "whistle:")
	what, where, both := strings.Cut(rest, "/")
	if !ok {
		return 0, 0, fmt.Errorf("read the subject %q: it names no whistle", subject)
	}
	if id, err = strconv.ParseInt(what, 10, 64); err == nil && both {
		group, err = strconv.ParseInt(where, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the subject %q: %w", subject, err)
	}
	return id, group, nil
}
