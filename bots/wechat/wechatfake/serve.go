package wechatfake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.requests.Add(1)
	if s.down.Load() {
		cut(w)
		return
	}
	call := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	s.mu.Lock()
	s.hits[call]++
	f := s.faults
	s.mu.Unlock()
	switch {
	case f.Status != 0:
		http.Error(w, "no", f.Status)
		return
	case f.HTML:
		_, _ = io.WriteString(w, "<html><body>502 Bad Gateway</body></html>")
		return
	}
	switch call {
	case "jslogin":
		s.with(func() { s.codes++; s.scanned, s.told = Waiting, false })
		s.mu.Lock()
		defer s.mu.Unlock()
		fmt.Fprintf(w, `window.QRLogin.code = 200; window.QRLogin.uuid = %q;`, s.code())
	case "login":
		s.login(w, r)
	case "webwxnewloginpage":
		s.enter(w)
	case "webwxpushloginurl":
		s.push(w)
	case "synccheck":
		s.check(w, r)
	default:
		if ret := s.knows(r); ret != 0 {
			answer(w, object{"BaseResponse": object{"Ret": ret, "ErrMsg": ""}})
			return
		}
		s.known(w, r, call, body)
	}
}

// cut ends a connection without a word.
func cut(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

func answer(w http.ResponseWriter, v object) {
	if _, has := v["BaseResponse"]; !has {
		v["BaseResponse"] = object{"Ret": 0, "ErrMsg": ""}
	}
	w.Header().Set("Content-Type", "text/plain") // so does the real one
	_ = json.NewEncoder(w).Encode(v)
}

// await waits until something is so, or a poll's time is up.
func (s *Server) await(r *http.Request, is func() bool) {
	timer := time.NewTimer(hold)
	defer timer.Stop()
	for {
		s.mu.Lock()
		done, change := is() || s.faults.Impatient, s.change
		s.mu.Unlock()
		if done {
			return
		}
		select {
		case <-change:
		case <-timer.C:
			return
		case <-s.closed:
			return
		case <-r.Context().Done():
			return
		}
	}
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	s.await(r, func() bool {
		return s.auto || s.scanned == Confirmed || s.scanned == Expired || s.scanned == Scanned && !s.told
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case r.URL.Query().Get("uuid") != s.code() || s.scanned == Expired:
		fmt.Fprint(w, `window.code=400;`)
	case s.auto || s.scanned == Confirmed:
		fmt.Fprintf(w, "window.code=200;\nwindow.redirect_uri=\"https://%s/cgi-bin/mmwebwx-bin/webwxnewloginpage?ticket=T&uuid=%s&lang=zh_CN&scan=1\";", domain, s.code())
	case s.scanned == Scanned:
		s.told = true
		fmt.Fprint(w, `window.code=201;window.userAvatar = 'data:img/jpg;base64,AA==';`)
	default:
		fmt.Fprint(w, `window.code=408;`)
	}
}

// enter gives the keys of a login. Cookies are set here and never again.
func (s *Server) enter(w http.ResponseWriter) {
	refused := false
	s.with(func() {
		if refused = s.faults.Refused; refused {
			return
		}
		s.epoch++
		s.alive, s.ret, s.scanned = !s.faults.ShortLived, 0, Waiting
		s.acked = len(s.log)
		for _, p := range s.people {
			if s.faults.RemarksLost {
				p.remark = ""
			}
		}
	})
	if refused {
		fmt.Fprint(w, `<error><ret>1203</ret><message>为了你的帐号安全，此微信号不能登录网页微信。</message></error>`)
		return
	}
	for name, value := range map[string]string{"wxuin": uin, "wxsid": secretSid, "webwx_data_ticket": secretTicket} {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Domain: domain, Path: "/", MaxAge: 43200})
	}
	fmt.Fprintf(w, `<error><ret>0</ret><message></message><skey>%s</skey><wxsid>%s</wxsid><wxuin>%s</wxuin><pass_ticket>%s</pass_ticket><isgrayscale>1</isgrayscale></error>`,
		secretKey, secretSid, uin, secretPass)
}

