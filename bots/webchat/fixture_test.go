package webchat

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"shaoying/configs"
	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// settings returns the configuration that ships.
func settings(t testing.TB) Config {
	t.Helper()
	cfg := Config{ID: "web", Location: time.FixedZone("CST", 8*60*60)}
	for name, into := range map[string]any{"policies/webchat.yaml": &cfg.Limits, "pages/webchat.yaml": &cfg.Texts} {
		body, err := configs.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := configs.Decode(name, body, into); err != nil {
			t.Fatal(err)
		}
	}
	return cfg
}

// open returns a channel over mailbox whose log goes to out.
func open(t testing.TB, cfg Config, mailbox Mailbox, out io.Writer) *Channel {
	t.Helper()
	photos, err := privacy.NewPhotoCleaner(privacy.PhotoLimits{
		MaxBytesIn: cfg.Limits.MaxFile, MaxPixels: 25_000_000, MaxSide: 2560, MaxBytesOut: 2 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(cfg, Deps{
		Mailbox: mailbox, Photos: photos, Clock: clock.New(),
		Log: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// picture returns a JPEG of w by h pixels.
func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			img.Set(x, y, color.RGBA{R: uint8(x), G: uint8(y), B: 90, A: 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// request is a multipart POST with this boundary and body.
func request(boundary string, body []byte) (*http.Request, http.ResponseWriter) {
	r := httptest.NewRequest(http.MethodPost, "/chat/messages", bytes.NewReader(body))
	r.Header.Set("Content-Type", mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary}))
	return r, httptest.NewRecorder()
}
