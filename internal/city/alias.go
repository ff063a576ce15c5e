package city

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// Why an alias is not taken.
var (
	ErrAliasText  = errors.New("a name of a place has 2 to 60 characters, among them a letter, and no | or control characters")
	ErrAliasKnown = errors.New("the place is called that already, or the name waits for a yes")
	ErrNoPlace    = errors.New("no such place")
	ErrNoProposal = errors.New("no such proposal: it was accepted or refused before")
)

// maxAliasRunes is what people.ParsePlaces allows too.
const (
	minAliasRunes = 2
	maxAliasRunes = 60
)

// Proposal is another name of a place that waits for a dispatcher.
type Proposal struct {
	Place   int64
	Alias   string
	Name    string // of the place
	Village people.DivisionCode
	By      string // name of who proposed it
}

// ProposeAlias keeps what somebody called a place, proposed by a member of the
// staff (who may: people.MayProposeAlias at the place). It is not found in
// sentences before it is accepted. Errors: ErrAliasText, ErrNoPlace,
// ErrAliasKnown.
func ProposeAlias(ctx context.Context, q *db.Queries, place int64, alias string, staff int64) error {
	alias = strings.TrimSpace(alias)
	if !validAlias(alias) {
		return ErrAliasText
	}
	p, err := q.GetPlace(ctx, place)
	if errors.Is(err, postgres.ErrNoRows) {
		return ErrNoPlace
	}
	if err != nil {
		return fmt.Errorf("look for a place: %w", err)
	}
	if p.Name == alias {
		return ErrAliasKnown
	}
	n, err := q.ProposeAlias(ctx, place, alias, &staff)
	if err != nil {
		return fmt.Errorf("propose an alias: %w", err)
	}
	if n == 0 {
		return ErrAliasKnown
	}
	return nil
}

func validAlias(s string) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n >= minAliasRunes && n <= maxAliasRunes && !strings.Contains(s, "|") &&
		!strings.ContainsFunc(s, unicode.IsControl) && strings.ContainsFunc(s, unicode.IsLetter)
}

// AcceptAlias makes a proposed name count (who may: people.MayAcceptAlias at
// the place). When the transaction commits, all processes build their gazetteers
// anew. Error: ErrNoProposal.
func AcceptAlias(ctx context.Context, q *db.Queries, place int64, alias string) error {
	n, err := q.AcceptAlias(ctx, place, strings.TrimSpace(alias))
	if err != nil {
		return fmt.Errorf("accept an alias: %w", err)
	}
	if n == 0 {
		return ErrNoProposal
	}
	if err := q.WakePlaces(ctx); err != nil {
		return fmt.Errorf("tell of an alias: %w", err)
	}
	return nil
}

// RefuseAlias forgets a proposed name. Error: ErrNoProposal.
func RefuseAlias(ctx context.Context, q *db.Queries, place int64, alias string) error {
	n, err := q.RefuseAlias(ctx, place, strings.TrimSpace(alias))
	if err != nil {
		return fmt.Errorf("refuse an alias: %w", err)
	}
	if n == 0 {
		return ErrNoProposal
	}
	return nil
}

// Proposals lists the names that wait below a division, at most limit.
func Proposals(ctx context.Context, q *db.Queries, within people.DivisionCode, limit int) ([]Proposal, error) {
	rows, err := q.ProposedAliases(ctx, string(within), int32(limit))
	if err != nil {
		return nil, fmt.Errorf("read the proposed aliases: %w", err)
	}
	all := make([]Proposal, len(rows))
	for i, r := range rows {
		all[i] = Proposal{Place: r.PlaceID, Alias: r.Alias, Name: r.Place, Village: people.DivisionCode(r.Village), By: r.ProposedBy}
	}
	return all, nil
}
