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
	"shaoying/internal/people"
)

// What families answer when they are asked whether somebody will be at home. Every
// answer is measured against each visit and the version of it that was asked about:
// what no longer stands is answered with the truth (texts care.reply), never with
// "confirmed". The visits come from the prompt ("9.2 12.1"); a stranger is refused
// by the rules of package care.

// meetVisits says what an answer meets: which visits it can still be about (ids, at
// their present versions), and in over what became of the others.
func (s *Set) meetVisits(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	all, err := s.answer(ctx, t, args, nil)
	if err != nil {
		return nil, err
	}
	r := result{"moved": false, "dead": len(all.live) == 0, "many": len(all.live) > 1}
	choices := []any{}
	lines := ""
	for i, m := range all.live {
		r["moved"] = r["moved"] == true || m.Standing == care.OldTime
		id := homecare.FormatAsked([]homecare.Asked{{Visit: m.Visit.ID, Version: m.Visit.Version}})
		choices = append(choices, option(id, all.whens[i]))
		lines += fmt.Sprintf("%d %s\n", i+1, all.whens[i])
	}
	both, err := t.Text("care.both", nil)
	if err != nil {
		return nil, err
	}
	r["choices"], r["lines"] = append(choices, option(all.ids(), both)), lines+strconv.Itoa(len(choices)+1)+" "+both
	r["over"] = all.truth
	return all.into(t, r)
}

// confirmVisits notes that somebody will be at home.
func (s *Set) confirmVisits(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	all, err := s.answer(ctx, t, args, care.Confirm{})
	if err != nil {
		return nil, err
	}
	return all.into(t, result{"done": len(all.live) > 0})
}

// wishVisits notes that the time does not suit (kind change), that nobody will be at
// home (nobody) or that no visit is wanted (cancel). None of it cancels care: the
// desk rings. For one visit the free windows are offered, save when it is not wanted.
func (s *Set) wishVisits(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	kind := text(args, "kind")
	wish := map[string]care.VisitCommand{"change": care.AskMove{}, "nobody": care.Decline{}, "cancel": care.Decline{Cancel: true}}[kind]
	if wish == nil {
		return nil, fmt.Errorf("no wish about a visit is called %q", kind)
	}
	all, err := s.answer(ctx, t, args, wish)
	if err != nil {
		return nil, err
	}
	r := result{"done": len(all.live) > 0, "offered": false, "slots": []any{}, "offers": ""}
	if len(all.live) == 1 && kind != "cancel" {
		offers, err := s.Care.Offers(ctx, t, all.live[0].Visit.ID)
		if err != nil {
			return nil, err
		}
		if r["slots"], r["offers"], err = s.slots(t, offers); err != nil {
			return nil, err
		}
		r["offered"] = len(offers) > 0
	}
	return all.into(t, r)
}

// slots are free windows as options and as numbered lines, the last of which is
// none of them.
func (s *Set) slots(t *gateway.Turn, offers []care.Offer) (slots []any, lines string, err error) {
	for i, o := range offers {
		day, err := s.Care.Day(t, o.Date)
		if err != nil {
			return nil, "", err
		}
		when, err := t.Text("care.when", map[string]string{"day": day, "window": homecare.Window(o.Window)})
		if err != nil {
			return nil, "", err
		}
		slots = append(slots, option(o.String(), when))
		lines += fmt.Sprintf("%d %s\n", i+1, when)
	}
	none, err := t.Text("care.no_slot", nil)
	if err != nil {
		return nil, "", err
	}
	return append(slots, option("none", none)), lines + strconv.Itoa(len(offers)+1) + " " + none, nil
}

// moveVisit moves a visit to the window that was picked, while it is free.
func (s *Set) moveVisit(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	to, err := care.ParseOffer(text(args, "slot"))
	if err != nil {
		return nil, fmt.Errorf("read a window that was offered: %w", err)
	}
	all, err := s.answer(ctx, t, args, care.Move{Date: to.Date, Window: to.Window})
	if err != nil {
		return nil, err
	}
	return all.into(t, result{"done": len(all.live) > 0})
}

// answered is what an answer met at several visits.
type answered struct {
	// live are those that it is about, with their times; truth is what is to be
	// said of the others.
	live  []homecare.Met
	whens []string
	truth string
	phone string
}

