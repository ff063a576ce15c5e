package botstest

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"shaoying/bots"
)

// faults are ways in which an adapter can be wrong. The zero value is right.
type faults struct {
	escapes       bool // text comes in as markup
	measuresBytes bool // the limit is taken in the wrong unit
	tapIsText     bool
	swapsPlace    bool
	fetchesNoise  bool
	groupSpeaks   bool // the group is the sender
	hearsItself   bool
	newKeys       bool
	acksFirst     bool
	concurrent    bool
	plainErrors   bool
	staysBehind   bool // a goroutine outlives Run
	neverEnds     bool
	spins         bool
	open          bool // the webhook believes anybody
	unlimited     bool // the webhook reads any body
	leaksSecret   bool
	leaksPhone    bool
	sendsTooMuch  bool // Caps deny, Send obliges
	hidesPlaces   bool // Caps allow, Run is silent
	eatsPanics    bool // a panic counts as taken
	verifies      bool // claims trust that is not its to give
	noticesAll    bool // sends notices without a template
}

// poller is the adapter of the test network.
type poller struct {
	n      *network
	faults faults
	seen   atomic.Int64
}

func (p *poller) Caps() bots.Caps {
	return bots.Caps{
		MaxText: 40, TextUnit: bots.Runes, Choices: 4, ChoiceBytes: 16,
		PlaceIn: true, PhotoIn: true, VoiceIn: true, PhotoOut: 1 << 16, Group: true, Trust: bots.TrustStable,
	}
}

func (p *poller) Run(ctx context.Context, sink bots.Sink) error {
	if p.faults.staysBehind {
		go func() { <-p.n.quit; <-time.After(500 * time.Millisecond) }()
	}
	for ctx.Err() == nil {
		a, ok, down := p.n.head()
		pause := time.Hour
		switch {
		case down && p.faults.spins:
			pause = time.Millisecond
		case down:
			pause = 200 * time.Millisecond
		case ok && p.take(ctx, sink, a) == nil:
			continue
		case ok:
			pause = 2 * time.Millisecond
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-p.n.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	if p.faults.neverEnds {
		<-p.n.quit
	}
	return nil
}

// take hands one act to the sink and tells the network.
func (p *poller) take(ctx context.Context, sink bots.Sink, a act) (err error) {
	if p.faults.acksFirst || p.faults.concurrent {
		p.n.ack(a.ID)
	}
	if p.faults.concurrent {
		go func() { _ = sink(ctx, []bots.Event{p.event(a)}) }()
		return nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("sink panicked")
			if p.faults.eatsPanics {
				p.n.ack(a.ID)
			}
		}
	}()
	if !a.Self || p.faults.hearsItself {
		if a.Kind == bots.KindPlace && p.faults.hidesPlaces {
			p.n.ack(a.ID)
			return nil
		}
		if err := sink(ctx, []bots.Event{p.event(a)}); err != nil {
			return err
		}
	}
	p.n.ack(a.ID)
	return nil
}

func (p *poller) event(a act) bots.Event {
	seen := p.seen.Add(1)
	ev := bots.Event{
		Key: fmt.Sprint(a.ID), Channel: "test", Chat: p.n.Address(a.User).Chat, Group: a.Group,
		From: bots.Identity{User: bots.UserID(fmt.Sprintf("user-%d", a.User)), Trust: bots.TrustStable},
		Kind: a.Kind, Text: a.Text,
	}
	if p.faults.newKeys {
		ev.Key = fmt.Sprintf("%d-%d", a.ID, seen)
	}
	if p.faults.verifies {
		ev.From.Trust = bots.TrustVerified
	}
	if a.Group {
		ev.Chat = groupChat
		if p.faults.groupSpeaks {
			ev.From.User = groupChat
		}
	}
	switch a.Kind {
	case bots.KindText:
		if p.faults.escapes {
			ev.Text = strings.ReplaceAll(ev.Text, "<", "&lt;")
		}
	case bots.KindChoice:
		ev.Text, ev.Choice = "", a.Text
		if p.faults.tapIsText {
			ev.Kind, ev.Text, ev.Choice = bots.KindText, a.Text, ""
		}
	case bots.KindPlace:
		ev.Text, ev.Place = "", &bots.Place{Lat: a.Lat, Lon: a.Lon, Datum: bots.DatumWGS84, Label: a.Text}
		if p.faults.swapsPlace {
			ev.Place.Lat, ev.Place.Lon = a.Lat+0.003, a.Lon-0.005 // GCJ-02 taken for WGS-84
		}
	case bots.KindPhoto, bots.KindVoice:
		ev.Files = []bots.File{{Key: fmt.Sprint(a.ID)}}
	}
	return ev
}

func (p *poller) Send(_ context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if err := p.refuse(to, m); err != nil && !p.faults.sendsTooMuch {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassRejected, Err: err}
	}
	n := p.n
	n.mu.Lock()
	defer n.mu.Unlock()
	n.requests++
	fail := n.fail
	n.fail = 0
	if n.down {
		fail = bots.ClassTemporary
	}
	if fail != 0 {
		err := errors.New("the network says no")
		switch {
		case p.faults.leaksSecret:
			err = fmt.Errorf("POST https://network.example/bot%s/send: no", testSecret)
		case p.faults.leaksPhone:
			err = fmt.Errorf("cannot send %q", m.Text)
		case p.faults.plainErrors:
			return bots.Receipt{}, err
		}
		return bots.Receipt{}, &bots.Error{Class: fail, After: time.Second, NewChat: "moved", Err: err}
	}
	var user int
	if _, err := fmt.Sscanf(string(to.Chat), "chat-%d", &user); err != nil {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassGone, Err: errors.New("no such chat")}
	}
	s := Sent{User: user, Text: m.Text, Choices: m.Choices}
	if m.Photo != nil {
		s.Photo = m.Photo.Data
	}
	n.sent = append(n.sent, s)
	return bots.Receipt{ID: fmt.Sprint(len(n.sent))}, nil
}

