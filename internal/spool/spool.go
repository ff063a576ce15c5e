// Package spool keeps what residents said while the database is away: an
// encrypted folder beside it (promise R6).
//
// # Who needs it
//
// Networks that soon stop delivering (an SMS provider tries for minutes, a chat
// network for seconds). One that goes on for hours is simply not answered.
//
// # What an acknowledgement means
//
// Put returns after the file and its folder are on the disk. The network may be
// told "received" then, and not before. What a kill leaves of a file that was
// not finished is thrown away: nobody was told that it was taken.
//
// # Order
//
// Entries of one sender come back in the order in which they were put, whatever
// happens between. Files are named by the wall clock, and never backwards.
//
// # Failure
//
// A spool that has reached its limit, and a disk that is full, refuse
// ([ErrFull] or the error of the disk): the network keeps the message and tries
// again. A file that does not open is put aside under another name and told of;
// it holds up nobody. A machine that has no file handle or memory left is none of
// a file's faults: it is read later.
//
// # Processes
//
// Each process has a folder of its own, held by a lock that ends with it. What a
// dead process left is adopted by the next one that looks.
package spool

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

// ErrFull: the spool holds as much as it may.
var ErrFull = errors.New("the outage spool is full")

// Policy is configs/policies/spool.yaml.
type Policy struct {
	// MaxBytes is how much may lie in the spool of one process.
	MaxBytes int64  `yaml:"max_bytes"`
	Source   string `yaml:"source"`
}

// Deps is what a spool stands on.
type Deps struct {
	Keys  *privacy.Keys
	Clock *clock.Clock
	Log   *slog.Logger
}

// Spool is the folder of one process. It is safe for use by many goroutines.
type Spool struct {
	Deps
	root   string
	limit  int64
	folder *folder

	unread bool // what was adopted is not loaded yet

	mu sync.Mutex
	held
	last int64 // the name of the newest file
}

// held is what lies in the folder.
type held struct {
	waiting map[string][]entry // by sender, oldest first
	count   int
	bytes   int64
}

// entry is one file.
type entry struct {
	name string
	size int64
}

// item is what a file holds, sealed.
type item struct {
	Sender string `json:"s"`
	Body   []byte `json:"b"`
}

const (
	aadItem  = "spool.item"
	suffix   = ".event"
	badTail  = ".unreadable"
	tornTail = ".tmp"
	ownDir   = 0o700
	ownFile  = 0o600
	nameSize = 20 // digits of the nanoseconds of the wall clock
)

// Open takes a free folder below root, which is made, and adopts what processes
// that are no more have left in theirs.
func Open(root string, policy Policy, deps Deps) (*Spool, error) {
	if policy.MaxBytes <= 0 {
		return nil, errors.New("spool: max_bytes must be given")
	}
	if err := errors.Join(os.MkdirAll(root, ownDir), syncFolder(filepath.Dir(root))); err != nil {
		return nil, fmt.Errorf("make the outage spool: %w", err)
	}
	s := &Spool{Deps: deps, root: root, limit: policy.MaxBytes, held: held{waiting: map[string][]entry{}}}
	var err error
	if s.folder, err = takeFolder(root); err != nil {
		return nil, err
	}
	if err := s.Adopt(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, s.load()
}

// Close gives the folder up; what is in it stays.
func (s *Spool) Close() error { return s.folder.release() }

// load reads which senders have files here; after an error what was known before
// stands.
func (s *Spool) load() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	names, err := files(s.folder.path)
	if err != nil {
		return err
	}
	torn, err := filepath.Glob(filepath.Join(s.folder.path, "*"+suffix+tornTail))
	if err != nil {
		return fmt.Errorf("list the outage spool: %w", err)
	}
	for _, path := range torn { // a kill came before anybody was told
		if err := removeIfThere(path); err != nil {
			return fmt.Errorf("clear the outage spool: %w", err)
		}
	}
	found := held{waiting: map[string][]entry{}}
	for _, name := range names {
		if n, err := strconv.ParseInt(name[:min(nameSize, len(name))], 10, 64); err == nil {
			s.last = max(s.last, n) // also where the clock was put back since
		}
		it, size, err := s.read(name)
		if busy(err) {
			return err
		}
		if err != nil {
			if err := s.putAside(name, err); err != nil {
				return err
			}
			continue
		}
		found.add(it.Sender, entry{name, size})
	}
	s.held = found
	return nil
}

