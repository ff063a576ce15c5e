package main

import (
	"encoding/json"
	"fmt"
	"os"

	"shaoying/internal/app"
	"shaoying/internal/city"
	"shaoying/internal/people"
)

type importCmd struct {
	Kind  string   `arg:"" enum:"divisions,places,staff,calendar,clinics" help:"divisions, places, staff, calendar or clinics."`
	Files []string `arg:"" type:"existingfile" help:"CSV files (UTF-8); divisions may take several."`
	JSON  bool     `name:"json" help:"Print the report as JSON."`
}

// Run imports all of the files or nothing; every bad row is listed.
func (c *importCmd) Run(e *env) error {
	files := make([]people.File, len(c.Files))
	for i, name := range c.Files {
		body, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read the file to import: %w", err)
		}
		files[i] = people.File{Name: name, Body: body}
	}
	return e.house(func(h *app.House) error {
		importer := &city.Importer{DB: h.DB, Rights: h.Rights}
		report, err := importer.Import(e.ctx, city.Kind(c.Kind), files...)
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(report)
		}
		fmt.Printf("%s: %d read, %d new or changed\n", report.Kind, report.Read, report.Changed)
		return nil
	})
}
