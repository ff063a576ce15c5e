package wechat

import (
	"context"
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/eatmoreapple/openwechat"
)

// hintShape is a hint inside a remark.
var hintShape = regexp.MustCompile(`\br:[a-z2-7]{8}\b`)

// contacts are the people and groups of one login. It is safe for use by many
// goroutines.
type contacts struct {
	session *session

	mu    sync.Mutex
	known map[string]*openwechat.User
	// asked are those whom WeChat was asked about, so that it is asked once.
	asked map[string]bool
	// bare are contacts who wrote to us and have no hint yet, in order.
	bare   []string
	wrote  time.Time
	failed bool
}

func newContacts(s *session) *contacts {
	return &contacts{session: s, known: map[string]*openwechat.User{}, asked: map[string]bool{}}
}

func (c *contacts) add(list openwechat.Members) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range list {
		if u != nil && u.UserName != "" {
			c.known[u.UserName] = u
		}
	}
}

// find returns what is known of a contact or group, nil for nothing. WeChat is
// asked once about whom the list of contacts lacks, and about the members of a
// group.
func (c *contacts) find(ctx context.Context, name string) *openwechat.User {
	c.mu.Lock()
	u, asked := c.known[name], c.asked[name]
	c.mu.Unlock()
	if asked || u != nil && (!strings.HasPrefix(name, "@@") || len(u.MemberList) > 0) {
		return u
	}
	got, err := c.session.caller.WebWxBatchGetContact(ctx, openwechat.Members{{UserName: name}}, c.session.request)
	if err != nil {
		return u // names are for show; the next message asks again
	}
	c.add(got)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[name] = true
	return c.known[name]
}

// member is somebody in a group, nil where nothing is known.
func member(group *openwechat.User, name string) *openwechat.User {
	if group == nil {
		return nil
	}
	for _, m := range group.MemberList {
		if m != nil && m.UserName == name {
			return m
		}
	}
	return nil
}

// called is what a contact is called, for show.
func called(u *openwechat.User) string {
	if u == nil {
		return ""
	}
	for _, name := range []string{u.DisplayName, u.NickName, u.RemarkName} {
		if name = line(text(name)); name != "" {
			return name
		}
	}
	return ""
}

// hints are the hint in a contact's remark, if there is one.
func (c *contacts) hints(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.known[name]
	if u == nil {
		return nil
	}
	if hint := hintShape.FindString(u.RemarkName); hint != "" {
		return []string{hint}
	}
	return nil
}

// meet notes that a contact wrote to us who may need a hint.
func (c *contacts) meet(name string, max int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.known[name]
	if u == nil || hintShape.MatchString(u.RemarkName) || utf8.RuneCountInString(withHint(u.RemarkName, "r:01234567")) > max {
		return // a stranger cannot have a remark, and a long one of somebody's stays
	}
	for _, b := range c.bare {
		if b == name {
			return
		}
	}
	c.bare = append(c.bare, name)
}

func withHint(remark, hint string) string { return strings.TrimSpace(remark + " " + hint) }

// remark writes a hint on one contact who lacks it, at most one each
// Limits.RemarkEvery. It is for later; what fails is tried when the next message
// comes.
func (c *contacts) remark(ctx context.Context, a *Adapter) {
	c.mu.Lock()
	now := a.deps.Clock.Wall()
	if len(c.bare) == 0 || now.Sub(c.wrote) < a.limits.RemarkEvery {
		c.mu.Unlock()
		return
	}
	c.wrote = now
	u := c.known[c.bare[0]]
	c.mu.Unlock()
	text := withHint(u.RemarkName, "r:"+strings.ToLower(rand.Text()[:8]))
	err := c.session.caller.WebWxOplog(ctx, &openwechat.CallerWebWxOplogOptions{RemarkName: text, ToUserName: u.UserName, BaseRequest: c.session.request})
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		if !c.failed {
			a.log.Warn("a remark could not be written: after the next scan this contact is a stranger", "error", fmt.Sprint(because(judged(err))))
		}
		c.failed = true
		c.bare = append(c.bare[1:], c.bare[0])
		return
	}
	c.failed = false
	c.bare = c.bare[1:]
	noted := *u
	noted.RemarkName = text
	c.known[u.UserName] = &noted
}
