package wechat

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// The codes of WeChat whose meaning is known. There is no list by Tencent; these
// are the library's and those of others who met them.
const (
	retTicket   = -14
	retSystem   = -1
	retParam    = 1    // no such receiver, mostly
	retWarned   = 1100 // the phone logged us out
	retElse     = 1101 // logged in somewhere else, or out
	retCookie   = 1102 // the login ran out
	retForbid   = 1203 // Web WeChat is not for this account, or not from here
	retTooOften = 1205
)

// meanings are what people who have to act are told.
var meanings = map[int]struct {
	why     string
	refused bool
}{
	retTicket: {"WeChat no longer knows this login", false},
	retWarned: {"the login was ended on the phone", false},
	retElse:   {"the account was logged out, by its phone, by a login somewhere else, or by WeChat", false},
	retCookie: {"the login ran out", false},
	retForbid: {"WeChat refuses this account or this network: it may be banned from Web WeChat", true},
}

// over is the end of a login: nothing but a person mends it.
type over struct {
	ret     int
	why     string
	refused bool // scanning again at once would make it worse
}

func (o *over) Error() string { return o.why }

// verdict is what a code of an answer means, nil for 0.
func verdict(ret int) error {
	if ret == 0 {
		return nil
	}
	if m, ok := meanings[ret]; ok {
		return &over{ret: ret, why: m.why, refused: m.refused}
	}
	return openwechat.Ret(ret)
}

// judged finds the code in an error of the library.
func judged(err error) error {
	var ret openwechat.Ret
	if errors.As(err, &ret) {
		return verdict(int(ret))
	}
	return err
}

// tooOften reports whether WeChat asked to be left alone.
func tooOften(err error) bool {
	var ret openwechat.Ret
	return errors.As(err, &ret) && ret == retTooOften
}

// because is an error without the addresses of calls: keys stand in them.
func because(err error) error {
	var of *bots.Error
	var over *over
	var ret openwechat.Ret
	switch {
	case err == nil:
		return nil
	case errors.As(err, &of):
		return of
	case errors.As(err, &over):
		return over
	case errors.As(err, &ret):
		return errors.New("WeChat answered " + strconv.Itoa(int(ret)))
	}
	if call := new(url.Error); errors.As(err, &call) {
		err = call.Err
	}
	return errors.New(wire.Plain(err.Error()))
}

// failed is why a send failed.
func (a *Adapter) failed(err error) *bots.Error {
	var of *bots.Error
	var over *over
	var ret openwechat.Ret
	err = judged(err)
	switch {
	case errors.As(err, &of):
		return of
	case errors.As(err, &over):
		return &bots.Error{Class: bots.ClassLoggedOut, Err: over}
	case errors.As(err, &ret):
		said := fmt.Errorf("WeChat answered %d", int(ret))
		switch int(ret) {
		case retParam:
			return &bots.Error{Class: bots.ClassGone, Err: said}
		case retSystem:
			return &bots.Error{Class: bots.ClassTemporary, Err: said}
		case retTooOften:
			return &bots.Error{Class: bots.ClassThrottled, After: a.limits.TooOften, Err: said}
		}
		return &bots.Error{Class: bots.ClassRejected, Err: said}
	}
	return &bots.Error{Class: bots.ClassUnknown, Err: because(err)}
}