func (s *Server) push(w http.ResponseWriter) {
	s.mu.Lock()
	no := s.faults.NoPush
	s.mu.Unlock()
	if no {
		answer(w, object{"ret": "1", "msg": "not now"})
		return
	}
	s.with(func() { s.codes++; s.scanned, s.told = Scanned, true })
	s.mu.Lock()
	defer s.mu.Unlock()
	answer(w, object{"ret": "0", "msg": "all ok", "uuid": s.code()})
}

// knows is 0 for a call of the login that lives, with its cookies.
func (s *Server) knows(r *http.Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.alive {
		if s.ret == 0 {
			return 1101
		}
		return s.ret
	}
	need := "wxsid"
	if strings.HasPrefix(r.Header.Get("X-Forwarded-Host"), "file.") {
		need = "webwx_data_ticket"
	}
	if c, err := r.Cookie(need); err != nil || c.Value != secretSid && c.Value != secretTicket {
		return 1102
	}
	return 0
}

func (s *Server) check(w http.ResponseWriter, r *http.Request) {
	at := 0
	_, _ = fmt.Sscanf(r.URL.Query().Get("synckey"), "1_%d", &at)
	s.ack(at - 1)
	s.await(r, func() bool { return !s.alive || at-1 < len(s.log) })
	ret, selector := s.knows(r), "0"
	s.mu.Lock()
	defer s.mu.Unlock()
	if at-1 < len(s.log) {
		selector = "2"
	}
	fmt.Fprintf(w, `window.synccheck={retcode:"%d",selector:"%s"}`, ret, selector)
}

// ack takes everything before a place as taken.
func (s *Server) ack(at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at > s.acked && at <= len(s.log) {
		s.acked = at
	}
}

func key(at int) object {
	return object{"Count": 1, "List": []object{{"Key": 1, "Val": at + 1}}}
}

// known answers a call of somebody who is logged in.
func (s *Server) known(w http.ResponseWriter, r *http.Request, call string, body []byte) {
	switch call {
	case "webwxinit":
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, object{"User": object{"UserName": s.self(), "NickName": SelfNick, "Uin": 9001}, "SyncKey": key(len(s.log)), "ContactList": s.contacts(false), "Count": len(s.people)})
	case "webwxstatusnotify", "webwxlogout":
		answer(w, object{"MsgID": "1"})
	case "webwxgetcontact":
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, object{"MemberCount": len(s.people), "MemberList": s.contacts(false), "Seq": 0})
	case "webwxbatchgetcontact":
		s.batch(w, body)
	case "webwxsync":
		s.sync(w, body)
	case "webwxsendmsg", "webwxsendmsgimg":
		s.send(w, body)
	case "webwxuploadmedia":
		s.upload(w, r, body)
	case "webwxoplog":
		s.remark(w, body)
	case "webwxgetmsgimg", "webwxgetvoice":
		query := r.URL.Query()
		s.mu.Lock()
		file, kind := s.files[query.Get("MsgID")+query.Get("msgid")], map[bool]string{true: "audio/mp3", false: "image/jpeg"}[call == "webwxgetvoice"]
		s.mu.Unlock()
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write(file) // nothing where there is none, with 200
	default:
		http.Error(w, "no such call", http.StatusNotFound)
	}
}

// contacts are all contacts; groups come with their members only when asked for.
func (s *Server) contacts(members bool) []object {
	var out []object
	for _, p := range s.people {
		out = append(out, s.shown(p, members))
	}
	return out
}

func (s *Server) shown(p *Person, members bool) object {
	flag := 0
	if p.official {
		flag = 24
	}
	c := object{"UserName": s.name(p), "NickName": escaped(p.nick), "RemarkName": escaped(p.remark), "VerifyFlag": flag}
	if p.group && members {
		list := []object{{"UserName": s.self(), "NickName": SelfNick}}
		for _, m := range p.members {
			list = append(list, object{"UserName": s.name(m), "NickName": escaped(m.nick)})
		}
		c["MemberList"], c["MemberCount"] = list, len(list)
	}
	return c
}

