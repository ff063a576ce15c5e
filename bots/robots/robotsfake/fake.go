// Package robotsfake is a server with group robots of WeCom, DingTalk and Feishu
// for tests. It answers as they do: HTTP 200 with the truth in the body, a limit
// of messages in a minute, signatures checked by a computation of its own.
package robotsfake

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"shaoying/internal/clock"
)

// Robot is one robot in one group.
type Robot struct {
	// Brand is wecom, dingtalk or feishu.
	Brand string
	// Key ends its address; Secret signs, empty for none.
	Key, Secret string
	// Keyword, where it is set, has to stand in every message.
	Keyword string
	// PerMinute is the network's limit, 0 for none.
	PerMinute int
}

// Post is what the group saw.
type Post struct {
	Text string
	// Photo is a picture, or one that came at once before the text.
	Photo []byte
}

// Fault is a way in which the next message fails.
type Fault string

// The faults.
const (
	TooMany Fault = "too many"
	Removed Fault = "removed" // the robot is out of its group
	Busy    Fault = "busy"    // of WeCom and DingTalk
	Lost    Fault = "lost"    // shown, but the answer is cut off
	Gateway Fault = "gateway" // 502 and HTML
	Strange Fault = "strange" // an answer that is none
)

// Network is the server of one robot. It is safe for use by many goroutines.
type Network struct {
	robot  Robot
	server *httptest.Server
	clock  *clock.Clock

	mu       sync.Mutex
	posts    []Post
	picture  []byte // that waits for its words
	calls    []time.Time
	refused  []int64
	fault    Fault
	after    int // messages that go well before it
	down     bool
	requests int
}

// New starts a network.
func New(r Robot) *Network {
	n := &Network{robot: r, clock: clock.New()}
	n.server = httptest.NewServer(http.HandlerFunc(n.serve))
	return n
}

// URL is where it listens.
func (n *Network) URL() string { return n.server.URL }

// Close ends it.
func (n *Network) Close() {
	n.server.CloseClientConnections()
	n.server.Close()
}

// FailNext makes the next message fail.
func (n *Network) FailNext(f Fault) { n.FailAt(1, f) }

// FailAt makes the nth message from now on fail.
func (n *Network) FailAt(nth int, f Fault) { n.do(func() { n.fault, n.after = f, nth-1 }) }

// Down cuts the network off, or back on.
func (n *Network) Down(down bool) { n.do(func() { n.down = down }) }

// Requests is how many requests reached for the network.
func (n *Network) Requests() (all int) { n.do(func() { all = n.requests }); return all }

// Posts is what the group saw, in order.
func (n *Network) Posts() (all []Post) { n.do(func() { all = slices.Clone(n.posts) }); return all }

// Refused are the codes with which messages were refused.
func (n *Network) Refused() (all []int64) {
	n.do(func() { all = slices.Clone(n.refused) })
	return all
}

func (n *Network) do(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *Network) serve(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests++
	if n.down {
		cut(w)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 8<<20))
	if err != nil {
		cut(w)
		return
	}
	if code, why := n.known(r, body); code != 0 {
		n.answer(w, code, why)
		return
	}
	if r.Method != http.MethodPost {
		n.answer(w, map[string]int64{"wecom": 40008, "dingtalk": 43002, "feishu": 19002}[n.robot.Brand], "need post")
		return
	}
	fault := n.fault
	if n.after > 0 {
		n.after--
		fault = ""
	} else {
		n.fault = ""
	}
	if n.tooMany() || fault == TooMany {
		code := map[string]int64{"wecom": 45009, "dingtalk": 130101, "feishu": 11232}[n.robot.Brand]
		n.answer(w, code, "api freq out of limit / send too fast / frequency limited")
		return
	}
	switch fault {
	case Removed:
		n.answer(w, map[string]int64{"wecom": 93000, "dingtalk": 300001, "feishu": 19001}[n.robot.Brand], "invalid webhook url")
		return
	case Busy:
		n.answer(w, -1, "system busy")
		return
	case Gateway:
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<html>bad gateway</html>")
		return
	case Strange:
		_, _ = io.WriteString(w, `{"ok":true}`)
		return
	}
	if code, why := n.show(body); code != 0 {
		n.answer(w, code, why)
		return
	}
	if fault == Lost {
		cut(w)
		return
	}
	n.answer(w, 0, "ok")
}

// tooMany counts a message of this minute.
func (n *Network) tooMany() bool {
	now := n.clock.Wall()
	n.calls = slices.DeleteFunc(n.calls, func(at time.Time) bool { return now.Sub(at) > time.Minute })
	if n.robot.PerMinute > 0 && len(n.calls) >= n.robot.PerMinute {
		return true
	}
	n.calls = append(n.calls, now)
	return false
}

