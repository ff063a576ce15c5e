package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"shaoying/internal/care"
	"shaoying/internal/homecare"
	"shaoying/scheduler"
)

// bedCommand registers a command on a bed.
func bedCommand[B any](a *API, name care.CommandName, id, summary string, do func(ctx context.Context, on *careOn, b *B) (care.BedCommand, homecare.Draft, error)) {
	a.offered["bed."+string(name)] = true
	write(a, post(id, "/beds/{id}/commands/"+string(name), summary, http.StatusOK), "", func(in *careInput[B]) string { return fmt.Sprint(in.ID) },
		func(ctx context.Context, v *visit, in *careInput[B]) (*Bed, error) {
			b, by, err := a.bedAt(ctx, v, in.ID)
			if err != nil {
				return nil, err
			}
			if by.As == "" {
				return nil, errForbidden
			}
			command, draft, err := do(ctx, &careOn{visit: v, api: a, bed: b, by: by}, &in.Body)
			if err != nil {
				return nil, err
			}
			if b, err = a.Care.DoBedWith(ctx, v.Turn, in.ID, by, command, draft); err != nil {
				return nil, err
			}
			return a.viewBed(ctx, v, b, by)
		})
}

// plainly is a command that carries no words.
func plainly[B any](f func(*B) (care.BedCommand, error)) func(context.Context, *careOn, *B) (care.BedCommand, homecare.Draft, error) {
	return func(_ context.Context, _ *careOn, b *B) (care.BedCommand, homecare.Draft, error) {
		c, err := f(b)
		return c, homecare.Draft{}, err
	}
}

// SignBody is an agreement that was signed on a screen. Paper needs its scan and is
// entered at the desk page.
type SignBody struct {
	Signer     int64     `json:"signer" minimum:"1" doc:"id of the patient or a carer"`
	Relation   string    `json:"relation" minLength:"1" maxLength:"30" doc:"self, or the carer's relation"`
	SignedAt   time.Time `json:"signed_at"`
	Notice     int       `json:"notice" doc:"version of the notice that was shown"`
	Terms      int       `json:"terms" doc:"version of the agreement"`
	GridWorker bool      `json:"grid_worker,omitempty" doc:"the grid worker may be asked to look in"`
}

// OpenBody opens a bed.
type OpenBody struct {
	Doctor    string `json:"doctor" minLength:"1" maxLength:"32" doc:"short name"`
	Nurse     string `json:"nurse" minLength:"1" maxLength:"32"`
	Diagnosis string `json:"diagnosis,omitempty" maxLength:"500" doc:"kept sealed, never told in a text"`
	To        string `json:"to,omitempty" format:"date" doc:"last day of the period; as the policy says when missing"`
}

// OrderBody adds an order, or replaces the one with its id. What is missing is the
// policy's of its kind.
type OrderBody struct {
	ID        int64  `json:"id,omitempty" doc:"of the order that it replaces"`
	Kind      string `json:"kind" minLength:"1" maxLength:"30"`
	Every     int    `json:"every,omitempty" minimum:"0" maximum:"366" doc:"days; or weekdays; neither is once"`
	Weekdays  []int  `json:"weekdays,omitempty" maxItems:"7" doc:"0 is Sunday"`
	Weeks     int    `json:"weeks,omitempty" minimum:"0" maximum:"12"`
	Staff     string `json:"staff" minLength:"1" maxLength:"32"`
	From      string `json:"from,omitempty" format:"date" doc:"today when missing"`
	Until     string `json:"until,omitempty" format:"date"`
	Window    string `json:"window,omitempty" maxLength:"11"`
	Minutes   int    `json:"minutes,omitempty" minimum:"0" maximum:"480"`
	Early     int    `json:"early,omitempty" minimum:"0" maximum:"366"`
	Late      int    `json:"late,omitempty" minimum:"0" maximum:"366"`
	OnHoliday string `json:"on_holiday,omitempty" maxLength:"20"`
}

// ResumeBody goes on with a bed.
type ResumeBody struct {
	Discharged bool `json:"discharged,omitempty" doc:"comes from hospital: the next visits are soon"`
}

