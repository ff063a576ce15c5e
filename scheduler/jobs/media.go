package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/privacy"
)

// sealBlob is under which the gateway seals files and references to them.
const sealBlob = "blob.body"

// fetchWithin is how long a network may take to hand a file over.
const fetchWithin = 15 * time.Second

// Media fetches a file that an event named without its bytes. Photos are made
// inert; a file that is too large, or is no photo, is dropped for good.
func Media(d Deps) gateway.Kind {
	return gateway.Kind{Name: gateway.KindMedia, Workers: 2, Run: d.media}
}

func (d Deps) media(ctx context.Context, t *gateway.Turn, due gateway.Due) (gateway.Outcome, error) {
	id := strings.TrimPrefix(due.Subject, "blob:")
	row, err := t.Blob(ctx, id)
	if errors.Is(err, postgres.ErrNoRows) || err == nil && row.Pending == nil {
		return gateway.Dropped("the file is there, or was erased"), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("load %s: %w", due.Subject, err)
	}
	plain, err := t.Open(sealBlob, row.Pending)
	if err != nil {
		return gateway.Outcome{}, err
	}
	var file bots.File
	if err := json.Unmarshal([]byte(plain), &file); err != nil {
		return gateway.Outcome{}, fmt.Errorf("read the reference of %s: %w", due.Subject, err)
	}
	body, err := d.fetch(ctx, t, row.ConversationID, file)
	// What its network will never hand over is not asked for again.
	if errors.Is(err, privacy.ErrTooLarge) || err != nil && bots.ClassOf(err) == bots.ClassRejected {
		return gateway.Dropped(err.Error()), nil
	}
	if err != nil {
		return gateway.Outcome{}, err
	}
	mime := row.Mime
	if row.Kind == "photo" {
		body, err = d.Photos.Clean(ctx, body)
		mime = "image/jpeg"
	}
	if errors.Is(err, privacy.ErrTooLarge) || errors.Is(err, privacy.ErrNotPhoto) {
		return gateway.Dropped(err.Error()), nil
	}
	if err != nil {
		return gateway.Outcome{}, fmt.Errorf("clean a photo: %w", err)
	}
	sealed := t.Seal(sealBlob, string(body))
	if err := t.FillBlob(ctx, db.FillBlobParams{ID: id, Body: sealed, Mime: mime, Size: int32(len(body))}); err != nil {
		return gateway.Outcome{}, fmt.Errorf("keep a file: %w", err)
	}
	return gateway.Done, nil
}

// fetch reads a file from its network, at most as much as is taken in.
func (d Deps) fetch(ctx context.Context, t *gateway.Turn, conversation *int64, f bots.File) ([]byte, error) {
	if conversation == nil {
		return nil, errors.New("a file without a conversation cannot be fetched")
	}
	channel, err := t.ChannelOfConversation(ctx, *conversation)
	if err != nil {
		return nil, fmt.Errorf("find the channel of a file: %w", err)
	}
	adapter := d.Channels[bots.ChannelID(channel)]
	if adapter == nil {
		return nil, fmt.Errorf("channel %s is not configured here", channel)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchWithin)
	defer cancel()
	r, err := adapter.Fetch(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("fetch a file: %w", err)
	}
	defer r.Close()
	limit := int64(d.Privacy.Photo.MaxBytesIn)
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read a file: %w", err)
	}
	if int64(len(body)) > limit {
		return nil, fmt.Errorf("file of more than %d bytes: %w", limit, privacy.ErrTooLarge)
	}
	return body, nil
}
