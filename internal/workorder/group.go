package workorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
)

// DueCardEdit changes the message of a card in one chat when its ticket
// changed: subject "ticket:ID", key and data the conversation, CardEditDue.
const DueCardEdit = "card.edit"

// CardEditDue is the data of a DueCardEdit row.
type CardEditDue struct {
	Conversation int64 `json:"conversation"`
}

// The reasons of outbox rows that are cards, beside DueCard: in a group, and
// one that was asked for.
const (
	ReasonGroupCard = "card.group"
	ReasonShown     = "card.shown"
	// ReasonCover takes back what a card showed in a group.
	ReasonCover = "card.cover"
)

// ReasonCoCard is the reason of a co-handler's card in a private chat: what the
// lead does meanwhile does not make it stale.
const ReasonCoCard = "card.co"

// CardReasons lists the reasons of rows whose message is a card.
func CardReasons() []string { return []string{DueCard, ReasonGroupCard, ReasonShown, ReasonCoCard} }

// CardSubject names a card: its ticket, and the group where it lies in one.
func CardSubject(id, group int64) string {
	if group == 0 {
		return Subject(id)
	}
	return "card:" + strconv.FormatInt(group, 10) + "/" + strconv.FormatInt(id, 10)
}

// ParseCardSubject reads what CardSubject wrote; group is 0 in a private chat.
func ParseCardSubject(subject string) (id, group int64, err error) {
	kind, rest, _ := strings.Cut(subject, ":")
	where, what, both := strings.Cut(rest, "/")
	switch {
	case kind == "card" && both:
		if group, err = strconv.ParseInt(where, 10, 64); err == nil {
			id, err = strconv.ParseInt(what, 10, 64)
		}
	case kind == "ticket":
		id, err = strconv.ParseInt(rest, 10, 64)
	default:
		err = errors.New("it names no card")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read the subject %q: %w", subject, err)
	}
	return id, group, nil
}

// ForGroups reports whether a ticket may lie in a work group at all: no private
// one, none that is about a person or a unit, and none that a named person got.
func ForGroups(o *Order) bool {
	lead, ok := o.Lead()
	return !o.Private() && !o.AboutSomebody() && (!ok || lead.Desk.Kind != ticket.DeskNamed)
}

// homes finds the work group of each desk that has the ticket: that of the grid,
// else of its village, else of its township; that of the unit.
func (s *Service) homes(ctx context.Context, t *gateway.Turn, o *Order) (map[ticket.Desk]int64, error) {
	homes, _, err := s.groupsOf(ctx, t, o)
	return homes, err
}

// groupsOf finds the work group of each desk that has the ticket, as homes says,
// and its boards by the same rule: the groups of robots, which stand beside the
// chats in which people work.
func (s *Service) groupsOf(ctx context.Context, t *gateway.Turn, o *Order) (homes map[ticket.Desk]int64, boards map[ticket.Desk][]int64, err error) {
	if !ForGroups(o) {
		return nil, nil, nil
	}
	homes, boards = map[ticket.Desk]int64{}, map[ticket.Desk][]int64{}
	for _, a := range o.Assignments {
		if a.EndedAt.IsZero() {
			homes[a.Desk] = 0
		}
	}
	var areas []people.Area
	for desk := range homes {
		areas = append(areas, servedBy(desk)...)
	}
	rows, err := workGroups(ctx, t, areas...)
	if err != nil {
		return nil, nil, err
	}
	for desk := range homes {
		homes[desk], boards[desk] = rows.of(servedBy(desk)...)
	}
	return homes, boards, nil
}

// served are the work groups of areas.
type served struct {
	rows  []db.WorkGroupsRow
	board func(channel string) bool
}

// workGroups reads the work groups that serve one of the areas.
func workGroups(ctx context.Context, t *gateway.Turn, areas ...people.Area) (served, error) {
	codes := make([]string, len(areas))
	for i, a := range areas {
		codes[i] = a.Code
	}
	rows, err := t.WorkGroups(ctx, codes)
	if err != nil {
		return served{}, fmt.Errorf("find work groups: %w", err)
	}
	return served{rows, t.IsBoard}, nil
}

// of is the group of the first of the areas that has one, 0 for none, and the
// boards of the first that has any.
func (w served) of(areas ...people.Area) (home int64, boards []int64) {
	for _, at := range areas {
		var here []int64
		for _, r := range w.rows {
			switch {
			case r.AreaKind != string(at.Kind) || r.Area != at.Code:
			case w.board(r.Channel):
				here = append(here, r.ID)
			case home == 0:
				home = r.ID
			}
		}
		if len(boards) == 0 {
			boards = here
		}
	}
	return home, boards
}

