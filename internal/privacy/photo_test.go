package privacy

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

var testLimits = PhotoLimits{MaxBytesIn: 20 << 20, MaxPixels: 25_000_000, MaxSide: 2560, MaxBytesOut: 2 << 20}

// corners is a picture whose four quarters have colours of their own, so that
// any turn of it shows.
func corners(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{R: 255, A: 255} // top left red
			switch {
			case x >= w/2 && y < h/2:
				c = color.RGBA{G: 255, A: 255} // top right green
			case x < w/2 && y >= h/2:
				c = color.RGBA{B: 255, A: 255} // bottom left blue
			case x >= w/2:
				c = color.RGBA{R: 255, G: 255, A: 255} // bottom right yellow
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gifOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := gif.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func b64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// withSegment puts a segment behind the start marker of a JPEG.
func withSegment(data []byte, marker byte, payload []byte) []byte {
	out := []byte{0xff, 0xd8, 0xff, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(payload)+2))
	return append(append(out, payload...), data[2:]...)
}

// exif is an Exif segment with an orientation and a canary where a camera
// writes its maker and position.
func exif(order binary.AppendByteOrder, orientation uint16) []byte {
	out := []byte("Exif\x00\x00")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		out = append(out, "II*\x00"...)
	} else {
		out = append(out, "MM\x00*"...)
	}
	out = order.AppendUint32(out, 8)
	out = order.AppendUint16(out, 2)
	for _, e := range []struct {
		tag, kind uint16
		count     uint32
		value     uint16
	}{{0x010f, 2, 1, 0}, {0x0112, 3, 1, orientation}} {
		out = order.AppendUint16(out, e.tag)
		out = order.AppendUint16(out, e.kind)
		out = order.AppendUint32(out, e.count)
		out = order.AppendUint16(out, e.value)
		out = order.AppendUint16(out, 0)
	}
	return append(out, "CANARY GPS 27.6229,113.8543"...)
}

func clean(t *testing.T, data []byte) image.Image {
	t.Helper()
	out, err := CleanPhoto(data, testLimits)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(out, []byte("CANARY")) || bytes.Contains(out, []byte("Exif")) {
		t.Fatal("something of the file survived")
	}
	if len(out) > testLimits.MaxBytesOut {
		t.Fatalf("%d bytes came out", len(out))
	}
	img, err := jpeg.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// look names the colours of the four corners, read as a line of text.
func look(img image.Image) string {
	b := img.Bounds()
	name := func(x, y int) string {
		r, g, bl, _ := img.At(x, y).RGBA()
		high := func(v uint32) bool { return v > 0x8000 }
		switch {
		case high(r) && high(g) && high(bl):
			return "W"
		case high(r) && high(g):
			return "Y"
		case high(r):
			return "R"
		case high(g):
			return "G"
		case high(bl):
			return "B"
		}
		return "-"
	}
	l, r, t, d := b.Min.X+b.Dx()/4, b.Min.X+3*b.Dx()/4, b.Min.Y+b.Dy()/4, b.Min.Y+3*b.Dy()/4
	return name(l, t) + name(r, t) + name(l, d) + name(r, d)
}

func TestEveryFormatIsRead(t *testing.T) {
	img := corners(64, 32)
	for name, data := range map[string][]byte{"jpeg": jpegOf(t, img), "png": pngOf(t, img), "gif": gifOf(t, img)} {
		got := clean(t, data)
		if got.Bounds().Dx() != 64 || got.Bounds().Dy() != 32 || look(got) != "RGBY" {
			t.Errorf("%s: %v %s", name, got.Bounds(), look(got))
		}
	}
	for name, data := range map[string]string{
		"webp lossy":    "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA",
		"webp lossless": "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==",
	} {
		if got := clean(t, b64(t, data)); got.Bounds().Dx() != 1 {
			t.Errorf("%s: %v", name, got.Bounds())
		}
	}
}

func TestTransparentBecomesWhite(t *testing.T) {
	if got := look(clean(t, pngOf(t, image.NewNRGBA(image.Rect(0, 0, 32, 32))))); got != "WWWW" {
		t.Errorf("a transparent picture became %s", got)
	}
}

// As stored: red green / blue yellow. What each orientation has to show is
// Exif 2.32 table 6 ("the 0th row is at the visual …").
func TestOrientation(t *testing.T) {
	data := jpegOf(t, corners(64, 32))
	for orientation, want := range map[uint16]string{
		0: "RGBY", 1: "RGBY", 2: "GRYB", 3: "YBGR", 4: "BYRG", 5: "RBGY", 6: "BRYG", 7: "YGBR", 8: "GYRB", 9: "RGBY",
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			got := clean(t, withSegment(data, 0xe1, exif(order, orientation)))
			turned := orientation >= 5 && orientation <= 8
			if look(got) != want || turned != (got.Bounds().Dx() == 32) {
				t.Errorf("orientation %d (%v): %s %v, want %s", orientation, order, look(got), got.Bounds(), want)
			}
		}
	}
}

