// Package tencentfake is Tencent Cloud's short message service as the tencent
// channel sees it, for tests. It shares no code with the channel.
package tencentfake

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/bots/sms/smsfake"
)

// The one account.
const (
	SecretID = "AKID-of-the-tests"
	Key      = "tencent-key-of-the-tests"
	SignName = "萍乡哨应"
	AppID    = "1400006666"
	// Free is a template of one value, CodeSend one of two.
	Free     = "900"
	CodeSend = "123"
)

// Faults of a send are codes of Tencent, or one of these.
const (
	Lost    = "lost"    // sent, and the answer lost
	Gateway = "gateway" // a proxy has lost the question or the answer
)

// templates are what was approved.
var templates = map[string]string{Free: "{1}", CodeSend: "验证码 {1}，{2}分钟内有效。"}

// Server is the service.
type Server struct {
	*smsfake.Network
	// Token ends the path of what it pushes, Number is what residents see.
	Token, Number string

	mu      sync.Mutex
	replies []map[string]any // that were not pulled
	reports []map[string]any
	said    map[string][]map[string]any // reports by number
	review  map[string]int
}

// New starts a service that pushes with a token.
func New(token, number string) *Server {
	s := &Server{Token: token, Number: number, said: map[string][]map[string]any{}, review: map[string]int{}}
	s.Network = smsfake.Start(s)
	return s
}

// Review sets what the review of a template came to.
func (s *Server) Review(template string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.review[template] = status
}

// Keep makes a message one that is pulled, not pushed.
func (s *Server) Keep(from, extend, text string, at int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replies = append(s.replies, map[string]any{
		"ExtendCode": extend, "CountryCode": "86", "PhoneNumber": from, "SubscriberNumber": strings.TrimPrefix(from, "+86"),
		"SignName": SignName, "ReplyContent": text, "ReplyTime": at,
	})
}

// KeepReport makes a report one that is pulled, not pushed.
func (s *Server) KeepReport(t smsfake.Text, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports = append(s.reports, pulled(t, status))
}

func pulled(t smsfake.Text, status string) map[string]any {
	return map[string]any{
		"UserReceiveTime": 1772413260, "CountryCode": "86", "SubscriberNumber": strings.TrimPrefix(t.To, "+86"), "PhoneNumber": t.To,
		"SerialNo": t.ID, "ReportStatus": status, "Description": "DELIVRD", "SessionContext": t.Key,
	}
}

// ServeHTTP is the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		smsfake.Cut(w)
		return
	}
	answer := func(v map[string]any) {
		v["RequestId"] = s.Serial()
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"Response": v})
	}
	refuse := func(code string) {
		answer(map[string]any{"Error": map[string]string{"Code": code, "Message": "说明"}})
	}
	if !honest(r, body) {
		refuse("AuthFailure.SignatureFailure")
		return
	}
	var in struct {
		PhoneNumberSet, TemplateParamSet                           []string
		SmsSdkAppId, SignName, TemplateId, ExtendCode, PhoneNumber string
		SessionContext                                             string
		TemplateIdSet                                              []uint64
		Limit                                                      int
	}
	if err := json.Unmarshal(body, &in); err != nil {
		refuse("InvalidParameter")
		return
	}
	switch r.Header.Get("X-TC-Action") {
	case "SendSms":
		fault := s.Fault()
		switch {
		case fault == Gateway:
			http.Error(w, "<html>Bad Gateway</html>", http.StatusBadGateway)
			return
		case strings.HasPrefix(fault, "AuthFailure"), strings.HasPrefix(fault, "RequestLimit"):
			refuse(fault)
			return
		}
		status := map[string]any{"PhoneNumber": in.PhoneNumberSet[0], "Fee": 0, "SessionContext": in.SessionContext, "SerialNo": "", "IsoCode": "CN"}
		text, ok := templates[in.TemplateId]
		switch {
		case fault != "" && fault != Lost:
			status["Code"], status["Message"] = fault, "说明"
		case in.SignName != SignName || in.SmsSdkAppId != AppID:
			status["Code"], status["Message"] = "FailedOperation.SignatureIncorrectOrUnapproved", "说明"
		case !ok:
			status["Code"], status["Message"] = "FailedOperation.TemplateIncorrectOrUnapproved", "说明"
		default:
			for i, value := range in.TemplateParamSet {
				text = strings.ReplaceAll(text, "{"+strconv.Itoa(i+1)+"}", value)
			}
			full := "【" + SignName + "】" + text
			id := "5000:" + s.Serial()
			_, parts := smsfake.UCS2(full) // it counts every text so
			s.Deliver(smsfake.Text{ID: id, Key: in.SessionContext, From: s.Number + in.ExtendCode, To: in.PhoneNumberSet[0], Body: full, Parts: parts})
			status["Code"], status["Message"], status["SerialNo"], status["Fee"] = "Ok", "send success", id, parts
		}
		if fault == Lost {
			smsfake.Cut(w)
			return
		}
		answer(map[string]any{"SendStatusSet": []any{status}})
	case "PullSmsReplyStatus":
		answer(map[string]any{"PullSmsReplyStatusSet": s.take(&s.replies, in.Limit)})
	case "PullSmsSendStatus":
		answer(map[string]any{"PullSmsSendStatusSet": s.take(&s.reports, in.Limit)})
	case "PullSmsSendStatusByPhoneNumber":
		s.mu.Lock()
		list := append([]map[string]any{}, s.said[in.PhoneNumber]...)
		s.mu.Unlock()
		answer(map[string]any{"PullSmsSendStatusSet": list})
	case "DescribeSmsTemplateList":
		var list []map[string]any
		for _, id := range in.TemplateIdSet {
			if text, ok := templates[strconv.FormatUint(id, 10)]; ok {
				s.mu.Lock()
				list = append(list, map[string]any{"TemplateId": id, "StatusCode": s.review[strconv.FormatUint(id, 10)], "TemplateContent": text})
				s.mu.Unlock()
			}
		}
		answer(map[string]any{"DescribeTemplateStatusSet": list})
	default:
		refuse("InvalidAction")
	}
}

