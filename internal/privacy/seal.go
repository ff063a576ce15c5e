package privacy

import (
	"crypto/rand"
	"errors"
	"fmt"
)

// A sealed value is: algorithm (1 byte), key id (1), nonce (12), ciphertext
// and tag. The first two bytes are authenticated with the caller's aad, so a
// later algorithm (SM4-GCM) gets its own number and old rows stay readable.
const (
	algorithmAESGCM = 1
	nonceSize       = 12
	sealHeader      = 2 + nonceSize
	// SealOverhead is how many bytes a sealed value is longer than the plain.
	SealOverhead = sealHeader + 16
)

var (
	// ErrDamaged: the value was altered, cut, or sealed for another place.
	ErrDamaged = errors.New("sealed value is damaged or belongs elsewhere")
	// ErrKeyGone: the key that sealed the value is not among the live ones.
	ErrKeyGone = errors.New("sealed with a key that is not loaded; add the old key to SHAOYING_SECRET_KEY behind the new one")
)

// Seal encrypts plain with AES-256-GCM under a random nonce. The aad names the
// place the value belongs to ("person.phone:42"); it is not stored, and a value
// moved to another row does not open. One key is good for 2^32 values (NIST SP
// 800-38D 8.3), which is eleven years at a million a day.
func (k *Keys) Seal(plain []byte, aad string) []byte {
	key := k.live[0]
	sealed := make([]byte, sealHeader, SealOverhead+len(plain))
	sealed[0], sealed[1] = algorithmAESGCM, key.id
	// crypto/rand.Read never fails; it ends the program when the system has
	// no randomness.
	_, _ = rand.Read(sealed[2:sealHeader])
	return key.seal.Seal(sealed, sealed[2:sealHeader], plain, sealAAD(sealed, aad))
}

// Open decrypts what Seal made for the same aad. It returns ErrKeyGone or
// ErrDamaged.
func (k *Keys) Open(sealed []byte, aad string) ([]byte, error) {
	if len(sealed) < SealOverhead {
		return nil, ErrDamaged
	}
	if sealed[0] != algorithmAESGCM {
		return nil, fmt.Errorf("algorithm %d: %w", sealed[0], ErrDamaged)
	}
	for _, key := range k.live {
		if key.id != sealed[1] {
			continue
		}
		plain, err := key.seal.Open(nil, sealed[2:sealHeader], sealed[sealHeader:], sealAAD(sealed, aad))
		if err != nil {
			return nil, ErrDamaged
		}
		return plain, nil
	}
	return nil, ErrKeyGone
}

// Stale reports whether a sealed value should be sealed again because its key
// is no longer the writing one.
func (k *Keys) Stale(sealed []byte) bool {
	return len(sealed) < 2 || sealed[1] != k.live[0].id
}

func sealAAD(sealed []byte, aad string) []byte {
	return append([]byte{sealed[0], sealed[1]}, aad...)
}
