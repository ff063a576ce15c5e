package world

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
)

// Photo is a JPEG of the given size with something in it.
func Photo(width, height int) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			picture.Set(x, y, color.RGBA{uint8(255 * x / width), uint8(255 * y / height), 120, 255})
		}
	}
	var out bytes.Buffer
	// Writing into memory cannot fail, and any size is a picture.
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		panic(err)
	}
	return out.Bytes()
}
