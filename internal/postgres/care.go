package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"shaoying/internal/care"
	"shaoying/internal/postgres/db"
	"shaoying/scheduler"
)

// SealedApplication is an application with what stays sealed in its row.
type SealedApplication struct {
	care.Application
	Conversation int64
	Words        []byte // what the family said
	Home         []byte // where the patient lives
}

// SealedBed is a bed, or somebody enrolled in another programme, with what stays
// sealed in its row.
type SealedBed struct {
	care.Bed
	Programme string
	Number    string
	Home      []byte
	Diagnosis []byte
	Closing   []byte // the diagnosis at the end
}

// CreateApplication writes a new application and sets its ID.
func (t *Tx) CreateApplication(ctx context.Context, s *SealedApplication) error {
	patient, answers, err := s.packed()
	if err != nil {
		return err
	}
	s.ID, err = t.InsertApplication(ctx, db.InsertApplicationParams{
		State: string(s.State), PersonID: s.Patient.Person, Patient: patient, ApplicantID: s.Applicant, AddressID: idOrNil(s.Address),
		ConversationID: idOrNil(s.Conversation), ClinicID: idOrNil(s.Clinic), EnteredBy: idOrNil(s.EnteredBy), Answers: answers,
		JustDischarged: s.JustDischarged, Reason: s.Reason, DueAt: at(s.Due), StateAt: s.StateAt, FiledAt: s.FiledAt,
		AssessedBy: idOrNil(s.AssessedBy), Version: int32(s.Version), Words: s.Words, Home: s.Home,
	})
	if err != nil {
		return fmt.Errorf("insert an application: %w", err)
	}
	return nil
}

// SaveApplication writes an application that Rules.Application moved on by one
// version.
func (t *Tx) SaveApplication(ctx context.Context, s *SealedApplication) error {
	patient, answers, err := s.packed()
	if err != nil {
		return err
	}
	n, err := t.UpdateApplication(ctx, db.UpdateApplicationParams{
		ID: s.ID, State: string(s.State), Patient: patient, ClinicID: idOrNil(s.Clinic), Answers: answers, JustDischarged: s.JustDischarged,
		Reason: s.Reason, DueAt: at(s.Due), StateAt: s.StateAt, AssessedBy: idOrNil(s.AssessedBy), Version: int32(s.Version), Home: s.Home,
		Was: int32(s.Version) - 1,
	})
	if err != nil {
		return fmt.Errorf("update application %d: %w", s.ID, err)
	}
	if n == 0 {
		return fmt.Errorf("update application %d: %w", s.ID, ErrChanged)
	}
	return nil
}

func (s *SealedApplication) packed() (patient, answers json.RawMessage, err error) {
	if patient, err = json.Marshal(s.Patient); err != nil {
		return nil, nil, fmt.Errorf("pack a patient: %w", err)
	}
	if answers, err = json.Marshal(s.Answers); err != nil {
		return nil, nil, fmt.Errorf("pack the answers of an application: %w", err)
	}
	return patient, answers, nil
}

// LoadApplication reads an application; lock takes its row for the rest of the
// transaction. It returns ErrNoRows when there is none.
func (t *Tx) LoadApplication(ctx context.Context, id int64, lock bool) (*SealedApplication, error) {
	get := t.GetApplication
	if lock {
		get = t.LockApplication
	}
	row, err := get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load application %d: %w", id, err)
	}
	return ApplicationOf(row)
}

// ApplicationOf makes an application of its row.
func ApplicationOf(r db.CareApplication) (*SealedApplication, error) {
	s := &SealedApplication{
		Application: care.Application{
			ID: r.ID, State: care.ApplicationState(r.State), Applicant: r.ApplicantID, Address: idOf(r.AddressID), Clinic: idOf(r.ClinicID),
			EnteredBy: idOf(r.EnteredBy), JustDischarged: r.JustDischarged, Reason: r.Reason, Due: when(r.DueAt), StateAt: r.StateAt,
			FiledAt: r.FiledAt, AssessedBy: idOf(r.AssessedBy), Version: int(r.Version),
		},
		Conversation: idOf(r.ConversationID), Words: r.Words, Home: r.Home,
	}
	if err := unpack(map[string]any{"patient": &s.Patient, "answers": &s.Answers}, map[string]json.RawMessage{"patient": r.Patient, "answers": r.Answers}); err != nil {
		return nil, fmt.Errorf("read application %d: %w", r.ID, err)
	}
	return s, nil
}

// item is care.Item as its bed's row keeps it.
type item struct {
	care.Item
	Window string // hides the embedded one; "" for any
}

