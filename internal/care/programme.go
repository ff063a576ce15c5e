package care

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"shaoying/configs"
	"shaoying/scheduler"
)

// FamilyBed is the code of the programme that this package knows more of than
// its ladders.
const FamilyBed = "family_bed"

// Programme is a file of configs/programmes: somebody is reminded, asked or
// called at moments that hang on days and events. A new one is configuration.
type Programme struct {
	Code  string `yaml:"programme"`
	Title string `yaml:"title"`
	// Consent is what the people written to must have given: agreement (signed,
	// for health), programme (joined), none (staff, or who asked for it).
	Consent Consent `yaml:"consent"`
	// Open says that residents join and leave by themselves; who takes part in the
	// others is entered by staff.
	Open bool `yaml:"open"`
	// Channels are the kinds of channel that may carry it; all when empty.
	Channels []string `yaml:"channels"`
	// Cadence plans occasions of its own, per person; absent where each occasion
	// is an event that somebody enters.
	Cadence *Cadence `yaml:"cadence"`
	// Ladders hold the rungs by what they are about: application, bed, visit for
	// FamilyBed, occasion for the others.
	Ladders map[string][]Rung `yaml:"ladders"`
	Source  string            `yaml:"source"`
}

// Cadence is the rhythm of a programme where nobody orders one: Item in words of
// a file. Minutes 0 says that nobody goes anywhere, it is done by message: it takes
// no room in a day and keeps its day until its interval is over, where a visit that
// nobody made is planned again for the next day.
type Cadence struct {
	Every     int                 `yaml:"every"`
	Early     int                 `yaml:"early"`
	Late      int                 `yaml:"late"`
	OnHoliday scheduler.OnHoliday `yaml:"on_holiday"`
	Minutes   int                 `yaml:"minutes"`
	Source    string              `yaml:"source"`
}

// Consent is what must have been agreed to before the family is written to.
type Consent string

// The kinds of consent.
const (
	NeedsAgreement Consent = "agreement"
	NeedsJoining   Consent = "programme"
	NeedsNone      Consent = "none"
)

// The subjects of ladders.
const (
	OfApplication = "application"
	OfBed         = "bed"
	OfVisit       = "visit"
	OfOccasion    = "occasion"
)

// Rung is one line of a ladder: what is due when, for whom.
type Rung struct {
	// Kind names it: part of the due row's key and of the text's.
	Kind string `yaml:"kind"`
	Due  Moment `yaml:"due"`
	// Until is when it has lost its meaning; never sent after that.
	Until Moment `yaml:"until"`
	// To lists who gets it.
	To []Role `yaml:"to"`
	// While lists the states in which it is due; any when empty.
	While []string `yaml:"while"`
	// If lists flags of which one must be set; any when empty.
	If []Flag `yaml:"if"`
	// Late says what becomes of a rung whose time was over when the thing came
	// about: now (as long as Until allows), or skip.
	Late  Late            `yaml:"late"`
	Class scheduler.Class `yaml:"class"`
	// OnQuiet as in schedules, and human: the desk does it.
	OnQuiet scheduler.OnQuiet `yaml:"on_quiet"`
	// Asks opens a prompt. With nobody of the family to write to the desk rings.
	Asks bool `yaml:"asks"`
	// Answers are what may be answered where another programme asks, the most
	// frequent first. A survey needs none: it is marked.
	Answers []Answer `yaml:"answers"`
	// Task is a person's work, not a message.
	Task bool `yaml:"task"`
	// Settled is the state of an occasion to which the end of the task leads, ""
	// for none.
	Settled string `yaml:"settled"`
}

// Answer is one answer to a question of a programme and the state to which it leads.
// Its words are texts: care.answer.PROGRAMME.VALUE, and what is said to it
// care.said.PROGRAMME.VALUE.
type Answer struct {
	Value string `yaml:"value"`
	To    string `yaml:"to"`
}

// Moment is a time that hangs on an anchor.
type Moment struct {
	Of       Anchor `yaml:"of"`
	Months   int    `yaml:"months"` // kept inside the month it reaches
	Days     int    `yaml:"days"`
	Workdays int    `yaml:"workdays"`
	// At is the time of that day; the anchor's own without it.
	At   *scheduler.TimeOfDay `yaml:"at"`
	Plus time.Duration        `yaml:"plus"`
	// By and Else: what Plus makes later than By of its day becomes Else of the
	// next.
	By   *scheduler.TimeOfDay `yaml:"by"`
	Else *scheduler.TimeOfDay `yaml:"else"`
}