// LeadBoards are the boards of the desk that has the lead.
func (s *Service) LeadBoards(ctx context.Context, t *gateway.Turn, o *Order) ([]int64, error) {
	lead, ok := o.Lead()
	if !ok {
		return nil, nil
	}
	_, boards, err := s.groupsOf(ctx, t, o)
	return boards[lead.Desk], err
}

// servedBy lists the areas whose work group a desk works in, the narrowest
// first.
func servedBy(d ticket.Desk) []people.Area {
	grid := people.GridCode(d.Code)
	switch {
	case d.Kind == ticket.DeskGrid && grid.Valid():
		village := grid.Village()
		return []people.Area{
			{Kind: people.AreaGrid, Code: d.Code},
			{Kind: people.AreaVillage, Code: string(village)},
			{Kind: people.AreaTownship, Code: string(village.At(people.LevelTownship))},
		}
	case d.Kind == ticket.DeskUnit:
		return []people.Area{{Kind: people.AreaUnit, Code: d.Code}, {Kind: people.AreaTownship, Code: d.Code}}
	}
	return nil
}

// Part is what a chat has to do with a ticket.
type Part int

// The parts.
const (
	NoPart Part = iota
	InformedPart
	CoPart
	LeadPart
)

// PartOf is what this chat has to do with a ticket: in a group by the desks that
// work in it, in a private chat by the desks of the staff member.
func (s *Service) PartOf(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff) (Part, error) {
	lead, held := o.Lead()
	if t.Group {
		homes, boards, err := s.groupsOf(ctx, t, o)
		if err != nil {
			return NoPart, err
		}
		works := func(d ticket.Desk) bool { return homes[d] == t.GroupID || slices.Contains(boards[d], t.GroupID) }
		if held && works(lead.Desk) {
			return LeadPart, nil
		}
		part := NoPart
		for _, a := range o.Assignments {
			if a.EndedAt.IsZero() && works(a.Desk) && !replied(a) {
				part = max(part, map[ticket.Role]Part{ticket.RoleInformed: InformedPart, ticket.RoleCo: CoPart}[a.Role])
			}
		}
		return part, nil
	}
	if _, ok := s.Handler(staff, o, t.Now); ok {
		return LeadPart, nil
	}
	if _, a, ok := s.CoHandler(staff, o, t.Now); ok && !replied(a) {
		return CoPart, nil
	}
	if informed(o, staff) {
		return InformedPart, nil
	}
	return NoPart, nil
}

// ErrUnfit says that no card may go into the group now.
var ErrUnfit = errors.New("no card goes into this group")

// Fit reports whether cards may go into a group: it is bound as a work group,
// can be written to, and everybody known to be in it is verified staff. The
// error, ErrUnfit, says why not.
func Fit(ctx context.Context, q *db.Queries, group int64) error {
	row, err := q.GroupFit(ctx, group)
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return fmt.Errorf("%w: it is gone", ErrUnfit)
	case err != nil:
		return fmt.Errorf("look who is in a group: %w", err)
	case row.BoundAs != flows.GroupWork:
		return fmt.Errorf("%w: it is bound as %q", ErrUnfit, row.BoundAs)
	case row.AddressState != string(people.AddressActive):
		return fmt.Errorf("%w: its address is %s", ErrUnfit, row.AddressState)
	case row.Strangers > 0:
		return fmt.Errorf("%w: %d of its members are no verified staff", ErrUnfit, row.Strangers)
	}
	return nil
}

// PlanCards plans private cards for everybody at the desks that have the
// ticket, in place of one in a group; once somebody has signed, for that one.
// what names the occasion.
func (s *Service) PlanCards(ctx context.Context, t *gateway.Turn, o *Order, what string) error {
	if !o.State.Held() {
		return nil
	}
	var plans []gateway.Plan
	for _, a := range o.Assignments {
		if !a.EndedAt.IsZero() || replied(a) {
			continue
		}
		staff := []int64{a.SignedBy}
		if a.SignedBy == 0 || a.Role == ticket.RoleInformed {
			var err error
			if staff, err = s.AtDesk(ctx, t, a.Desk); err != nil {
				return err
			}
		}
		for _, id := range staff {
			key := "v" + strconv.Itoa(o.Version) + "/" + what + strconv.FormatInt(id, 10)
			plans = append(plans, planAt(o, DueCard, key, t.Now, cardFor(a, CardDue{Staff: id})))
		}
	}
	return t.PlanDue(ctx, plans...)
}

// cardFor says what sort of card a desk gets.
func cardFor(a ticket.Assignment, c CardDue) CardDue {
	c.Informed, c.Co = a.Role == ticket.RoleInformed, a.Role == ticket.RoleCo
	return c
}

