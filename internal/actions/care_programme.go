package actions

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"shaoying/flows"
	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
)

// Other programmes: what they ask is answered, and residents join and leave those
// that are open to everybody. Nothing here names one: what there is, is read from
// configs/programmes and its texts.

func (s *Set) programmeActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"programme.answer": s.answerProgramme,
		"programme.mark":   s.markProgramme,
		"programme.offer":  s.offerProgrammes,
		"programme.about":  s.aboutProgramme,
		"programme.join":   s.joinProgramme,
		"programme.leave":  s.leaveProgramme,
	}
}

func programmeDocs() map[string]flows.ActionDoc {
	return map[string]flows.ActionDoc{
		"programme.answer": {Results: []string{"said", "bad"}},
		"programme.mark":   {},
		"programme.offer":  {Results: []string{"programme", "choices"}},
		"programme.about":  {Results: []string{"title", "about"}},
		"programme.join":   {},
		"programme.leave":  {Results: []string{"joined"}},
	}
}

// answerProgramme does what the answer to a question of a programme leads to.
func (s *Set) answerProgramme(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	version, err := strconv.Atoi(text(args, "version"))
	if err != nil {
		return nil, fmt.Errorf("read which version a question was about: %w", err)
	}
	key, bad, err := s.Care.Answered(ctx, t, t.PromptSubject, homecare.Answer{
		Programme: text(args, "programme"), Rung: text(args, "rung"), Value: text(args, "answer"), Version: version,
	})
	if err != nil {
		return nil, err
	}
	said, err := t.Text(key, nil)
	return result{"said": said, "bad": bad}, err
}

// markProgramme keeps the mark of a survey.
func (s *Set) markProgramme(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	mark, err := strconv.Atoi(text(args, "mark"))
	if err != nil || mark < 1 || mark > s.Care.Rules.Policy().Survey.Scale {
		return nil, fmt.Errorf("%q is no mark", text(args, "mark"))
	}
	return result{}, s.Care.Marked(ctx, t, t.PromptSubject, mark)
}

// offerProgrammes lists the programmes that residents join by themselves, or, with
// own, those of them in which the speaker takes part. The one that the text names,
// or that is the only one, is chosen.
func (s *Set) offerProgrammes(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	var open []care.Programme
	for _, p := range s.Care.Rules.Programmes() {
		if !p.Open {
			continue
		}
		if truth(args, "own") {
			joined, err := t.Joined(ctx, t.Person, p.Code)
			if err != nil {
				return nil, fmt.Errorf("look whether somebody takes part in %s: %w", p.Code, err)
			}
			if !joined {
				continue
			}
		}
		open = append(open, p)
	}
	if len(open) == 0 {
		return fail("programme.none"), nil
	}
	return s.choose(t, open, text(args, "text"))
}

// choose offers some programmes; what is said of one (its title, or another word by
// which it is called) chooses it.
func (s *Set) choose(t *gateway.Turn, all []care.Programme, said string) (result, error) {
	r := result{"programme": "", "choices": []any{}}
	choices := make([]any, len(all))
	for i, p := range all {
		choices[i] = option(p.Code, p.Title)
		called, err := t.Text("care.called."+p.Code, nil)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(append(strings.Fields(called), p.Title), func(w string) bool { return strings.Contains(said, w) }) {
			r["programme"] = p.Code
		}
	}
	if len(all) == 1 {
		r["programme"] = all[0].Code
	}
	r["choices"] = choices
	return r, nil
}

// aboutProgramme says what a programme does for who joins.
func (s *Set) aboutProgramme(_ context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	p, ok := s.openProgramme(args)
	if !ok {
		return fail("programme.none"), nil
	}
	about, err := t.Text("care.about."+p.Code, nil)
	return result{"title": p.Title, "about": about}, err
}

// openProgramme is the programme that a resident names, if it is one that they may
// join or leave by themselves.
func (s *Set) openProgramme(args map[string]any) (care.Programme, bool) {
	p, ok := s.Care.Rules.Programme(text(args, "programme"))
	return p, ok && p.Open
}

func (s *Set) joinProgramme(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	p, ok := s.openProgramme(args)
	switch {
	case !ok:
		return fail("programme.none"), nil
	case t.Bound():
		return fail("number.bound"), nil
	}
	return result{}, s.Care.Join(ctx, t, t.Own, t.Address, p.Code)
}

// leaveProgramme takes effect at once: what only reminds is left as easily as it was
// joined. Care is not left here (leave_care).
func (s *Set) leaveProgramme(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	p, ok := s.openProgramme(args)
	switch {
	case !ok:
		return fail("programme.none"), nil
	case t.Bound(): // a number can be forged (design 4)
		return fail("number.bound"), nil
	}
	joined, err := s.Care.Leave(ctx, t, t.Person, p.Code)
	return result{"joined": joined}, err
}
