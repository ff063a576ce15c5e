package actions

import (
	"context"
	"errors"
	"strings"

	"shaoying/internal/care"
	"shaoying/internal/gateway"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
)

// Tasks that the ladders of family beds lay: 处理 7.

// careTask finds the open task that a command is about.
func (s *Set) careTask(ctx context.Context, t *gateway.Turn, args map[string]any) (who people.Staff, k *homecare.Task, rest string, failed result, err error) {
	if who, failed, err = s.worker(ctx, t); err != nil || failed != nil {
		return who, nil, "", failed, err
	}
	id, rest := int64(number(args, "task")), text(args, "text")
	if id == 0 {
		var named bool
		if id, rest, named = leadingVisit(rest); !named {
			if id, failed, err = s.onlyCareTask(ctx, t, who); err != nil || failed != nil {
				return who, nil, "", failed, err
			}
		}
	}
	k, err = s.Care.HoldTask(ctx, t, who, id)
	if errors.Is(err, homecare.ErrNotYours) {
		return who, nil, "", fail("task.none"), nil
	}
	if err == nil && k.Row.State != "open" {
		return who, nil, "", fail("task.over"), nil
	}
	return who, k, rest, nil, err
}

func (s *Set) onlyCareTask(ctx context.Context, t *gateway.Turn, who people.Staff) (int64, result, error) {
	all, err := s.errands(ctx, t, who)
	if err != nil {
		return 0, nil, err
	}
	var beds []errand
	for _, e := range all {
		if homecare.IsTask(e.task.Kind) {
			beds = append(beds, e)
		}
	}
	switch len(beds) {
	case 0:
		return 0, fail("task.nothing"), nil
	case 1:
		return beds[0].task.ID, nil, nil
	}
	lines, err := s.taskLines(t, beds)
	return 0, result{"fail": "task.which", "params": map[string]any{"lines": lines}}, err
}

// wardTask shows a task with whom to ring, and what may come of it.
func (s *Set) wardTask(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	_, k, rest, failed, err := s.careTask(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	r := result{"task": float64(k.Row.ID)}
	if rest != "" {
		r["rest"] = rest
	}
	if r["lines"], err = s.careTaskSheet(ctx, t, k); err != nil {
		return nil, err
	}
	if k.Words != "" {
		said, err := t.Text("task.words", map[string]string{"words": k.Words})
		if err != nil {
			return nil, err
		}
		r["lines"] = text(r, "lines") + "\n" + said
	}
	var options []any
	for _, o := range k.Outcomes {
		if o == homecare.OutMove {
			offers, err := s.offers(ctx, t, k.Rung.Visit.ID)
			if err != nil {
				return nil, err
			}
			if len(offers) == 0 {
				continue
			}
			r["offers"] = offers
		}
		label, err := t.Text("care.outcome."+string(o), nil)
		if err != nil {
			return nil, err
		}
		options = append(options, option(string(o), label))
	}
	r["outcomes"] = options
	r["reasons"], err = s.careReasons(t, "cancel", s.Care.Rules.Policy().Reasons.Cancel)
	return r, err
}

// careTaskSheet is what one must know to do a task. Names of the household are not in
// it; who holds the task of a grid worker hears the desk's number alone.
func (s *Set) careTaskSheet(ctx context.Context, t *gateway.Turn, k *homecare.Task) (string, error) {
	var lines []string
	add := func(line string, err error) error {
		lines = append(lines, line)
		return err
	}
	values, err := s.Care.ValuesOf(ctx, t, k.Rung)
	if err != nil {
		return "", err
	}
	line, err := t.Text("todo."+k.Row.Kind, map[string]string{"task": "", "bed": values["number"], "when": values["when"]})
	if err != nil {
		return "", err
	}
	line, _, _ = strings.Cut(strings.TrimPrefix(line, "【】"), "　")
	lines = append(lines, line)
	switch {
	case k.Rung.Visit != nil && k.By.As != "":
		if err := add(s.Care.StopSheet(ctx, t, homecare.Stop{Visit: *k.Rung.Visit, Bed: k.Rung.Bed})); err != nil {
			return "", err
		}
	case k.Rung.Bed != nil && k.MayRing():
		h, err := s.Care.HouseholdOf(ctx, t, k.Rung.Bed)
		if err != nil {
			return "", err
		}
		for _, c := range h.Contacts {
			if err := add(t.Text("ward.contact", map[string]string{"relation": c.Relation, "phone": c.Phone})); err != nil {
				return "", err
			}
		}
	case k.Rung.Application != nil && k.MayRing():
		return s.applicationSheet(ctx, t, k.Rung.Application)
	case k.Rung.Occasion != nil && k.Rung.Occasion.Person != 0:
		phone, err := s.Care.PhoneOf(ctx, t, k.Rung.Occasion.Person, k.Rung.Subject)
		if err != nil {
			return "", err
		}
		if phone != "" {
			err = add(t.Text("ward.sheet_phone", map[string]string{"phone": phone}))
		}
		if err != nil {
			return "", err
		}
	default:
		if err := add(t.Text("ward.desk_phone", map[string]string{"phone": values["phone"]})); err != nil {
			return "", err
		}
	}
	return strings.Join(lines, "\n"), nil
}

// careReasons offers the codes of the policy of beds as options.
func (s *Set) careReasons(t *gateway.Turn, group string, codes []string) ([]any, error) {
	options := make([]any, len(codes))
	for i, c := range codes {
		label, err := t.Text("care.reason."+group+"."+c, nil)
		if err != nil {
			return nil, err
		}
		options[i] = option(c, label)
	}
	return options, nil
}

// wardDone writes down what came of a task.
func (s *Set) wardDone(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	_, k, _, failed, err := s.careTask(ctx, t, args)
	if err != nil || failed != nil {
		return failed, err
	}
	d := homecare.TaskDone{Outcome: homecare.Outcome(text(args, "outcome")), Reason: text(args, "reason"), Words: text(args, "words")}
	if d.Outcome == homecare.OutMove {
		if d.To, err = care.ParseOffer(text(args, "to")); err != nil {
			return s.refusedCare(t, &care.Refused{Key: care.KeyTaken})
		}
	}
	if err := s.Care.DoTask(ctx, t, k, d); err != nil {
		return s.refusedCare(t, err)
	}
	return result{"stays": d.Outcome == homecare.OutNoAnswer || d.Outcome == homecare.OutOpen}, nil
}
