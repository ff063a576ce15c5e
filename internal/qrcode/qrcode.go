// Package qrcode draws QR codes for two places: a page of staff, as PNG, and a
// terminal, as half blocks. What a code says is given to whoever sees it, so
// nothing here writes to a log.
package qrcode

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// quiet is how many light modules stand around a code (ISO/IEC 18004).
const quiet = 4

// code is the dark modules of a code, with the quiet zone.
type code struct {
	side int
	dark func(x, y int) bool
}

func encode(text string) (code, error) {
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return code{}, fmt.Errorf("a QR code cannot hold %d bytes", len(text)) // err repeats them
	}
	inner := c.Bounds().Dx()
	return code{side: inner + 2*quiet, dark: func(x, y int) bool {
		x, y = x-quiet, y-quiet
		if x < 0 || y < 0 || x >= inner || y >= inner {
			return false
		}
		r, _, _, _ := c.At(x, y).RGBA()
		return r == 0
	}}, nil
}

// PNG writes a code as a picture, scale pixels for each module.
func PNG(w io.Writer, text string, scale int) error {
	c, err := encode(text)
	if err != nil {
		return err
	}
	img := image.NewPaletted(image.Rect(0, 0, c.side*scale, c.side*scale), color.Palette{color.White, color.Black})
	for y := range c.side * scale {
		for x := range c.side * scale {
			if c.dark(x/scale, y/scale) {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	if err := png.Encode(w, img); err != nil {
		return fmt.Errorf("write a QR code: %w", err)
	}
	return nil
}

// Two modules stand above one another in one character. Colours are set, since a
// phone reads a code only where the dark is darker.
const (
	blackOnWhite = "\x1b[30;107m"
	plain        = "\x1b[0m"
)

// Print writes a code for a terminal.
func Print(w io.Writer, text string) error {
	c, err := encode(text)
	if err != nil {
		return err
	}
	var b strings.Builder
	for y := 0; y < c.side; y += 2 {
		b.WriteString(blackOnWhite)
		for x := range c.side {
			switch upper, lower := c.dark(x, y), y+1 < c.side && c.dark(x, y+1); {
			case upper && lower:
				b.WriteRune('█')
			case upper:
				b.WriteRune('▀')
			case lower:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(plain + "\n")
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print a QR code: %w", err)
	}
	return nil
}
