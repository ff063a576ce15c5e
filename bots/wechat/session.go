package wechat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/eatmoreapple/openwechat"

	"shaoying/bots"
)

// stateLogin is where the login is kept.
const stateLogin = "login"

// session is one login. It does not change, but for what guards itself; the sync
// key is Run's alone.
type session struct {
	caller  *openwechat.Caller
	cookies *cookies
	info    *openwechat.LoginInfo
	request *openwechat.BaseRequest
	self    *openwechat.User
	mark    string
	people  *contacts
	key     *openwechat.SyncKey
}

// kept is a login as it is saved. Who has it is the account.
type kept struct {
	Info    *openwechat.LoginInfo   `json:"info"`
	Request *openwechat.BaseRequest `json:"request"`
	Domain  openwechat.WechatDomain `json:"domain"`
	Key     *openwechat.SyncKey     `json:"key"`
	Cookies []cookie                `json:"cookies"`
}

// load reads the kept login, nil where there is none.
func (a *Adapter) load(ctx context.Context) (*kept, error) {
	var k *kept
	err := a.persist(ctx, "reading the kept login", func(ctx context.Context) error {
		raw, err := a.deps.State.Load(ctx, stateLogin)
		if err != nil || len(raw) == 0 {
			return err
		}
		k = &kept{}
		if json.Unmarshal(raw, k) != nil || k.Info == nil || k.Request == nil || k.Domain == "" || checkKey(k.Key) != nil {
			a.log.Warn("the kept WeChat login cannot be read, and somebody has to scan again")
			k = nil
		}
		return nil
	})
	return k, err
}

// save makes a login with this sync key durable.
func (a *Adapter) save(ctx context.Context, s *session, key *openwechat.SyncKey) error {
	raw, err := json.Marshal(kept{Info: s.info, Request: s.request, Domain: s.caller.Client.Domain, Key: key, Cookies: s.cookies.all()})
	if err != nil {
		return fmt.Errorf("write the login down: %w", err)
	}
	if err := a.deps.State.Save(ctx, stateLogin, raw); err != nil {
		return fmt.Errorf("keep the login: %w", err)
	}
	return nil
}

// checkKey refuses a sync key with which the library would break down.
func checkKey(k *openwechat.SyncKey) error {
	if k == nil || len(k.List) == 0 {
		return errors.New("the answer has no sync key")
	}
	k.Count = len(k.List)
	return nil
}

// markOf is what the ids of one login begin with: WeChat gives ourselves a new name
// at every scan too.
func markOf(self string) string {
	sum := sha256.Sum256([]byte(self))
	return hex.EncodeToString(sum[:4])
}

// ChatOf is the id of the chat with a contact or group, in the login in which our
// own name is self. People have the same ids.
func ChatOf(self, name string) bots.ChatID { return bots.ChatID(markOf(self) + name) }

// nameOf takes an id apart; ok is false for one of another login.
func (s *session) nameOf(chat bots.ChatID) (name string, ok bool) {
	name, ok = strings.CutPrefix(string(chat), s.mark)
	return name, ok && strings.HasPrefix(name, "@")
}

// options are what every call of the library is given.
func (s *session) options(key *openwechat.SyncKey) openwechat.CallerCommonOptions {
	return openwechat.CallerCommonOptions{
		BaseRequest: s.request, LoginInfo: s.info,
		WebInitResponse: &openwechat.WebInitResponse{SyncKey: key, User: s.self},
	}
}
