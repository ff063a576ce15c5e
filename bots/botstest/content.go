package botstest

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"strings"

	"shaoying/bots"
)

// hostileTexts are what networks and markup languages like to harm.
func hostileTexts() []string {
	return []string{
		"昌盛小区3栋楼道灯坏了",
		"👨‍👩‍👧 🙂 𠮷野家",
		"第一行\n第二行\n\n第四行",
		`<b>粗</b> & &amp; "引" 'quote' </script>`,
		"_*[]()~`>#+-=|{}.!\\ {{.Name}} %s ${x}",
		"مرحبا \u2067ltr\u2069 café",
	}
}

// 01
func textInAndOut(b *bench) {
	hears := b.hears()
	for _, text := range hostileTexts() {
		if hears {
			ev := b.says(0, text)
			switch {
			case ev.Kind != bots.KindText || ev.Text != text:
				b.Errorf("a user said %q, the event is %s %q", text, ev.Kind, ev.Text)
			case ev.Chat != b.rig.Address(0).Chat || ev.Group:
				b.Errorf("a user spoke in chat %q, the event says %q, group %v", b.rig.Address(0).Chat, ev.Chat, ev.Group)
			}
		}
		if got := b.delivers(0, bots.Message{Text: text}); got.Text != text {
			b.Errorf("we said %q, the user saw %q", text, got.Text)
		}
	}
	if !hears {
		return
	}
	// The same words twice are two messages, from two users two users.
	again, other := b.says(0, "在吗"), b.says(1, "在吗")
	if first := b.says(0, "在吗"); first.Key == again.Key {
		b.Errorf("two messages with the same words share key %q", first.Key)
	}
	if again.From.User == other.From.User || again.Chat == other.Chat {
		b.Errorf("two users share id or chat: %+v %+v", again.From, other.From)
	}
}

// filled returns a text of exactly n units, as many of them as fit in
// characters whose length differs by unit.
func filled(n int, unit bots.TextUnit) string {
	const wide = "🙂" // 1 rune, 2 UTF-16 units, 4 bytes
	size := map[bots.TextUnit]int{bots.Runes: 1, bots.UTF16: 2, bots.Bytes: 4}[unit]
	return strings.Repeat(wide, n/size) + strings.Repeat("a", n%size)
}

// 02
func longText(b *bench) {
	b.start()
	if b.caps.MaxText < 1 {
		b.Fatalf("Caps.MaxText is %d", b.caps.MaxText)
	}
	full := filled(b.caps.MaxText, b.caps.TextUnit)
	if got := b.delivers(0, bots.Message{Text: full}); got.Text != full {
		b.Errorf("a text of the full length was changed to %d bytes of %d", len(got.Text), len(full))
	}
	b.rejects("a text one unit too long", bots.Message{Text: full + "a"})
	pieces := []string{"（一）" + full[:4], "（二）", "（三）"}
	for _, piece := range pieces {
		b.delivers(0, bots.Message{Text: piece})
	}
	sent := b.rig.Sent()
	for i, piece := range pieces {
		if got := sent[len(sent)-len(pieces)+i].Text; got != piece {
			b.Errorf("piece %d of a long text is %q, want %q", i+1, got, piece)
		}
	}
}

// 03
func choices(b *bench) {
	hears := b.hears()
	offer := []bots.Choice{{Label: "满意", Data: "a"}, {Label: "不满意", Data: "b"}}
	if b.caps.Choices == 0 {
		b.rejects("choices where Caps has none", bots.Message{Text: "满意吗？", Choices: offer})
		if hears {
			if ev := b.says(0, "2"); ev.Kind != bots.KindText || ev.Text != "2" {
				b.Errorf("a typed 2 is %s %q", ev.Kind, ev.Text)
			}
		}
		return
	}
	longest := strings.Repeat("x", b.caps.ChoiceBytes)
	offer[1].Data = longest
	if b.caps.Choices == 1 {
		offer = offer[1:]
	}
	got := b.delivers(0, bots.Message{Text: "满意吗？", Choices: offer})
	if len(got.Choices) != len(offer) {
		b.Fatalf("%d choices were sent, %d shown", len(offer), len(got.Choices))
	}
	for i, c := range offer {
		if got.Choices[i].Label != c.Label {
			b.Errorf("choice %d is shown as %q, want %q", i, got.Choices[i].Label, c.Label)
		}
	}
	if hears {
		if !b.rig.UserTaps(0, len(offer)-1) {
			b.Fatalf("choices cannot be tapped on this network, but Caps.Choices is %d", b.caps.Choices)
		}
		if ev := b.row(0); ev.Kind != bots.KindChoice || ev.Choice != longest || ev.Chat != b.rig.Address(0).Chat {
			b.Errorf("a tap on %q is %s %q in chat %q", longest, ev.Kind, ev.Choice, ev.Chat)
		}
		if ev := b.says(0, "1"); ev.Kind != bots.KindText || ev.Text != "1" {
			b.Errorf("a typed 1 is %s %q", ev.Kind, ev.Text)
		}
	}
	many := make([]bots.Choice, b.caps.Choices)
	for i := range many {
		many[i] = bots.Choice{Label: "选项", Data: "d"}
	}
	b.delivers(0, bots.Message{Text: "哪一个？", Choices: many})
	b.rejects("one choice too many", bots.Message{Text: "哪一个？", Choices: append(many, many[0])})
	b.rejects("choice data one byte too long", bots.Message{Text: "？", Choices: []bots.Choice{{Label: "长", Data: longest + "x"}}})
}

