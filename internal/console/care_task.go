package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres/db"
)

// Tasks that the ladders of family beds and other programmes lay: mostly a telephone
// call, with what may come of it. Chat offers the same.

// careTaskPage is one of them.
type careTaskPage struct {
	ID      int64
	Kind    string
	Due     careDue
	About   careLink
	Words   string // of the family, "" for none
	Looked  bool
	Home    string
	Numbers []homecare.Contact
	MayLook bool
	Fields  []field
	Action  string
}

// careLink leads to what a task is about.
type careLink struct{ Title, To string }

// holdTask loads an open task of a ladder for who may do it.
func (c *Console) holdTask(ctx context.Context, v *visit, id int64) (*homecare.Task, error) {
	k, err := c.Care.HoldTask(ctx, v.Turn, v.staff, id)
	if errors.Is(err, homecare.ErrNotYours) {
		return nil, errNotHere
	}
	if err != nil {
		return nil, err
	}
	if k.Row.State != "open" {
		return nil, errNotHere
	}
	return k, nil
}

func (c *Console) showCareTask(ctx context.Context, v *visit, id int64) (answer, error) {
	k, err := c.holdTask(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	p, err := c.careTaskPage(ctx, v, k)
	return answer{page: "care_task", data: p}, err
}

func (c *Console) careTaskPage(ctx context.Context, v *visit, k *homecare.Task) (*careTaskPage, error) {
	p := &careTaskPage{
		ID: k.Row.ID, Kind: k.Row.Kind, Words: k.Words, Action: fmt.Sprintf("/desk/task/%d", k.Row.ID), MayLook: k.MayRing(),
	}
	if k.Row.DueAt != nil {
		p.Due = careDue{*k.Row.DueAt, v.Now.After(*k.Row.DueAt)}
	}
	var err error
	if p.About, err = c.careSubject(ctx, v, k.Row.Subject); err != nil {
		return nil, err
	}
	if k.By.As == "" {
		p.About.To = "" // who only talks does not read the bed
	}
	p.Fields, err = c.askOutcome(ctx, v, k)
	return p, err
}

// careSubject names what a task is about, with the way to its page.
func (c *Console) careSubject(ctx context.Context, v *visit, subject string) (careLink, error) {
	kind, rest, _ := strings.Cut(subject, ":")
	id, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return careLink{}, fmt.Errorf("read the subject of a task: %w", err)
	}
	switch kind {
	case "application":
		return careLink{c.text("care.desk.wish_number", "n", rest), fmt.Sprintf("/desk/care/application/%d", id)}, nil
	case "bed":
		b, err := c.Care.LoadBed(ctx, v.Turn, id)
		if err != nil {
			return careLink{}, err
		}
		return careLink{c.text("care.desk.bed_number", "number", b.Number), bedPath(id)}, nil
	case "visit":
		b, one, err := c.Care.LoadVisit(ctx, v.Turn, id)
		if err != nil {
			return careLink{}, err
		}
		day, err := c.dayText(v, one.Date)
		if err != nil {
			return careLink{}, err
		}
		title := c.text("care.desk.bed_number", "number", b.Number) + " " + day + " " + homecare.Window(one.Window) + " " + c.text("care.kind."+one.Kind)
		return careLink{title, visitPath(id)}, nil
	}
	return careLink{}, nil
}

