package webchat

import (
	"net/http"

	"shaoying/bots"
)

// Mount is one place of the site where the page stands.
type Mount struct {
	// Prefix is the path before "/chat/…" as an http.ServeMux pattern, without
	// a slash at its end: "" or "/demo/as/{staff}". Visitor reads its wildcards
	// with PathValue; chat_asset and chat_seq are ours.
	Prefix string
	// Cookie names the session cookie; its path is where the page stands. Two
	// mounts below one another need two names, or one would be taken for the
	// other. Default "shaoying".
	Cookie string
	// Visitor, where it is set, says who sent a request instead of our
	// cookie; false is answered with 401. The demo console says here which
	// member of staff a page belongs to.
	Visitor func(*http.Request) (Visitor, bool)
}

// Handler serves the page at the root, for anybody.
func (c *Channel) Handler(sink bots.Sink) http.Handler { return c.Mounted(sink, Mount{}) }

// Mounted serves the page at m. The handler wants the whole path, prefix
// included. Requests that a foreign page makes a browser send are refused.
func (c *Channel) Mounted(sink bots.Sink, m Mount) http.Handler {
	if m.Cookie == "" {
		m.Cookie = "shaoying"
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+m.Prefix+"/{$}", c.show(m))
	mux.Handle("GET "+m.Prefix+"/chat/assets/{chat_asset}", c.asset())
	mux.Handle("POST "+m.Prefix+"/chat/session", c.session(m))
	mux.Handle("POST "+m.Prefix+"/chat/messages", c.messages(sink, m))
	mux.Handle("GET "+m.Prefix+"/chat/events", c.events(m))
	mux.Handle("GET "+m.Prefix+"/chat/photo/{chat_seq}", c.photo(m))
	if m.Prefix != "" {
		mux.HandleFunc("GET "+m.Prefix, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path+"/", http.StatusMovedPermanently)
		})
	}
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.answer(w, r, foreignPage)
	}))
	return secured(guard.Handler(mux))
}

// secured sets the headers that keep a browser from doing more with our answers
// than we mean: no script but ours, no frame, no guessing of types.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "+
			"img-src 'self' blob:; media-src blob:; connect-src 'self'; manifest-src 'self'; "+
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(self), geolocation=(self)")
		next.ServeHTTP(w, r)
	})
}
