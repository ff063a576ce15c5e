package officialaccount

import "shaoying/bots"

// codes says what an errcode means for what we sent. Tokens that are not valid,
// and -1, are temporary for all of Tencent's servers (bots/weixin); what is in no
// table is a refusal of our message. Sources: the table of the platform,
// developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html, and the
// pages of the calls.
var codes = map[int]bots.Class{
	codeWindow: bots.ClassClosed, // response out of time limit: the 48 hours are over
	codeQuota:  bots.ClassClosed, // out of response count limit: 5 were sent in them

	40003: bots.ClassGone, // invalid openid: of another account, or never a follower
	43004: bots.ClassGone, // require subscribe: the user does not follow (any more)
	50002: bots.ClassGone, // user limited: the user's account is frozen or closed

	codeRefused: bots.ClassClosed, // the user refuses this notice, or used up the consent
	43107:       bots.ClassClosed, // notices of this account were stopped
	43116:       bots.ClassClosed, // this template was abused and is held back

	45009:      bots.ClassThrottled, // the account's calls of the day
	45011:      bots.ClassThrottled, // too many a minute
	codeBanned: bots.ClassLoggedOut, // banned for irregularities: see the account's page

	// An operator has to act before anything gets through. No right to the call is
	// among these, for customer messages are what the whole channel lives on: an
	// account without them (not certified, a personal one) can send nobody
	// anything. To a notice alone it means less, see notice.go.
	codeNoRight:   bots.ClassLoggedOut,
	codeNotListed: bots.ClassLoggedOut, // our address is not on the account's list
	codeAppID:     bots.ClassLoggedOut,
	codeSecret:    bots.ClassLoggedOut,
	codeFrozen:    bots.ClassLoggedOut,
}

// Codes that are spoken of by name.
const (
	codeWindow    = 45015
	codeQuota     = 45047
	codeRefused   = 43101
	codeNoRight   = 48001
	codeBanned    = 48004
	codeNotListed = 40164
	codeAppID     = 40013
	codeSecret    = 40125
	codeFrozen    = 40243 // the AppSecret was frozen on the account's page
	codeTemplate  = 40037
)
