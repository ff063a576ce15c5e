package ticket

// CommandName names a command in the table, in the trail and on buttons.
type CommandName string

// The commands.
const (
	CmdFile     CommandName = "file"
	CmdComplete CommandName = "complete"
	CmdDispatch CommandName = "dispatch"
	CmdTake     CommandName = "take"
	CmdAutoSign CommandName = "auto_sign"
	CmdTransfer CommandName = "transfer"
	CmdReturn   CommandName = "return"
	CmdContact  CommandName = "contact"
	CmdFinish   CommandName = "finish"
	CmdAsk      CommandName = "ask"
	CmdCallback CommandName = "callback_result"
	CmdJudge    CommandName = "judge"
	CmdRelapse  CommandName = "relapse"
	CmdWithdraw CommandName = "withdraw"
	CmdReject   CommandName = "reject"

	CmdAnswer            CommandName = "answer"
	CmdRefer             CommandName = "refer"
	CmdInvolve           CommandName = "involve"
	CmdCoSign            CommandName = "co_sign"
	CmdCoReply           CommandName = "co_reply"
	CmdObject            CommandName = "object"
	CmdAskExtension      CommandName = "ask_extension"
	CmdAskSuspension     CommandName = "ask_suspension"
	CmdDecide            CommandName = "decide"
	CmdResume            CommandName = "resume"
	CmdSupervise         CommandName = "supervise"
	CmdAnswerSupervision CommandName = "answer_supervision"
	CmdLapseSupervision  CommandName = "lapse_supervision"
	CmdEscalate          CommandName = "escalate"
	CmdMerge             CommandName = "merge"
	CmdUnmerge           CommandName = "unmerge"
	CmdFollow            CommandName = "follow"
	CmdAskExclusion      CommandName = "ask_exclusion"
	CmdDecideExclusion   CommandName = "decide_exclusion"
)

// Command is something that somebody wants done with a ticket. The structs
// below are the closed set.
type Command interface {
	Name() CommandName
	apply(*step) error
}

// Capacity is what an actor is to the ticket. Rights by role and area
// (package people) decide who may act in a capacity; this package decides what
// a capacity may do to a ticket in its present state.
type Capacity string

// The capacities.
const (
	AsReporter   Capacity = "reporter"
	AsHandler    Capacity = "handler"    // of the desk that has the lead
	AsDispatcher Capacity = "dispatcher" // 派单员
	AsCompleter  Capacity = "completer"  // the clerk who completes drafts
	AsCallback   Capacity = "callback"   // 回访员, or who checks a finding
	AsCoHandler  Capacity = "co_handler" // of a desk that co-handles
	AsSupervised Capacity = "supervised" // of the desk that a supervision demands an answer of
	AsSupervisor Capacity = "supervisor" // 督办员, or a leader
	AsReviewer   Capacity = "reviewer"   // independent of desk and dispatch
	AsSystem     Capacity = "system"     // a due thing or a dialogue
)

// Actor is who acts, and as what.
type Actor struct {
	As Capacity
	// Person is who spoke. For a reporter it must be Ticket.ReporterID: the
	// caller follows merged persons first.
	Person int64
	// Staff is the staff member, 0 for residents and the system.
	Staff int64
	// Desk is the desk a handler speaks for. That the staff member belongs to
	// it is the caller's finding.
	Desk Desk
}

// Content is what a report says, in codes.
type Content struct {
	Claim        string
	Matter       string
	Urgency      Urgency
	Danger       string
	Place        PlaceRef
	Confidential bool
	Anonymous    bool
	Sensitive    bool
	Against      []string
	AgainstStaff []int64
	ReportedFor  string
}

// Private is Ticket.Private for a report that was not filed yet.
func (c Content) Private() bool { return c.Confidential || c.Anonymous || c.Sensitive }

// Shared is Ticket.Shared for a report that was not filed yet.
func (c Content) Shared() bool {
	return !c.Private() && len(c.Against) == 0 && len(c.AgainstStaff) == 0
}

// File makes the ticket. Incomplete ones become drafts for a clerk; a report
// of danger never does, it is filed at once with what is known.
type File struct {
	Number         Number
	Content        Content
	Incomplete     bool
	Finding        bool
	ReporterID     int64
	AddressID      int64
	ConversationID int64
}

// Complete fills in a draft, or corrects a ticket before it is dispatched. It
// can add protection (confidential, anonymous, sensitive, against) and never
// takes it away.
type Complete struct{ Content Content }

// Dispatch puts a received ticket on a desk and starts its clock. Co-handlers
// reply to the lead; informed desks see it without answering for it.
type Dispatch struct {
	Lead     Desk
	Co       []Desk
	Informed []Desk
	// UnitDuty: the matter is the duty of a department, which must not be sent
	// down to a grid (国办函〔2025〕66号).
	UnitDuty bool
	// Level is the rung of the ladder on which the desk stands.
	Level int
}

// Take 接单 signs for the desk.
type Take struct{}

// AutoSign signs for a desk that let the time to sign run out (按时签收 is
// assessed; the desk answers for the ticket all the same).
type AutoSign struct{}

// Transfer 转派 hands the ticket to another desk or colleague. The deadline
// stays.
type Transfer struct {
	To       Desk
	Reason   string // one of Policy.Reasons.Transfer
	UnitDuty bool   // as in Dispatch
}

