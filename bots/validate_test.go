package bots_test

import (
	"math"
	"strings"
	"testing"

	"shaoying/bots"
)

func said(change func(*bots.Event)) bots.Event {
	ev := bots.Event{
		Key: "1", Channel: "web", Chat: "c1", From: bots.Identity{User: "u1", Trust: bots.TrustSession},
		Kind: bots.KindText, Text: "楼道灯坏了\n三楼 🙂",
	}
	change(&ev)
	return ev
}

func as(kind bots.Kind, change func(*bots.Event)) func(*bots.Event) {
	return func(ev *bots.Event) {
		ev.Kind, ev.Text = kind, ""
		change(ev)
	}
}

func TestValidateAccepts(t *testing.T) {
	same := func(*bots.Event) {}
	for name, change := range map[string]func(*bots.Event){
		"text":             same,
		"photo by key":     as(bots.KindPhoto, func(ev *bots.Event) { ev.Files = []bots.File{{Key: "f", Size: 3}} }),
		"photo with words": as(bots.KindPhoto, func(ev *bots.Event) { ev.Files, ev.Text = []bots.File{{Data: []byte{1}}}, "井盖" }),
		"voice":            as(bots.KindVoice, func(ev *bots.Event) { ev.Files = []bots.File{{Data: []byte{1}, MIME: "audio/amr"}} }),
		"place":            as(bots.KindPlace, func(ev *bots.Event) { ev.Place = &bots.Place{Lat: 27.6, Lon: 113.8, Datum: bots.DatumWGS84} }),
		"choice":           as(bots.KindChoice, func(ev *bots.Event) { ev.Choice = "a1" }),
		"join":             as(bots.KindJoin, same),
		"leave":            as(bots.KindLeave, same),
		"unreadable":       as(bots.KindOther, func(*bots.Event) {}),
		"group moved":      as(bots.KindMoved, func(ev *bots.Event) { ev.Group, ev.NewChat = true, "c2" }),
		"overheard":        func(ev *bots.Event) { ev.Group, ev.Overheard = true, true },
		"longest key":      func(ev *bots.Event) { ev.Key = strings.Repeat("k", bots.MaxKey) },
	} {
		if err := said(change).Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestValidateRefuses(t *testing.T) {
	file := []bots.File{{Key: "f"}}
	place := func(lat, lon float64) *bots.Place { return &bots.Place{Lat: lat, Lon: lon, Datum: bots.DatumWGS84} }
	for name, change := range map[string]func(*bots.Event){
		"no key":             func(ev *bots.Event) { ev.Key = "" },
		"no channel":         func(ev *bots.Event) { ev.Channel = "" },
		"no chat":            func(ev *bots.Event) { ev.Chat = "" },
		"no user":            func(ev *bots.Event) { ev.From.User = "" },
		"long key":           func(ev *bots.Event) { ev.Key = strings.Repeat("k", bots.MaxKey+1) },
		"key with newline":   func(ev *bots.Event) { ev.Key = "a\nb" },
		"key not UTF-8":      func(ev *bots.Event) { ev.Key = "\xff" },
		"verified":           func(ev *bots.Event) { ev.From.Trust = bots.TrustVerified },
		"trust below none":   func(ev *bots.Event) { ev.From.Trust = -1 },
		"name with escape":   func(ev *bots.Event) { ev.From.Name = "\x1b[31m" },
		"long hint":          func(ev *bots.Event) { ev.From.Hints = []string{strings.Repeat("h", 300)} },
		"reply-to control":   func(ev *bots.Event) { ev.ReplyTo = "\x00" },
		"text not UTF-8":     func(ev *bots.Event) { ev.Text = "\xc3(" },
		"text with NUL":      func(ev *bots.Event) { ev.Text = "a\x00" },
		"text too long":      func(ev *bots.Event) { ev.Text = strings.Repeat("字", bots.MaxWord/3+1) },
		"text missing":       func(ev *bots.Event) { ev.Text = "" },
		"text with choice":   func(ev *bots.Event) { ev.Choice = "1" },
		"text with place":    func(ev *bots.Event) { ev.Place = place(1, 1) },
		"text with file":     func(ev *bots.Event) { ev.Files = file },
		"kind unknown":       func(ev *bots.Event) { ev.Kind = "sticker" },
		"kind due":           as(bots.KindDue, func(*bots.Event) {}),
		"photo, no file":     as(bots.KindPhoto, func(*bots.Event) {}),
		"voice, no file":     as(bots.KindVoice, func(*bots.Event) {}),
		"choice, no data":    as(bots.KindChoice, func(*bots.Event) {}),
		"long choice":        as(bots.KindChoice, func(ev *bots.Event) { ev.Choice = strings.Repeat("c", 200) }),
		"join with text":     as(bots.KindJoin, func(ev *bots.Event) { ev.Text = "hi" }),
		"overheard alone":    func(ev *bots.Event) { ev.Overheard = true },
		"moved, not a group": as(bots.KindMoved, func(ev *bots.Event) { ev.NewChat = "c2" }),
		"unreadable words":   as(bots.KindOther, func(ev *bots.Event) { ev.Text = "x" }),
		"moved nowhere":      as(bots.KindMoved, func(ev *bots.Event) { ev.Group = true }),
		"text with a move":   func(ev *bots.Event) { ev.Group, ev.NewChat = true, "c2" },
		"place, none":        as(bots.KindPlace, func(*bots.Event) {}),
		"place, no datum":    as(bots.KindPlace, func(ev *bots.Event) { ev.Place = &bots.Place{Lat: 1, Lon: 1} }),
		"place off globe":    as(bots.KindPlace, func(ev *bots.Event) { ev.Place = place(91, 0) }),
		"place not numbers":  as(bots.KindPlace, func(ev *bots.Event) { ev.Place = place(0, math.NaN()) }),
		"file empty":         as(bots.KindPhoto, func(ev *bots.Event) { ev.Files = []bots.File{{}} }),
		"file twice":         as(bots.KindPhoto, func(ev *bots.Event) { ev.Files = []bots.File{{Key: "k", Data: []byte{1}}} }),
		"file negative":      as(bots.KindPhoto, func(ev *bots.Event) { ev.Files = []bots.File{{Key: "k", Size: -1}} }),
		"file name control":  as(bots.KindPhoto, func(ev *bots.Event) { ev.Files = []bots.File{{Key: "k", Name: "a\tb"}} }),
		"too many files":     as(bots.KindPhoto, func(ev *bots.Event) { ev.Files = make([]bots.File, bots.MaxFile+1) }),
	} {
		if err := said(change).Validate(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestValidateNeverQuotesTheUser(t *testing.T) {
	const secret = "13812345678"
	for _, change := range []func(*bots.Event){
		func(ev *bots.Event) { ev.Text = secret + "\xff" },
		func(ev *bots.Event) { ev.From.Name = secret + "\n" },
		func(ev *bots.Event) { ev.Chat = bots.ChatID(secret + "\n") },
	} {
		if err := said(change).Validate(); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v quotes the user or is missing", err)
		}
	}
}

func TestClasses(t *testing.T) {
	words := map[string]bool{}
	for _, c := range bots.Classes() {
		if words[c.String()] || c.String() == "invalid" {
			t.Errorf("class %d is called %q, which is taken or invalid", c, c)
		}
		words[c.String()] = true
		if c.Retry() && !c.Certain() {
			t.Errorf("%s would be sent again though it may have arrived", c)
		}
	}
	if got := bots.ClassOf(errPlain{}); got != bots.ClassUnknown {
		t.Errorf("an error that says nothing is %s, want unknown", got)
	}
	if bots.Class(0).String() != "invalid" || bots.Class(99).Retry() {
		t.Error("a class that does not exist has a meaning")
	}
}

type errPlain struct{}

func (errPlain) Error() string { return "plain" }
