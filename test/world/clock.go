package world

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Journey is what the demo's clock did.
type Journey struct {
	From  string `json:"from"`
	Now   string `json:"now"`
	Stops []struct {
		At       string `json:"at"`
		Happened []struct {
			Kind  string `json:"kind"`
			State string `json:"state"`
			Count int    `json:"count"`
		} `json:"happened"`
	} `json:"stops"`
}

// Next moves the demo's clock to the next due thing.
func (s *Server) Next(t testing.TB) Journey { t.Helper(); return s.clock(t, `{"next":true}`) }

// Advance moves the demo's clock by a duration such as 36h.
func (s *Server) Advance(t testing.TB, by string) Journey {
	t.Helper()
	return s.clock(t, `{"advance":"`+by+`"}`)
}

func (s *Server) clock(t testing.TB, order string) Journey {
	t.Helper()
	res, err := http.Post(s.URL+"/api/v1/demo/clock", "application/json", strings.NewReader(order))
	Must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	Must(t, err)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("move the clock %s: %d %s", order, res.StatusCode, body)
	}
	var j Journey
	if err := json.Unmarshal(body, &j); err != nil {
		t.Fatalf("the clock answered no JSON: %v: %s", err, body)
	}
	return j
}

// Get reads a page and returns its status and body.
func (s *Server) Get(t testing.TB, path string) (int, string) {
	t.Helper()
	res, err := http.Get(s.URL + path)
	Must(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	Must(t, err)
	return res.StatusCode, string(body)
}
