package actions

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// groupActions bind a group to an area, or let it go.
func (s *Set) groupActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"group.hold":   s.holdGroup,
		"group.area":   s.groupArea,
		"group.bind":   s.bindGroup,
		"group.unbind": s.unbindGroup,
	}
}

func groupDocs() map[string]flows.ActionDoc {
	return map[string]flows.ActionDoc{
		"group.hold":   {Results: []string{"areas", "rest", "name"}},
		"group.area":   {Results: []string{"status", "value", "options", "say"}},
		"group.bind":   {Results: []string{"name"}},
		"group.unbind": {Results: []string{"name"}},
	}
}

// binder is the member of the staff who binds a group. It is the one thing that
// staff may do in a group of any kind.
func (s *Set) binder(ctx context.Context, t *gateway.Turn) (who people.Staff, failed result, err error) {
	switch {
	case !proven(t):
		return who, fail("staff.only"), nil
	case !t.Group:
		return who, fail("group.only"), nil
	}
	who, err = s.Orders.LoadStaff(ctx, t, t.Staff)
	return who, nil, err
}

// mayBind reports whether the staff member may bind groups of the area.
func (s *Set) mayBind(t *gateway.Turn, who people.Staff, a people.Area) bool {
	on := people.Subject{}
	switch a.Kind {
	case people.AreaUnit:
		on.Unit = a.Code
	case people.AreaGrid:
		on.Grid, on.Division = a.Code, string(people.GridCode(a.Code).Village())
	default:
		on.Division = a.Code
	}
	return groupable(a) && s.Orders.Rights.May(who, people.MayBindGroup, on, t.Now)
}

// groupable reports whether a group can serve the area: a grid, a village, a
// township or a unit.
func groupable(a people.Area) bool {
	switch a.Kind {
	case people.AreaGrid, people.AreaVillage, people.AreaTownship, people.AreaUnit:
		return a.Valid()
	}
	return false
}

