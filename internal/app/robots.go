package app

import (
	"context"
	"errors"
	"fmt"

	"shaoying/bots"
	"shaoying/bots/robots"
	"shaoying/configs"
	"shaoying/internal/chart"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
)

func (h *House) robot(c configs.Channel) (bots.Adapter, error) {
	cfg := robots.Config{ID: bots.ChannelID(c.ID)}
	if err := h.account(c, "api_url", h.staysHere, &cfg); err != nil {
		return nil, err
	}
	var policies robots.Policies
	if err := decodeInto("policies/robots.yaml", &policies); err != nil {
		return nil, err
	}
	cfg.Limits = policies.Limits[cfg.Brand]
	return robots.New(cfg, robots.Deps{Clock: h.Clock, Log: h.Log})
}

// bindBoards makes the groups of robots work groups of the desks that the
// configuration names.
func (s *server) bindBoards(ctx context.Context) error {
	var boards []gateway.Board
	for id, a := range s.gateway.Channels {
		r, ok := a.(*robots.Channel)
		if !ok || r.Unit() == "" {
			continue
		}
		area, err := s.areaOf(ctx, r.Unit())
		if err != nil {
			return fmt.Errorf("channel %s: unit: %w", id, err)
		}
		boards = append(boards, gateway.Board{Channel: id, Chat: robots.Chat, AreaKind: string(area.Kind), Area: area.Code})
	}
	return s.gateway.BindBoards(ctx, boards)
}

// areaOf is the area with a code: of a unit, or of a township, a village or a grid
// of the database.
func (h *House) areaOf(ctx context.Context, code string) (people.Area, error) {
	if _, ok := h.Units.Get(code); ok {
		return people.Area{Kind: people.AreaUnit, Code: code}, nil
	}
	var err error
	a := people.Area{Kind: people.AreaGrid, Code: code}
	if a.Valid() {
		_, err = h.DB.GetGrid(ctx, code)
	} else {
		level, _ := people.DivisionCode(code).Level()
		if a.Kind = people.AreaKind(level); a.Kind != people.AreaTownship && a.Kind != people.AreaVillage {
			return a, fmt.Errorf("there is no desk %q: write the code of a unit (configs/units.yaml), or of a township, village or grid", code)
		}
		_, err = h.DB.GetDivision(ctx, code)
	}
	if errors.Is(err, postgres.ErrNoRows) {
		return a, fmt.Errorf("there is no %s %q in the database: import it first, or take the line out", a.Kind, code)
	}
	if err != nil {
		return a, fmt.Errorf("look for %s %s: %w", a.Kind, code, err)
	}
	return a, nil
}

// deskPage is where staff open the desk page, "" where nobody said.
func (h *House) deskPage() string {
	if h.Process.Desk.URL == "" {
		return ""
	}
	return h.Process.Desk.URL + "/desk"
}

// findFont looks for a font for the weekly chart. Without one there is a table.
func (s *server) findFont() error {
	var policy chart.Policy
	if err := read("policies/charts.yaml", chart.ParsePolicy, &policy); err != nil {
		return err
	}
	painter, err := chart.Find(policy)
	if errors.Is(err, chart.ErrNoFont) {
		s.Log.Info("no font for charts, figures come as a table: install fonts-wqy-microhei for pictures")
		return nil
	}
	s.due.Chart = painter
	return err
}