func (s *SealedBed) packed() (map[string]json.RawMessage, error) {
	items := make([]item, len(s.Items))
	for i, it := range s.Items {
		items[i].Item = it
		if it.Window != (scheduler.Span{}) {
			items[i].Window = it.Window.String()
		}
	}
	out := map[string]json.RawMessage{}
	for name, v := range map[string]any{
		"patient": s.Patient, "agreement": s.Agreement, "periods": notNil(s.Periods), "items": items, "pauses": notNil(s.Pauses),
	} {
		body, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("pack the %s of a bed: %w", name, err)
		}
		out[name] = body
	}
	return out, nil
}

// CreateBed writes a new bed with its carers and sets its ID.
func (t *Tx) CreateBed(ctx context.Context, s *SealedBed) error {
	p, err := s.packed()
	if err != nil {
		return err
	}
	var number *string
	if s.Number != "" {
		number = &s.Number
	}
	s.ID, err = t.InsertBed(ctx, db.InsertBedParams{
		Programme: s.Programme, Number: number, ApplicationID: idOrNil(s.Application), ClinicID: idOrNil(s.Clinic),
		HospitalID: idOrNil(s.Hospital), PersonID: s.Patient.Person, Patient: p["patient"], Type: s.Type, State: string(s.State),
		Reason: s.Reason, DoctorID: idOrNil(s.Doctor), NurseID: idOrNil(s.Nurse), Agreement: p["agreement"], Periods: p["periods"],
		Items: p["items"], Pauses: p["pauses"], JustDischarged: s.JustDischarged, Outcome: s.Outcome, OpenedAt: at(s.OpenedAt),
		StateAt: s.StateAt, ConsentLostAt: at(s.ConsentLostAt), StoppedAt: at(s.StoppedAt), Version: int32(s.Version), Home: s.Home,
		Diagnosis: s.Diagnosis, Closing: s.Closing,
	})
	if err != nil {
		return fmt.Errorf("insert a bed: %w", err)
	}
	return t.putCarers(ctx, s)
}

// SaveBed writes a bed whose row is locked.
func (t *Tx) SaveBed(ctx context.Context, s *SealedBed) error {
	p, err := s.packed()
	if err != nil {
		return err
	}
	var number *string
	if s.Number != "" {
		number = &s.Number
	}
	n, err := t.UpdateBed(ctx, db.UpdateBedParams{
		ID: s.ID, Number: number, ClinicID: idOrNil(s.Clinic), HospitalID: idOrNil(s.Hospital), Patient: p["patient"], Type: s.Type,
		State: string(s.State), Reason: s.Reason, DoctorID: idOrNil(s.Doctor), NurseID: idOrNil(s.Nurse), Agreement: p["agreement"],
		Periods: p["periods"], Items: p["items"], Pauses: p["pauses"], JustDischarged: s.JustDischarged, Outcome: s.Outcome,
		OpenedAt: at(s.OpenedAt), StateAt: s.StateAt, ConsentLostAt: at(s.ConsentLostAt), StoppedAt: at(s.StoppedAt),
		Version: int32(s.Version), Home: s.Home, Diagnosis: s.Diagnosis, Closing: s.Closing,
	})
	if err != nil {
		return fmt.Errorf("update bed %d: %w", s.ID, err)
	}
	if n == 0 {
		return fmt.Errorf("update bed %d: %w", s.ID, ErrNoRows)
	}
	return nil
}

// SaveCarers writes the carers of a bed anew.
func (t *Tx) SaveCarers(ctx context.Context, s *SealedBed) error {
	if err := t.DropCarers(ctx, s.ID); err != nil {
		return fmt.Errorf("take out the carers of bed %d: %w", s.ID, err)
	}
	return t.putCarers(ctx, s)
}

func (t *Tx) putCarers(ctx context.Context, s *SealedBed) error {
	for i, c := range s.Carers {
		err := t.AddCarer(ctx, db.AddCarerParams{
			BedID: s.ID, Position: int32(i), PersonID: c.Person, Relation: c.Relation, AddressID: idOrNil(c.Address), Shared: c.Shared, Stopped: c.Stopped,
		})
		if err != nil {
			return fmt.Errorf("add a carer to bed %d: %w", s.ID, err)
		}
	}
	return nil
}

// LoadBeds reads beds with their carers, in the order of their ids; lock takes
// their rows in that order for the rest of the transaction. Ids of none are left
// out.
func (t *Tx) LoadBeds(ctx context.Context, ids []int64, lock bool) ([]*SealedBed, error) {
	get := t.GetBeds
	if lock {
		get = t.LockBeds
	}
	rows, err := get(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load beds: %w", err)
	}
	return t.bedsOf(ctx, rows)
}

