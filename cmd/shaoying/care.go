package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"shaoying/internal/app"
	"shaoying/internal/homecare"
	"shaoying/internal/postgres"
)

type careCmd struct {
	Pause  carePauseCmd  `cmd:"" help:"Make a programme stand still: what comes due waits."`
	Resume careResumeCmd `cmd:"" help:"Let a programme go on; what is too late by then is not sent."`
	Due    careDueCmd    `cmd:"" help:"Show what will be sent to whom."`
	DryRun careDryRunCmd `cmd:"" name:"dry-run" help:"Show what a changed policy or programme would change."`
}

// careProgramme is a programme by its code, or all.
type careProgramme struct {
	Programme string `arg:"" help:"family_bed, free_clinic … or all."`
}

func (c careProgramme) code() string {
	if c.Programme == "all" {
		return homecare.AllProgrammes
	}
	return c.Programme
}

// careTx runs f in a transaction of its own.
func careTx(e *env, f func(ctx context.Context, h *app.House, tx *postgres.Tx) error) error {
	return e.house(func(h *app.House) error {
		return h.DB.InTx(e.ctx, func(ctx context.Context, tx *postgres.Tx) error { return f(ctx, h, tx) })
	})
}

type carePauseCmd struct {
	careProgramme
	Reason string `help:"Why, for whoever finds it paused."`
}

// Run pauses and says whether that changed anything.
func (c *carePauseCmd) Run(e *env) error {
	return careTx(e, func(ctx context.Context, h *app.House, tx *postgres.Tx) error {
		done, err := h.Care.Pause(ctx, tx, 0, c.code(), c.Reason)
		if err != nil {
			return err
		}
		if !done {
			fmt.Println(c.Programme + " stood still already")
			return nil
		}
		fmt.Println(c.Programme + " stands still; calls for help go on")
		return nil
	})
}

type careResumeCmd struct{ careProgramme }

// Run resumes and counts what had waited.
func (c *careResumeCmd) Run(e *env) error {
	return careTx(e, func(ctx context.Context, h *app.House, tx *postgres.Tx) error {
		r, err := h.Care.Resume(ctx, tx, 0, c.code())
		if err != nil {
			return err
		}
		if !r.Done {
			fmt.Println(c.Programme + " did not stand still")
			return nil
		}
		fmt.Printf("%s goes on: %d go out, %d were too late\n", c.Programme, r.Due, r.Expired)
		return nil
	})
}

type careDueCmd struct {
	Days   int   `default:"7" help:"How many days, today included."`
	Person int64 `help:"Only what goes to this person."`
	Bed    int64 `help:"Only what is said around this bed."`
	JSON   bool  `name:"json" help:"Print as JSON."`
}

// Run prints one line for each thing that is due; it names nobody.
func (c *careDueCmd) Run(e *env) error {
	return careTx(e, func(ctx context.Context, h *app.House, tx *postgres.Tx) error {
		now, err := tx.ProductNow(ctx)
		if err != nil {
			return fmt.Errorf("read the clock: %w", err)
		}
		of := homecare.LedgerOf{Person: c.Person, Bed: c.Bed, Everywhere: true}
		of.From, of.To = h.Care.Days(now, c.Days)
		l, err := h.Care.Preview(ctx, tx, of)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(l)
		}
		for _, d := range l.Entries {
			to := string(d.Role)
			if d.Person != 0 {
				to = fmt.Sprintf("%s (person %d)", to, d.Person)
			}
			fmt.Printf("%s\t%s.%s\t%s\t%s\t%s\n", d.At.In(h.Location).Format("2006-01-02 15:04"), d.Programme, d.Rung, d.Subject, to, d.Reason)
		}
		if l.More {
			fmt.Fprintln(os.Stderr, "there is more: ask for fewer days")
		}
		return nil
	})
}

type careDryRunCmd struct {
	File string `arg:"" type:"existingfile" help:"A changed policies/care.yaml or programme."`
	JSON bool   `name:"json" help:"Print as JSON."`
}

// Run prints what would be cleared (-) and planned (+); nothing is changed.
func (c *careDryRunCmd) Run(e *env) error {
	body, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read the changed file: %w", err)
	}
	return careTx(e, func(ctx context.Context, h *app.House, tx *postgres.Tx) error {
		rules, err := h.Care.RulesWith(c.File, body)
		if err != nil {
			return err
		}
		d, err := h.Care.DryRun(ctx, tx, rules)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(d)
		}
		list := func(sign string, all []homecare.Change) {
			for _, x := range all {
				fmt.Printf("%s %s\t%s\t%s\n", sign, x.At.In(h.Location).Format("2006-01-02 15:04"), x.Rung, x.Subject)
			}
		}
		list("-", d.Clear)
		list("+", d.Add)
		fmt.Printf("%d would be cleared, %d planned\n", len(d.Clear), len(d.Add))
		return nil
	})
}
