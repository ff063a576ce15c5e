package main

import (
	"os"

	"shaoying/internal/app"
)

type agentCmd struct{}

// Run holds the account that the parent process names on standard input.
func (c *agentCmd) Run(e *env) error { return app.Agent(e.ctx, os.Stdin, os.Stdout, e.log) }