// groupCard is one card for a group.
func groupCard(t *gateway.Turn, o *Order, group int64, a ticket.Assignment) gateway.Plan {
	key := "v" + strconv.Itoa(o.Version) + "/g" + strconv.FormatInt(group, 10)
	return planAt(o, DueCard, key, t.Now, cardFor(a, CardDue{Group: group}))
}

// shows reports whether what happened is to be seen on a card that lies open.
func shows(k ticket.EventKind) bool {
	switch k {
	case ticket.EventSigned, ticket.EventAutoSigned, ticket.EventTransferred, ticket.EventReturned, ticket.EventHandled,
		ticket.EventRedone, ticket.EventClosed, ticket.EventWithdrawn, ticket.EventRejected,
		ticket.EventSupervised, ticket.EventSupervisionAnswered, ticket.EventEscalated, ticket.EventMerged:
		return true
	case ticket.EventInvolved, ticket.EventCoSigned, ticket.EventCoReplied, ticket.EventObjected, ticket.EventObjectionGranted,
		ticket.EventObjectionRefused, ticket.EventExtensionGranted, ticket.EventExtensionRefused, ticket.EventSuspended,
		ticket.EventSuspensionRefused, ticket.EventResumed:
		return true
	}
	return false
}

// changeCards plans that the cards of a ticket show what has happened to it.
func (s *Service) changeCards(ctx context.Context, t *gateway.Turn, o *Order) error {
	n, err := t.ChangeCards(ctx, db.ChangeCardsParams{
		Kind: DueCardEdit, TicketID: o.ID, Version: int32(o.Version), Editors: t.Editors(),
	})
	if err != nil {
		return fmt.Errorf("plan that the cards change: %w", err)
	}
	if n > 0 {
		t.WakeDue()
	}
	return nil
}

// groupButtons are the commands that the rules allow whoever is on the roster.
// Who may give them is asked of who taps. To reach for the reporter is left out:
// that is done in private.
func (s *Service) groupButtons(ctx context.Context, t *gateway.Turn, o *Order) ([]flows.Option, error) {
	lead, ok := o.Lead()
	if !ok {
		return nil, nil
	}
	by := ticket.Actor{As: ticket.AsHandler, Desk: lead.Desk, Staff: lead.SignedBy}
	if by.Staff == 0 { // anybody of the desk will do: all of them may the same
		at, err := s.AtDesk(ctx, t, lead.Desk)
		if err != nil || len(at) == 0 {
			return nil, err
		}
		by.Staff = at[0]
	}
	var options []flows.Option
	for _, c := range s.Rules.Allowed(o.Ticket, by) {
		switch c {
		case ticket.CmdTake, ticket.CmdTransfer, ticket.CmdObject, ticket.CmdAskExtension, ticket.CmdAskSuspension, ticket.CmdResume,
			ticket.CmdFinish:
			if !s.worthwhile(o, c) {
				continue
			}
			option, err := s.button(t, o, c)
			if err != nil {
				return nil, err
			}
			options = append(options, option)
		}
	}
	return options, nil
}

// worthwhile reports whether asking makes sense: what the rules would refuse
// whatever is said gets no button.
func (s *Service) worthwhile(o *Order, c ticket.CommandName) bool {
	switch c {
	case ticket.CmdObject:
		return o.Request.Kind == "" && s.Rules.Policy().Classes[o.Urgency].Object != nil
	case ticket.CmdAskExtension:
		return o.Request.Kind == ""
	case ticket.CmdAskSuspension:
		return o.Request.Kind == "" && o.Urgency != ticket.Urgent
	}
	return true
}

func (s *Service) button(t *gateway.Turn, o *Order, c ticket.CommandName) (flows.Option, error) {
	label, err := t.Text("card.button."+string(c), nil)
	return flows.Option{Value: fmt.Sprintf("%s%s %d", gateway.CommandPrefix, c, o.ID), Label: label}, err
}

// AreaName is what people call an area; its code where it has no name.
func (s *Service) AreaName(ctx context.Context, q *db.Queries, a people.Area) (string, error) {
	var name string
	var err error
	switch a.Kind {
	case people.AreaGrid:
		var g db.Grid
		g, err = q.GetGrid(ctx, a.Code)
		name = g.Name
	case people.AreaUnit:
		name, err = q.UnitName(ctx, a.Code)
	default:
		var d db.GetDivisionRow
		d, err = q.GetDivision(ctx, a.Code)
		name = d.Name
	}
	if errors.Is(err, postgres.ErrNoRows) {
		return a.Code, nil
	}
	if err != nil {
		return "", fmt.Errorf("name an area: %w", err)
	}
	return name, nil
}
