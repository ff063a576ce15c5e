package gateway

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"shaoying/bots"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
)

// ActionVoice is what the gateway calls for a voice message that the network
// did not write down, on any step of any dialogue: the recording is kept, a
// number is answered at once, and a clerk gets a task.
const ActionVoice = "intake.voice"

// KindMedia is the due kind that fetches files of events that came without
// their bytes.
const KindMedia = "media"

// voice keeps a voice message. The network's transcript is used as words; a
// recording without one becomes a clerk's task and the dialogue waits.
func (t *Turn) voice(ctx context.Context, ev bots.Event) error {
	ids, err := t.keepFiles(ctx, ev)
	if err != nil {
		return err
	}
	if ev.Text != "" {
		return t.understand(ctx, t.input(bots.Event{Kind: bots.KindText, Text: ev.Text}, nil))
	}
	action := t.g.Actions[ActionVoice]
	if action == nil {
		return fmt.Errorf("no action is called %q", ActionVoice)
	}
	_, err = action(ctx, t, map[string]any{"voice": ids})
	return err
}

// keepFiles stores the files of an event in the turn, or plans to fetch them,
// and returns their ids. The ticket never waits for a download.
func (t *Turn) keepFiles(ctx context.Context, ev bots.Event) ([]string, error) {
	kind := "photo"
	if ev.Kind == bots.KindVoice {
		kind = "voice"
	}
	ids := make([]string, 0, len(ev.Files))
	for _, f := range ev.Files {
		id := rand.Text()
		if f.Data != nil {
			err := t.AddBlob(ctx, db.AddBlobParams{
				ID: id, Kind: kind, Mime: f.MIME, Size: int32(len(f.Data)),
				Body: t.g.Keys.Seal(f.Data, aadBlob), ConversationID: &t.Conversation,
			})
			if err != nil {
				return nil, fmt.Errorf("keep a file: %w", err)
			}
		} else if err := t.planFetch(ctx, id, kind, f); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// KeepPhoto stores a cleaned JPEG that came by no channel, from a form of the
// desk page, and returns its id.
func (t *Turn) KeepPhoto(ctx context.Context, jpeg []byte) (id string, err error) {
	return t.KeepPicture(ctx, jpeg, "image/jpeg")
}

// KeepPicture stores a picture of a type that came by no channel, or was drawn
// here, and returns its id.
func (t *Turn) KeepPicture(ctx context.Context, data []byte, mime string) (id string, err error) {
	id = rand.Text()
	err = t.AddBlob(ctx, db.AddBlobParams{ID: id, Kind: "photo", Mime: mime, Size: int32(len(data)), Body: t.g.Keys.Seal(data, aadBlob)})
	if err != nil {
		return "", fmt.Errorf("keep a photo: %w", err)
	}
	return id, nil
}

// ShowsPhotos reports whether the channel of this chat shows pictures of ours.
func (t *Turn) ShowsPhotos() bool { return t.caps.PhotoOut > 0 }

func (t *Turn) planFetch(ctx context.Context, id, kind string, f bots.File) error {
	ref, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("pack a file reference: %w", err)
	}
	err = t.AddPendingBlob(ctx, db.AddPendingBlobParams{
		ID: id, Kind: kind, Mime: f.MIME, Pending: t.g.Keys.Seal(ref, aadBlob), ConversationID: &t.Conversation,
	})
	if err != nil {
		return fmt.Errorf("note a file to fetch: %w", err)
	}
	return t.PlanDue(ctx, Plan{Kind: KindMedia, Subject: "blob:" + id, Key: "fetch", At: t.Now})
}

// OpenBlob returns the bytes of a stored file.
func (g *Gateway) OpenBlob(ctx context.Context, q *db.Queries, id string) (mime string, data []byte, err error) {
	b, err := q.Blob(ctx, id)
	if err != nil {
		return "", nil, fmt.Errorf("load file %s: %w", id, err)
	}
	if b.Body == nil {
		return "", nil, fmt.Errorf("file %s: %w", id, postgres.ErrNoRows)
	}
	data, err = g.Keys.Open(b.Body, aadBlob)
	if err != nil {
		return "", nil, fmt.Errorf("open file %s: %w", id, err)
	}
	return b.Mime, data, nil
}
