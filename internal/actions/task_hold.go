package actions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// duty is a kind of work that tasks ask for: which tasks, and by what right.
type duty struct {
	kinds []string
	right people.StaffCommand
}

// duties are what dialogues name in "for".
func duties() map[string]duty {
	all := map[string]duty{
		"dispatch": {[]string{workorder.TaskDispatch}, people.MayDispatchTicket},
		"reject":   {[]string{workorder.TaskDispatch, workorder.TaskComplete, workorder.TaskVoice}, people.MayRejectTicket},
		"complete": {[]string{workorder.TaskComplete}, people.MayCompleteTicket},
		"voice":    {[]string{workorder.TaskVoice}, people.MayCompleteTicket},
		"phone":    {[]string{workorder.TaskPhone}, people.MayCallBack},
		"judge":    {[]string{workorder.TaskJudge}, people.MayJudge},
		"check":    {[]string{workorder.TaskCheck}, people.MayCheckFinding},
		"settle": {[]string{
			workorder.TaskPerson, workorder.TaskLost, workorder.TaskDead, workorder.TaskLogin, workorder.TaskUnplanned, workorder.TaskWhistleRaised, workorder.TaskWhistleCity,
		}, people.MayCallBack},
		"merge":  {[]string{workorder.TaskMerge}, people.MayDispatchTicket},
		"topic":  {[]string{workorder.TaskTopic}, people.MayDecideTopic},
		"patrol": {[]string{workorder.TaskPatrol}, people.MayPatrol},
		"decide": {[]string{workorder.TaskReview}, people.MayDecide},
	}
	maps.Copy(all, overseeDuties())
	return all
}

// taskRight is what a task of the kind asks for, as it is listed.
func taskRight(kind string) people.StaffCommand {
	switch kind {
	case workorder.TaskDead, workorder.TaskUnplanned:
		return people.MayReplay
	case workorder.TaskLogin:
		return people.MayLogIn
	case workorder.TaskLost:
		return people.MayNote
	case workorder.TaskWhistleBlow:
		return people.MayBlowWhistle
	case workorder.TaskWhistleAssign:
		return people.MayAssignWhistle
	case workorder.TaskWhistleAppraise:
		return people.MayAppraiseWhistle
	case workorder.TaskWhistleRaised, workorder.TaskWhistleCity:
		return people.MayRaiseWhistle
	}
	for _, d := range duties() {
		if !besides(d.right) && slices.Contains(d.kinds, kind) {
			return d.right
		}
	}
	return ""
}

// errand is a task in the hands of a member of the staff.
type errand struct {
	staff people.Staff
	task  db.Task
	// order is nil for a task that is about no ticket.
	order *workorder.Order
	// whistle is nil for a task that is about none.
	whistle *workorder.Whistle
	data    map[string]string
	rest    string
}

// errand finds the open task that a command is about (派 7) and asks the rights.
// A task of somebody else's area does not exist for the speaker.
func (s *Set) errand(ctx context.Context, t *gateway.Turn, args map[string]any, purpose string) (*errand, result, error) {
	work, ok := duties()[purpose]
	if !ok {
		return nil, nil, fmt.Errorf("no task is held for %q", purpose)
	}
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return nil, failed, err
	}
	if t.Group {
		return nil, fail("staff.private_chat"), nil
	}
	id, rest := int64(number(args, "task")), text(args, "text")
	if id == 0 {
		n, behind, named := leadingHandle(rest)
		if !named {
			return s.onlyErrand(ctx, t, who, purpose, rest)
		}
		id, rest = int64(n), behind
	}
	row, err := s.lockTask(ctx, t, id)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil, fail("task.none"), nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("load a task: %w", err)
	}
	e, err := s.openErrand(ctx, t, who, row)
	if err != nil {
		return nil, nil, err
	}
	e.rest = rest
	switch {
	case !s.mayDoTask(t, e, taskRight(row.Kind)) || !s.mayDoTask(t, e, work.right) && purpose != "settle":
		return nil, fail("task.none"), nil
	case row.State != "open":
		return nil, fail("task.over"), nil
	case !slices.Contains(work.kinds, row.Kind):
		return nil, fail("task.other_kind"), nil
	}
	return e, nil, nil
}

