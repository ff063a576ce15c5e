package main

import (
	"os"

	"shaoying/internal/app"
)

type serveCmd struct {
	Demo bool   `help:"Run the demo city: invented people, its own clock, loopback only."`
	Role string `help:"What this process does." enum:"all,gateway,sender,planner" default:"all"`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(e *env) error {
	e.app.Demo, e.app.Role = c.Demo, c.Role
	return e.house(func(h *app.House) error { return app.Serve(e.ctx, h, os.Stdout) })
}
