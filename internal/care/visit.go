package care

import (
	"slices"
	"time"

	"shaoying/scheduler"
)

// VisitState is where a visit stands.
type VisitState string

// The states of a visit.
const (
	// VisitPlanned: nobody of the family was asked yet.
	VisitPlanned VisitState = "planned"
	// VisitNotified: asked whether somebody will be at home, no answer.
	VisitNotified VisitState = "notified"
	// VisitConfirmed: somebody will be at home.
	VisitConfirmed VisitState = "confirmed"
	// VisitMoveAsked: another time is wished and not found yet; the old one
	// stands.
	VisitMoveAsked VisitState = "move_asked"
	// VisitDeclined: nobody will be at home, or the family wants no visit. The
	// desk rings: a message cancels no care.
	VisitDeclined VisitState = "declined"
	// VisitEnRoute 出发.
	VisitEnRoute VisitState = "en_route"
	// VisitArrived 入户.
	VisitArrived VisitState = "arrived"
	// VisitDone 出户.
	VisitDone VisitState = "done"
	// VisitToMakeUp 待补: did not happen, and the ordered interval is not over.
	VisitToMakeUp VisitState = "to_make_up"
	// VisitMissed: could not be made up inside the ordered interval.
	VisitMissed VisitState = "missed"
	// VisitCancelled: the desk or doctor took this one out; its slot is settled.
	VisitCancelled VisitState = "cancelled"
	// VisitReleased: the bed or the order ended or was held. The slot is free:
	// when the bed goes on in time, another visit takes it.
	VisitReleased VisitState = "released"
)

// VisitStates lists the states in the order of a life.
func VisitStates() []VisitState {
	return []VisitState{
		VisitPlanned, VisitNotified, VisitConfirmed, VisitMoveAsked, VisitDeclined, VisitEnRoute, VisitArrived, VisitDone,
		VisitToMakeUp, VisitMissed, VisitCancelled, VisitReleased,
	}
}

// Waiting reports whether the visit is still to come.
func (s VisitState) Waiting() bool {
	return slices.Contains([]VisitState{VisitPlanned, VisitNotified, VisitConfirmed, VisitMoveAsked, VisitDeclined}, s)
}

// UnderWay reports whether somebody is on the way or inside.
func (s VisitState) UnderWay() bool { return s == VisitEnRoute || s == VisitArrived }

// Open reports whether somebody still has to do something about the visit.
func (s VisitState) Open() bool { return s.Waiting() || s.UnderWay() || s == VisitToMakeUp }

// settled reports whether the visit is the end of its slot.
func (s VisitState) settled() bool { return s == VisitDone || s == VisitMissed || s == VisitCancelled }

// Visit 上门 is one slot of an item on its way. Version grows with whatever a
// text about it says: day, window, who comes. What was planned or asked for an
// older version is dead.
type Visit struct {
	ID      int64
	BedID   int64
	ItemID  int64
	Slot    int
	Kind    string
	State   VisitState
	Reason  string // of to_make_up, missed, cancelled and released
	Version int

	Date    scheduler.Date
	Window  scheduler.Span
	Minutes int
	Staff   int64
	Grid    string // for the order of the day
	Order   int    // 1 for the first of Staff's day, 0 while not ordered

	// Nominal, Earliest and Latest are those of the slot.
	Nominal, Earliest, Latest scheduler.Date

	// Told: this version was told to the family, by message or by a person.
	Told bool
	// AskedAt is when the family was first asked about this version.
	AskedAt     time.Time
	ConfirmedBy int64 // person, 0 for the desk
	// Full: no free window was left; Off: no workday, or nobody at work, lay in
	// the interval. The desk looks at both.
	Full, Off bool
	MakeUps   int
	Moves     int
	Noted     bool  // the record was written
	Present   int64 // carer who was there, 0 for the patient alone

	MadeAt    time.Time
	ChangedAt time.Time // when what had been told was changed
	ChangedBy int64     // person of the family who chose it
	StateAt   time.Time
	LeftAt    time.Time
	ArrivedAt time.Time
	DoneAt    time.Time
	HelpAt    time.Time // 求助
	CodeAt    time.Time // a wrong door code was reported
}

