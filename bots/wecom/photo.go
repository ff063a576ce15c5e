package wecom

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"

	"shaoying/bots"
	"shaoying/internal/clock"
)

// photos remembers what was uploaded lately: a chart for twenty leaders is
// uploaded once, and a second try of a message is the same request.
type photos struct {
	clock *clock.Clock
	lives time.Duration

	mu   sync.Mutex
	kept map[[sha256.Size]byte]upload
}

type upload struct {
	id    string
	until time.Time
}

// mostPhotos are remembered; beyond that all is forgotten.
const mostPhotos = 64

// photo returns the media id of a photo.
func (a *account) photo(ctx context.Context, p bots.Photo) (string, error) {
	sum := sha256.Sum256(p.Data)
	if id := a.photos.find(sum); id != "" {
		return id, nil
	}
	id, err := a.client.Upload(ctx, "/cgi-bin/media/upload", p)
	if err == nil {
		a.photos.keep(sum, id)
	}
	return id, err
}

func (p *photos) find(sum [sha256.Size]byte) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.kept[sum]; p.clock.Wall().Before(u.until) {
		return u.id
	}
	return ""
}

func (p *photos) keep(sum [sha256.Size]byte, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || len(p.kept) >= mostPhotos {
		p.kept = map[[sha256.Size]byte]upload{}
	}
	p.kept[sum] = upload{id, p.clock.Wall().Add(p.lives)}
}