func (h *held) add(sender string, e entry) {
	h.waiting[sender] = append(h.waiting[sender], e)
	h.count++
	h.bytes += e.size
}

// files lists the finished entries of a folder, oldest first.
func files(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the outage spool: %w", err)
	}
	var names []string
	for _, f := range list {
		if strings.HasSuffix(f.Name(), suffix) {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func (s *Spool) read(name string) (it item, size int64, err error) {
	sealed, err := os.ReadFile(filepath.Join(s.folder.path, name))
	if err != nil {
		return it, 0, fmt.Errorf("read from the outage spool: %w", err)
	}
	plain, err := s.Keys.Open(sealed, aadItem)
	if err != nil {
		return it, 0, fmt.Errorf("open a file of the outage spool: %w", err)
	}
	if err := json.Unmarshal(plain, &it); err != nil {
		return it, 0, fmt.Errorf("read a file of the outage spool: %w", err)
	}
	return it, int64(len(sealed)), nil
}

// busy reports whether it is the machine that cannot read now: the file is good.
func busy(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// putAside renames a file that cannot be read.
func (s *Spool) putAside(name string, why error) error {
	s.Log.Error("a file of the outage spool cannot be read and is put aside", "file", name+badTail, "error", why)
	from := filepath.Join(s.folder.path, name)
	if err := os.Rename(from, from+badTail); err != nil {
		return fmt.Errorf("put an unreadable file aside: %w", err)
	}
	return nil
}

// Put keeps body as the newest entry of a sender. When it returns nil, body
// outlives a kill and a power cut.
func (s *Spool) Put(sender string, body []byte) error {
	plain, err := json.Marshal(item{sender, body})
	if err != nil {
		return fmt.Errorf("pack for the outage spool: %w", err)
	}
	sealed := s.Keys.Seal(plain, aadItem)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+int64(len(sealed)) > s.limit {
		return fmt.Errorf("%w: %d files, %d bytes", ErrFull, s.count, s.bytes)
	}
	s.last = max(s.last+1, s.Clock.Wall().UnixNano())
	name := fmt.Sprintf("%0*d%s", nameSize, s.last, suffix)
	if err := writeDurably(s.folder.path, name, sealed); err != nil {
		return fmt.Errorf("write to the outage spool: %w", err)
	}
	s.add(sender, entry{name, int64(len(sealed))})
	return nil
}

// writeDurably makes a file that is there whole or not at all. What stands
// after a failure under another name is removed.
func writeDurably(dir, name string, data []byte) (err error) {
	path := filepath.Join(dir, name)
	temporary := path + tornTail
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, ownFile)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(temporary), removeIfThere(path))
		}
	}()
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(dir)
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Holds reports whether entries of a sender wait: what comes from it now must
// queue behind them.
func (s *Spool) Holds(sender string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting[sender]) > 0
}

// Senders lists who has entries here.
func (s *Spool) Senders() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.waiting))
	for sender := range s.waiting {
		out = append(out, sender)
	}
	return out
}

// Size is how many entries wait, and their bytes.
func (s *Spool) Size() (count int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.bytes
}

// Head returns the oldest entry of a sender, ok false where there is none. One
// that cannot be read is put aside, and the next one returned.
func (s *Spool) Head(sender string) (body []byte, ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting[sender]) > 0 {
		e := s.waiting[sender][0]
		it, _, err := s.read(e.name)
		if err == nil {
			return it.Body, true, nil
		}
		if busy(err) {
			return nil, false, err
		}
		if err := s.putAside(e.name, err); err != nil {
			return nil, false, err
		}
		s.drop(sender)
	}
	return nil, false, nil
}

// Remove takes the oldest entry of a sender away, after it was handled. A kill
// before that brings it back: whoever handles entries must bear to see one
// twice.
func (s *Spool) Remove(sender string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting[sender]) == 0 {
		return nil
	}
	if err := removeIfThere(filepath.Join(s.folder.path, s.waiting[sender][0].name)); err != nil {
		return fmt.Errorf("take from the outage spool: %w", err)
	}
	s.drop(sender)
	return nil
}

// drop forgets the oldest entry of a sender.
func (s *Spool) drop(sender string) {
	list := s.waiting[sender]
	s.count--
	s.bytes -= list[0].size
	if list = list[1:]; len(list) == 0 {
		delete(s.waiting, sender)
		return
	}
	s.waiting[sender] = list
}
