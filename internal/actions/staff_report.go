package actions

import (
	"context"
	"fmt"
	"strings"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/workorder"
)

// reportFor files for a resident who cannot write: 代报. Name and phone lie
// sealed in the ticket; it is a callback clerk who rings, never the worker who
// wrote it down.
func (s *Set) reportFor(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.staffFiles(ctx, t, args, people.MayFileTicket, false)
}

// finding files what a grid worker saw on patrol: 巡查. Another person checks it.
func (s *Set) finding(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	return s.staffFiles(ctx, t, args, people.MayFileFinding, true)
}

func (s *Set) staffFiles(ctx context.Context, t *gateway.Turn, args map[string]any, c people.StaffCommand, finding bool) (result, error) {
	who, failed, err := s.worker(ctx, t)
	if err != nil || failed != nil {
		return failed, err
	}
	f := s.filing(t, args)
	if !s.mayFile(who, c, t, f) {
		return fail("staff.may_not_here"), nil
	}
	f.Finding = finding
	f.By.Staff = who.ID
	f.Content.ReportedFor = ""
	if !finding {
		f.Content.ReportedFor = strings.TrimSpace(text(args, "name") + " " + text(args, "phone"))
	}
	o, err := s.Orders.File(ctx, t, f)
	if err != nil {
		return nil, fmt.Errorf("file for the staff: %w", err)
	}
	return s.told(t, o, 0)
}

// mayFile asks the rights where the matter lies. While the place is unknown any
// area of the speaker will do: the dispatcher decides where it belongs.
func (s *Set) mayFile(who people.Staff, c people.StaffCommand, t *gateway.Turn, f workorder.Filing) bool {
	place := f.Content.Place
	if place.Known() {
		return s.Orders.Rights.May(who, c, people.Subject{Division: place.Division, Grid: place.Grid}, t.Now)
	}
	for _, g := range who.Grants {
		on := people.Subject{Division: g.Area.Code}
		switch g.Area.Kind {
		case people.AreaGrid:
			on = people.Subject{Grid: g.Area.Code}
		case people.AreaUnit:
			on = people.Subject{Unit: g.Area.Code}
		}
		if s.Orders.Rights.May(who, c, on, t.Now) {
			return true
		}
	}
	return false
}
