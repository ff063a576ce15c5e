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
	"shaoying/internal/workorder"
)

// A desk as the value of an option: "grid|360302001001002|17". What comes back
// is looked at again by the rules before anything moves.
func deskValue(d ticket.Desk) string {
	return string(d.Kind) + "|" + d.Code + "|" + strconv.FormatInt(d.Staff, 10)
}

func parseDesk(v string) (ticket.Desk, bool) {
	parts := strings.Split(v, "|")
	if len(parts) != 3 {
		return ticket.Desk{}, false
	}
	id, err := strconv.ParseInt(parts[2], 10, 64)
	return ticket.Desk{Kind: ticket.DeskKind(parts[0]), Code: parts[1], Staff: id}, err == nil
}

// maxTargets is how many desks are offered at once: as many as fit on a small
// screen and can be read out.
const maxTargets = 6

// transfer hands a ticket to another desk or colleague. The reason follows
// from where it goes.
func (s *Set) transfer(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, args, people.MayTransferTicket)
	if err != nil || failed != nil {
		return failed, err
	}
	by, ok := s.handlerOrDispatcher(t, h, ticket.CmdTransfer)
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNotYourDesk})
	}
	to, ok := deskArg(args, "to")
	if !ok {
		return s.refused(t, &ticket.Refused{Key: ticket.KeyNoDesk})
	}
	lead, _ := h.order.Lead()
	return s.passOn(ctx, t, h, by, ticket.Transfer{
		To: to, Reason: ticket.TransferReason(lead.Desk, to),
	}, text(args, "words"))
}

// deskArg reads a desk that card.desk or task.desk resolved.
func deskArg(args map[string]any, name string) (ticket.Desk, bool) {
	if at := object(args, name); at != nil {
		return parseDesk(text(at, "desk"))
	}
	return parseDesk(text(args, name))
}

// targets offers whom a ticket may go to: the colleagues of its desk, then
// what the rules would have chosen otherwise.
func (s *Set) targets(ctx context.Context, t *gateway.Turn, o *workorder.Order) ([]any, error) {
	lead, held := o.Lead()
	var options []any
	if held {
		colleagues, err := s.colleagues(ctx, t, lead.Desk, "")
		if err != nil {
			return nil, err
		}
		options = append(options, colleagues...)
	}
	m, _ := s.Orders.Matters.Get(o.Matter)
	if u, ok := s.Units.Get(m.Unit); ok && !o.Private() && lead.Desk.Code != u.Code {
		options = append(options, option(deskValue(ticket.Desk{Kind: ticket.DeskUnit, Code: u.Code}), u.Name))
	}
	if grid := o.Place.Grid; grid != "" && !o.Private() && lead.Desk.Code != grid && !m.UnitDuty() {
		name, err := s.deskName(ctx, t, ticket.Desk{Kind: ticket.DeskGrid, Code: grid})
		if err != nil {
			return nil, err
		}
		options = append(options, option(deskValue(ticket.Desk{Kind: ticket.DeskGrid, Code: grid}), name))
	}
	return options[:min(len(options), maxTargets)], nil
}

// colleagues lists the people of a desk, other than its present holder, whose
// name holds part.
func (s *Set) colleagues(ctx context.Context, t *gateway.Turn, d ticket.Desk, part string) ([]any, error) {
	roles := []string{string(people.RoleGridWorker), string(people.RoleGridLeader), string(people.RoleCommunityPolice), string(people.RoleHandler)}
	rows, err := t.StaffWith(ctx, roles, []string{d.Code})
	if err != nil {
		return nil, fmt.Errorf("find the colleagues of a desk: %w", err)
	}
	var options []any
	seen := map[int64]bool{t.Staff: true, d.Staff: true}
	for _, r := range rows {
		if seen[r.ID] || !strings.Contains(r.Name, part) || !r.OnDuty {
			continue
		}
		seen[r.ID] = true
		options = append(options, option(deskValue(ticket.Desk{Kind: d.Kind, Code: d.Code, Staff: r.ID}), r.Name))
	}
	return options, nil
}

// findDesk makes a desk of what the handler wrote or chose.
func (s *Set) findDesk(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	h, failed, err := s.held(ctx, t, map[string]any{"id": object(args, "vars")["id"]}, people.MayTransferTicket)
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "desk.unknown"}, err
	}
	return s.resolveDesk(ctx, t, h.order, args)
}

