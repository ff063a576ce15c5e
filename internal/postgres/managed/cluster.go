package managed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// initialise makes the cluster unless there is one, and writes who may log in.
func (s *Server) initialise(ctx context.Context) error {
	made, err := s.home.major()
	if err != nil {
		return err
	}
	if made == 0 {
		if err := s.initdb(ctx); err != nil {
			return fmt.Errorf("make a database cluster in %s: %w", s.home.data(), err)
		}
	}
	return s.writeAccess(s.home.data())
}

// initdb makes the cluster beside its place and then renames it, so that
// whatever ends it half-way leaves no cluster at all. The locale is C.UTF-8,
// because pg_trgm sees no letters in Chinese under C.
func (s *Server) initdb(ctx context.Context) error {
	fresh := s.home.data() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clear what an earlier attempt left: %w", err)
	}
	out, err := s.account.command(ctx, s.home.server(), filepath.Join(s.binaries.Dir, "initdb"),
		"-D", fresh, "-U", role, "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8",
		"--data-checksums", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(string(out)))
	}
	if err := os.Rename(fresh, s.home.data()); err != nil {
		return err
	}
	s.cfg.Log.InfoContext(ctx, "made a database cluster", "dir", s.home.data(), "version", s.binaries.Major)
	return nil
}

// writeAccess lets root, postgres, the server's account and the owner of the
// directory log in as our database user, known by the kernel (peer), and nobody
// else at all. It is written at every start, so that it follows a directory
// that was given to another user.
func (s *Server) writeAccess(data string) error {
	names := []string{"root", "postgres", s.account.name, s.home.owner.name}
	slices.Sort(names)
	var idents strings.Builder
	for _, name := range slices.Compact(names) {
		fmt.Fprintf(&idents, "shaoying %q %s\n", name, role)
	}
	files := map[string]string{
		"pg_hba.conf":   "local all " + role + " peer map=shaoying\n",
		"pg_ident.conf": idents.String(),
	}
	for name, text := range files {
		path := filepath.Join(data, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("write who may log in: %w", err)
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(path, s.account.uid, s.account.gid); err != nil {
				return fmt.Errorf("give %s to the database server: %w", path, err)
			}
		}
	}
	return nil
}

// lastLines is the end of a program's output, for an error.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}
