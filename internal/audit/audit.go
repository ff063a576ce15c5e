// Package audit is the arithmetic of the trail: what a record's bytes are, how
// records are chained and how a chain is checked. It has no I/O;
// internal/postgres stores, seals and reads.
//
// # States of a record
//
// Written: in the transaction of what it tells, not yet chained. Sealed: one
// sealer takes committed records each second, those below pg_snapshot_xmin in
// the order it sees them, and stores for each the hash of the record and of the
// hash before it. Forgotten: older than the retention of the trail, dropped
// with its month; the last hash of that month stays as the Head from which
// checking starts.
//
// # What a record may hold
//
// Ids, codes and numbers, and a salted digest of words. Words and salt live in
// another table and can be erased for one person while the chain stays whole:
// without its salt a digest tells nothing.
//
// # What checking proves
//
// [Verify] names the first record that was altered, taken out or put in. That
// nobody cut off the end is proved only against a Head kept elsewhere, so heads
// leave the host daily. Records not yet sealed are counted, not vouched for.
package audit

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// SaltSize is the length of the salt of a digest in bytes.
const SaltSize = 16

// maxDepth bounds the nesting of Record.Data; records are flat by habit.
const maxDepth = 32

// Record is one thing that was done or looked at.
type Record struct {
	ID      int64
	At      time.Time       // product time; microseconds count
	Actor   string          // "staff:12", "system:sla"
	Kind    string          // "ticket.dispatched", "person.phone.seen"
	Subject string          // "ticket:4711"
	Data    json.RawMessage // a JSON object; see Canonical for what it may hold
	Digest  []byte          // Salted digest of the words, nil when there are none
}

// Canonical returns the bytes that are chained. They survive storage as jsonb:
// keys are sorted, space is gone. So Data may hold only what jsonb gives back
// unchanged: an object of strings without NUL, whole numbers, booleans, null,
// lists and objects, no key twice. Empty Data is {}.
func (r Record) Canonical() ([]byte, error) {
	data, err := canonicalJSON(r.Data)
	if err != nil {
		return nil, fmt.Errorf("trail record %d (%s): %w", r.ID, r.Kind, err)
	}
	var out []byte
	out = binary.BigEndian.AppendUint64(out, uint64(r.ID))
	out = binary.BigEndian.AppendUint64(out, uint64(r.At.UnixMicro()))
	for _, field := range [][]byte{[]byte(r.Actor), []byte(r.Kind), []byte(r.Subject), data, r.Digest} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(field)))
		out = append(out, field...)
	}
	return out, nil
}

// Link returns the hash of a record behind the hash prev, which is nil for the
// first record of all: SHA-256 over a label, prev and Canonical. The error is
// Canonical's.
func Link(prev []byte, r Record) ([]byte, error) {
	body, err := r.Canonical()
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	fmt.Fprintf(h, "shaoying/trail/1\x00%c", byte(len(prev)))
	h.Write(prev)
	h.Write(body)
	return h.Sum(nil), nil
}

// NewSalt returns a random salt for one record.
func NewSalt() []byte {
	salt := make([]byte, SaltSize)
	_, _ = rand.Read(salt) // never fails; without randomness it ends the program
	return salt
}

// Salted returns the digest of words that a record keeps: HMAC-SHA256 under the
// salt.
func Salted(words, salt []byte) []byte {
	mac := hmac.New(sha256.New, salt)
	mac.Write(words)
	return mac.Sum(nil)
}

// canonicalJSON returns data with sorted keys and without space.
func canonicalJSON(data []byte) ([]byte, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return []byte("{}"), nil
	}
	if !utf8.Valid(data) {
		return nil, errors.New("data is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := readValue(d, 0)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if _, ok := v.(map[string]any); !ok {
		return nil, errors.New("data is not a JSON object")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("data has more than one JSON value")
	}
	return json.Marshal(v) // sorts keys
}

// readValue reads one value token by token, because only so a key that stands
// twice is seen.
func readValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested more than %d levels", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '{' {
			return readObject(d, depth+1)
		}
		return readList(d, depth+1)
	case json.Number:
		if strings.ContainsAny(t.String(), ".eE") || t.String() == "-0" {
			return nil, fmt.Errorf("number %s is not whole; write it as a string", t)
		}
	case string:
		return t, checkString(t)
	}
	return token, nil
}

func readObject(d *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("key %v is not a string", token)
		}
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("key %q stands twice", key)
		}
		if err := checkString(key); err != nil {
			return nil, err
		}
		if object[key], err = readValue(d, depth); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return object, err
}

func readList(d *json.Decoder, depth int) (any, error) {
	list := []any{}
	for d.More() {
		v, err := readValue(d, depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := d.Token()
	return list, err
}

// checkString refuses what jsonb does not store: NUL, and the replacement
// character that encoding/json puts for half a surrogate pair.
func checkString(s string) error {
	if strings.ContainsAny(s, "\x00\uFFFD") {
		return errors.New("a string holds NUL or a broken character")
	}
	return nil
}
