// Package feed renders what somebody has to do as a calendar that a phone
// subscribes to (RFC 5545, reference family-bed 3.7). It is pure.
//
// A feed lies behind an address that anybody can read who knows it, and clients
// come for it when they like, some once a day. So it is a convenience for staff: a
// change of the same day is told, not left to be found here. An [Entry] has a
// time and a summary, no place and no description: whose summary carries no name
// and no illness gives none away.
//
// A client keeps what it once had until the feed takes it back. So an event has
// one UID for ever, a SEQUENCE that only rises, and what is cancelled is said to
// be so for a while before it disappears.
package feed

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

// Feed is one person's calendar.
type Feed struct {
	// Name is what the calendar is called on the phone.
	Name string
	// Refresh is how often a client is asked to come again; whole minutes.
	Refresh time.Duration
	// Keep is for how long after its change a cancelled entry is still told.
	Keep    time.Duration
	Entries []Entry
}

// Entry is one visit as its visitor sees it.
type Entry struct {
	// Visit makes the UID: the same visit is the same event, however often it is
	// moved or changes hands.
	Visit int64
	// Version is the visit's. SEQUENCE rises with it, and once more when the
	// entry is cancelled, which makes no new version.
	Version    int
	Start, End time.Time
	// Changed is when it became what it is; kept cancellations count from it.
	Changed time.Time
	Summary string
	// Cancelled: it does not take place, or no longer by this person.
	Cancelled bool
}

// Render writes the calendar; times are in UTC. The error names the entry that no
// client could read.
func (f Feed) Render(now time.Time) ([]byte, error) {
	cal := ics.NewCalendarFor("shaoying")
	cal.SetProductId("-//shaoying//feed//ZH")
	cal.SetCalscale("GREGORIAN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetName(line(f.Name))
	refresh := "PT" + strconv.Itoa(max(1, int(f.Refresh.Minutes()))) + "M"
	cal.SetXPublishedTTL(refresh)
	cal.SetRefreshInterval(refresh)
	for _, e := range f.Entries {
		switch {
		case e.Cancelled && now.Sub(e.Changed) >= f.Keep:
			continue
		case e.Visit == 0 || !e.End.After(e.Start):
			return nil, fmt.Errorf("calendar of visits: visit %d from %s to %s is no event", e.Visit, e.Start, e.End)
		}
		e.add(cal, now)
	}
	var b bytes.Buffer
	if err := cal.SerializeTo(&b, ics.WithNewLineWindows); err != nil {
		return nil, fmt.Errorf("writing the calendar of visits: %w", err)
	}
	return b.Bytes(), nil
}

func (e Entry) add(cal *ics.Calendar, now time.Time) {
	event := cal.AddEvent("visit-" + strconv.FormatInt(e.Visit, 10) + "@shaoying")
	event.SetDtStampTime(now)
	event.SetModifiedAt(e.Changed)
	event.SetStartAt(e.Start)
	event.SetEndAt(e.End)
	event.SetSummary(line(e.Summary))
	event.SetClass(ics.ClassificationPrivate)
	status, sequence := ics.ObjectStatusConfirmed, 2*e.Version
	if e.Cancelled {
		status, sequence = ics.ObjectStatusCancelled, sequence+1
	}
	event.SetStatus(status)
	event.SetSequence(sequence)
}

// line keeps a text on its line of the file: the library leaves control
// characters in.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
