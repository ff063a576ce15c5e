package webchat

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"time"

	"shaoying/bots"
)

const (
	batch = 100
	// writeWait is how long a client may take to swallow what we wrote.
	writeWait = 30 * time.Second
	// reconnect is how long a page waits before it opens a lost stream again.
	reconnect = 3 * time.Second
)

// events streams the items of the visitor's chat, from Last-Event-ID on.
func (c *Channel) events(m Mount) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.visitor(r, m)
		if !ok {
			c.answer(w, r, noSession)
			return
		}
		var last int64
		if s := r.Header.Get("Last-Event-ID"); s != "" {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n < 0 {
				c.answer(w, r, badRequest)
				return
			}
			last = n
		}
		defer c.streams.Add(-1)
		if c.streams.Add(1) > int64(c.cfg.Limits.MaxStreams) {
			c.answer(w, r, tooManyPages)
			return
		}
		s := &stream{c: c, w: w, out: http.NewResponseController(w), chat: v.Chat, last: last}
		if err := s.run(r); err != nil && r.Context().Err() == nil {
			c.Log.Warn("a web stream ended", "channel", c.cfg.ID, "error", err)
		}
	}
}

// stream is one open page.
type stream struct {
	c    *Channel
	w    http.ResponseWriter
	out  *http.ResponseController
	chat bots.ChatID
	last int64
}

// run writes until the page leaves, the channel closes or the mailbox fails;
// the browser then comes back by itself with the number of the last item.
func (s *stream) run(r *http.Request) error {
	wake, stop := s.c.Mailbox.Watch(s.chat)
	defer stop()
	ping := time.NewTicker(s.c.cfg.Limits.Ping)
	defer ping.Stop()

	h := s.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the stream back
	if err := s.write(fmt.Sprintf("retry: %d\n\n", reconnect.Milliseconds())); err != nil {
		return err
	}
	for {
		if err := s.catchUp(r); err != nil {
			return err
		}
		select {
		case <-wake:
		case <-ping.C:
			if err := s.write(": ping\n\n"); err != nil {
				return err
			}
		case <-r.Context().Done():
			return nil
		case <-s.c.closed:
			return nil
		}
	}
}

// catchUp writes every item that the page has not got.
func (s *stream) catchUp(r *http.Request) error {
	for {
		items, err := s.c.Mailbox.After(r.Context(), s.chat, s.last, batch)
		if err != nil {
			return fmt.Errorf("read the web mailbox: %w", err)
		}
		for _, item := range items {
			data, err := s.c.frame(item)
			if err != nil {
				return err
			}
			if err := s.write(fmt.Sprintf("id: %d\ndata: %s\n\n", item.Seq, data)); err != nil {
				return err
			}
			s.last = item.Seq
		}
		if len(items) < batch {
			return nil
		}
	}
}

func (s *stream) write(chunk string) error {
	err := s.out.SetWriteDeadline(s.c.Clock.Wall().Add(writeWait))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set the deadline of a stream: %w", err)
	}
	if _, err := s.w.Write([]byte(chunk)); err != nil {
		return fmt.Errorf("write to a stream: %w", err)
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("flush a stream: %w", err)
	}
	return nil
}

// frame is an item as the page gets it. JSON has no raw newline, so it is one
// data line.
func (c *Channel) frame(item Item) ([]byte, error) {
	out := struct {
		ID      int64         `json:"id"`
		Text    string        `json:"text"`
		Choices []bots.Choice `json:"choices"`
		At      string        `json:"at"`
		Photo   string        `json:"photo,omitempty"`
	}{ID: item.Seq, Text: item.Text, Choices: item.Choices, At: c.stamp(item.At)}
	if out.Choices == nil {
		out.Choices = []bots.Choice{}
	}
	if item.HasPhoto {
		out.Photo = fmt.Sprintf("chat/photo/%d", item.Seq)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("pack item %d: %w", item.Seq, err)
	}
	return data, nil
}

// stamp is a time as the page shows it: on the city's wall, not the browser's.
func (c *Channel) stamp(t time.Time) string { return t.In(c.cfg.Location).Format(time.RFC3339) }

// photo serves the photo of one item of the visitor's own chat.
func (c *Channel) photo(m Mount) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := c.visitor(r, m)
		if !ok {
			c.answer(w, r, noSession)
			return
		}
		seq, err := strconv.ParseInt(r.PathValue("chat_seq"), 10, 64)
		if err != nil {
			c.answer(w, r, notFound)
			return
		}
		data, err := c.Mailbox.Photo(r.Context(), v.Chat, seq)
		switch {
		case errors.Is(err, ErrNoPhoto):
			c.answer(w, r, notFound)
			return
		case err != nil:
			c.Log.Warn("a photo could not be read", "channel", c.cfg.ID, "error", err)
			c.answer(w, r, tryLater)
			return
		}
		name, mime := bots.Photo{Data: data}.File()
		w.Header().Set("Content-Type", mime)
		w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="photo-%d%s"`, seq, path.Ext(name)))
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Header().Set("Cache-Control", "private, no-store")
		if _, err := w.Write(data); err != nil {
			c.Log.Debug("a photo was not read to its end", "channel", c.cfg.ID, "error", err)
		}
	}
}
