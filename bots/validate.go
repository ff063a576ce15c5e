package bots

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// What every event must keep to, whatever its network allows. They are limits
// of the contract, not policy: rows, keys and seals are built on them.
const (
	MaxKey  = 128       // bytes of Event.Key, Chat, User and Choice
	MaxWord = 64 << 10  // bytes of Event.Text
	MaxFile = 10        // files of one event
	maxName = 256       // bytes of a name, hint, label, MIME type or file name
	maxRef  = 4 << 10   // bytes of File.Key
	maxData = 100 << 20 // bytes of File.Data
	maxCode = 16        // bytes of Event.Extension
)

// Validate returns an error when no network could honestly have said this:
// ids missing, over-long or not UTF-8, a kind whose fields disagree, a place
// off the globe. It says nothing about whether the words make sense. The error
// names the field and never quotes what the user wrote.
func (e Event) Validate() error {
	ids := []struct {
		name, value string
	}{
		{"key", e.Key}, {"channel", string(e.Channel)}, {"chat", string(e.Chat)}, {"user", string(e.From.User)},
	}
	for _, id := range ids {
		if id.value == "" {
			return fmt.Errorf("event: %s is missing", id.name)
		}
		if err := plain(id.name, id.value, MaxKey); err != nil {
			return err
		}
	}
	if e.From.Trust < TrustNone || e.From.Trust > TrustStable {
		return fmt.Errorf("event: trust %q is not for a network to give", e.From.Trust)
	}
	for _, s := range append([]string{e.From.Name}, e.From.Hints...) {
		if err := plain("name or hint", s, maxName); err != nil {
			return err
		}
	}
	if err := plain("reply-to", e.ReplyTo, maxName); err != nil {
		return err
	}
	if err := e.validateNumber(); err != nil {
		return err
	}
	if len(e.Text) > MaxWord {
		return fmt.Errorf("event: text of %d bytes, at most %d", len(e.Text), MaxWord)
	}
	if !utf8.ValidString(e.Text) || strings.ContainsRune(e.Text, 0) {
		return errors.New("event: text is not UTF-8, or holds a NUL")
	}
	if err := e.validateKind(); err != nil {
		return err
	}
	return e.validateFiles()
}

// validateKind checks that exactly the fields of the kind are there.
func (e Event) validateKind() error {
	var has struct{ text, choice, place, files, moved, report bool }
	mayText := false // a caption or a transcript
	switch e.Kind {
	case KindText:
		has.text = true
	case KindPhoto, KindVoice:
		has.files, mayText = true, true
	case KindPlace:
		has.place, mayText = true, true
	case KindChoice:
		has.choice, mayText = true, true // the label, where the network gives it
	case KindJoin, KindLeave, KindOther:
	case KindMoved:
		has.moved = true
	case KindReport:
		has.report = true
	default:
		return fmt.Errorf("event: kind %q does not come from a network", e.Kind)
	}
	fields := []struct {
		name      string
		want, got bool
	}{
		{"text", has.text, e.Text != ""},
		{"choice", has.choice, e.Choice != ""},
		{"place", has.place, e.Place != nil},
		{"files", has.files, len(e.Files) > 0},
		{"a new chat", has.moved, e.NewChat != ""},
		{"a report", has.report, e.Report != nil},
	}
	for _, f := range fields {
		if f.want == f.got || f.name == "text" && mayText {
			continue
		}
		if f.want {
			return fmt.Errorf("event: %s without %s", e.Kind, f.name)
		}
		return fmt.Errorf("event: %s with %s", e.Kind, f.name)
	}
	if !e.Group && (e.Overheard || e.Kind == KindMoved) {
		return errors.New("event: only a group is overheard or moves")
	}
	for _, id := range []string{e.Choice, string(e.NewChat)} {
		if err := plain("choice or new chat", id, MaxKey); err != nil {
			return err
		}
	}
	return errors.Join(e.Place.validate(), e.Report.validate())
}

// validateNumber checks what only networks of phone numbers set.
func (e Event) validateNumber() error {
	if p := e.From.Phone; p != "" {
		if digits := strings.TrimPrefix(p, "+"); digits == p || len(digits) < 5 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
			return errors.New("event: phone is no E.164 number")
		}
		if strings.Contains(string(e.Chat)+string(e.From.User)+e.Key, strings.TrimPrefix(p, "+")) {
			return errors.New("event: chat, user or key shows the phone number")
		}
	}
	if !strings.HasPrefix(e.Key, e.Repeat) || e.Repeat == e.Key && e.Repeat != "" {
		return errors.New("event: repeat is no prefix of the key")
	}
	return plain("extension", e.Extension, maxCode)
}

func (r *Report) validate() error {
	if r == nil {
		return nil
	}
	if r.ID == "" && r.Key == "" {
		return errors.New("event: a report names no message")
	}
	switch r.State {
	case ReportBuffered, ReportDelivered, ReportFailed:
	default:
		return fmt.Errorf("event: report state %q", r.State)
	}
	for _, s := range []string{r.ID, r.Key, r.Code} {
		if err := plain("report", s, maxName); err != nil {
			return err
		}
	}
	return nil
}

func (e Event) validateFiles() error {
	if len(e.Files) > MaxFile {
		return fmt.Errorf("event: %d files, at most %d", len(e.Files), MaxFile)
	}
	for _, f := range e.Files {
		if (f.Key == "") == (f.Data == nil) {
			return errors.New("event: a file has either a key or its data")
		}
		if f.Size < 0 || len(f.Data) > maxData || len(f.Key) > maxRef {
			return errors.New("event: a file of impossible size")
		}
		for _, s := range []string{f.MIME, f.Name} {
			if err := plain("file name or type", s, maxName); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Place) validate() error {
	if p == nil {
		return nil
	}
	if p.Datum != DatumWGS84 {
		return fmt.Errorf("event: datum %q; adapters convert to %s", p.Datum, DatumWGS84)
	}
	if math.IsNaN(p.Lat) || math.IsNaN(p.Lon) || math.Abs(p.Lat) > 90 || math.Abs(p.Lon) > 180 {
		return errors.New("event: place is not on the globe")
	}
	return plain("place label", p.Label, maxName*4)
}

// plain refuses what could break a row, a log line or a screen.
func plain(field, s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("event: %s of %d bytes, at most %d", field, len(s), limit)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("event: %s is not UTF-8", field)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fmt.Errorf("event: %s holds a control character", field)
	}
	return nil
}
