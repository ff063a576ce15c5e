package officialaccount

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/bots/weixin"
	"shaoying/bots/wire"
)

// maxQuery is the longest value of a query that WeChat signs.
const maxQuery = 256

// Handler answers the question whether the address is ours (GET) and takes pushes
// (POST), in any process.
func (c *Channel) Handler(sink bots.Sink) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodPost:
			w.Header().Set("Allow", "GET, POST")
			wire.Refused(w, http.StatusMethodNotAllowed)
		case !c.authentic(q):
			wire.Refused(w, http.StatusUnauthorized)
		case r.Method == http.MethodPost:
			c.receive(w, r, q, sink)
		case q.Get("echostr") == "" || len(q.Get("echostr")) > maxQuery:
			wire.Refused(w, http.StatusForbidden)
		default:
			_ = write(w, "text/plain; charset=utf-8", []byte(q.Get("echostr"))) // the page of the account says when it got none
		}
	})
}

// authentic checks the signature of a request, which covers its time and nonce.
func (c *Channel) authentic(q url.Values) bool {
	signature, stamp, nonce := q.Get("signature"), q.Get("timestamp"), q.Get("nonce")
	if stamp == "" || nonce == "" || len(stamp) > maxQuery || len(nonce) > maxQuery || !c.crypt.Signed(signature, stamp, nonce) {
		return false
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	now := c.deps.Clock.Wall()
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > c.cfg.Limits.Fresh {
		c.log.Warn("a push is signed but old, and refused: it is repeated by somebody, or the clock of this machine is wrong", "off", off.Round(time.Second))
		return false
	}
	return true
}

// receive takes a push whose signature is right.
func (c *Channel) receive(w http.ResponseWriter, r *http.Request, q url.Values, sink bots.Sink) {
	arrived := c.deps.Clock.Wall()
	body, ok := wire.Body(w, r, c.cfg.Limits.MaxBody)
	if !ok {
		return
	}
	p, err := c.read(q, body)
	if errors.Is(err, weixin.ErrForged) {
		wire.Refused(w, http.StatusForbidden)
		return
	}
	var events []bots.Event
	if err == nil {
		events, err = decoder{c.cfg.ID, c.invite, c.cfg.Limits.InviteWords}.decode(p)
	}
	if err != nil { // it would be the same the next time
		c.log.Error("a push cannot be read and is passed over", "error", err)
	}
	words, err := c.take(r.Context(), sink, events, arrived)
	if err != nil {
		c.log.Warn("a push was not taken and will come again", "error", err)
		wire.Refused(w, http.StatusServiceUnavailable)
		return
	}
	c.answer(w, r, p, words)
}

// read opens a push. In safe mode nothing is believed that is not sealed.
func (c *Channel) read(q url.Values, body []byte) (push, error) {
	p, err := parse(body)
	if !c.crypt.Sealed() {
		if err == nil && p.Type == "" && p.Sealed != "" {
			c.log.Error("a push is sealed, and there is no EncodingAESKey: set the account to plain mode, or aes_key_env")
			return push{}, weixin.ErrForged
		}
		return p, err
	}
	if err != nil || p.Sealed == "" || !c.crypt.Signed(q.Get("msg_signature"), q.Get("timestamp"), q.Get("nonce"), p.Sealed) {
		return push{}, weixin.ErrForged
	}
	plain, err := c.crypt.Open(p.Sealed)
	if err != nil {
		return push{}, err
	}
	return parse(plain)
}

// take hands events to the sink and waits for words that may go with the answer.
func (c *Channel) take(ctx context.Context, sink bots.Sink, events []bots.Event, arrived time.Time) (words, error) {
	if len(events) == 0 {
		return words{}, nil
	}
	within, cancel := context.WithDeadline(ctx, arrived.Add(c.cfg.Limits.AnswerWithin))
	defer cancel()
	first := events[0]
	if text, ok := c.answers.again(first.Key); ok {
		return words{text: text}, c.lanes.Deliver(within, sink, events)
	}
	var s *seat
	if c.cfg.Limits.PassiveWait > 0 && first.Kind != bots.KindLeave && first.Kind != bots.KindReport {
		s = c.answers.sit(first.Chat)
	}
	err := c.lanes.Deliver(within, sink, events)
	if s == nil {
		return words{}, err
	}
	if err != nil {
		if w, given := c.answers.leave(s); given {
			w.end(errNotWritten)
		}
		return words{}, err
	}
	w, _ := c.answers.wait(within, s, c.cfg.Limits.PassiveWait)
	return w, nil
}

// taken is what tells WeChat that there is no answer for the user.
const taken = "success"

// answer tells WeChat that a push was taken, with words for the user where there
// are some.
func (c *Channel) answer(w http.ResponseWriter, r *http.Request, p push, say words) {
	if say.text == "" {
		_ = write(w, "text/plain; charset=utf-8", []byte(taken)) // who did not hear it asks again
		return
	}
	key := p.key()
	err := r.Context().Err()
	if err != nil {
		err = errNotWritten
	} else if body, bad := c.reply(p, say.text); bad != nil {
		c.log.Error("an answer cannot be made", "error", bad)
		_ = write(w, "text/plain; charset=utf-8", []byte(taken))
		err = errNotWritten
	} else if err = write(w, "application/xml; charset=utf-8", body); err != nil {
		err = &bots.Error{Class: bots.ClassUnknown, Err: fmt.Errorf("the answer to a push broke off: %w", err)}
	} else {
		c.answers.remember(key, say.text)
	}
	say.end(err)
}

// write answers a request down to the connection.
func write(w http.ResponseWriter, mime string, body []byte) error {
	w.Header().Set("Content-Type", mime)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}

// cdata is text as WeChat writes it.
type cdata struct {
	Text string `xml:",cdata"`
}

// reply is the answer with words, sealed in safe mode.
func (c *Channel) reply(p push, text string) ([]byte, error) {
	now := c.deps.Clock.Wall().Unix()
	plain, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"xml"`
		To      cdata    `xml:"ToUserName"`
		From    cdata    `xml:"FromUserName"`
		Created int64    `xml:"CreateTime"`
		Type    cdata    `xml:"MsgType"`
		Content cdata    `xml:"Content"`
	}{To: cdata{p.From}, From: cdata{p.To}, Created: now, Type: cdata{"text"}, Content: cdata{text}})
	if err != nil || !c.crypt.Sealed() {
		return plain, err
	}
	sealed, err := c.crypt.Seal(plain)
	if err != nil {
		return nil, err
	}
	stamp, nonce := strconv.FormatInt(now, 10), rand.Text()
	return xml.Marshal(struct {
		XMLName   xml.Name `xml:"xml"`
		Sealed    cdata    `xml:"Encrypt"`
		Signature cdata    `xml:"MsgSignature"`
		Created   string   `xml:"TimeStamp"`
		Nonce     cdata    `xml:"Nonce"`
	}{Sealed: cdata{sealed}, Signature: cdata{c.crypt.Signature(stamp, nonce, sealed)}, Created: stamp, Nonce: cdata{nonce}})
}

// fitsXML reports whether a text comes out of XML as it went in. A carriage
// return would become a line feed; most control characters may not stand there.
func fitsXML(text string) bool {
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff || r == utf8.RuneError {
			return false
		}
	}
	return true
}
