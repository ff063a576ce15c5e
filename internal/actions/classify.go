package actions

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"shaoying/flows"
	"shaoying/flows/words"
	"shaoying/internal/gateway"
	"shaoying/internal/ticket"
)

// classify says what a message is about: the matter, how sure that is, and
// what follows from the words. A chosen matter is sure; typed words are taken
// together with the report.
func (s *Set) classify(_ context.Context, _ *gateway.Turn, args map[string]any) (map[string]any, error) {
	said := text(args, "text")
	if m, ok := s.Orders.Matters.Get(text(args, "value")); ok {
		return result{"status": flows.StatusOK, "value": s.matterValue(m, 1)}, nil
	}
	if what := text(object(args, "vars"), "what"); what != "" && what != said {
		said = what + "\n" + said
	}
	guess := s.guess(said)
	m, ok := s.Orders.Matters.Get(guess.Code)
	if !ok {
		return result{"status": flows.StatusUnknown}, nil
	}
	sure := guess.Sure
	if len(guess.Alternatives) < 2 { // one answer is no question
		sure = 1
	}
	claim := s.Orders.Matters.ClaimOf(said)
	v := s.matterValue(m, sure)
	// What may be about somebody is asked for like any other report.
	v["refer"] = m.Refer != "" && (!s.aboutConduct(said, claim) || slices.Contains(s.Orders.Rules.Policy().Referrals.Independent, m.Refer))
	v["urgent"], v["sensitive"], v["claim"] = guess.Urgent, guess.Sensitive, claim
	v["confidential"], v["anonymous"] = s.wantsConfidence(said), s.wantsAnonymity(said)
	// A question is answered wherever one lives; what can be photographed is
	// somewhere, also when it is put as a question.
	v["local"] = claim != "consultation" || m.Photo
	options := make([]any, 0, len(guess.Alternatives))
	for _, code := range guess.Alternatives {
		if a, ok := s.Orders.Matters.Get(code); ok {
			options = append(options, option(a.Code, a.Name))
		}
	}
	return result{"status": flows.StatusOK, "value": v, "options": options}, nil
}

// guess classifies a message without the names of places in it: 桥头村 says
// nothing of a bridge.
func (s *Set) guess(said string) ticket.Guess {
	found := s.Places().Find(said, nil)
	for _, m := range append(found.Options, found.Match) {
		if m.Name != "" {
			said = strings.ReplaceAll(said, m.Name, " ")
		}
	}
	return s.Orders.Matters.Classify(said)
}

func (s *Set) matterValue(m ticket.Matter, sure float64) map[string]any {
	return map[string]any{"code": m.Code, "title": m.Name, "sure": sure, "photo": m.Photo}
}

func (s *Set) wantsConfidence(said string) bool { return holds(said, s.Policy.Confidential) }

func (s *Set) wantsAnonymity(said string) bool { return holds(said, s.Policy.Anonymous) }

// holds reports whether one of the words stands in a text.
func holds(said string, list []string) bool {
	n := words.Normalize(said)
	return slices.ContainsFunc(list, func(w string) bool { return strings.Contains(n, words.Normalize(w)) })
}

// menuFlows are the dialogues that the menu leads to.
var menuFlows = []string{"report", "my_tickets", "add_to_ticket", "withdraw", "report_for", "person", "bind_code"}

// meant finds what a message at the menu, or a first message, asks for: one of
// the menu's dialogues, a report when it tells a story, or nothing; and whether it
// names a ticket, and tells of a matter (told) beside the words that ask for a dialogue.
func (s *Set) meant(_ context.Context, _ *gateway.Turn, args map[string]any) (map[string]any, error) {
	said := text(args, "text")
	r := result{"flow": "", "number": len(ticket.FindNumbers(said)) > 0, "told": false}
	flow, ok := s.Words.Intent(said, s.Library.Starts())
	switch {
	case slices.Contains(menuFlows, said):
		r["flow"] = said
	case ok && slices.Contains(menuFlows, flow):
		r["flow"], r["told"] = flow, s.tells(beside(said, s.Library.Starts()[flow]))
	case s.tells(said):
		r["flow"], r["told"] = "report", true
	}
	return r, nil
}

// beside is what a message says beside the words that start a dialogue.
func beside(said string, starts []string) string {
	said = words.Normalize(said)
	for _, w := range starts {
		said = strings.ReplaceAll(said, words.Normalize(w), "")
	}
	return said
}

// tells reports whether a message says something beside a greeting.
func (s *Set) tells(said string) bool {
	n := words.Normalize(said)
	for _, g := range s.Policy.Greetings {
		n = strings.ReplaceAll(n, g, "")
	}
	count := 0
	for _, r := range n {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			count++
		}
	}
	return count >= s.Policy.Greeting
}
