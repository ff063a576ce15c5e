package tencent

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"shaoying/bots/wire"
)

// Signature method V3 of Tencent Cloud (cloud.tencent.com/document/api/382/52072):
// a key of the day and service, made of the secret key, signs the hash of the
// canonical request.
const (
	algorithm   = "TC3-HMAC-SHA256"
	version     = "2021-01-11"
	service     = "sms"
	contentType = "application/json; charset=utf-8"
	// signed names the headers that are signed.
	signed = "content-type;host;x-tc-action"
)

// sign sets the headers of a POST that make it ours.
func sign(req *http.Request, service, action string, body []byte, at time.Time, id, key string) {
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("X-TC-Action", action)
	req.Header.Set("X-TC-Timestamp", strconv.FormatInt(at.Unix(), 10))
	canonical := strings.Join([]string{
		req.Method, "/", "",
		"content-type:" + contentType, "host:" + req.URL.Host, "x-tc-action:" + strings.ToLower(action), "",
		signed, digest(body),
	}, "\n")
	day := at.UTC().Format(time.DateOnly)
	scope := day + "/" + service + "/tc3_request"
	secret := keyed([]byte("TC3"+key), day)
	secret = keyed(secret, service)
	secret = keyed(secret, "tc3_request")
	signature := keyed(secret, fmt.Sprintf("%s\n%d\n%s\n%s", algorithm, at.Unix(), scope, digest([]byte(canonical))))
	req.Header.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", algorithm, id, scope, signed, hex.EncodeToString(signature)))
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func keyed(key []byte, s string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(s))
	return mac.Sum(nil)
}

// ask calls Tencent once and reads its answer into v. Errors are *bots.Error.
func (c *Channel) ask(ctx context.Context, action string, params, v any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return wire.Refuse("%s: the request cannot be written", action)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api.String()+"/", bytes.NewReader(body))
	if err != nil {
		return wire.Refuse("api_url is no address")
	}
	sign(req, service, action, body, c.Clock.Wall(), c.cfg.SecretID, c.cfg.SecretKey.Reveal())
	req.Header.Set("X-TC-Version", version)
	req.Header.Set("X-TC-Region", c.cfg.Region)
	status, raw, err := c.Call(req)
	if err != nil {
		return err
	}
	return read(status, raw, v)
}

// read takes the frame off an answer.
func read(status int, raw []byte, v any) error {
	var frame struct{ Response json.RawMessage }
	if err := json.Unmarshal(raw, &frame); err != nil || len(frame.Response) == 0 {
		return wire.Between(status)
	}
	var failed struct {
		Error *struct{ Code, Message string }
	}
	if err := json.Unmarshal(frame.Response, &failed); err != nil {
		return wire.Between(status)
	}
	if failed.Error != nil {
		return failure(status, failed.Error.Code, failed.Error.Message)
	}
	if err := json.Unmarshal(frame.Response, v); err != nil {
		return wire.Between(status)
	}
	return nil
}