func (a answered) ids() string {
	about := make([]homecare.Asked, len(a.live))
	for i, m := range a.live {
		about[i] = homecare.Asked{Visit: m.Visit.ID, Version: m.Visit.Version}
	}
	return homecare.FormatAsked(about)
}

// into adds what every answer about visits tells.
func (a answered) into(t *gateway.Turn, r result) (result, error) {
	and, err := t.Text("care.and", nil)
	if err != nil {
		return nil, err
	}
	r["ids"], r["when"], r["instead"], r["phone"] = a.ids(), strings.Join(a.whens, and), a.truth, a.phone
	return r, nil
}

// answer runs an answer on each visit of a question; c nil only looks, and takes a
// visit that was moved for one that can still be asked about. It is for who answers
// a prompt about visits, and for addresses that are proven.
func (s *Set) answer(ctx context.Context, t *gateway.Turn, args map[string]any, c care.VisitCommand) (answered, error) {
	about, err := homecare.ParseIDs(text(args, "ids"))
	if err != nil {
		return answered{}, err
	}
	prompted := strings.HasPrefix(t.PromptSubject, "visit:")
	if d := people.Allowed(people.CmdConfirmVisit, t.Trust, prompted); d != people.Allow {
		about = nil
	}
	var all answered
	for _, a := range about {
		m, err := s.Care.Answer(ctx, t, a, c)
		if err != nil {
			return answered{}, err
		}
		values, err := s.Care.Values(ctx, t, m.Bed, &m.Visit, false)
		if err != nil {
			return answered{}, err
		}
		all.phone = values["phone"]
		key := "care.reply." + string(m.Standing)
		switch {
		case m.Standing == care.Live && (m.Refused == nil || already(m.Visit, c)), m.Standing == care.OldTime && c == nil:
			all.live, all.whens = append(all.live, m), append(all.whens, values["when"])
			continue
		case m.Standing == care.Live:
			key = "care.reply.call"
		}
		truth, err := t.Text(key, values)
		if err != nil {
			return answered{}, err
		}
		all.truth += truth
	}
	if len(about) == 0 {
		all.truth, err = t.Text("care.reply.none", nil)
	}
	return all, err
}

// already reports whether a visit stands as the family wishes, so that saying it
// twice is no mistake.
func already(v care.Visit, c care.VisitCommand) bool {
	switch c.(type) {
	case care.AskMove:
		return v.State == care.VisitMoveAsked
	case care.Decline:
		return v.State == care.VisitDeclined
	}
	return false
}

// familyActions are what families do about their beds.
func (s *Set) familyActions() map[string]gateway.Action {
	return map[string]gateway.Action{
		"visit.meet":    s.meetVisits,
		"visit.confirm": s.confirmVisits,
		"visit.wish":    s.wishVisits,
		"visit.move":    s.moveVisit,
		"visit.rate":    s.rateVisit,
		"visit.why":     s.rateWhy,
		"care.apply":    s.applyCare,
		"care.costs":    s.careCosts,
		"care.visits":   s.proven(people.CmdReadOwn, s.ownVisits),
		"care.withdraw": s.proven(people.CmdWithdrawConsent, s.withdrawCare),
		"care.leave":    s.leaveCare,
		"care.worse":    s.worse,
		"care.code":     s.doorCode,
	}
}

func familyDocs() map[string]flows.ActionDoc {
	answers := []string{"ids", "when", "instead", "phone"}
	return map[string]flows.ActionDoc{
		"visit.meet":    {Results: slices.Concat(answers, []string{"over", "moved", "dead", "many", "choices", "lines"})},
		"visit.confirm": {Results: slices.Concat(answers, []string{"done"})},
		"visit.wish":    {Results: slices.Concat(answers, []string{"done", "offered", "slots", "offers"})},
		"visit.move":    {Results: slices.Concat(answers, []string{"done"})},
		"visit.rate":    {Results: []string{"low"}},
		"visit.why":     {},
		"care.apply":    {Results: []string{"status", "by", "phone"}},
		"care.costs":    {Results: []string{"known", "costs", "phone"}},
		"care.visits":   {Results: []string{"in_care", "visits", "count", "phone", "code"}},
		"care.withdraw": {Results: []string{"what", "phone"}},
		"care.leave":    {Results: []string{"month", "day", "clock"}},
		"care.worse":    {Results: []string{"in_care", "phone"}},
		"care.code":     {Results: []string{"in_care", "phone", "right"}},
	}
}