// byMessage: nobody goes there, so it takes no room in a day and is not made up on
// another.
func (v Visit) byMessage() bool { return v.Minutes == 0 }

// Start and End are the bounds of the visit's window.
func (v Visit) Start(loc *time.Location) time.Time { return v.Date.At(v.Window.From, loc) }

// End is when the window ends.
func (v Visit) End(loc *time.Location) time.Time { return v.Date.At(v.Window.To, loc) }

// The commands of a visit.
const (
	CmdTell       CommandName = "tell"
	CmdConfirm    CommandName = "confirm"
	CmdAskMove    CommandName = "ask_move"
	CmdDecline    CommandName = "decline"
	CmdMove       CommandName = "move"
	CmdReassign   CommandName = "reassign"
	CmdLeave      CommandName = "leave"
	CmdArrive     CommandName = "arrive"
	CmdFinish     CommandName = "finish"
	CmdNobodyHome CommandName = "nobody_home"
	CmdFail       CommandName = "fail"
	CmdMiss       CommandName = "miss"
	CmdCancel     CommandName = "cancel"
	CmdRelease    CommandName = "release"
	CmdNote       CommandName = "note"
	CmdWrongCode  CommandName = "wrong_code"
	CmdHelp       CommandName = "help"
)

// VisitCommand is something that somebody wants done with a visit.
type VisitCommand interface{ command[Visit] }

// Tell records that the family was told of the present version, and with Asked
// that it was asked whether somebody will be at home.
type Tell struct{ Asked bool }

// Confirm 有人: somebody will be at home.
type Confirm struct{}

// AskMove 改期: another time is wished.
type AskMove struct{}

// Decline 没人: nobody will be at home, or (Cancel) no visit is wanted.
type Decline struct{ Cancel bool }

// Move gives the visit another time inside its ordered interval. Free is what
// FreeWindows offered and the caller still finds free. Agreed: the desk spoke
// with the family, which is a confirmation.
type Move struct {
	Date   scheduler.Date
	Window scheduler.Span
	Free   bool
	Agreed bool
}

// Reassign 换人.
type Reassign struct{ Staff int64 }

// Leave 出发.
type Leave struct{}

// Arrive 到达. Adult: an adult of the household is there.
type Arrive struct{ Adult bool }

// Finish 完成. At is when the visitor left the home, now when zero; a desk that
// writes down later what was done gives From as well. Alone: nobody but the
// patient was there, else Present is the carer.
type Finish struct {
	From, At time.Time
	Present  int64
	Alone    bool
	Noted    bool
}

// NobodyHome 无人.
type NobodyHome struct{}

// Fail: the visit does not happen at its time.
type Fail struct{ Reason string }

// Miss ends a visit whose ordered interval is over. A desk may say earlier that
// it cannot be made up.
type Miss struct{ Reason string }

// Cancel takes this one visit out; the slot counts as settled.
type Cancel struct{ Reason string }

// Release ends a visit because the bed or the order does not go on.
type Release struct{ Reason string }

// Note says that the record is written.
type Note struct{}

// WrongCode: who is at the door said other digits than the family's text.
type WrongCode struct{}

// Help 求助 of the visitor.
type Help struct{}

// Name implements command.
func (Tell) Name() CommandName { return CmdTell }

// Name implements command.
func (Confirm) Name() CommandName { return CmdConfirm }

// Name implements command.
func (AskMove) Name() CommandName { return CmdAskMove }

// Name implements command.
func (Decline) Name() CommandName { return CmdDecline }

// Name implements command.
func (Move) Name() CommandName { return CmdMove }

// Name implements command.
func (Reassign) Name() CommandName { return CmdReassign }

