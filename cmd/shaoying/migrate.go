package main

import (
	"fmt"

	"shaoying/internal/app"
)

type migrateCmd struct{}

// Run migrates; opening the house is all that it takes.
func (c *migrateCmd) Run(e *env) error {
	return e.house(func(*app.House) error {
		fmt.Println("the database is up to date")
		return nil
	})
}
