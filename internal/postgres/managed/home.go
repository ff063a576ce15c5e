package managed

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	// port is part of the socket's name only; nothing listens on the network.
	port = "5432"
	// longestSocket is the longest path that fits sockaddr_un.sun_path on
	// Linux (108 bytes with the closing zero).
	longestSocket = 107
)

// DefaultDir is where the program keeps what is not in an external database:
// SHAOYING_DATA or, without it, /var/lib/shaoying for root and
// $XDG_DATA_HOME/shaoying (~/.local/share/shaoying) for everybody else.
func DefaultDir() (string, error) {
	if dir := os.Getenv("SHAOYING_DATA"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("find SHAOYING_DATA %s: %w", dir, err)
		}
		return abs, nil
	}
	if os.Geteuid() == 0 {
		return "/var/lib/shaoying", nil
	}
	// The XDG specification says to ignore a relative path.
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "shaoying"), nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no place to keep data, set SHAOYING_DATA to a directory: %w", err)
	}
	return filepath.Join(user, ".local", "share", "shaoying"), nil
}

// home is the directory of one private server, Config.Dir without symbolic
// links, so that every process means the same place by it.
type home struct {
	dir   string
	owner account
}

func (h home) path(name string) string { return filepath.Join(h.dir, name) }
func (h home) server() string          { return h.path("postgres") }
func (h home) data() string            { return filepath.Join(h.server(), "data") }
func (h home) log() string             { return filepath.Join(h.server(), "postgres.log") }

// socketDir is where the socket is made: beside the data or, when that path
// does not fit or holds a comma, which separates hosts and directories, in a
// private directory under /tmp. It depends on the path alone, not on TMPDIR or
// XDG_RUNTIME_DIR, because a second command may have other ones; and PostgreSQL
// touches its socket often enough for tmp cleaners to leave it.
func (h home) socketDir() string {
	beside := filepath.Join(h.server(), "run")
	if len(beside+"/.s.PGSQL."+port) <= longestSocket && !strings.Contains(beside, ",") {
		return beside
	}
	sum := sha256.Sum256([]byte(h.dir))
	return fmt.Sprintf("/tmp/shaoying-%x", sum[:8])
}

// prepare makes the directories and finds the account for the server.
func prepare(dir string) (home, account, error) {
	fail := func(err error) (home, account, error) {
		return home{}, account{}, fmt.Errorf("prepare the data directory %s: %w", dir, err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fail(err)
	}
	if err := makeHome(abs); err != nil {
		return fail(err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return fail(err)
	}
	owner, err := ownerOf(abs)
	if err != nil {
		return fail(err)
	}
	acct, err := owner.serverAccount()
	if err != nil {
		return fail(err)
	}
	h := home{dir: abs, owner: owner}
	if err := acct.canReach(abs); err != nil {
		return fail(err)
	}
	for _, d := range []string{h.server(), h.socketDir()} {
		if err := makePrivate(d, acct); err != nil {
			return fail(err)
		}
	}
	return h, acct, nil
}

// makeHome makes the directory. Root lets the account of the server pass
// through, whatever the umask: what lies in it is private file by file.
func makeHome(dir string) error {
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// makePrivate makes a directory that only acct can enter. One that is there
// must be just that: names under /tmp can be guessed and made by anybody.
func makePrivate(dir string, acct account) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil && os.Geteuid() == 0 {
		return os.Lchown(dir, acct.uid, acct.gid)
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; !info.IsDir() || int(uid) != acct.uid || info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s must be a directory of user %s with mode 0700, but is %s of user id %d: "+
			"if it is yours, give it to %s (chown -R, chmod 700), otherwise move it away",
			dir, acct.name, info.Mode(), uid, acct.name)
	}
	return nil
}
