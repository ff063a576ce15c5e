package console

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// taskPage is one task with what is needed to do it.
type taskPage struct {
	ID     int64
	Kind   string
	Due    time.Time
	Late   bool
	Ticket *ticketPage
	Reason string
	// Whistle is the number of the whistle that it is about, empty for none.
	Whistle string
	// What the form offers and holds.
	Matters []ticket.Matter
	Claims  []ticket.Claim
	Fields  []field
	Places  []string // labels to choose from when the place is not clear
	Place   string
	Matter  string
	Claim   string
	Unclear bool
	// The answers that a callback offers, and the tries so far.
	Contacts, Solutions []ticket.Answer
	Levels              []ticket.Satisfaction
	Calls               []call
	Tries, Needed       int
	Next                time.Time
	NoPhone             bool
}

// rightOf is the right that a task about a ticket asks for.
func rightOf(kind string) people.StaffCommand {
	switch kind {
	case workorder.TaskComplete, workorder.TaskVoice:
		return people.MayCompleteTicket
	case workorder.TaskDispatch:
		return people.MayDispatchTicket
	case workorder.TaskPhone:
		return people.MayCallBack
	case workorder.TaskJudge:
		return people.MayJudge
	case workorder.TaskCheck:
		return people.MayCheckFinding
	case workorder.TaskReview:
		return people.MayDecide
	case workorder.TaskExclusion:
		return people.MayReview
	case workorder.TaskEscalated:
		return people.MayInstruct
	}
	return people.MayViewTicket
}

// task loads the task of the path for who may do it.
func (c *Console) task(ctx context.Context, v *visit, lock bool) (row db.Task, o *workorder.Order, err error) {
	id, err := v.id("id")
	if err != nil {
		return row, nil, err
	}
	// Lock order: the ticket before its task, as in chat.
	if row, err = v.GetTask(ctx, id); err != nil {
		return row, nil, fmt.Errorf("load a task: %w", err)
	}
	if row.TicketID != nil {
		if o, err = c.Orders.Load(ctx, v.Turn, *row.TicketID, lock); err != nil {
			return row, nil, fmt.Errorf("load the ticket of a task: %w", err)
		}
	}
	if lock {
		if row, err = v.LockTask(ctx, id); err != nil {
			return row, nil, fmt.Errorf("lock a task: %w", err)
		}
	}
	w, err := c.taskWhistle(ctx, v, row)
	if err != nil {
		return row, nil, err
	}
	if byPage(row.Kind) || !c.mayTask(v, row, o, w) {
		return row, nil, errNotHere
	}
	return row, o, nil
}

// ofLadder is the task of the path if a ladder of family beds or another programme
// laid it.
func (c *Console) ofLadder(ctx context.Context, v *visit) (id int64, ok bool, err error) {
	if id, err = v.id("id"); err != nil {
		return 0, false, err
	}
	row, err := v.GetTask(ctx, id)
	if err != nil {
		return 0, false, fmt.Errorf("load a task: %w", err)
	}
	return id, c.Care != nil && homecare.IsTask(row.Kind), nil
}

func (c *Console) showTask(ctx context.Context, v *visit) (answer, error) {
	if id, ok, err := c.ofLadder(ctx, v); err != nil || ok {
		if err != nil {
			return answer{}, err
		}
		return c.showCareTask(ctx, v, id)
	}
	row, o, err := c.task(ctx, v, false)
	if err != nil {
		return answer{}, err
	}
	p, err := c.taskPage(ctx, v, row, o)
	return answer{page: "task", data: p}, err
}

func (c *Console) taskPage(ctx context.Context, v *visit, row db.Task, o *workorder.Order) (*taskPage, error) {
	p := &taskPage{
		ID: row.ID, Kind: row.Kind, Contacts: []ticket.Answer{ticket.Yes, ticket.No},
		Solutions: []ticket.Answer{ticket.Yes, ticket.Partly, ticket.No}, Levels: ticket.Satisfactions(),
	}
	if row.DueAt != nil {
		p.Due, p.Late = *row.DueAt, v.Now.After(*row.DueAt)
	}
	data := map[string]string{}
	plain, err := v.Open(workorder.SealTask, row.Data)
	if err != nil {
		return nil, err
	}
	if plain != "" {
		if err := json.Unmarshal([]byte(plain), &data); err != nil {
			return nil, fmt.Errorf("read a task: %w", err)
		}
	}
	p.Reason, p.Whistle = c.taskReason(data), data["whistle"]
	if o == nil {
		return p, nil
	}
	_, view, err := c.order(ctx, v, o.ID)
	if err != nil {
		return nil, err
	}
	if p.Ticket, err = c.facts(ctx, v, o, view); err != nil {
		return nil, err
	}
	p.Place, p.Matter, p.Claim = o.Place.Label, o.Matter, o.Claim
	p.Matters, p.Claims = c.Orders.Matters.All(), c.Orders.Matters.Claims()
	switch row.Kind {
	case workorder.TaskDispatch:
		p.Fields, err = askDispatch(ctx, c, v, o, v.as(ticket.AsDispatcher))
	case workorder.TaskReview:
		p.Fields, err = askDecide(ctx, c, v, o, v.as(ticket.AsDispatcher))
	case workorder.TaskExclusion:
		p.Fields = []field{c.grantField(), wordsField("decision", true)}
	case workorder.TaskPhone:
		err = c.addTries(ctx, v, o, view, p)
	case workorder.TaskJudge:
		p.Calls, err = c.calls(ctx, v, o)
	}
	return p, err
}

// addTries adds how often the resident was rung, and when again.
func (c *Console) addTries(ctx context.Context, v *visit, o *workorder.Order, view map[ticket.Field]ticket.Show, p *taskPage) error {
	var err error
	if p.Calls, err = c.calls(ctx, v, o); err != nil {
		return err
	}
	p.Tries, p.Needed = o.Tries, c.Orders.Rules.Callbacks().Callback.Tries
	if p.Next, err = c.nextCall(p.Calls); err != nil {
		return err
	}
	if !p.Next.After(v.Now) {
		p.Next = time.Time{}
	}
	p.NoPhone = view[ticket.FieldPhone] == ticket.Hidden || p.Ticket.Phone == ""
	return nil
}

// nextCall is when a try counts again after the last one, zero for now.
func (c *Console) nextCall(calls []call) (time.Time, error) {
	if len(calls) == 0 {
		return time.Time{}, nil
	}
	return c.Orders.NextTry(calls[len(calls)-1].At)
}

// taskReason is why a task lies there, in words: a text of the catalogue, or
// what somebody said.
func (c *Console) taskReason(data map[string]string) string {
	if w := data["words"]; w != "" {
		return w
	}
	reason := data["reason"]
	if reason == "" {
		return ""
	}
	for _, list := range []string{"wait.", "reason.return.", "reason.object.", "reason.extend.", "reason.suspend.", "reason.exclude."} {
		if say, err := c.Gateway.Library.Text(list+reason, lang, data); err == nil {
			return say
		}
	}
	return ""
}