// resolveDesk answers a question for a desk: the option chosen, or units,
// grids and colleagues by their name. A private ticket goes to people only.
func (s *Set) resolveDesk(ctx context.Context, t *gateway.Turn, o *workorder.Order, args map[string]any) (result, error) {
	if d, ok := parseDesk(text(args, "value")); ok {
		label, err := s.deskLabel(ctx, t, d)
		return result{"status": flows.StatusOK, "value": map[string]any{"desk": deskValue(d), "label": label}}, err
	}
	options, err := s.desksNamed(ctx, t, o, text(args, "text"))
	if err != nil {
		return nil, err
	}
	return resolved("desk", options, "desk.unknown"), nil
}

// resolved answers a question by what was found for it: the only option as the
// value of name, several to choose from, or none, which is said.
func resolved(name string, options []any, none string) result {
	switch len(options) {
	case 0:
		return result{"status": flows.StatusReject, "say": none}
	case 1:
		only, _ := options[0].(map[string]any)
		return result{"status": flows.StatusOK, "value": map[string]any{name: only["value"], "label": only["label"]}}
	}
	return result{"status": flows.StatusAsk, "options": options[:min(len(options), maxTargets)]}
}

// deskLabel names a desk, or the person who is asked there.
func (s *Set) deskLabel(ctx context.Context, t *gateway.Turn, d ticket.Desk) (string, error) {
	if d.Staff == 0 {
		return s.deskName(ctx, t, d)
	}
	staff, err := t.GetStaff(ctx, d.Staff)
	if err != nil {
		return "", fmt.Errorf("load whom a ticket goes to: %w", err)
	}
	return staff.Name, nil
}

// desksNamed finds desks by their name. Grids are looked for in the county of
// the place, because 一网格 is everywhere.
func (s *Set) desksNamed(ctx context.Context, t *gateway.Turn, o *workorder.Order, said string) ([]any, error) {
	name := strings.TrimSpace(said)
	if len([]rune(name)) < 2 {
		return nil, nil
	}
	var options []any
	if lead, ok := o.Lead(); ok {
		colleagues, err := s.colleagues(ctx, t, lead.Desk, name)
		if err != nil {
			return nil, err
		}
		options = append(options, colleagues...)
	}
	units, err := s.unitDesks(ctx, t, o, name)
	if err != nil || o.Private() {
		return append(options, units...), err
	}
	county := people.DivisionCode(o.Place.Division).At(people.LevelCounty)
	grids, err := t.GridsNamed(ctx, first(string(county), workorder.CityCode), name, maxTargets)
	if err != nil {
		return nil, fmt.Errorf("find grids by name: %w", err)
	}
	options = append(options, units...)
	for _, g := range grids {
		label := g.Name
		if !strings.Contains(label, g.Village) {
			label = g.Village + g.Name
		}
		options = append(options, option(deskValue(ticket.Desk{Kind: ticket.DeskGrid, Code: g.ID}), label))
	}
	return options, nil
}

// unitDesks are the units whose name holds what was said, or is part of it; for
// a private ticket the people there, each a named handler.
func (s *Set) unitDesks(ctx context.Context, t *gateway.Turn, o *workorder.Order, name string) ([]any, error) {
	var options []any
	n := words.Normalize(name)
	for _, u := range s.Units.All() {
		full := words.Normalize(u.Name)
		if !strings.Contains(full, n) && !strings.Contains(n, full) && !abbreviates(n, full) {
			continue
		}
		if !o.Private() {
			options = append(options, option(deskValue(ticket.Desk{Kind: ticket.DeskUnit, Code: u.Code}), u.Name))
			continue
		}
		named, err := s.colleagues(ctx, t, ticket.Desk{Kind: ticket.DeskNamed, Code: u.Code}, "")
		if err != nil {
			return nil, err
		}
		options = append(options, named...)
	}
	return options, nil
}

// abbreviates reports whether the characters of short stand in full in their
// order: 城管局 for 城市管理局.
func abbreviates(short, full string) bool {
	rest := []rune(full)
	for _, r := range short {
		i := 0
		for i < len(rest) && rest[i] != r {
			i++
		}
		if i == len(rest) {
			return false
		}
		rest = rest[i+1:]
	}
	return true
}
