package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// The headers of a post.
const (
	HeaderID        = "Shaoying-Event-Id"
	HeaderTimestamp = "Shaoying-Timestamp"
	HeaderSignature = "Shaoying-Signature"
)

// Sign returns the signature of a post: "v1=" and the hexadecimal HMAC-SHA256,
// under the secret as it was handed out, of the timestamp (seconds since 1970),
// a full stop and the body as it is sent (RFC 2104, FIPS 180-4).
func Sign(secret string, timestamp int64, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(strconv.AppendInt(nil, timestamp, 10))
	mac.Write([]byte{'.'})
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}
