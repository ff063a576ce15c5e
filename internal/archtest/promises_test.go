package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// carrier is a package and a test as docs/promises.md names them.
var carrier = regexp.MustCompile("`([a-z0-9/]+)` `(Test[A-Za-z0-9_]+)`")

// TestPromisesNameTests holds that every test by which docs/promises.md vouches
// for a promise is there, and that every promise has its row.
func TestPromisesNameTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/promises.md")
	if err != nil {
		t.Fatal(err)
	}
	named := carrier.FindAllStringSubmatch(string(page), -1)
	if len(named) < 50 {
		t.Fatalf("only %d tests are named", len(named))
	}
	for _, n := range named {
		if !hasTest(t, filepath.Join("../..", n[1]), n[2]) {
			t.Errorf("docs/promises.md names %s of %s, which is not there", n[2], n[1])
		}
	}
	for series, last := range map[string]int{"R": 16, "S": 12, "P": 9} {
		for i := 1; i <= last; i++ {
			if row := fmt.Sprintf("\n| %s%d |", series, i); !strings.Contains(string(page), row) {
				t.Errorf("docs/promises.md has no row for %s%d", series, i)
			}
		}
	}
}

// hasTest looks for a test function in the files of a folder, whatever their
// build tags.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(body), "\nfunc "+name+"(t *testing.T)") {
			return true
		}
	}
	return false
}
