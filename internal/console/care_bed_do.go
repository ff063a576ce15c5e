package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// bedDeeds are what can be done with a bed, in the order of the page's forms. What
// takes effect at once and is easily meant otherwise asks once more.
func bedDeeds() []careDeed {
	return []careDeed{
		{name: care.CmdSign, ask: askSign, do: sign},
		{name: care.CmdOpen, ask: askOpen, do: openBed},
		{name: care.CmdOrder, ask: askOrder, do: order},
		{name: care.CmdEndOrder, ask: askEndOrder, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.bed(ctx, v, on, care.EndOrder{ItemID: v.number("item")}, homecare.Draft{})
		}},
		{name: care.CmdHousehold, ask: func(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
			list, err := c.askHousehold(ctx, v, on.bed.Carers)
			home := lineField("home", "", false)
			return append(list, tick("lives_alone", on.bed.Patient.LivesAlone), tick("dependent", on.bed.Patient.Dependent), home), err
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			h, err := c.household(ctx, v, on.bed.Carers, on.bed.Patient.Person)
			if err != nil {
				return err
			}
			return c.bed(ctx, v, on, h, homecare.Draft{Home: v.form("home")})
		}},
		{name: care.CmdTexts, ask: askTexts, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.bed(ctx, v, on, care.Texts{Person: v.number("person"), Stop: v.form("texts") == "stop"}, homecare.Draft{})
		}},
		{name: care.CmdTeam, ask: askTeam, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			doctor, nurse, err := c.team(ctx, v, on)
			if err != nil {
				return err
			}
			return c.bed(ctx, v, on, care.Team{Doctor: doctor, Nurse: nurse}, homecare.Draft{})
		}},
		{name: care.CmdSuspend, ask: func(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
			return []field{c.codes("reason", "care.reason.suspend", c.Care.Rules.Policy().Reasons.Suspend, "")}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.bed(ctx, v, on, care.Suspend{Reason: v.form("reason")}, homecare.Draft{})
		}},
		{name: care.CmdResume, ask: func(_ context.Context, _ *Console, _ *visit, on *bedside) ([]field, error) {
			return []field{tick("discharged", on.bed.Reason == care.SuspendAdmission)}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.bed(ctx, v, on, care.Resume{Discharged: v.form("discharged") != ""}, homecare.Draft{})
		}},
		{name: care.CmdRenew, ask: func(_ context.Context, c *Console, _ *visit, on *bedside) ([]field, error) {
			return []field{dayField("to", on.bed.Period().To.AddDays(c.Care.Rules.Policy().Period.Days), true)}, nil
		}, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			to, err := v.day("to")
			if err != nil {
				return err
			}
			return c.bed(ctx, v, on, care.Renew{To: to}, homecare.Draft{})
		}},
		{name: care.CmdClose, ask: askCloseBed, do: closeBed},
		{name: care.CmdWithdrawConsent, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.bed(ctx, v, on, care.WithdrawConsent{}, homecare.Draft{})
		}},
		{name: care.CmdDeath, sure: true, do: func(ctx context.Context, c *Console, v *visit, on *bedside) error {
			return c.bed(ctx, v, on, care.Death{}, homecare.Draft{})
		}},
	}
}

func (c *Console) bed(ctx context.Context, v *visit, on *bedside, command care.BedCommand, d homecare.Draft) error {
	_, err := c.Care.DoBedWith(ctx, v.Turn, on.bed.ID, on.by, command, d)
	return err
}

// persons offers the patient and the carers.
func (c *Console) persons(ctx context.Context, v *visit, on *bedside) (field, error) {
	f := field{Name: "person", Kind: "pick", Label: "care_person", Required: true}
	b := on.bed
	name, _, err := c.masked(ctx, v, b.Patient.Person)
	if err != nil {
		return f, err
	}
	f.Options = []choice{{idText(b.Patient.Person), name + " " + c.text("care.relation.self")}}
	for _, k := range b.Carers {
		if name, _, err = c.masked(ctx, v, k.Person); err != nil {
			return f, err
		}
		f.Options = append(f.Options, choice{idText(k.Person), name + " " + c.text("care.relation."+k.Relation)})
	}
	return f, nil
}

// askSign offers both forms of an agreement: paper with its scan, or the signer's
// name written on this screen in front of who enters it.
func askSign(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	who, err := c.persons(ctx, v, on)
	who.Label = "care_signer"
	signed := field{Name: "signed_at", Kind: "date", Label: "care_signed_at", Required: true, Value: v.Now.In(c.Location).Format("2006-01-02T15:04")}
	return []field{
		c.codes("form_of", "care.desk.form", []string{string(care.OnPaper), string(care.OnScreen)}, ""), who,
		{Name: "photo", Kind: "photos", Label: "care_scan"},
		lineField("signature", "", false), signed, tick("grid_worker", on.bed.Agreement.GridWorker),
	}, err
}