func (s *Server) batch(w http.ResponseWriter, body []byte) {
	var q struct{ List []struct{ UserName string } }
	_ = json.Unmarshal(body, &q)
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []object
	for _, asked := range q.List {
		if p := s.named(asked.UserName); p != nil {
			out = append(out, s.shown(p, true))
		}
	}
	answer(w, object{"Count": len(out), "ContactList": out})
}

func (s *Server) sync(w http.ResponseWriter, body []byte) {
	var q struct {
		SyncKey struct{ List []struct{ Val int } }
	}
	if json.Unmarshal(body, &q) != nil || len(q.SyncKey.List) == 0 {
		answer(w, object{"BaseResponse": object{"Ret": 1}})
		return
	}
	s.ack(q.SyncKey.List[0].Val - 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.NoSyncKey {
		answer(w, object{"BaseResponse": object{"Ret": 0}})
		return
	}
	from := min(max(q.SyncKey.List[0].Val-1, 0), len(s.log))
	list := []any{}
	if s.faults.NullMessages {
		list = append(list, nil)
	}
	for _, m := range s.log[from:] {
		list = append(list, s.written(m))
	}
	next := key(len(s.log))
	if s.faults.BadCount {
		next["Count"] = 0
	}
	answer(w, object{"AddMsgCount": len(list), "AddMsgList": list, "SyncKey": next, "SyncCheckKey": next})
}

// written is a message in the names of this login.
func (s *Server) written(m message) object {
	from, to, content := s.self(), s.self(), m.content
	switch {
	case m.from == nil:
		to = s.name(m.in)
	case m.in != nil:
		from, content = s.name(m.in), s.name(m.from)+":<br/>"+content
	default:
		from = s.name(m.from)
	}
	return object{
		"MsgId": strconv.FormatInt(m.id, 10), "NewMsgId": m.id, "FromUserName": from, "ToUserName": to, "MsgType": m.kind,
		"AppMsgType": m.app, "Content": content, "Url": m.url, "OriContent": m.orig, "CreateTime": m.at,
	}
}

func (s *Server) send(w http.ResponseWriter, body []byte) {
	var q struct {
		Msg struct{ ToUserName, Content, MediaId string } //nolint:revive // as the network writes it
	}
	_ = json.Unmarshal(body, &q)
	drop, ret, id := false, 0, int64(0)
	s.with(func() {
		to := s.named(q.Msg.ToUserName)
		if to == nil {
			ret = 1
		}
		if len(s.sends) > 0 {
			drop, ret = s.sends[0].Drop, s.sends[0].Ret
			s.sends = s.sends[1:]
		}
		if ret == 0 && to != nil {
			s.nextID++
			id = s.nextID
			s.sent = append(s.sent, Sent{To: to, Text: q.Msg.Content, Photo: s.uploads[q.Msg.MediaId]})
		}
	})
	switch {
	case drop:
		cut(w)
	case ret != 0:
		answer(w, object{"BaseResponse": object{"Ret": ret, "ErrMsg": ""}, "MsgID": ""})
	default:
		answer(w, object{"MsgID": strconv.FormatInt(id, 10), "LocalID": "1"})
	}
}

func (s *Server) upload(w http.ResponseWriter, r *http.Request, body []byte) {
	file, ok := filePart(r, body)
	s.mu.Lock()
	ok = ok && !s.faults.NoUpload
	s.mu.Unlock()
	if !ok || !strings.HasPrefix(r.Header.Get("X-Forwarded-Host"), "file.") {
		answer(w, object{"BaseResponse": object{"Ret": 1}})
		return
	}
	id := ""
	s.with(func() {
		s.nextID++
		id = fmt.Sprintf("@media%d", s.nextID)
		s.uploads[id] = file
	})
	answer(w, object{"MediaId": id, "Signature": ""})
}

func (s *Server) remark(w http.ResponseWriter, body []byte) {
	var q struct{ RemarkName, UserName string }
	_ = json.Unmarshal(body, &q)
	ret := 0
	s.with(func() {
		switch p := s.named(q.UserName); {
		case s.faults.TooOften:
			ret = 1205
		case p == nil, s.faults.NoRemark:
			ret = 1
		default:
			p.remark = q.RemarkName
		}
	})
	answer(w, object{"BaseResponse": object{"Ret": ret}})
}
