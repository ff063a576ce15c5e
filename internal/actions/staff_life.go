package actions

import (
	"slices"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// overseeActions are supervision, escalation, merging, answers and referrals at
// once, and exclusion.
func (s *Set) overseeActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"order.hold":      s.holdOrder,
		"order.supervise": s.supervise,
		"order.answer":    s.answerSupervision,
		"order.escalate":  s.escalate,
		"order.exclude":   s.askExclusion,
		"merge.pair":      s.pair,
		"merge.master":    s.orderNumber,
		"merge.do":        s.merge,
		"merge.undo":      s.unmerge,
		"task.answer":     s.answerNow,
		"task.refer":      s.refer,
		"task.instruct":   s.instruct,
		"task.review":     s.review,
	}
}

func overseeDocs(known []string) map[string]flows.ActionDoc {
	with := func(more ...string) flows.ActionDoc { return flows.ActionDoc{Results: append(more, known...)} }
	return map[string]flows.ActionDoc{
		"order.hold":      with("rest", "reasons", "picked", "desks", "supervision", "reason", "by"),
		"order.supervise": with("supervision"),
		"order.answer":    with("supervision", "name"),
		"order.escalate":  with(),
		"order.exclude":   with(),
		"merge.pair":      {Results: []string{"child", "child_line", "master", "master_line"}},
		"merge.master":    {Results: []string{"master", "master_line"}},
		"merge.do":        with(),
		"merge.undo":      with(),
		"task.answer":     with(),
		"task.refer":      with(),
		"task.instruct":   with(),
		"task.review":     with(),
	}
}

// overseeDuties are the tasks behind them.
func overseeDuties() map[string]duty {
	early := []string{workorder.TaskDispatch, workorder.TaskComplete, workorder.TaskVoice}
	return map[string]duty{
		"answer":    {early, people.MayAnswerNow},
		"refer":     {early, people.MayRefer},
		"instruct":  {[]string{workorder.TaskEscalated}, people.MayInstruct},
		"exclusion": {[]string{workorder.TaskExclusion}, people.MayReview},
	}
}

// besides reports whether a right is not what a task is made for, but something
// else that can be done with it.
func besides(c people.StaffCommand) bool {
	return slices.Contains([]people.StaffCommand{people.MayRejectTicket, people.MayAnswerNow, people.MayRefer}, c)
}
