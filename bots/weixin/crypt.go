package weixin

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"shaoying/internal/privacy"
)

// Source of everything in this file: 消息加解密说明, the same in the documents of
// the Official Account and of WeCom.

// ErrForged: signature, key or receiver is not right. It says no more, so that
// nobody learns which.
var ErrForged = errors.New("not signed for this account")

// Crypt signs, opens and seals what is pushed to one account. It is safe for use
// by many goroutines.
type Crypt struct {
	token    privacy.Secret
	key      []byte
	receiver string
}

// keyLength is the length of an EncodingAESKey, which is base64 without its last
// character; keyBytes that of the AES-256 key in it.
const (
	keyLength = 43
	keyBytes  = 32
	// padTo is the block to which plain text is padded; PKCS#7 with 32 bytes, not
	// with the 16 of AES.
	padTo = 32
	// saltBytes stand before the length of the text.
	saltBytes = 16
)

// NewCrypt makes a Crypt of the token and the EncodingAESKey that were written
// into the page of the account. receiver is the account that messages are sealed
// for: the appid, or the corpid. Without a key it signs only (plain mode).
func NewCrypt(token, aesKey privacy.Secret, receiver string) (*Crypt, error) {
	c := &Crypt{token: token, receiver: receiver}
	if aesKey.Empty() {
		return c, nil
	}
	var err error
	c.key, err = base64.StdEncoding.DecodeString(aesKey.Reveal() + "=")
	if err != nil || len(aesKey.Reveal()) != keyLength || len(c.key) != keyBytes {
		return nil, fmt.Errorf("the EncodingAESKey must be the %d letters and digits that the account's page shows", keyLength)
	}
	return c, nil
}

// Sealed reports whether there is a key, so that pushes are sealed.
func (c *Crypt) Sealed() bool { return c.key != nil }

// Signature signs parts with the token: SHA-1 over all of them, sorted and put
// together. Plain pushes sign timestamp and nonce, sealed ones their text too.
func (c *Crypt) Signature(parts ...string) string {
	all := append([]string{c.token.Reveal()}, parts...)
	slices.Sort(all)
	sum := sha1.Sum([]byte(strings.Join(all, "")))
	return hex.EncodeToString(sum[:])
}

// Signed reports whether a signature is that of the parts, in constant time.
func (c *Crypt) Signed(signature string, parts ...string) bool {
	return subtle.ConstantTimeCompare([]byte(signature), []byte(c.Signature(parts...))) == 1
}

// Open opens a sealed text after its signature was checked.
func (c *Crypt) Open(sealed string) ([]byte, error) {
	raw, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || c.key == nil || len(raw) == 0 || len(raw)%aes.BlockSize != 0 {
		return nil, ErrForged
	}
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return nil, fmt.Errorf("open a push: %w", err)
	}
	cipher.NewCBCDecrypter(block, c.key[:aes.BlockSize]).CryptBlocks(raw, raw)
	pad := int(raw[len(raw)-1])
	if pad < 1 || pad > padTo || pad > len(raw) {
		return nil, ErrForged
	}
	raw = raw[:len(raw)-pad]
	if len(raw) < saltBytes+4 {
		return nil, ErrForged
	}
	length := int64(binary.BigEndian.Uint32(raw[saltBytes:]))
	text := raw[saltBytes+4:]
	if length > int64(len(text)) || string(text[length:]) != c.receiver {
		return nil, ErrForged
	}
	return text[:length], nil
}

// Seal seals a text for the account.
func (c *Crypt) Seal(text []byte) (string, error) {
	if c.key == nil {
		return "", errors.New("seal: the account has no EncodingAESKey")
	}
	plain := make([]byte, saltBytes+4, saltBytes+4+len(text)+len(c.receiver)+padTo)
	_, _ = rand.Read(plain[:saltBytes]) // never fails
	binary.BigEndian.PutUint32(plain[saltBytes:], uint32(len(text)))
	plain = append(append(plain, text...), c.receiver...)
	pad := padTo - len(plain)%padTo
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return "", fmt.Errorf("seal an answer: %w", err)
	}
	cipher.NewCBCEncrypter(block, c.key[:aes.BlockSize]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}
