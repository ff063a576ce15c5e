package homecare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// The ledger says what was sent to whom, what was not and why, and who answered.
// It is read from what is kept anyway: due rows (planned, done, or ended with a
// reason), the outbox (queued, sent, reported), prompts (answered, late, unsent) and
// the trail. It holds ids and codes, no words, and is forgotten with those rows.

// mostEntries is how many entries one reading brings at most.
const mostEntries = 2000

// LedgerOf says what is looked for: a person under whatever face, or a bed with all
// that is said around it; in which days. A preview of neither is of what lies at some
// clinics and hospitals.
type LedgerOf struct {
	Person, Bed int64
	Orgs        []int64
	Everywhere  bool           // all organisations, and what hangs on none
	From, To    scheduler.Date // both are within
}

// Ledger is what was found, in order of time. More says that there was too much for
// one reading.
type Ledger struct {
	Entries []LedgerEntry
	Events  []LedgerEvent
	More    bool
}

// LedgerEntry is one thing that was, or will be, due.
type LedgerEntry struct {
	Due
	ID      int64
	Kind    string // of row: DueTell …
	Subject string // "visit:9"
	Version int
	Person  int64 // whom it is for, 0 for staff and desks
	At      time.Time
	// NotAfter is when it has no meaning any more, zero for never.
	NotAfter time.Time
	// State: planned, running, done, cleared, expired, dropped, failed, suppressed.
	// Reason says why, where it did not happen, or what put it off.
	State, Reason string
	EndedAt       time.Time
	Sent          []Sent
	Asked         *Prompted
}

// Sent is one message of an entry, on one address.
type Sent struct {
	Channel string
	Address int64
	// State: queued, sending, sent, failed, unknown, stale; Why is its error, or why
	// it was stale. Report is what the network said later: buffered, delivered, failed.
	State, Why, Report string
	At                 time.Time
}

// Prompted is what became of a question: "" while it is open, answered, joined to
// another, expired, unsent, or cleared with a reason.
type Prompted struct {
	OpenedAt, Until, ClosedAt time.Time
	Outcome                   string
}

// LedgerEvent is what somebody did: an answer, a move, a visit.
type LedgerEvent struct {
	At                   time.Time
	Actor, Kind, Subject string
}

// Ledger reads what was due for a person or around a bed on some days.
func (s *Service) Ledger(ctx context.Context, tx *postgres.Tx, of LedgerOf) (Ledger, error) {
	loc := s.Orders.Work.Location()
	since, until := of.From.At(0, loc), of.To.AddDays(1).At(0, loc)
	var ids []int64
	var err error
	if of.Bed != 0 {
		ids, err = tx.DuesOfBed(ctx, db.DuesOfBedParams{Bed: of.Bed, Kinds: ledgerKinds(), Since: since, Until: until, MaxRows: mostEntries})
	} else {
		ids, err = tx.DuesOfPerson(ctx, db.DuesOfPersonParams{Person: of.Person, Kinds: ledgerKinds(), Since: since, Until: until, MaxRows: mostEntries})
	}
	l, err := listed(ctx, tx, ids, err)
	if err != nil {
		return l, err
	}
	if err := said(ctx, tx, l.Entries); err != nil {
		return Ledger{}, err
	}
	l.Events, err = events(ctx, tx, l.Entries, of.Bed, since, until)
	return l, err
}

// Preview lists what will be sent to whom until the end of a day: of a person, a bed,
// or some organisations.
func (s *Service) Preview(ctx context.Context, tx *postgres.Tx, of LedgerOf) (Ledger, error) {
	if of.Person != 0 || of.Bed != 0 {
		l, err := s.Ledger(ctx, tx, of)
		l.Events = nil
		l.Entries = slices.DeleteFunc(l.Entries, func(e LedgerEntry) bool { return e.State != "planned" && e.State != "suppressed" })
		return l, err
	}
	ids, err := tx.DuesAhead(ctx, db.DuesAheadParams{
		Kinds: ledgerKinds(), Until: of.To.AddDays(1).At(0, s.Orders.Work.Location()), Orgs: of.Orgs, Everywhere: of.Everywhere, MaxRows: mostEntries,
	})
	return listed(ctx, tx, ids, err)
}

// Days are the days of a preview: today and n-1 more.
func (s *Service) Days(now time.Time, n int) (from, to scheduler.Date) {
	from = s.dayOf(now)
	return from, from.AddDays(max(n, 1) - 1)
}

