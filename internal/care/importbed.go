package care

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/scheduler"
)

// BedRow is one bed of a hospital's file that is open already. Clinic, Doctor and
// Nurse are what the file calls them: a unit's code and slugs.
type BedRow struct {
	Line          int
	Number        string
	Clinic, Type  string
	Doctor, Nurse string
	Patient       PersonRow
	Grid, Home    string
	LivesAlone    bool
	Dependent     bool
	Carers        []CarerRow
	// Opened is the first day of the bed, Period its running period.
	Opened    scheduler.Date
	Period    Period
	Agreement AgreementRow
	Diagnosis string // is kept sealed
}

// PersonRow is somebody by name and telephone number, "" for none.
type PersonRow struct{ Name, Phone string }

// CarerRow is a carer in the order in which they are asked.
type CarerRow struct {
	PersonRow
	Relation string
	Shared   bool // others read this phone
}

// AgreementRow is what was signed on a screen. Signer is the name of the patient or
// of a carer.
type AgreementRow struct {
	Day           scheduler.Date
	Notice, Terms int
	Signer        string
}

// BedsKnown is what a file of beds may name.
type BedsKnown struct {
	Clinics, Staff, Grids []string
	Today                 scheduler.Date
}

// ParseBeds reads beds that are open already:
//
//	number,clinic,patient,phone,grid,home,carers,type,doctor,nurse,opened,from,to,agreed,form,notice,terms,signer,diagnosis,alone,dependent
//
// carers are "name/relation/number" with | between them, in the order in which they
// are asked; "/shared" behind a number that others read. opened is the first day of
// the bed, from and to the running period. An agreement counts that was signed on a
// screen (form screen): a paper without its scan is none, and a file carries no
// scan, so beds on paper are entered at the desk page. signer is the name of the
// patient or of a carer. alone and dependent are yes or empty. home, phone, alone
// and dependent may be missing.
func (r *Rules) ParseBeds(f people.File, known BedsKnown) ([]BedRow, error) {
	t, err := people.ReadTable(f, []string{
		"number", "clinic", "patient", "grid", "carers", "type", "doctor", "nurse", "opened", "from", "to", "agreed", "form", "notice", "terms", "signer", "diagnosis",
	}, []string{"phone", "home", "alone", "dependent"})
	if err != nil {
		return nil, err
	}
	var rows []BedRow
	seen := map[string]bool{}
	for line := range t.Rows() {
		b, bad := r.readBed(line, known)
		if seen[b.Number] {
			bad = append(bad, fmt.Sprintf("bed %q stands twice in the file", b.Number))
		}
		seen[b.Number] = true
		for _, reason := range bad {
			t.Fail(line, reason)
		}
		rows = append(rows, b)
	}
	if err := t.Err(); err != nil {
		return nil, err
	}
	return rows, nil
}

