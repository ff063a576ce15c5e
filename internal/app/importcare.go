package app

import (
	"context"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/city"
	"shaoying/internal/gateway"
	"shaoying/internal/people"
)

// The imports of family beds: they give commands, so they run as a turn.
const (
	ImportBeds  city.Kind = "beds"
	ImportPlans city.Kind = "plans"
)

// ImportCare imports beds that are open already, or orders of visits. by is the
// short name of who answers for the file. All of it is written or nothing; a running
// server plans and reminds by it at once.
func (h *House) ImportCare(ctx context.Context, kind city.Kind, by string, f people.File) (r city.Report, err error) {
	g, err := gateway.New(gateway.Config{}, gateway.Deps{
		DB: h.DB, Bus: h.Bus, Clock: h.Clock, Keys: h.Keys, Library: h.Library, Words: h.Words, Safety: h.Safety, Quiet: h.Quiet,
		Channels: map[bots.ChannelID]bots.Adapter{}, Actions: map[string]gateway.Action{}, Log: h.Log,
	})
	if err != nil {
		return r, err
	}
	err = g.Desk(ctx, 0, 0, func(ctx context.Context, t *gateway.Turn) error {
		r = city.Report{Kind: kind}
		staff, err := h.Care.AnswersFor(ctx, t.Tx, by)
		if err != nil {
			return err
		}
		t.Staff = staff
		var changed int
		if kind == ImportBeds {
			r.Read, changed, err = h.Care.ImportBeds(ctx, t, staff, h.numbers(), f)
		} else {
			r.Read, changed, err = h.Care.ImportPlans(ctx, t, staff, f)
		}
		r.Changed = int64(changed)
		return err
	})
	if err != nil {
		return city.Report{}, fmt.Errorf("import %s: %w", kind, err)
	}
	return r, nil
}

// numbers is the first account whose ids are telephone numbers, "" for none.
func (h *House) numbers() bots.ChannelID {
	for _, c := range h.Process.Channels {
		switch c.Kind {
		case "kannel", "smpp", "aliyun", "tencent", "twilio":
			return bots.ChannelID(c.ID)
		}
	}
	return ""
}
