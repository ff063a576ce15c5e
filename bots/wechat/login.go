package wechat

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// scanAddress is what a login code says.
const scanAddress = "https://login.weixin.qq.com/l/"

// startDomain is where a login begins; where it goes on is said by WeChat.
const startDomain = "wx.qq.com"

// errExpired: nobody scanned the code, or tapped, in time.
var errExpired = errors.New("nobody scanned in time")

// login comes back with a session that is up and kept, or when ctx ended. why is
// what ended the last one.
func (a *Adapter) login(ctx context.Context, k *kept, why string) (*session, error) {
	if k != nil {
		s, err := a.hot(ctx, k)
		over := new(over)
		if err == nil || !errors.As(err, &over) {
			return s, err
		}
		why = over.Error()
		a.log.Info("the kept WeChat login is over", "code", over.ret)
		if !over.refused {
			s, err = a.push(ctx, k, why)
		}
		switch {
		case err == nil, ctx.Err() != nil:
			return s, err
		case errors.As(err, &over) && over.refused:
			why = over.Error()
			if err := a.refused(ctx, over); err != nil {
				return nil, err
			}
		default:
			a.log.Info("the phone did not confirm, somebody has to scan", "error", because(err))
		}
	}
	for failures := 0; ; {
		s, err := a.scan(ctx, why)
		over := new(over)
		switch {
		case err == nil, ctx.Err() != nil:
			return s, err
		case errors.As(err, &over) && !over.refused:
			// It was logged out again before it was up: somebody has to scan anew.
			failures++
			why = over.Error()
			a.log.Warn("the WeChat account was logged out", "code", over.ret)
		case errors.As(err, &over):
			a.log.Warn("WeChat refuses the login", "code", over.ret, "reason", over.Error())
			why = over.Error()
			if err := a.refused(ctx, over); err != nil {
				return nil, err
			}
		case errors.Is(err, errExpired):
			failures = 0
		default:
			if failures++; failures == 1 {
				a.log.Warn("logging in fails and is tried again", "error", because(err))
				a.show(bots.StandingStarting, "", "WeChat cannot be reached, or answers what cannot be read")
			}
		}
		if !a.rest(ctx, failures, err) {
			return nil, ctx.Err()
		}
	}
}

// hot goes on with a kept login.
func (a *Adapter) hot(ctx context.Context, k *kept) (s *session, err error) {
	err = a.persist(ctx, "going on with the kept login", func(ctx context.Context) error {
		caller, jar := a.caller(k.Domain, k.Cookies)
		s, err = a.up(ctx, &session{caller: caller, cookies: jar, info: k.Info, request: k.Request, key: k.Key})
		ret := openwechat.Ret(0)
		if errors.As(err, &ret) && ret != retSystem && ret != retTooOften {
			err = &over{ret: int(ret), why: "WeChat does not take the kept login"}
		}
		return err
	})
	return s, err
}

// push asks the phone to log in again, which it does for a while after a login.
func (a *Adapter) push(ctx context.Context, k *kept, why string) (*session, error) {
	caller, jar := a.caller(k.Domain, k.Cookies)
	asked, err := caller.WebWxPushLogin(ctx, k.Info.WxUin)
	if err != nil {
		return nil, err
	}
	if !asked.Ok() {
		return nil, errors.New("WeChat does not ask the phone")
	}
	a.show(bots.StandingConfirm, "", why)
	return a.await(ctx, caller, jar, asked.UUID, "1", why)
}

// scan shows a code and waits until it was scanned and confirmed.
func (a *Adapter) scan(ctx context.Context, why string) (*session, error) {
	caller, jar := a.caller(startDomain, nil)
	code, err := caller.GetLoginUUID(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for a login code: %w", err)
	}
	a.show(bots.StandingScan, scanAddress+code, why)
	return a.await(ctx, caller, jar, code, "0", why)
}

