package managed

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"
)

func TestDefaultDir(t *testing.T) {
	cwd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	plain := os.Geteuid() != 0
	for _, c := range []struct {
		name, data, xdg, home string
		want                  string // for a plain user; root has one place
	}{
		{"given", "/srv/x", "/xdg", "/home/a", "/srv/x"},
		{"given, relative", "x", "/xdg", "/home/a", filepath.Join(cwd, "x")},
		{"XDG", "", "/xdg", "/home/a", "/xdg/shaoying"},
		{"XDG, relative, is ignored", "", "xdg", "/home/a", "/home/a/.local/share/shaoying"},
		{"home", "", "", "/home/a", "/home/a/.local/share/shaoying"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("SHAOYING_DATA", c.data)
			t.Setenv("XDG_DATA_HOME", c.xdg)
			t.Setenv("HOME", c.home)
			want := c.want
			if c.data == "" && !plain {
				want = "/var/lib/shaoying"
			}
			if got, err := DefaultDir(); err != nil || got != want {
				t.Errorf("DefaultDir = %q, %v; want %q", got, err, want)
			}
		})
	}
	if plain {
		t.Setenv("SHAOYING_DATA", "")
		t.Setenv("XDG_DATA_HOME", "")
		t.Setenv("HOME", "")
		if got, err := DefaultDir(); err == nil || !strings.Contains(err.Error(), "SHAOYING_DATA") {
			t.Errorf("without a home: %q, %v; want advice", got, err)
		}
	}
}

// install lays a false PostgreSQL of some version in a directory.
func install(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	script := "#!/bin/sh\necho '" + version + "'\n"
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindInPrefersTheNewest(t *testing.T) {
	v15 := install(t, "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)")
	v19 := install(t, "postgres (PostgreSQL) 19beta1")
	v17 := install(t, "postgres (PostgreSQL) 17.2")
	v14 := install(t, "postgres (PostgreSQL) 14.9")
	linked := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		if err := os.Symlink(filepath.Join(v15, name), filepath.Join(linked, name)); err != nil {
			t.Fatal(err)
		}
	}
	found, err := findIn(t.Context(), []string{linked, t.TempDir(), v14, v15, v19, v17, ""})
	if err != nil {
		t.Fatal(err)
	}
	want := []Binaries{{v19, 19}, {v17, 17}, {v15, 15}}
	if fmt.Sprint(found) != fmt.Sprint(want) {
		t.Fatalf("found %v, want %v", found, want)
	}
}

func TestFindInSaysWhatWasUnusable(t *testing.T) {
	old := install(t, "postgres (PostgreSQL) 14.9")
	odd := install(t, "something else")
	half := install(t, "postgres (PostgreSQL) 16.1")
	if err := os.Remove(filepath.Join(half, "initdb")); err != nil {
		t.Fatal(err)
	}
	_, err := findIn(t.Context(), []string{old, odd, half})
	if !errors.Is(err, ErrNoBinaries) {
		t.Fatalf("%v is not ErrNoBinaries", err)
	}
	for _, want := range []string{old + " is version 14: too old", odd, half + " is incomplete"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestChooseKeepsToTheClustersVersion(t *testing.T) {
	v15, v17 := install(t, "postgres (PostgreSQL) 15.18"), install(t, "postgres (PostgreSQL) 17.2")
	t.Setenv("PATH", v15+":"+v17)
	h := home{dir: t.TempDir()}
	if b, err := choose(t.Context(), "", h); err != nil || b.Major < 17 {
		t.Fatalf("for a new cluster: %v, %v; want the newest", b, err)
	}
	if err := os.MkdirAll(h.data(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.data(), "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := choose(t.Context(), "", h); err != nil || b.Major != 15 {
		t.Fatalf("for a cluster of 15: %v, %v", b, err)
	}
	if _, err := choose(t.Context(), v17, h); err == nil || !strings.Contains(err.Error(), "written by PostgreSQL 15, installed here: 17") {
		t.Fatalf("told to use 17 on a cluster of 15: %v", err)
	}
}

func FuzzParseVersion(f *testing.F) {
	f.Add("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)")
	f.Add("postgres (PostgreSQL) 19beta1")
	f.Add("postgres (PostgreSQL) 18")
	f.Add("(PostgreSQL) 99999999999999999999999")
	f.Add("PostgreSQL 15")
	f.Add("")
	f.Fuzz(func(t *testing.T, line string) {
		major, err := parseVersion(line)
		if err == nil && !strings.Contains(line, "(PostgreSQL) ") {
			t.Fatalf("found version %d in %q", major, line)
		}
		if major < 0 || (err != nil && major != 0) {
			t.Fatalf("%d, %v from %q", major, err, line)
		}
	})
}

func TestParseVersion(t *testing.T) {
	for line, want := range map[string]int{
		"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)": 15,
		"postgres (PostgreSQL) 19beta1":                        19,
		"postgres (PostgreSQL) 18\n":                           18,
		"postgres 15":                                          0,
		"":                                                     0,
	} {
		if got, err := parseVersion(line); got != want || (err == nil) != (want != 0) {
			t.Errorf("parseVersion(%q) = %d, %v; want %d", line, got, err, want)
		}
	}
}

func FuzzParsePostmaster(f *testing.F) {
	f.Add([]byte("4711\n/data\n1795479678\n5432\n/run\n\n  5432001    65538\nready   \n"))
	f.Add([]byte("4711\n/data\n1795479678\n5432\n/run\n\n  5432001    65538\nstarting\n"))
	f.Add([]byte("-12\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := parsePostmaster(text)
		if err == nil && p.pid <= 1 {
			// 0 and negative numbers would signal whole process groups, 1 is init.
			t.Fatalf("pid %d from %q", p.pid, text)
		}
		if p.ready && !strings.Contains(string(text), "ready") {
			t.Fatalf("ready, from %q", text)
		}
	})
}

func TestParsePostmaster(t *testing.T) {
	const head = "4711\n/data\n1795479678\n5432\n/run\n\n  5432001    65538\n"
	for text, want := range map[string]postmaster{
		head + "ready   \n": {4711, true},
		head + "starting\n": {4711, false},
		head + "stopping\n": {4711, false},
		"4711\n/data\n":     {4711, false}, // not written to the end yet
	} {
		if got, err := parsePostmaster([]byte(text)); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x\n", "0\n", "1\n", "-4711\n"} {
		if got, err := parsePostmaster([]byte(text)); err == nil {
			t.Errorf("%q: %v, want an error", text, got)
		}
	}
}

func TestSocketFitsWhateverTheDirectory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := home{dir: "/" + rapid.StringMatching(`[a-z哨,' "\\/.]{0,150}`).Draw(t, "dir")}
		socket := h.socketDir() + "/.s.PGSQL." + port
		if len(socket) > longestSocket {
			t.Fatalf("%d bytes: %s", len(socket), socket)
		}
		if strings.Contains(socket, ",") {
			t.Fatalf("a comma in %s", socket)
		}
		if (home{dir: h.dir + "x"}).socketDir() == h.socketDir() {
			t.Fatalf("two directories share %s", h.socketDir())
		}
	})
}

func TestConnectionStringReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &Server{home: home{dir: "/" + rapid.StringMatching(`[a-z哨' "\\=]{0,60}`).Draw(t, "dir")}}
		database := rapid.StringMatching(`[a-z哨' "\\=]{1,20}`).Draw(t, "database")
		cfg, err := pgx.ParseConfig(s.DSN(database))
		if err != nil {
			t.Fatalf("%s: %v", s.DSN(database), err)
		}
		if cfg.Host != s.home.socketDir() || cfg.Database != database || cfg.User != role || cfg.Port != 5432 {
			t.Fatalf("%s reads as host %q, database %q, user %q", s.DSN(database), cfg.Host, cfg.Database, cfg.User)
		}
	})
}

func TestBlockedAt(t *testing.T) {
	base := emptyDir(t)
	a, b := filepath.Join(base, "a"), filepath.Join(base, "a", "b")
	if err := os.MkdirAll(b, 0o755); err != nil {
		t.Fatal(err)
	}
	stranger := account{name: "stranger", uid: 999_999, gid: 999_999}
	groupmate := account{name: "groupmate", uid: 999_999, gid: os.Getegid()}
	self := account{name: "self", uid: os.Geteuid(), gid: 999_999}
	for _, c := range []struct {
		mode os.FileMode
		who  account
		want string
	}{
		{0o755, stranger, ""},
		{0o711, stranger, ""},
		{0o750, stranger, a},
		{0o700, stranger, a},
		{0o710, groupmate, ""},
		{0o701, groupmate, a}, // the group's bits count, not the others'
		{0o700, self, ""},
		{0o611, self, a},
	} {
		if err := os.Chmod(a, c.mode); err != nil {
			t.Fatal(err)
		}
		got, err := c.who.blockedAt(b)
		if os.Geteuid() != 0 && c.mode&0o100 == 0 {
			continue // we cannot look through it ourselves
		}
		if err != nil || got != c.want {
			t.Errorf("mode %o, %s: blocked at %q, %v; want %q", c.mode, c.who.name, got, err, c.want)
		}
	}
}

// The protocol of the two locks, against a model: whoever finds nobody is
// first, whoever leaves nobody is last, and a kill is a leave without a word.
func TestUsersComeAndGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "locks-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		h := home{dir: dir, owner: account{uid: os.Geteuid(), gid: os.Getegid()}}
		var users []*lock
		pick := func() *lock {
			if len(users) == 0 {
				t.Skip("nobody there")
			}
			i := rapid.IntRange(0, len(users)-1).Draw(t, "user")
			user := users[i]
			users = append(users[:i], users[i+1:]...)
			return user
		}
		t.Repeat(map[string]func(*rapid.T){
			"come": func(t *rapid.T) {
				user, first, err := h.join()
				if err != nil {
					t.Fatal(err)
				}
				if first != (len(users) == 0) {
					t.Fatalf("first = %v beside %d users", first, len(users))
				}
				users = append(users, user)
			},
			"leave": func(t *rapid.T) {
				user := pick()
				last, err := user.alone()
				if err != nil {
					t.Fatal(err)
				}
				if last != (len(users) == 0) {
					t.Fatalf("last = %v, %d users left", last, len(users))
				}
				user.release()
			},
			"try to leave and stay": func(t *rapid.T) {
				user := pick()
				if _, err := user.alone(); err != nil {
					t.Fatal(err)
				}
				if err := user.share(); err != nil {
					t.Fatal(err)
				}
				users = append(users, user)
			},
			"be killed": func(t *rapid.T) { pick().release() },
		})
		for _, user := range users {
			user.release()
		}
	})
}

func TestStartLockWaitsNoLongerThanAsked(t *testing.T) {
	h := home{dir: t.TempDir(), owner: account{uid: os.Geteuid(), gid: os.Getegid()}}
	first, err := h.startLock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.startLock(within(t, 30*time.Millisecond))
	if err == nil || !strings.Contains(err.Error(), "another shaoying process is starting or stopping") {
		t.Fatalf("a held lock: %v", err)
	}
	first.release()
	second, err := h.startLock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second.release()
}
