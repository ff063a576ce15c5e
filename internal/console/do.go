package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// doTask does a task with what the form says and ends it.
func (c *Console) doTask(ctx context.Context, v *visit) (answer, error) {
	if id, ok, err := c.ofLadder(ctx, v); err != nil || ok {
		if err != nil {
			return answer{}, err
		}
		return c.doCareTask(ctx, v, id)
	}
	row, o, err := c.task(ctx, v, true)
	if err != nil {
		return answer{}, err
	}
	outcome := "done"
	switch row.Kind {
	case workorder.TaskComplete, workorder.TaskVoice:
		if page, err := c.complete(ctx, v, row, o); err != nil || page != nil {
			return answer{page: "task", data: page}, err
		}
		outcome = "completed"
	case workorder.TaskDispatch:
		// The form is that of the ticket's page, which ends the task.
		return answer{to: "/desk"}, dispatch(ctx, c, v, o, v.as(ticket.AsDispatcher))
	case workorder.TaskReview, workorder.TaskExclusion:
		return answer{to: "/desk"}, c.review(ctx, v, row, o)
	case workorder.TaskEscalated:
		outcome, err = "instructed", c.instruct(ctx, v, o)
	case workorder.TaskPhone:
		return c.callBack(ctx, v, row, o)
	case workorder.TaskCheck:
		outcome, err = c.check(ctx, v, o)
	case workorder.TaskJudge:
		outcome, err = c.judge(ctx, v, o)
	case workorder.TaskMerge, workorder.TaskTopic: // decided in chat, where the tickets are shown
		err = errForm
	default:
		err = c.note(ctx, v, row, o)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{to: "/desk"}, c.ended(ctx, v, row, outcome)
}

// ended ends a task and notes who did it.
func (c *Console) ended(ctx context.Context, v *visit, row db.Task, outcome string) error {
	if err := v.EndTask(ctx, row.ID, outcome, &v.staff.ID); err != nil {
		return fmt.Errorf("end a task: %w", err)
	}
	return v.Record(ctx, "task."+outcome, postgres.Subject("task", row.ID), nil, "")
}

// review decides on what a desk asked for, as on the ticket's own page. The
// decision ends the task.
func (c *Console) review(ctx context.Context, v *visit, row db.Task, o *workorder.Order) error {
	name := ticket.CmdDecide
	if row.Kind == workorder.TaskExclusion {
		name = ticket.CmdDecideExclusion
	}
	list, by := c.offers(v, o)
	i := slices.IndexFunc(list, func(d deed) bool { return d.Name == name })
	if i < 0 {
		return c.refuse(v, o, name)
	}
	if err := list[i].do(ctx, c, v, o, by[i]); err != nil {
		return err
	}
	return c.ended(ctx, v, row, "decided")
}

// instruct keeps what the people of a higher level say about a ticket that was
// raised to them.
func (c *Console) instruct(ctx context.Context, v *visit, o *workorder.Order) error {
	words := v.form("words")
	if words == "" {
		return errForm
	}
	return c.Orders.Instruct(ctx, v.Turn, o, v.staff, words)
}

// complete fills a draft in from what a clerk heard or found out. It comes
// back with a page when the place is not clear.
func (c *Console) complete(ctx context.Context, v *visit, row db.Task, o *workorder.Order) (*taskPage, error) {
	words, where := v.form("words"), v.form("place")
	m, ok := c.Orders.Matters.Get(v.form("matter"))
	known, err := c.Orders.Words(o)
	if err != nil {
		return nil, err
	}
	claimed := slices.ContainsFunc(c.Orders.Matters.Claims(), func(k ticket.Claim) bool { return k.Code == v.form("claim") })
	if !ok || !claimed || words == "" && known == "" {
		return nil, errForm
	}
	// What protects a reporter follows from the words as it does in chat.
	heard := c.Filing(v.Turn, map[string]any{"what": words, "matter_code": m.Code}).Content
	content := ticket.Content{
		Claim: v.form("claim"), Matter: m.Code, Urgency: m.Class, Danger: o.Danger, Place: o.Place,
		Confidential: o.Confidential || v.form("confidential") != "" || heard.Confidential, Anonymous: o.Anonymous || heard.Anonymous,
		Sensitive: o.Sensitive || m.Sensitive || heard.Sensitive,
		Against:   slices.Concat(o.Against, heard.Against), AgainstStaff: o.AgainstStaff, ReportedFor: o.Ticket.ReportedFor,
	}
	if v.form("urgent") != "" || o.Urgency == ticket.Urgent {
		content.Urgency = ticket.Urgent
	}
	if where != o.Place.Label || !o.Place.Known() {
		place, options := c.place(where, v.pick(where))
		if place == nil && v.form("unplaced") == "" {
			page, err := c.taskPage(ctx, v, row, o)
			if err != nil {
				return nil, err
			}
			page.Places, page.Place, page.Matter, page.Claim, page.Unclear = options, where, m.Code, content.Claim, true
			return page, nil
		}
		if place == nil {
			place = &ticket.PlaceRef{Division: o.Place.Division, Label: where}
		}
		content.Place = *place
	}
	if words != "" && row.Kind == workorder.TaskVoice {
		if err := c.Orders.Transcribe(ctx, v.Turn, o.ID, words); err != nil {
			return nil, err
		}
	}
	if words != "" && !strings.Contains(known, words) {
		if err := c.Orders.AddWords(ctx, v.Turn, o, words); err != nil {
			return nil, err
		}
	}
	if o.State != ticket.Draft && o.State != ticket.Received {
		return nil, nil // the ticket went on; what was heard is added to it
	}
	_, err = c.Orders.Do(ctx, v.Turn, o.ID, v.as(ticket.AsCompleter), ticket.Complete{Content: content})
	return nil, err
}

// pick is the place that was chosen among those offered for the same words.
func (v *visit) pick(where string) string {
	if v.form("place_of") != where {
		return ""
	}
	return v.form("pick")
}

// place resolves what a clerk typed; pick chooses among options that were
// shown for the same words.
func (c *Console) place(where, pick string) (*ticket.PlaceRef, []string) {
	found := c.Places().Find(where, nil)
	matches := found.Options
	if found.Status == people.Found {
		matches, pick = []people.Match{found.Match}, "0"
	}
	if i, err := strconv.Atoi(pick); err == nil && i >= 0 && i < len(matches) {
		m := matches[i]
		return &ticket.PlaceRef{Division: string(m.Village), Grid: string(m.Grid), PlaceID: m.PlaceID, Label: m.Label()}, nil
	}
	labels := make([]string, len(matches))
	for i, m := range matches {
		labels[i] = m.FullLabel()
	}
	return nil, labels
}

// judge decides on an unhappy answer: redone, or closed with the reason told.
func (c *Console) judge(ctx context.Context, v *visit, o *workorder.Order) (string, error) {
	words, verdict := v.form("words"), v.form("verdict")
	judge := ticket.Judge{Reasonable: verdict == "redo", BeyondDuty: verdict == "beyond_duty"}
	if words == "" || !slices.Contains([]string{"redo", "explain", "beyond_duty"}, verdict) {
		return "", errForm
	}
	_, err := c.Orders.Judge(ctx, v.Turn, o.ID, v.as(ticket.AsCallback), judge, words)
	return verdict, err
}

// note keeps what was done about a message, an event or a wish to speak.
func (c *Console) note(ctx context.Context, v *visit, row db.Task, o *workorder.Order) error {
	words := v.form("words")
	if words == "" {
		return errForm
	}
	if o != nil {
		return c.Orders.Note(ctx, v.Turn, o.ID, "staff", words)
	}
	return v.Record(ctx, "task.note", postgres.Subject("task", row.ID), nil, words)
}
