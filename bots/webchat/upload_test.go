package webchat

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image/jpeg"
	"net/http"
	"strings"
	"testing"

	"shaoying/bots"
)

// exif is a JPEG APP1 segment that says where somebody lives.
func exif(jpeg []byte, secret string) []byte {
	segment := append([]byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x00"), secret...)
	out := append([]byte{}, jpeg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(segment)+2))
	return append(append(out, segment...), jpeg[2:]...)
}

// hugePNG is a few bytes that claim to be w by h pixels.
func hugePNG(w, h uint32) []byte {
	ihdr := []byte("IHDR")
	ihdr = binary.BigEndian.AppendUint32(ihdr, w)
	ihdr = binary.BigEndian.AppendUint32(ihdr, h)
	ihdr = append(ihdr, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, ihdr...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(ihdr))
}

func TestUploadsAreInert(t *testing.T) {
	s := newSite(t, Mount{})
	const home = "GPS 27.622912 113.854556"
	kind, body := form(t, "id", id1, "photo", string(exif(picture(t, 300, 200), home))+"<script>alert(1)</script>", "text", "井盖")
	if resp, answer := s.do(t, http.MethodPost, "/chat/messages", kind, body); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", resp.StatusCode, answer)
	}
	ev := s.sink.Rows()[0]
	f := ev.Files[0]
	if ev.Kind != bots.KindPhoto || ev.Text != "井盖" || f.MIME != "image/jpeg" || f.Name != "" {
		t.Errorf("the photo became %s %q %s %q", ev.Kind, ev.Text, f.MIME, f.Name)
	}
	for _, left := range []string{home, "Exif", "<script>"} {
		if bytes.Contains(f.Data, []byte(left)) {
			t.Errorf("%q survives in the photo", left)
		}
	}
	if img, err := jpeg.Decode(bytes.NewReader(f.Data)); err != nil || img.Bounds().Dx() != 300 {
		t.Errorf("the photo cannot be read: %v", err)
	}
}

func TestHostileUploadsAreRefused(t *testing.T) {
	s := newSite(t, Mount{})
	whole := string(picture(t, 40, 40))
	heic := "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"
	for name, c := range map[string]struct {
		parts  []string
		status int
		code   string
	}{
		"SVG":                 {[]string{"id", id1, "photo", `<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>`}, 415, "not_a_photo"},
		"HTML":                {[]string{"id", id1, "photo", "<!doctype html><script>1</script>"}, 415, "not_a_photo"},
		"ZIP":                 {[]string{"id", id1, "photo", "PK\x03\x04"}, 415, "not_a_photo"},
		"program":             {[]string{"id", id1, "photo", "\x7fELF\x02\x01"}, 415, "not_a_photo"},
		"HEIC that lies":      {[]string{"id", id1, "photo", heic}, 415, "not_a_photo"},
		"JPEG cut off":        {[]string{"id", id1, "photo", whole[:len(whole)/2]}, 415, "not_a_photo"},
		"PNG bomb":            {[]string{"id", id1, "photo", string(hugePNG(50000, 50000))}, 413, "too_large"},
		"empty photo":         {[]string{"id", id1, "photo", ""}, 415, "not_a_photo"},
		"photo for a voice":   {[]string{"id", id1, "voice", whole}, 415, "not_a_voice"},
		"HEIC for a voice":    {[]string{"id", id1, "voice", heic}, 415, "not_a_voice"},
		"HTML for a voice":    {[]string{"id", id1, "voice", "<html>"}, 415, "not_a_voice"},
		"empty voice":         {[]string{"id", id1, "voice", ""}, 415, "not_a_voice"},
		"too large":           {[]string{"id", id1, "voice", "OggS" + strings.Repeat("x", 20<<20)}, 413, "too_large"},
		"far too large":       {[]string{"id", id1, "voice", "OggS" + strings.Repeat("x", 21<<20)}, 413, "too_large"},
		"no id":               {[]string{"photo", whole}, 400, "bad_request"},
		"id that is a path":   {[]string{"id", "../../etc/passwd", "photo", whole}, 400, "bad_request"},
		"no file":             {[]string{"id", id1}, 400, "bad_request"},
		"two files":           {[]string{"id", id1, "photo", whole, "voice", "OggS"}, 400, "bad_request"},
		"the same part twice": {[]string{"id", id1, "photo", whole, "photo", whole}, 400, "bad_request"},
		"unknown part":        {[]string{"id", id1, "photo", whole, "admin", "1"}, 400, "bad_request"},
		"caption, control":    {[]string{"id", id1, "photo", whole, "text", "\x1b[31m"}, 400, "bad_request"},
		"caption, not UTF-8":  {[]string{"id", id1, "photo", whole, "text", "\xff"}, 400, "bad_request"},
		"caption too long":    {[]string{"id", id1, "photo", whole, "text", strings.Repeat("字", 2001)}, 422, "too_long"},
		"caption endless":     {[]string{"id", id1, "photo", whole, "text", strings.Repeat("x", 100<<10)}, 413, "too_large"},
	} {
		kind, body := form(t, c.parts...)
		resp, answer := s.do(t, http.MethodPost, "/chat/messages", kind, body)
		checkProblem(t, name, resp, answer, c.status, c.code)
	}
	kind, body := form(t, "id", id1, "photo", whole)
	resp, answer := s.do(t, http.MethodPost, "/chat/messages", kind, bytes.NewReader(body.Bytes()[:body.Len()/2]))
	checkProblem(t, "form cut off", resp, answer, 400, "bad_request")
	if n := s.sink.Calls(); n != 0 {
		t.Errorf("hostile uploads reached the sink %d times", n)
	}
}

func TestSoundType(t *testing.T) {
	for head, want := range map[string]string{
		"\x1aE\xdf\xa3....": "audio/webm", "OggS": "audio/ogg", "....ftypM4A ": "audio/mp4", "....ftypisom": "audio/mp4",
		"#!AMR\n": "audio/amr", "#!AMR-WB\n": "audio/amr", "RIFF....WAVE": "audio/wav", "ID3": "audio/mpeg", "\xff\xfb": "audio/mpeg",
		"": "", "RIFF....WEBP": "", "....ftypheic": "", "....ftypavif": "", "\xff\xd8\xff": "", "%PDF": "", "#!/bin/sh": "", "....ftyp": "",
	} {
		if got := soundType([]byte(head)); got != want {
			t.Errorf("%q is %q, want %q", head, got, want)
		}
	}
}
