package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"shaoying/internal/app"
)

type replayCmd struct {
	ID  int64 `arg:"" optional:"" help:"Run this dead letter again."`
	All bool  `help:"Run all dead letters again."`
}

// Run lists dead letters, or puts them back to be run.
func (c *replayCmd) Run(e *env) error {
	return e.house(func(h *app.House) error {
		if c.ID == 0 && !c.All {
			return c.list(e, h)
		}
		n, err := h.DB.ReplayDead(e.ctx, c.ID)
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if n == 0 && c.ID != 0 {
			return fmt.Errorf("there is no dead letter %d: `shaoying replay` lists them", c.ID)
		}
		fmt.Printf("%d to be run again by the next running gateway\n", n)
		return nil
	})
}

func (c *replayCmd) list(e *env, h *app.House) error {
	rows, err := h.DB.DeadLetters(e.ctx, 200)
	if err != nil {
		return fmt.Errorf("list dead letters: %w", err)
	}
	if len(rows) == 0 {
		fmt.Println("no dead letters")
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tCHANNEL\tKIND\tRECEIVED\tTRIES\tERROR")
	for _, r := range rows {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%s\n", r.ID, r.Channel, r.Kind, r.ReceivedAt.Format("2006-01-02 15:04"), r.Tries, r.Error)
	}
	return w.Flush()
}