// await asks until somebody decided about a login code. An answer that decides
// nothing is followed by Limits.Pause: a broken server answers at once.
func (a *Adapter) await(ctx context.Context, caller *openwechat.Caller, jar *cookies, code, tip, why string) (*session, error) {
	for {
		asked := a.deps.Clock.Wall()
		answer, err := caller.CheckLogin(ctx, code, tip)
		if err != nil {
			return nil, fmt.Errorf("ask whether the code was scanned: %w", err)
		}
		said, err := answer.Code()
		if err != nil {
			return nil, errors.New("ask whether the code was scanned: the answer cannot be read")
		}
		switch said {
		case openwechat.LoginCodeSuccess:
			to, err := answer.RedirectURL()
			if err != nil {
				return nil, errors.New("the login leads nowhere")
			}
			return a.enter(ctx, caller, jar, to)
		case openwechat.LoginCodeScanned:
			a.show(bots.StandingConfirm, "", why)
		case openwechat.LoginCodeTimeout:
			return nil, errExpired
		case openwechat.LoginCodeWait:
		default:
			return nil, fmt.Errorf("WeChat answered %s to whether the code was scanned", wire.Plain(string(said)))
		}
		tip = "0"
		if err := a.pause(ctx, a.left(asked)); err != nil {
			return nil, err
		}
	}
}

// enter fetches the keys of a login that was confirmed.
func (a *Adapter) enter(ctx context.Context, caller *openwechat.Caller, jar *cookies, to *url.URL) (*session, error) {
	if !a.limits.known(to.Hostname()) {
		return nil, &over{why: "WeChat leads this account to servers that are not on the list, perhaps abroad", refused: true}
	}
	query := to.Query()
	query.Set("version", "v2")
	to.RawQuery = query.Encode()
	resp, err := caller.Client.GetLoginInfo(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("enter: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("enter: %w", err)
	}
	info := &openwechat.LoginInfo{}
	if err := xml.Unmarshal(raw, info); err != nil {
		return nil, errors.New("enter: the answer is no login")
	}
	if info.Ret != 0 { // whatever the code: it was confirmed, and is refused
		why := meanings[retForbid].why
		if m, ok := meanings[info.Ret]; ok {
			why = m.why
		}
		return nil, &over{ret: info.Ret, why: why, refused: true}
	}
	caller.Client.Domain = openwechat.WechatDomain(to.Host)
	request := &openwechat.BaseRequest{Uin: info.WxUin, Sid: info.WxSid, Skey: info.SKey, DeviceID: openwechat.GetRandomDeviceId()}
	return a.up(ctx, &session{caller: caller, cookies: jar, info: info, request: request})
}

// up makes a login usable: who we are, whom we know, from where to go on. It is
// kept before anything is received.
func (a *Adapter) up(ctx context.Context, s *session) (*session, error) {
	start, err := s.caller.WebInit(ctx, s.request)
	if err != nil {
		return nil, fmt.Errorf("start: %w", judged(err))
	}
	if start.User == nil || start.User.UserName == "" {
		return nil, errors.New("start: WeChat does not say who we are")
	}
	s.self, s.mark = start.User, markOf(start.User.UserName)
	if s.key == nil {
		s.key = start.SyncKey
	}
	if err := checkKey(s.key); err != nil {
		return nil, fmt.Errorf("start: %w", err)
	}
	notice := openwechat.CallerWebWxStatusNotifyOptions(s.options(s.key))
	if err := s.caller.WebWxStatusNotify(ctx, &notice); err != nil {
		return nil, fmt.Errorf("start: tell the phone: %w", judged(err))
	}
	s.people = newContacts(s)
	s.people.add(start.ContactList)
	all, err := s.caller.WebWxGetContact(ctx, s.info)
	if err != nil {
		return nil, fmt.Errorf("start: read the contacts: %w", judged(err))
	}
	s.people.add(all)
	return s, a.persist(ctx, "keeping the login", func(ctx context.Context) error { return a.save(ctx, s, s.key) })
}

// left is how much of a pause is left since a round began.
func (a *Adapter) left(began time.Time) time.Duration {
	return a.limits.Pause - a.deps.Clock.Since(began)
}
