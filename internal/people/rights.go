package people

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"shaoying/configs"
)

// StaffCommand is something a staff member does.
type StaffCommand string

// The commands of staff. Each has its row in configs/policies/rights.yaml.
const (
	MayViewTicket     StaffCommand = "ticket.view"
	MayFileTicket     StaffCommand = "ticket.file" // for somebody else 代报
	MayFileFinding    StaffCommand = "ticket.finding"
	MayCompleteTicket StaffCommand = "ticket.complete"
	MayDispatchTicket StaffCommand = "ticket.dispatch"
	MayRejectTicket   StaffCommand = "ticket.reject"
	MayWithdrawTicket StaffCommand = "ticket.withdraw"
	MayTakeTicket     StaffCommand = "ticket.take"
	MayTransferTicket StaffCommand = "ticket.transfer"
	MayReturnTicket   StaffCommand = "ticket.return"
	MayContact        StaffCommand = "ticket.contact"
	MaySeePhone       StaffCommand = "ticket.phone" // the look is audited
	MayFinishTicket   StaffCommand = "ticket.finish"
	MayCallBack       StaffCommand = "ticket.callback"
	MayJudge          StaffCommand = "ticket.judge"
	MayCheckFinding   StaffCommand = "ticket.check"
	MayNote           StaffCommand = "ticket.note"
	MayObject         StaffCommand = "ticket.object"     // 退单, of the desk that has the lead
	MayAskTime        StaffCommand = "ticket.ask_time"   // 延期, 挂起 and its end
	MayDecide         StaffCommand = "ticket.decide"     // on what a desk asked for
	MayCoHandle       StaffCommand = "ticket.co_handle"  // 协办
	MaySupervise      StaffCommand = "ticket.supervise"  // open a supervision 督办
	MayAnswerFor      StaffCommand = "ticket.supervised" // answer one for a desk
	MayEscalate       StaffCommand = "ticket.escalate"
	MayInstruct       StaffCommand = "ticket.instruct" // what was raised to them
	MayMerge          StaffCommand = "ticket.merge"
	MayAnswerNow      StaffCommand = "ticket.answer"
	MayRefer          StaffCommand = "ticket.refer"
	MayAskExclusion   StaffCommand = "ticket.exclude"
	MayReview         StaffCommand = "ticket.review" // decide on an exclusion
	MayProposeAlias   StaffCommand = "place.propose"
	MayAcceptAlias    StaffCommand = "place.accept"
	MayBindGroup      StaffCommand = "group.bind"
	MaySetDuty        StaffCommand = "staff.duty"
	MayInvite         StaffCommand = "staff.invite"
	MayImport         StaffCommand = "import"
	MayPublish        StaffCommand = "definition.publish"
	MayReplay         StaffCommand = "message.replay"
	MaySeeFigures     StaffCommand = "figures.view"
	MayExportPerson   StaffCommand = "person.export"
	MayErasePerson    StaffCommand = "person.erase"
	MayVerifyAudit    StaffCommand = "audit.verify"
	MayManageHooks    StaffCommand = "webhook.manage" // where events are posted to
	MayLogIn          StaffCommand = "account.login"  // a channel account, with its telephone
	MayMergePersons   StaffCommand = "person.merge"   // and part them again

	MayProposeWhistle  StaffCommand = "whistle.propose"
	MayViewWhistle     StaffCommand = "whistle.view"
	MayBlowWhistle     StaffCommand = "whistle.blow"     // or decline; in a township only
	MayAssignWhistle   StaffCommand = "whistle.assign"   // or give back; in a county only
	MayAttendWhistle   StaffCommand = "whistle.attend"   // answer, arrive, handle, mark as misuse
	MayAppraiseWhistle StaffCommand = "whistle.appraise" // and close; in a township only
	MayRaiseWhistle    StaffCommand = "whistle.raise"
	MaySeeWhistleStars StaffCommand = "whistle.stars"
	// Special topics 专项.
	MayViewTopic   StaffCommand = "topic.view"
	MayDecideTopic StaffCommand = "topic.decide" // open or decline a proposal
	MayCloseTopic  StaffCommand = "topic.close"  // its owner may too
	// Family beds 家庭病床 and the other programmes. Rights at a clinic are those of
	// its unit.
	MayViewBeds  StaffCommand = "bed.view"
	MayRunBeds   StaffCommand = "bed.run"        // the duty desk: applications, visits, periods, carers
	MayTreat     StaffCommand = "bed.treat"      // the doctor: orders, renewals, ends
	MayVisit     StaffCommand = "bed.visit"      // make visits and write their records
	MayLiaise    StaffCommand = "bed.liaise"     // the hospital: admissions, discharges
	MayPauseCare StaffCommand = "bed.pause"      // a programme, or all
	MayHold      StaffCommand = "programme.hold" // enter events and who takes part
	// MayPatrol is to walk a grid for what came there a year ago.
	MayPatrol StaffCommand = "patrol"
)

