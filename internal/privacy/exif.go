package privacy

import (
	"encoding/binary"
	"image"
)

// jpegShape is what is read of a JPEG before it is decoded.
type jpegShape struct {
	orientation int // 1 to 8 as in Exif 2.32, table 6; 1 when there is none
	scans       int
}

// readJPEG walks the segments of a JPEG up to its end marker. Of other files,
// or where the walk breaks off, it says upright and what it counted so far.
func readJPEG(data []byte) jpegShape {
	shape := jpegShape{orientation: 1}
	const soi, eoi, sos, app1 = 0xd8, 0xd9, 0xda, 0xe1
	for i := 0; i+4 <= len(data) && data[i] == 0xff; {
		marker := data[i+1]
		switch {
		case marker == 0xff: // fill byte
			i++
			continue
		case marker == soi || marker == 0x01 || marker >= 0xd0 && marker <= 0xd7:
			i += 2
			continue
		case marker == eoi:
			return shape
		}
		length := int(binary.BigEndian.Uint16(data[i+2:]))
		end := i + 2 + length
		if length < 2 || end > len(data) {
			return shape
		}
		if marker == app1 && shape.orientation == 1 {
			shape.orientation = exifOrientation(data[i+4 : end])
		}
		if marker == sos {
			shape.scans++
			end = skipScan(data, end)
		}
		i = end
	}
	return shape
}

// skipScan returns where the next marker after entropy-coded data starts.
func skipScan(data []byte, i int) int {
	for ; i+1 < len(data); i++ {
		next := data[i+1]
		if data[i] == 0xff && next != 0 && next != 0xff && (next < 0xd0 || next > 0xd7) {
			return i
		}
	}
	return len(data)
}

// exifOrientation reads tag 0x0112 of the first directory of an Exif segment;
// 1 when there is none or it is not a number from 1 to 8.
func exifOrientation(segment []byte) int {
	const header, tagOrientation, typeShort = "Exif\x00\x00", 0x0112, 3
	if len(segment) < len(header)+8 || string(segment[:len(header)]) != header {
		return 1
	}
	tiff := segment[len(header):]
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := int(order.Uint16(tiff[at:]))
	tiff = tiff[at+2:]
	for range entries {
		if len(tiff) < 12 {
			return 1
		}
		if order.Uint16(tiff) == tagOrientation && order.Uint16(tiff[2:]) == typeShort {
			if o := int(order.Uint16(tiff[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		tiff = tiff[12:]
	}
	return 1
}

// upright turns and mirrors a picture as its orientation says.
func upright(img *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	outW, outH := w, h
	if orientation >= 5 {
		outW, outH = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, outW, outH))
	for y := range outH {
		for x := range outW {
			sx, sy := stored(orientation, x, y, w, h)
			copy(out.Pix[out.PixOffset(x, y):][:4], img.Pix[img.PixOffset(sx, sy):][:4])
		}
	}
	return out
}

// stored returns where the pixel that is seen at x, y lies in a stored picture
// of w × h.
func stored(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2: // mirrored
		return w - 1 - x, y
	case 3: // upside down
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6: // the camera was turned left
		return y, h - 1 - x
	case 7:
		return w - 1 - y, h - 1 - x
	case 8:
		return w - 1 - y, x
	}
	return x, y
}
