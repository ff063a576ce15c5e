package world

import (
	"os"
	"path/filepath"
	"testing"
)

// Found makes an installation for one test, which is gone with it. build compiles
// its program into a directory: Build, or an altered one. Where the test fails and
// SHAOYING_TEST_LOGS is set, what was logged is shown.
func Found(t testing.TB, build func(dir string) (bin string, err error)) *World {
	t.Helper()
	dir, err := os.MkdirTemp("", "shaoying-test-")
	Must(t, err)
	t.Cleanup(func() { Must(t, os.RemoveAll(dir)) })
	Must(t, os.Chmod(dir, 0o755)) // the database runs as another user
	bin, err := build(dir)
	Must(t, err)
	w, err := New(bin, dir)
	Must(t, err)
	t.Cleanup(func() {
		if t.Failed() && os.Getenv("SHAOYING_TEST_LOGS") != "" {
			t.Log(w.Logs())
		}
	})
	return w
}

// Configure gives the program a configuration, and env besides.
func (w *World) Configure(t testing.TB, config string, env ...string) {
	t.Helper()
	file := filepath.Join(filepath.Dir(w.Bin), "shaoying.yaml")
	Must(t, os.WriteFile(file, []byte(config), 0o600))
	w.Env = append(append(w.Env, "SHAOYING_CONFIG="+file), env...)
}

// Serve starts `serve` with args for the rest of a test.
func (w *World) Serve(t testing.TB, args ...string) *Server {
	t.Helper()
	s, err := w.Start(args...)
	Must(t, err)
	t.Cleanup(func() {
		_, err := s.Stop()
		Must(t, err)
	})
	return s
}
