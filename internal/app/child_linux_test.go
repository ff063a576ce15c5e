package app

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "4242 (a (b) c) S 1 4242 4242 0 -1 4194560 1 2 3 4 150 50 0 0 20 10 7 0 100 1000000 2500 18446744073709551615 1 1\n"
	cpu, memory, err := parseStat([]byte(line))
	if err != nil || cpu != 2*time.Second || memory != 2500*int64(os.Getpagesize()) {
		t.Errorf("%s, %d bytes, %v", cpu, memory, err)
	}
	for _, bad := range []string{"", "1 (x) S 1 2", strings.Replace(line, " 150 ", " many ", 1)} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("taken: %q", bad)
		}
	}
	own, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", os.Getpid()))
	if err != nil {
		t.Skip("no /proc here")
	}
	if _, memory, err := parseStat(own); err != nil || memory < 1<<20 {
		t.Errorf("ourselves: %d bytes, %v", memory, err)
	}
}