// ToBody is a last day.
type ToBody struct {
	To string `json:"to,omitempty" format:"date" doc:"as the policy says when missing"`
}

// CloseBody ends a bed.
type CloseBody struct {
	Outcome   string `json:"outcome" minLength:"1" maxLength:"30"`
	Diagnosis string `json:"diagnosis,omitempty" maxLength:"500" doc:"kept sealed"`
	Returns   int    `json:"returns,omitempty" minimum:"0" doc:"drugs and things that are still to be given back"`
}

// ItemBody names an order.
type ItemBody struct {
	Order int64 `json:"order" minimum:"1"`
}

func dateIn(where, s string) (scheduler.Date, error) {
	if s == "" {
		return scheduler.Date{}, nil
	}
	d, err := scheduler.ParseDate(s)
	if err != nil {
		return d, invalid("body."+where, "a day is written like 2026-03-03")
	}
	return d, nil
}

func (a *API) bedCommands() {
	bedCommand(a, care.CmdSign, "signBed", "Enter an agreement that was signed on a screen", plainly(func(b *SignBody) (care.BedCommand, error) {
		return care.Sign{Agreement: care.Agreement{
			Form: care.OnScreen, Notice: b.Notice, Terms: b.Terms, Signer: b.Signer, Relation: b.Relation, SignedAt: b.SignedAt, GridWorker: b.GridWorker,
		}}, nil
	}))
	bedCommand(a, care.CmdOpen, "openBed", "Open a bed", openBed)
	bedCommand(a, care.CmdOrder, "orderVisits", "Order visits", orderVisits)
	bedCommand(a, care.CmdEndOrder, "endOrder", "End an order from today on", plainly(func(b *ItemBody) (care.BedCommand, error) { return care.EndOrder{ItemID: b.Order}, nil }))
	bedCommand(a, care.CmdSuspend, "suspendBed", "Hold a bed: admission, away, refused", plainly(func(b *ReasonOnly) (care.BedCommand, error) { return care.Suspend{Reason: b.Reason}, nil }))
	bedCommand(a, care.CmdResume, "resumeBed", "Go on with a bed", plainly(func(b *ResumeBody) (care.BedCommand, error) { return care.Resume{Discharged: b.Discharged}, nil }))
	bedCommand(a, care.CmdRenew, "renewBed", "Add a period", plainly(func(b *ToBody) (care.BedCommand, error) {
		to, err := dateIn("to", b.To)
		return care.Renew{To: to}, err
	}))
	bedCommand(a, care.CmdWithdrawConsent, "withdrawConsent", "The family takes its agreement back: nobody of it is written to", plainly(func(*nothing) (care.BedCommand, error) { return care.WithdrawConsent{}, nil }))
	bedCommand(a, care.CmdClose, "closeBed", "Close a bed", func(_ context.Context, on *careOn, b *CloseBody) (care.BedCommand, homecare.Draft, error) {
		return care.Close{Outcome: b.Outcome, HasDiagnosis: b.Diagnosis != "" || on.bed.Closing != nil, Returns: b.Returns}, homecare.Draft{Closing: b.Diagnosis}, nil
	})
	bedCommand(a, care.CmdDeath, "death", "The patient has died: everything ends at once", plainly(func(*nothing) (care.BedCommand, error) { return care.Death{}, nil }))
}

func openBed(ctx context.Context, on *careOn, b *OpenBody) (care.BedCommand, homecare.Draft, error) {
	to, err := dateIn("to", b.To)
	if err != nil {
		return nil, homecare.Draft{}, err
	}
	c := care.Open{To: to, HasDiagnosis: b.Diagnosis != "" || on.bed.Diagnosis != nil}
	if c.Doctor, err = on.staffID(ctx, b.Doctor, "body.doctor"); err != nil {
		return nil, homecare.Draft{}, err
	}
	if c.Nurse, err = on.staffID(ctx, b.Nurse, "body.nurse"); err != nil {
		return nil, homecare.Draft{}, err
	}
	if c.FirstVisitID, err = on.NextItem(ctx); err != nil {
		return nil, homecare.Draft{}, fmt.Errorf("number an order: %w", err)
	}
	return c, homecare.Draft{Diagnosis: b.Diagnosis}, nil
}