// StaffCommands lists every command.
func StaffCommands() []StaffCommand {
	return []StaffCommand{
		MayViewTicket, MayFileTicket, MayFileFinding, MayCompleteTicket, MayDispatchTicket, MayRejectTicket,
		MayWithdrawTicket, MayTakeTicket, MayTransferTicket, MayReturnTicket, MayContact, MaySeePhone, MayFinishTicket,
		MayCallBack, MayJudge, MayCheckFinding, MayNote, MayObject, MayAskTime, MayDecide, MayCoHandle,
		MaySupervise, MayAnswerFor, MayEscalate, MayInstruct, MayMerge, MayAnswerNow, MayRefer, MayAskExclusion, MayReview, MayProposeAlias, MayAcceptAlias, MayBindGroup, MaySetDuty,
		MayInvite, MayImport, MayPublish, MayReplay, MaySeeFigures, MayExportPerson, MayErasePerson, MayVerifyAudit,
		MayManageHooks, MayLogIn, MayMergePersons,
		MayProposeWhistle, MayViewWhistle, MayBlowWhistle, MayAssignWhistle, MayAttendWhistle, MayAppraiseWhistle, MayRaiseWhistle,
		MaySeeWhistleStars,
		MayViewTopic, MayDecideTopic, MayCloseTopic, MayPatrol,
		MayViewBeds, MayRunBeds, MayTreat, MayVisit, MayLiaise, MayPauseCare, MayHold,
	}
}

// TrustPolicy is what an address's trust depends on over time.
type TrustPolicy struct {
	// Silent is how long a phone number may be silent and still be counted as the
	// same person's: numbers are given to other people 二次放号.
	Silent time.Duration `yaml:"silent"`
	Source string        `yaml:"source"`
}

// CodePolicy is the size and life of one-time codes.
type CodePolicy struct {
	Digits int           `yaml:"digits"`
	Valid  time.Duration `yaml:"valid"`
	Tries  int           `yaml:"tries"`
	// Holds is how long after the answer the request goes on that it was for.
	Holds  time.Duration `yaml:"holds"`
	Source string        `yaml:"source"`
}

// InvitePolicy is the life of staff invites.
type InvitePolicy struct {
	Valid  time.Duration `yaml:"valid"`
	Source string        `yaml:"source"`
}

// Rights is configs/policies/rights.yaml. What it does not grant is denied.
type Rights struct {
	// Commands lists the roles that may give a command inside their area.
	Commands map[StaffCommand][]Role `yaml:"commands"`
	// Areas lists the kinds of area a role can be granted in.
	Areas map[Role][]AreaKind `yaml:"areas"`
	// Private lists the roles that see private tickets of their area without
	// being named; everybody else must be named.
	Private       []Role       `yaml:"private"`
	RightsSource  string       `yaml:"rights_source"`
	Trust         TrustPolicy  `yaml:"trust"`
	Code          CodePolicy   `yaml:"code"`
	Invite        InvitePolicy `yaml:"invite"`
	NoticeVersion int          `yaml:"notice_version"` // privacy notice in force
}

