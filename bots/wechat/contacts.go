package wechat

import (
	"context"
	"crypto/rand"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/eatmoreapple/openwechat"
)

// hintShape is a hint inside a remark; hintLength is the length of its random part.
var hintShape = regexp.MustCompile(`\br:[a-z2-7]{8}\b`)

const hintLength = 8

// contacts are the people and groups of one login. It is safe for use by many
// goroutines.
type contacts struct {
	session *session

	mu    sync.Mutex
	known map[string]*openwechat.User
	// asked are those whom WeChat was asked about, so that it is asked once.
	asked map[string]bool
	// planned are hints that are given already and not written yet, queue whose.
	planned map[string]string
	queue   []string
	wrote   time.Time
	failed  bool
}

func newContacts(s *session) *contacts {
	return &contacts{session: s, known: map[string]*openwechat.User{}, asked: map[string]bool{}, planned: map[string]string{}}
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

// hints are the hint that a contact has, or is to have.
func (c *contacts) hints(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	hint := c.planned[name]
	if u := c.known[name]; u != nil && hint == "" {
		hint = hintShape.FindString(u.RemarkName)
	}
	if hint == "" {
		return nil
	}
	return []string{hint}
}

// meet gives a contact a hint who wrote to us and has none. It is in force at once
// and written later.
func (c *contacts) meet(name string, longest int) {
	hint := "r:" + strings.ToLower(rand.Text()[:hintLength])
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.known[name]
	if u == nil || c.planned[name] != "" || hintShape.MatchString(u.RemarkName) || utf8.RuneCountInString(withHint(u.RemarkName, hint)) > longest {
		return // who is no contact cannot have a remark, and somebody's long one stays
	}
	c.planned[name] = hint
	c.queue = append(c.queue, name)
}

func withHint(remark, hint string) string { return strings.TrimSpace(remark + " " + hint) }

// remark writes one hint, at most one each Limits.RemarkEvery, and none for a while
// where WeChat says "too often". One that fails goes to the end of the queue.
func (c *contacts) remark(ctx context.Context, a *Adapter) {
	now := a.deps.Clock.Wall()
	c.mu.Lock()
	if len(c.queue) == 0 || now.Sub(c.wrote) < a.limits.RemarkEvery {
		c.mu.Unlock()
		return
	}
	name := c.queue[0]
	noted := *c.known[name]
	noted.RemarkName = withHint(noted.RemarkName, c.planned[name])
	c.wrote = now
	c.mu.Unlock()
	err := c.session.caller.WebWxOplog(ctx, &openwechat.CallerWebWxOplogOptions{RemarkName: noted.RemarkName, ToUserName: name, BaseRequest: c.session.request})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = c.queue[1:]
	if err != nil {
		if tooOften(err) {
			c.wrote = now.Add(a.limits.TooOften - a.limits.RemarkEvery)
		}
		if !c.failed && ctx.Err() == nil {
			a.log.Warn("a remark could not be written on a contact, who is a stranger after the next scan", "error", because(judged(err)))
		}
		c.failed, c.queue = true, append(c.queue, name)
		return
	}
	c.failed = false
	c.known[name] = &noted
	delete(c.planned, name)
}
