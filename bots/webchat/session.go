package webchat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"net/http"
	"strings"

	"shaoying/bots"
)

// tokenBytes is the length of a session token: 256 random bits.
const tokenBytes = 32

// Visitor is who sits before a page.
type Visitor struct {
	Chat bots.ChatID
	User bots.UserID
	// Title heads the page; empty means the title of the texts.
	Title string
}

// visitor tells who sent r, or false when nobody known did.
func (c *Channel) visitor(r *http.Request, m Mount) (Visitor, bool) {
	if m.Visitor != nil {
		return m.Visitor(r)
	}
	cookie, err := r.Cookie(m.Cookie)
	if err != nil {
		return Visitor{}, false
	}
	return ofToken(cookie.Value)
}

// ofToken derives chat and user from a session token. 130 bits of its hash are
// enough that no two sessions ever meet, and nothing leads back to the token.
func ofToken(token string) (Visitor, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenBytes {
		return Visitor{}, false
	}
	sum := sha256.Sum256(raw)
	id := strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
	return Visitor{Chat: bots.ChatID(id), User: bots.UserID(id)}, true
}

// session opens a session or confirms the one there is. The answer names the
// chat, so that the page does not show one session's lines in another.
func (c *Channel) session(m Mount) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.visitor(r, m)
		if !ok && m.Visitor != nil {
			c.answer(w, r, noSession)
			return
		}
		if !ok {
			raw := make([]byte, tokenBytes)
			rand.Read(raw) // never fails, crypto/rand says
			token := base64.RawURLEncoding.EncodeToString(raw)
			v, _ = ofToken(token)
			http.SetCookie(w, &http.Cookie{
				Name: m.Cookie, Value: token, Path: strings.TrimSuffix(r.URL.Path, "chat/session"),
				MaxAge: int(c.cfg.Limits.Session.Seconds()), HttpOnly: true,
				SameSite: http.SameSiteLaxMode, Secure: c.cfg.HTTPS || r.TLS != nil,
			})
		}
		c.writeJSON(w, "application/json", http.StatusOK, map[string]any{"chat": v.Chat})
	}
}