// known checks key and signature.
func (n *Network) known(r *http.Request, body []byte) (code int64, why string) {
	q := r.URL.Query()
	switch n.robot.Brand {
	case "wecom":
		if r.URL.Path != "/cgi-bin/webhook/send" || q.Get("key") != n.robot.Key {
			return 93000, "invalid webhook url, hint: [1], from ip: 127.0.0.1"
		}
	case "dingtalk":
		if r.URL.Path != "/robot/send" || q.Get("access_token") != n.robot.Key {
			return 300001, "token is not exist"
		}
		if n.robot.Secret != "" {
			if !n.fresh(q.Get("timestamp"), time.Millisecond) {
				return 310000, "description:机器人发送签名过期;solution:签名生成时间和发送时间请保持在 timestampms 以内, invalid timestamp"
			}
			if q.Get("sign") != hmacSHA256(n.robot.Secret, q.Get("timestamp")+"\n"+n.robot.Secret) {
				return 310000, "description:sign not match"
			}
		}
	case "feishu":
		if r.URL.Path != "/open-apis/bot/v2/hook/"+n.robot.Key {
			return 19001, "param invalid: incoming webhook access token invalid"
		}
		if n.robot.Secret != "" && r.Method == http.MethodPost {
			var signed struct{ Timestamp, Sign string }
			if json.Unmarshal(body, &signed) != nil || !n.fresh(signed.Timestamp, time.Second) ||
				signed.Sign != hmacSHA256(signed.Timestamp+"\n"+n.robot.Secret, "") {
				return 19021, "sign match fail or timestamp is not within one hour from current time"
			}
		}
	}
	return 0, ""
}

func (n *Network) fresh(stamp string, unit time.Duration) bool {
	v, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	age := n.clock.Wall().Sub(time.Unix(0, v*int64(unit)))
	return age < time.Hour && age > -time.Hour
}

// hmacSHA256 is RFC 2104 written out, so that the adapter is not held to itself.
func hmacSHA256(key, message string) string {
	const block = 64
	k := []byte(key)
	if len(k) > block {
		sum := sha256.Sum256(k)
		k = sum[:]
	}
	k = append(k, make([]byte, block-len(k))...)
	inner, outer := make([]byte, block), make([]byte, block)
	for i := range k {
		inner[i], outer[i] = k[i]^0x36, k[i]^0x5c
	}
	first := sha256.Sum256(append(inner, message...))
	last := sha256.Sum256(append(outer, first[:]...))
	return base64.StdEncoding.EncodeToString(last[:])
}

// show puts a message before the group, or says what is wrong with it.
func (n *Network) show(body []byte) (code int64, why string) {
	var m struct {
		Msgtype string
		Text    struct{ Content string }
		Image   struct{ Base64, MD5 string }
		Type    string `json:"msg_type"`
		Content struct {
			Post map[string]struct {
				Content [][]struct{ Tag, Text string }
			}
		}
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return 40008, "invalid message type"
	}
	text := m.Text.Content
	switch {
	case n.robot.Brand == "wecom" && m.Msgtype == "image":
		data, err := base64.StdEncoding.DecodeString(m.Image.Base64)
		sum := md5.Sum(data)
		switch {
		case err != nil || hex.EncodeToString(sum[:]) != m.Image.MD5:
			return 301019, "media md5 not match"
		case len(data) > 2<<20 || !picture(data):
			return 40009, "invalid image size"
		}
		n.picture = data
		return 0, ""
	case n.robot.Brand == "feishu" && m.Type == "post":
		var lines []string
		for _, paragraph := range m.Content.Post["zh_cn"].Content {
			var line strings.Builder
			for _, piece := range paragraph {
				if piece.Tag != "text" {
					return 9499, "Bad Request"
				}
				line.WriteString(piece.Text)
			}
			lines = append(lines, line.String())
		}
		text = strings.Join(lines, "\n")
	case n.robot.Brand != "feishu" && m.Msgtype == "text":
	default:
		return 9499, "Bad Request"
	}
	switch {
	case strings.TrimSpace(text) == "":
		return 44004, "empty content"
	case n.robot.Brand == "wecom" && len(text) > 2048:
		return 45002, "content size out of limit"
	case n.robot.Brand == "wecom" && strings.Contains(text, "<@"):
		text = "somebody was called by name: " + text
	case n.robot.Brand == "dingtalk" && !strings.Contains(text, n.robot.Keyword):
		return 310000, "description:关键词不匹配; keywords not in content"
	}
	n.posts = append(n.posts, Post{text, n.picture})
	n.picture = nil
	return 0, ""
}

func picture(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\x89PNG")) || bytes.HasPrefix(data, []byte("\xff\xd8"))
}

func (n *Network) answer(w http.ResponseWriter, code int64, why string) {
	if code != 0 {
		n.refused = append(n.refused, code)
	}
	w.Header().Set("Content-Type", "application/json")
	if n.robot.Brand == "feishu" {
		fmt.Fprintf(w, `{"code":%d,"msg":%q,"data":{}}`, code, why)
		return
	}
	fmt.Fprintf(w, `{"errcode":%d,"errmsg":%q}`, code, why)
}

// cut ends a connection without an answer.
func cut(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}
