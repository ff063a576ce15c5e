package wire

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"shaoying/bots"
	"shaoying/internal/clock"
)

func TestEndpoints(t *testing.T) {
	for address, want := range map[string]string{
		"https://api.example.com":   "https://api.example.com",
		"https://api.example.com/":  "https://api.example.com",
		"http://127.0.0.1:8080/x/":  "http://127.0.0.1:8080/x",
		"http://[::1]:1":            "http://[::1]:1",
		"http://localhost":          "http://localhost",
		"http://10.2.3.4/cgi-bin":   "http://10.2.3.4/cgi-bin",
		"http://api.example.com":    "",
		"http://8.8.8.8":            "",
		"https://u:p@example.com":   "",
		"https://example.com/?a=b":  "",
		"ftp://example.com":         "",
		"example.com":               "",
		"":                          "",
		"https://exa mple.com\x00/": "",
	} {
		e, err := NewEndpoint("x", "api_url", address)
		if (err == nil) != (want != "") || err == nil && e.String() != want {
			t.Errorf("%q is %v, %v", address, e, err)
		}
		if err != nil && (!strings.Contains(err.Error(), "api_url") || strings.Contains(err.Error(), "u:p")) {
			t.Errorf("%q: the error does not name the key, or shows a password: %v", address, err)
		}
	}
	if !Local("http://127.9.9.9:1/x") || !Local("https://localhost") || Local("http://10.0.0.1") || Local("\x00") {
		t.Error("which addresses are of this machine is wrong")
	}
}

// What a call comes to when the network does not answer: temporary only where
// surely nothing was written.
func TestCalls(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half")
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 200))
		default:
			w.WriteHeader(http.StatusTeapot)
			_, _ = io.WriteString(w, "tea")
		}
	}))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url   string
		class bots.Class
	}{
		{server.URL + "/ok?token=s3cret", 0},
		{server.URL + "/cut?token=s3cret", bots.ClassUnknown},
		{server.URL + "/half?token=s3cret", bots.ClassUnknown},
		{server.URL + "/long?token=s3cret", bots.ClassUnknown},
		{"http://" + gone.Addr().String() + "/?token=s3cret", bots.ClassTemporary},
	} {
		e, err := NewEndpoint("x", "api_url", server.URL)
		if err != nil {
			t.Fatal(err)
		}
		client, err := e.NewClient(Limits{Purpose: "x.call", Timeout: 10 * time.Second, MaxBody: 150}, clock.New(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader("words"))
		if err != nil {
			t.Fatal(err)
		}
		status, body, err := client.Call(req)
		client.Close()
		if c.class == 0 {
			if err != nil || status != http.StatusTeapot || string(body) != "tea" {
				t.Errorf("an answer came as %d %q, %v", status, body, err)
			}
			continue
		}
		if err == nil || bots.ClassOf(err) != c.class {
			t.Errorf("%s: %v, want class %s", c.url, err, c.class)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("an error shows the query: %v", err)
		}
	}
}

func TestBody(t *testing.T) {
	for length, status := range map[int]int{10: http.StatusOK, 11: http.StatusRequestEntityTooLarge} {
		w := httptest.NewRecorder()
		body, ok := Body(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", length))), 10)
		if w.Code != status || ok != (status == http.StatusOK) || ok && len(body) != length {
			t.Errorf("%d bytes: %d, %v", length, w.Code, ok)
		}
	}
}

// A pause grows from 0.2 s to its limit and ends with its context.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for failures, want := range map[int]time.Duration{0: 200 * time.Millisecond, 1: 200 * time.Millisecond, 3: 800 * time.Millisecond, 40: 5 * time.Second} {
			start := time.Now()
			if !Rest(t.Context(), failures, 5*time.Second) || time.Since(start) != want {
				t.Errorf("after %d failures it waited %v, want %v", failures, time.Since(start), want)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if Rest(ctx, 10, time.Minute) {
			t.Error("a pause outlived its context")
		}
	})
}
