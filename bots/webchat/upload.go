package webchat

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"unicode/utf8"

	"shaoying/bots"
	"shaoying/internal/privacy"
)

// formRest is how much a multipart body may hold besides the file.
const formRest = 64 << 10

// readUpload reads a multipart message: id, one file called photo or voice,
// and perhaps text, the caption. Nothing touches the disk, and neither the name
// nor the type that the browser claims is believed.
func (c *Channel) readUpload(w http.ResponseWriter, r *http.Request) (id string, ev bots.Event, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, int64(c.cfg.Limits.MaxFile)+formRest)
	parts, err := r.MultipartReader()
	if err != nil {
		return "", ev, refusal{badRequest}
	}
	seen := map[string][]byte{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", ev, uploadError(err)
		}
		name, data, err := c.readPart(part)
		if err != nil {
			return "", ev, err
		}
		if _, twice := seen[name]; twice {
			return "", ev, refusal{badRequest}
		}
		seen[name] = data
	}
	id = string(seen["id"])
	photo, isPhoto := seen["photo"]
	voice, isVoice := seen["voice"]
	if !uuid.MatchString(id) || isPhoto == isVoice {
		return "", ev, refusal{badRequest}
	}
	if text, ok := seen["text"]; ok {
		ev.Text = string(text)
		if err := c.checkText(ev.Text); err != nil {
			return "", ev, err
		}
	}
	if isVoice {
		ev.Kind = bots.KindVoice
		ev.Files, err = voiceFile(voice)
		return id, ev, err
	}
	ev.Kind = bots.KindPhoto
	ev.Files, err = c.photoFile(r.Context(), photo)
	return id, ev, err
}

// readPart reads one part of the form that we know.
func (c *Channel) readPart(part *multipart.Part) (name string, data []byte, err error) {
	name = part.FormName()
	limit := formRest
	switch name {
	case "id", "text":
	case "photo", "voice":
		limit = c.cfg.Limits.MaxFile
	default:
		return "", nil, refusal{badRequest}
	}
	data, err = io.ReadAll(io.LimitReader(part, int64(limit)+1))
	switch {
	case err != nil:
		return "", nil, uploadError(err)
	case len(data) > limit:
		return "", nil, refusal{tooLarge}
	case limit == formRest && !utf8.Valid(data):
		return "", nil, refusal{badRequest}
	}
	return name, data, nil
}

// uploadError is readError, where a form that is cut off or no form at all is
// the sender's fault.
func uploadError(err error) error {
	var no refusal
	if err := readError(err); errors.As(err, &no) {
		return err
	}
	return refusal{badRequest}
}

// photoFile paints the photo anew, so that nothing but the picture survives.
func (c *Channel) photoFile(ctx context.Context, data []byte) ([]bots.File, error) {
	clean, err := c.Photos.Clean(ctx, data)
	switch {
	case errors.Is(err, privacy.ErrTooLarge):
		return nil, refusal{tooLarge}
	case errors.Is(err, privacy.ErrNotPhoto):
		return nil, refusal{notAPhoto}
	case err != nil:
		return nil, fmt.Errorf("clean a photo: %w", err)
	}
	return []bots.File{{MIME: "image/jpeg", Size: int64(len(clean)), Data: clean}}, nil
}

// voiceFile keeps a recording whose first bytes are those of a sound format
// that browsers and telephones record in.
func voiceFile(data []byte) ([]bots.File, error) {
	kind := soundType(data)
	if kind == "" {
		return nil, refusal{notAVoice}
	}
	return []bots.File{{MIME: kind, Size: int64(len(data)), Data: data}}, nil
}

// soundType names the format by its magic bytes, or returns "".
func soundType(data []byte) string {
	at := func(i int, magic string) bool {
		return len(data) >= i+len(magic) && bytes.Equal(data[i:i+len(magic)], []byte(magic))
	}
	switch {
	case at(0, "\x1aE\xdf\xa3"): // EBML: WebM (Chrome, Firefox)
		return "audio/webm"
	case at(0, "OggS"):
		return "audio/ogg"
	case at(4, "ftyp") && (at(8, "M4A ") || at(8, "isom") || at(8, "iso5") || at(8, "iso6") ||
		at(8, "mp41") || at(8, "mp42") || at(8, "3gp") || at(8, "dash")): // Safari, telephones; HEIC is ftyp too
		return "audio/mp4"
	case at(0, "#!AMR\n"), at(0, "#!AMR-WB\n"):
		return "audio/amr"
	case at(0, "RIFF") && at(8, "WAVE"):
		return "audio/wav"
	case at(0, "ID3"), len(data) > 1 && data[0] == 0xff && (data[1] == 0xfb || data[1] == 0xf3):
		return "audio/mpeg"
	}
	return ""
}
