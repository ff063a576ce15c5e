package managed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first major version whose behaviour the schema relies on
// (UNIQUE NULLS NOT DISTINCT, public schema closed to strangers).
const oldest = 15

// ErrNoBinaries means that this machine has no usable PostgreSQL server.
var ErrNoBinaries = fmt.Errorf("no PostgreSQL %d or newer found in PATH or /usr/lib/postgresql: "+
	"run `sudo apt-get install -y postgresql`, or set DATABASE_URL to a server elsewhere", oldest)

// Binaries is one installed version of PostgreSQL.
type Binaries struct {
	Dir   string // where postgres and initdb are
	Major int    // 15, 16, …
}

// Find lists the installed versions from PATH and /usr/lib/postgresql/*/bin,
// newest first; of equals the one in PATH comes first. The list is never empty
// without an error, which then wraps ErrNoBinaries.
func Find(ctx context.Context) ([]Binaries, error) {
	dirs := filepath.SplitList(os.Getenv("PATH"))
	packaged, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return nil, fmt.Errorf("list /usr/lib/postgresql: %w", err)
	}
	return findIn(ctx, append(dirs, packaged...))
}

func findIn(ctx context.Context, dirs []string) ([]Binaries, error) {
	var found []Binaries
	var unusable []error
	seen := map[string]bool{}
	for _, dir := range dirs {
		// Debian's package and a link to it in PATH are one installation.
		program, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil || seen[program] {
			continue
		}
		seen[program] = true
		b, err := inspect(ctx, filepath.Dir(program))
		if err != nil {
			unusable = append(unusable, err)
			continue
		}
		found = append(found, b)
	}
	if len(found) == 0 {
		return nil, errors.Join(append([]error{ErrNoBinaries}, unusable...)...)
	}
	slices.SortStableFunc(found, func(a, b Binaries) int { return cmp.Compare(b.Major, a.Major) })
	return found, nil
}

// inspect asks the programs in dir for their version.
func inspect(ctx context.Context, dir string) (Binaries, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return Binaries{}, fmt.Errorf("PostgreSQL in %s is incomplete: %w", dir, err)
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return Binaries{}, fmt.Errorf("ask the PostgreSQL in %s for its version: %w", dir, err)
	}
	major, err := parseVersion(string(out))
	if err != nil {
		return Binaries{}, fmt.Errorf("PostgreSQL in %s: %w", dir, err)
	}
	if major < oldest {
		return Binaries{}, fmt.Errorf("PostgreSQL in %s is version %d: too old", dir, major)
	}
	return Binaries{Dir: dir, Major: major}, nil
}

// parseVersion reads the major version from a line such as
// "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or "… 19beta1".
func parseVersion(line string) (int, error) {
	_, version, _ := strings.Cut(line, "(PostgreSQL) ")
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		version = version[:end]
	}
	major, err := strconv.Atoi(version)
	if err != nil {
		return 0, fmt.Errorf("no version in %q", line)
	}
	return major, nil
}

// choose picks the programs for the cluster in h: its own major version or, for
// a cluster still to be made, the newest.
func choose(ctx context.Context, dir string, h home) (Binaries, error) {
	var found []Binaries
	var err error
	if dir != "" {
		found, err = findIn(ctx, []string{dir})
	} else {
		found, err = Find(ctx)
	}
	if err != nil {
		return Binaries{}, err
	}
	made, err := h.major()
	if err != nil {
		return Binaries{}, err
	}
	if made == 0 {
		return found[0], nil
	}
	i := slices.IndexFunc(found, func(b Binaries) bool { return b.Major == made })
	if i < 0 {
		var have []string
		for _, b := range found {
			have = append(have, strconv.Itoa(b.Major))
		}
		return Binaries{}, fmt.Errorf("the data in %s was written by PostgreSQL %d, installed here: %s; nothing was changed: "+
			"run `sudo apt-get install -y postgresql-%d`, or move the data with pg_upgrade",
			h.data(), made, strings.Join(have, ", "), made)
	}
	return found[i], nil
}

// major returns the version that made the cluster, 0 when there is none yet.
func (h home) major() (int, error) {
	path := filepath.Join(h.data(), "PG_VERSION")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(h.data()); err == nil {
			return 0, fmt.Errorf("%s holds something that is not a PostgreSQL cluster: move it away and start again", h.data())
		}
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of the cluster: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s does not hold a version: %w", path, err)
	}
	return major, nil
}
