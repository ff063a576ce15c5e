package app

import (
	"context"
	"fmt"
	"time"

	"shaoying/configs"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// calendarFile is the embedded working calendar of the years that are known.
const calendarFile = "calendars/cn.csv"

// calendarDays reads the days of the table; an empty table is filled from the
// embedded file first.
func (h *House) calendarDays(ctx context.Context) ([]scheduler.Day, error) {
	days, err := h.storedDays(ctx)
	if err != nil || len(days) > 0 {
		return days, err
	}
	body, err := configs.Read(calendarFile)
	if err != nil {
		return nil, fmt.Errorf("read embedded %s: %w", calendarFile, err)
	}
	if days, err = scheduler.ParseCalendarCSV(calendarFile, body); err != nil {
		return nil, fmt.Errorf("embedded working calendar: %w", err)
	}
	return days, PutCalendar(ctx, h.DB.Queries, days)
}

func (h *House) storedDays(ctx context.Context) ([]scheduler.Day, error) {
	rows, err := h.DB.CalendarDays(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the working calendar: %w", err)
	}
	days := make([]scheduler.Day, len(rows))
	for i, r := range rows {
		days[i] = scheduler.Day{Date: scheduler.DateOf(r.Day), Kind: scheduler.DayKind(r.Kind), Name: r.Name, Source: r.Source}
	}
	return days, nil
}

// PutCalendar writes days over those of the same dates.
func PutCalendar(ctx context.Context, q *db.Queries, days []scheduler.Day) error {
	var p db.PutCalendarDaysParams
	for _, d := range days {
		p.Days = append(p.Days, d.Date.At(0, time.UTC))
		p.Kinds = append(p.Kinds, string(d.Kind))
		p.Names = append(p.Names, d.Name)
		p.Sources = append(p.Sources, d.Source)
	}
	if err := q.PutCalendarDays(ctx, p); err != nil {
		return fmt.Errorf("write the working calendar: %w", err)
	}
	return nil
}