// holdGroup begins a dialogue about the group: for "bind" it offers the areas
// that the speaker holds, the only one as if it had been said; for "unbind" it
// names what the group is bound to.
func (s *Set) holdGroup(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.binder(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if text(args, "for") == "unbind" {
		return s.boundGroup(ctx, t, who)
	}
	if t.BoundAs != "" {
		return fail("group.bound"), nil
	}
	var options []any
	for _, g := range who.Grants {
		if !s.mayBind(t, who, g.Area) {
			continue
		}
		label, err := s.Orders.AreaName(ctx, t.Queries, g.Area)
		if err != nil {
			return nil, err
		}
		if o := option(areaValue(g.Area), label); !slices.ContainsFunc(options, func(x any) bool { return sameOption(x, o) }) {
			options = append(options, o)
		}
	}
	if len(options) == 0 && !s.bindsAnywhere(who) {
		return fail("staff.may_not"), nil
	}
	r := result{"areas": options[:min(len(options), maxTargets)], "rest": text(args, "text")}
	if only, _ := firstOption(options); len(options) == 1 && text(args, "text") == "" && !s.bindsAnywhere(who) {
		r["rest"] = only["label"]
	}
	return r, nil
}

// bindsAnywhere reports whether the speaker holds the right in an area too wide
// to be offered as one: then the area must be named.
func (s *Set) bindsAnywhere(who people.Staff) bool {
	return slices.ContainsFunc(who.Grants, func(g people.Grant) bool {
		return !groupable(g.Area) && slices.Contains(s.Orders.Rights.Commands[people.MayBindGroup], g.Role)
	})
}

func sameOption(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return x["value"] == y["value"]
}

func firstOption(all []any) (map[string]any, bool) {
	if len(all) == 0 {
		return nil, false
	}
	o, ok := all[0].(map[string]any)
	return o, ok
}

// areaValue writes an area as the value of an option: "grid|360302001001002".
func areaValue(a people.Area) string { return string(a.Kind) + "|" + a.Code }

func parseArea(v string) (people.Area, bool) {
	kind, code, ok := strings.Cut(v, "|")
	a := people.Area{Kind: people.AreaKind(kind), Code: code}
	return a, ok && a.Valid()
}

// groupArea resolves which area is meant: the one chosen, or grids, villages,
// townships and units by their name. What the speaker may not bind is not found.
func (s *Set) groupArea(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	no := result{"status": flows.StatusReject, "say": "group.no_area"}
	who, failed, err := s.binder(ctx, t)
	if err != nil || failed != nil {
		return no, err
	}
	if a, ok := parseArea(text(args, "value")); ok {
		if !s.mayBind(t, who, a) {
			return no, nil
		}
		label, err := s.Orders.AreaName(ctx, t.Queries, a)
		return result{"status": flows.StatusOK, "value": map[string]any{"area": areaValue(a), "label": label}}, err
	}
	options, err := s.areasNamed(ctx, t, who, text(args, "text"))
	if err != nil {
		return nil, err
	}
	switch len(options) {
	case 0:
		return no, nil
	case 1:
		only, _ := firstOption(options)
		return result{"status": flows.StatusOK, "value": map[string]any{"area": only["value"], "label": only["label"]}}, nil
	}
	return result{"status": flows.StatusAsk, "options": options[:min(len(options), maxTargets)]}, nil
}

// maxNamed bounds how many areas of one name are looked at.
const maxNamed = 40

// areasNamed finds the areas of a name that the speaker may bind. A whole name
// wins over a part of one.
func (s *Set) areasNamed(ctx context.Context, t *gateway.Turn, who people.Staff, said string) ([]any, error) {
	name := strings.TrimSpace(said)
	if len([]rune(name)) < 2 {
		return nil, nil
	}
	var exact, part []any
	add := func(a people.Area, full, label string) {
		switch {
		case !s.mayBind(t, who, a):
		case full == name || label == name:
			exact = append(exact, option(areaValue(a), label))
		default:
			part = append(part, option(areaValue(a), label))
		}
	}
	grids, err := t.GridsNamed(ctx, workorder.CityCode, name, maxNamed)
	if err != nil {
		return nil, fmt.Errorf("find grids by name: %w", err)
	}
	for _, g := range grids {
		label := g.Name
		if !strings.Contains(label, g.Village) {
			label = g.Village + g.Name
		}
		add(people.Area{Kind: people.AreaGrid, Code: g.ID}, g.Name, label)
	}
	divisions, err := t.DivisionsNamed(ctx, workorder.CityCode, name, maxNamed)
	if err != nil {
		return nil, fmt.Errorf("find divisions by name: %w", err)
	}
	for _, d := range divisions {
		add(people.Area{Kind: people.AreaKind(d.Level), Code: d.Code}, d.Name, d.Above+d.Name)
	}
	n := words.Normalize(name)
	for _, u := range s.Units.All() {
		if full := words.Normalize(u.Name); strings.Contains(full, n) || strings.Contains(n, full) || abbreviates(n, full) {
			add(people.Area{Kind: people.AreaUnit, Code: u.Code}, u.Name, u.Name)
		}
	}
	if len(exact) > 0 {
		return exact, nil
	}
	return part, nil
}

// bindGroup makes the group a work group or a residents' group of an area. A
// work group is asked at once who is in it.
func (s *Set) bindGroup(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	who, failed, err := s.binder(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	a, ok := parseArea(text(object(args, "area"), "area"))
	as := text(args, "as")
	if as != flows.GroupWork && as != flows.GroupResidents {
		return nil, fmt.Errorf("group.bind: as is %q; work or residents is needed", as)
	}
	if !ok || !s.mayBind(t, who, a) {
		return fail("staff.may_not_here"), nil
	}
	id, err := t.MakeGroup(ctx)
	if err != nil {
		return nil, err
	}
	g, err := t.LockGroup(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("lock a group: %w", err)
	}
	if g.BoundAs != "" {
		return fail("group.bound"), nil
	}
	other, err := t.OtherGroup(ctx, db.OtherGroupParams{BoundAs: as, AreaKind: string(a.Kind), Area: a.Code, ID: id})
	if err != nil {
		return nil, fmt.Errorf("look for another group of an area: %w", err)
	}
	if other && as == flows.GroupWork {
		return fail("group.other"), nil
	}
	err = t.BindGroup(ctx, db.BindGroupParams{ID: id, BoundAs: as, AreaKind: string(a.Kind), Area: a.Code, BoundBy: &who.ID})
	if err != nil {
		return nil, fmt.Errorf("bind a group: %w", err)
	}
	if as == flows.GroupWork {
		if err := t.LookAtMembers(ctx, id); err != nil {
			return nil, err
		}
	}
	name, err := s.Orders.AreaName(ctx, t.Queries, a)
	if err != nil {
		return nil, err
	}
	return result{"name": name}, t.Record(ctx, "group.bound", postgres.Subject("conversation", id),
		map[string]any{"as": as, "area_kind": a.Kind, "area": a.Code}, "")
}

// boundGroup is what the group is bound to, for who may let it go.
func (s *Set) boundGroup(ctx context.Context, t *gateway.Turn, who people.Staff) (result, error) {
	if t.BoundAs == "" {
		return fail("group.not_bound"), nil
	}
	g, err := t.LockGroup(ctx, t.GroupID)
	if err != nil {
		return nil, fmt.Errorf("lock a group: %w", err)
	}
	a := people.Area{Kind: people.AreaKind(g.AreaKind), Code: g.Area}
	if !s.mayBind(t, who, a) {
		return fail("staff.may_not_here"), nil
	}
	name, err := s.Orders.AreaName(ctx, t.Queries, a)
	return result{"name": name}, err
}

// unbindGroup lets a group go. What lies in a work group goes to the private
// chats.
func (s *Set) unbindGroup(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.binder(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	r, err := s.boundGroup(ctx, t, who)
	if err != nil || r["fail"] != nil {
		return r, err
	}
	if err := t.BindGroup(ctx, db.BindGroupParams{ID: t.GroupID}); err != nil {
		return nil, fmt.Errorf("unbind a group: %w", err)
	}
	if err := t.LookAtMembers(ctx, t.GroupID); err != nil {
		return nil, err
	}
	return r, t.Record(ctx, "group.unbound", postgres.Subject("conversation", t.GroupID), map[string]any{"as": t.BoundAs}, "")
}

// inGroups says in which kinds of group an action may run beside private
// chats. Default deny: what does not stand here is done in private.
func inGroups() map[string][]string {
	work, both := []string{flows.GroupWork}, []string{flows.GroupWork, flows.GroupResidents}
	where := map[string][]string{}
	for _, name := range []string{
		"intake.classify", "intake.meant", gateway.ActionVoice, "place.find", "danger.advice", "care.worse", "ticket.file", "ticket.file_incomplete",
		"ticket.add_place", flows.ActionHandover, "person.stop", "person.start", "person.language", "notice.give",
	} {
		where[name] = both
	}
	for _, name := range []string{
		"staff.desk", "staff.finding", "finding.photos", "finding.unfinished", "duty.relief", "duty.off", "duty.on", "place.propose", "place.waiting", "place.decide",
		"card.list", "card.hold", "card.show", "card.take", "card.desk", "card.transfer", "card.return", "card.relay", "card.finish", "card.note",
		"whistle.source", "whistle.propose", "whistle.hold", "whistle.answer", "whistle.arrive", "whistle.handle", "whistle.misuse",
		"card.object", "card.until", "card.ask_time", "card.resume", "card.co_sign", "card.co_reply",
		"order.hold", "order.answer",
		"ward.hold", "ward.leave", "ward.arrive", "ward.nobody", "ward.help", "ward.meant",
	} {
		where[name] = work
	}
	for _, name := range []string{"group.hold", "group.area", "group.bind", "group.unbind"} {
		where[name] = []string{flows.GroupWork, flows.GroupResidents, flows.GroupUnbound}
	}
	return where
}

// guarded runs an action only where it may run. Whatever way the dialogue called
// it, the speaker is asked to write in private.
func guarded(where []string, do gateway.Action) gateway.Action {
	return func(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
		if t.Group && !slices.Contains(where, t.Where()) {
			return private(), nil
		}
		return do(ctx, t, args)
	}
}

// private asks the speaker to write in private: as the answer of a do, of a
// resolve and of the end of a dialogue.
func private() result {
	return result{"fail": "group.private", "status": flows.StatusReject, "say": "group.private"}
}

// hushed reports whether a report must not be spoken of where others read along.
func hushed(f workorder.Filing) bool {
	return !f.Content.Shared()
}
