package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	// maxForm bounds what a form without pictures may carry, in bytes.
	maxForm = 64 << 10
	// maxUpload bounds a form with pictures, maxPhotos how many there may be.
	maxUpload, maxPhotos = 40 << 20, 6
	// inMemory is how much of a form is held in memory, the rest in files.
	inMemory = 8 << 20
)

// readForm reads the form of a request, with or without pictures.
func readForm(r *http.Request) error {
	var err error
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		err = r.ParseMultipartForm(inMemory)
	} else {
		err = r.ParseForm()
	}
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return &badForm{"console.problem.large"}
	}
	if err != nil {
		return &badForm{"console.problem.form"}
	}
	return nil
}

// pictures cleans the pictures of a form: re-encoded, without place and camera.
func (c *Console) pictures(r *http.Request) ([][]byte, error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	defer r.MultipartForm.RemoveAll()
	var all [][]byte
	for _, h := range r.MultipartForm.File["photo"] {
		if h.Size == 0 {
			continue // a field left empty
		}
		if len(all) == maxPhotos || c.Photos == nil {
			return nil, &badForm{"console.problem.photos"}
		}
		f, err := h.Open()
		if err != nil {
			return nil, fmt.Errorf("open a picture: %w", err)
		}
		raw, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read a picture: %w", err)
		}
		clean, err := c.Photos.Clean(r.Context(), raw)
		if err != nil {
			if r.Context().Err() != nil {
				return nil, r.Context().Err()
			}
			return nil, &badForm{"console.problem.photo"}
		}
		all = append(all, clean)
	}
	return all, nil
}

// keep stores the pictures of a form as evidence and returns their ids.
func (v *visit) keep(ctx context.Context) ([]string, error) {
	ids := make([]string, len(v.photos))
	for i, p := range v.photos {
		var err error
		if ids[i], err = v.KeepPhoto(ctx, p); err != nil {
			return nil, err
		}
	}
	return ids, nil
}