// TransferReason is the one of Policy.Reasons.Transfer that says where a ticket
// goes.
func TransferReason(from, to Desk) string {
	switch {
	case from.Code == to.Code:
		return "colleague"
	case to.Kind == DeskGrid:
		return "other_grid"
	}
	return "other_unit"
}

// Return 收回 is how the dispatcher takes a ticket back from its desk. The
// deadline stays. A desk that wants to be rid of it objects.
type Return struct{ Reason string } // one of Policy.Reasons.Return

// ContactVia is how a desk reached for the reporter.
type ContactVia string

// The ways of first contact 先行联系.
const (
	ViaPhone ContactVia = "phone"
	ViaRelay ContactVia = "relay" // through Shaoying, neither side sees the other's number
	ViaVisit ContactVia = "visit"
)

// Contact records that the desk reached for the reporter. A look at the number
// and handed-on words are proof by themselves; of a visit Proven says that there
// are words or a photo.
type Contact struct {
	Via     ContactVia
	Reached bool
	Proven  bool
}

// Finish 办结 is the desk's report. The words and photos lie elsewhere; what
// counts here is whether they are there.
type Finish struct {
	Result      UnitResult
	HasReply    bool // the text that the reporter will read
	Photos      int
	PhotoNeeded bool // the matter says so
}

// Ask records one try to call the resident back: the question was sent, or the
// clerk rings.
type Ask struct{ Via string }

// CallbackResult is what came of asking. Facts are the resident's own words;
// with Unreached the clerk gives up after the tries that the policy demands.
type CallbackResult struct {
	Facts     Facts
	Unreached bool
}

// Judge is the callback clerk's decision on an unhappy answer: a reasonable
// claim is redone with less time, another is closed with the reason told.
type Judge struct {
	Reasonable bool
	// BeyondDuty closes as OutcomeBeyondDuty rather than OutcomeExplained.
	BeyondDuty bool
}

// Relapse reopens a closed ticket because it came back: on the resident's own
// account within Relapse.Within, or as the answer to the "still fine?" survey.
type Relapse struct{ FromSurvey bool }

// Withdraw ends the ticket at the reporter's wish.
type Withdraw struct{}

// Reject ends a ticket that the city may not handle. Reason is one of
// Policy.Reasons.Reject; each has a text that tells the lawful way.
type Reject struct{ Reason string }

// AnswerNow 直接答复 answers a consultation at once; the words lie elsewhere.
type AnswerNow struct{ HasReply bool }

// Refer 转介 hands a ticket to who must lawfully deal with it: an emergency
// number, discipline inspection, a court. The reporter is told the way.
type Refer struct{ To string } // a code of Policy.Referrals

// Name implements Command.
func (File) Name() CommandName { return CmdFile }

// Name implements Command.
func (Complete) Name() CommandName { return CmdComplete }

// Name implements Command.
func (Dispatch) Name() CommandName { return CmdDispatch }

// Name implements Command.
func (Take) Name() CommandName { return CmdTake }

// Name implements Command.
func (AutoSign) Name() CommandName { return CmdAutoSign }

// Name implements Command.
func (Transfer) Name() CommandName { return CmdTransfer }

// Name implements Command.
func (Return) Name() CommandName { return CmdReturn }

// Name implements Command.
func (Contact) Name() CommandName { return CmdContact }

// Name implements Command.
func (Finish) Name() CommandName { return CmdFinish }

// Name implements Command.
func (Ask) Name() CommandName { return CmdAsk }

// Name implements Command.
func (CallbackResult) Name() CommandName { return CmdCallback }

// Name implements Command.
func (Judge) Name() CommandName { return CmdJudge }

// Name implements Command.
func (Relapse) Name() CommandName { return CmdRelapse }

// Name implements Command.
func (Withdraw) Name() CommandName { return CmdWithdraw }

// Name implements Command.
func (Reject) Name() CommandName { return CmdReject }

// Name implements Command.
func (AnswerNow) Name() CommandName { return CmdAnswer }

// Name implements Command.
func (Refer) Name() CommandName { return CmdRefer }

// Name implements Command.
func (Involve) Name() CommandName { return CmdInvolve }

// Name implements Command.
func (CoSign) Name() CommandName { return CmdCoSign }

// Name implements Command.
func (CoReply) Name() CommandName { return CmdCoReply }

// Name implements Command.
func (Object) Name() CommandName { return CmdObject }

// Name implements Command.
func (AskExtension) Name() CommandName { return CmdAskExtension }

// Name implements Command.
func (AskSuspension) Name() CommandName { return CmdAskSuspension }

// Name implements Command.
func (Decide) Name() CommandName { return CmdDecide }

// Name implements Command.
func (Resume) Name() CommandName { return CmdResume }

// Name implements Command.
func (Supervise) Name() CommandName { return CmdSupervise }

// Name implements Command.
func (AnswerSupervision) Name() CommandName { return CmdAnswerSupervision }

// Name implements Command.
func (LapseSupervision) Name() CommandName { return CmdLapseSupervision }

// Name implements Command.
func (Escalate) Name() CommandName { return CmdEscalate }

// Name implements Command.
func (Merge) Name() CommandName { return CmdMerge }

// Name implements Command.
func (Unmerge) Name() CommandName { return CmdUnmerge }

// Name implements Command.
func (Follow) Name() CommandName { return CmdFollow }

// Name implements Command.
func (AskExclusion) Name() CommandName { return CmdAskExclusion }

// Name implements Command.
func (DecideExclusion) Name() CommandName { return CmdDecideExclusion }