// approved is the one text that the test network has approved.
var approved = bots.Template{Source: "texts:test", Key: "visit.remind"}

func (p *poller) HasNotice(t bots.Template) bool {
	return p.faults.noticesAll || t.Name() == approved.Name()
}

func (p *poller) Notice(ctx context.Context, to bots.Address, m bots.Message) (bots.Receipt, error) {
	if !p.HasNotice(m.Template) {
		return bots.Receipt{}, &bots.Error{Class: bots.ClassRejected, Err: errors.New("no such template")}
	}
	return p.Send(ctx, to, bots.Message{Key: m.Key, Text: "您有一次上门服务"})
}

func (p *poller) refuse(to bots.Address, m bots.Message) error {
	c := p.Caps()
	length := utf8.RuneCountInString(m.Text)
	if p.faults.measuresBytes {
		length = len(m.Text)
	}
	bad := to.Channel != "test" || length > c.MaxText || !utf8.ValidString(m.Text) || m.Text == "" && m.Photo == nil ||
		len(m.Choices) > c.Choices || m.Photo != nil && len(m.Photo.Data) > c.PhotoOut
	for _, ch := range m.Choices {
		bad = bad || len(ch.Data) > c.ChoiceBytes
	}
	if bad {
		return errors.New("more than caps allow")
	}
	return nil
}

func (p *poller) Fetch(_ context.Context, f bots.File) (io.ReadCloser, error) {
	p.n.mu.Lock()
	defer p.n.mu.Unlock()
	data, ok := p.n.files[f.Key]
	if !ok {
		return nil, &bots.Error{Class: bots.ClassRejected, Err: errors.New("no such file")}
	}
	if p.faults.fetchesNoise {
		data = []byte("noise")
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// hooked is the same adapter behind a webhook.
type hooked struct{ *poller }

func (h *hooked) Run(ctx context.Context, _ bots.Sink) error {
	<-ctx.Done()
	return nil
}

func (h *hooked) Handler(sink bots.Sink) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		known := subtle.ConstantTimeCompare([]byte(r.Header.Get("X-Secret")), []byte(testSecret)) == 1
		if !known && !h.faults.open {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		body := r.Body
		if !h.faults.unlimited {
			body = http.MaxBytesReader(w, r.Body, 1<<14)
		}
		data, err := io.ReadAll(body)
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		var a act
		if err != nil || json.Unmarshal(data, &a) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if err := h.poller.take(r.Context(), sink, a); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
}
