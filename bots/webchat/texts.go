package webchat

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The languages of the page. The first is what nobody had to choose.
const (
	langZh = "zh-Hans"
	langEn = "en"
)

// Texts is configs/pages/webchat.yaml: what the page and its problem answers
// say, by key and language.
type Texts map[string]map[string]string

// pageKeys are the words that the page itself shows; "js." ones are handed to
// its script without the prefix.
func pageKeys() []string {
	return []string{
		"title", "intro", "demo", "demo_link", "other_language", "other_language_short", "emergency", "no_script",
		"log", "write", "placeholder", "send", "camera", "album", "voice", "place", "tools",
		"js.connecting", "js.connected", "js.offline", "js.sending", "js.waiting", "js.unsent", "js.lost",
		"js.me", "js.bot", "js.photo", "js.voice", "js.recording", "js.stop", "js.cancel", "js.seconds", "js.place",
		"js.pick_recording", "js.place_ask", "js.place_fail", "js.place_here", "js.place_typed", "js.locating", "js.mic_fail",
		"js.chosen", "js.again", "js.too_long",
	}
}

// Validate returns an error that lists every text that is missing or that
// nobody uses.
func (t Texts) Validate() error {
	known := pageKeys()
	for _, p := range problems() {
		known = append(known, p.titleKey(), p.detailKey())
	}
	var wrong []string
	for _, key := range known {
		for _, lang := range []string{langZh, langEn} {
			if t[key][lang] == "" {
				wrong = append(wrong, key+"."+lang+" is missing")
			}
		}
	}
	for key := range t {
		if !slices.Contains(known, key) {
			wrong = append(wrong, key+" is used nowhere")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("webchat texts: %s", strings.Join(wrong, "; "))
}

// in returns every text of one language by key.
func (t Texts) in(lang string) map[string]string {
	out := make(map[string]string, len(t))
	for key, by := range t {
		out[key] = by[lang]
	}
	return out
}

// script returns the texts that the script needs.
func (t Texts) script(lang string) map[string]string {
	out := map[string]string{}
	for key, by := range t {
		if name, ok := strings.CutPrefix(key, "js."); ok {
			out[name] = by[lang]
		}
	}
	return out
}

// language is what the request asks for by ?lang=, else Chinese. The browser's
// own wish is not asked: a grandson's telephone set to English is still read by
// his grandmother.
func language(r *http.Request) string {
	if r.URL.Query().Get("lang") == langEn {
		return langEn
	}
	return langZh
}
