package main

import (
	"encoding/json"
	"fmt"
	"os"

	"shaoying/internal/app"
)

type channelsCmd struct {
	Check channelsCheckCmd `cmd:"" help:"Ask every network how its configured account stands, and say what is wrong."`
}

type channelsCheckCmd struct {
	JSON bool `name:"json" help:"For programs: a list with id, kind, ok, wrong and notes."`
}

// Run fails when something has to be done about an account.
func (c *channelsCheckCmd) Run(e *env) error {
	return e.house(func(h *app.House) error {
		reports := h.CheckChannels(e.ctx)
		if c.JSON {
			out := json.NewEncoder(os.Stdout)
			out.SetIndent("", "  ")
			if err := out.Encode(reports); err != nil {
				return fmt.Errorf("print the reports: %w", err)
			}
		}
		wrong := 0
		for _, r := range reports {
			if !r.OK {
				wrong++
			}
			if !c.JSON {
				printReport(r)
			}
		}
		if wrong > 0 {
			return fmt.Errorf("%d of %d channels need something done", wrong, len(reports))
		}
		return nil
	})
}

func printReport(r app.ChannelReport) {
	state := "ok"
	if !r.OK {
		state = "WRONG"
	}
	fmt.Printf("%s (%s): %s\n", r.ID, r.Kind, state)
	for _, line := range r.Wrong {
		fmt.Printf("  ! %s\n", line)
	}
	for _, line := range r.Notes {
		fmt.Printf("  - %s\n", line)
	}
}