func TestLargePhotoIsScaledDown(t *testing.T) {
	lim := testLimits
	lim.MaxSide = 256
	for _, tc := range []struct{ w, h, wantW, wantH int }{
		{400, 300, 256, 192}, {300, 400, 192, 256}, {256, 256, 256, 256}, {5000, 1, 256, 1}, {1, 5000, 1, 256}, {257, 255, 256, 254},
	} {
		out, err := CleanPhoto(pngOf(t, corners(tc.w, tc.h)), lim)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != tc.wantW || b.Dy() != tc.wantH || tc.wantW > 1 && tc.wantH > 1 && look(img) != "RGBY" {
			t.Errorf("%d×%d became %v %s", tc.w, tc.h, b, look(img))
		}
	}
}

// Noise is what JPEG compresses worst.
func TestResultFitsItsBytes(t *testing.T) {
	noise := image.NewRGBA(image.Rect(0, 0, 160, 120))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise.Pix {
		noise.Pix[i] = byte(r.Uint32())
	}
	lim := testLimits
	for _, limit := range []int{20_000, 8_000, 2_000} {
		lim.MaxBytesOut = limit
		out, err := CleanPhoto(pngOf(t, noise), lim)
		if err != nil || len(out) > limit {
			t.Errorf("limit %d: %d bytes, %v", limit, len(out), err)
		}
	}
	lim.MaxBytesOut = 10
	if _, err := CleanPhoto(pngOf(t, noise), lim); !errors.Is(err, ErrTooLarge) {
		t.Errorf("ten bytes: %v", err)
	}
}

// pngHeader is a valid PNG start that claims a size and holds nothing.
func pngHeader(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 6, 0, 0, 0)
	out := binary.BigEndian.AppendUint32([]byte("\x89PNG\r\n\x1a\n"), 13)
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

// manyScans repeats the scan of a JPEG, which is what makes a small file slow.
func manyScans(data []byte, n int) []byte {
	sos := bytes.Index(data, []byte{0xff, 0xda})
	scan := data[sos : len(data)-2]
	return append(append(bytes.Clone(data[:sos]), bytes.Repeat(scan, n)...), 0xff, 0xd9)
}

// Promise S6: the hostile corpus.
func TestS6HostileFiles(t *testing.T) {
	good := corners(64, 32)
	jpg, pic := jpegOf(t, good), pngOf(t, good)
	var zipped bytes.Buffer
	z := zip.NewWriter(&zipped)
	if w, err := z.Create("../../etc/cron.d/x"); err != nil {
		t.Fatal(err)
	} else if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	gifBomb := append([]byte("GIF89a"), 0xff, 0xff, 0xff, 0xff, 0, 0, 0)
	vp8x := []byte("RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\xff\x00\xff\xff\x00")
	for name, tc := range map[string]struct {
		data []byte
		want error
	}{
		"nothing":                  {nil, ErrNotPhoto},
		"one byte":                 {[]byte{0xff}, ErrNotPhoto},
		"text":                     {[]byte("水井盖松动"), ErrNotPhoto},
		"html":                     {[]byte("<html><script>alert(1)</script>"), ErrNotPhoto},
		"svg":                      {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), ErrNotPhoto},
		"svg with bom":             {[]byte("\ufeff<?xml version=\"1.0\"?><svg/>"), ErrNotPhoto},
		"xml bomb":                 {[]byte(`<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>`), ErrNotPhoto},
		"pdf":                      {[]byte("%PDF-1.7\n"), ErrNotPhoto},
		"zip":                      {zipped.Bytes(), ErrNotPhoto},
		"elf":                      {[]byte("\x7fELF\x02\x01\x01"), ErrNotPhoto},
		"shell":                    {[]byte("#!/bin/sh\nrm -rf /\n"), ErrNotPhoto},
		"php in a gif head":        {[]byte("GIF89a/*<?php system($_GET[0]); ?>*/"), ErrTooLarge},
		"script in a gif head":     {[]byte("GIF89a=1;alert(1)"), ErrTooLarge},
		"heic":                     {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), ErrNotPhoto},
		"heic called jpeg":         {append([]byte("\xff\xd8\xff\xe0"), "ftypheic"...), ErrNotPhoto},
		"avif":                     {[]byte("\x00\x00\x00\x18ftypavif"), ErrNotPhoto},
		"bmp":                      {[]byte("BM\x36\x00\x00\x00"), ErrNotPhoto},
		"tiff":                     {[]byte("II*\x00\x08\x00\x00\x00"), ErrNotPhoto},
		"ico":                      {[]byte("\x00\x00\x01\x00"), ErrNotPhoto},
		"mp4":                      {[]byte("\x00\x00\x00\x18ftypmp42"), ErrNotPhoto},
		"jpeg magic alone":         {[]byte("\xff\xd8\xff"), ErrNotPhoto},
		"png magic alone":          {[]byte("\x89PNG\r\n\x1a\n"), ErrNotPhoto},
		"gif magic alone":          {[]byte("GIF89a"), ErrNotPhoto},
		"webp magic alone":         {[]byte("RIFF\x04\x00\x00\x00WEBPx"), ErrNotPhoto},
		"jpeg cut in half":         {jpg[:len(jpg)/2], ErrNotPhoto},
		"png cut in half":          {pic[:len(pic)/2], ErrNotPhoto},
		"jpeg behind a line":       {append([]byte("\n"), jpg...), ErrNotPhoto},
		"png with a wrong crc":     {bytes.Replace(pic, []byte("IDAT"), []byte("IDAX"), 1), ErrNotPhoto},
		"png 50000 x 50000":        {pngHeader(50_000, 50_000), ErrTooLarge},
		"png 2^31-1 wide":          {pngHeader(1<<31-1, 1), ErrTooLarge},
		"png 2^31-1 squared":       {pngHeader(1<<31-1, 1<<31-1), ErrNotPhoto},
		"png without width":        {pngHeader(0, 10), ErrNotPhoto},
		"png of just a header":     {pngHeader(10, 10), ErrNotPhoto},
		"gif 65535 x 65535":        {gifBomb, ErrTooLarge},
		"webp 65536 x 65536":       {vp8x, ErrNotPhoto},
		"one pixel too many":       {pngHeader(5001, 5000), ErrTooLarge},
		"too many bytes":           {make([]byte, testLimits.MaxBytesIn+1), ErrTooLarge},
		"jpeg of a thousand scans": {manyScans(jpg, 1000), ErrNotPhoto},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := CleanPhoto(tc.data, testLimits)
			if !errors.Is(err, tc.want) || out != nil {
				t.Errorf("%d bytes, %v, want %v", len(out), err, tc.want)
			}
		})
	}
}

