package people

import "shaoying/bots"

// ResidentCommand is something a resident asks for through an address.
type ResidentCommand string

// The commands of residents, by what they touch.
const (
	CmdReport          ResidentCommand = "report"
	CmdSpeakToPerson   ResidentCommand = "speak_to_person"
	CmdStop            ResidentCommand = "stop"
	CmdStart           ResidentCommand = "start"
	CmdReadOwn         ResidentCommand = "read_own" // what was said through this address
	CmdAddToTicket     ResidentCommand = "add_to_ticket"
	CmdWithdrawTicket  ResidentCommand = "withdraw_ticket"
	CmdRelapse         ResidentCommand = "relapse"
	CmdEnrol           ResidentCommand = "enrol" // rider programme
	CmdReadAll         ResidentCommand = "read_all"
	CmdExport          ResidentCommand = "export"
	CmdErase           ResidentCommand = "erase"
	CmdChangePhone     ResidentCommand = "change_phone"
	CmdBindAddress     ResidentCommand = "bind_address"
	CmdAnswerCallback  ResidentCommand = "answer_callback"
	CmdAnswerSurvey    ResidentCommand = "answer_survey"
	CmdConfirmVisit    ResidentCommand = "confirm_visit"
	CmdAskVisitChange  ResidentCommand = "ask_visit_change"
	CmdWithdrawConsent ResidentCommand = "withdraw_consent" // 撤回同意: ends texts and holds visits, ends no care
	CmdCancelCare      ResidentCommand = "cancel_care"
	CmdLeaveProgramme  ResidentCommand = "leave_programme"
	CmdReadHealth      ResidentCommand = "read_health"
	CmdStaff           ResidentCommand = "staff" // any command of staff
)

// Decision is what becomes of a command at a trust.
type Decision string

// The decisions.
const (
	Allow Decision = "allow"
	// AllowOwn allows what belongs to this very address: tickets filed and
	// words said through it.
	AllowOwn Decision = "allow_own"
	// NeedCode: a one-time code sent to a verified address comes first.
	NeedCode Decision = "need_code"
	// ToDesk: the wish is noted and a person at the desk finishes it.
	ToDesk Decision = "to_desk"
	Deny   Decision = "deny"
)

// reach groups the commands that follow one rule.
type reach int

const (
	reachOpen    reach = iota // anybody may, nothing is shown or changed
	reachAdd                  // more words to what this address said
	reachOwn                  // reads or changes what this address said
	reachPerson               // everything of the person
	reachGuarded              // the same, where a stolen phone would do harm
	reachPrompt               // answers to a question we asked
	reachVisit                // the same, about a visit at home
	reachCare                 // ends care or membership
	reachStaff
)

func (c ResidentCommand) reach() (reach, bool) {
	switch c {
	case CmdReport, CmdSpeakToPerson, CmdStop, CmdStart:
		return reachOpen, true
	case CmdAddToTicket, CmdEnrol:
		return reachAdd, true
	case CmdReadOwn, CmdWithdrawTicket, CmdWithdrawConsent:
		return reachOwn, true
	case CmdReadAll, CmdBindAddress:
		return reachPerson, true
	case CmdExport, CmdErase, CmdChangePhone, CmdReadHealth:
		return reachGuarded, true
	case CmdAnswerCallback, CmdAnswerSurvey, CmdRelapse: // 又坏了 answers a survey
		return reachPrompt, true
	case CmdConfirmVisit, CmdAskVisitChange:
		return reachVisit, true
	case CmdCancelCare, CmdLeaveProgramme:
		return reachCare, true
	case CmdStaff:
		return reachStaff, true
	}
	return 0, false
}

// ResidentCommands lists the commands in the order of the matrix.
func ResidentCommands() []ResidentCommand {
	return []ResidentCommand{
		CmdReport, CmdSpeakToPerson, CmdStop, CmdStart, CmdReadOwn, CmdAddToTicket, CmdWithdrawTicket, CmdRelapse, CmdEnrol,
		CmdReadAll, CmdExport, CmdErase, CmdChangePhone, CmdBindAddress, CmdReadHealth,
		CmdAnswerCallback, CmdAnswerSurvey, CmdConfirmVisit, CmdAskVisitChange, CmdWithdrawConsent, CmdCancelCare, CmdLeaveProgramme, CmdStaff,
	}
}

// Allowed decides what an address of the given trust may do. viaPrompt says
// that the command answers an open prompt, from the address it was sent to and
// inside its window.
//
// Source: design 4, Identity, and promise S3: a forged SMS may open a ticket
// and gets a neutral receipt; reading, changing, cancelling, health and staff
// commands need a code. Answering a prompt may confirm or ask for a change.
// Unknown commands are denied.
func Allowed(c ResidentCommand, trust bots.Trust, viaPrompt bool) Decision {
	r, known := c.reach()
	if !known || trust < bots.TrustNone || trust > bots.TrustVerified {
		return Deny
	}
	verified := trust == bots.TrustVerified
	switch {
	case r == reachOpen, r == reachPrompt && viaPrompt, r == reachVisit && viaPrompt:
		return Allow
	case r == reachGuarded:
		return NeedCode
	case r == reachCare && verified:
		// A missed visit harms: even the right phone in the wrong hand must
		// not end care by one word.
		return NeedCode
	case r == reachCare:
		return ToDesk
	case verified:
		return Allow
	case r == reachAdd:
		return AllowOwn
	case r == reachVisit:
		return ToDesk
	case r == reachStaff:
		return Deny
	case r == reachPerson || trust == bots.TrustNone:
		return NeedCode
	}
	return AllowOwn
}