// lockTask locks the ticket of a task and then the task: in the order in which a
// ticket that moves on ends its tasks.
func (s *Set) lockTask(ctx context.Context, t *gateway.Turn, id int64) (db.Task, error) {
	row, err := t.GetTask(ctx, id)
	if err != nil {
		return row, err
	}
	if row.TicketID != nil {
		if _, err := t.LoadTicket(ctx, *row.TicketID, true); err != nil {
			return row, err
		}
	}
	return t.LockTask(ctx, id)
}

// onlyErrand is the one open task of that work that the speaker has; of
// several it asks for the number.
func (s *Set) onlyErrand(ctx context.Context, t *gateway.Turn, who people.Staff, purpose, rest string) (*errand, result, error) {
	all, err := s.errands(ctx, t, who)
	if err != nil {
		return nil, nil, err
	}
	all = slices.DeleteFunc(all, func(e errand) bool { return !slices.Contains(duties()[purpose].kinds, e.task.Kind) })
	switch len(all) {
	case 0:
		return nil, fail("task.nothing"), nil
	case 1:
		return s.errand(ctx, t, map[string]any{"task": float64(all[0].task.ID), "text": rest}, purpose)
	}
	lines, err := s.taskLines(t, all)
	return nil, result{"fail": "task.which", "params": map[string]any{"lines": lines}}, err
}

func (s *Set) openErrand(ctx context.Context, t *gateway.Turn, who people.Staff, row db.Task) (*errand, error) {
	e := &errand{staff: who, task: row, data: map[string]string{}}
	body, err := t.Open(workorder.SealTask, row.Data)
	if err != nil {
		return nil, err
	}
	if body != "" {
		if err := json.Unmarshal([]byte(body), &e.data); err != nil {
			return nil, fmt.Errorf("read the data of a task: %w", err)
		}
	}
	switch {
	case row.TicketID != nil:
		e.order, err = s.Orders.Load(ctx, t, *row.TicketID, false)
	case slices.Contains(workorder.WhistleTasks(), row.Kind):
		id, _, parseErr := workorder.ParseWhistleCard(row.Subject)
		if parseErr != nil {
			return nil, parseErr
		}
		e.whistle, err = s.Orders.LoadWhistle(ctx, t, id, false)
	}
	return e, err
}

// mayDoTask asks the rights: about the ticket, or about the area where there is
// none. Who only looks for what got lost, or decides, must hold the role it was
// left to.
func (s *Set) mayDoTask(t *gateway.Turn, e *errand, c people.StaffCommand) bool {
	if (c == people.MayNote || c == people.MayDecide) && !e.staff.Has(people.Role(e.task.Role)) {
		return false
	}
	if homecare.IsTask(e.task.Kind) {
		return s.Care.HoldsTask(e.staff, e.task)
	}
	if e.whistle != nil {
		return s.Orders.MayWhistle(e.staff, c, e.whistle, t.Now)
	}
	if e.task.Kind == workorder.TaskEscalated && !workorder.HoldsLevel(e.staff, e.task) {
		return false
	}
	if e.order == nil {
		return s.Orders.Rights.May(e.staff, c, taskSubject(e.task), t.Now)
	}
	return s.Orders.May(e.staff, c, e.order, t.Now)
}

// maxTasks bounds what a list is made from.
const maxTasks = 60

