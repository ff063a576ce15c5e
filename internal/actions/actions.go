// Package actions is what dialogues may do: typed Go behind the names that the
// YAML of configs/flows calls.
//
// # What an action is
//
// A function on the transaction of the turn. It returns values, or {"fail":
// textKey} where the resident's wish cannot be done; an error undoes the turn.
// It says nothing itself (the dialogue does), save for the privacy notice and
// the receipt of a recording, which belong to no dialogue. Words for people
// are never in Go: keys lead to configs/texts.
//
// # Who is asked for what
//
// A ticket is only ever looked up as "mine" (own.go). A number of somebody
// else and one that does not exist get the same words, and who guesses is
// locked out for a while. Everything that changes a ticket goes through
// workorder.Service, so that row, trail and clocks move together.
//
// # Groups
//
// In a group an action runs only where inGroups says so; everything else is
// answered by "write to me in private". Who reads along is asked in each turn:
// in a work group with one member who is no verified staff, nothing of a ticket
// is shown.
//
// # Other conversations
//
// Nobody but the speaker is spoken to: cards, notices and codes are due rows.
package actions

import (
	"context"
	"maps"

	"shaoying/bots"
	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/tally"
	"shaoying/internal/ticket"
	"shaoying/internal/workorder"
)

// Set is what the actions stand on. It is immutable and safe for use by many
// goroutines.
type Set struct {
	Orders *workorder.Service
	Care   *homecare.Service
	Units  *ticket.Units
	// Places returns the gazetteer as it is now; it is built anew after imports.
	Places  func() *people.Gazetteer
	Library *gateway.Library
	Words   *words.Lexicon
	Safety  *words.Safety
	Policy  Policy
	// Stopping says what a number stops that answers R.
	Stopping Stopping
	// Phone is the account by which texts go to phone numbers, "" for none.
	Phone bots.ChannelID
	Tally *tally.Tally
	// Desk makes the link by which the speaker opens the desk page, once.
	Desk func(ctx context.Context, t *gateway.Turn) (path string, err error)
}

// All lists every action by the name that dialogues call.
func (s *Set) All() map[string]gateway.Action {
	all := s.resident()
	maps.Copy(all, s.programmeActions())
	maps.Copy(all, s.familyActions())
	maps.Copy(all, s.staff())
	where := inGroups()
	for name, do := range all {
		all[name] = guarded(where[name], do)
	}
	return all
}

// Docs says what each action returns, for the check of dialogues.
func Docs() map[string]flows.ActionDoc {
	docs := residentDocs()
	maps.Copy(docs, programmeDocs())
	maps.Copy(docs, familyDocs())
	maps.Copy(docs, staffDocs())
	return docs
}

func (s *Set) resident() map[string]gateway.Action {
	return map[string]gateway.Action{
		"intake.classify":        s.classify,
		"intake.meant":           s.meant,
		gateway.ActionVoice:      s.voice,
		"place.find":             s.findPlace,
		"danger.advice":          s.advice,
		"ticket.near":            s.near,
		"ticket.file":            s.file,
		"ticket.file_incomplete": s.fileIncomplete,
		"ticket.add_place":       s.addPlace,
		"ticket.add_words":       s.addWords,
		"ticket.add_photos":      s.addPhotos,
		"ticket.list_own":        s.proven(people.CmdReadOwn, s.listOwn),
		"ticket.find_own":        s.proven(people.CmdReadOwn, s.findOwn),
		"ticket.withdraw":        s.proven(people.CmdWithdrawTicket, s.withdraw),
		"ticket.relapse":         s.proven(people.CmdRelapse, s.relapse),
		"callback.answer":        s.answerCallback,
		"survey.answer":          s.answerSurvey,
		"stillfine.answer":       s.answerStillFine,
		flows.ActionHandover:     s.handover,
		"person.request":         s.requestPerson,
		"person.stop":            s.stop,
		"person.start":           s.start,
		"person.language":        s.language,
		"notice.give":            s.giveNotice,
		"rider.enrol":            s.enrolRider,
		"code.ask":               s.askCode,
		"code.send":              s.sendCode,
		"code.check":             s.checkCode,
		"code.bind":              s.bind,
		"poll.join":              s.joinPoll,
		"poll.leave":             s.leavePoll,
		"poll.answer":            s.answerPoll,
		"prompt.answer":          s.answerPrompt,
	}
}

func residentDocs() map[string]flows.ActionDoc {
	filed := []string{"number", "id", "desk", "desk_name", "month", "day", "clock", "placed", "confidential", "anonymous", "joined"}
	gist := []string{"status", "value", "options"}
	return map[string]flows.ActionDoc{
		"intake.classify":        {Results: gist},
		"intake.meant":           {Results: []string{"flow", "number", "told"}},
		gateway.ActionVoice:      {Results: []string{"number"}},
		"place.find":             {Results: append([]string{"within", "confidential"}, gist...)},
		"danger.advice":          {Results: []string{"text"}},
		"ticket.near":            {Results: []string{"near_count", "near_lines", "near_offers"}},
		"ticket.file":            {Results: filed},
		"ticket.file_incomplete": {Results: []string{"number"}},
		"ticket.add_place":       {Results: []string{"number"}},
		"ticket.add_words":       {Results: []string{"number"}},
		"ticket.add_photos":      {Results: []string{"number", "photos"}},
		"ticket.list_own":        {Results: []string{"count", "only", "lines", "choices"}},
		"ticket.find_own":        {Results: []string{"number", "matter", "place", "state", "reply", "month", "day", "clock"}},
		"ticket.withdraw":        {Results: []string{"number"}},
		"ticket.relapse":         {Results: filed},
		"callback.answer":        {Results: []string{"unhappy"}},
		"survey.answer":          {Results: []string{"unhappy"}},
		"stillfine.answer":       {Results: filed},
		flows.ActionHandover:     {Results: []string{"number"}},
		"person.request":         {Results: []string{"month", "day", "clock"}},
		"person.stop":            {Results: []string{"what", "number"}},
		"person.start":           {Results: []string{"elsewhere"}},
		"person.language":        {Results: []string{"lang"}},
		"notice.give":            {Results: []string{"given"}},
		"rider.enrol":            {},
		"code.ask":               {Results: []string{"needed", "digits", "minutes", "what"}},
		"code.send":              {Results: []string{"minutes", "where"}},
		"code.check":             {Results: gist},
		"code.bind":              {},
		"poll.join":              {},
		"poll.leave":             {Results: []string{"joined"}},
		"poll.answer":            {},
		"prompt.answer":          {Speaks: true},
	}
}
