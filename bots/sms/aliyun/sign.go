package aliyun

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"shaoying/bots/wire"
)

// Signature method V3 of Alibaba Cloud (help.aliyun.com, "V3 request body and
// signature"): the hash of the canonical request, keyed with the secret.
const (
	algorithm = "ACS3-HMAC-SHA256"
	version   = "2017-05-25"
)

// signed names the headers that are signed, in order.
var signed = []string{"host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}

// sign sets the headers of a request without a body that make it ours.
func sign(req *http.Request, action, version, nonce string, at time.Time, id, secret string) {
	empty := sha256.Sum256(nil)
	payload := hex.EncodeToString(empty[:])
	req.Header.Set("x-acs-action", action)
	req.Header.Set("x-acs-version", version)
	req.Header.Set("x-acs-date", at.UTC().Format("2006-01-02T15:04:05Z"))
	req.Header.Set("x-acs-signature-nonce", nonce)
	req.Header.Set("x-acs-content-sha256", payload)

	path := req.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	canonical := []string{req.Method, path, req.URL.RawQuery}
	for _, name := range signed {
		value := req.Header.Get(name)
		if name == "host" {
			value = req.URL.Host
		}
		canonical = append(canonical, name+":"+strings.TrimSpace(value))
	}
	names := strings.Join(signed, ";")
	canonical = append(canonical, "", names, payload)
	hashed := sha256.Sum256([]byte(strings.Join(canonical, "\n")))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(algorithm + "\n" + hex.EncodeToString(hashed[:])))
	req.Header.Set("Authorization", algorithm+" Credential="+id+",SignedHeaders="+names+",Signature="+hex.EncodeToString(mac.Sum(nil)))
}

// canonicalQuery is a query sorted by name and escaped after RFC 3986.
func canonicalQuery(params map[string]string) string {
	query := url.Values{}
	for name, value := range params {
		query.Set(name, value)
	}
	return strings.ReplaceAll(query.Encode(), "+", "%20")
}

// call asks Aliyun once.
func (c *Channel) call(ctx context.Context, action string, params map[string]string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api.String()+"/?"+canonicalQuery(params), nil)
	if err != nil { // the error repeats the URL
		return 0, nil, wire.Refuse("api_url is no address")
	}
	nonce := make([]byte, 16)
	rand.Read(nonce)
	sign(req, action, version, hex.EncodeToString(nonce), c.Clock.Wall(), c.cfg.AccessKeyID, c.cfg.Secret.Reveal())
	req.Header.Set("Accept", "application/json")
	return c.Call(req)
}
