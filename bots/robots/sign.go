package robots

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strconv"
	"time"
)

// signature proves that we know the secret; the zero value where there is none.
type signature struct{ timestamp, sign string }

// sign makes the signature of a brand for an instant. The network refuses one
// that is older than an hour.
func (b Brand) sign(secret string, now time.Time) signature {
	if secret == "" {
		return signature{}
	}
	s := signature{timestamp: strconv.FormatInt(now.Unix(), 10)}
	key, message := "", ""
	switch b {
	case DingTalk:
		s.timestamp = strconv.FormatInt(now.UnixMilli(), 10)
		key, message = secret, s.timestamp+"\n"+secret
	case Feishu:
		key = s.timestamp + "\n" + secret
	default:
		return signature{}
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	s.sign = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return s
}

// address is where the robot is, signed where the brand signs the address.
func (c *Channel) address(s signature) string {
	address := c.api.String() + c.proto.path + url.PathEscape(c.cfg.Key.Reveal())
	if c.cfg.Brand == DingTalk && s.sign != "" {
		address += "&" + url.Values{"timestamp": {s.timestamp}, "sign": {s.sign}}.Encode()
	}
	return address
}