func orderVisits(ctx context.Context, on *careOn, b *OrderBody) (care.BedCommand, homecare.Draft, error) {
	it := care.Item{
		ID: b.ID, Kind: b.Kind, Every: b.Every, Weeks: b.Weeks, Minutes: b.Minutes, Early: b.Early, Late: b.Late, OnHoliday: scheduler.OnHoliday(b.OnHoliday),
		From: on.api.Care.Today(on.Turn),
	}
	for _, d := range b.Weekdays {
		it.Weekdays = append(it.Weekdays, time.Weekday(d))
	}
	var err error
	if b.From != "" {
		if it.From, err = dateIn("from", b.From); err != nil {
			return nil, homecare.Draft{}, err
		}
	}
	if it.Until, err = dateIn("until", b.Until); err != nil {
		return nil, homecare.Draft{}, err
	}
	if b.Window != "" {
		if it.Window, err = scheduler.ParseSpan(b.Window); err != nil {
			return nil, homecare.Draft{}, invalid("body.window", "a window is written like 09:00-11:00")
		}
	}
	if it.Staff, err = on.staffID(ctx, b.Staff, "body.staff"); err != nil {
		return nil, homecare.Draft{}, err
	}
	switch {
	case b.ID != 0 && !slices.ContainsFunc(on.bed.Items, func(o care.Item) bool { return o.ID == b.ID }):
		return nil, homecare.Draft{}, invalid("body.id", "this bed has no such order")
	case b.ID == 0:
		if it.ID, err = on.NextItem(ctx); err != nil {
			return nil, homecare.Draft{}, fmt.Errorf("number an order: %w", err)
		}
	}
	return care.Order{Item: it}, homecare.Draft{}, nil
}

// applicationCommand registers a command on an application.
func applicationCommand[B any](a *API, name care.CommandName, id, summary string, make func(b *B) care.ApplicationCommand) {
	a.offered["application."+string(name)] = true
	write(a, post(id, "/applications/{id}/commands/"+string(name), summary, http.StatusOK), "", func(in *careInput[B]) string { return fmt.Sprint(in.ID) },
		func(ctx context.Context, v *visit, in *careInput[B]) (*Application, error) {
			one, err := a.applicationAt(ctx, v, in.ID)
			if err != nil {
				return nil, err
			}
			by, ok, err := a.Care.ActorFor(ctx, v.Turn, v.staff, one)
			if err != nil {
				return nil, err
			}
			if !ok {
				return nil, errForbidden
			}
			if one, err = a.Care.DoApplication(ctx, v.Turn, in.ID, by, make(&in.Body)); err != nil {
				return nil, err
			}
			return a.viewApplication(ctx, v, one)
		})
}

// ScreenBody are the answers to the questions of the policy.
type ScreenBody struct {
	Answers map[string]bool `json:"answers" doc:"by question; the refusal of a missing one names it"`
}

// AssessBody is the look at patient and home.
type AssessBody struct {
	Condition bool `json:"condition"`
	Home      bool `json:"home"`
}

func (a *API) applicationCommands() {
	applicationCommand(a, care.CmdScreen, "screenApplication", "Answer whether a bed is possible at all", func(b *ScreenBody) care.ApplicationCommand { return care.Screen{Answers: b.Answers} })
	applicationCommand(a, care.CmdAssess, "assessApplication", "Enter the assessment at home", func(b *AssessBody) care.ApplicationCommand {
		return care.Assess{Condition: b.Condition, Home: b.Home}
	})
	applicationCommand(a, care.CmdReturn, "returnApplication", "Ask the family for more", func(b *ReasonOnly) care.ApplicationCommand { return care.Return{Reason: b.Reason} })
	applicationCommand(a, care.CmdReject, "rejectApplication", "Say that no bed is possible, and why", func(b *ReasonOnly) care.ApplicationCommand { return care.Reject{Reason: b.Reason} })
}
