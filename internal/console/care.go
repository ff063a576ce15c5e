package console

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/people"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// Family beds on the desk page: applications, beds, visits, absences, plans from a
// file. Everything goes through homecare.Service, and who may what is asked where the
// clinic lies. Names and numbers are masked; who wants to read where somebody lives
// and what they have gives a reason, which is kept.

// careRoutes mounts the pages of family beds.
func (c *Console) careRoutes(handle, upload func(string, http.HandlerFunc)) {
	handle("GET /desk/care", c.staff(c.careList))
	handle("GET /desk/care/new", c.staff(c.newApplication))
	handle("POST /desk/care/new", c.form(c.fileApplication, c.newApplication))
	handle("GET /desk/care/filed/{id}", c.staff(c.filedApplication))
	handle("GET /desk/care/application/{id}", c.staff(c.showApplication))
	handle("POST /desk/care/application/{id}/look", c.staff(c.lookAtApplication))
	handle("POST /desk/care/application/{id}/do/{deed}", c.form(c.doApplication, c.showApplication))
	handle("GET /desk/bed/{id}", c.staff(c.showBed))
	handle("POST /desk/bed/{id}/look", c.staff(c.lookAtBed))
	upload("POST /desk/bed/{id}/do/{deed}", c.form(c.doBed, c.showBed))
	handle("GET /desk/bed/{id}/file/{blob}", c.staff(c.bedFile))
	handle("GET /desk/visit/{id}", c.staff(c.showVisit))
	handle("POST /desk/visit/{id}/do/{deed}", c.form(c.doVisit, c.showVisit))
	handle("POST /desk/task/{id}/look", c.staff(c.lookAtTask))
	handle("GET /desk/bed/{id}/ledger", c.staff(c.bedLedger))
	handle("GET /desk/bed/{id}/ahead", c.staff(c.bedAhead))
	handle("GET /desk/care/ahead", c.staff(c.ahead))
	handle("GET /desk/care/figures", c.staff(c.figuresOfCare))
	handle("GET /desk/care/dry", c.staff(c.dryRun))
	upload("POST /desk/care/dry", c.form(c.tryRules, c.dryRun))
	handle("GET /desk/care/pause", c.staff(c.pauses))
	handle("POST /desk/care/pause/{deed}", c.form(c.pause, c.pauses))
	handle("GET /desk/care/away", c.staff(c.away))
	handle("POST /desk/care/away", c.form(c.enterAway, c.away))
	handle("GET /desk/care/import", c.staff(c.plans))
	upload("POST /desk/care/import", c.form(c.importPlans, c.plans))
}

// bedside is what a page of family beds is about, and who asks as what.
type bedside struct {
	by          care.Actor
	application *homecare.Application
	bed         *homecare.Bed
	visit       *care.Visit
}

// careDeed is a command as the pages of applications, beds and visits offer it.
type careDeed struct {
	name care.CommandName
	// ask lists the fields of its form; nil asks for nothing, and the form is one
	// button.
	ask func(context.Context, *Console, *visit, *bedside) ([]field, error)
	do  func(context.Context, *Console, *visit, *bedside) error
	// when narrows when the form is shown, nil for whenever the rules allow it.
	when func(*bedside) bool
	// sure: the form asks once more before it is done.
	sure bool
}

// careForm is a deed on the page.
type careForm struct {
	Name   string
	Fields []field
}

// careForms are the forms of what the rules allow now.
func (c *Console) careForms(ctx context.Context, v *visit, on *bedside, deeds []careDeed, allowed []care.CommandName) ([]careForm, error) {
	var forms []careForm
	for _, d := range deeds {
		if !slices.Contains(allowed, d.name) || d.when != nil && !d.when(on) {
			continue
		}
		f := careForm{Name: string(d.name)}
		if d.ask != nil {
			var err error
			if f.Fields, err = d.ask(ctx, c, v, on); err != nil {
				return nil, err
			}
		}
		forms = append(forms, f)
	}
	return forms, nil
}

// sureOf is a form that is asked once more.
type sureOf struct {
	// Action is where it goes, Name is the deed, Back where nothing is done.
	Action, Name, Back string
}

// doCare does what the form says, if it is one of the deeds. What is done once more
// only after asking comes back as a page.
func (c *Console) doCare(ctx context.Context, v *visit, on *bedside, deeds []careDeed, page string) (answer, error) {
	name := care.CommandName(v.r.PathValue("deed"))
	i := slices.IndexFunc(deeds, func(d careDeed) bool { return d.name == name })
	if i < 0 {
		return answer{}, errNotHere
	}
	if deeds[i].sure && v.form("sure") == "" {
		return answer{page: "care_sure", data: sureOf{page + "/do/" + string(name), string(name), page}}, nil
	}
	if err := deeds[i].do(ctx, c, v, on); err != nil {
		return answer{}, err
	}
	return answer{to: page}, nil
}

