package managed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// pollEvery is how often we look again at something that another process does.
const pollEvery = 10 * time.Millisecond

// lock is an advisory lock on a file. The kernel frees it when the process
// ends, however it ends; the server does not inherit it.
type lock struct{ file *os.File }

// openLock opens the file of a lock, which nobody holds by that alone. The file
// goes to the owner of its directory, for root may come before him.
func openLock(path string, owner account) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a lock file: %w", err)
	}
	if os.Geteuid() == 0 {
		if err := f.Chown(owner.uid, owner.gid); err != nil {
			return nil, errors.Join(fmt.Errorf("give away a lock file: %w", err), f.Close())
		}
	}
	return &lock{file: f}, nil
}

// try takes the lock, LOCK_EX or LOCK_SH, unless others stand in the way.
func (l *lock) try(how int) (bool, error) {
	err := syscall.Flock(int(l.file.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", l.file.Name(), err)
	}
	return true, nil
}

// wait takes the lock exclusively as soon as it is free.
func (l *lock) wait(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if got, err := l.try(syscall.LOCK_EX); got || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another shaoying process is starting or stopping the database and holds %s: %w",
				l.file.Name(), context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// alone turns a shared lock into an exclusive one when nobody else holds it,
// and tells whether that was so. Otherwise the lock may be lost on the way.
func (l *lock) alone() (bool, error) { return l.try(syscall.LOCK_EX) }

// share holds the lock together with others. Nobody holds this kind of lock
// exclusively but under the start lock, which the caller has.
func (l *lock) share() error {
	got, err := l.try(syscall.LOCK_SH)
	if err == nil && !got {
		err = fmt.Errorf("lock %s: a program that is not shaoying holds it", l.file.Name())
	}
	return err
}

// release frees the lock. Closing is enough, for the descriptor is not shared.
func (l *lock) release() error { return l.file.Close() }

// startLock waits until nobody else starts or stops the server.
func (h home) startLock(ctx context.Context) (*lock, error) {
	l, err := openLock(h.path("start.lock"), h.owner)
	if err != nil {
		return nil, err
	}
	if err := l.wait(ctx); err != nil {
		return nil, errors.Join(err, l.release())
	}
	return l, nil
}

// join enters this process among the users of the server and tells whether it
// is the only one. The caller holds the start lock, so nobody else comes or
// goes meanwhile except by being killed.
func (h home) join() (use *lock, first bool, err error) {
	use, err = openLock(h.path("use.lock"), h.owner)
	if err != nil {
		return nil, false, err
	}
	if first, err = use.try(syscall.LOCK_EX); err != nil {
		return nil, false, errors.Join(err, use.release())
	}
	if err := use.share(); err != nil {
		return nil, false, errors.Join(err, use.release())
	}
	return use, first, nil
}