// 04
func place(b *bench) {
	if !b.hears() {
		return
	}
	const lat, lon, label = 27.622912, 113.854556, "昌盛小区"
	n := len(b.sink.Rows())
	if b.rig.UserSendsPlace(0, lat, lon, label) && b.caps.PlaceIn {
		p := b.row(n).Place
		// A tenth of a second of arc is 3 m; converting datums costs less.
		if p == nil || math.Abs(p.Lat-lat) > 3e-5 || math.Abs(p.Lon-lon) > 3e-5 || p.Datum != bots.DatumWGS84 {
			b.Fatalf("a position is %+v, want %v, %v in %s", p, lat, lon, bots.DatumWGS84)
		}
		if p.Label != label && p.Label != "" {
			b.Errorf("the position is called %q, want %q", p.Label, label)
		}
	} else if b.caps.PlaceIn {
		b.Errorf("Caps.PlaceIn, but positions cannot be sent on this network")
	}
	b.mark(0) // finish finds a place that Caps denies
}

// 05
func files(b *bench) {
	if !b.hears() {
		return
	}
	photo, voice := testPhoto(), []byte("#!AMR\n\x3c\x91\x17\x16\xbe\x66\x79\xe1\xe0\x01\xe7\xaf\xf0\x00\x00")
	n := len(b.sink.Rows())
	switch {
	case b.rig.UserSendsPhoto(0, photo, "井盖") && b.caps.PhotoIn:
		ev := b.row(n)
		if ev.Kind != bots.KindPhoto || len(ev.Files) != 1 {
			b.Fatalf("a photo is %s with %d files", ev.Kind, len(ev.Files))
		}
		if ev.Text != "井盖" && ev.Text != "" {
			b.Errorf("the caption is %q", ev.Text)
		}
		b.samePicture(photo, b.fetch(ev.Files[0]))
	case b.caps.PhotoIn:
		b.Errorf("Caps.PhotoIn, but photos cannot be sent on this network")
	}
	n = len(b.sink.Rows())
	switch {
	case b.rig.UserSendsVoice(0, voice) && b.caps.VoiceIn:
		ev := b.row(n)
		if ev.Kind != bots.KindVoice || len(ev.Files) != 1 {
			b.Fatalf("a voice message is %s with %d files", ev.Kind, len(ev.Files))
		}
		if got := b.fetch(ev.Files[0]); !bytes.Equal(got, voice) {
			b.Errorf("a recording of %d bytes came as %d other bytes", len(voice), len(got))
		}
	case b.caps.VoiceIn:
		b.Errorf("Caps.VoiceIn, but recordings cannot be sent on this network")
	}
	b.mark(0)
	if r, err := b.rig.Adapter().Fetch(context.Background(), bots.File{Key: "no-such-file"}); err == nil {
		r.Close()
		b.Errorf("a file that does not exist can be fetched")
	} else {
		b.errs = append(b.errs, err.Error())
	}
}

func (b *bench) fetch(f bots.File) []byte {
	b.Helper()
	if f.Data != nil {
		return f.Data
	}
	ctx, cancel := context.WithTimeout(context.Background(), b.patience)
	defer cancel()
	r, err := b.rig.Adapter().Fetch(ctx, f)
	if err != nil {
		b.Fatalf("fetch: %v", err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		b.Fatalf("fetch: %v", err)
	}
	return data
}

// testPhoto is a picture whose left half is red and whose right half is blue.
func testPhoto() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for x := range 64 {
		for y := range 48 {
			img.Set(x, y, half(x))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		panic(err) // an in-memory picture always encodes
	}
	return out.Bytes()
}

func half(x int) color.RGBA {
	if x < 32 {
		return color.RGBA{R: 255, A: 255}
	}
	return color.RGBA{B: 255, A: 255}
}

// samePicture compares what the eye sees: networks and cleaners re-encode.
func (b *bench) samePicture(want, got []byte) {
	b.Helper()
	if bytes.Equal(want, got) {
		return
	}
	img, _, err := image.Decode(bytes.NewReader(got))
	if err != nil {
		b.Fatalf("the photo cannot be read any more: %v", err)
	}
	if img.Bounds().Dx() != 64 || img.Bounds().Dy() != 48 {
		b.Errorf("the photo is %v now, was 64x48", img.Bounds())
	}
	for _, x := range []int{8, 56} {
		r, _, blue, _ := img.At(img.Bounds().Min.X+x, img.Bounds().Min.Y+24).RGBA()
		if red := r > blue; red != (x < 32) {
			b.Errorf("the photo shows another picture at x=%d", x)
		}
	}
}

// 06
func group(b *bench) {
	if !b.hears() {
		return
	}
	n := len(b.sink.Rows())
	if b.rig.GroupSays(0, "大家好") && b.caps.Group {
		first := b.row(n)
		b.rig.GroupSays(1, "你好")
		second := b.row(n + 1)
		switch {
		case !first.Group || !second.Group:
			b.Errorf("words said in a group do not say so")
		case first.Chat != second.Chat:
			b.Errorf("two speakers of one group are in chats %q and %q", first.Chat, second.Chat)
		case first.From.User == second.From.User || string(first.From.User) == string(first.Chat):
			b.Errorf("the speakers of a group are %q and %q in chat %q", first.From.User, second.From.User, first.Chat)
		}
		if alone := b.says(0, "私下说"); alone.From.User != first.From.User || alone.Chat == first.Chat {
			b.Errorf("one user is %q in private and %q in the group", alone.From.User, first.From.User)
		}
	} else if b.caps.Group {
		b.Errorf("Caps.Group, but this network has no groups")
	}
	b.mark(0)
}

// 07
func echoes(b *bench) {
	if !b.hears() {
		return
	}
	b.mark(0)
	b.delivers(0, bots.Message{Text: "我们说的话"})
	b.rig.Echo()
	b.mark(0)
	if n := len(b.sink.Rows()); n != 2 {
		b.Errorf("our own message came back as an event (%d events, want 2)", n)
	}
}