// clinics are the organisations at which who asks has one of some rights.
func (c *Console) clinics(ctx context.Context, v *visit, rights ...people.StaffCommand) ([]db.Clinic, error) {
	if c.Care == nil {
		return nil, nil
	}
	all, err := v.Clinics(ctx)
	if err != nil {
		return nil, fmt.Errorf("list clinics: %w", err)
	}
	return slices.DeleteFunc(all, func(k db.Clinic) bool { return !c.mayAt(v, k.Code, rights...) }), nil
}

func (c *Console) mayAt(v *visit, unit string, rights ...people.StaffCommand) bool {
	return slices.ContainsFunc(rights, func(r people.StaffCommand) bool {
		return c.Orders.Rights.May(v.staff, r, people.Subject{Unit: unit}, v.Now)
	})
}

func idsOf(list []db.Clinic) []int64 {
	ids := make([]int64, len(list))
	for i, k := range list {
		ids[i] = k.ID
	}
	return ids
}

func unitsOf(list []db.Clinic) []string {
	units := make([]string, len(list))
	for i, k := range list {
		units[i] = k.Code
	}
	return units
}

// bedAt loads a bed for who may look at it. by is what they are to it; a nurse of
// the clinic may look and do nothing.
func (c *Console) bedAt(ctx context.Context, v *visit, id int64) (*bedside, error) {
	if c.Care == nil {
		return nil, errNotHere
	}
	b, err := c.Care.LoadBed(ctx, v.Turn, id)
	if err != nil {
		return nil, err
	}
	return c.at(ctx, v, b, nil)
}

func (c *Console) visitAt(ctx context.Context, v *visit, id int64) (*bedside, error) {
	if c.Care == nil {
		return nil, errNotHere
	}
	b, one, err := c.Care.LoadVisit(ctx, v.Turn, id)
	if err != nil {
		return nil, err
	}
	return c.at(ctx, v, b, &one)
}

func (c *Console) at(ctx context.Context, v *visit, b *homecare.Bed, one *care.Visit) (*bedside, error) {
	looks, err := c.clinics(ctx, v, people.MayViewBeds)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(looks, func(k db.Clinic) bool { return k.ID == b.Clinic || k.ID == b.Hospital }) {
		return nil, errNotHere
	}
	by, _, err := c.Care.ActorAt(ctx, v.Turn, v.staff, b, one)
	return &bedside{by: by, bed: b, visit: one}, err
}

// careRefusal is the text of a refusal with what is allowed instead.
func (c *Console) careRefusal(r *care.Refused) string {
	values := maps.Clone(r.Params)
	if values == nil {
		values = map[string]string{}
	}
	if s := values["state"]; s != "" {
		values["state"] = c.text("care.desk.state." + s)
	}
	values["allowed"] = ""
	var labels []string
	for _, name := range r.Allowed {
		if label := c.textOr("care.desk.do."+string(name), ""); label != "" {
			labels = append(labels, label)
		}
	}
	if len(labels) > 0 {
		values["allowed"] = c.text("console.may_do", "commands", strings.Join(labels, "、"))
	}
	say, err := c.Gateway.Library.Text(r.Key, lang, values)
	if err != nil {
		return c.text("console.problem.refused")
	}
	return say
}

// personShown are name and number of a person, masked or, when somebody looks with
// a reason, whole.
func (c *Console) personShown(ctx context.Context, v *visit, id int64, whole bool) (name, phone string, err error) {
	if !whole {
		return c.masked(ctx, v, id)
	}
	row, err := v.GetPerson(ctx, id)
	if err != nil {
		return "", "", fmt.Errorf("load a person: %w", err)
	}
	name, err = v.Open(workorder.SealName, row.Name)
	if err != nil {
		return "", "", err
	}
	phone, err = v.Open(workorder.SealPhone, row.Phone)
	return name, phone, err
}

// careStaff are the doctors and nurses of some units, as a field offers them.
func (c *Console) careStaff(ctx context.Context, v *visit, units ...string) ([]db.CareStaffRow, error) {
	rows, err := v.CareStaff(ctx, units)
	if err != nil {
		return nil, fmt.Errorf("list the staff of a clinic: %w", err)
	}
	return rows, nil
}

