package officialaccountfake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// push is something that WeChat wants to tell the account.
type push struct{ user, xml string }

// lane is one user: what is to be told of him, in order.
type lane struct {
	follows bool
	busy    bool // a push of this user is under way
	queue   []*push
	running bool
}

// enqueue tells of a user behind what is to be told already; the lock is held.
func (s *Server) enqueue(user string, p *push) {
	l := s.person(user)
	l.queue = append(l.queue, p)
	if !l.running {
		l.running = true
		s.senders.Add(1)
		go s.work(l)
	}
}

// again is how long WeChat waits here before it pushes once more. The real one
// gives up after three times; this one never does.
const again = 5 * time.Millisecond

func (s *Server) work(l *lane) {
	defer s.senders.Done()
	for {
		s.mu.Lock()
		if len(l.queue) == 0 {
			l.running = false
			s.mu.Unlock()
			return
		}
		head := l.queue[0]
		s.mu.Unlock()
		if !s.try(head) {
			wait := time.NewTimer(again)
			select {
			case <-s.quit:
				wait.Stop()
				return
			case <-wait.C:
			}
			continue
		}
		s.do(func() { l.queue, s.last = l.queue[1:], head })
	}
}

// try pushes once and reports whether it was answered.
func (s *Server) try(p *push) bool {
	s.do(func() { s.busy++; s.person(p.user).busy = true })
	defer s.do(func() {
		s.busy--
		s.person(p.user).busy = false
		s.settled.Broadcast()
	})
	status, body, err := s.Post(p.xml)
	switch {
	case err != nil:
		return false
	case status/100 == 4:
		s.do(func() { s.refusals = append(s.refusals, strconv.Itoa(status)+" "+string(body)) })
		return true
	case status != http.StatusOK:
		return false
	case len(body) == 0 || string(body) == "success":
		return true
	}
	if err := s.show(p, body); err != nil {
		s.do(func() { s.refusals = append(s.refusals, err.Error()) })
	}
	return true
}

// Post pushes the XML of a message once, as it is, whoever else is being pushed.
func (s *Server) Post(message string) (status int, body []byte, err error) {
	var base string
	s.do(func() { base = s.base })
	if base == "" {
		return 0, nil, errors.New("nobody listens")
	}
	req, err := s.Request(base, message)
	if err != nil {
		return 0, nil, err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// Request makes an honest push of the XML of a message.
func (s *Server) Request(base, message string) (*http.Request, error) {
	stamp, nonce := strconv.FormatInt(s.clock().Unix(), 10), "1320562132"
	q := url.Values{"signature": {Sign(Token, stamp, nonce)}, "timestamp": {stamp}, "nonce": {nonce}, "openid": {"o"}}
	body := message
	if s.Safe {
		sealed := seal([]byte(message))
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", Sign(Token, stamp, nonce, sealed))
		body = "<xml>" + element("ToUserName", Original) + element("Encrypt", sealed) + "</xml>"
	}
	req, err := http.NewRequest(http.MethodPost, base+"?"+q.Encode(), strings.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", "text/xml")
	}
	return req, err
}

// Redeliver pushes once more what was answered last.
func (s *Server) Redeliver() {
	s.do(func() {
		if s.last != nil {
			s.enqueue(s.last.user, s.last)
		}
	})
}

// Waiting is how many pushes were not answered.
func (s *Server) Waiting() (n int) {
	s.do(func() {
		for _, l := range s.users {
			n += len(l.queue)
		}
	})
	return n
}

// Settle waits until no push is under way, so that whatever was answered was seen.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy > 0 {
		s.settled.Wait()
	}
}

// overtake is how long a customer message is held back for a push of its user that
// is under way: what was answered to it is shown before.
const overtake = 30 * time.Millisecond

// hold waits that long for a user's push; the lock is held, but for the wait.
func (s *Server) hold(user string) {
	late := false
	timer := time.AfterFunc(overtake, func() { s.do(func() { late = true; s.settled.Broadcast() }) })
	defer timer.Stop()
	for s.person(user).busy && !late {
		s.settled.Wait()
	}
}

// Refusals are the answers by which honest pushes were refused, or which WeChat
// could not read.
func (s *Server) Refusals() (out []string) {
	s.do(func() { out = append(out, s.refusals...) })
	return out
}

// show shows the answer to a push to its user.
func (s *Server) show(p *push, body []byte) error {
	if s.Safe {
		var outer struct {
			Encrypt, MsgSignature, TimeStamp, Nonce string
		}
		if err := xml.Unmarshal(body, &outer); err != nil || Sign(Token, outer.TimeStamp, outer.Nonce, outer.Encrypt) != outer.MsgSignature {
			return fmt.Errorf("an answer that is not sealed and signed: %v", err)
		}
		var err error
		if body, err = unseal(outer.Encrypt); err != nil {
			return err
		}
	}
	var a struct {
		ToUserName, FromUserName, MsgType, Content string
		CreateTime                                 int64
	}
	if err := xml.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("an answer that is no XML: %w", err)
	}
	if a.ToUserName != p.user || a.FromUserName != Original || a.MsgType != "text" || a.Content == "" || len(a.Content) > 2048 || a.CreateTime == 0 {
		return fmt.Errorf("an answer of type %q with %d bytes to the wrong place", a.MsgType, len(a.Content))
	}
	s.do(func() { s.sent = append(s.sent, Message{User: p.user, Text: a.Content, Passive: true}) })
	return nil
}

// Sign is the signature of WeChat over some parts.
func Sign(token string, parts ...string) string {
	all := append([]string{token}, parts...)
	slices.Sort(all)
	return fmt.Sprintf("%x", sha1.Sum([]byte(strings.Join(all, ""))))
}

func key() []byte {
	k, err := base64.StdEncoding.DecodeString(AESKey + "=")
	if err != nil {
		panic(err) // a constant
	}
	return k
}

func block() cipher.Block {
	b, err := aes.NewCipher(key())
	if err != nil {
		panic(err)
	}
	return b
}

func seal(message []byte) string {
	plain := append([]byte("0123456789abcdef"), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(plain[16:], uint32(len(message)))
	plain = append(append(plain, message...), AppID...)
	pad := 32 - len(plain)%32
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block(), key()[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}

func unseal(sealed string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(raw) < 32 || len(raw)%16 != 0 {
		return nil, errors.New("an answer that is not sealed")
	}
	cipher.NewCBCDecrypter(block(), key()[:16]).CryptBlocks(raw, raw)
	raw = raw[:len(raw)-int(raw[len(raw)-1])]
	n := int(binary.BigEndian.Uint32(raw[16:]))
	if n > len(raw)-20 || string(raw[20+n:]) != AppID {
		return nil, errors.New("an answer that is sealed for another account")
	}
	return raw[20 : 20+n], nil
}
