package managed

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is a user of the operating system.
type account struct {
	name     string
	uid, gid int
}

// ownerOf returns the owner of a directory that this process is going to use.
func ownerOf(dir string) (account, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return account{}, err
	}
	owner, err := lookup(int(info.Sys().(*syscall.Stat_t).Uid))
	if err != nil {
		return account{}, err
	}
	if me := os.Geteuid(); me != 0 && me != owner.uid {
		return account{}, fmt.Errorf("it belongs to user %s: run this as %s, or set SHAOYING_DATA to a directory of your own",
			owner.name, owner.name)
	}
	return owner, nil
}

func lookup(uid int) (account, error) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return account{}, fmt.Errorf("find the user with id %d: %w", uid, err)
	}
	return accountOf(u)
}

func accountOf(u *user.User) (account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("read the id of user %s: %w", u.Username, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("read the group of user %s: %w", u.Username, err)
	}
	return account{name: u.Username, uid: uid, gid: gid}, nil
}

// serverAccount is who runs the server for the owner of the data directory.
func (a account) serverAccount() (account, error) {
	if a.uid != 0 {
		return a, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres: "+
			"run `adduser --system --group postgres`, or start shaoying as a plain user: %w", err)
	}
	return accountOf(u)
}

// canReach refuses a directory that the account of the server could not enter.
// Only root asks: anybody else runs the server himself and has come this far.
func (a account) canReach(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	at, err := a.blockedAt(dir)
	if err != nil {
		return fmt.Errorf("find out whether user %s can reach it: %w", a.name, err)
	}
	if at != "" {
		return fmt.Errorf("PostgreSQL runs as user %s, who may not pass through %s: "+
			"set SHAOYING_DATA to a directory such as /var/lib/shaoying, or run `chmod o+x %s`", a.name, at, at)
	}
	return nil
}

// blockedAt returns the first directory on the way to dir that the account may
// not pass through, "" when there is none. It counts the primary group only,
// because that is all that command gives to the server.
func (a account) blockedAt(dir string) (string, error) {
	if parent := filepath.Dir(dir); parent != dir {
		if at, err := a.blockedAt(parent); at != "" || err != nil {
			return at, err
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	needs := fs.FileMode(0o001)
	switch {
	case int(st.Uid) == a.uid:
		needs = 0o100
	case int(st.Gid) == a.gid:
		needs = 0o010
	}
	if info.Mode().Perm()&needs == 0 {
		return dir, nil
	}
	return "", nil
}

// command prepares a PostgreSQL program to run as the account, in its own
// process group so that ^C at the terminal reaches us but not the database that
// we still need, and without our environment, which may hold secrets.
func (a account) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8", "TZ=UTC"}
	if libs := os.Getenv("LD_LIBRARY_PATH"); libs != "" {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libs)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}
