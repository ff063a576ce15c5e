package care_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"shaoying/configs"
	"shaoying/flows"
	"shaoying/internal/care"
)

// The values of reference family-bed 1.3, so that a slip in the YAML shows.
func TestEmbeddedPolicy(t *testing.T) {
	p := policy(t)
	if p.Period.Days != 30 || p.Period.Most != 90 || p.FirstVisit.Discharged != 1 || p.FirstVisit.Other != 3 ||
		p.Application.Within[care.Eligible].String() != "3wd" || p.Plan.Horizon != 14 || p.Missed.InRow != 2 ||
		p.Changes.Settle.Minutes() != 10 || p.Survey.Lowest != 2 || p.Survey.PerPerson.String() != "14d" ||
		p.Survey.Scale != 5 || p.Feed.Keep.Hours() != 30*24 {
		t.Errorf("policy %+v", p)
	}
	for kind, rule := range map[string]string{"wound": "keep", "infusion": "keep", "round": "next_workday"} {
		if got := string(p.Kinds[kind].OnHoliday); got != rule {
			t.Errorf("%s on holidays: %s, want %s", kind, got, rule)
		}
	}
}

func TestPolicyErrors(t *testing.T) {
	body, err := configs.Read("policies/care.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", "  horizon: 14", "  horizont: 14", "horizont"},
		{"no source", "  source: \"horizon:", "  sauce: \"horizon:", "sauce"},
		{"source empty", "rank: 9\n    source: \"[J]\"", "rank: 9\n    source: \"\"", "kinds.phone.source is missing"},
		{"state", "    eligible: 3wd", "    registered: 3wd", "application.within.registered is not an open state"},
		{"no answer", "    submitted: 1wd\n", "", "application.within.submitted is missing"},
		{"period", "  most: 90", "  most: 20", "period.most must be at least 30"},
		{"first", "  other: 3", "  other: 0", "first_visit.other must be at least 1"},
		{"kind", "  kind: first", "  kind: visit", "first_visit.kind must be one of kinds"},
		{"holiday", "on_holiday: prev_workday", "on_holiday: never", "kinds.sampling.on_holiday must be one of"},
		{"windows", `"11:00-12:00"`, `"10:00-12:00"`, "windows.of[1] starts before"},
		{"window", `visits: 1`, `visits: 0`, "windows.of[1] needs a span and at least one visit"},
		{"horizon", "  horizon: 14", "  horizon: 400", "plan.horizon must be 1 to 60"},
		{"settle", "  settle: 10m", "  settle: 100h", "changes.settle must be 0 to 48h"},
		{"died", "  died: died", "  died: gone", "beds.died must be one of"},
		{"suspend", "suspend: [admission, away, refused]", "suspend: [away]", "reasons.suspend must list admission"},
		{"consent", "suspend: [admission, away, refused]", "suspend: [admission, away, consent]", "which only a withdrawal gives"},
		{"self", "relations: [spouse,", "relations: [self, spouse,", "consent.relations must not hold self"},
		{"scale", "  scale: 5", "  scale: 2", "survey.scale must be at least 3"},
		{"rest", "  per_person: 14d", "  per_person: 14wd", "survey.per_person must be days"},
		{"feed", "  refresh: 1h", "  refresh: 1s", "feed needs refresh of 1m to 24h"},
		{"minutes", "minutes: 90", "minutes: 900", "kinds.infusion.minutes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := bytes.Replace(body, []byte(c.from), []byte(c.to), 1)
			if bytes.Equal(changed, body) {
				t.Fatalf("%q does not stand in the policy", c.from)
			}
			if _, err := care.ParsePolicy("care.yaml", changed); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestRulesNeedTheirParts(t *testing.T) {
	_, q := quiet(t)
	p, all, work := policy(t), programmes(t), workTime(t)
	for want, f := range map[string]func() error{
		"no working time":       func() error { _, err := care.NewRules(p, all, nil, q); return err },
		"application.questions": func() error { _, err := care.NewRules(care.Policy{}, all, work, q); return err },
		"family_bed is missing": func() error { _, err := care.NewRules(p, nil, work, q); return err },
		"stands twice":          func() error { _, err := care.NewRules(p, append(all, all[0]), work, q); return err },
		"title is missing": func() error {
			_, err := care.NewRules(p, []care.Programme{{Code: "x"}}, work, q)
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestRefusalsHaveTexts(t *testing.T) {
	names, err := configs.Names("texts", ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts []*flows.Texts
	for _, name := range names {
		body, err := configs.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		of, err := flows.ParseTexts(name, body)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, of)
	}
	p := policy(t)
	keys := care.RefusalKeys()
	for _, s := range care.Standings() {
		keys = append(keys, "care.reply."+string(s))
	}
	for group, codes := range map[string][]string{
		"return": p.Reasons.Return, "reject": p.Reasons.Reject, "suspend": append(p.Reasons.Suspend, care.SuspendConsent),
		"fail": append(p.Reasons.Fail, care.ReasonNotRecorded), "cancel": p.Reasons.Cancel,
	} {
		for _, c := range codes {
			keys = append(keys, "care.reason."+group+"."+c)
		}
	}
	for _, q := range p.Application.Questions {
		keys = append(keys, "care.question."+q)
	}
	for _, e := range care.ApplicationEvents() {
		keys = append(keys, "care.application."+string(e))
	}
	for _, k := range keys {
		if !slices.ContainsFunc(texts, func(of *flows.Texts) bool { return of.Has(k) }) {
			t.Errorf("no text for %s", k)
		}
	}
}

func TestRefusedIsReadable(t *testing.T) {
	r := newRules(t)
	b := openBed(t, r, at("2026-03-03 09:00"), true)
	_, _, err := r.Bed(b, desk, care.Resume{}, at("2026-03-03 10:00"))
	if err == nil || !strings.HasPrefix(err.Error(), "refused: state command=resume state=open allowed=[sign") {
		t.Errorf("error %v", err)
	}
}
