package robots

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// codes say what a brand's answers mean: by the code, and where one code has
// several meanings by a word of its message.
type codes struct {
	wire.Codes
	words map[string]map[string]bots.Class
}

// wecomCodes are those of WeCom (developer.work.weixin.qq.com/document/path/90313
// and 91770).
func wecomCodes() codes {
	return codes{Codes: wire.Codes{
		"-1":    bots.ClassTemporary, // the system is busy
		"45009": bots.ClassThrottled, // more than 20 in a minute
		"93000": bots.ClassLoggedOut, // no such key: the robot was taken out of its group
		"93004": bots.ClassLoggedOut, // the robot is switched off
		"93008": bots.ClassLoggedOut, // it is not in the group
	}}
}

// dingtalkCodes are those of DingTalk (open.dingtalk.com/document/robots/
// custom-robot-access). 310000 is what a robot's own security settings refuse.
func dingtalkCodes() codes {
	return codes{
		Codes: wire.Codes{
			"-1":     bots.ClassTemporary,
			"130101": bots.ClassThrottled, "410100": bots.ClassThrottled, // too fast
			"300001": bots.ClassLoggedOut, "300005": bots.ClassLoggedOut, "400101": bots.ClassLoggedOut, // no such token
			"400013": bots.ClassLoggedOut, // the group was dissolved
			"400102": bots.ClassLoggedOut, // the robot is switched off
			"400106": bots.ClassLoggedOut, // there is no such robot
		},
		words: map[string]map[string]bots.Class{"310000": {
			"sign": bots.ClassLoggedOut, "timestamp": bots.ClassLoggedOut, "whitelist": bots.ClassLoggedOut, "ip ": bots.ClassLoggedOut,
		}},
	}
}

// feishuCodes are those of Feishu (open.feishu.cn/document/client-docs/bot-v3/
// add-custom-bot). 9499 is any bad request, also one too many.
func feishuCodes() codes {
	return codes{
		Codes: wire.Codes{
			"11232": bots.ClassThrottled,
			"19001": bots.ClassLoggedOut, // no such hook
			"19021": bots.ClassLoggedOut, // the signature, or our clock, is wrong
			"19022": bots.ClassLoggedOut, // our address is not on the list
		},
		words: map[string]map[string]bots.Class{"9499": {"too many": bots.ClassThrottled, "frequen": bots.ClassThrottled}},
	}
}

// of classes a code; what is not known is a message that is bad.
func (c codes) of(code int64, message string) bots.Class {
	key := strconv.FormatInt(code, 10)
	for word, class := range c.words[key] {
		if strings.Contains(strings.ToLower(message), word) {
			return class
		}
	}
	if class, known := c.Of(key); known {
		return class
	}
	return bots.ClassRejected
}

// answer is the body of an answer: WeCom and DingTalk write errcode, Feishu code,
// or StatusCode where it is an old one.
type answer struct {
	Errcode    *int64 `json:"errcode"`
	Errmsg     string `json:"errmsg"`
	Code       *int64 `json:"code"`
	Msg        string `json:"msg"`
	StatusCode *int64 `json:"StatusCode"`
}

// decode reads an answer; ok is false where it is none of the brand's.
func (b Brand) decode(raw []byte) (code int64, message string, ok bool) {
	var a answer
	if json.Unmarshal(raw, &a) != nil {
		return 0, "", false
	}
	switch {
	case b != Feishu && a.Errcode != nil:
		return *a.Errcode, a.Errmsg, true
	case b == Feishu && a.Code != nil:
		return *a.Code, a.Msg, true
	case b == Feishu && a.StatusCode != nil:
		return *a.StatusCode, a.Msg, true
	}
	return 0, "", false
}

// answered is what a call came to: nil only where the network said so.
func (c *Channel) answered(status int, raw []byte) error {
	code, message, ok := c.cfg.Brand.decode(raw)
	switch {
	case !ok && status == http.StatusTooManyRequests:
		return wire.Fail(bots.ClassThrottled, c.cfg.Limits.Pause, status, "too many requests")
	case !ok:
		return wire.Between(status)
	case code == 0 && status/100 == 2:
		return nil
	case code == 0:
		return wire.Between(status)
	}
	class := c.proto.codes.of(code, message)
	after := time.Duration(0)
	if class == bots.ClassThrottled {
		after = c.cfg.Limits.Pause
	}
	return wire.Fail(class, after, status, strconv.FormatInt(code, 10)+" "+message)
}