// askOutcome asks what came of the task.
func (c *Console) askOutcome(ctx context.Context, v *visit, k *homecare.Task) ([]field, error) {
	var codes []string
	for _, o := range k.Outcomes {
		codes = append(codes, string(o))
	}
	list := []field{c.codes("outcome_of", "care.outcome", codes, "")}
	if slices.Contains(k.Outcomes, homecare.OutMove) {
		f, err := c.offersField(ctx, v, k.Rung.Visit.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	if slices.Contains(k.Outcomes, homecare.OutOff) {
		why := c.codes("reason", "care.reason.cancel", c.Care.Rules.Policy().Reasons.Cancel, "")
		why.Label, why.Required = "care_reason_off", false
		list = append(list, why)
	}
	return append(list, field{Name: "words", Kind: "words", Label: "care_said"}), nil
}

// doCareTask writes down what came of the task. What nobody answered stays.
func (c *Console) doCareTask(ctx context.Context, v *visit, id int64) (answer, error) {
	k, err := c.holdTask(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	d := homecare.TaskDone{Outcome: homecare.Outcome(v.form("outcome_of")), Reason: v.form("reason"), Words: v.form("words")}
	if d.Outcome == "" {
		return answer{}, errForm
	}
	if d.Outcome == homecare.OutMove {
		if d.To, err = offerOf(v.form("to")); err != nil {
			return answer{}, err
		}
	}
	if err := c.Care.DoTask(ctx, v.Turn, k, d); err != nil {
		return answer{}, err
	}
	if d.Outcome == homecare.OutNoAnswer || d.Outcome == homecare.OutOpen {
		return answer{to: fmt.Sprintf("/desk/task/%d", id)}, nil
	}
	return answer{to: "/desk"}, nil
}

// lookAtTask shows where the family lives and how it is reached; the look is kept.
func (c *Console) lookAtTask(ctx context.Context, v *visit) (answer, error) {
	id, err := v.id("id")
	if err != nil {
		return answer{}, err
	}
	if c.Care == nil {
		return answer{}, errNotHere
	}
	k, err := c.holdTask(ctx, v, id)
	if err != nil {
		return answer{}, err
	}
	p, err := c.careTaskPage(ctx, v, k)
	if err != nil {
		return answer{}, err
	}
	if !p.MayLook {
		return answer{}, errNotHere
	}
	p.Looked = true
	switch {
	case k.Rung.Bed != nil:
		h, err := c.Care.HouseholdOf(ctx, v.Turn, k.Rung.Bed)
		if err != nil {
			return answer{}, err
		}
		p.Home, p.Numbers = h.Home, h.Contacts
	case k.Rung.Application != nil:
		if err := c.addNumber(ctx, v, p, "care.desk.applicant", k.Rung.Application.Applicant, k.Rung.Subject); err != nil {
			return answer{}, err
		}
	case k.Rung.Occasion != nil && k.Rung.Occasion.Person != 0:
		if err := c.addNumber(ctx, v, p, "care.desk.whom.member", k.Rung.Occasion.Person, k.Rung.Subject); err != nil {
			return answer{}, err
		}
	}
	return answer{page: "care_task", data: p}, nil
}

func (c *Console) addNumber(ctx context.Context, v *visit, p *careTaskPage, who string, person int64, subject string) error {
	phone, err := c.Care.PhoneOf(ctx, v.Turn, person, subject)
	if phone != "" {
		p.Numbers = append(p.Numbers, homecare.Contact{Relation: c.text(who), Phone: phone})
	}
	return err
}

// careTaskLine is a task of a ladder in a list, nil for whom it does not lie before.
func (c *Console) careTaskLine(ctx context.Context, v *visit, row db.Task, due time.Time) (*line, error) {
	if c.Care == nil || row.State != "open" || !c.Care.HoldsTask(v.staff, row) {
		return nil, nil
	}
	about, err := c.careSubject(ctx, v, row.Subject)
	if err != nil {
		return nil, err
	}
	return &line{
		To: fmt.Sprintf("/desk/task/%d", row.ID), Kind: row.Kind, Title: about.Title, At: due, Overdue: row.DueAt != nil && v.Now.After(*row.DueAt),
	}, nil
}

// offersField offers the windows that are free for a visit now.
func (c *Console) offersField(ctx context.Context, v *visit, id int64) (field, error) {
	f := field{Name: "to", Kind: "pick", Label: "care_to_window"}
	offers, err := c.Care.Offers(ctx, v.Turn, id)
	if err != nil {
		return f, err
	}
	for _, o := range offers {
		day, err := c.dayText(v, o.Date)
		if err != nil {
			return f, err
		}
		f.Options = append(f.Options, choice{o.String(), day + " " + homecare.Window(o.Window)})
	}
	if len(offers) == 0 {
		f.Label = "care_no_window"
	}
	return f, nil
}

// offerOf reads what offersField offered.
func offerOf(said string) (care.Offer, error) {
	to, err := care.ParseOffer(said)
	if err != nil {
		return to, &badForm{"care.desk.problem.window"}
	}
	return to, nil
}
