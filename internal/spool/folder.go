package spool

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// maxFolders is how many processes can share one root.
const maxFolders = 64

// folder is the part of a root that one process holds. The kernel frees the lock
// when the process ends, however it ends.
type folder struct {
	path string
	lock *os.File
}

// takeFolder holds the first folder that nobody holds.
func takeFolder(root string) (*folder, error) {
	for n := range maxFolders {
		path := filepath.Join(root, strconv.Itoa(n))
		if err := errors.Join(os.MkdirAll(path, ownDir), syncFolder(root)); err != nil {
			return nil, fmt.Errorf("make a folder of the outage spool: %w", err)
		}
		f, err := hold(path)
		if f != nil || err != nil {
			return f, err
		}
	}
	return nil, fmt.Errorf("%d processes hold the outage spool %s", maxFolders, root)
}

// hold locks a folder, nil when somebody else does.
func hold(path string) (*folder, error) {
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, ownFile)
	if err != nil {
		return nil, fmt.Errorf("open a lock of the outage spool: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, lock.Close()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock a folder of the outage spool: %w", err), lock.Close())
	}
	return &folder{path, lock}, nil
}

func (f *folder) release() error {
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("leave the outage spool: %w", err)
	}
	return nil
}

// Adopt takes over what dead processes left in their folders, without mixing up
// the order: names are times.
func (s *Spool) Adopt() error {
	folders, err := os.ReadDir(s.root)
	if err != nil {
		return fmt.Errorf("list the outage spool: %w", err)
	}
	adopted := 0
	for _, entry := range folders {
		path := filepath.Join(s.root, entry.Name())
		if n, err := strconv.Atoi(entry.Name()); err != nil || n < 0 || n >= maxFolders || path == s.folder.path {
			continue // ours, or of nobody's making that we know
		}
		f, err := hold(path)
		if err != nil {
			return err
		}
		if f == nil {
			continue
		}
		moved, err := s.move(f)
		s.unread = s.unread || moved > 0
		if err := errors.Join(err, f.release()); err != nil {
			return err
		}
		adopted += moved
	}
	if !s.unread {
		return nil
	}
	s.Log.Info("adopted what another process had left in the outage spool", "files", adopted)
	if err := s.load(); err != nil {
		return err
	}
	s.unread = false
	return nil
}

// move brings the files of another folder into our own and returns how many came.
func (s *Spool) move(from *folder) (moved int, err error) {
	names, err := files(from.path)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	for _, name := range names {
		to := filepath.Join(s.folder.path, name)
		// Two processes may have written at the same nanosecond.
		for n := 1; exists(to); n++ {
			to = filepath.Join(s.folder.path, name[:nameSize]+"-"+strconv.Itoa(n)+suffix)
		}
		if err := os.Rename(filepath.Join(from.path, name), to); err != nil {
			return moved, fmt.Errorf("adopt a file of the outage spool: %w", err)
		}
		moved++
	}
	if err := errors.Join(syncFolder(s.folder.path), syncFolder(from.path)); err != nil {
		return moved, fmt.Errorf("adopt files of the outage spool: %w", err)
	}
	return moved, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
