package actions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"shaoying/internal/city"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

// proposeAlias keeps what people call a place. It is found in sentences once
// somebody with the right has said yes.
func (s *Set) proposeAlias(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	at := placeArg(args, "place")
	if !s.Orders.Rights.May(who, people.MayProposeAlias, people.Subject{Division: at.Division, Grid: at.Grid}, t.Now) {
		return fail("staff.may_not_here"), nil
	}
	alias := text(args, "alias")
	err = city.ProposeAlias(ctx, t.Queries, at.PlaceID, alias, who.ID)
	if key := aliasRefusal(err); key != "" {
		return fail(key), nil
	}
	return result{"place": at.Label, "alias": alias}, err
}

// aliasRefusal is the text behind what is wrong with a name.
func aliasRefusal(err error) string {
	for cause, key := range map[error]string{
		city.ErrAliasText: "place.bad_alias", city.ErrAliasKnown: "place.known_alias", city.ErrNoPlace: "place.no_place", city.ErrNoProposal: "place.no_proposal",
	} {
		if errors.Is(err, cause) {
			return key
		}
	}
	return ""
}

// waitingAliases lists the names that wait for the speaker's yes.
func (s *Set) waitingAliases(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	all, err := s.proposals(ctx, t, who)
	if err != nil {
		return nil, err
	}
	choices := make([]any, 0, len(all))
	for _, p := range all {
		label, err := t.Text("place.choice", map[string]string{"alias": p.Alias, "place": p.Name, "by": p.By})
		if err != nil {
			return nil, err
		}
		choices = append(choices, option(strconv.FormatInt(p.Place, 10)+"|"+p.Alias, label))
	}
	return result{"count": len(choices), "choices": choices}, nil
}

// proposals are the waiting names of places where the speaker may accept them.
func (s *Set) proposals(ctx context.Context, t *gateway.Turn, who people.Staff) ([]city.Proposal, error) {
	var mine []city.Proposal
	for _, g := range who.Grants {
		if g.Area.Kind == people.AreaUnit || g.Area.Kind == people.AreaGrid {
			continue
		}
		all, err := city.Proposals(ctx, t.Queries, people.DivisionCode(g.Area.Code), s.Policy.Listed)
		if err != nil {
			return nil, err
		}
		for _, p := range all {
			if s.Orders.Rights.May(who, people.MayAcceptAlias, people.Subject{Division: string(p.Village)}, t.Now) && len(mine) < s.Policy.Listed {
				mine = append(mine, p)
			}
		}
	}
	return mine, nil
}

// decideAlias takes a proposed name or refuses it.
func (s *Set) decideAlias(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	id, alias, _ := strings.Cut(text(args, "pick"), "|")
	place, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fail("place.no_proposal"), nil
	}
	row, err := t.GetPlace(ctx, place)
	if err != nil {
		return nil, fmt.Errorf("load a place: %w", err)
	}
	if !s.Orders.Rights.May(who, people.MayAcceptAlias, people.Subject{Division: row.Village, Grid: row.Grid}, t.Now) {
		return fail("staff.may_not_here"), nil
	}
	decide, kind := city.RefuseAlias, "place.alias_refused"
	if truth(args, "accept") {
		decide, kind = city.AcceptAlias, "place.alias_accepted"
	}
	err = decide(ctx, t.Queries, place, alias)
	if key := aliasRefusal(err); key != "" {
		return fail(key), nil
	}
	if err != nil {
		return nil, err
	}
	return result{}, t.Record(ctx, kind, "place:"+id, map[string]any{"by": who.ID}, "")
}
