package privacy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// PhotoLimits bounds what a photo may cost and become; configs/policies/
// privacy.yaml holds the values with their sources.
type PhotoLimits struct {
	MaxBytesIn  int `yaml:"max_bytes_in"`  // of the upload
	MaxPixels   int `yaml:"max_pixels"`    // width × height, checked before decoding
	MaxSide     int `yaml:"max_side"`      // pixels of the longer side of the result
	MaxBytesOut int `yaml:"max_bytes_out"` // of the resulting JPEG
}

var (
	// ErrNotPhoto: not a JPEG, PNG, GIF or WebP by its bytes, or broken.
	ErrNotPhoto = errors.New("not a photo that can be read (JPEG, PNG, GIF or WebP)")
	// ErrTooLarge: more bytes or pixels than the limits allow.
	ErrTooLarge = errors.New("photo is too large")
)

// maxScans bounds the passes of a progressive JPEG. Cameras write about ten;
// thousands cost minutes of CPU for a few kilobytes.
const maxScans = 64

// Validate returns an error when a limit is missing.
func (l PhotoLimits) Validate() error {
	if l.MaxBytesIn <= 0 || l.MaxPixels <= 0 || l.MaxSide <= 0 || l.MaxBytesOut <= 0 {
		return fmt.Errorf("photo limits %+v: every one must be above 0", l)
	}
	return nil
}

// format is one kind of picture that is read, known by its first bytes.
type format struct {
	magic  func([]byte) bool
	config func([]byte) (image.Config, error)
	decode func([]byte) (image.Image, error)
}

// formats lists what is read. Names and declared MIME types are not asked.
func formats() []format {
	starts := func(magic string) func([]byte) bool {
		return func(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }
	}
	return []format{
		{
			starts("\xff\xd8\xff"),
			func(d []byte) (image.Config, error) { return jpeg.DecodeConfig(bytes.NewReader(d)) },
			func(d []byte) (image.Image, error) { return jpeg.Decode(bytes.NewReader(d)) },
		},
		{
			starts("\x89PNG\r\n\x1a\n"),
			func(d []byte) (image.Config, error) { return png.DecodeConfig(bytes.NewReader(d)) },
			func(d []byte) (image.Image, error) { return png.Decode(bytes.NewReader(d)) },
		},
		{
			starts("GIF8"),
			func(d []byte) (image.Config, error) { return gif.DecodeConfig(bytes.NewReader(d)) },
			func(d []byte) (image.Image, error) { return gif.Decode(bytes.NewReader(d)) }, // first frame
		},
		{
			func(d []byte) bool { return len(d) > 12 && string(d[:4]) == "RIFF" && string(d[8:12]) == "WEBP" },
			func(d []byte) (image.Config, error) { return webp.DecodeConfig(bytes.NewReader(d)) },
			func(d []byte) (image.Image, error) { return webp.Decode(bytes.NewReader(d)) },
		},
	}
}

// CleanPhoto turns an upload into a plain JPEG within the limits. The picture
// is decoded and painted anew, turned upright as its EXIF says, so nothing of
// the file survives but what the eye sees: no EXIF, no position, no second
// file hidden behind the first. It returns ErrNotPhoto or ErrTooLarge. It may
// take about 4 bytes of memory per pixel; a server uses a PhotoCleaner.
func CleanPhoto(data []byte, lim PhotoLimits) ([]byte, error) {
	if err := lim.Validate(); err != nil {
		return nil, err
	}
	if len(data) > lim.MaxBytesIn {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), lim.MaxBytesIn)
	}
	for _, f := range formats() {
		if !f.magic(data) {
			continue
		}
		cfg, err := f.config(data)
		if err != nil || cfg.Width <= 0 || cfg.Height <= 0 {
			return nil, ErrNotPhoto
		}
		if cfg.Width > lim.MaxPixels/cfg.Height {
			return nil, fmt.Errorf("%w: %d×%d pixels, at most %d in all", ErrTooLarge, cfg.Width, cfg.Height, lim.MaxPixels)
		}
		shape := readJPEG(data)
		if shape.scans > maxScans {
			return nil, ErrNotPhoto
		}
		img, err := f.decode(data)
		if err != nil {
			return nil, ErrNotPhoto
		}
		return encode(shrink(img, lim.MaxSide), shape.orientation, lim)
	}
	return nil, ErrNotPhoto
}

// encode writes the upright picture as JPEG, with less quality and then fewer
// pixels until it fits.
func encode(img *image.RGBA, orientation int, lim PhotoLimits) ([]byte, error) {
	img = upright(img, orientation)
	for {
		for _, quality := range []int{85, 70} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
				return nil, fmt.Errorf("write the JPEG: %w", err)
			}
			if out.Len() <= lim.MaxBytesOut {
				return out.Bytes(), nil
			}
		}
		side := max(img.Rect.Dx(), img.Rect.Dy())
		if side == 1 {
			return nil, fmt.Errorf("%w: one pixel does not fit %d bytes", ErrTooLarge, lim.MaxBytesOut)
		}
		img = shrink(img, max(1, side*3/4))
	}
}

// shrink paints img on white, its longer side at most side pixels.
func shrink(img image.Image, side int) *image.RGBA {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(out, out.Rect, img, b.Min, draw.Over)
	} else {
		draw.ApproxBiLinear.Scale(out, out.Rect, img, b, draw.Over, nil)
	}
	return out
}

// PhotoCleaner cleans photos one at a time, so that many uploads together cost
// the memory of one.
type PhotoCleaner struct {
	limits PhotoLimits
	turn   chan struct{}
}

// NewPhotoCleaner returns a cleaner with these limits.
func NewPhotoCleaner(limits PhotoLimits) (*PhotoCleaner, error) {
	if err := limits.Validate(); err != nil {
		return nil, err
	}
	return &PhotoCleaner{limits: limits, turn: make(chan struct{}, 1)}, nil
}

// MaxBytes is the most bytes that an upload may have.
func (c *PhotoCleaner) MaxBytes() int { return c.limits.MaxBytesIn }

// Clean is CleanPhoto, after waiting for its turn or for ctx to end.
func (c *PhotoCleaner) Clean(ctx context.Context, data []byte) ([]byte, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
		return CleanPhoto(data, c.limits)
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to clean a photo: %w", ctx.Err())
	}
}
