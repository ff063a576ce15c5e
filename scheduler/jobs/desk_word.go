package jobs

import (
	"context"
	"maps"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

// DeskWord says one thing about a ticket to one member of the staff, in
// private: what was decided on what they asked for, what a co-handler replied.
func DeskWord(d Deps) gateway.Kind {
	return gateway.Kind{
		Name: workorder.DueDeskWord, Workers: 4, Class: scheduler.Normal,
		Target: func(ctx context.Context, db *postgres.DB, due gateway.Due) (int64, error) {
			w, err := data[workorder.DeskWordDue](due)
			if err != nil {
				return 0, err
			}
			return toStaff(ctx, db, w.Staff)
		},
		Run: d.deskWord,
		// The card says what became of it as well.
		Lost: func(context.Context, *gateway.Turn, gateway.Due) (gateway.Outcome, error) {
			return gateway.Dropped(gateway.ErrNoAddress.Error()), nil
		},
	}
}

func (d Deps) deskWord(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	w, err := data[workorder.DeskWordDue](due)
	if err != nil {
		return gateway.Outcome{}, err
	}
	o, err := d.order(ctx, t, due, false)
	if err != nil {
		return gateway.Outcome{}, err
	}
	if !o.State.Open() {
		return gateway.Dropped("the ticket is " + string(o.State)), nil
	}
	if meant, err := d.Orders.Meant(ctx, t, o.ID, w.Staff); err != nil {
		return gateway.Outcome{}, err
	} else if meant {
		return gateway.Dropped("the ticket is about the reader"), nil
	}
	params := maps.Clone(w.Params)
	params["words"] = ""
	if w.Words != nil {
		words, err := t.Open(workorder.SealDeskWord, w.Words)
		if err != nil {
			return gateway.Outcome{}, err
		}
		if params["words"], err = d.Library.Text("desk.words", t.Lang, map[string]string{"words": words}); err != nil {
			return gateway.Outcome{}, err
		}
	}
	return gateway.Done, t.Tell(workorder.DueDeskWord, due.Subject, 0, w.Key, params)
}
