// Package wechatfake is Web WeChat for tests: the calls that a program makes of it,
// people and groups, and everything that goes wrong with it.
//
// What somebody wrote is kept, and given for every sync key that lies before it;
// it counts as taken once a later key was asked with. Every scan gives everybody a
// new name, as the real one does; a login whose cookies are missing is refused.
// One server stands for all of Tencent's; which one was meant is told by
// X-Forwarded-Host. It is made from what the library asks and what others have
// seen, not from Tencent.
package wechatfake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// hold is how long a poll stays open when nothing happens. It is long, so that
// tests are woken by what happens and not by it.
const hold = 20 * time.Second

// Server is Web WeChat with one account in it. It is safe for use by many
// goroutines.
type Server struct {
	http     *httptest.Server
	down     atomic.Bool
	requests atomic.Int64
	closed   chan struct{}

	mu      sync.Mutex
	change  chan struct{} // closed and made anew with every change
	faults  Faults
	sends   []Fault
	people  []*Person // contacts and groups
	log     []message // everything that was said; a sync key is a place in it
	acked   int
	sent    []Sent
	uploads map[string][]byte
	files   map[string][]byte
	hits    map[string]int
	scanned Scan
	told    bool // that somebody scanned
	auto    bool
	codes   int
	epoch   int // how many logins there were; names are made of it
	alive   bool
	ret     int // what ended the login
	nextID  int64
}

// Scan is what somebody did with the login code.
type Scan int

// The steps of a login.
const (
	Waiting Scan = iota
	Scanned
	Confirmed
	Expired
)

// Faults are what is wrong with the network until it is set anew.
type Faults struct {
	// NoSyncKey answers webwxsync without a sync key.
	NoSyncKey bool
	// Impatient answers polls at once, whatever happened.
	Impatient bool
	// BadCount says that a sync key has fewer parts than it has.
	BadCount bool
	// HTML answers everything with a page.
	HTML bool
	// Refused refuses a login that was confirmed: 1203.
	Refused bool
	// ShortLived ends a login as soon as it was entered: 1101.
	ShortLived bool
	// NoUpload refuses pictures: 1.
	NoUpload bool
	// NoPush does not ask the phone.
	NoPush bool
	// RemarksLost forgets the remarks at the next scan.
	RemarksLost bool
	// NoRemark refuses to write remarks: 1, or TooOften 1205.
	NoRemark, TooOften bool
	// NullMessages puts nothing among the messages.
	NullMessages bool
	// Status answers everything with this HTTP status.
	Status int
}

// Fault is how one send fails.
type Fault struct {
	// Ret is the code of the answer.
	Ret int
	// Drop takes the message and cuts the connection.
	Drop bool
}

// New starts a network.
func New() *Server {
	s := &Server{
		closed: make(chan struct{}), change: make(chan struct{}), hits: map[string]int{},
		uploads: map[string][]byte{}, files: map[string][]byte{}, nextID: 7_000_000_000_000_000_000,
	}
	s.http = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.http.Config.ErrorLog = log.New(discard{}, "", 0)
	s.http.Start()
	return s
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// URL is where the network is.
func (s *Server) URL() string { return s.http.URL }

// Close ends the network.
func (s *Server) Close() {
	close(s.closed)
	s.http.CloseClientConnections()
	s.http.Close()
}

// with does something under the lock and wakes who waits.
func (s *Server) with(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.change)
	s.change = make(chan struct{})
}

// AutoLogin makes a person scan and confirm every code at once, or nobody.
func (s *Server) AutoLogin(auto bool) { s.with(func() { s.auto = auto }) }

// Scan does something with the code that is shown.
func (s *Server) Scan(step Scan) { s.with(func() { s.scanned = step }) }

// Kick ends the login with a code: 1101 on the phone, 1203 by Tencent.
func (s *Server) Kick(ret int) { s.with(func() { s.alive, s.ret = false, ret }) }

// Fault sets what is wrong from now on.
func (s *Server) Fault(f Faults) { s.with(func() { s.faults = f }) }

// FailSend makes the next send fail.
func (s *Server) FailSend(f Fault) { s.with(func() { s.sends = append(s.sends, f) }) }

// Down cuts the network off, or back on.
func (s *Server) Down(down bool) {
	s.down.Store(down)
	if down {
		s.http.CloseClientConnections()
	}
}

// Requests is how many requests reached for the network, answered or not.
func (s *Server) Requests() int { return int(s.requests.Load()) }

// Hits is how often a call was made, by the last word of its path.
func (s *Server) Hits(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[call]
}

// Codes is how many login codes were shown.
func (s *Server) Codes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes
}

// Alive reports whether the account is logged in.
func (s *Server) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.alive
}

// Waiting is how many messages were not taken yet.
func (s *Server) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.log) - s.acked
}

// Redeliver gives the last message that was taken once more.
func (s *Server) Redeliver() {
	s.with(func() {
		if s.acked > 0 {
			s.log = append(s.log, s.log[s.acked-1])
		}
	})
}

// Secrets are what must stand in no log: keys, cookies, codes and names.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []string{secretKey, secretSid, secretPass, secretTicket, s.code(), s.self()}
	for _, p := range s.people {
		out = append(out, s.name(p))
	}
	return out
}

const (
	secretKey    = "@crypt_5f1c0a77_fake"
	secretSid    = "SidOfTheFake0123456789"
	secretPass   = "PassTicketOfTheFake%2B42"
	secretTicket = "DataTicketOfTheFakeXYZ"
	uin          = "900100200"
	domain       = "wx.qq.com"
)

// code is what the login code says now.
func (s *Server) code() string { return fmt.Sprintf("FakeCode%04d==", s.codes) }

// made makes the name of somebody in this login.
func (s *Server) made(who string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", s.epoch, who))
	return hex.EncodeToString(sum[:])
}

func (s *Server) self() string { return "@" + s.made("self") }

// Self is the account's own name in this login.
func (s *Server) Self() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.self()
}

func (s *Server) name(p *Person) string {
	if p.group {
		return "@@" + s.made(p.nick)
	}
	return "@" + s.made(p.nick)
}

func (s *Server) named(name string) *Person {
	for _, p := range s.people {
		if s.name(p) == name {
			return p
		}
	}
	return nil
}

// escaped is a text as Web WeChat shows it.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\n", "<br/>").Replace(text)
}
