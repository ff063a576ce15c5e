package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
)

// A pseudonym is a name that is the same for the same value and tells nothing
// without the keys: what a column needs that is a key of rows and must be read
// back, such as the phone number behind an SMS address. It is built like
// AES-SIV (RFC 5297): a MAC of the value is the initial vector of its
// encryption, and is checked when it is opened.
//
// Rows hang on pseudonyms, so they stay with the oldest live master: a new
// master seals new values, but renames nobody. A master that pseudonyms were
// made with must not be retired while their rows are kept.

// pseudonymSize pads values, so that a pseudonym does not tell how long they are.
const pseudonymSize = 16

// ErrPseudonym: a text was not made by Pseudonym with one of the live keys.
var ErrPseudonym = errors.New("not a pseudonym of this installation")

// Pseudonym names value (at most 255 bytes, no NUL at its end) among those of a
// kind.
func (k *Keys) Pseudonym(kind, value string) string {
	d := k.live[len(k.live)-1]
	plain := make([]byte, (len(value)/pseudonymSize+1)*pseudonymSize)
	copy(plain, value)
	tag := d.tag(kind, plain)
	out := append([]byte{d.id}, tag...)
	return base64.RawURLEncoding.EncodeToString(append(out, d.stream(tag, plain)...))
}

// OpenPseudonym returns the value behind a pseudonym, or ErrPseudonym.
func (k *Keys) OpenPseudonym(kind, name string) (string, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(name)
	if err != nil || len(raw) <= 1+aes.BlockSize {
		return "", ErrPseudonym
	}
	tag, body := raw[1:1+aes.BlockSize], raw[1+aes.BlockSize:]
	for _, d := range k.live {
		if d.id != raw[0] {
			continue
		}
		plain := d.stream(tag, body)
		if hmac.Equal(tag, d.tag(kind, plain)) {
			end := len(plain)
			for end > 0 && plain[end-1] == 0 {
				end--
			}
			return string(plain[:end]), nil
		}
	}
	return "", ErrPseudonym
}

// tag is the synthetic initial vector of a value.
func (d *derived) tag(kind string, plain []byte) []byte {
	mac := hmac.New(sha256.New, d.name)
	mac.Write([]byte(kind))
	mac.Write([]byte{0})
	mac.Write(plain)
	return mac.Sum(nil)[:aes.BlockSize]
}

// stream encrypts and decrypts.
func (d *derived) stream(tag, in []byte) []byte {
	out := make([]byte, len(in))
	cipher.NewCTR(d.named, tag).XORKeyStream(out, in)
	return out
}
