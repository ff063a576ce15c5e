package webchat

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"time"
)

//go:embed page
var pageFiles embed.FS

// page is the page and its files as they lie in the binary.
type page struct {
	tmpl   *template.Template
	assets map[string]asset
}

// asset is a file of the page with its entity tag.
type asset struct {
	body []byte
	etag string
}

func loadPage() (*page, error) {
	tmpl, err := template.ParseFS(pageFiles, "page/page.html")
	if err != nil {
		return nil, fmt.Errorf("parse the web page: %w", err)
	}
	p := &page{tmpl: tmpl, assets: map[string]asset{}}
	for _, name := range []string{"chat.css", "chat.js", "outgoing.js", "media.js", "view.js", "icon.svg"} {
		body, err := fs.ReadFile(pageFiles, "page/"+name)
		if err != nil {
			return nil, fmt.Errorf("load the web page: %w", err)
		}
		sum := sha256.Sum256(body)
		p.assets[name] = asset{body: body, etag: `"` + hex.EncodeToString(sum[:8]) + `"`}
	}
	return p, nil
}

// show renders the page.
func (c *Channel) show(m Mount) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lang := language(r)
		texts := c.cfg.Texts.in(lang)
		title := texts["title"]
		if m.Visitor != nil {
			v, ok := m.Visitor(r)
			if !ok {
				c.answer(w, r, notFound)
				return
			}
			if v.Title != "" {
				title = v.Title
			}
		}
		other := langEn
		if lang == langEn {
			other = langZh
		}
		var out bytes.Buffer
		err := c.page.tmpl.Execute(&out, map[string]any{
			"Lang": lang, "Other": other, "Title": title, "Texts": texts, "Script": c.cfg.Texts.script(lang),
			"Demo": c.cfg.Demo, "MaxText": c.cfg.Limits.MaxText,
		})
		if err != nil {
			c.Log.Error("the web page could not be written", "channel", c.cfg.ID, "error", err)
			c.answer(w, r, tryLater)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Language", lang)
		w.Header().Set("Cache-Control", "no-store")
		if _, err := w.Write(out.Bytes()); err != nil {
			c.Log.Debug("a page was not read to its end", "channel", c.cfg.ID, "error", err)
		}
	}
}

// asset serves a file of the page.
func (c *Channel) asset() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a, ok := c.page.assets[r.PathValue("chat_asset")]
		if !ok {
			c.answer(w, r, notFound)
			return
		}
		w.Header().Set("Cache-Control", "no-cache") // ask each time, get 304
		w.Header().Set("ETag", a.etag)
		http.ServeContent(w, r, r.PathValue("chat_asset"), time.Time{}, bytes.NewReader(a.body))
	}
}
