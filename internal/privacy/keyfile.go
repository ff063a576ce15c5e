package privacy

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const (
	// KeyVariable names the environment variable with the master keys.
	KeyVariable = "SHAOYING_SECRET_KEY"
	keyFile     = "secret.key"
)

// ErrNoKey: there is no master key, and none may be made.
var ErrNoKey = errors.New("no secret key: set " + KeyVariable + " to the key that this database was made with, 64 hex digits or 44 characters of base64")

// LoadOrCreateKey returns the keys of SHAOYING_SECRET_KEY, or else those of the
// file secret.key in dir. Either holds one or more master keys in hex or
// base64, separated by spaces or lines, the writing one first. When there is
// neither and allowCreate is set, a random key is written to the file with mode
// 0600; two processes that do so at once end with the same key. Without
// allowCreate it returns ErrNoKey: a caller allows it only for a database that
// holds no other key's fingerprint.
func LoadOrCreateKey(dir string, allowCreate bool) (*Keys, error) {
	if text := os.Getenv(KeyVariable); strings.TrimSpace(text) != "" {
		keys, err := parseKeys(text)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", KeyVariable, err)
		}
		return keys, nil
	}
	path := filepath.Join(dir, keyFile)
	keys, err := readKeyFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return keys, err
	}
	if !allowCreate {
		return nil, ErrNoKey
	}
	if err := createKeyFile(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make a key file: %w", err)
	}
	return readKeyFile(path)
}

func readKeyFile(path string) (*Keys, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("find the key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s can be read by others (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key file: %w", err)
	}
	keys, err := parseKeys(string(body))
	if err != nil {
		return nil, fmt.Errorf("read key file %s: %w", path, err)
	}
	return keys, nil
}

// createKeyFile writes a complete, synced file under its name at once, and
// fails with fs.ErrExist where another process was first.
func createKeyFile(path string) error {
	master := make([]byte, MasterSize)
	_, _ = rand.Read(master) // never fails, see Seal
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), keyFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = fmt.Fprintln(tmp, hex.EncodeToString(master))
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}

// parseKeys reads master keys, the writing one first. Its errors never hold
// any part of the text.
func parseKeys(text string) (*Keys, error) {
	var masters [][]byte
	for i, word := range strings.Fields(text) {
		master, err := hex.DecodeString(word)
		if err != nil {
			master, err = base64.StdEncoding.DecodeString(word)
		}
		if err != nil || len(master) != MasterSize {
			return nil, fmt.Errorf("key %d is not %d bytes in hex (64 digits) or base64 (44 characters)", i+1, MasterSize)
		}
		masters = append(masters, master)
	}
	if len(masters) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return NewKeys(masters[0], masters[1:]...)
}
