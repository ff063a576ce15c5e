package actions

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"shaoying/flows"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
)

// requestPerson lays the wish to speak to a person before the callback clerks
// and says until when somebody answers.
func (s *Set) requestPerson(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	words := first(text(args, "words"), text(args, "text"))
	proof, err := s.proof(ctx, t, args)
	if err != nil {
		return nil, err
	}
	if proof.Request != "" {
		proven, err := s.Library.Text("person.proven", "", nil)
		if err != nil {
			return nil, err
		}
		words += "\n" + proven
	}
	if err := s.askForPerson(ctx, t, nil, words); err != nil {
		return nil, err
	}
	r := result{}
	s.addWhen(r, s.Policy.Person.Within.Deadline(t.Now, s.Orders.Work))
	return r, nil
}

// handover takes over a dialogue that does not understand the resident. A
// report that was begun becomes a draft, so that nothing said is lost; with
// anything else a person is asked to speak to them.
func (s *Set) handover(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	number := text(object(args, "ticket"), "number")
	if text(args, "what") != "" && number == "" {
		return s.fileIncomplete(ctx, t, args)
	}
	var o *workorder.Order
	if strings.HasPrefix(t.PromptSubject, "ticket:") {
		var err error
		if o, err = s.subjectTicket(ctx, t); err != nil {
			return nil, err
		}
		number = o.Number.Spoken()
	}
	r := result{"number": number}
	if number != "" {
		r["say"] = "flow.handover_about"
	}
	return r, s.askForPerson(ctx, t, o, text(args, "said"))
}

// askForPerson writes the task. It is about a ticket, or about a conversation.
func (s *Set) askForPerson(ctx context.Context, t *gateway.Turn, o *workorder.Order, said string) error {
	data := map[string]string{"words": said, "conversation": strconv.FormatInt(t.Conversation, 10)}
	if o != nil {
		return s.Orders.AddTask(ctx, t, o, workorder.TaskPerson, people.RoleCallbackClerk, data)
	}
	due := s.Policy.Person.Within.Deadline(t.Now, s.Orders.Work)
	subject := postgres.Subject("conversation", t.Conversation)
	return s.Orders.AddCityTask(ctx, t, workorder.TaskPerson, subject, people.RoleCallbackClerk, due, data)
}

// language changes what the person is spoken to in: English when asked for in
// Latin letters, else Chinese. It holds from the answer on.
func (s *Set) language(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	if t.Bound() {
		return fail("number.bound"), nil
	}
	lang := flows.BaseLang
	if strings.IndexFunc(text(args, "text"), func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
		lang = "en"
	}
	if err := t.SetPersonLang(ctx, t.Own, lang); err != nil {
		return nil, fmt.Errorf("set the language of a person: %w", err)
	}
	t.Lang = lang
	return result{"lang": lang}, nil
}
