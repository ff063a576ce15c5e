package sms

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// Words is the event of a message that somebody wrote to us. id is the
// carrier's own name of it, code the extension that it went to. A carrier that
// has no names repeats the second in which it was written, and nobody writes the
// same twice in one: that is the name then. The error is
// ErrNumber where nobody could be answered, or says what nobody could honestly
// have sent.
func (l *Line) Words(id, from, code, text string, at time.Time) (bots.Event, error) {
	chat, who, err := l.Book.Sender(from)
	if err != nil {
		return bots.Event{}, err
	}
	if id == "" {
		id = fmt.Sprintf("%s %d %s", chat, at.Unix(), text)
	}
	ev := bots.Event{
		Key: Key("mo", id), Channel: l.ID, Chat: chat, From: who, At: at, Kind: bots.KindText, Extension: code,
		Text: strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", ""),
	}
	if strings.TrimSpace(ev.Text) == "" {
		ev.Kind, ev.Text = bots.KindOther, ""
	}
	return ev, ev.Validate()
}

// Report is the event of what a carrier says of a message to somebody. A message
// is reported in each state once. The error says which field nobody could
// honestly have sent.
func (l *Line) Report(chat bots.ChatID, who bots.Identity, r bots.Report) (bots.Event, error) {
	r.Code = wire.Plain(r.Code)
	name := r.ID
	if name == "" {
		name = r.Key
	}
	ev := bots.Event{
		Key: Key("dlr", name, string(r.State)), Channel: l.ID, Chat: chat, From: who, Kind: bots.KindReport, Report: &r,
	}
	return ev, ev.Validate()
}

// Key is the key of an event with a name of its carrier's, hashed where it is
// longer than keys may be or holds what a key may not.
func Key(kind string, names ...string) string {
	key := kind + ":" + strings.Join(names, ":")
	if len(key) <= bots.MaxKey && strings.IndexFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) < 0 {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return kind + ":" + hex.EncodeToString(sum[:])
}

// Left notes that one of several things that were pushed at once was left out:
// the others are taken, and a carrier that is refused only sends it again.
func (l *Line) Left(what string, err error) {
	if errors.Is(err, ErrNumber) {
		l.Log.Info("left out: it came from a service number or from no number", "kind", what)
		return
	}
	l.Log.Error("left out: it cannot be read", "kind", what, "error", err)
}
