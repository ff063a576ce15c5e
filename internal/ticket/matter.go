package ticket

import (
	"errors"
	"fmt"
	"slices"

	"shaoying/configs"
	"shaoying/flows/words"
)

// Matter 事项 is a kind of thing that tickets are about, one row of
// configs/matters.yaml.
type Matter struct {
	Code string
	Name string
	// Worry is the one of the nine classes of the worry index 烦恼指数.
	Worry string
	// Unit is the code of the lead unit.
	Unit string
	// GridFirst: the grid worker goes first; otherwise the unit at once.
	GridFirst bool
	// Photo: a picture helps and is asked for.
	Photo bool
	// Class is the class of time limits when it is not urgent.
	Class Urgency
	// Sensitive: named handlers in private only, whatever the words.
	Sensitive bool
	// Police: public security or a dispute. The community police officer and
	// the grid worker of the place handle it together with the lead
	// (警网融合), in private, so that only a sensitive matter is one.
	Police bool
	// UrgentWhen says in words for staff what makes it urgent; empty when
	// nothing does.
	UrgentWhen string
	// Refer is the code of Policy.Referrals to which its tickets go at once;
	// empty for what the city handles itself.
	Refer string
}

// UnitDuty reports whether a department must do it: then it is not sent down to
// the grid (国办函〔2025〕66号).
func (m Matter) UnitDuty() bool { return !m.GridFirst }

// Handling is what Route needs to know of the matter.
func (m Matter) Handling() Handling { return Handling{GridFirst: m.GridFirst, Unit: m.Unit} }

// Claim 诉求类型 is the form of what a resident wants, a field of its own beside
// the matter.
type Claim struct {
	Code      string
	Name      string
	Sensitive bool
}

// OtherMatter is the code of the matter for what fits no other one.
const OtherMatter = "other"

// Matters is the list of matters and claims, with the words by which they are
// known. It is read-only: any number of goroutines may use it.
type Matters struct {
	list     []Matter
	claims   []claimWords
	standard string // code of the claim when no word tells
	private  []string
	score    scoring
	index    *index
	urgent   [][][][]string // by matter: patterns, groups, words
}

type claimWords struct {
	Claim
	words, not []string
}

// mattersFile is configs/matters.yaml, which says what each key means.
type mattersFile struct {
	Source         string       `yaml:"source"`
	Scoring        scoring      `yaml:"scoring"`
	Claims         []claimFile  `yaml:"claims"`
	SensitiveWords []string     `yaml:"sensitive_words"`
	Matters        []matterFile `yaml:"matters"`
}

type claimFile struct {
	Code      string   `yaml:"code"`
	Name      string   `yaml:"name"`
	Default   bool     `yaml:"default"`
	Sensitive bool     `yaml:"sensitive"`
	Words     []string `yaml:"words"`
	Not       []string `yaml:"not"`
}

type matterFile struct {
	Code       string       `yaml:"code"`
	Name       string       `yaml:"name"`
	Worry      string       `yaml:"worry"`
	Unit       string       `yaml:"unit"`
	First      string       `yaml:"first"`
	Photo      bool         `yaml:"photo"`
	Class      Urgency      `yaml:"class"`
	Sensitive  bool         `yaml:"sensitive"`
	Police     bool         `yaml:"police"`
	UrgentWhen string       `yaml:"urgent_when"`
	Refer      string       `yaml:"refer"`
	Strong     []string     `yaml:"strong"`
	Words      []string     `yaml:"words"`
	Urgent     [][][]string `yaml:"urgent"`
}