// What stands around a visit, read in one round trip: each statement sees what was
// committed while the first waited for the lock.
const (
	bedAround    = `select b.* from bed b where b.id = (select v.bed_id from visit v where v.id = $1)`
	lockAround   = bedAround + ` for no key update`
	carersAround = `select c.* from bed_carer c where c.bed_id = (select v.bed_id from visit v where v.id = $1) order by c.position`
	visitAround  = `select v.* from visit v where v.id = $1`
)

// VisitAt reads a visit and its bed; with lock under the lock of the bed, which is
// held for the rest of the transaction. ErrNoRows when there is none.
func (t *Tx) VisitAt(ctx context.Context, visit int64, lock bool) (*SealedBed, care.Visit, error) {
	var b pgx.Batch
	first := bedAround
	if lock {
		first = lockAround
	}
	for _, sql := range []string{first, carersAround, visitAround} {
		b.Queue(sql, visit)
	}
	res := t.conn.SendBatch(ctx, &b)
	defer res.Close()
	bed, err := nextRows[db.Bed](res)
	if err != nil {
		return nil, care.Visit{}, fmt.Errorf("read the bed of visit %d: %w", visit, err)
	}
	carers, err := nextRows[db.BedCarer](res)
	if err != nil {
		return nil, care.Visit{}, fmt.Errorf("read the carers around visit %d: %w", visit, err)
	}
	visits, err := nextRows[db.Visit](res)
	if err != nil {
		return nil, care.Visit{}, fmt.Errorf("read visit %d: %w", visit, err)
	}
	if len(bed) == 0 || len(visits) == 0 {
		return nil, care.Visit{}, fmt.Errorf("visit %d: %w", visit, ErrNoRows)
	}
	made, err := withCarers(bed, carers)
	if err != nil {
		return nil, care.Visit{}, err
	}
	return made[0], VisitOf(visits[0]), res.Close()
}

// nextRows reads the next answer of a batch.
func nextRows[T any](res pgx.BatchResults) ([]T, error) {
	rows, err := res.Query()
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[T])
}

// bedsOf makes beds of their rows, with their carers.
func (t *Tx) bedsOf(ctx context.Context, rows []db.Bed) (beds []*SealedBed, err error) {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	carers, err := t.CarersOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("load carers: %w", err)
	}
	return withCarers(rows, carers)
}

func withCarers(rows []db.Bed, carers []db.BedCarer) (beds []*SealedBed, err error) {
	beds = make([]*SealedBed, len(rows))
	index := make(map[int64]*SealedBed, len(rows))
	for i, r := range rows {
		if beds[i], err = bedOf(r); err != nil {
			return nil, fmt.Errorf("read bed %d: %w", r.ID, err)
		}
		index[r.ID] = beds[i]
	}
	for _, c := range carers {
		if b := index[c.BedID]; b != nil {
			b.Carers = append(b.Carers, care.Carer{
				Person: c.PersonID, Relation: c.Relation, Address: idOf(c.AddressID), Shared: c.Shared, Stopped: c.Stopped,
			})
		}
	}
	return beds, nil
}

// LoadBed is LoadBeds of one; ErrNoRows when there is none.
func (t *Tx) LoadBed(ctx context.Context, id int64, lock bool) (*SealedBed, error) {
	beds, err := t.LoadBeds(ctx, []int64{id}, lock)
	if err != nil {
		return nil, err
	}
	if len(beds) == 0 {
		return nil, fmt.Errorf("load bed %d: %w", id, ErrNoRows)
	}
	return beds[0], nil
}

func bedOf(r db.Bed) (*SealedBed, error) {
	s := &SealedBed{
		Bed: care.Bed{
			ID: r.ID, Application: idOf(r.ApplicationID), Clinic: idOf(r.ClinicID), Hospital: idOf(r.HospitalID), Type: r.Type,
			State: care.BedState(r.State), Reason: r.Reason, Doctor: idOf(r.DoctorID), Nurse: idOf(r.NurseID), JustDischarged: r.JustDischarged,
			Outcome: r.Outcome, OpenedAt: when(r.OpenedAt), StateAt: r.StateAt, ConsentLostAt: when(r.ConsentLostAt),
			StoppedAt: when(r.StoppedAt), Version: int(r.Version),
		},
		Programme: r.Programme, Home: r.Home, Diagnosis: r.Diagnosis, Closing: r.Closing,
	}
	if r.Number != nil {
		s.Number = *r.Number
	}
	var items []item
	err := unpack(
		map[string]any{"patient": &s.Patient, "agreement": &s.Agreement, "periods": &s.Periods, "items": &items, "pauses": &s.Pauses},
		map[string]json.RawMessage{"patient": r.Patient, "agreement": r.Agreement, "periods": r.Periods, "items": r.Items, "pauses": r.Pauses},
	)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.Window != "" {
			if it.Item.Window, err = scheduler.ParseSpan(it.Window); err != nil {
				return nil, fmt.Errorf("window of item %d: %w", it.ID, err)
			}
		}
		s.Items = append(s.Items, it.Item)
	}
	return s, nil
}