// readBed reads one line and everything that is wrong with it.
func (r *Rules) readBed(line people.Row, known BedsKnown) (b BedRow, bad []string) {
	note := func(wrong bool, format string, args ...any) {
		if wrong {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	day := func(column string) scheduler.Date {
		d, err := scheduler.ParseDate(line.Get(column))
		note(err != nil, "%s: %q is no day like 2026-03-03", column, line.Get(column))
		return d
	}
	phone := func(s string) string {
		number := people.E164(s)
		note(s != "" && number == "", "%q is no telephone number", s)
		return number
	}
	yes := func(column string) bool {
		v := line.Get(column)
		note(v != "" && v != "yes", "%s is yes or empty", column)
		return v == "yes"
	}
	b = BedRow{
		Line: line.Line(), Number: line.Get("number"), Clinic: line.Get("clinic"), Type: line.Get("type"), Doctor: line.Get("doctor"), Nurse: line.Get("nurse"),
		Patient: PersonRow{line.Get("patient"), phone(line.Get("phone"))}, Grid: line.Get("grid"), Home: line.Get("home"),
		LivesAlone: yes("alone"), Dependent: yes("dependent"), Opened: day("opened"), Period: Period{From: day("from"), To: day("to")},
		Agreement: AgreementRow{Day: day("agreed"), Signer: line.Get("signer")}, Diagnosis: line.Get("diagnosis"),
	}
	note(b.Number == "" || len([]rune(b.Number)) > maxClinicName, "number must have 1 to %d characters", maxClinicName)
	note(b.Patient.Name == "", "patient is empty")
	note(b.Diagnosis == "", "diagnosis is empty")
	note(!slices.Contains(known.Clinics, b.Clinic), "clinic %q is unknown", b.Clinic)
	note(!slices.Contains(r.policy.Beds.Types, b.Type), "type %q must be one of %s", b.Type, strings.Join(r.policy.Beds.Types, " "))
	for _, slug := range []string{b.Doctor, b.Nurse} {
		note(!slices.Contains(known.Staff, slug), "staff %q is unknown", slug)
	}
	note(b.Grid != "" && !slices.Contains(known.Grids, b.Grid), "grid %q is unknown", b.Grid)
	for part := range strings.SplitSeq(line.Get("carers"), "|") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		fields := strings.Split(part, "/")
		if len(fields) < 3 || len(fields) > 4 || len(fields) == 4 && strings.TrimSpace(fields[3]) != "shared" {
			note(true, "carer %q is no name/relation/number", part)
			continue
		}
		c := CarerRow{PersonRow{strings.TrimSpace(fields[0]), phone(strings.TrimSpace(fields[2]))}, strings.TrimSpace(fields[1]), len(fields) == 4}
		note(c.Name == "", "a carer has no name")
		note(!slices.Contains(r.policy.Consent.Relations, c.Relation), "relation %q must be one of %s", c.Relation, strings.Join(r.policy.Consent.Relations, " "))
		b.Carers = append(b.Carers, c)
	}
	note(len(b.Carers) == 0 && b.Patient.Phone == "", "nobody can be reached: give a carer or the patient's number")
	note(b.Opened.Compare(known.Today) > 0 || b.Period.From.Compare(known.Today) > 0, "a bed that is open was opened before today")
	note(b.Period.From.Compare(b.Opened) < 0, "the running period begins before the bed")
	days := daysBetween(b.Period.From, b.Period.To) + 1
	note(days < 1 || days > r.policy.Period.Most, "a period has 1 to %d days", r.policy.Period.Most)
	bad = append(bad, r.readAgreement(line, &b, known.Today)...)
	return b, bad
}

func (r *Rules) readAgreement(line people.Row, b *BedRow, today scheduler.Date) (bad []string) {
	note := func(wrong bool, format string, args ...any) {
		if wrong {
			bad = append(bad, fmt.Sprintf(format, args...))
		}
	}
	switch form := Form(line.Get("form")); form {
	case OnScreen:
	case OnPaper:
		note(true, "a paper agreement needs its scan, which no file carries: enter this bed at the desk page")
	default:
		note(true, "form %q: the agreement must have been signed, on %s", form, OnScreen)
	}
	if _, err := fmt.Sscan(line.Get("notice"), &b.Agreement.Notice); err != nil || b.Agreement.Notice < r.policy.Consent.Notice {
		note(true, "notice %q: version %d is in force and must be signed", line.Get("notice"), r.policy.Consent.Notice)
	}
	if _, err := fmt.Sscan(line.Get("terms"), &b.Agreement.Terms); err != nil || b.Agreement.Terms < r.policy.Consent.Terms {
		note(true, "terms %q: version %d is in force and must be signed", line.Get("terms"), r.policy.Consent.Terms)
	}
	note(b.Agreement.Day.Compare(today) > 0, "the agreement was signed in the future")
	signs := b.Agreement.Signer == b.Patient.Name || slices.ContainsFunc(b.Carers, func(c CarerRow) bool { return c.Name == b.Agreement.Signer })
	note(!signs, "signer %q is neither the patient nor a carer", b.Agreement.Signer)
	return bad
}

// BedOf makes the bed of a row: what the commands would have made of it on their
// days. patient and carers are who they are, carers in the order of the row.
func (r *Rules) BedOf(row BedRow, clinic, hospital int64, team Team, patient Patient, carers []Carer, by Actor) (Bed, error) {
	loc := r.loc()
	patient.Where, patient.Grid = AtHome, row.Grid
	b, err := r.NewBed(Application{State: Registered, Patient: patient, Clinic: clinic}, row.Type, hospital)
	if err != nil {
		return b, err
	}
	a := Agreement{
		Form: OnScreen, Notice: row.Agreement.Notice, Terms: row.Agreement.Terms, Signer: patient.Person, Relation: Self, SignedAt: row.Agreement.Day.At(0, loc),
	}
	for i, c := range row.Carers {
		if c.Name == row.Agreement.Signer && row.Agreement.Signer != row.Patient.Name {
			a.Signer, a.Relation = carers[i].Person, c.Relation
		}
	}
	opened := row.Opened.At(9*60, loc)
	signed := later(opened, a.SignedAt)
	for _, step := range []struct {
		at time.Time
		c  BedCommand
	}{
		{opened, Household{Carers: carers, LivesAlone: row.LivesAlone, Dependent: row.Dependent}},
		{signed, Sign{Agreement: a}},
		{row.Period.From.At(9*60, loc), Open{Doctor: team.Doctor, Nurse: team.Nurse, HasDiagnosis: true, To: row.Period.To}},
	} {
		if b, _, err = r.Bed(b, by, step.c, step.at); err != nil {
			return b, err
		}
	}
	b.Items, b.OpenedAt = nil, opened // its first visit was long ago
	return b, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
