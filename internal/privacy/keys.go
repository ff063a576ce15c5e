package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// MasterSize is the length of a master secret in bytes.
const MasterSize = 32

// Keys seals, indexes and signs. It is safe for use by many goroutines.
type Keys struct {
	live []*derived // the first writes, all read
}

// derived is what comes out of one master secret.
type derived struct {
	id                     byte // marks which key sealed a value
	fingerprint            string
	seal                   cipher.AEAD
	index, button, session []byte
	door                   []byte // of the codes that visitors say at a door
	name                   []byte // of pseudonyms: their MAC, and named their cipher
	named                  cipher.Block
}

// NewKeys derives the keys of a master secret of MasterSize bytes. The older
// masters, newest first, still open, find and verify what they once wrote.
func NewKeys(master []byte, older ...[]byte) (*Keys, error) {
	k := &Keys{}
	for _, m := range append([][]byte{master}, older...) {
		d, err := derive(m)
		if err != nil {
			return nil, err
		}
		for _, other := range k.live {
			if other.id == d.id {
				return nil, fmt.Errorf("two master keys have the same key id %d: make another new key", d.id)
			}
		}
		k.live = append(k.live, d)
	}
	return k, nil
}

func derive(master []byte) (*derived, error) {
	if len(master) != MasterSize {
		return nil, fmt.Errorf("a master key has %d bytes, this one has %d", MasterSize, len(master))
	}
	d := &derived{}
	var seal, name, named []byte
	for _, out := range []struct {
		label string
		key   *[]byte
	}{
		{"seal", &seal},
		{"index", &d.index},
		{"button", &d.button},
		{"session", &d.session},
		{"door", &d.door},
		{"name", &d.name},
		{"named", &named},
		{"fingerprint", &name},
	} {
		key, err := hkdf.Key(sha256.New, master, nil, "shaoying/"+out.label+"/1", 32)
		if err != nil {
			return nil, fmt.Errorf("derive the %s key: %w", out.label, err)
		}
		*out.key = key
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, fmt.Errorf("set up AES: %w", err)
	}
	if d.seal, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("set up GCM: %w", err)
	}
	if d.named, err = aes.NewCipher(named); err != nil {
		return nil, fmt.Errorf("set up AES: %w", err)
	}
	d.fingerprint = hex.EncodeToString(name[:8])
	d.id = name[8]
	return d, nil
}

// Door is the key of the codes that visitors say at a door: 32 bytes. The oldest
// live key is taken, so that a text that was sent stays true when keys change.
func (k *Keys) Door() []byte { return k.live[len(k.live)-1].door }

// Fingerprint names the writing key without telling anything about it: 16 hex
// digits. A database stores it, so that a process with another key notices
// before it writes.
func (k *Keys) Fingerprint() string { return k.live[0].fingerprint }

// Fingerprints names every live key, the writing one first.
func (k *Keys) Fingerprints() []string {
	names := make([]string, len(k.live))
	for i, d := range k.live {
		names[i] = d.fingerprint
	}
	return names
}
