package actions

import (
	"context"
	"maps"

	"shaoying/flows"
	"shaoying/internal/gateway"
)

// staff lists the actions of the staff. Each asks the rights before anything
// else (staff_hold.go, task_hold.go); what is not granted is refused.
func (s *Set) staff() map[string]gateway.Action {
	all := map[string]gateway.Action{
		"staff.join":     s.join,
		"staff.desk":     s.desk,
		"desk.link":      s.deskLink,
		"staff.report":   s.reportFor,
		"staff.finding":  s.finding,
		"finding.photos": s.findingPhotos, "finding.unfinished": s.findingUnfinished, "figures.patrol": s.patrolFigures,
		"duty.relief":   s.relief,
		"duty.off":      s.dutyOff,
		"duty.on":       s.dutyOn,
		"place.propose": s.proposeAlias,
		"place.waiting": s.waitingAliases,
		"place.decide":  s.decideAlias,
	}
	maps.Copy(all, s.cardActions())
	maps.Copy(all, s.taskActions())
	maps.Copy(all, s.groupActions())
	maps.Copy(all, s.whistleActions())
	maps.Copy(all, s.figureActions())
	maps.Copy(all, careFigureActions(s))
	maps.Copy(all, s.topicActions())
	maps.Copy(all, s.requestActions())
	maps.Copy(all, s.overseeActions())
	maps.Copy(all, s.wardActions())
	maps.Copy(all, s.bedActions())
	maps.Copy(all, s.programmeStaffActions())
	return all
}

// requestActions are what several desks do with one ticket, and what they ask
// for.
func (s *Set) requestActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"card.object":   s.object,
		"card.until":    s.untilDay,
		"card.ask_time": s.askTime,
		"card.resume":   s.resume,
		"card.co_sign":  s.coSign,
		"card.co_reply": s.coReply,
		"card.co":       s.findCoDesks,
		"card.involve":  s.involve,
		"task.co":       s.findTaskCoDesks,
		"task.decide":   s.decide,
	}
}

func requestDocs(known, gist []string) map[string]flows.ActionDoc {
	return map[string]flows.ActionDoc{
		"card.object":   {Results: append([]string{"raised"}, known...)},
		"card.until":    {Results: gist},
		"card.ask_time": {Results: append([]string{"supervisor"}, known...)},
		"card.resume":   {Results: known},
		"card.co_sign":  {Results: known},
		"card.co_reply": {Results: known},
		"card.co":       {Results: gist},
		"card.involve":  {Results: known},
		"task.co":       {Results: gist},
		"task.decide":   {Results: append([]string{"granted"}, known...)},
	}
}

// deskLink makes the one-time link to the desk page.
func (s *Set) deskLink(ctx context.Context, t *gateway.Turn, _ map[string]any) (map[string]any, error) {
	if _, failed, err := s.worker(ctx, t); err != nil || failed != nil {
		return failed, err
	}
	path, err := s.Desk(ctx, t)
	return result{"path": path}, err
}

// cardActions are what is done with a card.
func (s *Set) cardActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"card.list":     s.listCards,
		"card.hold":     s.holdCard,
		"card.show":     s.showCard,
		"card.take":     s.take,
		"card.desk":     s.findDesk,
		"card.transfer": s.transfer,
		"card.return":   s.recall,
		"card.phone":    s.seePhone,
		"card.contact":  s.contact,
		"card.relay":    s.relay,
		"card.finish":   s.finish,
		"card.note":     s.note,
	}
}

// taskActions are what dispatchers and clerks do by hand.
func (s *Set) taskActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"task.list":     s.listTasks,
		"task.hold":     s.holdTask,
		"task.desk":     s.findTaskDesk,
		"task.dispatch": s.dispatch,
		"task.reject":   s.reject,
		"task.complete": s.complete,
		"task.voice":    s.transcribe,
		"task.phone":    s.callbackResult,
		"task.judge":    s.judge,
		"task.check":    s.checkFinding,
		"task.settle":   s.settle,
	}
}

func staffDocs() map[string]flows.ActionDoc {
	known := []string{"id", "handle", "number", "matter", "state", "mark", "month", "day", "clock"}
	held := append([]string{"rest", "purpose", "reasons", "targets", "photo_needed", "protected", "lines"}, known...)
	task := append([]string{"co", "several", "task", "ticket", "kind", "rest", "words", "reasons", "targets", "matters", "needs_place", "lines", "call", "owners"}, known...)
	gist := []string{"status", "value", "options", "say"}
	docs := map[string]flows.ActionDoc{
		"staff.join":     {Results: []string{"name", "code", "other"}},
		"staff.desk":     {Results: []string{"name", "cards", "tasks", "duty"}},
		"desk.link":      {Results: []string{"path"}},
		"staff.report":   {Results: []string{"id", "number"}},
		"staff.finding":  {Results: []string{"id", "number"}},
		"finding.photos": {Results: []string{"number"}}, "finding.unfinished": {Results: []string{"number", "filed"}}, "figures.patrol": {Results: []string{"lines"}},
		"duty.relief":   {Results: gist},
		"duty.off":      {Results: []string{"relief"}},
		"duty.on":       {},
		"place.propose": {Results: []string{"place", "alias"}},
		"place.waiting": {Results: []string{"count", "lines", "choices"}},
		"place.decide":  {},
		"card.list":     {Results: []string{"count", "lines"}},
		"card.hold":     {Results: held},
		"card.show":     {Results: []string{"number"}},
		"card.take":     {Results: known},
		"card.desk":     {Results: gist},
		"card.transfer": {Results: known},
		"card.return":   {Results: known},
		"card.phone":    {Results: []string{"phone", "name"}},
		"card.contact":  {Results: known},
		"card.relay":    {Results: known},
		"card.finish":   {Results: known},
		"card.note":     {Results: known},
		"task.list":     {Results: []string{"count", "lines"}},
		"task.hold":     {Results: task},
		"task.desk":     {Results: gist},
		"task.dispatch": {Results: append([]string{"desk", "several"}, known...)},
		"task.reject":   {Results: known},
		"task.complete": {Results: known},
		"task.voice":    {Results: known},
		"task.phone":    {Results: append([]string{"unhappy"}, known...)},
		"task.judge":    {Results: append([]string{"raised"}, known...)},
		"task.check":    {Results: known},
		"task.settle":   {},
	}
	maps.Copy(docs, groupDocs())
	maps.Copy(docs, whistleDocs())
	maps.Copy(docs, figureDocs())
	maps.Copy(docs, careFigureDocs())
	maps.Copy(docs, topicDocs(gist))
	maps.Copy(docs, requestDocs(known, gist))
	maps.Copy(docs, overseeDocs(known))
	maps.Copy(docs, wardDocs(gist))
	maps.Copy(docs, bedDocs())
	maps.Copy(docs, programmeStaffDocs())
	return docs
}
