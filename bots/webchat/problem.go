package webchat

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// problem is one way in which a request can fail: its word in the "type"
// member, in configs/texts and in logs, and its status.
type problem struct {
	code   string
	status int
	// retry is what Retry-After says; 0 when the same request cannot succeed.
	retry time.Duration
}

func (p problem) titleKey() string  { return "problem." + p.code }
func (p problem) detailKey() string { return "problem." + p.code + ".detail" }

var (
	badRequest   = problem{code: "bad_request", status: http.StatusBadRequest}
	noSession    = problem{code: "no_session", status: http.StatusUnauthorized}
	foreignPage  = problem{code: "foreign_page", status: http.StatusForbidden}
	notFound     = problem{code: "not_found", status: http.StatusNotFound}
	tooLarge     = problem{code: "too_large", status: http.StatusRequestEntityTooLarge}
	notAPhoto    = problem{code: "not_a_photo", status: http.StatusUnsupportedMediaType}
	notAVoice    = problem{code: "not_a_voice", status: http.StatusUnsupportedMediaType}
	wrongType    = problem{code: "wrong_type", status: http.StatusUnsupportedMediaType}
	tooLong      = problem{code: "too_long", status: http.StatusUnprocessableEntity}
	empty        = problem{code: "empty", status: http.StatusUnprocessableEntity}
	wrongPlace   = problem{code: "wrong_place", status: http.StatusUnprocessableEntity}
	tooFast      = problem{code: "too_fast", status: http.StatusTooManyRequests, retry: 30 * time.Second}
	tryLater     = problem{code: "try_later", status: http.StatusServiceUnavailable, retry: 5 * time.Second}
	tooManyPages = problem{code: "too_many_pages", status: http.StatusServiceUnavailable, retry: 15 * time.Second}
)

// problems lists every problem; a test holds it against the texts.
func problems() []problem {
	return []problem{
		badRequest, noSession, foreignPage, notFound, tooLarge, notAPhoto, notAVoice, wrongType,
		tooLong, empty, wrongPlace, tooFast, tryLater, tooManyPages,
	}
}

// answer writes p as RFC 9457 problem JSON in the language of the request.
func (c *Channel) answer(w http.ResponseWriter, r *http.Request, p problem) {
	lang := language(r)
	if p.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.retry.Seconds())))
	}
	w.Header().Set("Content-Language", lang)
	c.writeJSON(w, "application/problem+json", p.status, map[string]any{
		"type":   "urn:shaoying:problem:" + p.code,
		"title":  c.cfg.Texts[p.titleKey()][lang],
		"status": p.status,
		"detail": c.cfg.Texts[p.detailKey()][lang],
	})
}

func (c *Channel) writeJSON(w http.ResponseWriter, kind string, status int, v any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		// The status is out; the client went away or will see a cut body.
		c.Log.Debug("a web answer was not read", "channel", c.cfg.ID, "error", err)
	}
}
