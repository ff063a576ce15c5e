package console

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/homecare"
	"shaoying/internal/people"
)

// Programmes that stand still, each or all: whoever may pause sees them all, because
// what is paused is paused for the whole city.

// pausePage lists the programmes.
type pausePage struct {
	All   pauseLine
	Lines []pauseLine
}

type pauseLine struct {
	Code, Title string
	Paused      bool
	At          time.Time
	Who, Reason string
}

func (c *Console) mayPause(v *visit) bool {
	return c.Care != nil && c.Orders.Rights.Anywhere(v.staff, people.MayPauseCare, v.Now)
}

func (c *Console) pauses(ctx context.Context, v *visit) (answer, error) {
	if !c.mayPause(v) {
		return answer{}, errNotHere
	}
	rows, err := c.Care.Pauses(ctx, v.Tx)
	if err != nil {
		return answer{}, err
	}
	still := map[string]pauseLine{}
	for _, r := range rows {
		names, err := c.staffNames(ctx, v, r.By)
		if err != nil {
			return answer{}, err
		}
		still[r.Programme] = pauseLine{Paused: true, At: r.At, Who: names[r.By], Reason: r.Reason}
	}
	one := func(code, title string) pauseLine {
		l := still[code]
		l.Code, l.Title = code, title
		return l
	}
	p := &pausePage{All: one(homecare.AllProgrammes, c.text("care.desk.all_programmes"))}
	for _, g := range c.Care.Rules.Programmes() {
		p.Lines = append(p.Lines, one(g.Code, g.Title))
	}
	return answer{page: "care_pause", data: p}, nil
}

// pause makes a programme, or all, stand still or go on.
func (c *Console) pause(ctx context.Context, v *visit) (answer, error) {
	if !c.mayPause(v) {
		return answer{}, errNotHere
	}
	programme := v.form("programme")
	var err error
	switch v.r.PathValue("deed") {
	case "pause":
		if v.form("reason") == "" {
			return answer{}, errForm
		}
		_, err = c.Care.Pause(ctx, v.Tx, v.staff.ID, programme, v.form("reason"))
	case "resume":
		_, err = c.Care.Resume(ctx, v.Tx, v.staff.ID, programme)
	default:
		return answer{}, errNotHere
	}
	if errors.Is(err, homecare.ErrNoProgramme) {
		return answer{}, errNotHere
	}
	if err != nil {
		return answer{}, fmt.Errorf("pause or resume: %w", err)
	}
	return answer{to: "/desk/care/pause"}, nil
}