// errands lists the open tasks that the speaker may do, the most pressing
// first.
func (s *Set) errands(ctx context.Context, t *gateway.Turn, who people.Staff) ([]errand, error) {
	p := db.OpenTasksForParams{Staff: who.ID, MaxRows: maxTasks}
	for _, g := range who.Grants {
		p.Roles, p.Areas = append(p.Roles, string(g.Role)), append(p.Areas, g.Area.Code)
	}
	rows, err := t.OpenTasksFor(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list open tasks: %w", err)
	}
	var all []errand
	for _, row := range rows {
		e, err := s.openErrand(ctx, t, who, row)
		if err != nil {
			return nil, err
		}
		if s.mayDoTask(t, e, taskRight(row.Kind)) {
			all = append(all, *e)
		}
	}
	return all, nil
}

func (s *Set) taskLines(t *gateway.Turn, all []errand) (string, error) {
	lines := make([]string, min(len(all), s.Policy.Listed))
	for i := range lines {
		e := all[i]
		p := map[string]string{"task": strconv.FormatInt(e.task.ID, 10), "number": "", "matter": "", "mark": "", "whistle": e.data["whistle"]}
		for _, name := range []string{"matter", "area", "count", workorder.DataMonth, "bed", "when"} {
			p[name] = e.data[name]
		}
		if e.order != nil {
			gist, err := s.Orders.Gist(t, e.order)
			if err != nil {
				return "", err
			}
			gist["task"] = p["task"]
			if _, sees := s.Orders.Viewer(e.staff, e.order, t.Now); !sees { // who is only asked for help
				gist["matter"] = ""
			}
			p = gist
		}
		line, err := t.Text("todo."+e.task.Kind, p)
		if err != nil {
			return "", err
		}
		lines[i] = strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n"), nil
}

// listTasks lists what waits for the speaker: 待办.
func (s *Set) listTasks(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	if t.Group {
		return fail("staff.private_chat"), nil
	}
	all, err := s.errands(ctx, t, who)
	if err != nil {
		return nil, err
	}
	lines, err := s.taskLines(t, all)
	return result{"count": len(all), "lines": lines}, err
}

// holdTask begins a dialogue about a task and returns what it may show and
// offer.
func (s *Set) holdTask(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	purpose := text(args, "for")
	e, failed, err := s.errand(ctx, t, args, purpose)
	if err != nil || failed != nil {
		return failed, err
	}
	r := result{}
	if e.order != nil {
		if r, err = s.told(t, e.order, 0); err != nil {
			return nil, err
		}
		r["ticket"] = r["id"]
		r["needs_place"] = !e.order.Place.Known()
	}
	r["task"], r["kind"] = float64(e.task.ID), e.task.Kind
	// What a resident was not told is told by telephone; of staff the task
	// itself names the number.
	r["call"] = e.order != nil && e.task.Kind == workorder.TaskLost && e.task.Role != string(people.RoleDispatcher)
	if e.rest != "" {
		r["rest"] = e.rest
	}
	if r["lines"], err = s.taskSheet(ctx, t, e); err != nil {
		return nil, err
	}
	switch purpose {
	case "dispatch":
		lead, co, several, serr := s.splitAt(t, "dispatch.co_mark", e.rest)
		if serr != nil {
			return nil, serr
		}
		if several {
			r["rest"], r["co"] = lead, co
		}
		r["several"] = several
		r["targets"], err = s.targets(ctx, t, e.order)
	case "reject":
		r["reasons"], err = s.reasons(t, "reject", s.Orders.Rules.Policy().Reasons.Reject)
	case "topic":
		r["owners"], err = s.owners(ctx, t, e)
	case "refer":
		r["reasons"], err = s.referrals(t)
	case "complete":
		words, werr := s.Orders.Words(e.order)
		if err = werr; words != "" {
			r["words"] = words
		}
	}
	return r, err
}

// taskSheet is what one must know to do the task: the ticket as its viewer may
// see it, why it lies here, and what the resident said of the outcome.
func (s *Set) taskSheet(ctx context.Context, t *gateway.Turn, e *errand) (string, error) {
	var lines []string
	add := func(key string, params map[string]string) error {
		line, err := t.Text(key, params)
		lines = append(lines, line)
		return err
	}
	if e.order != nil {
		params, _, err := s.Orders.Sheet(ctx, t, e.order, e.staff)
		key := "card.sheet"
		if errors.Is(err, workorder.ErrNotForYou) && e.task.Kind == workorder.TaskEscalated {
			key, params, err = "task.private", map[string]string{"number": e.order.Number.Spoken()}, nil
		}
		if err != nil {
			return "", err
		}
		if err := add(key, params); err != nil {
			return "", err
		}
		if err := s.outcomeLines(ctx, t, e, add); err != nil {
			return "", err
		}
	}
	if e.whistle != nil {
		sheet, err := s.Orders.WhistleSheet(ctx, t, e.whistle, nil)
		if err != nil {
			return "", err
		}
		if err := add("whistle.card", sheet); err != nil {
			return "", err
		}
	}
	if many, err := s.manySheet(ctx, t, e); err != nil || many != "" {
		return many, err
	}
	if why := e.data["reason"]; why != "" {
		key := "wait." + why
		switch reasons := s.Orders.Rules.Policy().Reasons; {
		case slices.Contains(reasons.Return, why):
			key = "reason.return." + why
		case slices.Contains(reasons.Object, why):
			key = "reason.object." + why
		}
		if kind := map[string]string{workorder.TaskEscalated: "escalate", workorder.TaskExclusion: "exclude"}[e.task.Kind]; kind != "" {
			key = "reason." + kind + "." + why
		}
		if err := add(key, e.data); err != nil && !errors.Is(err, gateway.ErrNoDefinition) {
			return "", err
		}
	}
	if e.task.Kind == workorder.TaskReview {
		if err := s.reviewLines(ctx, t, e.order, add); err != nil {
			return "", err
		}
	}
	if words := e.data["words"]; words != "" {
		if err := add("task.words", map[string]string{"words": words}); err != nil {
			return "", err
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n")), nil
}

// outcomeLines tell what the desk reported and what the resident answered.
func (s *Set) outcomeLines(ctx context.Context, t *gateway.Turn, e *errand, add func(string, map[string]string) error) error {
	reply, err := s.Orders.Reply(e.order)
	if err != nil {
		return err
	}
	if e.order.State != ticket.Handled && e.order.State != ticket.Callback {
		return nil
	}
	if reply != "" {
		if err := add("task.reply", map[string]string{"reply": reply}); err != nil {
			return err
		}
	}
	if e.task.Kind != workorder.TaskJudge {
		return nil
	}
	if redos := s.Orders.Rules.Callbacks().Redo.Max; e.order.Redos >= redos {
		if err := add("task.redone", map[string]string{"times": strconv.Itoa(redos)}); err != nil {
			return err
		}
	}
	row, err := t.LastCallback(ctx, e.order.ID)
	if errors.Is(err, postgres.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the last callback: %w", err)
	}
	why, err := t.Open(workorder.SealCallback, row.Words)
	if err != nil {
		return err
	}
	if err := add("task.unhappy", nil); err != nil || why == "" {
		return err
	}
	return add("task.words", map[string]string{"words": why})
}

// findTaskDesk makes a desk of what the dispatcher wrote or chose.
func (s *Set) findTaskDesk(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	e, failed, err := s.errand(ctx, t, map[string]any{"task": object(args, "vars")["task"]}, "dispatch")
	if err != nil || failed != nil {
		return result{"status": flows.StatusReject, "say": "desk.unknown"}, err
	}
	return s.resolveDesk(ctx, t, e.order, args)
}

// done ends a task that the rules have not ended already.
func (e *errand) done(ctx context.Context, t *gateway.Turn, outcome string) error {
	if err := t.EndTask(ctx, e.task.ID, outcome, &e.staff.ID); err != nil {
		return fmt.Errorf("end a task: %w", err)
	}
	return nil
}
