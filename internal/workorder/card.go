package workorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/privacy"
	"shaoying/internal/ticket"
)

// ErrNotForYou: the ticket must not be shown in this chat. Nobody is told that
// it exists.
var ErrNotForYou = errors.New("the ticket is not for this chat")

// Card is a ticket as it lies in the chat of the turn: a text of the catalogue
// with its values, the first photo, and a button for each thing that the staff
// member may do with it now. It gives the card its short handle. What is shown
// follows ticket.View; part says for whom it is: an informed card is for knowing,
// not for doing, a co-handler's is for a reply to the lead. In a group
// the card is the group's: it shows the same whoever asks, and its buttons are
// for the whole roster.
func (s *Service) Card(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff, part Part) (
	key string, params map[string]string, photo string, options []flows.Option, err error,
) {
	view, err := s.view(t, o, staff, part == InformedPart)
	if err != nil {
		return "", nil, "", nil, err
	}
	handle, err := t.PutCard(ctx, t.CardHome(), o.ID, int32(o.Version))
	if err != nil {
		return "", nil, "", nil, fmt.Errorf("lay a card: %w", err)
	}
	if params, err = s.cardParams(ctx, t, o, staff, part, view); err != nil {
		return "", nil, "", nil, err
	}
	params["handle"] = strconv.Itoa(int(handle))
	if photo, err = s.firstPhoto(ctx, t, o, view); err != nil {
		return "", nil, "", nil, err
	}
	switch {
	case part == InformedPart:
		return "card.informed", params, photo, nil, nil
	case part == LeadPart && t.Group:
		options, err = s.groupButtons(ctx, t, o)
	case part == LeadPart:
		options, err = s.buttons(t, o, staff)
	}
	if err != nil {
		return "", nil, "", nil, err
	}
	co, err := s.coButtons(ctx, t, o, staff)
	key = "card.lead"
	if part == CoPart {
		key = "card.co"
	}
	return key, params, photo, append(options, co...), err
}

// Sheet is a ticket for staff who look without handling it: the values of text
// card.sheet and the first photo. Nothing is laid anywhere.
func (s *Service) Sheet(ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff) (params map[string]string, photo string, err error) {
	view, err := s.view(t, o, staff, false)
	if err != nil {
		return nil, "", err
	}
	if params, err = s.cardParams(ctx, t, o, staff, NoPart, view); err != nil {
		return nil, "", err
	}
	photo, err = s.firstPhoto(ctx, t, o, view)
	return params, photo, err
}

// view is what may be shown in this chat; ErrNotForYou when that is nothing.
func (s *Service) view(t *gateway.Turn, o *Order, staff people.Staff, informed bool) (map[ticket.Field]ticket.Show, error) {
	viewer, ok := s.Viewer(staff, o, t.Now)
	switch {
	case t.Group:
		viewer, ok = ticket.ViewGroup, ForGroups(o) && t.BoundAs == flows.GroupWork
	case informed:
		viewer = ticket.ViewInformed
	}
	view := ticket.View(o.Ticket, viewer)
	if !ok || view[ticket.FieldNumber] != ticket.Full {
		return nil, ErrNotForYou
	}
	return view, nil
}

// sheet gathers the lines of a card; the first error stays.
type sheet struct {
	t     *gateway.Turn
	gist  map[string]string
	lines []string
	err   error
}

func (c *sheet) add(key string, more map[string]string) {
	if c.err != nil {
		return
	}
	values := maps.Clone(c.gist)
	maps.Copy(values, more)
	line, err := c.t.Text(key, values)
	c.lines, c.err = append(c.lines, line), err
}

// cardParams are the values of a card. A line that has nothing to say is left
// out; each is a text of its own.
func (s *Service) cardParams(
	ctx context.Context, t *gateway.Turn, o *Order, staff people.Staff, part Part, view map[ticket.Field]ticket.Show,
) (map[string]string, error) {
	gist, err := s.Gist(t, o)
	if err != nil {
		return nil, err
	}
	words, err := s.Words(o)
	if err != nil {
		return nil, err
	}
	who, err := s.reporterLine(ctx, t, o, view)
	if err != nil {
		return nil, err
	}
	c := sheet{t: t, gist: gist}
	place := o.Place.Label
	if t.Group { // P3: no name, phone or house number where others read along
		place, words = privacy.MaskAddress(place), privacy.MaskWords(words)
	}
	if view[ticket.FieldPlace] == ticket.Full && place != "" {
		c.add("card.place", map[string]string{"place": place})
	}
	if view[ticket.FieldWords] == ticket.Full && words != "" {
		c.add(map[bool]string{true: "card.found", false: "card.words"}[o.Finding], map[string]string{"words": words})
	}
	if who != "" {
		c.add("card.who", map[string]string{"who": who})
	}
	if o.Confidential || o.Anonymous {
		c.add("card.secret", nil)
	}
	if o.State == ticket.Redo {
		c.add("card.redo", map[string]string{"times": strconv.Itoa(o.Redos)})
	}
	if o.State.OnDesk() && !o.Deadline.IsZero() && part != CoPart {
		c.add("card.until", s.when(o.Deadline))
	}
	if err := s.severalLines(ctx, t, o, staff, part, view, &c); err != nil {
		return nil, err
	}
	s.requestLines(o, part, view, &c)
	s.owed(&c, o)
	gist["by"], err = s.by(ctx, t, o)
	gist["lines"] = strings.Join(c.lines, "\n")
	return gist, errors.Join(c.err, err)
}