// Anchor is something that happened or will: a state that was entered
// ("declined"), or one of the times that an Occasion names.
type Anchor string

// The anchors besides states. Programmes of occasions name their own.
const (
	AnchorMade     Anchor = "made"    // planned
	AnchorChanged  Anchor = "changed" // what had been told was changed; settled
	AnchorStart    Anchor = "start"   // of the window
	AnchorEnd      Anchor = "end"     // of the window
	AnchorInterval Anchor = "interval_end"
	AnchorOut      Anchor = "planned_out" // arrival and the planned minutes
	AnchorHelp     Anchor = "help"
	AnchorCode     Anchor = "wrong_code"
	AnchorDeadline Anchor = "deadline" // of an application's state
	AnchorPeriod   Anchor = "period_end"
	AnchorConsent  Anchor = "consent_lost"
	AnchorOpened   Anchor = "opened"
	AnchorStopped  Anchor = "stopped"  // somebody of the family left texts
	AnchorAnswered Anchor = "answered" // the survey
	AnchorHeld     Anchor = "held"     // an event takes place
	AnchorMoved    Anchor = "moved"    // an event got another time or place
)

// Role is who is spoken to.
type Role string

// The roles. Those of the family are found among who can be written to.
const (
	ToApplicant Role = "applicant"
	ToPatient   Role = "patient"
	ToCarer1    Role = "carer_1" // the first carer who can be written to
	ToCarer2    Role = "carer_2"
	ToPresent   Role = "present" // who was there
	ToOthers    Role = "others"  // of the family, without who chose the change
	ToMember    Role = "member"  // of a programme
	ToVisitor   Role = "visitor"
	ToDoctor    Role = "doctor"
	ToDesk      Role = "desk"
	ToLead      Role = "desk_lead"
	ToQuality   Role = "quality" // calls after a low answer; never who was rated
	ToHospital  Role = "hospital"
	ToGrid      Role = "grid"
	ToStaff     Role = "staff" // who a programme's occasion is for
)

var roles = []Role{
	ToApplicant, ToPatient, ToCarer1, ToCarer2, ToPresent, ToOthers, ToMember, ToVisitor, ToDoctor, ToDesk, ToLead, ToQuality,
	ToHospital, ToGrid, ToStaff,
}

// family reports whether consent is needed to write to the role.
func (r Role) family() bool {
	return slices.Contains([]Role{ToPatient, ToCarer1, ToCarer2, ToPresent, ToOthers, ToMember}, r)
}

// Flag is a fact that a rung may ask for.
type Flag string

// The flags.
const (
	IfFirst      Flag = "first"       // the first visit of an order
	IfLong       Flag = "long"        // a week or more between two visits
	IfRisk       Flag = "risk"        // missed before, or lives alone
	IfNobodyHome Flag = "nobody_home" // the visitor stood before a closed door
	IfLookIn     Flag = "look_in"     // so did he, who lives there lives alone, and the grid worker may be told
	IfInRow      Flag = "missed_in_row"
	IfUnnoted    Flag = "unnoted"    // no record yet
	IfSurvey     Flag = "survey"     // one is due after this visit, and not answered
	IfLowest     Flag = "lowest"     // answered with one of the lowest, and not settled
	IfOrderOver  Flag = "order_over" // an order has ended, or changed, after the family had been told of this visit
	IfShort      Flag = "short"      // came to be so on the day before, or on the day: the visitor had it on the list
)

var flags = []Flag{IfFirst, IfLong, IfRisk, IfNobodyHome, IfLookIn, IfInRow, IfUnnoted, IfSurvey, IfLowest, IfOrderOver, IfShort}

// Late says what becomes of a rung whose time was over when the thing came
// about.
type Late string

// The rules for lateness.
const (
	LateNow  Late = "now"
	LateSkip Late = "skip"
)