// sign enters an agreement. Its relation is the one that the signer is registered
// with; a signature on screen is kept word for word in the trail.
func sign(ctx context.Context, c *Console, v *visit, on *bedside) error {
	b, p := on.bed, c.Care.Rules.Policy().Consent
	at, err := time.ParseInLocation("2006-01-02T15:04", v.form("signed_at"), c.Location)
	if err != nil {
		return errForm
	}
	a := care.Agreement{
		Form: care.Form(v.form("form_of")), Notice: p.Notice, Terms: p.Terms, Signer: v.number("person"), SignedAt: at,
		GridWorker: v.form("grid_worker") != "",
	}
	if a.Signer == b.Patient.Person {
		a.Relation = care.Self
	}
	if i := slices.IndexFunc(b.Carers, func(k care.Carer) bool { return k.Person == a.Signer }); i >= 0 {
		a.Relation = b.Carers[i].Relation
	}
	signature := v.form("signature")
	if a.Form == care.OnScreen {
		if err := c.sameName(ctx, v, a.Signer, signature); err != nil {
			return err
		}
	}
	pages, err := v.keep(ctx)
	if err != nil {
		return err
	}
	a.Scan = strings.Join(pages, " ")
	if err := c.bed(ctx, v, on, care.Sign{Agreement: a}, homecare.Draft{}); err != nil {
		return err
	}
	for _, blob := range pages {
		if err := v.AddBedFile(ctx, blob, b.ID, v.staff.ID); err != nil {
			return fmt.Errorf("keep the scan of an agreement: %w", err)
		}
	}
	if a.Form != care.OnScreen {
		return nil
	}
	return v.Record(ctx, "bed.signature", homecare.BedSubject(b.ID), map[string]any{"person": a.Signer}, signature)
}

// sameName refuses a signature that is not the signer's name. Who has no name yet is
// called so from now on.
func (c *Console) sameName(ctx context.Context, v *visit, person int64, signature string) error {
	if signature == "" {
		return &badForm{"care.desk.problem.signature"}
	}
	if person == 0 {
		return errForm
	}
	row, err := v.GetPerson(ctx, person)
	if err != nil {
		return fmt.Errorf("load who signs: %w", err)
	}
	name, err := v.Open(workorder.SealName, row.Name)
	if err != nil {
		return err
	}
	if name != "" && name != signature {
		return &badForm{"care.desk.problem.signature"}
	}
	return c.nameOnce(ctx, v, person, signature)
}

func askTeam(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	doctor, err := c.staffField(ctx, v, on, "doctor", on.bed.Doctor, people.RoleDoctor)
	if err != nil {
		return nil, err
	}
	nurse, err := c.staffField(ctx, v, on, "nurse", on.bed.Nurse, people.RoleNurse)
	return []field{doctor, nurse}, err
}

func askOpen(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	list, err := askTeam(ctx, c, v, on)
	to := c.today(v).AddDays(c.Care.Rules.Policy().Period.Days - 1)
	diagnosis := field{Name: "diagnosis", Kind: "words", Label: "care_diagnosis", Required: on.bed.Diagnosis == nil}
	return append(list, diagnosis, dayField("to", to, true)), err
}

func openBed(ctx context.Context, c *Console, v *visit, on *bedside) error {
	to, err := v.day("to")
	if err != nil {
		return err
	}
	doctor, nurse, err := c.team(ctx, v, on)
	if err != nil {
		return err
	}
	item, err := v.NextItem(ctx)
	if err != nil {
		return fmt.Errorf("number an order: %w", err)
	}
	diagnosis := v.form("diagnosis")
	return c.bed(ctx, v, on, care.Open{
		Doctor: doctor, Nurse: nurse, HasDiagnosis: diagnosis != "" || on.bed.Diagnosis != nil, To: to, FirstVisitID: item,
	}, homecare.Draft{Diagnosis: diagnosis})
}

// team reads doctor and nurse, who must be of the bed's clinic.
func (c *Console) team(ctx context.Context, v *visit, on *bedside) (doctor, nurse int64, err error) {
	if doctor, err = c.ofClinic(ctx, v, on, "doctor", people.RoleDoctor); err != nil {
		return 0, 0, err
	}
	nurse, err = c.ofClinic(ctx, v, on, "nurse", people.RoleNurse)
	return doctor, nurse, err
}

// ofClinic reads one of the staff of the bed's clinic from a form, 0 for none.
func (c *Console) ofClinic(ctx context.Context, v *visit, on *bedside, name string, roles ...people.Role) (int64, error) {
	f, err := c.staffField(ctx, v, on, name, 0, roles...)
	if err != nil {
		return 0, err
	}
	if v.form(name) != "" && !slices.ContainsFunc(f.Options, func(o choice) bool { return o.Value == v.form(name) }) {
		return 0, &badForm{"care.desk.problem.staff"}
	}
	return v.number(name), nil
}

func askTexts(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	who, err := c.persons(ctx, v, on)
	return []field{who, c.codes("texts", "care.desk.texts", []string{"stop", "start"}, "")}, err
}

