package pgtest

import (
	"os"
	"syscall"
)

// A database per test is some four hundred files made and removed: in memory
// that takes two thirds of the time.
const (
	memory = "/dev/shm"
	// roomy is how much must be free there; a whole run needs a tenth.
	roomy = 4 << 30
)

// Place is where a test's database server keeps its files: in memory where
// there is plenty, else in the directory for temporary files, which TMPDIR may
// name. Programs may not run from there.
func Place() string {
	if os.Getenv("TMPDIR") != "" {
		return os.TempDir()
	}
	var fs syscall.Statfs_t
	info, err := os.Stat(memory)
	if err != nil || info.Mode()&os.ModeSticky == 0 || syscall.Statfs(memory, &fs) != nil || uint64(fs.Bavail)*uint64(fs.Bsize) < roomy {
		return os.TempDir()
	}
	return memory
}