// take gives away what is pulled: it is not there any more.
func (s *Server) take(from *[]map[string]any, most int) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(most, len(*from))
	out := append([]map[string]any{}, (*from)[:n]...)
	*from = (*from)[n:]
	return out
}

// Left is how much waits to be pulled.
func (s *Server) Left() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.replies) + len(s.reports)
}

// honest checks the signature of a request.
func honest(r *http.Request, body []byte) bool {
	hash := func(b []byte) string {
		sum := sha256.Sum256(b)
		return hex.EncodeToString(sum[:])
	}
	mac := func(key []byte, s string) []byte {
		m := hmac.New(sha256.New, key)
		_, _ = io.WriteString(m, s)
		return m.Sum(nil)
	}
	seconds, err := strconv.ParseInt(r.Header.Get("X-TC-Timestamp"), 10, 64)
	if err != nil || r.Header.Get("X-TC-Version") != "2021-01-11" || r.Header.Get("X-TC-Region") == "" {
		return false
	}
	day := time.Unix(seconds, 0).UTC().Format("2006-01-02")
	_, rest, ok := strings.Cut(r.Header.Get("Authorization"), "TC3-HMAC-SHA256 Credential="+SecretID+"/"+day+"/sms/tc3_request, SignedHeaders=")
	names, signature, both := strings.Cut(rest, ", Signature=")
	if !ok || !both {
		return false
	}
	canonical := "POST\n/\n\n"
	for _, name := range strings.Split(names, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + strings.ToLower(value) + "\n"
	}
	canonical += "\n" + names + "\n" + hash(body)
	key := mac(mac(mac([]byte("TC3"+Key), day), "sms"), "tc3_request")
	want := mac(key, fmt.Sprintf("TC3-HMAC-SHA256\n%d\n%s/sms/tc3_request\n%s", seconds, day, hash([]byte(canonical))))
	return hmac.Equal([]byte(signature), []byte(hex.EncodeToString(want)))
}

// Says is a push of a reply.
func (s *Server) Says(base string, m smsfake.Word) (*http.Request, error) {
	return post(base+"/reply/"+s.Token, map[string]any{
		"extend": strings.TrimPrefix(m.To, s.Number), "mobile": strings.TrimPrefix(m.From, "+86"), "nationcode": "86",
		"sign": SignName, "text": m.Body, "time": m.At.Unix(),
	})
}

// Tells is a push of a report, which knows success and failure alone.
func (s *Server) Tells(base string, t smsfake.Text, state bots.ReportState) (*http.Request, error) {
	status := map[bots.ReportState]string{bots.ReportDelivered: "SUCCESS", bots.ReportFailed: "FAIL"}[state]
	if status == "" {
		return nil, nil
	}
	s.mu.Lock()
	s.said[t.To] = append(s.said[t.To], pulled(t, status))
	s.mu.Unlock()
	return post(base+"/report/"+s.Token, []map[string]any{{
		"user_receive_time": "2026-03-03 09:00:05", "nationcode": "86", "mobile": strings.TrimPrefix(t.To, "+86"),
		"report_status": status, "errmsg": "DELIVRD", "description": "用户短信送达成功", "sid": t.ID,
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

// Took reports whether Tencent takes an answer for "received".
func (s *Server) Took(status int, body []byte) bool {
	var answer struct {
		Result *int
		Errmsg string
	}
	return status == http.StatusOK && json.Unmarshal(body, &answer) == nil && answer.Result != nil && *answer.Result == 0
}
