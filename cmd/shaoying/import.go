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
	Kind  string   `arg:"" enum:"divisions,places,staff,calendar,clinics,beds,plans" help:"divisions, places, staff, calendar, clinics, beds or plans."`
	Files []string `arg:"" type:"existingfile" help:"CSV files (UTF-8); divisions may take several."`
	By    string   `help:"Short name of the member of the staff who answers for beds and plans."`
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
		report, err := c.do(e, h, files)
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

func (c *importCmd) do(e *env, h *app.House, files []people.File) (city.Report, error) {
	switch kind := city.Kind(c.Kind); kind {
	case app.ImportBeds, app.ImportPlans:
		if len(files) != 1 || c.By == "" {
			return city.Report{}, fmt.Errorf("import %s: one file, and --by with who answers for it", kind)
		}
		return h.ImportCare(e.ctx, kind, c.By, files[0])
	default:
		importer := &city.Importer{DB: h.DB, Rights: h.Rights}
		return importer.Import(e.ctx, kind, files...)
	}
}
