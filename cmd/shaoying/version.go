package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Run prints the module version and the commit it was built from, if known.
func (c *versionCmd) Run() error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		fmt.Println("shaoying (no build information)")
		return nil
	}
	commit := "unknown commit"
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			commit = s.Value
		}
	}
	fmt.Printf("shaoying %s (%s, %s)\n", info.Main.Version, commit, info.GoVersion)
	return nil
}
