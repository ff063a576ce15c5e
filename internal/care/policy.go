package care

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"shaoying/configs"
	"shaoying/scheduler"
)

// Kind is what the policy says of one kind of visit.
type Kind struct {
	Minutes int `yaml:"minutes"`
	// Early and Late bound the ordered interval around the nominal day, where
	// an order does not say so itself.
	Early     int                 `yaml:"early"`
	Late      int                 `yaml:"late"`
	OnHoliday scheduler.OnHoliday `yaml:"on_holiday"`
	// Adult: an adult of the household must be there.
	Adult bool `yaml:"adult"`
	// Rank orders a day: lower goes first inside its window.
	Rank   int    `yaml:"rank"`
	Source string `yaml:"source"`
}

// Window is a time of day in which one visitor makes so many visits.
type Window struct {
	Span   scheduler.Span `yaml:"span"`
	Visits int            `yaml:"visits"`
}

// Policy is configs/policies/care.yaml.
type Policy struct {
	Application struct {
		// Questions are asked before the assessment; each must be a yes.
		Questions []string `yaml:"questions"`
		// Within is how long an application may stand in a state.
		Within map[ApplicationState]scheduler.Limit `yaml:"within"`
		// News is how old a step may be that the family hears of by text; then
		// the desk rings.
		News   time.Duration `yaml:"news"`
		Source string        `yaml:"source"`
	} `yaml:"application"`
	Consent struct {
		Notice    int      `yaml:"notice"` // versions in force
		Terms     int      `yaml:"terms"`
		Relations []string `yaml:"relations"`
		Source    string   `yaml:"source"`
	} `yaml:"consent"`
	Beds struct {
		Types    []string `yaml:"types"`
		Outcomes []string `yaml:"outcomes"`
		Died     string   `yaml:"died"` // the outcome of a death
		Source   string   `yaml:"source"`
	} `yaml:"beds"`
	Period struct {
		Days   int    `yaml:"days"`
		Most   int    `yaml:"most"`
		Source string `yaml:"source"`
	} `yaml:"period"`
	FirstVisit struct {
		Kind       string `yaml:"kind"`
		Discharged int    `yaml:"discharged"` // days after opening, who was just discharged
		Other      int    `yaml:"other"`
		Source     string `yaml:"source"`
	} `yaml:"first_visit"`
	Kinds   map[string]Kind `yaml:"kinds"`
	Windows struct {
		Of     []Window `yaml:"of"`
		Source string   `yaml:"source"`
	} `yaml:"windows"`
	Plan struct {
		Horizon int           `yaml:"horizon"` // days
		Lead    time.Duration `yaml:"lead"`    // from now to the start of what is newly planned
		Source  string        `yaml:"source"`
	} `yaml:"plan"`
	Offers struct {
		Count  int           `yaml:"count"`
		Lead   time.Duration `yaml:"lead"`
		Source string        `yaml:"source"`
	} `yaml:"offers"`
	Missed struct {
		InRow  int    `yaml:"in_row"` // so many missed in a row are told to the hospital
		Source string `yaml:"source"`
	} `yaml:"missed"`
	Changes struct {
		// Settle is how long a change waits for the next one before the family
		// hears of it; AtOnce, when the visit is nearer than that.
		Settle time.Duration `yaml:"settle"`
		AtOnce time.Duration `yaml:"at_once"`
		Source string        `yaml:"source"`
	} `yaml:"changes"`
	Survey struct {
		Every     int             `yaml:"every"`       // the first visit and every n-th after it
		PerPerson scheduler.Limit `yaml:"per_person"`  // over all programmes
		PerPhone  scheduler.Limit `yaml:"per_address"` // over all persons that read it
		Lowest    int             `yaml:"lowest"`      // answers up to here are called
		Scale     int             `yaml:"scale"`
		Source    string          `yaml:"source"`
	} `yaml:"survey"`
	Door struct {
		Tries  int    `yaml:"tries"`
		Source string `yaml:"source"`
	} `yaml:"door"`
	Surnames struct {
		// OfTwo are the surnames of two characters: visitors are called by theirs.
		OfTwo  []string `yaml:"of_two"`
		Source string   `yaml:"source"`
	} `yaml:"surnames"`
	// Feed is the calendar of a visitor (package feed).
	Feed struct {
		Refresh time.Duration `yaml:"refresh"` // how often clients are asked to come again
		Keep    time.Duration `yaml:"keep"`    // for how long what was cancelled is still told
		Source  string        `yaml:"source"`
	} `yaml:"feed"`
	// Reasons are the codes that staff choose from; their words are texts.
	Reasons struct {
		Return  []string `yaml:"return"`
		Reject  []string `yaml:"reject"`
		Suspend []string `yaml:"suspend"`
		Fail    []string `yaml:"fail"`
		Cancel  []string `yaml:"cancel"`
		Source  string   `yaml:"source"`
	} `yaml:"reasons"`
}