// May reports whether one of the staff member's grants allows the command on
// the subject. Somebody who has left may nothing, nor somebody the claim is
// about.
func (r Rights) May(s Staff, c StaffCommand, on Subject, now time.Time) bool {
	if !s.EndedAt.IsZero() && !now.Before(s.EndedAt) || slices.Contains(on.AgainstStaff, s.ID) {
		return false
	}
	meant := func(g Grant) bool { return slices.Contains(on.Against, g.Area.Code) }
	if slices.ContainsFunc(s.Grants, meant) {
		return false // one grant there is enough: who serves two desks is of both
	}
	named := s.ID != 0 && slices.Contains(on.Named, s.ID)
	for _, g := range s.Grants {
		switch {
		case !slices.Contains(r.Commands[c], g.Role), !slices.Contains(r.Areas[g.Role], g.Area.Kind):
		case on.Private && named && g.Area.Valid():
			return true // who is named acts wherever the matter lies
		case on.Private && !slices.Contains(r.Private, g.Role):
		case g.Area.Covers(on):
			return true
		}
	}
	return false
}

// Anywhere reports whether the command is allowed somewhere: in the whole of one
// of the staff member's own areas.
func (r Rights) Anywhere(s Staff, c StaffCommand, now time.Time) bool {
	return slices.ContainsFunc(s.Grants, func(g Grant) bool { return r.May(s, c, g.Area.Subject(), now) })
}

// Grantable reports whether the grant is one that staff can hold.
func (r Rights) Grantable(g Grant) bool {
	return g.Area.Valid() && slices.Contains(r.Areas[g.Role], g.Area.Kind)
}

// Validate lists everything that is wrong with the policy.
func (r Rights) Validate() error {
	var bad []error
	add := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	for _, c := range StaffCommands() {
		if _, ok := r.Commands[c]; !ok {
			add("commands.%s is missing (an empty list denies it to everybody)", c)
		}
	}
	for c, roles := range r.Commands {
		if !slices.Contains(StaffCommands(), c) {
			add("commands.%s is no command", c)
		}
		for _, role := range roles {
			if !slices.Contains(Roles(), role) {
				add("commands.%s names %q, which is no role", c, role)
			}
		}
	}
	for _, role := range Roles() {
		if len(r.Areas[role]) == 0 {
			add("areas.%s is missing", role)
		}
	}
	for role, kinds := range r.Areas {
		if !slices.Contains(Roles(), role) {
			add("areas.%s is no role", role)
		}
		for _, k := range kinds {
			if !slices.Contains(AreaKinds(), k) {
				add("areas.%s names %q, which is no kind of area", role, k)
			}
		}
	}
	for _, role := range r.Private {
		if !slices.Contains(Roles(), role) {
			add("private names %q, which is no role", role)
		}
	}
	if r.Trust.Silent <= 0 || r.Code.Valid <= 0 || r.Code.Holds <= 0 || r.Invite.Valid <= 0 {
		add("trust.silent, code.valid, code.holds and invite.valid must be durations above zero such as 5m or 168h")
	}
	if r.Code.Digits < 6 || r.Code.Digits > 10 || r.Code.Tries < 1 {
		add("code needs 6 to 10 digits and at least one try, has %d and %d", r.Code.Digits, r.Code.Tries)
	}
	if r.NoticeVersion < 1 {
		add("notice_version must be at least 1, is %d", r.NoticeVersion)
	}
	if r.RightsSource == "" || r.Trust.Source == "" || r.Code.Source == "" || r.Invite.Source == "" {
		add("rights_source, trust.source, code.source and invite.source must say where the values come from")
	}
	return errors.Join(bad...)
}

// ParseRights decodes configs/policies/rights.yaml strictly.
func ParseRights(name string, body []byte) (Rights, error) {
	var r Rights
	if err := configs.Decode(name, body, &r); err != nil {
		return Rights{}, err
	}
	if err := r.Validate(); err != nil {
		return Rights{}, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}