// orders offers the orders that run.
func (c *Console) orders(on *bedside) field {
	f := field{Name: "item", Kind: "pick", Label: "care_item"}
	for _, it := range on.bed.Items {
		if it.EndedAt.IsZero() {
			f.Options = append(f.Options, choice{idText(it.ID), c.text("care.kind."+it.Kind) + " " + c.rhythm(it)})
		}
	}
	return f
}

func askEndOrder(_ context.Context, c *Console, _ *visit, on *bedside) ([]field, error) {
	f := c.orders(on)
	f.Required = true
	return []field{f}, nil
}

func askOrder(ctx context.Context, c *Console, v *visit, on *bedside) ([]field, error) {
	policy := c.Care.Rules.Policy()
	instead := c.orders(on)
	instead.Label = "care_item_instead"
	days := field{Name: "weekdays", Kind: "ticks", Label: "care_weekdays"}
	for _, d := range []time.Weekday{1, 2, 3, 4, 5, 6, 0} {
		days.Options = append(days.Options, choice{strconv.Itoa(int(d)), c.text(fmt.Sprintf("care.weekday.%d", d))})
	}
	number := func(name string) field { return field{Name: name, Kind: "number", Label: "care_" + name} }
	window := field{Name: "window", Kind: "pick", Label: "care_window"}
	for _, w := range policy.Windows.Of {
		window.Options = append(window.Options, choice{w.Span.String(), homecare.Window(w.Span)})
	}
	staff, err := c.staffField(ctx, v, on, "staff", on.bed.Nurse, people.RoleNurse, people.RoleDoctor)
	if err != nil {
		return nil, err
	}
	holiday := c.codes("on_holiday", "care.desk.holiday", []string{
		string(scheduler.HolidayKeep), string(scheduler.HolidaySkip), string(scheduler.NextWorkday), string(scheduler.PrevWorkday),
	}, "")
	holiday.Required = false
	return []field{
		c.codes("kind", "care.kind", kindsOf(policy), ""), number("every"), days, number("weeks"), window, staff,
		dayField("from", c.today(v), true), dayField("until", scheduler.Date{}, false), holiday, number("minutes"), number("early"), number("late"), instead,
	}, nil
}

// kindsOf are the kinds of orders by their rank.
func kindsOf(p care.Policy) []string {
	var list []string
	for code := range p.Kinds {
		list = append(list, code)
	}
	slices.SortFunc(list, func(a, b string) int {
		if d := p.Kinds[a].Rank - p.Kinds[b].Rank; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return list
}

// order reads an order. What is left empty is the policy's of its kind.
func order(ctx context.Context, c *Console, v *visit, on *bedside) error {
	it := care.Item{ID: v.number("item"), Kind: v.form("kind"), OnHoliday: scheduler.OnHoliday(v.form("on_holiday"))}
	var err error
	if it.Staff, err = c.ofClinic(ctx, v, on, "staff", people.RoleNurse, people.RoleDoctor); err != nil {
		return err
	}
	for name, into := range map[string]*int{"every": &it.Every, "weeks": &it.Weeks, "minutes": &it.Minutes, "early": &it.Early, "late": &it.Late} {
		if *into, err = v.few(name); err != nil {
			return err
		}
	}
	for name, into := range map[string]*scheduler.Date{"from": &it.From, "until": &it.Until} {
		if *into, err = v.day(name); err != nil {
			return err
		}
	}
	if it.From == (scheduler.Date{}) {
		it.From = c.today(v)
	}
	for _, s := range v.r.PostForm["weekdays"] {
		d, err := strconv.Atoi(s)
		if err != nil {
			return errForm
		}
		it.Weekdays = append(it.Weekdays, time.Weekday(d))
	}
	if w := v.form("window"); w != "" {
		if it.Window, err = scheduler.ParseSpan(w); err != nil {
			return errForm
		}
	}
	if it.ID == 0 {
		if it.ID, err = v.NextItem(ctx); err != nil {
			return fmt.Errorf("number an order: %w", err)
		}
	} else if !slices.ContainsFunc(on.bed.Items, func(o care.Item) bool { return o.ID == it.ID }) {
		return errForm
	}
	return c.bed(ctx, v, on, care.Order{Item: it}, homecare.Draft{})
}

func askCloseBed(_ context.Context, c *Console, _ *visit, _ *bedside) ([]field, error) {
	p := c.Care.Rules.Policy().Beds
	outcomes := slices.DeleteFunc(slices.Clone(p.Outcomes), func(o string) bool { return o == p.Died })
	return []field{
		c.codes("outcome", "care.desk.outcome", outcomes, ""),
		{Name: "diagnosis", Kind: "words", Label: "care_closing"},
		{Name: "returns", Kind: "number", Label: "care_returns"},
	}, nil
}

func closeBed(ctx context.Context, c *Console, v *visit, on *bedside) error {
	returns, err := v.few("returns")
	if err != nil {
		return err
	}
	diagnosis := v.form("diagnosis")
	return c.bed(ctx, v, on, care.Close{Outcome: v.form("outcome"), HasDiagnosis: diagnosis != "", Returns: returns}, homecare.Draft{Closing: diagnosis})
}