// ParsePolicy decodes configs/policies/care.yaml strictly.
func ParsePolicy(name string, body []byte) (Policy, error) {
	var p Policy
	if err := configs.Decode(name, body, &p); err != nil {
		return Policy{}, err
	}
	if err := p.Validate(); err != nil {
		return Policy{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Validate lists everything that is wrong with the policy.
func (p Policy) Validate() error {
	var bad problems
	bad.codes("application.questions", p.Application.Questions)
	for _, s := range slices.Sorted(maps.Keys(p.Application.Within)) {
		if !s.Open() || !slices.Contains(ApplicationStates(), s) {
			bad.add("application.within.%s is not an open state of an application", s)
		}
		if p.Application.Within[s].N < 1 {
			bad.add("application.within.%s must be a limit such as 1wd", s)
		}
	}
	if _, ok := p.Application.Within[Submitted]; !ok {
		bad.add("application.within.submitted is missing: the family waits for that answer")
	}
	if p.Application.News <= 0 {
		bad.add("application.news must be above 0")
	}
	bad.atLeast("consent.notice", p.Consent.Notice, 1)
	bad.atLeast("consent.terms", p.Consent.Terms, 1)
	bad.codes("consent.relations", p.Consent.Relations)
	if slices.Contains(p.Consent.Relations, Self) {
		bad.add("consent.relations must not hold %s, which stands for the patient", Self)
	}
	bad.codes("beds.types", p.Beds.Types)
	bad.codes("beds.outcomes", p.Beds.Outcomes)
	if !slices.Contains(p.Beds.Outcomes, p.Beds.Died) {
		bad.add("beds.died must be one of beds.outcomes, is %q", p.Beds.Died)
	}
	bad.atLeast("period.days", p.Period.Days, 1)
	bad.atLeast("period.most", p.Period.Most, p.Period.Days)
	bad.atLeast("first_visit.discharged", p.FirstVisit.Discharged, 1)
	bad.atLeast("first_visit.other", p.FirstVisit.Other, p.FirstVisit.Discharged)
	p.validateKinds(&bad)
	p.validateWindows(&bad)
	p.validateRest(&bad)
	for where, source := range p.sources() {
		if source == "" {
			bad.add("%s.source is missing: say where the values come from", where)
		}
	}
	slices.SortFunc(bad, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return errors.Join(bad...)
}

func (p Policy) validateKinds(bad *problems) {
	if _, ok := p.Kinds[p.FirstVisit.Kind]; !ok {
		bad.add("first_visit.kind must be one of kinds, is %q", p.FirstVisit.Kind)
	}
	for name, k := range p.Kinds {
		where := "kinds." + name
		if k.Minutes < 1 || k.Minutes > maxMinutes {
			bad.add("%s.minutes must be 1 to %d, is %d", where, maxMinutes, k.Minutes)
		}
		if k.Early < 0 || k.Late < 0 {
			bad.add("%s: early and late must not be negative", where)
		}
		if !slices.Contains(holidayRules, k.OnHoliday) {
			bad.add("%s.on_holiday must be one of %v, is %q", where, holidayRules, k.OnHoliday)
		}
	}
}

func (p Policy) validateWindows(bad *problems) {
	if len(p.Windows.Of) == 0 {
		bad.add("windows.of must list at least one window")
	}
	for i, w := range p.Windows.Of {
		if w.Visits < 1 || w.Span.From >= w.Span.To {
			bad.add("windows.of[%d] needs a span and at least one visit", i)
		}
		if i > 0 && w.Span.From < p.Windows.Of[i-1].Span.To {
			bad.add("windows.of[%d] starts before the one above it has ended", i)
		}
	}
}

func (p Policy) validateRest(bad *problems) {
	if p.Plan.Horizon < 1 || p.Plan.Horizon > 60 {
		bad.add("plan.horizon must be 1 to 60 days, is %d", p.Plan.Horizon)
	}
	for where, d := range map[string]time.Duration{
		"plan.lead": p.Plan.Lead, "offers.lead": p.Offers.Lead, "changes.settle": p.Changes.Settle, "changes.at_once": p.Changes.AtOnce,
	} {
		if d < 0 || d > 48*time.Hour {
			bad.add("%s must be 0 to 48h, is %s", where, d)
		}
	}
	if p.Feed.Refresh < time.Minute || p.Feed.Refresh > 24*time.Hour || p.Feed.Keep < 24*time.Hour {
		bad.add("feed needs refresh of 1m to 24h and keep of at least 24h, has %s and %s", p.Feed.Refresh, p.Feed.Keep)
	}
	bad.atLeast("offers.count", p.Offers.Count, 1)
	bad.atLeast("missed.in_row", p.Missed.InRow, 1)
	bad.atLeast("survey.every", p.Survey.Every, 1)
	for where, l := range map[string]scheduler.Limit{"survey.per_person": p.Survey.PerPerson, "survey.per_address": p.Survey.PerPhone} {
		if l.N < 1 || l.Unit != scheduler.Days {
			bad.add("%s must be days such as 14d, is %s: rest from surveys knows no workdays", where, l)
		}
	}
	bad.atLeast("survey.lowest", p.Survey.Lowest, 1)
	bad.atLeast("survey.scale", p.Survey.Scale, p.Survey.Lowest+1)
	bad.atLeast("door.tries", p.Door.Tries, 1)
	bad.codes("reasons.return", p.Reasons.Return)
	bad.codes("reasons.reject", p.Reasons.Reject)
	bad.codes("reasons.suspend", p.Reasons.Suspend, SuspendAdmission, SuspendAway)
	bad.codes("reasons.fail", p.Reasons.Fail)
	bad.codes("reasons.cancel", p.Reasons.Cancel)
	if slices.Contains(p.Reasons.Suspend, SuspendConsent) {
		bad.add("reasons.suspend must not hold %s, which only a withdrawal gives", SuspendConsent)
	}
}

func (p Policy) sources() map[string]string {
	sources := map[string]string{
		"application": p.Application.Source, "consent": p.Consent.Source, "beds": p.Beds.Source, "period": p.Period.Source,
		"first_visit": p.FirstVisit.Source, "windows": p.Windows.Source, "plan": p.Plan.Source, "offers": p.Offers.Source,
		"missed": p.Missed.Source, "changes": p.Changes.Source, "survey": p.Survey.Source, "door": p.Door.Source,
		"feed": p.Feed.Source, "reasons": p.Reasons.Source, "surnames": p.Surnames.Source,
	}
	for name, k := range p.Kinds {
		sources["kinds."+name] = k.Source
	}
	return sources
}

type problems []error

func (b *problems) add(format string, args ...any) { *b = append(*b, fmt.Errorf(format, args...)) }

func (b *problems) atLeast(where string, n, least int) {
	if n < least {
		b.add("%s must be at least %d, is %d", where, least, n)
	}
}

func (b *problems) codes(where string, codes []string, among ...string) {
	if len(codes) == 0 || slices.Contains(codes, "") {
		b.add("%s must list at least one code, none of them empty", where)
	}
	for _, c := range among {
		if !slices.Contains(codes, c) {
			b.add("%s must list %s, which the system itself uses", where, c)
		}
	}
}
