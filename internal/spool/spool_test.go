package spool

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"pgregory.net/rapid"

	"shaoying/internal/clock"
	"shaoying/internal/privacy"
)

func keys(t testing.TB) *privacy.Keys {
	t.Helper()
	k, err := privacy.NewKeys([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// open opens a spool that is closed with the test.
func open(t testing.TB, root string, limit int64) *Spool {
	t.Helper()
	s, err := Open(root, Policy{MaxBytes: limit}, Deps{Keys: keys(t), Clock: clock.New(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

func put(t testing.TB, s *Spool, sender, body string) {
	t.Helper()
	if err := s.Put(sender, []byte(body)); err != nil {
		t.Fatal(err)
	}
}

// all takes everything of a sender out, in order.
func all(t testing.TB, s *Spool, sender string) (out []string) {
	t.Helper()
	for {
		body, ok, err := s.Head(sender)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, string(body))
		if err := s.Remove(sender); err != nil {
			t.Fatal(err)
		}
	}
}

// Any sequence of puts, removals, restarts and adoptions gives every sender what
// it put, in that order, once.
func TestSpoolKeepsTheOrderOfEachSender(t *testing.T) {
	base := t.TempDir()
	runs := 0
	rapid.Check(t, func(r *rapid.T) {
		runs++
		root := filepath.Join(base, strconv.Itoa(runs))
		s := open(t, root, 1<<20)
		want := map[string][]string{}
		n := 0
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			sender := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "sender")
			switch rapid.SampledFrom([]string{"put", "put", "take", "restart", "other"}).Draw(r, "step") {
			case "put":
				n++
				put(t, s, sender, strconv.Itoa(n))
				want[sender] = append(want[sender], strconv.Itoa(n))
			case "take":
				body, ok, err := s.Head(sender)
				if err != nil || ok != (len(want[sender]) > 0) {
					r.Fatalf("head of %s: %v %v, want %v", sender, ok, err, want[sender])
				}
				if !ok {
					continue
				}
				if string(body) != want[sender][0] {
					r.Fatalf("head of %s is %s, want %s", sender, body, want[sender][0])
				}
				if err := s.Remove(sender); err != nil {
					r.Fatal(err)
				}
				want[sender] = want[sender][1:]
			case "restart":
				if err := s.Close(); err != nil {
					r.Fatal(err)
				}
				s = open(t, root, 1<<20)
			case "other": // a process of a sender of its own, that dies
				n++
				other := open(t, root, 1<<20)
				put(t, other, "d", strconv.Itoa(n))
				want["d"] = append(want["d"], strconv.Itoa(n))
				if err := other.Close(); err != nil {
					r.Fatal(err)
				}
				if err := s.Adopt(); err != nil {
					r.Fatal(err)
				}
			}
		}
		count := 0
		for sender, list := range want {
			count += len(list)
			if s.Holds(sender) != (len(list) > 0) {
				r.Fatalf("holds %s: %v, want %v", sender, s.Holds(sender), list)
			}
		}
		if got, _ := s.Size(); got != count {
			r.Fatalf("%d entries, want %d", got, count)
		}
		for sender, list := range want {
			if got := all(t, s, sender); !slices.Equal(got, list) {
				r.Fatalf("%s comes back as %v, want %v", sender, got, list)
			}
		}
		if err := s.Close(); err != nil {
			r.Fatal(err)
		}
	})
}

func TestManyPutAtOnce(t *testing.T) {
	s := open(t, t.TempDir(), 1<<20)
	var wg sync.WaitGroup
	for sender := range 8 {
		wg.Go(func() {
			for n := range 20 {
				if err := s.Put(strconv.Itoa(sender), []byte(strconv.Itoa(n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for sender := range 8 {
		got := all(t, s, strconv.Itoa(sender))
		for n := range 20 {
			if len(got) != 20 || got[n] != strconv.Itoa(n) {
				t.Fatalf("sender %d: %v", sender, got)
			}
		}
	}
	if count, size := s.Size(); count != 0 || size != 0 {
		t.Errorf("%d entries, %d bytes are left", count, size)
	}
}

// What lies on the disk says nothing of who wrote and what.
func TestSpoolIsSealed(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, 1<<20)
	put(t, s, "sms\x0013812345678", "楼道灯坏了，电话13812345678")
	seen := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if bytes.Contains(body, []byte("138123")) || bytes.Contains(body, []byte("楼道")) || strings.Contains(path, "138123") {
			t.Errorf("%s shows what was said", path)
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %s", path, info.Mode())
		}
		seen++
		return err
	})
	if err != nil || seen != 2 { // the lock and the entry
		t.Errorf("%d files, %v", seen, err)
	}
}

func TestFullSpoolRefuses(t *testing.T) {
	s := open(t, t.TempDir(), 300)
	put(t, s, "a", "一")
	var err error
	for err == nil {
		err = s.Put("a", []byte("二"))
	}
	if !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	count, _ := s.Size()
	if got := all(t, s, "a"); len(got) != count || got[0] != "一" {
		t.Errorf("%d of %d come back: %v", len(got), count, got)
	}
	put(t, s, "a", "三") // there is room again
}

// A disk that is full refuses, and what was taken before is all there.
func TestFullDiskRefuses(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("left out: mounting a small disk needs root")
	}
	root := t.TempDir()
	if err := syscall.Mount("none", root, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("left out: no small disk can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(root, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	s := open(t, root, 1<<30)
	taken := 0
	var err error
	for ; err == nil; taken++ {
		err = s.Put("a", bytes.Repeat([]byte("x"), 3000+taken))
	}
	taken--
	if !errors.Is(err, syscall.ENOSPC) || taken == 0 {
		t.Fatalf("after %d: %v", taken, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, root, 1<<30)
	got := all(t, s, "a")
	if len(got) != taken {
		t.Fatalf("%d of %d come back", len(got), taken)
	}
	for n, body := range got {
		if len(body) != 3000+n {
			t.Errorf("entry %d has %d bytes", n, len(body))
		}
	}
	put(t, s, "a", "有地方了")
}

// What cannot be read is put aside, told of, and holds up nobody.
func TestDamagedFileIsPutAside(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, 1<<20)
	for _, body := range []string{"一", "二", "三"} {
		put(t, s, "a", body)
	}
	names, err := files(s.folder.path)
	if err != nil {
		t.Fatal(err)
	}
	damage := func(name string) {
		if err := os.WriteFile(filepath.Join(s.folder.path, name), []byte("nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	damage(names[0]) // while it runs
	if body, ok, err := s.Head("a"); err != nil || !ok || string(body) != "二" {
		t.Errorf("%q %v %v", body, ok, err)
	}
	damage(names[2]) // and before it starts
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, root, 1<<20)
	if got := all(t, s, "a"); !slices.Equal(got, []string{"二"}) {
		t.Errorf("%v comes back", got)
	}
	aside, err := filepath.Glob(filepath.Join(root, "0", "*"+badTail))
	if err != nil || len(aside) != 2 {
		t.Errorf("put aside: %v %v", aside, err)
	}
}

// A machine without a file handle left cannot read now: no file is put aside for
// that.
func TestNoFileHandleLeft(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, 1<<20)
	put(t, s, "a", "一")
	dead := open(t, root, 1<<20)
	put(t, dead, "b", "二")
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	low := limit
	low.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	var full []*os.File
	give := func() {
		for _, f := range full {
			f.Close()
		}
		full = nil
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	defer give()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		full = append(full, f)
	}
	if body, ok, err := s.Head("a"); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("%q %v %v", body, ok, err)
	}
	if err := s.Adopt(); !errors.Is(err, syscall.EMFILE) {
		t.Error(err)
	}
	give()
	if err := s.Adopt(); err != nil {
		t.Error(err)
	}
	if a, b := all(t, s, "a"), all(t, s, "b"); !slices.Equal(a, []string{"一"}) || !slices.Equal(b, []string{"二"}) {
		t.Errorf("%v and %v come back", a, b)
	}
}

// A clock that was put back while nobody ran puts nothing before what is there.
func TestClockPutBack(t *testing.T) {
	root := t.TempDir()
	s := open(t, root, 1<<20)
	s.last = s.Clock.Wall().Add(1 << 40).UnixNano() // some minutes ahead
	put(t, s, "a", "一")
	for _, body := range []string{"二", ""} { // the order shows when it is read again
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = open(t, root, 1<<20)
		if body != "" {
			put(t, s, "a", body)
		}
	}
	if got := all(t, s, "a"); !slices.Equal(got, []string{"一", "二"}) {
		t.Errorf("%v comes back", got)
	}
}

// A process that is killed again and again while it writes loses nothing that it
// had been told was taken, and doubles nothing.
func TestKilledWhileWriting(t *testing.T) {
	if root := os.Getenv("SPOOL_KILL_ROOT"); root != "" {
		writeUntilKilled(t, root)
		return
	}
	root := t.TempDir()
	var promised []string
	for run := range 10 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileWriting$")
		cmd.Env = append(os.Environ(), "SPOOL_KILL_ROOT="+root, fmt.Sprintf("SPOOL_KILL_RUN=%d", run))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var said bytes.Buffer
		for strings.Count(said.String(), "\n") < 5+run*3 {
			buf := make([]byte, 512)
			n, err := out.Read(buf)
			if err != nil {
				t.Fatalf("run %d ended by itself: %v\n%s", run, err, said.String())
			}
			said.Write(buf[:n])
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for {
			buf := make([]byte, 512)
			n, err := out.Read(buf)
			said.Write(buf[:n])
			if err != nil {
				break
			}
		}
		_ = cmd.Wait() // it was killed
		lines := strings.Split(said.String(), "\n")
		promised = append(promised, lines[:len(lines)-1]...)
	}
	s := open(t, root, 1<<20)
	got := all(t, s, "a")
	// One entry of each run may be there whose promise was not heard.
	left := promised
	for _, body := range got {
		if len(left) > 0 && body == left[0] {
			left = left[1:]
		}
	}
	if len(left) > 0 {
		t.Errorf("%d of %d promised entries are lost, first %s", len(left), len(promised), left[0])
	}
	if len(got) > len(promised)+10 || len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Errorf("%d entries for %d promises", len(got), len(promised))
	}
}

func writeUntilKilled(t *testing.T, root string) {
	s := open(t, root, 1<<20)
	for n := range 10000 {
		body := os.Getenv("SPOOL_KILL_RUN") + "/" + strconv.Itoa(n)
		put(t, s, "a", body)
		fmt.Println(body)
	}
}
