package city

import (
	"context"
	"fmt"
	"strings"
	"time"

	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// Kind says what files hold.
type Kind string

// The kinds of import.
const (
	KindDivisions Kind = "divisions" // people.ParseDivisions; several files, one per level
	KindPlaces    Kind = "places"    // people.ParsePlaces: grids and places
	KindStaff     Kind = "staff"     // people.ParseStaff
	KindCalendar  Kind = "calendar"  // scheduler.ParseCalendarCSV; scheduler.ParseHolidayCN for *.json
	KindClinics   Kind = "clinics"   // care.ParseClinics; each is a unit as well
)

// Report is what an import did.
type Report struct {
	Kind Kind `json:"kind"`
	// Read is how many divisions, grids and places, staff or days the files
	// hold.
	Read int `json:"read"`
	// Changed is how many rows are new or different now: 0 when the files had
	// been imported before.
	Changed int64 `json:"changed"`
}

// Importer imports files. It is safe for use by many goroutines.
type Importer struct {
	DB     *postgres.DB
	Rights people.Rights
}

// Import reads the files of a kind and writes them in one transaction. On any
// error nothing of them is written. Running processes find new places and staff
// at once; a new calendar counts from the next start.
func (i *Importer) Import(ctx context.Context, kind Kind, files ...people.File) (Report, error) {
	write := i.writer(kind)
	switch {
	case write == nil:
		return Report{}, fmt.Errorf("import %q is unknown: it can be %s, %s, %s, %s or %s", kind, KindDivisions, KindPlaces, KindStaff, KindCalendar, KindClinics)
	case len(files) == 0:
		return Report{}, fmt.Errorf("import %s: name the file to import", kind)
	case len(files) > 1 && kind != KindDivisions:
		return Report{}, fmt.Errorf("import %s: one file at a time", kind)
	}
	var r Report
	err := i.DB.InTx(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		r = Report{Kind: kind}
		if r.Read, r.Changed, err = write(ctx, tx.Queries, files); err != nil {
			return err
		}
		return tx.WakePlaces(ctx)
	})
	if err != nil {
		return Report{}, fmt.Errorf("import %s: %w", kind, err)
	}
	return r, nil
}

// writer parses files against the rows there are, and writes.
type writer func(ctx context.Context, q *db.Queries, files []people.File) (read int, changed int64, err error)

func (i *Importer) writer(kind Kind) writer {
	switch kind {
	case KindDivisions:
		return importDivisions
	case KindPlaces:
		return importPlaces
	case KindStaff:
		return i.importStaff
	case KindCalendar:
		return importCalendar
	case KindClinics:
		return importClinics
	}
	return nil
}

func importDivisions(ctx context.Context, q *db.Queries, files []people.File) (int, int64, error) {
	all, err := people.ParseDivisions(files...)
	if err != nil {
		return 0, 0, err
	}
	n, err := PutDivisions(ctx, q, all)
	return len(all), n, err
}

func importPlaces(ctx context.Context, q *db.Queries, files []people.File) (int, int64, error) {
	known, err := divisions(ctx, q)
	if err != nil {
		return 0, 0, err
	}
	laid, err := grids(ctx, q)
	if err != nil {
		return 0, 0, err
	}
	all, err := people.ParsePlaces(files[0], known, laid)
	if err != nil {
		return 0, 0, err
	}
	n, err := PutGrids(ctx, q, all.Grids)
	if err != nil {
		return 0, 0, err
	}
	m, err := PutPlaces(ctx, q, all.Places)
	return len(all.Grids) + len(all.Places), n + m, err
}

func (i *Importer) importStaff(ctx context.Context, q *db.Queries, files []people.File) (int, int64, error) {
	var areas people.Areas
	var err error
	if areas.Divisions, err = divisions(ctx, q); err != nil {
		return 0, 0, err
	}
	if areas.Grids, err = grids(ctx, q); err != nil {
		return 0, 0, err
	}
	if areas.Units, err = q.UnitCodes(ctx); err != nil {
		return 0, 0, fmt.Errorf("read the units: %w", err)
	}
	slugs, err := q.StaffSlugs(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read the staff: %w", err)
	}
	all, err := people.ParseStaff(files[0], i.Rights, areas, slugs)
	if err != nil {
		return 0, 0, err
	}
	n, err := PutStaff(ctx, q, all)
	return len(all), n, err
}

// importCalendar writes days over those of the same dates. The calendar as a
// whole, old days and new, must still be one that clocks can count by.
func importCalendar(ctx context.Context, q *db.Queries, files []people.File) (int, int64, error) {
	parse := scheduler.ParseCalendarCSV
	if strings.HasSuffix(strings.ToLower(files[0].Name), ".json") {
		parse = scheduler.ParseHolidayCN
	}
	days, err := parse(files[0].Name, files[0].Body)
	if err != nil {
		return 0, 0, fmt.Errorf("%s: %w", files[0].Name, err)
	}
	rows, err := q.CalendarDays(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("read the calendar: %w", err)
	}
	known := make(map[scheduler.Date]scheduler.Day, len(rows)+len(days))
	for _, r := range rows {
		d := scheduler.Day{Date: scheduler.DateOf(r.Day), Kind: scheduler.DayKind(r.Kind), Name: r.Name, Source: r.Source}
		known[d.Date] = d
	}
	var p db.PutCalendarDaysParams
	for _, d := range days {
		if known[d.Date] == d {
			continue
		}
		known[d.Date] = d
		p.Days = append(p.Days, d.Date.At(0, time.UTC))
		p.Kinds = append(p.Kinds, string(d.Kind))
		p.Names = append(p.Names, d.Name)
		p.Sources = append(p.Sources, d.Source)
	}
	union := make([]scheduler.Day, 0, len(known))
	for _, d := range known {
		union = append(union, d)
	}
	if _, err := scheduler.NewCalendar(union); err != nil {
		return 0, 0, fmt.Errorf("%s, with the days known before: %w", files[0].Name, err)
	}
	if err := q.PutCalendarDays(ctx, p); err != nil {
		return 0, 0, fmt.Errorf("write the calendar: %w", err)
	}
	return len(days), int64(len(p.Days)), nil
}
