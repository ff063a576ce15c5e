package wecom

import (
	"shaoying/bots"
	"shaoying/bots/weixin"
)

// codes say what WeCom's errcodes mean for a message. Source:
// developer.work.weixin.qq.com/document/path/90313 (global codes). What is not
// here, and not a matter of the token (bots/weixin), is a refusal of the message.
var codes = map[int]bots.Class{
	6000: bots.ClassTemporary, // several wrote at once

	45009: bots.ClassThrottled, // calls of this interface
	45033: bots.ClassThrottled, // calls at the same time
	45011: bots.ClassThrottled,

	codeNobody:      bots.ClassGone,
	codeBadUser:     bots.ClassGone,
	codeBadExternal: bots.ClassGone,
	60111:           bots.ClassGone, // no such member
	84061:           bots.ClassGone, // no such customer
	301052:          bots.ClassGone, // the member's licence ran out

	codeTooMany:      bots.ClassClosed,
	codeTooLate:      bots.ClassClosed,
	95013:            bots.ClassClosed, // the session is over
	codeSession:      bots.ClassClosed,
	codeNoTransition: bots.ClassClosed,

	codeBadCorp:    bots.ClassLoggedOut,
	codeBadAgent:   bots.ClassLoggedOut,
	codeNoAPI:      bots.ClassLoggedOut,
	codeAgentOff:   bots.ClassLoggedOut,
	codeNoRight:    bots.ClassLoggedOut,
	codeBadIP:      bots.ClassLoggedOut,
	codeNoAgent:    bots.ClassLoggedOut,
	codeBadKF:      bots.ClassLoggedOut,
	codeNoKF:       bots.ClassLoggedOut,
	codeKFElse:     bots.ClassLoggedOut,
	codeKFNotHere:  bots.ClassLoggedOut,
	codeKFSwitch:   bots.ClassLoggedOut,
	codeForbidden:  bots.ClassLoggedOut,
	codeNotAllowed: bots.ClassLoggedOut,
}

// Codes that are spoken of elsewhere.
const (
	codeBadSecret   = 40001
	codeBadUser     = 40003
	codeBadCorp     = 40013
	codeBadAgent    = 40056
	codeBadExternal = 40096
	codeSameTask    = 42014 // a card with this task_id is there already
	codeNoAPI       = 48002
	codeNoRight     = 60011
	codeBadIP       = 60020
	codeNoAgent     = 301002
	codeAgentOff    = 50005 // the application is switched off
	codeForbidden   = 50001
	codeNobody      = 81013
	codeNotAllowed  = 48004

	codeBadKF        = 95000
	codeTooMany      = 95001
	codeTooLate      = 95002
	codeNoKF         = 95004
	codeBadTicket    = 95007 // the token of the callback
	codeKFElse       = 95011
	codeKFNotHere    = 95012
	codeNoTransition = 95016
	codeKFSwitch     = 95017
	codeSession      = 95018
)

// refusedBy reports whether WeCom refused a call by an errcode.
func refusedBy(err error, code int) bool { return err != nil && weixin.CodeOf(err) == code }