// ParseProgramme decodes a file of configs/programmes strictly.
func ParseProgramme(name string, body []byte) (Programme, error) {
	var p Programme
	if err := configs.Decode(name, body, &p); err != nil {
		return Programme{}, err
	}
	if err := p.Validate(); err != nil {
		return Programme{}, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Programmes decodes every embedded file of configs/programmes, in the order of
// their names.
func Programmes() ([]Programme, error) {
	names, err := configs.Names("programmes", ".yaml")
	if err != nil {
		return nil, fmt.Errorf("listing programmes: %w", err)
	}
	var all []Programme
	for _, name := range names {
		body, err := configs.Read(name)
		if err != nil {
			return nil, fmt.Errorf("reading programme: %w", err)
		}
		p, err := ParseProgramme(name, body)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

var code = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// Validate lists everything that is wrong with the programme.
func (p Programme) Validate() error {
	var bad problems
	if !code.MatchString(p.Code) {
		bad.add("programme: %q must be lower-case letters, digits and _", p.Code)
	}
	if p.Title == "" {
		bad.add("title is missing")
	}
	if p.Source == "" {
		bad.add("source is missing: say where the values come from")
	}
	if !slices.Contains([]Consent{NeedsAgreement, NeedsJoining, NeedsNone}, p.Consent) {
		bad.add("consent must be agreement, programme or none, is %q", p.Consent)
	}
	for _, c := range p.Channels {
		if !code.MatchString(c) {
			bad.add("channels: %q is no kind of channel", c)
		}
	}
	if c := p.Cadence; c != nil {
		switch {
		case c.Every < 1 || c.Every > maxEvery || c.Early < 0 || c.Late < 0 || c.Early+c.Late >= c.Every:
			bad.add("cadence needs every 1 to %d days, and early and late that together are less", maxEvery)
		case !slices.Contains(holidayRules, c.OnHoliday):
			bad.add("cadence.on_holiday must be one of %v, is %q", holidayRules, c.OnHoliday)
		case c.Minutes < 0 || c.Minutes > maxMinutes:
			bad.add("cadence.minutes must be 0 (nobody goes there) to %d", maxMinutes)
		case c.Source == "":
			bad.add("cadence.source is missing")
		}
	}
	subjects := []string{OfOccasion}
	if p.Code == FamilyBed {
		subjects = []string{OfApplication, OfBed, OfVisit}
	}
	if len(p.Ladders) == 0 {
		bad.add("ladders are missing: say what is due when, of %v", subjects)
	}
	for _, subject := range slices.Sorted(maps.Keys(p.Ladders)) {
		if !slices.Contains(subjects, subject) {
			bad.add("ladders.%s: the subjects are %v", subject, subjects)
			continue
		}
		seen := map[string]bool{}
		for i, rung := range p.Ladders[subject] {
			where := fmt.Sprintf("ladders.%s[%d] %s", subject, i, rung.Kind)
			rung.validate(subject, where, &bad)
			if seen[rung.Kind] {
				bad.add("%s stands twice", where)
			}
			seen[rung.Kind] = true
		}
	}
	return errors.Join(bad...)
}

func (r Rung) validate(subject, where string, bad *problems) {
	if !code.MatchString(r.Kind) {
		bad.add("%s: kind must be lower-case letters, digits and _", where)
	}
	r.Due.validate(subject, where+": due", bad)
	r.Until.validate(subject, where+": until", bad)
	if len(r.To) == 0 {
		bad.add("%s: to is missing", where)
	}
	for _, to := range r.To {
		if !slices.Contains(roles, to) {
			bad.add("%s: to %q; the roles are %v", where, to, roles)
		}
		if to.family() && r.Task {
			bad.add("%s: a task is staff's, not the family's", where)
		}
	}
	for _, s := range r.While {
		if !slices.Contains(statesOf(subject), s) {
			bad.add("%s: while %q; the states are %v", where, s, statesOf(subject))
		}
	}
	for _, f := range r.If {
		if !slices.Contains(flags, f) {
			bad.add("%s: if %q; the flags are %v", where, f, flags)
		}
	}
	r.validateAnswers(subject, where, bad)
	if r.Late != LateNow && r.Late != LateSkip {
		bad.add("%s: late must be now or skip, is %q", where, r.Late)
	}
	if !slices.Contains(scheduler.Classes(), r.Class) {
		bad.add("%s: class must be one of %v, is %q", where, scheduler.Classes(), r.Class)
	}
	if !slices.Contains([]scheduler.OnQuiet{scheduler.QuietLater, scheduler.QuietEarlier, scheduler.QuietDrop, scheduler.QuietHuman}, r.OnQuiet) {
		bad.add("%s: on_quiet must be later, earlier, drop or human, is %q", where, r.OnQuiet)
	}
}

func (r Rung) validateAnswers(subject, where string, bad *problems) {
	needed := subject == OfOccasion && r.Asks && r.Class != scheduler.Survey
	if needed != (len(r.Answers) > 0) {
		bad.add("%s: what asks and is no survey needs answers, and nothing else has any", where)
	}
	if r.Settled != "" && (!r.Task || subject != OfOccasion || !slices.Contains(answered, r.Settled)) {
		bad.add("%s: settled belongs to a task of an occasion and may be one of %v, is %q", where, answered, r.Settled)
	}
	for i, a := range r.Answers {
		if !code.MatchString(a.Value) || slices.ContainsFunc(r.Answers[:i], func(o Answer) bool { return o.Value == a.Value }) {
			bad.add("%s: answers: %q must be lower-case letters, digits and _, and stand once", where, a.Value)
		}
		if !slices.Contains(answered, a.To) {
			bad.add("%s: answers: %s leads to %q; it may lead to %v", where, a.Value, a.To, answered)
		}
	}
}

func (m Moment) validate(subject, where string, bad *problems) {
	switch {
	case m.Of == "":
		bad.add("%s.of is missing", where)
	case !slices.Contains(anchorsOf(subject), m.Of) && subject != OfOccasion:
		bad.add("%s.of %q; the anchors are %v", where, m.Of, anchorsOf(subject))
	case !code.MatchString(string(m.Of)):
		bad.add("%s.of %q is no anchor", where, m.Of)
	}
	if (m.By == nil) != (m.Else == nil) {
		bad.add("%s: by and else belong together", where)
	}
	if m.Days != 0 && m.Workdays != 0 {
		bad.add("%s: days or workdays, not both", where)
	}
}

// statesOf and anchorsOf are what a ladder may name.
func statesOf(subject string) []string {
	switch subject {
	case OfApplication:
		return text(ApplicationStates())
	case OfBed:
		return text(BedStates())
	case OfVisit:
		return text(VisitStates())
	}
	return text(OccasionStates())
}

func anchorsOf(subject string) []Anchor {
	anchors := map[string][]Anchor{
		OfApplication: {AnchorDeadline},
		OfBed:         {AnchorOpened, AnchorPeriod, AnchorConsent, AnchorStopped},
		OfVisit: {
			AnchorMade, AnchorChanged, AnchorStart, AnchorEnd, AnchorInterval, AnchorOut, AnchorHelp, AnchorCode, AnchorAnswered,
		},
		// Others that the ladders of occasions name are moments that staff enter.
		OfOccasion: {AnchorMade, AnchorStart, AnchorEnd, AnchorInterval, AnchorHeld, AnchorMoved, AnchorAnswered},
	}[subject]
	for _, s := range statesOf(subject) {
		anchors = append(anchors, Anchor(s))
	}
	slices.SortFunc(anchors, func(a, b Anchor) int { return cmp.Compare(a, b) })
	return anchors
}

func text[S ~string](states []S) []string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = string(s)
	}
	return out
}

// Rung finds a rung of the ladder of occasions by its kind.
func (p Programme) Rung(kind string) (Rung, bool) {
	for _, r := range p.Ladders[OfOccasion] {
		if r.Kind == kind {
			return r, true
		}
	}
	return Rung{}, false
}

// OfEvents reports whether the programme hangs on events that somebody holds.
func (p Programme) OfEvents() bool { return slices.Contains(p.anchors(), AnchorHeld) }

// Marks are the moments of a person's own that staff enter (admitted, donated), in
// the order of the ladder; the first comes with whoever takes part.
func (p Programme) Marks() []Anchor {
	if p.Cadence != nil || p.OfEvents() {
		return nil
	}
	return slices.DeleteFunc(p.anchors(), func(a Anchor) bool { return slices.Contains(anchorsOf(OfOccasion), a) })
}

// anchors are what the ladder of occasions hangs on.
func (p Programme) anchors() []Anchor {
	var all []Anchor
	for _, r := range p.Ladders[OfOccasion] {
		for _, a := range []Anchor{r.Due.Of, r.Until.Of} {
			if !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	return all
}

// Carries reports whether a channel of the kind may carry the programme.
func (p Programme) Carries(kind string) bool {
	return len(p.Channels) == 0 || slices.Contains(p.Channels, kind)
}