// ParseMatters reads configs/matters.yaml. name is the file's name for errors.
// Every lead unit must be one of units; codes are unique; the matter "other"
// and exactly one default claim must be there.
func ParseMatters(name string, body []byte, units *Units) (*Matters, error) {
	var f mattersFile
	if err := configs.Decode(name, body, &f); err != nil {
		return nil, err
	}
	m := &Matters{score: f.Scoring, private: normalized(f.SensitiveWords)}
	errs := []error{f.Scoring.check()}
	for i, c := range f.Claims {
		if err := m.addClaim(c); err != nil {
			errs = append(errs, fmt.Errorf("claims[%d] %s: %w", i, c.Code, err))
		}
	}
	if m.standard == "" {
		errs = append(errs, errors.New("claims: none is marked default: true"))
	}
	for i, row := range f.Matters {
		if err := m.addMatter(row, units); err != nil {
			errs = append(errs, fmt.Errorf("matters[%d] %s: %w", i, row.Code, err))
		}
	}
	if len(f.Matters) < 2 {
		errs = append(errs, errors.New("matters: at least two are needed to choose from"))
	}
	if !m.has(OtherMatter) {
		errs = append(errs, fmt.Errorf("matters: %s is missing, to which goes what fits nowhere", OtherMatter))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	m.index = newIndex(f.Matters)
	return m, nil
}

func (m *Matters) addClaim(c claimFile) error {
	switch {
	case c.Code == "" || c.Name == "" || len(c.Words) == 0:
		return errors.New("code, name and words are needed")
	case slices.ContainsFunc(m.claims, func(o claimWords) bool { return o.Code == c.Code }):
		return errors.New("the code is there twice")
	case c.Default && m.standard != "":
		return fmt.Errorf("%s is the default already", m.standard)
	case c.Default:
		m.standard = c.Code
	}
	m.claims = append(m.claims, claimWords{Claim{c.Code, c.Name, c.Sensitive}, normalized(c.Words), normalized(c.Not)})
	return nil
}

func (m *Matters) addMatter(f matterFile, units *Units) error {
	switch _, known := units.Get(f.Unit); {
	case f.Code == "" || f.Name == "" || f.Worry == "":
		return errors.New("code, name and worry are needed")
	case m.has(f.Code):
		return errors.New("the code is there twice")
	case !known:
		return fmt.Errorf("unit %q is not in the list of units", f.Unit)
	case f.First != "grid" && f.First != "unit":
		return fmt.Errorf("first: %q is neither grid nor unit", f.First)
	case !f.Class.valid() || f.Class == Urgent:
		return fmt.Errorf("class: %q is not a class of time limits for what is not urgent", f.Class)
	case f.Police && !f.Sensitive:
		return errors.New("police: what police and grid handle together is sensitive as well, so that it goes to named people only")
	case len(f.Urgent) > 0 && f.UrgentWhen == "":
		return errors.New("urgent patterns without urgent_when: staff must be able to read what is urgent")
	}
	m.list = append(m.list, Matter{
		Code: f.Code, Name: f.Name, Worry: f.Worry, Unit: f.Unit, GridFirst: f.First == "grid",
		Photo: f.Photo, Class: f.Class, Sensitive: f.Sensitive, Police: f.Police, UrgentWhen: f.UrgentWhen, Refer: f.Refer,
	})
	patterns := make([][][]string, len(f.Urgent))
	for i, groups := range f.Urgent {
		for _, group := range groups {
			patterns[i] = append(patterns[i], normalized(group))
		}
		if len(groups) == 0 {
			return errors.New("urgent: a pattern without words would make everything urgent")
		}
	}
	m.urgent = append(m.urgent, patterns)
	return nil
}

func (m *Matters) has(code string) bool {
	_, ok := m.Get(code)
	return ok
}

// Get returns the matter with the given code.
func (m *Matters) Get(code string) (Matter, bool) {
	for _, one := range m.list {
		if one.Code == code {
			return one, true
		}
	}
	return Matter{}, false
}

// All returns every matter in the order of the file.
func (m *Matters) All() []Matter { return slices.Clone(m.list) }

// Claims returns every claim type in the order in which their words are tried.
func (m *Matters) Claims() []Claim {
	out := make([]Claim, len(m.claims))
	for i, c := range m.claims {
		out[i] = c.Claim
	}
	return out
}

// Worries returns the nine classes in the order in which they first appear.
func (m *Matters) Worries() []string {
	var out []string
	for _, one := range m.list {
		if !slices.Contains(out, one.Worry) {
			out = append(out, one.Worry)
		}
	}
	return out
}

func normalized(list []string) []string {
	out := make([]string, 0, len(list))
	for _, w := range list {
		if n := words.Normalize(w); n != "" {
			out = append(out, n)
		}
	}
	return out
}