// Closed are the values of the texts about a ticket that lies here no longer:
// what became of it, and nothing that points at a person.
func (s *Service) Closed(ctx context.Context, t *gateway.Turn, o *Order, handle int32) (map[string]string, error) {
	p, err := s.Gist(t, o)
	if err != nil {
		return nil, err
	}
	p["handle"] = strconv.Itoa(int(handle))
	key := ""
	switch {
	case o.State == ticket.Received:
		key = "card.state.returned"
	case o.State == ticket.Redo:
	case o.State.Held():
		key = "card.state.moved"
	}
	if key != "" {
		if p["state"], err = t.Text(key, nil); err != nil {
			return nil, err
		}
	}
	p["by"], err = s.by(ctx, t, o)
	return p, err
}

// by says who has the ticket, empty for nobody yet.
func (s *Service) by(ctx context.Context, t *gateway.Turn, o *Order) (string, error) {
	lead, ok := o.Lead()
	if !ok || lead.SignedBy == 0 || o.State == ticket.Dispatched {
		return "", nil
	}
	staff, err := t.GetStaff(ctx, lead.SignedBy)
	if err != nil {
		return "", fmt.Errorf("load who signed for a ticket: %w", err)
	}
	return t.Text("card.by", map[string]string{"name": staff.Name})
}

// Gist are the values by which staff know a ticket in one line: number, matter
// and state in words, and a mark where it is urgent.
func (s *Service) Gist(t *gateway.Turn, o *Order) (map[string]string, error) {
	p := map[string]string{"number": o.Number.Spoken(), "mark": ""}
	words := map[string]string{"state": "card.state." + string(o.State)}
	if m, known := s.Matters.Get(o.Matter); known && o.Matter != ticket.OtherMatter {
		p["matter"] = m.Name
	} else {
		words["matter"] = "card.matter_unknown"
	}
	if o.Urgency == ticket.Urgent {
		words["mark"] = "card.urgent"
	}
	for name, key := range words {
		word, err := t.Text(key, nil)
		if err != nil {
			return nil, err
		}
		p[name] = word
	}
	return p, nil
}

// reporterLine masks who reported; empty where that is hidden or not known.
func (s *Service) reporterLine(ctx context.Context, t *gateway.Turn, o *Order, view map[ticket.Field]ticket.Show) (string, error) {
	if view[ticket.FieldName] == ticket.Hidden || o.Finding {
		return "", nil
	}
	name, phone, err := s.Reporter(ctx, t, o)
	if err != nil {
		return "", err
	}
	who := []string{privacy.MaskName(name)}
	if o.Ticket.ReportedFor != "" && view[ticket.FieldReportedFor] != ticket.Hidden {
		who = append(who, privacy.MaskName(o.Ticket.ReportedFor))
	}
	if phone != "" && view[ticket.FieldPhone] != ticket.Hidden {
		who = append(who, privacy.MaskPhone(phone))
	}
	return strings.Join(strings.Fields(strings.Join(who, " ")), " "), nil
}

// Reporter opens name and phone of who reported: what they said themselves, else
// what is known of who they turned out to be. Callers mask them, or write the look
// to the trail.
func (s *Service) Reporter(ctx context.Context, t *gateway.Turn, o *Order) (name, phone string, err error) {
	faces, err := t.Faces(ctx, o.ReporterID)
	if err != nil {
		return "", "", fmt.Errorf("load the reporter: %w", err)
	}
	for _, f := range faces {
		n, nameErr := s.unseal(SealName, f.Name)
		p, phoneErr := s.unseal(SealPhone, f.Phone)
		if err := errors.Join(nameErr, phoneErr); err != nil {
			return "", "", err
		}
		name, phone = cmp.Or(name, n), cmp.Or(phone, p)
	}
	return name, phone, nil
}

func (s *Service) firstPhoto(ctx context.Context, t *gateway.Turn, o *Order, view map[ticket.Field]ticket.Show) (string, error) {
	if view[ticket.FieldPhotos] != ticket.Full {
		return "", nil
	}
	files, err := t.TicketFiles(ctx, o.ID)
	if err != nil {
		return "", fmt.Errorf("list the files of a ticket: %w", err)
	}
	for _, f := range files {
		if f.Use == "report" {
			return f.BlobID, nil
		}
	}
	return "", nil
}

// buttons are the commands that the rules and the rights allow now, as staff
// dialogues: "!take 17" starts staff_take about ticket 17.
func (s *Service) buttons(t *gateway.Turn, o *Order, staff people.Staff) ([]flows.Option, error) {
	by, ok := s.Handler(staff, o, t.Now)
	if !ok {
		return nil, nil
	}
	needs := map[ticket.CommandName]people.StaffCommand{
		ticket.CmdTake: people.MayTakeTicket, ticket.CmdTransfer: people.MayTransferTicket,
		ticket.CmdContact: people.MayContact, ticket.CmdFinish: people.MayFinishTicket,
		ticket.CmdObject: people.MayObject, ticket.CmdAskExtension: people.MayAskTime, ticket.CmdAskSuspension: people.MayAskTime,
		ticket.CmdResume: people.MayAskTime,
	}
	var options []flows.Option
	for _, c := range s.Rules.Allowed(o.Ticket, by) {
		right, button := needs[c]
		if !button || !s.worthwhile(o, c) || !s.May(staff, right, o, t.Now) {
			continue
		}
		option, err := s.button(t, o, c)
		if err != nil {
			return nil, err
		}
		options = append(options, option)
	}
	return s.owing(t, o, staff, options)
}

// when is an instant as texts name it.
func (s *Service) when(at time.Time) map[string]string {
	at = at.In(s.Work.Location())
	return map[string]string{"month": strconv.Itoa(int(at.Month())), "day": strconv.Itoa(at.Day()), "clock": at.Format("15:04")}
}
