package homecare

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/feed"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// FeedPath is where the calendars of visitors lie: FeedPath + token + FeedExt.
const (
	FeedPath = "/feed/"
	FeedExt  = ".ics"
)

// feedToken is the length of a token before it is written down, in bytes.
const feedToken = 32

// maxFeed bounds the entries of a calendar; feedBack is how many days of what was it
// holds.
const (
	maxFeed  = 500
	feedBack = 30
)

// ErrNoFeed is returned for an address that nobody's calendar lies at: it never was,
// it was revoked, or its reader has left.
var ErrNoFeed = errors.New("no such calendar")

// IssueFeed makes the secret address of a visitor's calendar and takes older ones
// back. The database keeps a hash of it.
func (s *Service) IssueFeed(ctx context.Context, t *gateway.Turn, staff int64) (path string, err error) {
	if _, err := t.Tx.RevokeFeeds(ctx, staff); err != nil {
		return "", fmt.Errorf("take older calendars back: %w", err)
	}
	raw := make([]byte, feedToken)
	rand.Read(raw) // never fails
	token := base64.RawURLEncoding.EncodeToString(raw)
	if err := t.AddFeed(ctx, staff, s.feedHash(token)); err != nil {
		return "", fmt.Errorf("keep the address of a calendar: %w", err)
	}
	return FeedPath + token + FeedExt, t.Record(ctx, "feed.issued", subjectOf("staff", staff), nil, "")
}

// RevokeFeeds takes the calendars of a visitor back and tells how many there were.
func (s *Service) RevokeFeeds(ctx context.Context, t *gateway.Turn, staff int64) (int64, error) {
	n, err := t.Tx.RevokeFeeds(ctx, staff)
	if err != nil {
		return 0, fmt.Errorf("take calendars back: %w", err)
	}
	if n == 0 {
		return 0, nil
	}
	return n, t.Record(ctx, "feed.revoked", subjectOf("staff", staff), nil, "")
}

func (s *Service) feedHash(token string) []byte { return s.Orders.Keys.SessionHash("feed/" + token) }

// Feed renders the calendar that lies at a token, ErrNoFeed where there is none. An
// entry holds the number of the visit alone: no patient, no place, no kind of care.
func (s *Service) Feed(ctx context.Context, base *postgres.DB, token string, text func(key string, params map[string]string) (string, error), now time.Time) ([]byte, error) {
	who, err := base.FeedOf(ctx, s.feedHash(token))
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, ErrNoFeed
	}
	if err != nil {
		return nil, fmt.Errorf("look whose calendar it is: %w", err)
	}
	grants, err := base.GrantsOf(ctx, []int64{who.ID})
	if err != nil {
		return nil, fmt.Errorf("load the grants of a calendar's reader: %w", err)
	}
	visits := func(g db.StaffRole) bool {
		return slices.Contains(s.Orders.Rights.Commands[people.MayVisit], people.Role(g.Role))
	}
	if !slices.ContainsFunc(grants, visits) {
		return nil, ErrNoFeed // changed to other work
	}
	today := s.dayOf(now)
	horizon := s.Rules.Policy().Plan.Horizon
	rows, err := base.FeedVisits(ctx, db.FeedVisitsParams{
		Staff: who.ID, FromDay: postgres.DayOf(today.AddDays(-feedBack)), ToDay: postgres.DayOf(today.AddDays(horizon)), MaxRows: maxFeed,
	})
	if err != nil {
		return nil, fmt.Errorf("read the visits of a calendar: %w", err)
	}
	f := feed.Feed{Refresh: s.Rules.Policy().Feed.Refresh, Keep: s.Rules.Policy().Feed.Keep}
	if f.Name, err = text("ward.feed", nil); err != nil {
		return nil, err
	}
	for _, v := range postgres.VisitsOf(rows) {
		e, err := s.entry(v, text)
		if err != nil {
			return nil, err
		}
		f.Entries = append(f.Entries, e)
	}
	handed, err := base.FeedHanded(ctx, who.ID, now.Add(-f.Keep), maxFeed)
	if err != nil {
		return nil, fmt.Errorf("read what a calendar takes back: %w", err)
	}
	for _, h := range handed {
		e, err := s.entry(postgres.VisitOf(h.Visit), text)
		if err != nil {
			return nil, err
		}
		e.Cancelled, e.Changed = true, h.At
		f.Entries = append(f.Entries, e)
	}
	return f.Render(now)
}

func (s *Service) entry(v care.Visit, text func(string, map[string]string) (string, error)) (feed.Entry, error) {
	summary, err := text("ward.entry", map[string]string{"visit": strconv.FormatInt(v.ID, 10)})
	loc := s.Orders.Work.Location()
	changed := v.StateAt
	if v.ChangedAt.After(changed) {
		changed = v.ChangedAt
	}
	gone := v.State == care.VisitCancelled || v.State == care.VisitReleased || v.State == care.VisitMissed || v.State == care.VisitToMakeUp
	return feed.Entry{
		Visit: v.ID, Version: v.Version, Start: v.Start(loc), End: v.End(loc), Changed: changed, Summary: summary, Cancelled: gone,
	}, err
}
