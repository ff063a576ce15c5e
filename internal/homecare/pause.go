package homecare

import (
	"context"
	"errors"
	"fmt"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/scheduler"
)

// AllProgrammes stands for every programme where one is paused or resumed.
const AllProgrammes = ""

// WhyPaused is why a row of a paused programme waits, or was too late afterwards.
const WhyPaused = "paused"

// ErrNoProgramme is returned for a programme that there is none of.
var ErrNoProgramme = errors.New("no programme is called so")

// Pause is a programme that stands still, or all of them (AllProgrammes).
type Pause struct {
	Programme string
	At        time.Time
	// By is the member of the staff who paused it, 0 for the command line.
	By     int64
	Reason string
}

// Pauses lists what stands still.
func (s *Service) Pauses(ctx context.Context, tx *postgres.Tx) ([]Pause, error) {
	rows, err := tx.PausesOfCare(ctx)
	if err != nil {
		return nil, fmt.Errorf("look which programmes stand still: %w", err)
	}
	out := make([]Pause, len(rows))
	for i, r := range rows {
		out[i] = Pause{Programme: r.Programme, At: r.At, Reason: r.Reason}
		if r.ByStaff != nil {
			out[i].By = *r.ByStaff
		}
	}
	return out, nil
}

// Paused reports whether a programme, or everything, stands still.
func (s *Service) Paused(ctx context.Context, t *gateway.Turn, programme string) (bool, error) {
	all, err := s.Pauses(ctx, t.Tx)
	for _, p := range all {
		if p.Programme == AllProgrammes || p.Programme == programme {
			return true, err
		}
	}
	return false, err
}

// Held reports whether a row waits because its programme stands still. A visitor's
// call for help and a wrong door code wait for nobody's switch.
func (s *Service) Held(ctx context.Context, t *gateway.Turn, programme string, class scheduler.Class) (bool, error) {
	if class == scheduler.Emergency {
		return false, nil
	}
	return s.Paused(ctx, t, programme)
}

// Pause makes a programme, or all, stand still: planning and deciding go on, what
// comes due waits. staff is who does it, 0 for the command line. done is false when
// it stood still before. An unknown programme is ErrNoProgramme.
func (s *Service) Pause(ctx context.Context, tx *postgres.Tx, staff int64, programme, reason string) (done bool, err error) {
	if err := s.known(programme); err != nil {
		return false, err
	}
	n, err := tx.PauseCare(ctx, programme, ref(staff), reason)
	if err != nil {
		return false, fmt.Errorf("pause %q: %w", programme, err)
	}
	if n == 0 {
		return false, nil
	}
	return true, s.recordPause(ctx, tx, "programme.paused", staff, programme, map[string]any{"reason": reason})
}

// Released is what a resume did with what had waited.
type Released struct {
	// Done is false when the programme did not stand still.
	Done bool
	// Due rows go out from now on, Expired ones were too late.
	Due, Expired int
}

// Resume lets a programme, or all, go on. What came due meanwhile is judged by its
// own end: what has lost its meaning ends as expired with the reason "paused", the
// rest goes out over the minutes of the policy of quiet hours, soonest visit first.
// What another pause still holds goes back to sleep by itself.
func (s *Service) Resume(ctx context.Context, tx *postgres.Tx, staff int64, programme string) (r Released, err error) {
	if err := s.known(programme); err != nil {
		return r, err
	}
	n, err := tx.ResumeCare(ctx, programme)
	if err != nil {
		return r, fmt.Errorf("resume %q: %w", programme, err)
	}
	if n == 0 {
		return r, nil
	}
	r.Done = true
	now, err := tx.ProductNow(ctx)
	if err != nil {
		return r, fmt.Errorf("read the clock: %w", err)
	}
	if r.Due, r.Expired, err = s.release(ctx, tx, programme, now); err != nil {
		return r, err
	}
	return r, s.recordPause(ctx, tx, "programme.resumed", staff, programme, map[string]any{"due": r.Due, "expired": r.Expired})
}

func (s *Service) release(ctx context.Context, tx *postgres.Tx, programme string, now time.Time) (due, expired int, err error) {
	rows, err := tx.PausedDues(ctx, append(Kinds(), DueNews), programme)
	if err != nil {
		return 0, 0, fmt.Errorf("read what waited: %w", err)
	}
	var late, ids []int64
	for _, row := range rows {
		if row.NotAfter != nil && now.After(*row.NotAfter) {
			late = append(late, row.ID)
		} else {
			ids = append(ids, row.ID)
		}
	}
	at := make([]time.Time, len(ids))
	for i := range ids {
		at[i] = s.Quiet.Spread(now, len(ids), i)
	}
	if err := tx.ExpireDues(ctx, WhyPaused, late); err != nil {
		return 0, 0, fmt.Errorf("end what was too late: %w", err)
	}
	if err := tx.ReleaseDues(ctx, ids, at); err != nil {
		return 0, 0, fmt.Errorf("let go what waited: %w", err)
	}
	return len(ids), len(late), nil
}

func (s *Service) known(programme string) error {
	if programme == AllProgrammes {
		return nil
	}
	if _, ok := s.Rules.Programme(programme); !ok {
		return fmt.Errorf("%w: %q", ErrNoProgramme, programme)
	}
	return nil
}

func (s *Service) recordPause(ctx context.Context, tx *postgres.Tx, kind string, staff int64, programme string, data map[string]any) error {
	actor, subject := "system", "programme:all"
	if staff != 0 {
		actor = postgres.Subject("staff", staff)
	}
	if programme != AllProgrammes {
		subject = "programme:" + programme
	}
	return gateway.Record(ctx, tx, s.Orders.Keys, actor, kind, subject, data, "")
}

func ref(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