func unpack(into map[string]any, from map[string]json.RawMessage) error {
	for name, to := range into {
		if err := json.Unmarshal(from[name], to); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// VisitOf makes a visit of its row.
func VisitOf(r db.Visit) care.Visit {
	return care.Visit{
		ID: r.ID, BedID: r.BedID, ItemID: r.ItemID, Slot: int(r.Slot), Kind: r.Kind, State: care.VisitState(r.State), Reason: r.Reason,
		Version: int(r.Version), Date: dateOf(r.Day), Window: scheduler.Span{From: scheduler.TimeOfDay(r.Starts), To: scheduler.TimeOfDay(r.Ends)},
		Minutes: int(r.Minutes), Staff: r.StaffID, Grid: r.Grid, Nominal: dateOf(r.Nominal), Earliest: dateOf(r.Earliest), Latest: dateOf(r.Latest),
		Told: r.Told, AskedAt: when(r.AskedAt), ConfirmedBy: r.ConfirmedBy, Full: r.Crowded, Off: r.Off, MakeUps: int(r.MakeUps),
		Moves: int(r.Moves), Noted: r.Noted, Present: r.Present, MadeAt: r.MadeAt, ChangedAt: when(r.ChangedAt), ChangedBy: r.ChangedBy,
		StateAt: r.StateAt, LeftAt: when(r.LeftAt), ArrivedAt: when(r.ArrivedAt), DoneAt: when(r.DoneAt), HelpAt: when(r.HelpAt), CodeAt: when(r.CodeAt),
	}
}

// VisitsOf makes visits of their rows.
func VisitsOf(rows []db.Visit) []care.Visit {
	visits := make([]care.Visit, len(rows))
	for i, r := range rows {
		visits[i] = VisitOf(r)
	}
	return visits
}

func dateOf(t time.Time) scheduler.Date { return scheduler.DateOf(t) }

// DayOf is a date as the queries take it.
func DayOf(d scheduler.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
}

// Occasion is one person's part in another programme, with its instants by the name
// of their anchor.
type Occasion struct {
	ID                           int64
	Programme                    string
	Event, Clinic, Person, Staff int64
	State                        string
	StateAt, MadeAt              time.Time
	At                           map[string]time.Time
	Answer                       string
	Version                      int
}

// OccasionOf makes an occasion of its row.
func OccasionOf(r db.CareOccasion) (*Occasion, error) {
	o := &Occasion{
		ID: r.ID, Programme: r.Programme, Event: idOf(r.EventID), Clinic: idOf(r.ClinicID), Person: idOf(r.PersonID), Staff: idOf(r.StaffID),
		State: r.State, StateAt: r.StateAt, MadeAt: r.MadeAt, Answer: r.Answer, Version: int(r.Version),
	}
	if err := json.Unmarshal(r.At, &o.At); err != nil {
		return nil, fmt.Errorf("read the instants of occasion %d: %w", r.ID, err)
	}
	return o, nil
}

// LoadOccasion reads an occasion; lock takes its row for the rest of the
// transaction.
func (t *Tx) LoadOccasion(ctx context.Context, id int64, lock bool) (*Occasion, error) {
	get := t.GetOccasion
	if lock {
		get = t.LockOccasion
	}
	row, err := get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load occasion %d: %w", id, err)
	}
	return OccasionOf(row)
}

// KeepOccasion writes an occasion that is locked.
func (t *Tx) KeepOccasion(ctx context.Context, o *Occasion) error {
	at, err := json.Marshal(o.At)
	if err != nil {
		return fmt.Errorf("pack the instants of occasion %d: %w", o.ID, err)
	}
	err = t.SaveOccasion(ctx, db.SaveOccasionParams{ID: o.ID, State: o.State, StateAt: o.StateAt, At: at, Answer: o.Answer, Version: int32(o.Version)})
	if err != nil {
		return fmt.Errorf("update occasion %d: %w", o.ID, err)
	}
	return nil
}
