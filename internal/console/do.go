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
		outcome, err = "dispatched", c.dispatch(ctx, v, o)
	case workorder.TaskPhone, workorder.TaskCheck:
		outcome, err = c.callBack(ctx, v, o)
	case workorder.TaskJudge:
		outcome, err = c.judge(ctx, v, o)
	default:
		err = c.note(ctx, v, row, o)
	}
	if err != nil {
		return answer{}, err
	}
	if err := v.EndTask(ctx, row.ID, outcome, &v.staff.ID); err != nil {
		return answer{}, fmt.Errorf("end a task: %w", err)
	}
	return answer{to: "/desk"}, v.Record(ctx, "task."+outcome, postgres.Subject("task", row.ID), nil, "")
}

func (v *visit) form(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// as is who asks, as an actor of the rules.
func (v *visit) as(capacity ticket.Capacity) ticket.Actor {
	return ticket.Actor{As: capacity, Person: v.staff.PersonID, Staff: v.staff.ID}
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
	content := ticket.Content{
		Claim: v.form("claim"), Matter: m.Code, Urgency: m.Class, Danger: o.Danger, Place: o.Place,
		Confidential: o.Confidential || v.form("confidential") != "", Anonymous: o.Anonymous,
		Sensitive: o.Sensitive || m.Sensitive || c.Orders.Matters.Classify(words).Sensitive,
		Against:   o.Against, AgainstStaff: o.AgainstStaff, ReportedFor: o.Ticket.ReportedFor,
	}
	if v.form("urgent") != "" || o.Urgency == ticket.Urgent {
		content.Urgency = ticket.Urgent
	}
	if where != o.Place.Label || !o.Place.Known() {
		place, options := c.place(where, v.form("pick"))
		if place == nil && v.form("unplaced") == "" {
			page, err := c.taskPage(ctx, v, row, o)
			if err != nil {
				return nil, err
			}
			page.Places, page.Place, page.Words, page.Matter, page.Claim, page.Unclear = options, where, words, m.Code, content.Claim, true
			return page, nil
		}
		if place == nil {
			place = &ticket.PlaceRef{Division: o.Place.Division, Label: where}
		}
		content.Place = *place
	}
	if words != "" {
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

// dispatch lays a ticket on the desk that was chosen: "grid", "unit:CODE" or
// "named:STAFF:CODE".
func (c *Console) dispatch(ctx context.Context, v *visit, o *workorder.Order) error {
	kind, rest, _ := strings.Cut(v.form("desk"), ":")
	var desk ticket.Desk
	switch kind {
	case "grid":
		desk = ticket.Desk{Kind: ticket.DeskGrid, Code: o.Place.Grid}
	case "unit":
		desk = ticket.Desk{Kind: ticket.DeskUnit, Code: rest}
	case "named":
		id, code, _ := strings.Cut(rest, ":")
		staff, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return errForm
		}
		rows, err := v.StaffWith(ctx, []string{string(people.RoleHandler)}, []string{code})
		if err != nil {
			return fmt.Errorf("find a handler: %w", err)
		}
		if !slices.ContainsFunc(rows, func(r db.StaffWithRow) bool { return r.ID == staff }) {
			return errForm
		}
		desk = ticket.Desk{Kind: ticket.DeskNamed, Code: code, Staff: staff}
	}
	if _, ok := c.Units.Get(desk.Code); desk.Code == "" || kind != "grid" && !ok {
		return errForm
	}
	_, err := c.Orders.Do(ctx, v.Turn, o.ID, v.as(ticket.AsDispatcher), ticket.Dispatch{Lead: desk})
	return err
}

// callBack keeps what a resident said on the telephone, or what came of a
// check.
func (c *Console) callBack(ctx context.Context, v *visit, o *workorder.Order) (string, error) {
	result := ticket.CallbackResult{Unreached: v.form("reached") == "no"}
	outcome := "unreached"
	if !result.Unreached {
		outcome = "answered"
		result.Facts = ticket.Facts{
			Contacted: ticket.Answer(v.form("contacted")), Solved: ticket.Answer(v.form("solved")), Satisfied: ticket.Satisfaction(v.form("satisfied")),
		}
	}
	id, err := v.AddCallback(ctx, db.AddCallbackParams{TicketID: o.ID, Try: int32(o.Tries), ByStaff: &v.staff.ID, Via: "phone"})
	if err != nil {
		return "", fmt.Errorf("keep a call: %w", err)
	}
	p := db.EndCallbackParams{
		ID: id, Contacted: string(result.Facts.Contacted), Solved: string(result.Facts.Solved),
		Satisfied: string(result.Facts.Satisfied), Ended: outcome,
	}
	if w := v.form("words"); w != "" {
		p.Words = v.Seal(workorder.SealCallback, w)
	}
	if err := v.EndCallback(ctx, p); err != nil {
		return "", fmt.Errorf("keep what was said on a call: %w", err)
	}
	_, err = c.Orders.Do(ctx, v.Turn, o.ID, v.as(ticket.AsCallback), result)
	return outcome, err
}

// judge decides on an unhappy answer: redone, or closed with the reason told.
func (c *Console) judge(ctx context.Context, v *visit, o *workorder.Order) (string, error) {
	words, verdict := v.form("words"), v.form("verdict")
	judge := ticket.Judge{Reasonable: verdict == "redo", BeyondDuty: verdict == "beyond_duty"}
	if words == "" || !slices.Contains([]string{"redo", "explain", "beyond_duty"}, verdict) {
		return "", errForm
	}
	o, err := c.Orders.Do(ctx, v.Turn, o.ID, v.as(ticket.AsCallback), judge)
	if err != nil {
		return "", err
	}
	if judge.Reasonable {
		return "redo", c.Orders.Note(ctx, v.Turn, o.ID, "staff", words)
	}
	return "explained", c.Orders.SetReplies(ctx, v.Turn, o, words, "")
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
