package actions

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

// findPlace resolves what a resident wrote or sent as a place. Two of one name
// are asked back; unknown words are kept for the dispatcher, with the township
// or county that was named, if any.
func (s *Set) findPlace(_ context.Context, _ *gateway.Turn, args map[string]any) (map[string]any, error) {
	said := text(args, "text")
	if chosen := text(args, "value"); chosen != "" {
		if p, ok := parseChoice(chosen); ok {
			return result{"status": flows.StatusOK, "value": placeValue(p)}, nil
		}
	}
	if s.onlySecret(said) {
		return result{"status": flows.StatusReject, "say": "report.secret_noted", "confidential": true}, nil
	}
	var near *people.LatLon
	if at := object(args, "value"); at != nil {
		near = &people.LatLon{Lat: number(at, "lat"), Lon: number(at, "lon")}
		said = first(text(at, "label"), said)
	}
	found := s.Places().Find(said, near)
	switch found.Status {
	case people.Found:
		return result{"status": flows.StatusOK, "value": placeValue(placeOf(found.Match))}, nil
	case people.Ambiguous:
		options := make([]any, len(found.Options))
		for i, m := range found.Options {
			options[i] = option(choiceOf(m), m.FullLabel())
		}
		return result{"status": flows.StatusAsk, "options": options}, nil
	}
	r := result{"status": flows.StatusUnknown}
	if found.Within != "" {
		r["within"] = string(found.Within)
	}
	return r, nil
}

// onlySecret reports whether an answer is nothing but a wish for protection.
func (s *Set) onlySecret(said string) bool {
	n := words.Normalize(said)
	for _, w := range append(s.Policy.Confidential[:len(s.Policy.Confidential):len(s.Policy.Confidential)], s.Policy.Anonymous...) {
		if n == words.Normalize(w) {
			return true
		}
	}
	return false
}

// nearest is the place at a position, or the position itself.
func (s *Set) nearest(at map[string]any) ticket.PlaceRef {
	bare := placeArg(map[string]any{"at": at}, "at")
	found := s.Places().Find(text(at, "label"), &people.LatLon{Lat: number(at, "lat"), Lon: number(at, "lon")})
	if found.Status != people.Found {
		return bare
	}
	p := placeOf(found.Match)
	p.Label = strings.TrimSpace(p.Label + " " + strings.TrimPrefix(bare.Label, text(at, "label")))
	return p
}

// placeOf is a match as a ticket keeps it. A village has county and township
// in its label, because its name alone may not be unique.
func placeOf(m people.Match) ticket.PlaceRef {
	label := m.Label()
	if m.PlaceID == 0 {
		label = m.FullLabel()
	}
	return ticket.PlaceRef{Division: string(m.Village), Grid: string(m.Grid), PlaceID: m.PlaceID, Label: label}
}

func placeValue(p ticket.PlaceRef) map[string]any {
	return map[string]any{"label": p.Label, "division": p.Division, "grid": p.Grid, "id": strconv.FormatInt(p.PlaceID, 10)}
}

// choiceOf writes a match as the value of an option, so that the one chosen
// needs no second search.
func choiceOf(m people.Match) string {
	p := placeOf(m)
	return fmt.Sprintf("at|%s|%s|%d|%s", p.Division, p.Grid, p.PlaceID, m.FullLabel())
}

func parseChoice(v string) (ticket.PlaceRef, bool) {
	parts := strings.SplitN(v, "|", 5)
	if len(parts) != 5 || parts[0] != "at" {
		return ticket.PlaceRef{}, false
	}
	id, err := strconv.ParseInt(parts[3], 10, 64)
	if err != nil || people.DivisionCode(parts[1]).At(people.LevelVillage) == "" {
		return ticket.PlaceRef{}, false
	}
	return ticket.PlaceRef{Division: parts[1], Grid: parts[2], PlaceID: id, Label: parts[4]}, true
}

// placeArg reads a place that a dialogue collected: a resolved one, a bare
// position, or words.
func placeArg(args map[string]any, name string) ticket.PlaceRef {
	at := object(args, name)
	if at == nil {
		return ticket.PlaceRef{Label: text(args, name)}
	}
	p := ticket.PlaceRef{Division: text(at, "division"), Grid: text(at, "grid"), Label: text(at, "label")}
	if id, err := strconv.ParseInt(text(at, "id"), 10, 64); err == nil {
		p.PlaceID = id
	}
	if lat, ok := at["lat"].(float64); ok && p.Division == "" {
		p.Label = strings.TrimSpace(fmt.Sprintf("%s %.5f,%.5f", p.Label, lat, number(at, "lon")))
	}
	return p
}
