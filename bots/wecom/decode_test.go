package wecom

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"shaoying/bots"
)

// seeds are the examples of WeCom's own documents, in testdata.
func seeds(f *testing.F, kind string) {
	f.Helper()
	files, err := filepath.Glob("testdata/" + kind + "/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
}

// Whatever is sealed in a callback gives events that keep the contract, the same
// at every delivery, or an error that quotes nothing.
func FuzzPush(f *testing.F) {
	seeds(f, "push")
	f.Fuzz(func(t *testing.T, body []byte) {
		events, err := decodePush("wc", 1000002, body)
		again, _ := decodePush("wc", 1000002, body)
		if len(events) > 1 || len(again) != len(events) {
			t.Fatalf("%d events, then %d", len(events), len(again))
		}
		for i, ev := range events {
			if err := ev.Validate(); err != nil {
				t.Error(err)
			}
			if ev.Key != again[i].Key {
				t.Errorf("key %q, then %q", ev.Key, again[i].Key)
			}
		}
		if err != nil && len(events) > 0 {
			t.Error("events and an error")
		}
	})
}

// Whatever sync_msg lists gives an event that keeps the contract, or one that is
// found not to.
func FuzzMessage(f *testing.F) {
	seeds(f, "message")
	f.Fuzz(func(t *testing.T, body []byte) {
		var m message
		if json.Unmarshal(body, &m) != nil {
			return
		}
		ev, ok := decodeMessage("wc", m)
		if ok && ev.From.Trust != bots.TrustStable {
			t.Errorf("trust %s", ev.From.Trust)
		}
	})
}

// A card never shows less than was said.
func FuzzLayout(f *testing.F) {
	f.Add("满意吗？")
	f.Add("一\n二\n\n三")
	f.Add(strings.Repeat("长", 200))
	l := AppLimits{CardTitle: 36, CardBody: 160, CardSays: "请点下面的按钮"}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.TrimSpace(text) == "" {
			return
		}
		title, body, fits := l.layout(text)
		if utf8.RuneCountInString(title) > l.CardTitle || utf8.RuneCountInString(body) > l.CardBody || strings.TrimSpace(title) == "" {
			t.Errorf("%q over %q", title, body)
		}
		if fits && body != text && strings.TrimSuffix(title+"\n"+body, "\n") != strings.TrimSuffix(text, "\n") {
			t.Errorf("%q became %q over %q", text, title, body)
		}
	})
}

// The examples are read as what they are.
func TestExamples(t *testing.T) {
	for file, want := range map[string]string{
		"text": "text this is a test", "image": "photo ", "voice": "voice ", "location": "place ", "link": "text this is a title\nURL",
		"subscribe": "join ", "unsubscribe": "leave ", "card": "choice ", "enter_agent": "", "video": "other ", "location_event": "", "click": "text EVENTKEY",
	} {
		body, err := os.ReadFile("testdata/push/" + file + ".xml")
		if err != nil {
			t.Fatal(err)
		}
		events, err := decodePush("wc", 1, body)
		got := ""
		if len(events) == 1 {
			got = string(events[0].Kind) + " " + events[0].Text
		}
		if err != nil || got != want {
			t.Errorf("%s is %q, want %q, %v", file, got, want, err)
		}
	}
	for file, want := range map[string]string{
		"text": "text hello", "menu": "choice 已解决", "image": "photo ", "voice": "voice ", "location": "place ", "servicer": "", "enter": "",
		"enter_again": "", "fail": "report ", "status": "", "video": "other ",
	} {
		body, err := os.ReadFile("testdata/message/" + file + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var m message
		if err := json.Unmarshal(body, &m); err != nil {
			t.Fatal(err)
		}
		ev, ok := decodeMessage("wc", m)
		got := ""
		if ok {
			got = string(ev.Kind) + " " + ev.Text
			if err := ev.Validate(); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", file, got, want)
		}
	}
}