// Name implements command.
func (Leave) Name() CommandName { return CmdLeave }

// Name implements command.
func (Arrive) Name() CommandName { return CmdArrive }

// Name implements command.
func (Finish) Name() CommandName { return CmdFinish }

// Name implements command.
func (NobodyHome) Name() CommandName { return CmdNobodyHome }

// Name implements command.
func (Fail) Name() CommandName { return CmdFail }

// Name implements command.
func (Miss) Name() CommandName { return CmdMiss }

// Name implements command.
func (Cancel) Name() CommandName { return CmdCancel }

// Name implements command.
func (Release) Name() CommandName { return CmdRelease }

// Name implements command.
func (Note) Name() CommandName { return CmdNote }

// Name implements command.
func (WrongCode) Name() CommandName { return CmdWrongCode }

// Name implements command.
func (Help) Name() CommandName { return CmdHelp }

// Visits is the state machine of visits (reference family-bed 1.2; to_make_up
// is the open half of missed, after the rule that a visit is missed only if it
// cannot be made up inside the ordered interval, reference 1.3).
func Visits() Machine[VisitState] {
	coming := []VisitState{VisitPlanned, VisitNotified, VisitConfirmed, VisitMoveAsked, VisitDeclined}
	waiting := append(slices.Clone(coming), VisitToMakeUp)
	goes := []VisitState{VisitPlanned, VisitNotified, VisitConfirmed, VisitMoveAsked}
	told := []VisitState{VisitPlanned, VisitNotified, VisitConfirmed}
	underWay := []VisitState{VisitEnRoute, VisitArrived}
	answers, desks := []Capacity{AsFamily, AsDesk}, []Capacity{AsDesk, AsDoctor}
	return Machine[VisitState]{
		{CmdTell, coming, []Capacity{AsSystem, AsDesk}, coming},
		{CmdConfirm, coming, answers, []VisitState{VisitConfirmed}},
		{CmdAskMove, append(slices.Clone(told), VisitDeclined), answers, []VisitState{VisitMoveAsked}},
		{CmdDecline, goes, answers, []VisitState{VisitDeclined}},
		{CmdMove, waiting, []Capacity{AsFamily, AsDesk, AsDoctor, AsVisitor}, told},
		{CmdReassign, waiting, append(slices.Clone(desks), AsVisitor), waiting},
		{CmdLeave, goes, []Capacity{AsVisitor}, []VisitState{VisitEnRoute}},
		{CmdArrive, append(slices.Clone(coming), VisitEnRoute), []Capacity{AsVisitor, AsDesk}, []VisitState{VisitArrived}},
		{CmdFinish, []VisitState{VisitEnRoute, VisitArrived, VisitToMakeUp, VisitMissed}, []Capacity{AsVisitor, AsDesk}, []VisitState{VisitDone}},
		{CmdNobodyHome, underWay, []Capacity{AsVisitor}, []VisitState{VisitToMakeUp}},
		{CmdFail, append(slices.Clone(coming), VisitEnRoute), []Capacity{AsVisitor, AsDesk, AsDoctor}, []VisitState{VisitToMakeUp}},
		{CmdMiss, waiting, []Capacity{AsSystem, AsDesk, AsDoctor}, []VisitState{VisitMissed}},
		{CmdCancel, waiting, desks, []VisitState{VisitCancelled}},
		{CmdRelease, append(slices.Clone(waiting), VisitEnRoute), []Capacity{AsSystem}, []VisitState{VisitReleased}},
		{CmdNote, []VisitState{VisitDone}, []Capacity{AsVisitor}, []VisitState{VisitDone}},
		{CmdWrongCode, append(slices.Clone(goes), VisitDeclined, VisitEnRoute, VisitArrived), answers, append(slices.Clone(goes), VisitDeclined, VisitEnRoute, VisitArrived)},
		{CmdHelp, underWay, []Capacity{AsVisitor}, underWay},
	}
}
