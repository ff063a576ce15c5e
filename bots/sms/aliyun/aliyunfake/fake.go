// Package aliyunfake is Aliyun's short message service as the aliyun channel
// sees it, for tests. It shares no code with the channel.
package aliyunfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"shaoying/bots"
	"shaoying/bots/sms/smsfake"
)

// The one account.
const (
	AccessKeyID = "LTAI-of-the-tests"
	Secret      = "aliyun-secret-of-the-tests"
	SignName    = "萍乡哨应"
	// Free is a template of one value.
	Free = "SMS_900"
	// CodeSend has the values code and min.
	CodeSend = "SMS_123"
)

// Faults of a send are codes of Aliyun, or one of these.
const (
	Lost    = "lost"    // sent, and the answer lost
	Gateway = "gateway" // a proxy has lost the question or the answer
)

// templates are what was approved.
var templates = map[string]string{Free: "${text}", CodeSend: "验证码 ${code}，${min}分钟内有效。"}

// Server is the service.
type Server struct {
	*smsfake.Network
	// Token ends the path of what it pushes, Number is what residents see.
	Token, Number string

	mu     sync.Mutex
	status map[string]int // by OutId: SendStatus
	review map[string]int // by template or signature: what its review came to
}

// New starts a service that pushes with a token.
func New(token, number string) *Server {
	s := &Server{Token: token, Number: number, status: map[string]int{}, review: map[string]int{}}
	s.Network = smsfake.Start(s)
	return s
}

// Review sets what the review of a template or signature came to.
func (s *Server) Review(what string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.review[what] = status
}

func (s *Server) reviewOf(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, ok := s.review[what]; ok {
		return status
	}
	return 1
}

// ServeHTTP is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := func(status int, v map[string]any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	refuse := func(status int, code, message string) {
		answer(status, map[string]any{"RequestId": s.Serial(), "Code": code, "Message": message})
	}
	if !honest(r) {
		refuse(http.StatusBadRequest, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
		return
	}
	switch query := r.URL.Query(); r.Header.Get("x-acs-action") {
	case "SendSms":
		s.send(w, r, answer, refuse)
	case "QuerySendDetails":
		var list []map[string]any
		for _, t := range s.Sent() {
			if t.To == "+86"+query.Get("PhoneNumber") {
				list = append(list, map[string]any{"OutId": t.Key, "SendStatus": s.statusOf(t.Key), "ErrCode": "DELIVERED", "PhoneNum": query.Get("PhoneNumber"), "Content": t.Body})
			}
		}
		answer(http.StatusOK, map[string]any{"Code": "OK", "Message": "OK", "TotalCount": len(list), "SmsSendDetailDTOs": map[string]any{"SmsSendDetailDTO": list}})
	case "QuerySmsSign":
		answer(http.StatusOK, map[string]any{"Code": "OK", "Message": "OK", "SignStatus": s.reviewOf(query.Get("SignName"))})
	case "QuerySmsTemplate":
		id := query.Get("TemplateCode")
		if templates[id] == "" {
			refuse(http.StatusOK, "isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
			return
		}
		answer(http.StatusOK, map[string]any{"Code": "OK", "Message": "OK", "TemplateStatus": s.reviewOf(id), "TemplateContent": templates[id]})
	default:
		refuse(http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found.")
	}
}

func (s *Server) statusOf(key string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if status, ok := s.status[key]; ok {
		return status
	}
	return 1
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, answer func(int, map[string]any), refuse func(int, string, string)) {
	fault, query := s.Fault(), r.URL.Query()
	switch {
	case fault == Gateway:
		http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
		return
	case fault != "" && fault != Lost:
		refuse(http.StatusOK, fault, "触发分钟级流控Permits:1")
		return
	case query.Get("SignName") != SignName:
		refuse(http.StatusOK, "isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
		return
	}
	text, ok := templates[query.Get("TemplateCode")]
	if !ok {
		refuse(http.StatusOK, "isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
		return
	}
	var values map[string]string
	if err := json.Unmarshal([]byte(query.Get("TemplateParam")), &values); err != nil {
		refuse(http.StatusOK, "isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值")
		return
	}
	for name, value := range values {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	body := "【" + SignName + "】" + text
	id := s.Serial() + "^0"
	_, parts := smsfake.UCS2(body) // it counts every text so
	s.Deliver(smsfake.Text{
		ID: id, Key: query.Get("OutId"), From: s.Number + query.Get("SmsUpExtendCode"),
		To: "+86" + query.Get("PhoneNumbers"), Body: body, Parts: parts,
	})
	if fault == Lost {
		smsfake.Cut(w)
		return
	}
	answer(http.StatusOK, map[string]any{"Code": "OK", "Message": "OK", "BizId": id, "RequestId": s.Serial()})
}

// honest checks the signature of a request.
func honest(r *http.Request) bool {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return hex.EncodeToString(sum[:])
	}
	_, rest, ok := strings.Cut(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 Credential="+AccessKeyID+",SignedHeaders=")
	names, signature, both := strings.Cut(rest, ",Signature=")
	if !ok || !both || r.Header.Get("x-acs-content-sha256") != hash("") || r.Header.Get("x-acs-signature-nonce") == "" {
		return false
	}
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	for _, name := range strings.Split(names, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + value + "\n"
	}
	canonical += "\n" + names + "\n" + hash("")
	mac := hmac.New(sha256.New, []byte(Secret))
	fmt.Fprintf(mac, "ACS3-HMAC-SHA256\n%s", hash(canonical))
	return hmac.Equal([]byte(signature), []byte(hex.EncodeToString(mac.Sum(nil))))
}

// Says is a push of SmsUp.
func (s *Server) Says(base string, m smsfake.Word) (*http.Request, error) {
	return post(base+"/up/"+s.Token, []map[string]any{{
		"phone_number": strings.TrimPrefix(m.From, "+86"), "send_time": m.At.UTC().Add(8 * 60 * 60 * 1e9).Format("2006-01-02 15:04:05"),
		"content": m.Body, "sign_name": SignName, "dest_code": strings.TrimPrefix(m.To, s.Number), "sequence_id": json.Number(m.ID),
	}})
}

// Tells is a push of SmsReport, which knows success and failure alone.
func (s *Server) Tells(base string, t smsfake.Text, state bots.ReportState) (*http.Request, error) {
	if state == bots.ReportBuffered {
		return nil, nil
	}
	s.mu.Lock()
	s.status[t.Key] = map[bots.ReportState]int{bots.ReportDelivered: 3, bots.ReportFailed: 2}[state]
	s.mu.Unlock()
	code := map[bots.ReportState]string{bots.ReportDelivered: "DELIVERED", bots.ReportFailed: "MK:0001"}[state]
	return post(base+"/report/"+s.Token, []map[string]any{{
		"phone_number": strings.TrimPrefix(t.To, "+86"), "send_time": "2026-03-03 09:00:00", "report_time": "2026-03-03 09:00:05",
		"success": state == bots.ReportDelivered, "err_code": code, "err_msg": "用户接收成功", "sms_size": "1", "biz_id": t.ID, "out_id": t.Key,
	}})
}

func post(url string, v any) (*http.Request, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(string(body)))
	if err == nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, err
}

// Took reports whether Aliyun takes an answer for "received".
func (s *Server) Took(status int, body []byte) bool {
	var answer struct{ Code *int }
	return status == http.StatusOK && json.Unmarshal(body, &answer) == nil && answer.Code != nil
}