// A photo with something else in or behind it is taken, without that.
func TestPolyglotLosesItsOtherHalf(t *testing.T) {
	jpg := jpegOf(t, corners(64, 32))
	for name, data := range map[string][]byte{
		"html behind":   append(bytes.Clone(jpg), "<html>CANARY<script>"...),
		"zip behind":    append(bytes.Clone(jpg), "PK\x03\x04CANARY"...),
		"comment":       withSegment(jpg, 0xfe, []byte("CANARY <?php")),
		"xmp":           withSegment(jpg, 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00<x>CANARY</x>")),
		"thumbnail":     withSegment(jpg, 0xe1, append(exif(binary.BigEndian, 1), jpg[:200]...)),
		"broken exif":   withSegment(jpg, 0xe1, []byte("Exif\x00\x00MM\x00*\xff\xff\xff\xffCANARY")),
		"exif no end":   withSegment(jpg, 0xe1, []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\xffCANARY")),
		"text in a png": append(pngOf(t, corners(64, 32)), "CANARY"...),
	} {
		t.Run(name, func(t *testing.T) {
			if got := look(clean(t, data)); got != "RGBY" {
				t.Errorf("became %s", got)
			}
		})
	}
}

func TestLimitsMustBeGiven(t *testing.T) {
	if _, err := CleanPhoto(jpegOf(t, corners(8, 8)), PhotoLimits{}); err == nil {
		t.Error("no limits went well")
	}
	if _, err := NewPhotoCleaner(PhotoLimits{MaxBytesIn: 1}); err == nil {
		t.Error("a cleaner without limits went well")
	}
}

func TestCleanerWaitsItsTurn(t *testing.T) {
	c, err := NewPhotoCleaner(testLimits)
	if err != nil {
		t.Fatal(err)
	}
	data := jpegOf(t, corners(64, 32))
	synctest.Test(t, func(t *testing.T) {
		c.turn = make(chan struct{}, 1) // of this bubble
		c.turn <- struct{}{}            // somebody else is at it
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := c.Clean(ctx, data)
			done <- err
		}()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("did not wait: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "wait") {
			t.Errorf("error %v", err)
		}
	})
	c.turn = make(chan struct{}, 1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := c.Clean(t.Context(), data); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// A phone's photo of 12 megapixels.
func BenchmarkCleanPhoto(b *testing.B) {
	data := withSegment(jpegOf(b, corners(4000, 3000)), 0xe1, exif(binary.BigEndian, 6))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := CleanPhoto(data, testLimits); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzCleanPhoto(f *testing.F) {
	img := corners(16, 8)
	jpg := jpegOf(f, img)
	f.Add(jpg)
	f.Add(withSegment(jpg, 0xe1, exif(binary.LittleEndian, 6)))
	f.Add(pngOf(f, img))
	f.Add(gifOf(f, img))
	f.Add(b64(f, "UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA"))
	f.Add(b64(f, "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="))
	lim := PhotoLimits{MaxBytesIn: 1 << 16, MaxPixels: 1 << 16, MaxSide: 100, MaxBytesOut: 1 << 14}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := CleanPhoto(data, lim)
		if err != nil {
			if !errors.Is(err, ErrNotPhoto) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("error %v", err)
			}
			return
		}
		cfg, err := jpeg.DecodeConfig(bytes.NewReader(out))
		if err != nil || cfg.Width > lim.MaxSide || cfg.Height > lim.MaxSide || len(out) > lim.MaxBytesOut {
			t.Fatalf("%d bytes, %dx%d, %v", len(out), cfg.Width, cfg.Height, err)
		}
	})
}
