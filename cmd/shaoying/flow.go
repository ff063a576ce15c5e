package main

import (
	"fmt"
	"os"

	"shaoying/internal/app"
)

type flowCmd struct {
	Check flowCheckCmd `cmd:"" help:"Look for dead ends, missing texts, unknown actions and steps that are never reached."`
	Test  flowTestCmd  `cmd:"" help:"Play the transcripts of the dialogues."`
}

// flowDir is where a clerk keeps dialogues: flows/*.yaml, flows/*.transcript
// and texts/*.yaml below it. Without it the embedded ones are meant.
type flowDir struct {
	Dir string `arg:"" optional:"" type:"existingdir" help:"Folder with flows/ and texts/; default: the ones in this program."`
}

type flowCheckCmd struct{ flowDir }

// Run prints every problem with its file and line.
func (c *flowCheckCmd) Run() error {
	problems, n, err := app.CheckFlows(app.FlowFiles(c.Dir))
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(os.Stderr, p)
	}
	if len(problems) > 0 {
		return fmt.Errorf("%d problems in %d dialogues", len(problems), n)
	}
	fmt.Printf("%d dialogues, no problems\n", n)
	return nil
}

type flowTestCmd struct{ flowDir }

// Run plays every transcript.
func (c *flowTestCmd) Run() error {
	passed, failed, err := app.TestFlows(app.FlowFiles(c.Dir))
	if err != nil {
		return err
	}
	for _, f := range failed {
		fmt.Fprintln(os.Stderr, f)
	}
	fmt.Printf("%d passed, %d failed\n", passed, len(failed))
	if len(failed) > 0 {
		return fmt.Errorf("%d transcripts failed", len(failed))
	}
	return nil
}