func ledgerKinds() []string { return append(Kinds(), DueNews) }

// listed reads the rows that a query found.
func listed(ctx context.Context, tx *postgres.Tx, ids []int64, err error) (Ledger, error) {
	var rows []db.DuesListedRow
	if err == nil {
		rows, err = tx.DuesListed(ctx, ids)
	}
	if err != nil {
		return Ledger{}, fmt.Errorf("read what was due: %w", err)
	}
	l := Ledger{Entries: make([]LedgerEntry, len(rows)), More: len(rows) == mostEntries}
	for i, r := range rows {
		e := LedgerEntry{ID: r.ID, Kind: r.Kind, Subject: r.Subject, Version: int(r.SubjectVersion), At: r.DueAt, State: r.State, Reason: r.Reason}
		if r.PersonID != nil {
			e.Person = *r.PersonID
		}
		if r.NotAfter != nil {
			e.NotAfter = *r.NotAfter
		}
		if r.DoneAt != nil {
			e.EndedAt = *r.DoneAt
		}
		if err := e.read(r.Data); err != nil {
			return Ledger{}, err
		}
		l.Entries[i] = e
	}
	return l, nil
}

// read reads the data of the row; news of an application are rungs named after
// their event.
func (e *LedgerEntry) read(body json.RawMessage) error {
	var err error
	if e.Kind == DueNews {
		var n NewsDue
		err = json.Unmarshal(body, &n)
		e.Due = Due{Programme: care.FamilyBed, Rung: string(n.Event), Role: care.ToApplicant, Class: scheduler.Normal}
	} else {
		err = json.Unmarshal(body, &e.Due)
	}
	if err != nil {
		return fmt.Errorf("read the data of due row %d: %w", e.ID, err)
	}
	return nil
}

// said finds the messages and the questions of entries. What staff are told goes by
// lines of their own, so it is found by what it says about which subject.
func said(ctx context.Context, tx *postgres.Tx, entries []LedgerEntry) error {
	ids, subjects := make([]int64, len(entries)), make([]string, len(entries))
	for i, e := range entries {
		ids[i], subjects[i] = e.ID, e.Subject
	}
	slices.Sort(subjects)
	messages, err := tx.SaidAbout(ctx, slices.Compact(subjects))
	if err != nil {
		return fmt.Errorf("read what was said: %w", err)
	}
	prompts, err := tx.PromptsOfDues(ctx, ids)
	if err != nil {
		return fmt.Errorf("read what was asked: %w", err)
	}
	for i := range entries {
		e := &entries[i]
		key := "care." + e.Programme + "." + e.Rung
		for _, m := range messages {
			lined := e.Kind == DueStaff && m.Subject == e.Subject && int(m.SubjectVersion) == e.Version && m.TextKey == key
			if m.DueID != e.ID && !lined {
				continue
			}
			sent := Sent{Channel: m.Channel, Address: m.AddressID, State: m.State, Why: m.Error, Report: m.Report, At: m.QueuedAt}
			if m.Went {
				sent.At = m.SentAt
			}
			e.Sent = append(e.Sent, sent)
		}
		for _, p := range prompts {
			if p.DueID != e.ID {
				continue
			}
			e.Asked = &Prompted{OpenedAt: p.OpenedAt, Until: p.OpenUntil, Outcome: p.Outcome}
			if p.ClosedAt != nil {
				e.Asked.ClosedAt = *p.ClosedAt
			}
		}
	}
	return nil
}

// events reads from the trail who answered and who did something.
func events(ctx context.Context, tx *postgres.Tx, entries []LedgerEntry, bed int64, since, until time.Time) ([]LedgerEvent, error) {
	var subjects []string
	if bed != 0 {
		subjects = append(subjects, BedSubject(bed))
	}
	for _, e := range entries {
		subjects = append(subjects, e.Subject)
	}
	slices.Sort(subjects)
	rows, err := tx.TrailAbout(ctx, slices.Compact(subjects), since, until)
	if err != nil {
		return nil, fmt.Errorf("read who did what: %w", err)
	}
	out := make([]LedgerEvent, 0, len(rows))
	for _, r := range rows {
		if kind, _, _ := strings.Cut(r.Kind, "."); slices.Contains([]string{"visit", "bed", "application", "occasion"}, kind) {
			out = append(out, LedgerEvent{At: r.At, Actor: r.Actor, Kind: r.Kind, Subject: r.Subject})
		}
	}
	return out, nil
}
