package wecom

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"net/http"

	"shaoying/bots/wire"
)

// errUnread is a callback that was signed by WeCom and cannot be read.
var errUnread = errors.New("a callback cannot be read")

// hook serves the callbacks of an account. take is given what was sealed.
//
// A callback is a POST whose signature covers its sealed body, so the body is
// read before it is believed. With a GET the callback page asks whether we hold
// its token and key: we open the echostr and say what is in it.
func (a *account) hook(take func(context.Context, []byte) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		signature, at, nonce := query.Get("msg_signature"), query.Get("timestamp"), query.Get("nonce")
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			w.Header().Set("Allow", "GET, POST")
			wire.Refused(w, http.StatusMethodNotAllowed)
			return
		}
		sealed := query.Get("echostr")
		if r.Method == http.MethodPost {
			body, ok := wire.Body(w, r, a.cfg.Limits.MaxBody)
			if !ok {
				return
			}
			var envelope struct{ Encrypt string }
			if err := unpack(body, &envelope); err != nil {
				wire.Refused(w, http.StatusUnauthorized) // it bears no signature of WeCom's
				return
			}
			sealed = envelope.Encrypt
		}
		if sealed == "" || !a.crypt.Signed(signature, at, nonce, sealed) {
			wire.Refused(w, http.StatusUnauthorized)
			return
		}
		opened, err := a.crypt.Open(sealed)
		switch {
		case err != nil:
			a.log.Warn("a callback bears the right token and was sealed with another key, or for another organisation: compare EncodingAESKey and corp_id", "error", err)
			wire.Refused(w, http.StatusForbidden)
		case r.Method == http.MethodGet:
			_, _ = w.Write(opened) // the page says so if it did not hear us
		default:
			a.answer(w, take(r.Context(), opened))
		}
	})
}

// answer tells WeCom whether a callback was taken.
func (a *account) answer(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusOK) // an empty body says: received, nothing to answer
	case errors.Is(err, errUnread):
		a.log.Error("a callback cannot be read and was refused", "error", err)
		wire.Refused(w, http.StatusBadRequest)
	default:
		a.log.Warn("a callback was not taken and will come again", "error", err)
		wire.Refused(w, http.StatusServiceUnavailable)
	}
}

// unpack reads XML. Characters that XML does not know are taken out of what
// people typed: they would cost the whole message.
func unpack(body []byte, into any) error {
	body = bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' && r != '\r' || r == 0xfffe || r == 0xffff {
			return -1
		}
		return r
	}, body)
	return xml.Unmarshal(body, into)
}
