package main

import (
	"fmt"
	"runtime"
)

// version is set by the linker (Makefile).
var version = "unknown"

type versionCmd struct{}

// Run prints what was built.
func (c *versionCmd) Run() error {
	fmt.Printf("shaoying %s (%s)\n", version, runtime.Version())
	return nil
}
