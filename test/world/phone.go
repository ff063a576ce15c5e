package world

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"shaoying/bots/telegram/telegramfake"
)

// Line is a message as the owner of a phone sees it.
type Line struct {
	Message int64
	Text    string
	Buttons []string
}

// Phone is somebody with a messenger. How words come and go is the network's;
// what a person does with them is here.
type Phone struct {
	// Lines is everything that was shown so far, in order.
	Lines func() []Line
	// Say, Photo and Press write, send a picture, tap a button by its label.
	Say   func(text string)
	Photo func(jpeg []byte)
	Press func(message int64, label string) bool

	seen int // lines before it are past
}

// OnFake is the phone of a user of our own Telegram.
func OnFake(u *telegramfake.Speaker) *Phone {
	return &Phone{
		Lines: func() []Line {
			var out []Line
			for _, v := range u.Sees() {
				line := Line{Message: v.Message, Text: v.Text}
				for _, b := range v.Flat() {
					line.Buttons = append(line.Buttons, b.Label)
				}
				out = append(out, line)
			}
			return out
		},
		Say:   func(text string) { u.Says(text) },
		Photo: func(jpeg []byte) { u.SendsPhoto(jpeg, "") },
		Press: u.TapsLabel,
	}
}

// Expect waits for a line that holds every part and has not been expected yet.
// Lines before it are past.
func (p *Phone) Expect(t testing.TB, parts ...string) Line {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(2 * Patience)
	for {
		if line, ok := p.Comes(parts...); ok {
			return line
		}
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("no line with %q came; what came:\n%s", parts, p.transcript())
		}
	}
}

// Comes looks for the line of Expect without waiting.
func (p *Phone) Comes(parts ...string) (Line, bool) {
	lines := p.Lines()
	for i := p.seen; i < len(lines); i++ {
		if Holds(lines[i].Text, parts...) {
			p.seen = i + 1
			return lines[i], true
		}
	}
	return Line{}, false
}

// Tap taps the button whose label holds word.
func (p *Phone) Tap(t testing.TB, line Line, word string) {
	t.Helper()
	i := slices.IndexFunc(line.Buttons, func(label string) bool { return strings.Contains(label, word) })
	if i < 0 || !p.Press(line.Message, line.Buttons[i]) {
		t.Fatalf("no button %q under %q: %v", word, line.Text, line.Buttons)
	}
}

func (p *Phone) transcript() string {
	var b strings.Builder
	for i, line := range p.Lines() {
		mark := " "
		if i < p.seen {
			mark = "·"
		}
		fmt.Fprintf(&b, "%s %d %s %q\n", mark, line.Message, line.Text, line.Buttons)
	}
	return b.String()
}

// Soon asks for a moment whether ok holds, for what may as well not come.
func Soon(ok func() bool) bool {
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	limit := time.After(300 * time.Millisecond)
	for {
		if ok() {
			return true
		}
		select {
		case <-again.C:
		case <-limit:
			return false
		}
	}
}
