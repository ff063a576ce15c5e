// Package people knows residents, staff, places and who may do what. It is
// pure: no I/O, no database, and the time is an argument.
//
// # Persons and addresses
//
// A person has addresses: places on a message network that answers can be sent
// to. Each has a trust of its own (bots.Trust) and Allowed says what that trust
// is good for. Tickets, messages and consents keep the address they came by.
// Merging two persons sets MergedInto and rewrites nothing.
//
// # Rights
//
// Default deny. A staff member holds grants: a role in an area. Rights.May
// looks the command up in one table (configs/policies/rights.yaml) and then
// asks whether the area of a grant covers the subject. Tickets that are private
// (confidential, anonymous, sensitive) reach only whom they name and the few
// roles that the table lists for that.
//
// # Places
//
// Divisions are the statistical codes of province, city, county, township and
// village; a grid is three more digits below a village. Places (estates,
// buildings, lanes, stops) hang below villages and have aliases. A Gazetteer
// is an index over all of them, built once after every import, immutable and
// safe for concurrent use; it finds the place in a resident's sentence or says
// which ones it may be.
//
// # Imports
//
// The parsers are all-or-nothing: they return everything or an *ImportError
// that lists every bad row with line and reason.
package people

import (
	"time"

	"shaoying/bots"
)

// Person is somebody who speaks or is spoken to. Name and Phone are personal
// data: sealed in the database, opened only for who may see them.
type Person struct {
	ID    int64
	Name  string
	Phone string // E.164, or empty
	Lang  string // BCP 47, "zh-Hans" unless chosen otherwise
	Kind  PersonKind
	// NoticeVersion is the privacy notice 告知 that was last shown, 0 for none.
	NoticeVersion int
	NoticedAt     time.Time
	MergedInto    int64 // 0 unless this person turned out to be another
	CreatedAt     time.Time
}

// NeedsNotice reports whether the person has yet to be shown the privacy
// notice of this version. It never stands before the ticket's number.
func (p Person) NeedsNotice(current int) bool { return p.NoticeVersion < current }

// PersonKind says how a person came to us.
type PersonKind string

// The kinds of person.
const (
	KindResident PersonKind = "resident"
	KindRider    PersonKind = "rider"
	KindStaff    PersonKind = "staff"
	KindGroup    PersonKind = "group" // stands for a group that is written to
)

// AddressState says whether an address can be written to.
type AddressState string

// The states of an address.
const (
	AddressActive  AddressState = "active"
	AddressGone    AddressState = "gone"    // the network says so: blocked, deleted
	AddressStopped AddressState = "stopped" // the person said stop: replies only
)

// Address is one way to reach a person.
type Address struct {
	ID            int64
	PersonID      int64
	Channel       bots.ChannelID
	User          bots.UserID
	Chat          bots.ChatID
	Trust         bots.Trust
	State         AddressState
	LastInboundAt time.Time
	CreatedAt     time.Time
}

// Takes reports whether a push (not a reply) may go to the address.
func (a Address) Takes() bool { return a.State == AddressActive }

// ConsentKind is what was agreed to.
type ConsentKind string

// The kinds of consent. Health data needs one of its own (个人信息保护法
// art. 29: separate consent for sensitive personal information).
const (
	ConsentHealth    ConsentKind = "health"
	ConsentProgramme ConsentKind = "programme"
)

// Consent is one agreement, kept for ever with the address it was given from.
type Consent struct {
	ID          int64
	PersonID    int64
	Kind        ConsentKind
	Version     int
	AddressID   int64
	GivenAt     time.Time
	WithdrawnAt time.Time
}

// Consented reports whether a consent of the kind, of at least the version,
// stands.
func Consented(all []Consent, kind ConsentKind, version int) bool {
	for _, c := range all {
		if c.Kind == kind && c.Version >= version && !c.GivenAt.IsZero() && c.WithdrawnAt.IsZero() {
			return true
		}
	}
	return false
}