// staffField offers the staff of the bed's clinic, of one calling or of both.
func (c *Console) staffField(ctx context.Context, v *visit, on *bedside, name string, now int64, roles ...people.Role) (field, error) {
	f := field{Name: name, Kind: "pick", Label: "care_" + name, Required: true, Value: idText(now)}
	k, err := v.GetClinic(ctx, on.bed.Clinic)
	if err != nil {
		return f, fmt.Errorf("load a clinic: %w", err)
	}
	rows, err := c.careStaff(ctx, v, k.Code)
	if err != nil {
		return f, err
	}
	for _, r := range rows {
		known := slices.ContainsFunc(f.Options, func(o choice) bool { return o.Value == idText(r.ID) })
		if !known && slices.Contains(roles, people.Role(r.Role)) {
			f.Options = append(f.Options, choice{idText(r.ID), r.Name + " " + c.text("care.desk.role."+r.Role)})
		}
	}
	return f, nil
}

// idText is an id in a form, "" for none.
func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// codes is a field that offers codes with their words.
func (c *Console) codes(name, texts string, codes []string, now string) field {
	f := field{Name: name, Kind: "pick", Label: "care_" + name, Required: true, Value: now}
	for _, code := range codes {
		f.Options = append(f.Options, choice{code, c.text(texts + "." + code)})
	}
	return f
}

// tick is a box of its own; ticked says what it holds.
func tick(name string, ticked bool) field {
	f := field{Name: name, Kind: "tick", Label: "care_" + name}
	if ticked {
		f.Value = "1"
	}
	return f
}

// line and day are fields of one line and of a date.
func lineField(name, now string, required bool) field {
	return field{Name: name, Kind: "line", Label: "care_" + name, Value: now, Required: required}
}

func dayField(name string, d scheduler.Date, required bool) field {
	f := field{Name: name, Kind: "day", Label: "care_" + name, Required: required}
	if d != (scheduler.Date{}) {
		f.Value = d.String()
	}
	return f
}

// day reads a date of a form; the zero date for an empty field.
func (v *visit) day(name string) (scheduler.Date, error) {
	s := v.form(name)
	if s == "" {
		return scheduler.Date{}, nil
	}
	d, err := scheduler.ParseDate(s)
	if err != nil {
		return d, &badForm{"care.desk.problem.day"}
	}
	return d, nil
}

// few reads a small number of a form, 0 for an empty field.
func (v *visit) few(name string) (int, error) {
	s := v.form(name)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, &badForm{"care.desk.problem.number"}
	}
	return n, nil
}

// today is the day where the people are.
func (c *Console) today(v *visit) scheduler.Date {
	return scheduler.DateOf(v.Now.In(c.Orders.Work.Location()))
}

// dayText names a day as texts do.
func (c *Console) dayText(v *visit, d scheduler.Date) (string, error) {
	if d == (scheduler.Date{}) {
		return "", nil
	}
	return c.Care.Day(v.Turn, d)
}

// careMoment is one event of a bed, an application or a visit.
type careMoment struct {
	At        time.Time
	What, Who string
	Reason    string
}

// careTrail is what happened to a subject, the newest first.
func (c *Console) careTrail(ctx context.Context, v *visit, subject string) ([]careMoment, error) {
	rows, err := v.TrailOf(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("read the trail of %s: %w", subject, err)
	}
	actors := make([]string, len(rows))
	for i, r := range rows {
		actors[i] = r.Actor
	}
	names, err := c.actorNames(ctx, v, actors)
	if err != nil {
		return nil, err
	}
	var list []careMoment
	for _, r := range slices.Backward(rows) {
		kind, what, _ := strings.Cut(r.Kind, ".")
		if kind == "look" {
			what = kind
		}
		var data struct{ Reason string }
		if err := json.Unmarshal(r.Data, &data); err != nil {
			return nil, fmt.Errorf("read an event of the trail: %w", err)
		}
		list = append(list, careMoment{At: r.At, What: what, Who: names(r.Actor), Reason: c.careReason(data.Reason)})
	}
	return list, nil
}

// careReason is a reason in words, in whatever list it stands.
func (c *Console) careReason(code string) string {
	if code == "" {
		return ""
	}
	for _, list := range []string{"care.reason.return.", "care.reason.reject.", "care.reason.suspend.", "care.reason.fail.", "care.reason.cancel.", "care.desk.reason."} {
		if say := c.textOr(list+code, ""); say != "" {
			return say
		}
	}
	return ""
}
