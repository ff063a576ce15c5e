package webchat

import (
	"errors"
	"io"
	"maps"
	"regexp"
	"strings"
	"testing"

	"shaoying/bots"
)

func TestNewRefusesWhatIsMissing(t *testing.T) {
	good := settings(t)
	whole := open(t, good, newMemory(), io.Discard).Deps
	for name, change := range map[string]func(*Config, *Deps){
		"id":       func(c *Config, _ *Deps) { c.ID = "" },
		"zone":     func(c *Config, _ *Deps) { c.Location = nil },
		"limit":    func(c *Config, _ *Deps) { c.Limits.MaxText = 0 },
		"ping":     func(c *Config, _ *Deps) { c.Limits.Ping = 0 },
		"text":     func(c *Config, _ *Deps) { delete(c.Texts, "title") },
		"language": func(c *Config, _ *Deps) { c.Texts["send"] = map[string]string{langZh: "发送"} },
		"unused":   func(c *Config, _ *Deps) { c.Texts["no.such"] = map[string]string{langZh: "x"} },
		"mailbox":  func(_ *Config, d *Deps) { d.Mailbox = nil },
		"photos":   func(_ *Config, d *Deps) { d.Photos = nil },
		"clock":    func(_ *Config, d *Deps) { d.Clock = nil },
		"log":      func(_ *Config, d *Deps) { d.Log = nil },
	} {
		cfg, deps := good, whole
		cfg.Texts = maps.Clone(good.Texts)
		change(&cfg, &deps)
		if _, err := New(cfg, deps); err == nil {
			t.Errorf("without a right %s: accepted", name)
		}
	}
	if _, err := New(good, whole); err != nil {
		t.Error(err)
	}
}

func TestSendRefuses(t *testing.T) {
	box := newMemory()
	c := open(t, settings(t), box, io.Discard)
	to := bots.Address{Channel: "web", Chat: "c"}
	for name, m := range map[string]bots.Message{
		"no key":        {Text: "x"},
		"no content":    {Key: "1"},
		"no label":      {Key: "1", Text: "x", Choices: []bots.Choice{{Data: "a"}}},
		"no data":       {Key: "1", Text: "x", Choices: []bots.Choice{{Label: "a"}}},
		"empty photo":   {Key: "1", Text: "x", Photo: &bots.Photo{}},
		"text too long": {Key: "1", Text: strings.Repeat("字", 2001)},
	} {
		if _, err := c.Send(t.Context(), to, m); bots.ClassOf(err) != bots.ClassRejected {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Send(t.Context(), bots.Address{Channel: "web"}, bots.Message{Key: "1", Text: "x"}); bots.ClassOf(err) != bots.ClassRejected {
		t.Errorf("no chat: %v", err)
	}
	if len(box.order) != 0 {
		t.Error("something was delivered")
	}
	box.fail(errAway)
	_, err := c.Send(t.Context(), to, bots.Message{Key: "1", Text: "x"})
	if bots.ClassOf(err) != bots.ClassTemporary || !errors.Is(err, errAway) {
		t.Errorf("mailbox away: %v", err)
	}
}

// Every text that the script asks for is handed to it, and the other way round.
func TestScriptAndTextsAgree(t *testing.T) {
	used := map[string]bool{}
	ask := regexp.MustCompile(`texts\.([a-z_]+)|state\("([a-z]+)"|"(connecting)" : "(offline)"|state\(navigator`)
	for _, name := range []string{"chat.js", "view.js", "outgoing.js", "media.js"} {
		body, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range ask.FindAllStringSubmatch(string(body), -1) {
			for _, word := range m[1:] {
				if word != "" {
					used[word] = true
				}
			}
		}
	}
	given := settings(t).Texts.script(langZh)
	for word := range used {
		if given[word] == "" {
			t.Errorf("the script asks for %q, which no text gives", word)
		}
	}
	for word := range given {
		if !used[word] {
			t.Errorf("text js.%s is used by no script", word)
		}
	}
}

func TestPageIsSafeAndAccessible(t *testing.T) {
	s := newSite(t, Mount{})
	for lang, other := range map[string]string{"": "en", "?lang=en": "zh-Hans", "?lang=xx": "en"} {
		_, body := s.do(t, "GET", "/"+lang, "", nil)
		html := string(body)
		for _, want := range []string{
			`href="?lang=` + other + `"`, `role="log"`, `<label class="unseen" for="text">`, `name="viewport"`, "110", "119", "120", "<noscript>",
		} {
			if !strings.Contains(html, want) {
				t.Errorf("%s: the page lacks %s", lang, want)
			}
		}
		for _, bad := range []string{"http://", "https://", "onclick", "style=", "ZgotmplZ", `<script>`} {
			if strings.Contains(html, bad) {
				t.Errorf("%s: the page holds %s", lang, bad)
			}
		}
		if strings.Contains(html, `class="demo"`) {
			t.Error("a page that is no demo says so")
		}
	}
	s.channel.cfg.Demo = true
	_, body := s.do(t, "GET", "/", "", nil)
	if !strings.Contains(string(body), "演示") || !strings.Contains(string(body), `href="/demo"`) {
		t.Error("a demo page does not say so")
	}
}

// FuzzDecode: whatever the body, a message that decodes makes a valid event.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		`{"id":"` + id1 + `","text":"你好"}`, `{"id":"` + id1 + `","choice":"a"}`,
		`{"id":"` + id1 + `","place":{"lat":27.6,"lon":113.8,"label":"x"}}`,
		`{}`, `[]`, `null`, `{"id":null}`, "\xff", `{"id":"` + id1 + `","text":"\ud800"}`,
	} {
		f.Add([]byte(body))
	}
	c := open(f, settings(f), newMemory(), io.Discard)
	f.Fuzz(func(t *testing.T, body []byte) {
		id, ev, err := c.decode(body)
		if err != nil {
			var no refusal
			if !errors.As(err, &no) {
				t.Fatalf("an error that is no refusal: %v", err)
			}
			return
		}
		ev.Key, ev.Channel, ev.Chat, ev.From.User = id, "web", "c", "u"
		if err := ev.Validate(); err != nil {
			t.Fatalf("%q decodes to an event that is refused: %v", body, err)
		}
	})
}

// FuzzUpload: no body makes the form reader panic, or an invalid event.
func FuzzUpload(f *testing.F) {
	_, body := form(f, "id", id1, "voice", "OggS")
	f.Add(strings.Split(body.String(), "\r\n")[0][2:], body.Bytes())
	f.Add("b", []byte("--b\r\nContent-Disposition: form-data; name=id\r\n\r\nx\r\n--b--"))
	s := open(f, settings(f), newMemory(), io.Discard)
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		r, w := request(boundary, body)
		id, ev, err := s.readUpload(w, r)
		if err != nil {
			return
		}
		ev.Key, ev.Channel, ev.Chat, ev.From.User = id, "web", "c", "u"
		if err := ev.Validate(); err != nil {
			t.Fatalf("an upload that is read is refused: %v", err)
		}
	})
}
